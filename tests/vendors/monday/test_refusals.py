"""What a batch comes back with when Monday.com says no: to one item, to some, or to everything."""

from __future__ import annotations

import pytest

from integrations.errors import ContractBroken, PermissionMissing, RateLimited, SetupBroken
from integrations.types import Done, Gone, NotWritten, Refused

from .conftest import Desk
from .test_writing import done


def test_an_item_that_people_removed_is_gone_and_the_others_are_updated(desk: Desk) -> None:
    target = desk.target()
    made = done(desk.carry(target, [desk.bill(n, Amount=n) for n in range(4)]))
    desk.world.archive_item(made[1].target_id)
    desk.world.delete_item(made[2].target_id)
    desk.forget_calls()
    results = desk.carry(target, [desk.bill(n, target_id=made[n].target_id, Amount=9) for n in range(4)], key="second")
    removed = [each.said for each in results[1:3] if isinstance(each, Gone)]
    assert "archived" in removed[0] and "deleted" in removed[1] and isinstance(results[3], Done)
    assert len(desk.calls) == 2 and len(desk.items()) == 2


def test_a_full_board_says_so_and_keeps_what_still_found_room(desk: Desk) -> None:
    desk.board_id = desk.world.add_board("Small", [("Vendor", "text")], items_limit=2)
    target = desk.target()
    results = desk.carry(target, [desk.bill(n, Vendor="V") for n in range(3)])
    assert [type(each) for each in results] == [Done, Done, NotWritten]
    with pytest.raises(SetupBroken, match="full") as caught:
        desk.carry(target, [desk.bill(2, Vendor="V")], key="second")
    assert caught.value.what == "room on the board" and len(desk.items()) == 2


def test_a_lost_right_to_the_board_is_raised_once_nothing_was_done(desk: Desk) -> None:
    target = desk.target()
    desk.faults.arm("user_unauthorized")
    with pytest.raises(PermissionMissing) as caught:
        desk.carry(target, [desk.bill(1), desk.bill(2)])
    assert caught.value.right == "edit the board" and caught.value.request_id


def test_a_board_that_vanished_while_writing_has_to_be_chosen_anew(desk: Desk) -> None:
    target = desk.target()
    desk.faults.arm("invalid_board")
    with pytest.raises(SetupBroken) as caught:
        desk.carry(target, [desk.bill(1)])
    assert caught.value.what == "board"


def test_a_throttle_on_one_alias_keeps_the_others_and_makes_everybody_wait(desk: Desk) -> None:
    target = desk.target()
    desk.faults.arm("subgraph_throttle_partial", field="r1")
    (batch,) = target.batches([desk.bill(n, Vendor="V") for n in range(3)])
    results = target.write(batch, key="k")
    kinds = [type(each) for each in results]
    assert kinds.count(Done) == 2 and kinds.count(NotWritten) == 1, results
    with pytest.raises(RateLimited):
        target.schema()
    desk.wait(61)
    desk.carry(target, [desk.bill(n, Vendor="V") for n, kind in enumerate(kinds) if kind is NotWritten], key="second")


def test_a_document_that_is_too_heavy_is_cut_in_half_and_nothing_of_it_counts(desk: Desk) -> None:
    target = desk.target()
    writes = [desk.bill(n, Vendor="V") for n in range(12)]
    desk.faults.arm("single_query_too_complex")
    batches = target.batches(writes)
    first = next(batches)
    assert target.write(first, key="k") == [NotWritten(external_id=str(n)) for n in range(10)]
    assert [len(each.writes) for each in batches] == [2]
    assert [len(each.writes) for each in target.batches(writes)] == [5, 5, 2]


def test_a_single_write_that_is_too_heavy_is_ours_to_mend(desk: Desk) -> None:
    target = desk.target()
    desk.faults.arm("single_query_too_complex")
    with pytest.raises(ContractBroken):
        desk.carry(target, [desk.bill(1)])


def test_a_document_that_is_refused_as_invalid_fails_loudly(desk: Desk) -> None:
    target = desk.target()
    desk.faults.arm("variable_invalid")
    with pytest.raises(ContractBroken):
        desk.carry(target, [desk.bill(1), desk.bill(2)])


def test_a_refused_value_is_no_reason_to_look_whether_the_item_is_still_there(desk: Desk) -> None:
    target = desk.target()
    (made,) = done(desk.carry(target, [desk.bill(1, Amount=1)]))
    desk.forget_calls()
    (result,) = desk.carry(target, [desk.bill(1, target_id=made.target_id, Phone="555")], key="second")
    assert isinstance(result, Refused) and len(desk.calls) == 1

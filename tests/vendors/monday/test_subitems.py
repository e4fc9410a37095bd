"""Lines below an item: on a hidden board that the first one makes, each once, with a key like every other item."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.errors import VendorUnavailable
from integrations.types import Done, Gone, Refused, Result, Write
from integrations.vendors.monday.target import MondayTarget

from .conftest import Desk


@pytest.fixture
def bill(desk: Desk) -> str:
    """An item that lines can be put below."""
    (result,) = desk.carry(desk.target(), [desk.bill("B1")], key="bill")
    assert isinstance(result, Done)
    desk.forget_calls()
    return result.target_id


def line(bill: str, n: int, **values: object) -> Write:
    return Write(external_id=f"B1/{n}", key=f"intacct:ACME:LINE:{n}", label=f"Line {n}", values=values, parent_id=bill)  # type: ignore[arg-type]


def below(desk: Desk) -> MondayTarget:
    return desk.target(f"subitems:{desk.board_id}")


def ids(results: list[Result]) -> list[str]:
    assert all(isinstance(each, Done) for each in results), results
    return [each.target_id for each in results if isinstance(each, Done)]


def keys_of(desk: Desk, bill: str) -> list[str]:
    return [each["columns"]["ml_key"] for each in desk.world.subitems(bill)]


def test_before_the_first_line_its_board_has_a_name_column_and_nothing_else(desk: Desk, bill: str) -> None:
    schema = below(desk).schema()
    assert [column.id for column in schema.columns] == ["name"]
    assert (schema.place, schema.title) == (f"subitems:{desk.board_id}", "Subitems of Bills 2026")
    assert list(below(desk).existing()) == [] and list(below(desk).standing(None, [])) == []


def test_the_first_line_makes_the_board_and_gets_its_key_right_after(desk: Desk, bill: str) -> None:
    target = below(desk)
    batches = []
    for n, batch in enumerate(target.batches([line(bill, n, name=f"{n} screws") for n in range(12)])):
        batches.append(len(batch.writes))
        assert all(isinstance(each, Done) for each in target.write(batch, key=f"k{n}"))
    assert batches == [1, 10, 1]
    shown = desk.world.subitems(bill)
    assert [each["name"] for each in shown] == [f"{n} screws" for n in range(12)]
    assert keys_of(desk, bill) == [f"intacct:ACME:LINE:{n}" for n in range(12)]
    assert {each["columns"]["ml_synced"] for each in shown} == {"2026-11-30 12:00"}


def test_lines_are_found_by_their_keys_and_updated_like_every_item(desk: Desk, bill: str) -> None:
    made = ids(desk.carry(below(desk), [line(bill, n) for n in range(3)]))
    hidden = next(each for each in desk.world.world.boards.values() if each.name == "Subitems of Bills 2026").id
    desk.world.add_column(hidden, "Amount", "numbers")
    target = below(desk)
    assert target.schema().column("Amount") is not None
    (page,) = target.existing()
    assert page == {f"intacct:ACME:LINE:{n}": [each] for n, each in enumerate(made)}
    amount = desk.column("Amount", hidden)
    update = replace(line("", 1, **{amount: Decimal("9.50")}), target_id=made[1])
    assert desk.carry(target, [update], key="second") == [Done(external_id="B1/1", target_id=made[1])]
    ((standing, *_),) = target.standing([made[1]], [amount])
    assert (standing.values, standing.key) == ({amount: Decimal("9.50")}, "intacct:ACME:LINE:1")
    assert [[each.target_id for each in page] for page in target.standing(None, [])] == [made]


def test_an_update_that_names_the_bill_is_one_call_like_any_other(desk: Desk, bill: str) -> None:
    target = below(desk)
    made = ids(desk.carry(target, [line(bill, 1), line(bill, 2)]))
    desk.forget_calls()
    desk.carry(target, [replace(line(bill, 1, name="Renamed"), target_id=made[0])], key="second")
    assert len(desk.calls) == 1 and [each["name"] for each in desk.world.subitems(bill)] == ["Renamed", "Line 2"]
    desk.world.archive_item(made[1])
    (gone,) = desk.carry(target, [replace(line(bill, 2, name="x"), target_id=made[1])], key="third")
    assert isinstance(gone, Gone)


def test_a_line_that_is_sent_to_its_bills_board_goes_to_the_board_of_lines(desk: Desk, bill: str) -> None:
    ids(desk.carry(desk.target(), [line(bill, 1), line(bill, 2)]))
    assert keys_of(desk, bill) == ["intacct:ACME:LINE:1", "intacct:ACME:LINE:2"] and len(desk.items()) == 1


def test_bills_and_lines_may_be_planned_together(desk: Desk, bill: str) -> None:
    ids(desk.carry(desk.target(), [line(bill, 1), desk.bill(2, Vendor="V"), line(bill, 2)]))
    assert len(desk.items()) == 2 and len(keys_of(desk, bill)) == 2


@pytest.mark.parametrize("age", [0.5, 40])
def test_the_first_line_whose_answer_was_lost_stands_there_once_and_gets_its_key(desk: Desk, bill: str, age: float) -> None:
    target, sent_at = below(desk), desk.login.now()
    (batch,) = target.batches([line(bill, 1)])
    desk.faults.arm("commit_then_drop", operation="create_subitem")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    desk.wait(age * 60)
    (result,) = below(desk).resolve(desk.sent(batch, "k", sent_at))
    assert isinstance(result, Done) and keys_of(desk, bill) == ["intacct:ACME:LINE:1"]


def test_a_key_that_could_not_be_set_is_set_when_the_line_is_settled(desk: Desk, bill: str) -> None:
    target, sent_at = below(desk), desk.login.now()
    (batch,) = target.batches([line(bill, 1)])
    desk.faults.arm("one_bad_alias", operation="change_multiple_column_values")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    assert keys_of(desk, bill) == [""]
    (result,) = below(desk).resolve(desk.sent(batch, "k", sent_at))
    assert isinstance(result, Done) and keys_of(desk, bill) == ["intacct:ACME:LINE:1"]


def test_a_later_line_whose_answer_was_lost_is_found_by_its_key(desk: Desk, bill: str) -> None:
    target = below(desk)
    ids(desk.carry(target, [line(bill, 1)]))
    sent_at = desk.login.now()
    (batch,) = target.batches([line(bill, 2)])
    desk.faults.arm("commit_then_drop", operation="create_subitem")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    late = desk.sent(batch, "k", sent_at - timedelta(minutes=30))
    (result,) = below(desk).resolve(late)
    assert isinstance(result, Done) and len(keys_of(desk, bill)) == 2


def test_a_line_of_a_bill_that_people_removed_is_refused_as_a_whole(desk: Desk, bill: str) -> None:
    target = below(desk)
    ids(desk.carry(target, [line(bill, 1)]))
    desk.world.delete_item(bill)
    (result,) = desk.carry(target, [line(bill, 2)], key="second")
    assert isinstance(result, Refused) and result.error.columns == () and "belongs to" in result.error.said

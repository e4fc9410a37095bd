"""Links between boards: never while an item is made, and never at the cost of links that somebody else made."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from integrations.types import Batch, Done, Refused
from mappings.fields import FieldType

from .conftest import Desk


@pytest.fixture
def linked(desk: Desk) -> Desk:
    """A board of bills that is connected to one of five vendors."""
    vendors = desk.world.add_board("Suppliers", [("Code", "text")])
    desk.carry(desk.target(vendors), [desk.bill(f"V{n}") for n in range(5)], key="vendors")
    desk.world.connect_boards(desk.board_id, "Supplier", vendors)
    return desk


def vendors(desk: Desk) -> list[str]:
    return sorted((item["id"] for item in desk.world.board_items("Suppliers")), key=int)


def links(desk: Desk, item: str) -> list[str]:
    return sorted(desk.world.links(item, "Supplier"), key=int)


def values_of(batch: Batch) -> Any:
    return json.loads(json.loads(batch.body)["variables"]["values0"])


def test_a_connected_column_is_deferred_and_says_which_boards_it_reaches(linked: Desk) -> None:
    column = linked.target().schema().column("Supplier")
    assert column is not None and column.deferred and column.accepts == {FieldType.RELATION}
    assert [str(each) for each in column.settings["boardIds"]] == [linked.world.board("Suppliers").id]


def test_a_create_leaves_its_links_out_and_says_nothing(linked: Desk) -> None:
    (batch,) = linked.target().batches([linked.bill(1, Vendor="Harbor", Supplier="no number at all")])
    assert set(values_of(batch)) == {linked.column("Vendor"), "ml_key", "ml_synced"}


def test_monday_case_30_the_bill_is_linked_to_its_vendor_in_a_second_call_and_other_links_stay(linked: Desk) -> None:
    target = linked.target()
    first, second, third, *_ = vendors(linked)
    (made,) = linked.carry(target, [linked.bill(1, Supplier=first)])
    assert isinstance(made, Done) and links(linked, made.target_id) == []
    linked.forget_calls()
    assert linked.carry(target, [linked.bill(1, target_id=made.target_id, Supplier=first)], key="second") == [made]
    assert links(linked, made.target_id) == [first] and len(linked.calls) == 2
    linked.world.set_value(made.target_id, "Supplier", [int(first), int(third)])  # somebody added a link by hand
    write = replace(linked.bill(1, target_id=made.target_id, Supplier=second), before={linked.column("Supplier"): first})
    linked.carry(target, [write], key="third")
    assert links(linked, made.target_id) == [second, third]
    ((standing,),) = target.standing([made.target_id], [linked.column("Supplier")])
    assert standing.values == {linked.column("Supplier"): f"{second},{third}"}


def test_a_link_that_goes_takes_only_itself_along(linked: Desk) -> None:
    target = linked.target()
    first, second, *_ = vendors(linked)
    (made,) = linked.carry(target, [linked.bill(1)])
    assert isinstance(made, Done)
    for others in ([second], []):
        linked.world.set_value(made.target_id, "Supplier", [int(each) for each in [first, *others]])
        gone = replace(linked.bill(1, target_id=made.target_id, Supplier=None), before={linked.column("Supplier"): first})
        linked.carry(target, [gone], key=f"without-{len(others)}")
        assert links(linked, made.target_id) == others


def test_the_links_of_a_whole_batch_are_read_in_one_call_and_none_is_made_without_links(linked: Desk) -> None:
    target = linked.target()
    made = [each for each in linked.carry(target, [linked.bill(n) for n in range(10)]) if isinstance(each, Done)]
    linked.forget_calls()
    first = vendors(linked)[0]
    (_batch,) = target.batches([linked.bill(n, target_id=each.target_id, Supplier=first) for n, each in enumerate(made)])
    assert [call["operation"] for call in linked.calls] == ["complexity,items"]
    linked.forget_calls()
    (_batch,) = target.batches([linked.bill(n, target_id=each.target_id, Vendor="V") for n, each in enumerate(made)])
    assert linked.calls == []


def test_a_column_for_one_link_takes_ours_instead(linked: Desk) -> None:
    target = linked.target()
    linked.world.connect_boards(linked.board_id, "Supplier", "Suppliers", multiple=False)
    target.schema()
    first, second, *_ = vendors(linked)
    (made,) = linked.carry(target, [linked.bill(1)])
    assert isinstance(made, Done)
    linked.world.set_value(made.target_id, "Supplier", [int(first)])
    linked.carry(target, [linked.bill(1, target_id=made.target_id, Supplier=second)], key="second")
    assert links(linked, made.target_id) == [second]


def test_what_we_wrote_there_before_it_was_a_link_does_not_matter(linked: Desk) -> None:
    target = linked.target()
    first, second, *_ = vendors(linked)
    (made,) = linked.carry(target, [linked.bill(1)])
    assert isinstance(made, Done)
    linked.world.set_value(made.target_id, "Supplier", [int(first)])
    write = linked.bill(1, target_id=made.target_id, Supplier=f"{second},{first}")
    linked.carry(target, [replace(write, before={linked.column("Supplier"): "Harbor & Pine"})], key="second")
    assert links(linked, made.target_id) == [first, second]


def test_an_update_with_something_that_is_no_link_is_refused_for_that_column(linked: Desk) -> None:
    target = linked.target()
    (made,) = linked.carry(target, [linked.bill(1)])
    assert isinstance(made, Done)
    (result,) = linked.carry(target, [linked.bill(1, target_id=made.target_id, Supplier="Harbor")], key="second")
    assert isinstance(result, Refused) and result.error.columns == (linked.column("Supplier"),)

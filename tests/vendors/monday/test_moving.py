"""Items that leave: archived, or moved to another group or board, where they stay the very same item."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.errors import VendorUnavailable
from integrations.types import Done, Gone, NotWritten, Refused, Write

from .conftest import Desk


def made(desk: Desk, n: int = 1, **values: Any) -> str:
    (result,) = desk.carry(desk.target(), [desk.bill(n, **values)], key=f"made-{n}")
    assert isinstance(result, Done)
    return result.target_id


def archive(desk: Desk, item: str) -> Write:
    return replace(desk.bill(1, target_id=item), archives=True)


def test_an_item_is_archived_and_not_deleted(desk: Desk) -> None:
    item = made(desk)
    desk.forget_calls()
    assert desk.carry(desk.target(), [archive(desk, item)]) == [Done(external_id="1", target_id=item)]
    assert desk.items() == [] and [each["id"] for each in desk.items(states=("archived",))] == [item]
    assert [call["operation"] for call in desk.calls][-1] == "complexity,archive_item"


@pytest.mark.parametrize("how", ["archive_item", "delete_item"])
def test_archiving_what_people_removed_already_is_done(desk: Desk, how: str) -> None:
    item = made(desk)
    getattr(desk.world, how)(item)
    assert desk.carry(desk.target(), [archive(desk, item)]) == [Done(external_id="1", target_id=item)]


def test_an_archived_item_and_its_neighbours_share_a_call(desk: Desk) -> None:
    item, other = made(desk, 1), made(desk, 2)
    writes = [archive(desk, item), desk.bill(2, target_id=other, Vendor="B"), desk.bill(3, Vendor="C")]
    (batch,) = desk.target().batches(writes)
    results = desk.target().write(batch, key="k")
    assert [type(each) for each in results] == [Done, Done, Done]
    assert [each["columns"][desk.column("Vendor")] for each in desk.items()] == ["B", "C"]


def test_a_lost_archiving_is_asked_for_again(desk: Desk) -> None:
    item = made(desk)
    target, sent_at = desk.target(), desk.login.now()
    (batch,) = target.batches([archive(desk, item)])
    desk.faults.arm("commit_then_drop", operation="archive_item")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    assert target.resolve(desk.sent(batch, "k", sent_at)) == [Done(external_id="1", target_id=item)]
    late = desk.sent(batch, "k", sent_at - timedelta(minutes=30))
    assert target.resolve(late) == [NotWritten(external_id="1")]


def with_groups(desk: Desk) -> str:
    """A second group of the board."""
    answer = desk.login.http.send(
        "POST",
        desk.login.base_url,
        operation="test",
        headers={"Authorization": "sample-monday-token", "API-Version": "2026-10", "Content-Type": "application/json"},
        content=json.dumps(
            {
                "query": 'mutation ($board: ID!) { create_group(board_id: $board, group_name: "Paid") { id } }',
                "variables": {"board": desk.board_id},
            }
        ).encode(),
    )
    return str(json.loads(answer.content)["data"]["create_group"]["id"])


def test_a_move_to_another_group_and_its_values_are_one_call(desk: Desk) -> None:
    paid = with_groups(desk)
    item = made(desk, Vendor="A")
    target = desk.target()
    write = desk.bill(1, target_id=item, Vendor="B")
    write = replace(write, place=f"{desk.board_id}/{paid}", moves_from=f"{desk.board_id}/topics")
    desk.forget_calls()
    assert desk.carry(target, [write]) == [Done(external_id="1", target_id=item)]
    assert [call["operation"] for call in desk.calls] == ["complexity,move_item_to_group,change_multiple_column_values"]
    (shown,) = desk.items()
    assert (shown["group"], shown["columns"][desk.column("Vendor")]) == (paid, "B")


def test_a_move_without_values_stamps_the_item(desk: Desk) -> None:
    paid = with_groups(desk)
    item = made(desk, Vendor="A")
    desk.wait(60)
    write = replace(desk.bill(1, target_id=item), place=f"{desk.board_id}/{paid}", moves_from=desk.board_id)
    assert desk.carry(desk.target(), [write]) == [Done(external_id="1", target_id=item)]
    (shown,) = desk.items()
    assert shown["group"] == paid and shown["columns"]["ml_synced"] == "2026-11-30 12:01"


def test_an_item_that_does_not_move_is_refused_without_blaming_its_columns(desk: Desk) -> None:
    item = made(desk, Vendor="A")
    write = replace(desk.bill(1, target_id=item, Vendor="B"), place=f"{desk.board_id}/nowhere", moves_from=desk.board_id)
    (result,) = desk.carry(desk.target(), [write])
    assert isinstance(result, Refused) and result.error.columns == () and "does not move" in result.error.said


def test_a_move_of_an_item_that_people_archived_finds_it_gone(desk: Desk) -> None:
    paid = with_groups(desk)
    item = made(desk)
    desk.world.archive_item(item)
    write = replace(desk.bill(1, target_id=item), place=f"{desk.board_id}/{paid}", moves_from=desk.board_id)
    (result,) = desk.carry(desk.target(), [write])
    assert isinstance(result, Gone) and "archived" in result.said


@pytest.fixture
def archive_board(desk: Desk) -> str:
    """Another board with some of the columns, in another order and under other ids."""
    return str(desk.world.add_board("Bills 2027", [("Amount", "numbers"), ("vendor", "text"), ("Status", "text")]))


def crossing(desk: Desk, item: str, board: str, **values: Any) -> Write:
    ids = {desk.column(title, board): value for title, value in values.items()}
    return Write(
        external_id="1",
        key="intacct:ACME:APBILL:1",
        label="Bill 1",
        values=ids,
        target_id=item,
        place=board,
        moves_from=desk.board_id,
    )


def test_an_item_that_moves_to_another_board_keeps_its_id_its_key_and_what_both_boards_know(
    desk: Desk, archive_board: str
) -> None:
    item = made(desk, Vendor="Harbor", Amount=5, GL_account="4000", Status="Open")
    target = desk.target()
    assert desk.carry(target, [crossing(desk, item, archive_board, Amount=Decimal("7.50"))]) == [
        Done(external_id="1", target_id=item)
    ]
    assert desk.items() == []
    (shown,) = desk.world.board_items(archive_board)
    columns = shown["columns"]
    assert shown["id"] == item and columns[desk.column("Amount", archive_board)] == "7.50"
    assert columns[desk.column("vendor", archive_board)] == "Harbor"
    assert columns[desk.column("Status", archive_board)] == ""  # another kind of column
    assert columns["ml_key"] == "intacct:ACME:APBILL:1" and columns["ml_synced"] == "2026-11-30 12:00"


def test_an_item_that_arrived_already_is_not_moved_again(desk: Desk, archive_board: str) -> None:
    item = made(desk, Vendor="Harbor")
    target, sent_at = desk.target(), desk.login.now()
    (batch,) = target.batches([crossing(desk, item, archive_board, Amount=1)])
    desk.faults.arm("commit_then_drop", operation="move_item_to_board")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    late = desk.sent(batch, "k", sent_at - timedelta(minutes=30))
    assert target.resolve(late) == [NotWritten(external_id="1")]
    (again,) = target.batches([crossing(desk, item, archive_board, Amount=2)])
    assert "move_item" not in again.body
    assert target.write(again, key="k2") == [Done(external_id="1", target_id=item)]
    (shown,) = desk.world.board_items(archive_board)
    assert shown["columns"][desk.column("Amount", archive_board)] == "2"


def test_links_that_others_made_move_along(desk: Desk, archive_board: str) -> None:
    suppliers = desk.world.add_board("Suppliers")
    desk.carry(desk.target(suppliers), [desk.bill(f"V{n}") for n in range(2)], key="vendors")
    for board in (desk.board_id, archive_board):
        desk.world.connect_boards(board, "Supplier", suppliers)
    first, second = sorted((each["id"] for each in desk.world.board_items(suppliers)), key=int)
    item = made(desk)
    desk.world.set_value(item, "Supplier", [int(first)])
    desk.carry(desk.target(), [crossing(desk, item, archive_board, Supplier=second)])
    assert sorted(desk.world.links(item, "Supplier"), key=int) == [first, second]

"""The board as a place: what it is, what it takes, and our two columns on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.errors import PermissionMissing, RateLimited, SetupBroken
from integrations.types import Done
from integrations.vendors.monday.target import MondayTarget
from mappings.fields import FieldType

from .conftest import Desk


def test_a_board_is_read_in_one_call_with_columns_room_and_address(desk: Desk) -> None:
    schema = MondayTarget(desk.login, desk.board_id).schema()
    assert len(desk.calls) == 1
    assert (schema.title, schema.n_items, schema.n_items_max) == ("Bills 2026", 0, 10_000) and desk.board_id in schema.url
    name = schema.column("Name")
    assert name and name.id == "name" and FieldType.TEXT in name.accepts
    assert [each.title for each in schema.columns].count("Name") == 1
    amount = schema.column("Amount")
    assert amount and amount.accepts == {FieldType.AMOUNT, FieldType.INTEGER}


def test_our_own_columns_are_made_once_in_one_call_and_take_no_mapping(desk: Desk) -> None:
    desk.target()
    assert len(desk.calls) == 2
    target = desk.target()
    assert len(desk.calls) == 3
    schema = target.schema()
    ours = [schema.column("Source ID"), schema.column("Last synced")]
    assert [each and (each.id, each.kind, each.is_writable) for each in ours] == [
        ("ml_key", "text", False),
        ("ml_synced", "date", False),
    ]


def test_our_columns_are_known_again_by_whatever_title_people_give_them(desk: Desk) -> None:
    desk.target()
    desk.world.rename_column(desk.board_id, "Source ID", "Do not touch")
    desk.forget_calls()
    target = desk.target()
    assert len(desk.calls) == 1
    column = target.schema().column("Do not touch")
    assert column and not column.is_writable


def test_a_deleted_key_column_comes_back_under_a_generated_id_and_is_known_again(desk: Desk) -> None:
    desk.target()
    desk.world.delete_column(desk.board_id, "Source ID")
    column = desk.target().schema().column("Source ID")
    assert column and column.id != "ml_key" and not column.is_writable
    desk.world.rename_column(desk.board_id, "Source ID", "Renamed")
    schema = desk.target().schema()
    assert [each.title for each in schema.columns if each.kind == "text" and not each.is_writable] == ["Renamed"]


def test_a_column_of_another_worker_is_adopted_instead_of_a_second_one(desk: Desk) -> None:
    slow, fast = MondayTarget(desk.login, desk.board_id), MondayTarget(desk.login, desk.board_id)
    seen = slow.schema()
    fast.prepare(fast.schema())
    slow.prepare(seen)
    titles = [each.title for each in slow.schema().columns]
    assert titles.count("Source ID") == titles.count("Last synced") == 1


def test_a_board_whose_structure_may_not_be_changed_says_whom_to_ask(desk: Desk) -> None:
    desk.world.add_token("tok-hand", create_labels=False)
    target = MondayTarget(replace(desk.login, secrets={"token": "tok-hand"}), desk.board_id)
    with pytest.raises((SetupBroken, PermissionMissing), match="owner"):
        target.prepare(target.schema())


def test_a_throttle_while_columns_are_made_is_waited_for_and_makes_no_second_column(desk: Desk) -> None:
    desk.faults.arm("minute_limit", operation="create_column", wait=20)
    target = MondayTarget(desk.login, desk.board_id)
    with pytest.raises(RateLimited):
        target.prepare(target.schema())
    desk.wait(60)
    again = desk.target()
    assert [each.title for each in again.schema().columns].count("Source ID") == 1


def test_a_board_that_is_gone_or_archived_has_to_be_chosen_anew(desk: Desk) -> None:
    target = desk.target()
    desk.world.archive_board(desk.board_id)
    with pytest.raises(SetupBroken, match="Bills 2026"):
        target.schema()
    for end in (desk.world.archive_board, desk.world.delete_board):
        end(desk.board_id)
        with pytest.raises(SetupBroken, match=r"Monday\.com no longer has the board") as caught:
            target.schema()
        assert caught.value.what == "board"
    with pytest.raises(SetupBroken, match=r"Monday\.com no longer has the board"):
        MondayTarget(desk.login, "999").schema()


def test_a_board_of_several_levels_is_not_filled(desk: Desk) -> None:
    board = desk.world.add_board("Levels", hierarchy="multi_level")
    with pytest.raises(SetupBroken, match="several levels"):
        MondayTarget(desk.login, board).schema()


def test_a_board_that_may_only_be_viewed_names_the_right(desk: Desk) -> None:
    desk.world.add_token("tok-ben")
    board = desk.world.add_board("Owners only", permissions="owners")
    with pytest.raises((PermissionMissing, SetupBroken)):
        MondayTarget(replace(desk.login, secrets={"token": "tok-ben"}), board).schema()


def test_new_items_go_to_the_group_and_a_missing_group_is_said(desk: Desk) -> None:
    (group,) = list(desk.world.board(desk.board_id).groups)[:1]
    group_id = group if isinstance(group, str) else group.id
    target = desk.target(f"{desk.board_id}/{group_id}")
    (done,) = desk.carry(target, [desk.bill(1, Vendor="Harbor")])
    assert isinstance(done, Done) and desk.items()[0]["group"] == group_id
    with pytest.raises(SetupBroken) as caught:
        desk.target(f"{desk.board_id}/never_there")
    assert caught.value.what == "group"


def test_monday_case_27_a_deleted_column_stops_before_anything_is_written(desk: Desk) -> None:
    target = desk.target()
    write = desk.bill(1, Vendor="Harbor", Amount=1)
    before = target.schema().digest
    desk.world.delete_column(desk.board_id, "Amount")
    desk.forget_calls()
    assert target.schema().digest != before
    with pytest.raises(SetupBroken) as caught:
        list(target.batches([write]))
    assert caught.value.what in write.values
    assert desk.items() == [] and len(desk.calls) == 1


def test_places_are_the_boards_that_may_be_edited_over_all_pages(desk: Desk) -> None:
    for n in range(60):
        desk.world.add_board(f"Board {n}")
    desk.world.add_board("Levels", hierarchy="multi_level")
    desk.forget_calls()
    titles = [title for _id, title in MondayTarget(desk.login, "").places()]
    assert len(desk.calls) == 2
    assert {"Bills 2026", "Vendors", "Board 0", "Board 59"} <= set(titles) and "Levels" not in titles
    assert len(titles) == len(set(titles)) == 63


def test_a_key_column_of_another_type_is_mended_by_people_and_not_replaced(desk: Desk) -> None:
    desk.target()
    desk.world.retype_column(desk.board_id, "Source ID", "status")
    with pytest.raises(SetupBroken, match="Change it back to text") as caught:
        desk.target()
    assert caught.value.what == "ml_key"

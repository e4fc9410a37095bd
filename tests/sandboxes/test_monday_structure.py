"""Boards, groups, columns and the life of items."""

import json
from typing import Any

import pytest

from tests.sandboxes.test_monday import Monday, Reply, a_monday

BOARD = """query ($b: [ID!]) { boards(ids: $b) { id name state items_count items_limit hierarchy_type permissions url type
  workspace { name } top_group { id } groups { id title archived deleted position }
  columns { id title type archived settings revision capabilities { calculated { function } } } } }"""
CREATE_COLUMN = """mutation ($b: ID!, $t: ColumnType!, $i: String, $d: JSON) {
  create_column(board_id: $b, title: "New", column_type: $t, id: $i, defaults: $d) { id type settings } }"""
DELETE_COLUMN = "mutation ($b: ID!, $c: String!) { delete_column(board_id: $b, column_id: $c) { id } }"


def create_column(monday: Monday, column_type: str = "text", column_id: str | None = None, defaults: Any = None) -> Reply:
    return monday.ask(CREATE_COLUMN, b=monday.bills, t=column_type, i=column_id, d=defaults)


def board(monday: Monday, board_id: str) -> Any:
    return monday.ask(BOARD, b=[board_id]).data["boards"][0]


def test_a_board_tells_its_columns_groups_and_limits() -> None:
    monday = a_monday(items_limit=500)
    found = board(monday, monday.bills)
    assert found["items_limit"] == 500 and found["items_count"] == 0 and found["hierarchy_type"] == "classic"
    assert [group["id"] for group in found["groups"]] == ["topics", "paid"] and found["top_group"] == {"id": "topics"}
    kinds = {column["id"]: column["type"] for column in found["columns"]}
    assert kinds["name"] == "name" and kinds["amount"] == "numbers" and kinds["approval"] == "status"
    labels = next(column["settings"]["labels"] for column in found["columns"] if column["id"] == "approval")
    assert labels[3] | {"index": 3} == labels[3] and labels[3]["id"] == 6 and labels[3]["label"] == "Paid"


def test_a_deleted_board_answers_an_empty_list() -> None:
    monday = a_monday()
    bills = monday.bills
    monday.world.delete_board("AP bills")
    assert monday.ask(BOARD, b=[bills]).data == {"boards": []}
    assert monday.create(board=bills).error["extensions"]["error_data"] == {"board_id": int(bills)}


def test_an_archived_board_is_read_only_when_asked_for() -> None:
    monday = a_monday()
    bills = monday.bills
    monday.world.archive_board("AP bills")
    assert monday.ask(BOARD, b=[bills]).data == {"boards": []}
    all_states = "query ($b: [ID!]) { boards(ids: $b, state: all) { state } }"
    assert monday.ask(all_states, b=[bills]).data["boards"] == [{"state": "archived"}]
    assert monday.create(board=bills).code == "InvalidBoardIdException"


def test_boards_come_in_pages_of_25() -> None:
    monday = a_monday()
    for number in range(30):
        monday.world.add_board(f"Board {number}")
    page = "query ($p: Int) { boards(page: $p) { id } }"
    assert [len(monday.ask(page, p=number).data["boards"]) for number in (1, 2, 3)] == [25, 7, 0]


@pytest.mark.parametrize("column_id", ["Key", "key1", "k" * 21, "a-b"])
def test_a_custom_column_id_has_a_narrow_form(column_id: str) -> None:
    assert create_column(a_monday(), column_id=column_id).code == "InvalidArgumentException"


def test_a_custom_column_id_is_never_free_again() -> None:
    monday = a_monday()
    assert create_column(monday, column_id="ml_key").data["create_column"]["id"] == "ml_key"
    assert create_column(monday, column_id="ml_key").code == "InvalidArgumentException"
    monday.ask(DELETE_COLUMN, b=monday.bills, c="ml_key")
    assert create_column(monday, column_id="ml_key").code == "InvalidArgumentException"
    made = create_column(monday).data["create_column"]["id"]
    assert made.startswith("text_mk")


def test_defaults_are_taken_as_an_object_and_as_text() -> None:
    monday = a_monday()
    unit = {"unit": {"symbol": "$", "direction": "left", "precision": 2}}
    for defaults in (unit, json.dumps(unit)):
        settings = create_column(monday, "numbers", defaults=defaults).data["create_column"]["settings"]
        assert settings["unit"]["symbol"] == "$" and settings["unit"]["precision"] == 2


def test_a_status_column_gets_its_label_ids_from_the_colors() -> None:
    monday = a_monday()
    make = """mutation ($b: ID!, $d: CreateStatusColumnSettingsInput) {
      create_status_column(board_id: $b, title: "Stage", defaults: $d) { id revision settings } }"""
    labels = [{"label": "New", "color": "navy", "index": 0}, {"label": "Old", "color": "sky", "index": 1, "is_done": True}]
    made = monday.ask(make, b=monday.bills, d={"labels": labels}).data["create_status_column"]
    ids = [(label["id"], label["label"], label["is_done"]) for label in made["settings"]["labels"]]
    assert ids == [(107, "New", False), (158, "Old", True)]
    grey = [{"label": "Grey", "color": "explosive", "index": 0}]
    assert monday.ask(make, b=monday.bills, d={"labels": grey}).code == "InvalidArgumentException"
    assert monday.ask(make, b=monday.bills, d={"labels": [labels[0] | {"label": "x" * 31}]}).code == "InvalidArgumentException"
    update = """mutation ($b: ID!, $i: String!, $r: String!, $s: UpdateStatusColumnSettingsInput) {
      update_status_column(board_id: $b, id: $i, revision: $r, settings: $s) { revision settings } }"""
    given = {"b": monday.bills, "i": made["id"], "s": {"labels": [labels[0]]}}
    changed = monday.ask(update, r=made["revision"], **given).data["update_status_column"]
    assert len(changed["settings"]["labels"]) == 1 and changed["revision"] != made["revision"]
    assert monday.ask(update, r=made["revision"], **given).code == "InvalidArgumentException"


def test_people_without_the_right_can_not_change_a_board() -> None:
    assert create_column(a_monday(create_labels=False)).code == "UserUnauthorizedException"


def test_a_renamed_column_keeps_its_id_and_a_retyped_one_loses_its_values() -> None:
    monday = a_monday()
    monday.create("One", {"vendor": "X"})
    monday.world.rename_column("AP bills", "Vendor", "Supplier")
    assert monday.world.column_id("AP bills", "Supplier") == "vendor"
    monday.world.retype_column("AP bills", "Supplier", "status")
    assert monday.world.board_items("AP bills")[0]["columns"]["vendor"] == ""
    assert monday.create("Two", {"vendor": "Done"}).data
    monday.world.delete_column("AP bills", "Supplier")
    assert monday.create("Three", {"vendor": "Done"}).code == "InvalidColumnIdException"


def test_create_board_is_empty_only_when_told() -> None:
    monday = a_monday()
    make = 'mutation ($e: Boolean) { create_board(board_name: "GL", board_kind: public, empty: $e) { id items_count } }'
    assert monday.ask(make, e=True).data["create_board"]["items_count"] == 0
    assert monday.ask(make).data["create_board"]["items_count"] == 3


def test_the_last_group_stays() -> None:
    monday = a_monday()
    make = 'mutation ($b: ID!) { create_group(board_id: $b, group_name: "Old") { id title } }'
    group = monday.ask(make, b=monday.bills).data["create_group"]["id"]
    drop = "mutation ($b: ID!, $g: String!) { archive_group(board_id: $b, group_id: $g) { id archived } }"
    for group_id in (group, "topics"):
        assert monday.ask(drop, b=monday.bills, g=group_id).data["archive_group"]["archived"]
    reply = monday.ask(drop, b=monday.bills, g="paid")
    assert reply.code == "DeleteLastGroupException" and reply.error["extensions"]["status_code"] == 409


def test_an_item_goes_to_the_top_group_or_the_one_named() -> None:
    monday = a_monday()
    make = 'mutation ($b: ID!, $g: String) { create_item(board_id: $b, item_name: "x", group_id: $g) { group { id } } }'
    assert monday.ask(make, b=monday.bills).data["create_item"]["group"]["id"] == "topics"
    assert monday.ask(make, b=monday.bills, g="paid").data["create_item"]["group"]["id"] == "paid"
    assert monday.ask(make, b=monday.bills, g="nowhere").code == "InvalidArgumentException"


def test_a_full_board_takes_no_more_items() -> None:
    monday = a_monday(items_limit=2)
    replies = [monday.create() for _ in range(3)]
    assert replies[2].code == "ItemsLimitationException" and len(monday.world.board_items("AP bills")) == 2


def test_archived_and_deleted_items_can_not_be_written() -> None:
    monday = a_monday()
    first, second = monday.world.seed(n=2)["item_ids"]
    archive = "mutation ($i: ID) { archive_item(item_id: $i) { id state } }"
    assert monday.ask(archive, i=first).data["archive_item"]["state"] == "archived"
    assert monday.ask(archive, i=first).code == "ResourceNotFoundException"
    delete = "mutation ($i: ID) { delete_item(item_id: $i) { state } }"
    assert monday.ask(delete, i=second).data["delete_item"]["state"] == "deleted"
    change = """mutation ($b: ID!, $i: ID!) {
      change_multiple_column_values(board_id: $b, item_id: $i, column_values: "{}") { id } }"""
    for item_id in (first, second, "1"):
        assert monday.ask(change, b=monday.bills, i=item_id).code == "ResourceNotFoundException"
    monday.world.restore_item(first)
    assert monday.ask(change, b=monday.bills, i=first).data


def test_the_first_subitem_brings_a_board_for_subitems() -> None:
    monday = a_monday()
    parent = monday.create().data["create_item"]["id"]
    make = """mutation ($p: ID!, $v: JSON) { create_subitem(parent_item_id: $p, item_name: "Line 1", column_values: $v) {
      id board { id name type } parent_item { id } } }"""
    line = monday.ask(make, p=parent, v='{"status": {"label": "Done"}}').data["create_subitem"]
    assert line["board"]["name"] == "Subitems of AP bills" and line["board"]["type"] == "sub_items_board"
    assert line["parent_item"] == {"id": parent}
    again = monday.ask(make, p=parent).data["create_subitem"]
    assert again["board"]["id"] == line["board"]["id"]
    read = 'query ($i: [ID!]) { items(ids: $i) { subitems { name column_values(ids: "status") { text } } } }'
    assert monday.ask(read, i=[parent]).data["items"][0]["subitems"][0]["column_values"] == [{"text": "Done"}]


def test_roll_ups_of_a_multi_level_board_take_writes_without_effect() -> None:
    monday = a_monday()
    board_id = monday.world.add_board("Levels", hierarchy="multi_level")
    monday.world.add_column("Levels", "Total", "numbers", column_id="total", calculated="SUM")
    item = monday.create("Parent", {"total": "5"}, board=board_id).data["create_item"]["id"]
    read = """query ($i: [ID!]) { items(ids: $i) {
      a: column_values { id } b: column_values(capabilities: [CALCULATED]) { text } } }"""
    assert monday.ask(read, i=[item]).data["items"] == [{"a": [], "b": [{"text": ""}]}]
    listed = monday.ask("{ boards(hierarchy_types: [classic]) { name } }").data["boards"]
    assert "Levels" not in [one["name"] for one in listed]

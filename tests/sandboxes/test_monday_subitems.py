"""Subitems with a board of their own, and items that move between groups and boards."""

import json
from typing import Any

from tests.sandboxes.test_monday import Monday, Reply, a_monday
from tests.sandboxes.test_monday_values import CHANGE

LINE = """mutation ($p: ID!, $n: String!, $v: JSON, $l: Boolean) {
  create_subitem(parent_item_id: $p, item_name: $n, column_values: $v, create_labels_if_missing: $l) {
    id board { id type } parent_item { id } } }"""
LINES = """query ($i: [ID!]) { items(ids: $i) { id state subitems { id name state parent_item { id } column_values { id text } }
  column_values(types: [subtasks]) { is_leaf ... on SubtasksValue { subitems_ids display_value } } } }"""
MOVE = """mutation ($i: ID!, $b: ID!, $g: ID!, $m: [ColumnMappingInput!], $s: [ColumnMappingInput!]) {
  move_item_to_board(item_id: $i, board_id: $b, group_id: $g, columns_mapping: $m, subitems_columns_mapping: $s) {
    id board { id } group { id } } }"""


def line(monday: Monday, parent: str, name: str = "Line 1", values: dict[str, Any] | None = None, **more: Any) -> Any:
    return monday.ask(LINE, p=parent, n=name, v=json.dumps(values or {}), **more).data["create_subitem"]


def a_bill(monday: Monday, **values: Any) -> str:
    return str(monday.create("Bill", values).data["create_item"]["id"])


def read(monday: Monday, *ids: str) -> Any:
    return monday.ask(LINES, i=list(ids)).data["items"]


def test_the_board_of_subitems_is_found_through_the_subtasks_column_and_takes_new_columns() -> None:
    monday = a_monday()
    bill = a_bill(monday)
    made = line(monday, bill)
    columns = """query ($b: [ID!]) { boards(ids: $b) { columns { id type settings } } }"""
    parent = monday.ask(columns, b=[monday.bills]).data["boards"][0]["columns"]
    linked = next(one["settings"]["boardIds"] for one in parent if one["type"] == "subtasks")
    assert linked == [int(made["board"]["id"])] and made["board"]["type"] == "sub_items_board"
    add = """mutation ($b: ID!) { create_column(board_id: $b, title: "Amount", column_type: numbers, id: "amount") { id } }"""
    assert monday.ask(add, b=made["board"]["id"]).data
    own = monday.ask(columns, b=[made["board"]["id"]]).data["boards"][0]["columns"]
    kinds = {one["id"]: one["type"] for one in own}
    assert kinds == {"name": "name", "person": "people", "status": "status", "date0": "date", "amount": "numbers"}
    line(monday, bill, "Line 2", {"amount": "12.50", "status": {"label": "Coded"}}, l=True)
    assert [(one["name"], one["columns"]["amount"]) for one in monday.world.subitems(bill)] == [
        ("Line 1", ""),
        ("Line 2", "12.50"),
    ]
    change = {"b": made["board"]["id"], "i": made["id"], "cv": json.dumps({"amount": "7"})}
    assert monday.ask(CHANGE, **change).data and monday.world.subitems(bill)[0]["columns"]["amount"] == "7"
    assert monday.ask(CHANGE, **change | {"b": monday.bills}).code == "ResourceNotFoundException"


def test_items_tell_their_subitems_and_subitems_their_parent() -> None:
    monday = a_monday()
    bill, other = a_bill(monday), a_bill(monday)
    ids = [line(monday, bill, name)["id"] for name in ("A", "B")]
    found = read(monday, bill, other, ids[0])
    assert [one["name"] for one in found[0]["subitems"]] == ["A", "B"] and found[1]["subitems"] == []
    assert {one["parent_item"]["id"] for one in found[0]["subitems"]} == {bill}
    assert found[0]["column_values"][0] == {"is_leaf": False, "subitems_ids": ids, "display_value": "A, B"}
    assert found[1]["column_values"][0]["is_leaf"] is True


def test_archiving_a_parent_hides_its_subitems_and_restoring_brings_them_back() -> None:
    monday = a_monday()
    bill = a_bill(monday)
    ids = [line(monday, bill, name)["id"] for name in ("A", "B", "C")]
    monday.world.archive_item(ids[0])
    assert [one["name"] for one in read(monday, bill)[0]["subitems"]] == ["B", "C"]
    monday.world.archive_item(bill)
    subitems_board = "Subitems of AP bills"
    assert monday.world.subitems(bill) == [] and monday.world.board_items(subitems_board) == []
    assert {one["state"] for one in read(monday, *ids)} == {"archived"}
    monday.world.restore_item(bill)
    assert [one["name"] for one in monday.world.subitems(bill)] == ["B", "C"]
    assert len(monday.world.board_items(subitems_board)) == 2
    monday.world.delete_item(bill)
    assert [one["state"] for one in read(monday, *ids)] == ["archived", "deleted", "deleted"]


def test_subitems_are_made_below_items_only_and_leave_with_the_board() -> None:
    monday = a_monday()
    made = line(monday, a_bill(monday))
    assert monday.ask(LINE, p=made["id"], n="x", v="{}").code == "InvalidArgumentException"
    assert monday.create("x", board=made["board"]["id"]).code == "InvalidArgumentException"
    monday.world.archive_board("AP bills")
    assert monday.world.board(made["board"]["id"]).state == "archived"


def move(monday: Monday, item: str, board: str, group: str = "topics", **mapping: Any) -> Reply:
    return monday.ask(MOVE, i=item, b=board, g=group, **mapping)


def a_place_to_go(monday: Monday) -> str:
    titles = [("Vendor", "text"), ("Amount", "text"), ("Approval", "status"), ("Currency", "dropdown"), ("Note", "text")]
    return monday.world.add_board("Archive", titles)


def shown(monday: Monday, item: str) -> dict[str, str]:
    """Texts by column title."""
    board = monday.world.world.items[item].board
    found = next(one for one in monday.world.board_items(board.id) if one["id"] == item)
    return {board.columns[column_id].title: text for column_id, text in found["columns"].items() if text}


def test_an_item_moves_to_a_group() -> None:
    monday = a_monday()
    bill = a_bill(monday)
    to_group = "mutation ($i: ID, $g: String!) { move_item_to_group(item_id: $i, group_id: $g) { id group { id } } }"
    assert monday.ask(to_group, i=bill, g="paid").data["move_item_to_group"] == {"id": bill, "group": {"id": "paid"}}
    assert monday.ask(to_group, i=bill, g="nowhere").code == "InvalidArgumentException"
    assert move(monday, bill, monday.bills).data["move_item_to_board"]["group"] == {"id": "topics"}


def test_without_a_mapping_values_go_where_title_and_type_agree() -> None:
    monday = a_monday()
    there = a_place_to_go(monday)
    values = {"vendor": "X", "amount": "5", "approval": {"label": "Rejected"}, "currency": {"labels": ["EUR"]}}
    bill = a_bill(monday, bill_key="k", **values)
    moved = move(monday, bill, there).data["move_item_to_board"]
    assert moved == {"id": bill, "board": {"id": there}, "group": {"id": "topics"}}
    assert shown(monday, bill) == {"Vendor": "X", "Approval": "Rejected", "Currency": "EUR"}
    assert monday.world.board_items("AP bills") == []
    find = """query ($b: ID!, $c: String!) { items_page_by_column_values(board_id: $b,
      columns: [{column_id: $c, column_values: ["X"]}]) { items { id } } }"""
    found = [(monday.bills, "vendor"), (there, monday.world.column_id("Archive", "Vendor"))]
    pages = [monday.ask(find, b=board, c=column).data["items_page_by_column_values"]["items"] for board, column in found]
    assert pages == [[], [{"id": bill}]]


def test_with_a_mapping_only_what_it_names_is_kept() -> None:
    monday = a_monday()
    there = a_place_to_go(monday)
    bill = a_bill(monday, vendor="X", bill_key="k", currency={"labels": ["EUR"]})
    note = monday.world.column_id("Archive", "Note")
    assert move(monday, bill, there, m=[{"source": "amount", "target": note}]).code == "InvalidArgumentException"
    assert move(monday, bill, there, m=[{"source": "nope", "target": note}]).code == "InvalidColumnIdException"
    assert move(monday, bill, there, m=[{"source": "vendor", "target": "nope"}]).code == "InvalidColumnIdException"
    assert move(monday, bill, there, group="nowhere").code == "InvalidArgumentException"
    assert [one["id"] for one in monday.world.board_items("AP bills")] == [bill]
    mapping = [{"source": "bill_key", "target": note}, {"source": "vendor", "target": None}]
    assert move(monday, bill, there, m=mapping).data and shown(monday, bill) == {"Note": "k"}


def test_subitems_move_along_with_a_mapping_of_their_own() -> None:
    monday = a_monday()
    there = a_place_to_go(monday)
    bill = a_bill(monday)
    nested = line(monday, bill)["board"]["id"]
    monday.world.add_column(nested, "Memo", "text", column_id="memo")
    line(monday, bill, "Line 2", {"memo": "m", "date0": {"date": "2026-11-30"}})
    assert move(monday, bill, there, s=[{"source": "date0", "target": "date0"}]).data
    assert [one["columns"] for one in monday.world.subitems(bill)][1] == {"person": "", "status": "", "date0": "2026-11-30"}
    assert len(monday.world.board_items("Subitems of Archive")) == 2 and monday.world.board_items(nested) == []
    assert move(monday, monday.world.subitems(bill)[0]["id"], monday.bills).code == "InvalidArgumentException"


def test_a_full_board_takes_no_moved_item() -> None:
    monday = a_monday()
    full = monday.world.add_board("Full", items_limit=0)
    assert move(monday, a_bill(monday), full).code == "ItemsLimitationException"


def test_links_to_an_item_that_moved_off_the_connected_board_are_gone() -> None:
    monday = a_monday()
    vendor, bill = monday.world.board_items("Vendors")[0]["id"], a_bill(monday)
    monday.world.set_value(bill, "Vendor card", [vendor])
    assert monday.world.links(bill, "Vendor card") == [vendor]
    assert move(monday, vendor, a_place_to_go(monday)).data and monday.world.links(bill, "Vendor card") == []

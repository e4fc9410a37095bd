"""Connected boards, files in columns, and what people do by hand."""

import json
from typing import Any

import pytest

from integrations.sandboxes.monday import files
from tests.sandboxes.test_monday import Monday, Reply, a_monday
from tests.sandboxes.test_monday_ingest import at, ingest, told
from tests.sandboxes.test_monday_values import CHANGE

READ = """query ($i: [ID!], $c: [String!]) { items(ids: $i) { column_values(ids: $c) { text value
  ... on BoardRelationValue { linked_item_ids display_value linked_items { name board { name } } } } } }"""
ADD = """mutation ($file: File!, $i: ID!, $c: String!) { add_file_to_column(file: $file, item_id: $i, column_id: $c) {
  id name file_size file_extension public_url uploaded_by { name } } }"""
FILES = """query ($i: [ID!]) { items(ids: $i) { assets { id name } column_values(types: [file]) { id text value
  ... on FileValue { files { ... on FileAssetValue { asset_id name is_image asset { file_size } } } } } } }"""
BYTES = b"%PDF-1.7\r\n--not the boundary\x00\xff\r\n"


def vendors(monday: Monday) -> list[str]:
    return [item["id"] for item in monday.world.board_items("Vendors")]


def a_bill(monday: Monday) -> str:
    return str(monday.create("Bill").data["create_item"]["id"])


def connect(monday: Monday, bill: str, column: str, *ids: str) -> Reply:
    return monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps({column: {"item_ids": [int(one) for one in ids]}}))


def test_a_set_of_connected_items_is_read_and_replaced() -> None:
    monday = a_monday()
    column = monday.world.connect_boards("AP bills", "Also for", "Vendors")
    bill, (first, second, third, _) = a_bill(monday), vendors(monday)
    assert connect(monday, bill, column, first, second).data
    found = monday.ask(READ, i=[bill], c=[column]).data["items"][0]["column_values"][0]
    assert found["linked_item_ids"] == [first, second] and found["display_value"] == "Northwind Paper, Bright Office Supply"
    assert found["linked_items"][0] == {"name": "Northwind Paper", "board": {"name": "Vendors"}}
    assert found["text"] is None and found["value"] is None
    assert connect(monday, bill, column, third).data and monday.world.links(bill, "Also for") == [third]
    assert monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps({column: None})).data
    assert monday.world.links(bill, column) == []


def test_only_items_of_connected_boards_can_be_linked() -> None:
    monday = a_monday()
    other = monday.world.add_board("Projects")
    project = monday.create("P", board=other).data["create_item"]["id"]
    bill = a_bill(monday)
    assert connect(monday, bill, "vendor_link", project).code == "ColumnValueException"
    assert monday.world.connect_boards("AP bills", "Vendor card", "Projects") == "vendor_link"
    assert connect(monday, bill, "vendor_link", project, vendors(monday)[0]).data
    assert monday.world.links(bill, "vendor_link") == [project, vendors(monday)[0]]


def test_a_column_can_be_made_connected_and_create_item_drops_its_links() -> None:
    monday = a_monday()
    make = """mutation ($b: ID!, $d: JSON) { create_column(board_id: $b, title: "Card", column_type: board_relation,
      id: "card", defaults: $d) { settings } }"""
    defaults = json.dumps({"boardIds": [int(monday.world.board("Vendors").id)]})
    assert monday.ask(make, b=monday.bills, d=defaults).data["create_column"]["settings"]["allowMultipleItems"] is True
    values = {"card": {"item_ids": [int(vendors(monday)[0])]}}
    assert monday.world.links(monday.create("Bill", values).data["create_item"]["id"], "card") == []
    monday.world.reset(relations_on_create=True)
    values = {"vendor_link": {"item_ids": [int(vendors(monday)[0])]}}
    assert monday.world.links(monday.create("Bill", values).data["create_item"]["id"], "vendor_link") == vendors(monday)[:1]


def test_an_import_links_by_id_and_by_name_and_wants_the_board_where_there_are_several() -> None:
    monday = a_monday()
    other = monday.world.add_board("Projects")
    column = monday.world.connect_boards("AP bills", "Also for", "Vendors")
    rows = (("name", column), ("A", f'Keller Maschinenbau,"{vendors(monday)[0]}"'))
    assert ingest(monday, *rows, match=None)["counts"]["created"] == 1
    bill = monday.world.board_items("AP bills")[0]["id"]
    assert monday.world.links(bill, column) == [vendors(monday)[3], vendors(monday)[0]]
    monday.world.connect_boards("AP bills", "Also for", "Projects")
    prefixed = f"{monday.world.board('Vendors').id}:Northwind Paper"
    found = ingest(monday, ("name", column), ("B", "Northwind Paper"), ("C", prefixed), ("D", f"{other}:x"), match=None)
    assert [row["status"] for row in told(monday, found)] == ["validation_error", "success", "validation_error"]


def form(monday: Monday, parts: list[tuple[str, bytes]], path: str = "/monday/v2/file") -> Reply:
    """A multipart request; each part is what stands behind ``name=`` and the content."""
    lines = [b"--XX\r\nContent-Disposition: form-data; name=" + head.encode() + b"\r\n\r\n" + body for head, body in parts]
    body = b"\r\n".join([*lines, b"--XX--\r\n"])
    return monday.send(body, PATH_INFO=path, CONTENT_TYPE="multipart/form-data; boundary=XX")


def upload(monday: Monday, item: str, column: str, content: bytes = BYTES, name: str = "bill 7.pdf", kind: str = "") -> Reply:
    head = f'"variables[file]"; filename="{name}"' + (f"\r\nContent-Type: {kind}" if kind else "")
    variables = json.dumps({"i": item, "c": column}).encode()
    return form(monday, [('"query"', ADD.encode()), ('"variables"', variables), (head, content)])


def a_drawer() -> tuple[Monday, str, str]:
    monday = a_monday()
    return monday, a_bill(monday), monday.world.add_column("AP bills", "Scan", "file")


def test_a_file_is_put_into_a_column_read_and_fetched() -> None:
    monday, bill, column = a_drawer()
    added = upload(monday, bill, column).data["add_file_to_column"]
    assert added["name"] == "bill 7.pdf" and added["file_size"] == len(BYTES) and added["file_extension"] == ".pdf"
    upload(monday, bill, column, b"png", "x.png", "image/png")
    item = monday.ask(FILES, i=[bill]).data["items"][0]
    assert [one["name"] for one in item["assets"]] == ["bill 7.pdf", "x.png"]
    found = item["column_values"][0]
    first = {"asset_id": added["id"], "name": "bill 7.pdf", "is_image": False, "asset": {"file_size": len(BYTES)}}
    assert found["files"][0] == first and found["files"][1]["is_image"]
    assert found["text"].count("https://") == 2 and json.loads(found["value"])["files"][0]["assetId"] == int(added["id"])
    assert monday.world.files(bill, "Scan") == {"bill 7.pdf": BYTES, "x.png": b"png"}
    assert at(monday, added["public_url"], method="GET").raw == BYTES
    monday.mounted.clock.advance(3_601)
    assert at(monday, added["public_url"], method="GET").status == 403


def test_a_part_may_be_mapped_to_its_variable() -> None:
    monday, bill, column = a_drawer()
    query = ADD.replace("$i: ID!, $c: String!", "").replace("$i", bill).replace("$c", f'"{column}"')
    for mapping in ({"image": "variables.file"}, {"image": ["variables.file"]}):
        parts = [('"query"', query.encode()), ('"map"', json.dumps(mapping).encode()), ('"image"; filename="a.txt"', b"a")]
        assert form(monday, parts).data["add_file_to_column"]["name"] == "a.txt"


def test_files_leave_with_clear_all_and_come_by_their_own_door_only() -> None:
    monday, bill, column = a_drawer()
    upload(monday, bill, column)
    wrongs: list[Any] = [{"files": []}, None, "", {}]
    for wrong in wrongs:
        assert monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps({column: wrong})).code == "ColumnValueException"
    assert monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps({column: {"clear_all": True}})).data
    empty = monday.ask(FILES, i=[bill]).data["items"][0]["column_values"][0]
    assert (empty["files"], empty["text"], empty["value"]) == ([], "", None)


def test_a_file_wants_a_file_column_a_file_and_the_right_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monday, bill, column = a_drawer()
    assert upload(monday, bill, "vendor").code == "InvalidArgumentException"
    assert upload(monday, bill, "nope").code == "InvalidColumnIdException"
    assert upload(monday, "1", column).code == "ResourceNotFoundException"
    given: dict[str, Any] = {"i": bill, "c": column, "file": "text"}
    assert monday.ask(ADD, **given).error["message"] == "Variable $file of type File! was provided invalid value"
    parts = [('"query"', ADD.encode()), ('"variables"', json.dumps({"i": bill, "c": column}).encode())]
    assert form(monday, parts).error["message"] == "Variable $file of type File! was provided invalid value"
    assert form(monday, parts, "/monday/v2").status == 400
    assert form(monday, [('"variables"', b"{}")]).status == 400 and form(monday, [*parts, ('"variables"', b"[]")]).status == 400
    monkeypatch.setattr(files, "LARGEST", 3)
    assert upload(monday, bill, column).code == "FILE_SIZE_LIMIT_EXCEEDED"
    assert monday.world.files(bill, column) == {}


HAND_EDITS: list[tuple[str, Any, str]] = [
    ("Vendor", "By hand", "By hand"), ("vendor", "By hand", "By hand"), ("Amount", "12.50", "12.50"), ("Approval", "On hold", "On hold"),
    ("Currency", "EUR, YEN", "EUR, YEN"), ("Due", {"date": "2026-12-01"}, "2026-12-01"), ("Needs review", True, "v"),
    ("Needs review", False, ""), ("Vendor", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "text"), HAND_EDITS)
def test_a_person_edits_a_value(column: str, value: Any, text: str) -> None:
    monday = a_monday()
    bill = a_bill(monday)
    n_calls, before = len(monday.mounted.calls), monday.world.limits.used_today
    monday.world.set_value(bill, column, value)
    found = monday.world.board_items("AP bills")[0]["columns"][monday.world.column_id("AP bills", column)]
    assert found == text and (len(monday.mounted.calls), monday.world.limits.used_today) == (n_calls, before)


def test_a_person_renames_an_item_and_cannot_write_nonsense() -> None:
    monday = a_monday()
    bill = a_bill(monday)
    monday.world.rename_item(bill, "By hand")
    assert monday.world.board_items("AP bills")[0]["name"] == "By hand"
    monday.world.set_value(bill, "Name", "Again")
    assert monday.world.board_items("AP bills")[0]["name"] == "Again"
    with pytest.raises(ValueError, match="Amount"):
        monday.world.set_value(bill, "Amount", "a lot")

"""What each column type takes, and how it reads back."""

import json
from typing import Any

import pytest

from tests.sandboxes.test_monday import Monday, a_monday

CHANGE = """mutation ($b: ID!, $i: ID!, $cv: JSON!, $l: Boolean) {
  change_multiple_column_values(board_id: $b, item_id: $i, column_values: $cv, create_labels_if_missing: $l) { id name } }"""
READ = """query ($i: [ID!]) { items(ids: $i) { name column_values { id type text value
  ... on NumbersValue { number } ... on DateValue { date time } ... on StatusValue { index label is_done }
  ... on DropdownValue { values { id label } } ... on LinkValue { url url_text } ... on EmailValue { email address: label }
  ... on PhoneValue { phone country_short_name } ... on CheckboxValue { checked } ... on HourValue { hour minute }
  ... on PeopleValue { persons_and_teams { id kind } } ... on TimelineValue { from to } ... on RatingValue { rating }
  ... on BoardRelationValue { linked_item_ids display_value } ... on CountryValue { country { code name } }
  ... on TagsValue { tag_ids tags { name } } ... on WeekValue { start_date end_date } ... on WorldClockValue { timezone }
  ... on LocationValue { lat lng address } } } }"""


class Sheet:
    """A board with one column of a type, and one item on it."""

    def __init__(self, column_type: str, **settings: Any) -> None:
        self.monday: Monday = a_monday(**settings)
        self.board = self.monday.world.add_board("Sheet", [("C", column_type)])
        self.column = self.monday.world.column_id("Sheet", "C")
        self.item = self.monday.create("One", board=self.board).data["create_item"]["id"]

    def write(self, value: Any, **more: Any) -> Any:
        text = json.dumps({self.column: value})
        return self.monday.ask(CHANGE, b=self.board, i=self.item, cv=text, **more)

    def read(self) -> dict[str, Any]:
        found = self.monday.ask(READ, i=[self.item]).data["items"][0]["column_values"]
        return dict(next(value for value in found if value["id"] == self.column))


# type, what is written, what some typed fields read
GOOD = [
    ("text", "4000-01-00", {"text": "4000-01-00", "value": '"4000-01-00"'}),
    ("text", "naïve 🚲 \"quoted\" \\ line", {"text": "naïve 🚲 \"quoted\" \\ line"}),
    ("long_text", {"text": "a\nb"}, {"text": "a\nb"}),
    ("numbers", "1234.50", {"text": "1234.50", "number": 1234.5, "value": '"1234.50"'}),
    ("numbers", "-0.01", {"text": "-0.01", "number": -0.01}),
    ("date", {"date": "2026-11-30"}, {"text": "2026-11-30", "date": "2026-11-30", "time": ""}),
    ("date", {"date": "2026-11-30", "time": "03:00:00"}, {"text": "2026-11-29 22:00", "date": "2026-11-29", "time": "22:00"}),
    ("status", {"label": "Done"}, {"text": "Done", "index": 1, "label": "Done", "is_done": True}),
    ("status", "Stuck", {"label": "Stuck", "index": 2}),
    ("status", {"index": 0}, {"label": "Working on it", "index": 0}),
    ("status", {"label": "2"}, {"label": "Stuck"}),
    ("link", {"url": "https://x.example/7", "text": "Bill 7"}, {"url": "https://x.example/7", "url_text": "Bill 7"}),
    ("link", {"url": "https://x.example/7", "text": ""}, {"text": "https://x.example/7", "url_text": ""}),
    ("email", {"email": "a@b.example", "text": "A"}, {"email": "a@b.example", "address": "A", "text": "A"}),
    ("phone", {"phone": "+12025550169", "countryShortName": "US"}, {"phone": "+12025550169", "country_short_name": "US"}),
    ("phone", {"phone": "+31 20 123 4567", "countryShortName": "NL"}, {"country_short_name": "NL"}),
    ("checkbox", {"checked": "true"}, {"checked": True, "text": "v"}),
    ("hour", {"hour": 16, "minute": 42}, {"hour": 16, "minute": 42, "text": "04:42 PM"}),
    ("timeline", {"from": "2026-11-01", "to": "2026-11-30"}, {"text": "2026-11-01 - 2026-11-30"}),
    ("timeline", {"from": "2026-11-01", "to": "2026-11-30"}, {"from": "2026-11-01T00:00:00+00:00"}),
    ("country", {"countryCode": "NL", "countryName": "Netherlands"}, {"country": {"code": "NL", "name": "Netherlands"}}),
    ("rating", {"rating": 4}, {"rating": 4}),
    ("week", {"week": {"startDate": "2026-11-23", "endDate": "2026-11-29"}}, {"start_date": "2026-11-23"}),
    ("location", {"lat": "52.37", "lng": "4.9", "address": "Amsterdam"}, {"lat": 52.37, "address": "Amsterdam"}),
    ("world_clock", {"timezone": "Europe/Amsterdam"}, {"timezone": "Europe/Amsterdam"}),
]  # fmt: skip


@pytest.mark.parametrize(("column_type", "written", "read"), GOOD)
def test_a_good_value_reads_back(column_type: str, written: Any, read: dict[str, Any]) -> None:
    sheet = Sheet(column_type)
    assert sheet.write(written).data
    assert {name: sheet.read()[name] for name in read} == read


@pytest.mark.parametrize(("column_type", "written", "read"), GOOD)
def test_null_empties_every_column(column_type: str, written: Any, read: dict[str, Any]) -> None:
    sheet = Sheet(column_type)
    sheet.write(written)
    assert sheet.write(None).data
    assert not sheet.read()["text"] and sheet.read()["value"] is None


BAD = [
    ("text", 7),
    ("text", "x" * 60_001),
    ("long_text", {"text": "x" * 2_001}),
    ("long_text", {"txt": "x"}),
    ("numbers", "1,234.50"),
    ("numbers", "1e3"),
    ("numbers", "EUR 5"),
    ("numbers", {}),
    ("date", {"date": "30-11-2026"}),
    ("date", {"date": "2026-02-30"}),
    ("date", {"date": "2026-11-30", "time": "25:00:00"}),
    ("status", {"label": "Nobody made this"}),
    ("status", {"index": 77}),
    ("status", {"label": "Done", "index": 1}),
    ("dropdown", {"labels": ["A"], "ids": [1]}),
    ("dropdown", {"labels": ["Unknown"]}),
    ("dropdown", {"ids": [9]}),
    ("link", {"url": "ftp://x.example", "text": "x"}),
    ("link", {"text": "x"}),
    ("email", {"email": "a@b.example"}),
    ("email", {"email": "nobody", "text": "nobody"}),
    ("phone", {"phone": "555", "countryShortName": "US"}),
    ("phone", {"phone": "+12025550169", "countryShortName": "us"}),
    ("phone", {"phone": "+12025550169"}),
    ("checkbox", "true"),
    ("people", {"personsAndTeams": [{"id": 1, "kind": "person"}]}),
    ("board_relation", {"item_ids": ["1"]}),
    ("board_relation", {"item_ids": [1]}),
    ("hour", {"hour": "16", "minute": "42"}),
    ("hour", {"hour": 24, "minute": 0}),
    ("timeline", {"from": "2026-11-30", "to": "2026-11-01"}),
    ("timeline", "2026-11-30"),
    ("tags", {"tag_ids": [1]}),
    ("country", {"countryCode": "NLD", "countryName": "x"}),
    ("rating", {"rating": 6}),
    ("week", {"week": {"startDate": "2026-11-23", "endDate": "2026-11-28"}}),
    ("world_clock", {"timezone": "Mars/Olympus"}),
    ("auto_number", "1"),
    ("formula", "1"),
    ("mirror", "1"),
    ("creation_log", "1"),
    ("last_updated", "1"),
    ("item_id", "1"),
    ("time_tracking", "1"),
    ("file", "1"),
]


@pytest.mark.parametrize(("column_type", "written"), BAD)
def test_a_bad_value_is_refused(column_type: str, written: Any) -> None:
    sheet = Sheet(column_type)
    reply = sheet.write(written)
    assert reply.code == "ColumnValueException" and reply.body["data"] == {"change_multiple_column_values": None}
    assert not sheet.read()["value"]


def test_an_empty_string_in_a_numbers_column_writes_zero() -> None:
    sheet = Sheet("numbers")
    sheet.write("5")
    sheet.write("")
    assert sheet.read()["text"] == "0" and sheet.read()["number"] == 0.0


def test_checked_false_does_not_uncheck() -> None:
    sheet = Sheet("checkbox")
    sheet.write({"checked": "true"})
    assert sheet.write({"checked": "false"}).data
    assert sheet.read()["checked"] is True


def test_empty_columns_read_as_the_vendor_has_them() -> None:
    assert Sheet("date").read()["date"] == "" and Sheet("date").read()["time"] == ""
    assert Sheet("people").read()["text"] == "" and Sheet("people").read()["persons_and_teams"] == []
    assert Sheet("status").read()["text"] is None and Sheet("numbers").read()["number"] is None


def test_a_missing_label_is_made_when_asked_for_and_allowed() -> None:
    sheet = Sheet("status")
    assert sheet.write({"label": "On hold"}).error["extensions"]["error_data"] == {"column_type": "color"}
    assert sheet.write({"label": "On hold"}, l=True).data
    assert sheet.read()["label"] == "On hold" and sheet.read()["index"] == 3


def test_labels_can_not_be_made_without_the_right_or_in_managed_columns() -> None:
    assert Sheet("status", create_labels=False).write({"label": "On hold"}, l=True).code == "ColumnValueException"
    sheet = Sheet("dropdown")
    sheet.write({"labels": ["A"]}, l=True)
    sheet.monday.world.manage_column("Sheet", "C")
    message = sheet.write({"labels": ["X"]}, l=True).error["message"]
    assert message == "The dropdown label 'X' does not exist, possible labels are: {1: A}"


def test_a_label_is_short_and_a_status_column_has_room_for_thirty_nine() -> None:
    sheet = Sheet("status")
    assert sheet.write({"label": "x" * 31}, l=True).code == "ColumnValueException"
    replies = [sheet.write({"label": f"Label {chr(65 + n)}"}, l=True) for n in range(40)]
    assert sum("errors" not in reply.body for reply in replies) == 36
    labels = sheet.monday.world.board("Sheet").columns[sheet.column].settings["labels"]
    assert len(labels) == 39 and 5 not in {label["id"] for label in labels}


def test_a_dropdown_takes_labels_or_ids_and_reads_both() -> None:
    sheet = Sheet("dropdown")
    sheet.write({"labels": ["A", "B"]}, l=True)
    assert sheet.read()["values"] == [{"id": "1", "label": "A"}, {"id": "2", "label": "B"}]
    sheet.write({"ids": [2]})
    assert sheet.read()["text"] == "B"
    sheet.write({"labels": []})
    assert sheet.read()["values"] == []


def test_people_must_be_subscribed_to_the_board() -> None:
    sheet = Sheet("people")
    nora = next(iter(sheet.monday.world.world.users))
    stranger = int(sheet.monday.world.add_token("stranger"))
    assert sheet.write({"personsAndTeams": [{"id": int(nora), "kind": "person"}]}).data
    assert sheet.read()["persons_and_teams"] == [{"id": nora, "kind": "person"}] and sheet.read()["text"] == "Nora Ellis"
    reply = sheet.write({"personsAndTeams": [{"id": stranger, "kind": "person"}]})
    assert reply.error["extensions"]["error_data"]["error_reason"] == "invalidPersonAssignment"


def test_connected_items_are_dropped_by_create_item_and_kept_by_a_change() -> None:
    monday = a_monday()
    vendor = monday.world.board_items("Vendors")[0]["id"]
    values = {"vendor_link": {"item_ids": [int(vendor)]}}
    bill = monday.create("Bill", values).data["create_item"]["id"]
    link = """query ($i: [ID!]) { items(ids: $i) { column_values(ids: "vendor_link") { text value
      ... on BoardRelationValue { linked_item_ids display_value linked_items { name } } } } }"""
    assert monday.ask(link, i=[bill]).data["items"][0]["column_values"][0]["linked_item_ids"] == []
    assert monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps(values)).data
    found = monday.ask(link, i=[bill]).data["items"][0]["column_values"][0]
    assert found["linked_item_ids"] == [vendor] and found["display_value"] == "Northwind Paper"
    assert found["text"] is None and found["value"] is None
    two = {"vendor_link": {"item_ids": [int(item["id"]) for item in monday.world.board_items("Vendors")[:2]]}}
    assert monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps(two)).code == "ColumnValueException"
    simple = """mutation ($b: ID!, $i: ID!, $v: JSON!) {
      change_column_value(board_id: $b, item_id: $i, column_id: "vendor_link", value: $v) { id } }"""
    assert monday.ask(simple, b=monday.bills, i=bill, v=json.dumps(values["vendor_link"])).code == "ColumnValueException"


def test_one_bad_column_writes_nothing_of_the_item() -> None:
    monday = a_monday()
    reply = monday.create(
        "Bill",
        {"amount": "5", "approval": {"label": "New one"}, "contact_phone": {"phone": "555", "countryShortName": "US"}},
        l=True,
    )
    assert reply.error["extensions"]["error_data"] == {"column_type": "phone"}
    labels = [label["label"] for label in monday.world.board("AP bills").columns["approval"].settings["labels"]]
    assert monday.world.board_items("AP bills") == [] and "New one" not in labels


def test_a_refused_value_names_its_column_when_set_so() -> None:
    reply = a_monday(names_columns=True).create("Bill", {"amount": "x"})
    assert reply.error["extensions"]["error_data"] == {"column_type": "numeric", "column_id": "amount"}


def test_an_unknown_column_is_an_error() -> None:
    assert a_monday().create("Bill", {"nowhere": "x"}).code == "InvalidColumnIdException"


@pytest.mark.parametrize(
    ("name", "code"), [("x" * 255, None), ("x" * 256, "ItemNameTooLongException"), ("", "InvalidArgumentException")]
)
def test_a_name_has_one_to_255_characters(name: str, code: str | None) -> None:
    reply = a_monday().create(name)
    assert (reply.code if "errors" in reply.body else None) == code


def test_the_key_name_renames_the_item() -> None:
    sheet = Sheet("text")
    text = json.dumps({"name": "Other", sheet.column: "x"})
    assert sheet.monday.ask(CHANGE, b=sheet.board, i=sheet.item, cv=text).data["change_multiple_column_values"]["name"] == "Other"


def test_simple_values_write_the_plain_types() -> None:
    simple = """mutation ($b: ID!, $i: ID!, $c: String!, $v: String) {
      change_simple_column_value(board_id: $b, item_id: $i, column_id: $c, value: $v) { name } }"""
    for column_type, value, text in (("date", "2026-11-30", "2026-11-30"), ("status", "Done", "Done"), ("numbers", "5", "5")):
        sheet = Sheet(column_type)
        assert sheet.monday.ask(simple, b=sheet.board, i=sheet.item, c=sheet.column, v=value).data
        assert sheet.read()["text"] == text
    sheet = Sheet("timeline")
    assert sheet.monday.ask(simple, b=sheet.board, i=sheet.item, c=sheet.column, v="x").code == "ColumnValueException"
    renamed = sheet.monday.ask(simple, b=sheet.board, i=sheet.item, c="name", v="Renamed")
    assert renamed.data["change_simple_column_value"]["name"] == "Renamed"


def test_tags_come_from_create_or_get_tag() -> None:
    sheet = Sheet("tags")
    make = "mutation ($n: String) { create_or_get_tag(tag_name: $n) { id name } }"
    first, again = (sheet.monday.ask(make, n=name).data["create_or_get_tag"]["id"] for name in ("Urgent", "urgent"))
    assert first == again
    sheet.write({"tag_ids": [int(first)]})
    assert sheet.read()["tag_ids"] == [int(first)] and sheet.read()["text"] == "Urgent"
    sheet.write({"tag_ids": []})
    assert sheet.read()["tag_ids"] == []


def test_a_mirror_shows_the_linked_items_text() -> None:
    monday = a_monday()
    vendors = monday.world.board("Vendors").id
    shown = {
        "relation_column": {"vendor_link": True},
        "displayed_linked_columns": [{"board_id": vendors, "column_ids": ["vendor_key"]}],
    }
    column = monday.world.add_column("AP bills", "Vendor number", "mirror", settings=shown)
    vendor = monday.world.board_items("Vendors")[0]["id"]
    bill = monday.create().data["create_item"]["id"]
    monday.ask(CHANGE, b=monday.bills, i=bill, cv=json.dumps({"vendor_link": {"item_ids": [int(vendor)]}}))
    read = """query ($i: [ID!], $c: [String!]) { items(ids: $i) {
      column_values(ids: $c) { text ... on MirrorValue { display_value } } } }"""
    assert monday.ask(read, i=[bill], c=[column]).data["items"][0]["column_values"] == [{"text": None, "display_value": "V-001"}]


def test_half_an_emoji_is_refused() -> None:
    monday = a_monday()
    assert monday.create("Bill", {"vendor": "\ud83d"}).error["message"].startswith("Variable $cv")
    assert monday.create("\ud83d").code == "InvalidArgumentException"
    assert monday.create("🚲" * 255).data

"""Finding items: by id, by walking pages, by value, by rules."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.sandboxes.test_monday import Monday, Reply, a_monday

LOOK_UP = """query ($b: ID!, $q: [ItemsPageByColumnValuesQuery!], $c: String, $l: Int! = 100) {
  items_page_by_column_values(board_id: $b, limit: $l, columns: $q, cursor: $c) { cursor items { id name } } }"""
PAGE = """query ($b: [ID!], $l: Int! = 500, $q: ItemsQuery, $c: String) {
  boards(ids: $b) { items_page(limit: $l, query_params: $q, cursor: $c) { cursor items { id name } } } }"""
NEXT = "query ($c: String!, $l: Int! = 500) { next_items_page(cursor: $c, limit: $l) { cursor items { id name } } }"
BY_ID = """query ($i: [ID!], $l: Int = 25, $x: Boolean) { items(ids: $i, limit: $l, exclude_nonactive: $x) {
  id name state board { name } group { id } } }"""


def look_up(monday: Monday, column: str, *values: str, board: str = "AP bills") -> Reply:
    columns = [{"column_id": column, "column_values": list(values)}]
    return monday.ask(LOOK_UP, b=monday.world.board(board).id, q=columns)


def found(monday: Monday, column: str, *values: str) -> list[str]:
    return sorted(item["name"] for item in look_up(monday, column, *values).data["items_page_by_column_values"]["items"])


def page(monday: Monday, **query: Any) -> Any:
    return monday.ask(PAGE, b=[monday.bills], q=query).data["boards"][0]["items_page"]


def by_rule(monday: Monday, column: str, value: Any, operator: str = "any_of") -> list[str]:
    rules = [{"column_id": column, "compare_value": value, "operator": operator}]
    return sorted(item["name"] for item in page(monday, rules=rules)["items"])


def walk(monday: Monday, limit: int) -> list[list[str]]:
    answer = monday.ask(PAGE, b=[monday.bills], l=limit).data["boards"][0]["items_page"]
    pages = [[item["id"] for item in answer["items"]]]
    while answer["cursor"]:
        answer = monday.ask(NEXT, c=answer["cursor"], l=limit).data["next_items_page"]
        pages.append([item["id"] for item in answer["items"]])
    return pages


def test_items_by_id_are_cut_at_25_without_a_limit() -> None:
    monday = a_monday()
    ids = monday.world.seed(n=60)["item_ids"]
    assert len(monday.ask(BY_ID, i=ids).data["items"]) == 25
    assert [item["id"] for item in monday.ask(BY_ID, i=ids, l=100).data["items"]] == ids


def test_more_than_a_hundred_ids_are_refused() -> None:
    assert a_monday().ask(BY_ID, i=[str(n) for n in range(101)], l=100).code == "InvalidArgumentException"


def test_archived_and_deleted_items_are_read_by_id_only() -> None:
    monday = a_monday()
    first, second, third = monday.world.seed(n=3)["item_ids"]
    monday.world.archive_item(first)
    monday.world.delete_item(second)
    states = {item["id"]: item["state"] for item in monday.ask(BY_ID, i=[first, second, third]).data["items"]}
    assert states == {first: "archived", second: "deleted", third: "active"}
    assert [item["id"] for item in monday.ask(BY_ID, i=[first, second, third], x=True).data["items"]] == [third]
    assert [item["id"] for item in page(monday)["items"]] == [third]
    assert found(monday, "bill_key", "sample:bill:1", "sample:bill:2", "sample:bill:3") == ["Bill 00003"]


def test_a_walk_brings_every_item_once_in_an_order_of_its_own() -> None:
    monday = a_monday()
    ids = monday.world.seed(n=60)["item_ids"]
    first, second = walk(monday, 25), walk(monday, 25)
    assert [len(one) for one in first] == [25, 25, 10]
    one_order, another = [one for page in first for one in page], [one for page in second for one in page]
    assert sorted(one_order) == sorted(another) == sorted(ids)
    assert one_order != another != ids


def test_a_page_has_25_items_unless_told_and_500_at_most() -> None:
    monday = a_monday()
    monday.world.seed(n=30)
    answer = monday.ask("query ($b: [ID!]) { boards(ids: $b) { items_page { items { id } } } }", b=[monday.bills])
    assert len(answer.data["boards"][0]["items_page"]["items"]) == 25
    too_many = monday.ask(PAGE, b=[monday.bills], l=501)
    assert too_many.code == "InvalidArgumentException" and too_many.body["data"] == {"boards": [None]}


def test_a_cursor_lives_sixty_minutes_from_the_first_page() -> None:
    monday = a_monday()
    monday.world.seed(n=30)
    cursor = monday.ask(PAGE, b=[monday.bills], l=10).data["boards"][0]["items_page"]["cursor"]
    monday.mounted.clock.advance(3_000)
    following = monday.ask(NEXT, c=cursor, l=10).data["next_items_page"]["cursor"]
    monday.mounted.clock.advance(700)
    expired = monday.ask(NEXT, c=following, l=10)
    assert expired.status == 200 and expired.code == "CursorException" and "cursor" in expired.error["message"]
    assert monday.ask(NEXT, c="made up").code == "CursorException"


def test_a_cursor_goes_with_no_other_conditions() -> None:
    monday = a_monday()
    columns = [{"column_id": "bill_key", "column_values": ["x"]}]
    assert monday.ask(LOOK_UP, b=monday.bills, q=columns, c="x").code == "InvalidArgumentException"
    assert monday.ask(PAGE, b=[monday.bills], q={"ids": ["1"]}, c="x").code == "InvalidArgumentException"


def test_text_is_found_whole_and_in_any_case() -> None:
    monday = a_monday()
    monday.create("One", {"bill_key": "Intacct:ACME:1"})
    monday.create("Two", {"bill_key": "intacct:acme:12"})
    assert found(monday, "bill_key", "INTACCT:acme:1") == ["One"]
    assert found(monday, "bill_key", "intacct:acme") == []
    assert found(monday, "bill_key", "intacct:acme:1", "intacct:acme:12") == ["One", "Two"]
    assert found(monday, "name", "one") == ["One"]


def test_other_types_are_found_by_what_they_show() -> None:
    monday = a_monday()
    monday.create("One", {"amount": "1234.50", "due_date": {"date": "2026-11-30"}, "approval": {"label": "Approved"}})
    monday.create("Two", {"currency": {"labels": ["EUR"]}, "contact": {"email": "a@b.example", "text": "Anna"}})
    assert found(monday, "amount", "1234.5") == ["One"]
    assert found(monday, "due_date", "2026-11-30") == ["One"]
    assert found(monday, "approval", "Approved") == ["One"]
    assert found(monday, "currency", "eu") == ["Two"]
    assert found(monday, "contact", "Anna") == ["Two"] and found(monday, "contact", "a@b.example") == []
    assert found(monday, "amount", "") == ["Two"]


def test_columns_are_all_required_and_values_of_one_column_are_alternatives() -> None:
    monday = a_monday()
    monday.create("One", {"bill_key": "a", "vendor": "X"})
    monday.create("Two", {"bill_key": "b", "vendor": "Y"})
    columns = [{"column_id": "bill_key", "column_values": ["a", "b"]}, {"column_id": "vendor", "column_values": ["Y"]}]
    items = monday.ask(LOOK_UP, b=monday.bills, q=columns).data["items_page_by_column_values"]["items"]
    assert [item["name"] for item in items] == ["Two"]


def test_connected_and_unknown_columns_can_not_be_looked_up() -> None:
    assert look_up(a_monday(), "vendor_link", "x").code == "InvalidColumnTypeException"
    assert look_up(a_monday(), "nowhere", "x").code == "InvalidColumnIdException"


def test_a_changed_value_is_found_under_the_new_one_only() -> None:
    monday = a_monday()
    item = monday.create("One", {"bill_key": "a"}).data["create_item"]["id"]
    change = """mutation ($b: ID!, $i: ID!) {
      change_multiple_column_values(board_id: $b, item_id: $i, column_values: "{\\"bill_key\\": \\"b\\"}") { id } }"""
    monday.ask(change, b=monday.bills, i=item)
    assert found(monday, "bill_key", "a") == [] and found(monday, "bill_key", "b") == ["One"]


def test_new_values_are_found_only_after_the_lag() -> None:
    monday = a_monday(visibility_lag=30)
    item = monday.create("One", {"bill_key": "a"}).data["create_item"]["id"]
    assert found(monday, "bill_key", "a") == [] and by_rule(monday, "bill_key", ["a"]) == []
    assert monday.ask(BY_ID, i=[item]).data["items"][0]["name"] == "One"
    assert [one["id"] for one in page(monday)["items"]] == [item]
    monday.mounted.clock.advance(31)
    assert found(monday, "bill_key", "a") == by_rule(monday, "bill_key", ["a"]) == ["One"]


def test_a_copied_item_is_found_twice() -> None:
    monday = a_monday()
    item = monday.create("One", {"bill_key": "a"}).data["create_item"]["id"]
    monday.world.duplicate_item(item)
    assert found(monday, "bill_key", "a") == ["One", "One (copy)"]


def rules_world() -> Monday:
    monday = a_monday()
    nora = int(next(iter(monday.world.world.users)))
    person = {"personsAndTeams": [{"id": nora, "kind": "person"}]}
    monday.create("One", {"vendor": "Alpha Ltd", "amount": "5", "due_date": {"date": "2026-11-01"}, "approver": person})
    paid = {"approval": {"label": "Paid"}}
    monday.create("Two", {"vendor": "Beta Ltd", "amount": "12.5", "due_date": {"date": "2026-11-30"}} | paid)
    monday.create("Three")
    return monday


def test_rules_find_what_they_say() -> None:
    monday = rules_world()
    nora = next(iter(monday.world.world.users))
    assert by_rule(monday, "vendor", ["alpha ltd"]) == ["One"]
    assert by_rule(monday, "vendor", ["alpha ltd"], "not_any_of") == ["Three", "Two"]
    assert by_rule(monday, "vendor", "ltd", "contains_text") == ["One", "Two"]
    assert by_rule(monday, "vendor", ["Beta"], "starts_with") == ["Two"]
    assert by_rule(monday, "amount", [5]) == ["One"]
    assert by_rule(monday, "amount", [5], "greater_than") == ["Two"]
    assert by_rule(monday, "due_date", ["EXACT", "2026-11-30"]) == ["Two"]
    assert by_rule(monday, "due_date", ["2026-11-01", "2026-11-15"], "between") == ["One"]
    assert by_rule(monday, "approval", [6]) == ["Two"]
    assert by_rule(monday, "approver", [f"person-{nora}"]) == ["One"]
    assert by_rule(monday, "group", ["topics"]) == ["One", "Three", "Two"]
    assert by_rule(monday, "amount", [], "is_empty") == ["Three"]
    assert by_rule(monday, "amount", [], "is_not_empty") == ["One", "Two"]


def test_badly_formed_rules_find_nothing_and_say_nothing() -> None:
    monday = rules_world()
    nora = next(iter(monday.world.world.users))
    assert by_rule(monday, "due_date", ["2026-11-30"]) == []
    assert by_rule(monday, "approver", [nora]) == []
    assert by_rule(monday, "vendor_link", ["123"]) == []
    assert by_rule(monday, "amount", ["x"], "between") == []


def test_rules_join_with_and_or_and_groups() -> None:
    monday = rules_world()
    alpha = {"column_id": "vendor", "compare_value": ["alpha ltd"]}
    paid = {"column_id": "approval", "compare_value": [6]}
    assert page(monday, rules=[alpha, paid])["items"] == []
    assert len(page(monday, rules=[alpha, paid], operator="or")["items"]) == 2
    assert len(page(monday, groups=[{"rules": [alpha]}, {"rules": [paid]}], operator="or")["items"]) == 2


def test_order_by_sorts_by_columns_and_pseudo_columns() -> None:
    monday = rules_world()
    names = [item["name"] for item in page(monday, order_by=[{"column_id": "amount", "direction": "desc"}])["items"]]
    assert names == ["Two", "One", "Three"]
    assert page(monday, order_by=[{"column_id": "__creation_log__"}])["items"][0]["name"] == "One"


def test_a_mirror_in_a_rule_nulls_the_whole_board() -> None:
    monday = a_monday()
    monday.world.add_column("AP bills", "Mirror", "mirror", column_id="mirrored")
    query = {"rules": [{"column_id": "mirrored", "compare_value": ["x"]}]}
    reply = monday.ask(PAGE, b=[monday.bills], q=query)
    assert reply.code == "InvalidColumnTypeException" and reply.body["data"] == {"boards": [None]}


def test_a_group_pages_its_own_items() -> None:
    monday = a_monday()
    monday.world.seed(n=3)
    moved = monday.create("Paid one").data["create_item"]["id"]
    move = 'mutation ($i: ID) { move_item_to_group(item_id: $i, group_id: "paid") { group { id } } }'
    assert monday.ask(move, i=moved).data["move_item_to_group"]["group"]["id"] == "paid"
    inside = 'query ($b: [ID!]) { boards(ids: $b) { groups(ids: ["paid"]) { items_page { items { id } } } } }'
    assert monday.ask(inside, b=[monday.bills]).data["boards"][0]["groups"][0]["items_page"]["items"] == [{"id": moved}]


def test_a_hundred_keys_are_found_on_a_board_of_ten_thousand() -> None:
    monday = a_monday()
    monday.world.seed(n=10_000)
    keys = [f"sample:bill:{n * 97}" for n in range(1, 101)]
    assert len(found(monday, "bill_key", *keys)) == 100


VERBS = some.sampled_from(["create", "change", "empty", "archive", "copy"])


@settings(max_examples=40, deadline=None)
@given(some.lists(some.tuples(VERBS, some.sampled_from("aBbC")), max_size=20))
def test_a_look_up_finds_what_reading_every_item_would_find(steps: list[tuple[str, str]]) -> None:
    monday = a_monday(limits=False)
    change = """mutation ($b: ID!, $i: ID!, $cv: JSON!) {
      change_multiple_column_values(board_id: $b, item_id: $i, column_values: $cv) { id } }"""
    for number, (verb, key) in enumerate(steps):
        items = monday.world.board_items("AP bills")
        if verb == "create" or not items:
            monday.create(f"Item {number}", {"bill_key": key})
        elif verb in ("change", "empty"):
            value = json.dumps({"bill_key": key if verb == "change" else None})
            monday.ask(change, b=monday.bills, i=items[number % len(items)]["id"], cv=value)
        elif verb == "archive":
            monday.world.archive_item(items[0]["id"])
        else:
            monday.world.duplicate_item(items[0]["id"])
    items = monday.world.board_items("AP bills")
    for asked in ("A", "b", "c", ""):
        same = [item["name"] for item in items if item["columns"]["bill_key"].casefold() == asked.casefold()]
        assert found(monday, "bill_key", asked) == sorted(same)

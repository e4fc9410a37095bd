"""References: unknown values, related items, records that are deleted or made anew at the source, and values edited by hand."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from integrations import registry
from integrations.errors import VendorUnavailable
from integrations.models import Connection, Flow, Link, RecordOutcome, ReferenceEntry, ReviewItem
from integrations.models.flow import FlowState
from integrations.sync import due, reference, review, serve
from integrations.types import Record
from mappings.apply import Rule
from mappings.sets import new_version
from tenants.audit import SYSTEM
from tests.sync.conftest import RULES, Story, make_flow
from tests.sync.memory import Ledger, Shelf

pytestmark = pytest.mark.database

WITH_VALUES = (*RULES[:2], Rule(column="note", title="Account", kind="text", field="note", values="accounts"))


def remap(story: Story, *rules: Rule, **options: Any) -> None:
    story.flow.mapping = new_version(story.flow.mapping.line, rules, by=SYSTEM)
    story.flow.options = options
    story.flow.save(update_fields=["mapping", "options"])


def notes(story: Story) -> dict[str, Any]:
    return {item["key"]: item["values"].get("note") for item in story.shelf.items.values()}


@pytest.fixture
def accounts(story: Story) -> Iterator[dict[str, str]]:
    """The source's list of accounts, and how often it was read."""
    known = {"4000": "Rent"}
    story.ledger.lists["accounts"] = known
    remap(story, *WITH_VALUES)
    yield known


def test_a_known_code_is_shown_with_its_name_after_one_look_at_the_list(story: Story, accounts: dict[str, str]) -> None:
    story.ledger.put("1", name="Entry 1", amount="1.00", note="4000")
    story.finish()
    assert notes(story) == {"ledger:1": "4000 Rent"}
    assert story.ledger.calls.count("list accounts") == 1
    assert not ReviewItem.objects.exists()


def test_an_unknown_code_is_written_flagged_and_put_up_for_review(story: Story, accounts: dict[str, str]) -> None:
    for i in range(1, 4):
        story.ledger.put(str(i), name=f"Entry {i}", amount="1.00", note="4711" if i < 3 else "4000")
    story.finish()
    assert notes(story) == {"ledger:1": "4711", "ledger:2": "4711", "ledger:3": "4000 Rent"}
    assert story.ledger.calls.count("list accounts") == 1
    [item] = review.open_items(story.flow)
    assert (item.value, item.records.count()) == ("4711", 2)
    assert "4711" in RecordOutcome.objects.get(external_id="1").said
    assert RecordOutcome.objects.get(external_id="3").said == ""


def test_once_it_is_mapped_exactly_the_affected_items_are_rewritten(story: Story, accounts: dict[str, str]) -> None:
    for i in range(1, 13):
        story.ledger.put(str(i), name=f"Entry {i}", amount="1.00", note="4711" if i % 4 == 0 else "4000")
    story.finish()
    story.ledger.calls.clear()
    story.later(hours=1)
    assert review.resolve(story.flow, "accounts", {"4711": "Beer"}, by=SYSTEM) == 3
    assert review.open_items(story.flow) == []
    story.finish()
    rewritten = RecordOutcome.objects.filter(run=story.run).values_list("external_id", flat=True)
    assert sorted(rewritten, key=int) == ["4", "8", "12"]
    assert set(notes(story).values()) == {"4000 Rent", "Beer"}
    assert story.ledger.calls == ["changed_since"]


def test_a_record_that_changes_to_a_known_code_leaves_the_review(story: Story, accounts: dict[str, str]) -> None:
    story.ledger.put("1", name="Entry 1", amount="1.00", note="4711")
    story.finish()
    story.ledger.put("1", name="Entry 1", amount="1.00", note="4000")
    story.finish()
    assert review.open_items(story.flow) == []


def test_a_flag_column_says_what_is_wrong_and_is_cleared_again(story: Story, accounts: dict[str, str]) -> None:
    story.shelf.columns["flag"] = "text"
    remap(story, *WITH_VALUES, Rule(column="flag", title="Check", kind="text", field="ml.flags"))
    story.ledger.put("1", name="Entry 1", amount="1.00", note="4711")
    story.finish()
    [item] = story.shelf.items.values()
    assert "4711" in item["values"]["flag"]
    review.resolve(story.flow, "accounts", {"4711": "Beer"}, by=SYSTEM)
    story.finish()
    assert item["values"]["flag"] is None


def test_reference_data_is_kept_without_a_board(story: Story, memory: tuple[Ledger, Shelf]) -> None:
    flow = Flow.objects.get(pk=story.flow.pk)
    registry.FLOWS["memory.accounts"] = story.reference_spec()
    try:
        accounts = make_flow("accounts")
        Flow.objects.filter(pk=accounts.pk).update(kind="memory.accounts", target=None, place="")
        story.ledger.put("a", LIST="accounts", CODE="5000", NAME="Fuel", STATUS="active", name="", note="")
        story.ledger.put("b", LIST="accounts", CODE="6000", NAME="Old", STATUS="inactive", name="", note="")
        lease = due.claim_flow(accounts.id)
        assert lease is not None
        serve.serve(lease)
        assert Flow.objects.get(pk=accounts.pk).state == FlowState.ACTIVE
        kept = dict(
            ReferenceEntry.objects.filter(connection=Flow.objects.get(pk=accounts.pk).source).values_list("code", "is_active")
        )
        assert kept == {"5000": True, "6000": False}
        assert story.shelf.items == {}
        assert flow.source_id != accounts.source_id
    finally:
        del registry.FLOWS["memory.accounts"]


def test_an_item_is_tied_to_its_relative_after_it_was_made_and_when_the_relative_appears_later(story: Story) -> None:
    """The column cannot be set while the item is made; one relative is there already, the other comes later."""
    story.shelf.columns["parent"] = "relation"
    elders = make_flow("elders")
    Flow.objects.filter(pk=elders.pk).update(target=story.flow.target)
    Link.objects.create(flow=elders, external_id="e1", natural_key="E1", target_id="item-e1", state="settled")
    remap(story, *RULES[:2], Rule(column="parent", title="Parent", kind="relation", field="note", values="flow:elders"))
    story.ledger.put("1", name="Entry 1", amount="1.00", note="E1")
    story.ledger.put("2", name="Entry 2", amount="1.00", note="E2")
    story.finish()
    parents = {item["key"]: item["values"].get("parent") for item in story.shelf.items.values()}
    assert parents == {"ledger:1": "item-e1", "ledger:2": None}
    assert review.open_items(story.flow) == [], "nobody has to map what mends itself"
    Link.objects.create(flow=elders, external_id="e2", natural_key="E2", target_id="item-e2", state="settled")
    review.release("flow:elders", ["E2"])
    story.finish()
    parents = {item["key"]: item["values"].get("parent") for item in story.shelf.items.values()}
    assert parents == {"ledger:1": "item-e1", "ledger:2": "item-e2"}


@pytest.mark.parametrize("how", ["mark", "archive"])
def test_a_record_deleted_at_the_source_is_marked_or_archived_and_never_deleted(story: Story, how: str) -> None:
    story.shelf.columns["books"] = "text"
    remap(story, *RULES, Rule(column="books", title="Books", kind="text", field="ml.books"), deleted=how)
    story.fill(3)
    story.finish()
    story.ledger.delete("2")
    story.later(hours=1)
    story.finish()
    assert RecordOutcome.objects.get(run=story.run).what == "deleted"
    books = {item["key"]: item["values"]["books"] for item in story.shelf.items.values() if not item.get("archived")}
    expected = {"ledger:1": "In the books", "ledger:2": "Deleted in the books", "ledger:3": "In the books"}
    assert books == (expected if how == "mark" else {key: value for key, value in expected.items() if key != "ledger:2"})
    story.shelf.calls.clear()
    story.finish()
    assert story.shelf.calls == []


def test_a_record_that_comes_back_is_no_longer_marked(story: Story) -> None:
    story.shelf.columns["books"] = "text"
    remap(story, *RULES, Rule(column="books", title="Books", kind="text", field="ml.books"))
    story.fill(1)
    story.finish()
    story.ledger.delete("1")
    story.finish()
    story.fill(1)
    story.finish()
    [item] = story.shelf.items.values()
    assert item["values"]["books"] == "In the books"
    assert Link.objects.get().deleted_at is None


def test_a_record_made_anew_under_another_number_keeps_its_item(story: Story) -> None:
    story.spec_with_natural_key("name")
    story.ledger.put("100", name="PO-7", amount="1.00", note="old")
    story.finish()
    story.ledger.delete("100")
    story.ledger.put("140", name="PO-7", amount="2.00", note="new")
    story.finish()
    [(item_id, item)] = story.shelf.items.items()
    assert item["values"]["amount"] == {"amount": "2.00"}
    assert Link.objects.get().external_id == "140"
    assert Link.objects.get().target_id == item_id


def test_two_living_records_of_one_name_are_two_items(story: Story) -> None:
    story.spec_with_natural_key("name")
    story.ledger.put("100", name="PO-7", amount="1.00", note="")
    story.finish()
    story.ledger.put("140", name="PO-7", amount="2.00", note="")
    story.finish()
    story.assert_whole(2)


def test_hand_edits_are_left_and_told_where_the_flow_says_so(story: Story) -> None:
    remap(story, *RULES, hand_edits="leave")
    story.fill(2)
    story.finish()
    [first, second] = story.shelf.items.values()
    first["values"]["note"] = "mine"
    story.ledger.put("1", name="Entry 1", amount="9.99", note="theirs")
    story.ledger.put("2", name="Entry 2", amount="2.10", note="theirs")
    story.later(hours=1)
    story.finish()
    assert (first["values"]["note"], first["values"]["amount"]) == ("mine", {"amount": "9.99"})
    assert second["values"]["note"] == "theirs"
    told = RecordOutcome.objects.get(run=story.run, external_id="1")
    assert "by hand to ‘mine’" in told.said
    assert set(told.differences) == {"amount"}


def test_the_books_win_over_hand_edits_otherwise(story: Story) -> None:
    story.fill(1)
    story.finish()
    [item] = story.shelf.items.values()
    item["values"]["note"] = "mine"
    story.ledger.put("1", name="Entry 1", amount="1.10", note="theirs")
    story.finish()
    assert item["values"]["note"] == "theirs"


def test_a_reference_record_without_a_code_is_left_out(story: Story) -> None:
    record = Record(external_id="x", label="", values={"LIST": "accounts", "CODE": None})
    assert reference.remember(story.flow.source, [record]) == 0


# -- Routes ---------------------------------------------------------------------------------------------------------------------------


def test_a_route_sends_records_to_its_place_and_everything_else_to_the_flows_own(story: Story) -> None:
    remap(story, *RULES, routes=[{"field": "note", "is": ["north", "arctic"], "place": "north shelf"}])
    for i, note in enumerate(["north", "south", "arctic", ""], 1):
        story.ledger.put(str(i), name=f"Entry {i}", amount="1.00", note=note)
    story.finish()
    places = {item["key"]: item["place"] for item in story.shelf.items.values()}
    assert places == {"ledger:1": "north shelf", "ledger:2": "shelf", "ledger:3": "north shelf", "ledger:4": "shelf"}


def test_a_record_whose_field_changes_moves_and_keeps_its_item(story: Story) -> None:
    remap(story, *RULES, routes=[{"field": "note", "is": ["north"], "place": "north shelf"}])
    story.ledger.put("1", name="Entry 1", amount="1.00", note="south")
    story.finish()
    [(item_id, _)] = story.shelf.items.items()
    story.ledger.put("1", name="Entry 1", amount="1.00", note="north")
    story.finish()
    [(same, item)] = story.shelf.items.items()
    assert (same, item["place"], item["values"]["note"]) == (item_id, "north shelf", "north")
    assert Link.objects.get().place == "north shelf"
    story.shelf.calls.clear()
    story.finish()
    assert story.shelf.calls == []


def test_a_new_route_moves_what_stands_already_without_asking_the_source_for_every_record(story: Story) -> None:
    story.ledger.put("1", name="Entry 1", amount="1.00", note="north")
    story.ledger.put("2", name="Entry 2", amount="1.00", note="south")
    story.finish()
    remap(story, *RULES, routes=[{"field": "note", "is": ["north"], "place": "north shelf"}])
    Link.objects.update(mapping=None)
    story.finish()
    places = {item["key"]: item["place"] for item in story.shelf.items.values()}
    assert places == {"ledger:1": "north shelf", "ledger:2": "shelf"}


def test_a_place_of_its_own_calls_the_same_columns_by_other_ids(story: Story) -> None:
    story.shelf.columns["betrag"] = "number"
    route = {"field": "note", "is": ["north"], "place": "north shelf", "columns": {"amount": "betrag"}}
    remap(story, *RULES, routes=[route])
    story.ledger.put("1", name="Entry 1", amount="1.50", note="north")
    story.finish()
    [item] = story.shelf.items.values()
    assert item["values"]["betrag"] == {"amount": "1.50"}
    assert "amount" not in item["values"]
    assert Link.objects.get().written["amount"] == {"amount": "1.50"}


# -- A source that cannot tell what was deleted ------------------------------------------------------------------------------------------


def test_all_keys_are_compared_once_a_week_and_only_a_whole_read_counts(story: Story) -> None:
    story.shelf.columns["books"] = "text"
    remap(story, *RULES, Rule(column="books", title="Books", kind="text", field="ml.books"))
    story.fill(5)
    story.finish()
    del story.ledger.entries["3"]
    Flow.objects.update(cursor={**story.again().cursor, "compare_keys_at": story.clock_now().isoformat()})
    story.ledger.fails = [None, VendorUnavailable("Ledger did not answer.", vendor="ledger")]
    story.serve()
    assert not RecordOutcome.objects.filter(what="deleted").exists()
    story.later(hours=1)
    story.finish()
    assert RecordOutcome.objects.get(what="deleted").external_id == "3"
    story.ledger.calls.clear()
    story.later(days=6)
    story.finish()
    assert "keys" not in story.ledger.calls
    story.later(days=2)
    story.finish()
    assert "keys" in story.ledger.calls


# -- Items below items ----------------------------------------------------------------------------------------------------------------


def test_what_has_no_parent_yet_waits_and_is_made_below_it_when_it_is_there(story: Story) -> None:
    spec = registry.FLOWS["memory.entries"]
    registry.FLOWS["memory.lines"] = replace(spec, key="memory.lines", parent="note", parent_kind="memory.entries")
    try:
        lines = make_flow("lines")
        Flow.objects.filter(pk=lines.pk).update(
            kind="memory.lines", source=story.flow.source, target=story.flow.target, place="subitems:shelf"
        )
        story.ledger.put("1", name="Bill", amount="1.00", note="nobody")
        story.ledger.put("1a", name="Line", amount="1.00", note="1")
        lease = due.claim_flow(lines.id)
        assert lease is not None
        serve.serve(lease)
        assert story.shelf.items == {}
        story.finish()
        parent = Link.objects.get(flow=story.flow, external_id="1").target_id
        lease = due.claim_flow(lines.id)
        assert lease is not None
        serve.serve(lease)
        line = Link.objects.get(flow=lines, external_id="1a")
        assert story.shelf.items[line.target_id]["parent"] == parent
    finally:
        del registry.FLOWS["memory.lines"]


def test_when_most_records_vanish_at_once_none_is_marked_and_the_connection_says_why(story: Story) -> None:
    """A user whose rights were cut sees fewer records without any error: that is no deletion."""
    story.shelf.columns["books"] = "text"
    remap(story, *RULES, Rule(column="books", title="Books", kind="text", field="ml.books"))
    story.fill(60)
    story.finish()
    for i in range(1, 31):
        del story.ledger.entries[str(i)]
    Flow.objects.update(cursor={**story.again().cursor, "compare_keys_at": story.clock_now().isoformat()})
    story.finish()
    assert not RecordOutcome.objects.filter(what="deleted").exists()
    warnings = Connection.objects.get(pk=story.flow.source_id).warnings
    assert warnings["many_missing"]["said"].startswith("30 entries can no longer be seen in Ledger.")

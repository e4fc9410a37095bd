"""Undo of a run: what nobody touched since goes back, what was touched is told and left."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.errors import RateLimited, VendorUnavailable
from integrations.models import Attempt, Due, Flow, Link, RecordOutcome, Run
from integrations.models.flow import FlowState, LinkState
from integrations.sync import due, undo, verbs
from integrations.sync.undo import CannotUndo
from mappings.apply import Rule
from mappings.fields import load_value
from mappings.sets import new_version
from tenants.audit import SYSTEM, verify
from tenants.models import AuditEvent
from tests.sync.conftest import RULES, Story, links

pytestmark = pytest.mark.database

SHOUTED = (replace(RULES[0], steps=({"do": "upper"},)), *RULES[1:])


def map_by(story: Story, rules: tuple[Rule, ...]) -> None:
    mapping = new_version(story.flow.mapping.line, rules, by=SYSTEM)
    Flow.objects.filter(pk=story.flow.pk).update(mapping=mapping)
    story.flow = Flow.objects.get(pk=story.flow.pk)


def item_of(story: Story, external_id: str) -> dict[str, Any]:
    return story.shelf.items[Link.objects.get(flow=story.flow, external_id=external_id).target_id]["values"]


def begin_again(story: Story) -> None:
    """Start the flow after an undo, and forget the calls so far."""
    verbs.start(story.again(), by=SYSTEM)
    story.shelf.calls.clear()


def two_runs(story: Story, n: int = 12) -> Run:
    """A load, and a run that changes the first three and makes one more."""
    story.fill(n)
    story.finish()
    story.later(hours=1)
    for i in (1, 2, 3):
        story.ledger.put(str(i), name=f"Entry {i}", amount="99.99", note="")
    story.fill(1, start=n + 1)
    story.finish()
    story.later(hours=1)
    return story.run


def test_what_a_run_changed_goes_back_and_what_it_made_is_archived(story: Story) -> None:
    run = two_runs(story)
    undone = undo.undo(story.flow, by=SYSTEM)
    assert (undone.n_cells, undone.n_records, undone.n_archived, undone.left) == (3, 3, 1, [])
    assert [item_of(story, str(i))["amount"] for i in (1, 2, 3)] == [{"amount": f"{i}.10"} for i in (1, 2, 3)]
    assert len(story.shelf.items) == 12
    assert [item["key"] for item in story.shelf.archived.values()] == ["ledger:13"]
    run.refresh_from_db()
    assert run.undone_at
    assert (
        story.run.said
        == "Undo of the run of 2026-11-27 10:00 UTC. 3 cells of 3 entries back as before, 1 item archived, 0 left as they stand."
    )
    assert (story.run.state, story.run.undoes, story.run.n_updated, story.run.n_gone) == ("done", run, 3, 1)
    assert (story.again().state, story.flow.state_said[:43]) == (FlowState.PAUSED, "The run of 2026-11-27 10:00 UTC was undone.")
    assert Due.objects.get().leased_until is None
    event = AuditEvent.objects.filter(action="run.undone").get()
    assert (event.subject_id, event.details["cells"], event.details["archived"], event.details["n_left"]) == (
        str(run.pk),
        3,
        1,
        0,
    )
    assert verify(story.tenant).ok


def test_nothing_is_done_again_until_the_source_changes_and_then_it_is(story: Story) -> None:
    two_runs(story)
    undo.undo(story.flow, by=SYSTEM)
    begin_again(story)
    story.finish()
    verbs.run_now(story.flow, by=SYSTEM, full=True)
    story.finish()
    assert story.shelf.calls == []
    assert links(story.flow)["13"] == LinkState.WITHDRAWN
    story.ledger.put("1", name="Entry 1", amount="5.00", note="")
    story.ledger.put("13", name="Entry 13", amount="13.50", note="")
    story.finish()
    assert item_of(story, "1")["amount"] == {"amount": "5.00"}
    assert item_of(story, "2")["amount"] == {"amount": "2.10"}
    assert item_of(story, "13")["amount"] == {"amount": "13.50"}
    assert len(story.shelf.items) == 13


def test_what_people_changed_since_is_told_and_left(story: Story) -> None:
    run = two_runs(story)
    item_of(story, "2")["amount"] = {"amount": "7.77"}
    item_of(story, "13")["note"] = "checked"
    undone = undo.undo(story.flow, by=SYSTEM)
    told = [(each.external_id, each.column, each.wrote, each.stands, each.why) for each in undone.left]
    assert [each[:2] for each in told] == [("13", "note"), ("2", "amount")]
    assert undone.left[1].said(undone.titles) == (
        "Entry 2, Amount: the run wrote ‘99.99’, now there stands ‘7.77’. It was changed on the board since."
    )
    assert item_of(story, "2")["amount"] == {"amount": "7.77"}
    assert item_of(story, "13")["note"] == "checked"
    assert item_of(story, "1")["amount"] == {"amount": "1.10"}
    assert set(RecordOutcome.objects.filter(run=story.run, what="flagged").values_list("external_id", flat=True)) == {"2", "13"}
    assert AuditEvent.objects.get(action="run.undone", subject_id=str(run.pk)).details["left"] == ["13 note", "2 amount"]


def test_an_item_that_people_removed_is_told(story: Story) -> None:
    two_runs(story)
    gone = Link.objects.get(external_id="1").target_id
    del story.shelf.items[gone]
    story.shelf.removed.add(gone)
    undone = undo.undo(story.flow, by=SYSTEM)
    assert [each.said({}) for each in undone.left] == ["Entry 1: The item is no longer on the board."]
    assert (undone.n_cells, undone.n_failed) == (2, 0)


def test_the_mapping_of_before_comes_back_and_stays_quiet(story: Story) -> None:
    story.fill(12)
    story.finish()
    first = story.flow.mapping
    story.later(hours=1)
    map_by(story, SHOUTED)
    story.finish()
    assert item_of(story, "7")["name"] == "ENTRY 7"
    item_of(story, "8")["name"] = "Eight"
    story.later(hours=1)
    undone = undo.undo(story.flow, by=SYSTEM)
    assert story.again().mapping == first
    assert (undone.mapping, undone.n_cells, [each.external_id for each in undone.left]) == (first, 11, ["8"])
    begin_again(story)
    story.finish()
    assert story.shelf.calls == []
    assert item_of(story, "7")["name"] == "Entry 7"
    story.ledger.put("8", name="Entry 8", amount="8.88", note="")
    story.finish()
    assert item_of(story, "8") == {"name": "Eight", "amount": {"amount": "8.88"}, "note": None}


def test_a_mapping_that_somebody_chose_since_stays(story: Story) -> None:
    two_runs(story)
    map_by(story, SHOUTED)
    chosen = story.flow.mapping
    undone = undo.undo(story.flow, by=SYSTEM)
    assert (story.again().mapping, undone.mapping) == (chosen, chosen)


def test_fields_that_only_the_mapping_of_before_reads_are_read_once_more(story: Story) -> None:
    """So that the source as it is, read under the mapping of before, is not taken for a change."""
    story.ledger.hides_unasked = True
    map_by(story, (*RULES, Rule(column="due", title="Due", kind="text", field="due")))
    for i in range(1, 4):
        story.ledger.put(str(i), name=f"Entry {i}", amount="1.00", note="x", due="May", paid="June")
    story.finish()
    story.later(hours=1)
    map_by(story, (RULES[0], RULES[1], Rule(column="note", title="Note", kind="text", field="paid")))
    story.ledger.put("1", name="Entry 1", amount="2.00", note="x", due="May", paid="June")
    story.finish()
    assert item_of(story, "1") == {"name": "Entry 1", "amount": {"amount": "2.00"}, "note": "June", "due": "May"}
    story.later(hours=1)
    undo.undo(story.again(), by=SYSTEM)
    begin_again(story)
    story.finish()
    assert "write" not in story.shelf.calls
    assert item_of(story, "1") == {"name": "Entry 1", "amount": {"amount": "1.00"}, "note": "x", "due": "May"}


def test_what_a_later_run_wrote_stays_when_the_mapping_goes_back(story: Story) -> None:
    story.fill(3)
    story.finish()
    story.later(hours=1)
    map_by(story, SHOUTED)
    story.finish()
    run = story.run
    story.later(hours=1)
    story.ledger.put("2", name="Second", amount="2.10", note="")
    story.finish()
    story.later(hours=1)
    assert [each.external_id for each in undo.undo(story.again(), by=SYSTEM, run=run).left] == ["2"]
    begin_again(story)
    story.finish()
    assert ("write" in story.shelf.calls, item_of(story, "2")["name"]) == (False, "SECOND")


def test_an_older_run_gives_back_only_what_later_runs_did_not_write(story: Story) -> None:
    run = two_runs(story)
    story.ledger.put("1", name="First", amount="99.99", note="")
    story.ledger.put("2", name="Entry 2", amount="50.00", note="")
    story.finish()
    story.later(hours=1)
    undone = undo.undo(story.flow, by=SYSTEM, run=run)
    assert [(each.external_id, each.column, each.why) for each in undone.left] == [("2", "amount", "A later run wrote it.")]
    assert item_of(story, "1") == {"name": "First", "amount": {"amount": "1.10"}, "note": None}
    assert item_of(story, "2")["amount"] == {"amount": "50.00"}


def test_step_by_step_back(story: Story) -> None:
    """A later run that was undone itself stands in nobody's way."""
    run = two_runs(story)
    story.ledger.put("2", name="Entry 2", amount="50.00", note="")
    story.finish()
    story.later(hours=1)
    undo.undo(story.flow, by=SYSTEM)
    assert item_of(story, "2")["amount"] == {"amount": "99.99"}
    story.later(hours=1)
    assert undo.undo(story.flow, by=SYSTEM, run=run).left == []
    assert item_of(story, "2")["amount"] == {"amount": "2.10"}


def test_what_cannot_be_undone_is_refused_with_a_sentence(story: Story) -> None:
    with pytest.raises(CannotUndo, match="no run yet"):
        undo.undo(story.flow, by=SYSTEM)
    run = two_runs(story)
    assert due.claim_flow(story.flow.id)
    with pytest.raises(CannotUndo, match="A worker is carrying this flow"):
        undo.undo(story.flow, by=SYSTEM)
    story.later(minutes=3)
    undo.undo(story.flow, by=SYSTEM)
    with pytest.raises(CannotUndo, match="was undone already, on 2026-11-27 11:03 UTC"):
        undo.undo(story.flow, by=SYSTEM)
    with pytest.raises(CannotUndo, match="undo of another run"):
        undo.undo(story.flow, by=SYSTEM, run=Run.objects.get(undoes=run))


def test_looking_first_changes_nothing(story: Story) -> None:
    two_runs(story)
    item_of(story, "2")["amount"] = {"amount": "7.77"}
    stands = deepcopy(story.shelf.items)
    story.shelf.calls.clear()
    seen = undo.look(story.flow)
    assert story.shelf.calls == ["standing"]
    assert (seen.n_cells, seen.n_archived, [each.external_id for each in seen.left]) == (2, 1, ["2"])
    assert story.shelf.items == stands
    assert (story.again().state, Run.objects.filter(undoes__isnull=False).count()) == (FlowState.ACTIVE, 0)
    undone = undo.undo(story.flow, by=SYSTEM)
    assert (undone.n_cells, undone.n_archived, undone.left) == (seen.n_cells, seen.n_archived, seen.left)


def test_an_item_that_stood_there_before_the_flow_met_it_is_not_emptied(story: Story) -> None:
    story.shelf.items["old"] = {"key": "ledger:1", "values": {"name": "By hand", "amount": {"amount": "1.00"}, "note": "mine"}}
    story.fill(2)
    story.finish()
    undone = undo.undo(story.flow, by=SYSTEM)
    assert {each.why for each in undone.left} == {"What stood there before the run is not known."}
    assert story.shelf.items["old"]["values"]["name"] == "Entry 1"
    assert len(story.shelf.items) == 1


def test_an_overwriting_run_is_undone_without_emptying_the_board(story: Story) -> None:
    story.fill(3)
    story.finish()
    story.later(hours=1)
    verbs.run_now(story.flow, by=SYSTEM, overwrite=True)
    story.finish()
    stands = deepcopy(story.shelf.items)
    undone = undo.undo(story.flow, by=SYSTEM)
    assert (undone.n_cells, undone.n_archived, undone.left, story.shelf.items) == (0, 0, [], stands)


def test_a_column_that_the_run_filled_for_the_first_time_is_empty_again(story: Story) -> None:
    story.ledger.put("1", name="Entry 1", amount="1.00", note="", due="May")
    story.finish()
    story.later(hours=1)
    map_by(story, (*RULES, Rule(column="due", title="Due", kind="text", field="due")))
    story.finish()
    assert item_of(story, "1")["due"] == "May"
    undo.undo(story.flow, by=SYSTEM)
    assert item_of(story, "1")["due"] is None


def test_a_run_that_waits_is_undone_too(story: Story) -> None:
    story.fill(20)
    story.shelf.fails = [None, RateLimited("Slow down.", retry_after=timedelta(seconds=30), vendor="shelf")]
    story.serve()
    assert story.run.state == "waiting"
    undone = undo.undo(story.flow, by=SYSTEM)
    assert undone.n_archived == len(story.shelf.archived) > 0
    assert story.shelf.items == {}


@pytest.mark.parametrize("at", range(1, 30))
def test_an_undo_that_is_killed_anywhere_is_finished_by_starting_it_again(story: Story, at: int) -> None:
    two_runs(story)
    item_of(story, "3")["amount"] = {"amount": "7.77"}
    story.shelf.batch = 1
    n_calls = 0

    def die(_operation: str) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == at:
            raise KeyboardInterrupt

    story.shelf.on_call = die
    try:
        undo.undo(story.flow, by=SYSTEM)
    except KeyboardInterrupt:
        Due.objects.update(leased_until=story.clock_now())  # as it is when nobody let go
        story.later(minutes=3)
        undone = undo.undo(story.flow, by=SYSTEM)
        assert (undone.n_cells, undone.n_archived, [each.external_id for each in undone.left]) == (2, 1, ["3"])
    assert [item_of(story, str(i))["amount"]["amount"] for i in (1, 2, 3)] == ["1.10", "2.10", "7.77"]
    assert (len(story.shelf.items), len(story.shelf.archived), Attempt.objects.count()) == (12, 1, 0)
    assert RecordOutcome.objects.filter(run__undoes__isnull=False, what="flagged").count() == 1
    story.shelf.on_call = lambda operation: None
    begin_again(story)
    story.finish()
    assert "write" not in story.shelf.calls


def test_an_undo_whose_vendor_falls_silent_says_so_and_goes_on_later(story: Story) -> None:
    two_runs(story)
    story.shelf.loses = [VendorUnavailable("Shelf does not answer.", vendor="shelf")]
    with pytest.raises(VendorUnavailable):
        undo.undo(story.flow, by=SYSTEM)
    assert story.run.said.endswith("It stopped before it was through: Shelf does not answer. Start the undo again.")
    assert Due.objects.get().leased_until is None
    story.later(minutes=2)
    assert undo.undo(story.flow, by=SYSTEM).n_cells == 3
    assert len(story.shelf.items) == 12


# -- Whatever happened ------------------------------------------------------------------------------------------------------------

NAMES, AMOUNTS, NOTES = ("a", "b", "c"), ("1.00", "2.00", "3.5"), ("", "x", "y")
ENTRY = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "amount": st.sampled_from(AMOUNTS), "note": st.sampled_from(NOTES)}
)
ENTRIES = st.dictionaries(st.sampled_from("123456"), ENTRY, max_size=5)
HAND = st.tuples(st.sampled_from("123456"), st.sampled_from(("name", "amount", "note")), st.sampled_from((0, 1, 2)))
CHOICES = {"name": NAMES, "amount": [{"amount": each} for each in AMOUNTS], "note": NOTES}


def carry(story: Story, entries: dict[str, dict[str, str]]) -> Run | None:
    """A run of these changes, if it had anything to do."""
    n = Run.objects.filter(flow=story.flow).count()
    for external_id, values in entries.items():
        story.ledger.put(external_id, **values)
    story.later(hours=1)
    story.finish()
    return story.run if Run.objects.filter(flow=story.flow).count() > n else None


def stands(story: Story) -> dict[str, dict[str, str]]:
    """External id → column → value, canonically."""
    return {
        item["key"].removeprefix("ledger:"): {
            column: str(load_value(value) or "").removesuffix(".00") for column, value in item["values"].items()
        }
        for item in story.shelf.items.values()
    }


def written_by(run: Run | None) -> set[tuple[str, str]]:
    rows = RecordOutcome.objects.filter(run=run).values_list("external_id", "differences") if run else ()
    return {(external_id, column) for external_id, differences in rows for column in differences}


def edit(story: Story, hands: list[tuple[str, str, int]], removed: set[str]) -> None:
    found = {item["key"].removeprefix("ledger:"): target_id for target_id, item in story.shelf.items.items()}
    for external_id, column, choice in hands:
        if external_id in found:
            story.shelf.items[found[external_id]]["values"][column] = CHOICES[column][choice]
    for external_id in removed & found.keys():
        del story.shelf.items[found[external_id]]
        story.shelf.removed.add(found[external_id])


@pytest.mark.slow
@given(
    first=ENTRIES,
    second=ENTRIES,
    is_remapped=st.booleans(),
    hands=st.lists(HAND, max_size=4),
    removed=st.sets(st.sampled_from("123456"), max_size=1),
    third=ENTRIES,
    is_edited_first=st.booleans(),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exactly_what_nobody_touched_goes_back(
    stories: Callable[[], Story],
    first: dict[str, dict[str, str]],
    second: dict[str, dict[str, str]],
    is_remapped: bool,
    hands: list[tuple[str, str, int]],
    removed: set[str],
    third: dict[str, dict[str, str]],
    is_edited_first: bool,
) -> None:
    story = stories()
    carry(story, first)
    before = stands(story)
    if is_remapped:
        map_by(story, SHOUTED)
    run = carry(story, second)
    if run is None or run.mapping != story.flow.mapping:
        return
    after, wrote = stands(story), written_by(run)
    if is_edited_first:
        edit(story, hands, removed)
    later = written_by(carry(story, third))
    if not is_edited_first:
        edit(story, hands, removed)
    now = stands(story)

    left = {(each.external_id, each.column) for each in undo.undo(story.flow, by=SYSTEM, run=run).left}

    expected, touched = expectation(before, after, now, wrote, later)
    assert stands(story) == expected
    assert left == touched
    if later and is_remapped:
        return  # what the later run wrote under the other mapping is carried again, under the one that came back
    begin_again(story)
    story.finish()
    assert "write" not in story.shelf.calls
    if len(story.ledger.entries) and not removed:
        carry(story, {each: {"name": "new", "amount": "9.00", "note": "new"} for each in story.ledger.entries})
        name = "new" if story.again().mapping.version == 1 else "NEW"
        assert stands(story) == {each: {"name": name, "amount": "9", "note": "new"} for each in story.ledger.entries}


Board = dict[str, dict[str, str]]
Cells = set[tuple[str, str]]


def expectation(before: Board, after: Board, now: Board, wrote: Cells, later: Cells) -> tuple[Board, Cells]:
    """What stands there after the undo, and what is left, by looking at the three boards only."""
    expected, touched = deepcopy(now), set()
    for external_id in {each for each, _ in wrote}:
        if external_id not in now:
            touched.add((external_id, ""))
            continue
        cells = set(after[external_id])
        if external_id in before:
            cells = {column for column in cells if before[external_id].get(column, "") != after[external_id][column]}
        mine = {
            (external_id, column)
            for column in cells
            if (external_id, column) in later or now[external_id][column] != after[external_id][column]
        }
        touched |= mine
        if external_id not in before and not mine:
            del expected[external_id]
        elif external_id in before:
            expected[external_id] |= {
                column: before[external_id].get(column, "") for column in cells if (external_id, column) not in mine
            }
    return expected, touched

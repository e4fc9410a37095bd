"""Rehearsal of a mapping change: exactly what the run would then change, and nothing written by it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from integrations.models import Flow, Link, RecordOutcome, ReferenceEntry, ReviewItem, Run
from integrations.sync import undo
from integrations.sync.rehearse import Rehearsal, rehearse
from mappings.apply import Rule
from mappings.fields import load_value
from mappings.models import MappingSet
from mappings.sets import MappingRefused
from mappings.value_mappings import set_values
from mappings.values import canonical
from tenants.audit import SYSTEM
from tenants.models import AuditEvent
from tests.sync.conftest import RULES, Story
from tests.sync.test_undo import SHOUTED, map_by

pytestmark = pytest.mark.database

DUE = Rule(column="due", title="Due", kind="text", field="due")


def would_change(rehearsal: Rehearsal) -> set[tuple[str, str, str]]:
    return {(each.external_id, column, canonical(after)) for each in rehearsal for column, (_, after) in each.cells.items()}


def changed_since(story: Story, runs: set[Any]) -> set[tuple[str, str, str]]:
    outcomes = RecordOutcome.objects.filter(flow=story.flow).exclude(run__in=runs)
    return {
        (external_id, column, canonical(load_value(after)))
        for external_id, differences in outcomes.values_list("external_id", "differences")
        for column, (_, after) in differences.items()
    }


def rows() -> dict[str, Any]:
    """Everything that a rehearsal could have stored."""
    counted = (Run, RecordOutcome, Link, MappingSet, AuditEvent, ReferenceEntry, ReviewItem)
    flows = list(Flow.objects.order_by("pk").values())
    return {
        "flows": flows,
        "links": list(Link.objects.order_by("pk").values()),
        **{str(each): each.objects.count() for each in counted},
    }


def test_every_cell_that_would_change_is_named_with_before_and_after(story: Story) -> None:
    story.fill(12)
    story.ledger.put("13", name="LOUD", amount="1.00", note="")
    story.finish()
    story.shelf.calls.clear()
    story.ledger.calls.clear()
    before = rows()
    rehearsal = rehearse(story.again(), SHOUTED)
    changes = {each.external_id: each.cells for each in rehearsal}
    assert changes == {str(i): {"name": (f"Entry {i}", f"ENTRY {i}")} for i in range(1, 13)}
    assert (rehearsal.n_records, rehearsal.n_items, rehearsal.n_made, rehearsal.n_cells) == (13, 12, 0, 12)
    assert (story.shelf.calls, story.ledger.calls, rows()) == (["standing"], [], before)


def test_fields_that_were_never_read_are_read_for_it_and_not_kept(story: Story) -> None:
    story.ledger.hides_unasked = True
    for i in range(1, 13):
        story.ledger.put(str(i), name=f"Entry {i}", amount="1.00", note="", due="May" if i % 2 else None)
    story.finish()
    story.shelf.calls.clear()
    story.ledger.calls.clear()
    before = rows()
    rehearsal = rehearse(story.again(), (*RULES, DUE))
    foreseen = would_change(rehearsal)
    assert rehearsal.reads_again
    assert {external_id for external_id, _, _ in foreseen} == {"1", "3", "5", "7", "9", "11"}
    assert (story.shelf.calls, story.ledger.calls, rows()) == (["standing"], ["fetch"], before)
    runs = set(Run.objects.values_list("pk", flat=True))
    map_by(story, (*RULES, DUE))
    story.finish()
    assert changed_since(story, runs) == foreseen


def test_problems_are_told_once_with_how_many_records_have_them(story: Story) -> None:
    story.fill(3)
    story.finish()
    looked_up = replace(RULES[2], field="name", values="codes")
    rehearsal = rehearse(story.again(), (RULES[0], replace(RULES[1], field="name", steps=({"do": "decimal"},)), looked_up))
    list(rehearsal)
    told = [(each.column, each.n_records, each.example) for each in rehearsal.troubles.values()]
    assert ("amount", 3, "Entry 1") in told
    assert ("note", 1, "Entry 2") in told
    assert any("has no entry for “Entry 2”" in each.said for each in rehearsal.troubles.values())


def test_what_does_not_fit_the_board_is_told(story: Story) -> None:
    story.fill(1)
    story.finish()
    story.shelf.calls.clear()
    rehearsal = rehearse(story.again(), (replace(RULES[1], field="name"), Rule(column="gone", title="Gone", field="name")))
    assert [each.column for each in rehearsal.complaints()] == ["amount", "gone"]
    assert story.shelf.calls == ["schema"]
    with pytest.raises(MappingRefused):
        rehearse(story.again(), (RULES[0], RULES[0]))


def test_a_list_that_knows_the_codes_is_read_and_not_kept(story: Story) -> None:
    story.ledger.lists = {"codes": {"Entry 1": "Rent", "Entry 2": "Paper"}}
    story.fill(2)
    story.finish()
    rules = (RULES[0], RULES[1], replace(RULES[2], field="name", values="codes"))
    before = rows()
    foreseen = would_change(rehearse(story.again(), rules))
    assert foreseen == {("1", "note", '"Entry 1 Rent"'), ("2", "note", '"Entry 2 Paper"')}
    assert rows() == before
    runs = set(Run.objects.values_list("pk", flat=True))
    map_by(story, rules)
    story.finish()
    assert changed_since(story, runs) == foreseen


def test_hand_edits_that_a_flow_leaves_are_no_change(story: Story) -> None:
    story.fill(2)
    story.finish()
    Flow.objects.update(options={"hand_edits": "leave"})
    story.shelf.items[Link.objects.get(external_id="1").target_id]["values"]["name"] = "By hand"
    foreseen = would_change(rehearse(story.again(), SHOUTED))
    assert foreseen == {("2", "name", '"ENTRY 2"')}
    runs = set(Run.objects.values_list("pk", flat=True))
    map_by(story, SHOUTED)
    story.finish()
    assert changed_since(story, runs) == foreseen


def test_rules_that_the_flow_has_already_change_nothing_even_after_an_undo(story: Story) -> None:
    story.fill(3)
    story.finish()
    story.later(hours=1)
    story.ledger.put("1", name="First", amount="1.00", note="")
    story.finish()
    undo.undo(story.flow, by=SYSTEM)
    assert would_change(rehearse(story.again(), RULES)) == set()


# -- Whatever the change ------------------------------------------------------------------------------------------------------------

FIELDS = st.sampled_from(("name", "note", "due", "amount"))
STEPS = st.sampled_from(
    (
        (),
        ({"do": "upper"},),
        ({"do": "text"}, {"do": "cut", "length": 2}),
        ({"do": "text"}, {"do": "lower"}),
        ({"do": "decimal", "places": 1},),
        ({"do": "look_up", "values": "codes"},),
        ({"do": "text"}, {"do": "look_up", "values": "codes", "otherwise": "?"}),
        ({"do": "join", "fields": ["name", "due"], "separator": "-"},),
        ({"do": "first_filled", "fields": ["due", "note"]},),
        ({"do": "constant", "value": "fixed"},),
    )
)


@st.composite
def mappings(draw: st.DrawFn) -> tuple[Rule, ...]:
    columns = draw(st.lists(st.sampled_from(("name", "amount", "note", "due")), unique=True, min_size=1))
    made = []
    for column in columns:
        steps = draw(STEPS)
        starts_itself = bool(steps) and steps[0]["do"] in ("join", "first_filled", "constant")
        made.append(Rule(column=column, field="" if starts_itself else draw(FIELDS), steps=steps))
    return tuple(made)


TEXTS = st.sampled_from((None, "", "a", "Ab", "abc", "12.5"))
ENTRY = st.fixed_dictionaries({"name": TEXTS, "note": TEXTS, "due": TEXTS, "amount": st.sampled_from(("1.00", "2.5", "0.00"))})


@pytest.mark.slow
@example(  # of this entry nothing could be mapped before
    entries=[{"name": "a", "note": "abc", "due": None, "amount": "2.5"}],
    before=(Rule(column="note", field="note", steps=({"do": "decimal", "places": 1},)),),
    after=(Rule(column="due", field="name"),),
    removed=False,
)
@given(entries=st.lists(ENTRY, min_size=1, max_size=5), before=mappings(), after=mappings(), removed=st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_run_changes_exactly_what_was_rehearsed(
    stories: Callable[[], Story], entries: list[dict[str, Any]], before: tuple[Rule, ...], after: tuple[Rule, ...], removed: bool
) -> None:
    set_values("codes", {"a": "Rent", "Ab": "Paper"}, by=SYSTEM)
    story = stories()
    story.ledger.hides_unasked = True
    map_by(story, before)
    for number, values in enumerate(entries):
        story.ledger.put(str(number), **values)
    story.finish()
    story.later(hours=1)
    if removed and story.shelf.items:
        story.shelf.removed.add("item1")
        del story.shelf.items["item1"]
        story.ledger.put("0", name="gone", note="gone", due="gone", amount="7.77")
        story.finish()
        story.later(hours=1)
    runs = set(Run.objects.filter(flow=story.flow).values_list("pk", flat=True))
    story.shelf.calls.clear()
    stored = rows()

    foreseen = would_change(rehearse(story.again(), after))

    assert (rows(), "write" in story.shelf.calls) == (stored, False)
    map_by(story, after)
    story.finish()
    assert changed_since(story, runs) == foreseen

"""What every flow can rely on, shown with two vendors that live in memory."""

from datetime import timedelta

import pytest

from integrations import connections
from integrations.errors import ContractBroken, CredentialsRejected, RateLimited, SetupBroken, VendorUnavailable
from integrations.models import Attempt, Connection, Due, Link, RecordOutcome, Run
from integrations.models.connection import Health
from integrations.models.flow import FlowState
from integrations.sync import due, verbs
from integrations.sync.endings import Ending
from integrations.sync.plan import Step
from mappings.apply import Rule
from mappings.sets import new_version
from tenants.audit import SYSTEM, verify
from tenants.models import AuditEvent
from tests.sync.conftest import RULES, Story, links

pytestmark = pytest.mark.database


def test_every_record_arrives_once_with_its_amount(story: Story) -> None:
    story.fill(23)
    story.finish()
    story.assert_whole(23)
    assert (story.run.state, story.run.n_created, story.run.n_read) == ("done", 23, 23)


def test_a_second_run_calls_nobody_at_the_target_and_writes_no_row(story: Story) -> None:
    story.fill(12)
    story.finish()
    before = (Run.objects.count(), RecordOutcome.objects.count(), AuditEvent.objects.count())
    story.shelf.calls.clear()
    story.ledger.calls.clear()
    story.finish()
    assert story.shelf.calls == []
    assert story.ledger.calls == ["changed_since"]
    assert (Run.objects.count(), RecordOutcome.objects.count(), AuditEvent.objects.count()) == before
    assert story.again().n_checks == 2


def test_only_the_changed_columns_of_changed_records_are_written(story: Story) -> None:
    story.fill(12)
    story.finish()
    story.ledger.put("7", name="Entry 7", amount="99.99", note="")
    story.finish()
    outcome = RecordOutcome.objects.get(external_id="7", what="updated")
    assert outcome.differences == {"amount": [{"amount": "7.10"}, {"amount": "99.99"}]}
    story.assert_whole(12)


def test_a_change_outside_the_mapping_renews_our_row_and_calls_nobody(story: Story) -> None:
    story.fill(3)
    story.finish()
    story.shelf.calls.clear()
    story.ledger.put("2", name="Entry 2", amount="2.10", note="", due="not mapped")
    story.finish()
    assert story.shelf.calls == []
    assert Link.objects.get(external_id="2").source_version == story.ledger.entries["2"].version


def test_one_bad_record_among_many_is_a_dead_letter_and_arrives_when_mended(story: Story) -> None:
    story.fill(20)
    story.shelf.refuses["13"] = ()
    story.finish()
    assert len(story.shelf.items) == 19
    letter = RecordOutcome.objects.get(is_open=True)
    assert (letter.external_id, letter.said) == ("13", "Entry 13 was refused.")
    assert story.run.n_failed == 1
    story.shelf.refuses.clear()
    assert verbs.replay(story.flow, by=SYSTEM) == 1
    story.finish()
    story.assert_whole(20)
    assert not RecordOutcome.objects.filter(is_open=True).exists()


def test_a_refused_record_is_not_sent_again_and_again(story: Story) -> None:
    story.fill(3)
    story.shelf.refuses["2"] = ()
    story.finish()
    story.shelf.calls.clear()
    verbs.run_now(story.flow, by=SYSTEM, full=True)
    story.finish()
    assert story.shelf.calls == []
    assert RecordOutcome.objects.filter(external_id="2").count() == 1


def test_a_record_that_cannot_be_read_is_told_once(story: Story) -> None:
    story.fill(3)
    story.ledger.broken.add("2")
    story.finish()
    verbs.run_now(story.flow, by=SYSTEM, full=True)
    story.finish()
    assert RecordOutcome.objects.filter(external_id="2", is_open=True).count() == 1
    assert len(story.shelf.items) == 2


def test_a_refused_column_is_left_out_and_the_item_is_flagged(story: Story) -> None:
    story.fill(5)
    story.shelf.refuses["3"] = ("note",)
    story.finish()
    story.assert_whole(5)
    outcome = RecordOutcome.objects.get(external_id="3")
    assert (outcome.what, outcome.said) == ("created", "Entry 3 was refused.")
    assert "note" not in outcome.differences
    assert story.run.n_failed == 0


def test_of_several_suspected_columns_only_the_guilty_one_stays_out(story: Story) -> None:
    story.ledger.put("1", name="Entry 1", amount="1.10", note="a note")
    story.shelf.refuses["1"] = ("note", "amount")
    refuse = story.shelf.refuses

    def relent(operation: str) -> None:
        """The second call is the one without both; after it only the note is refused."""
        if operation == "written" and story.shelf.calls.count("write") == 2:
            refuse["1"] = ("note",)

    story.shelf.on_call = relent
    story.finish()
    [item] = story.shelf.items.values()
    assert item["values"] == {"name": "Entry 1", "amount": {"amount": "1.10"}}
    assert RecordOutcome.objects.get(what="flagged").said == "Entry 1 was refused."
    assert links(story.flow) == {"1": "settled"}


def test_an_item_that_people_removed_is_not_made_again(story: Story) -> None:
    story.fill(3)
    story.finish()
    target_id = Link.objects.get(external_id="2").target_id
    del story.shelf.items[target_id]
    story.shelf.removed.add(target_id)
    story.ledger.put("2", name="Entry 2", amount="5.00", note="")
    story.finish()
    assert links(story.flow)["2"] == "gone"
    story.ledger.put("2", name="Entry 2", amount="6.00", note="")
    story.finish()
    assert len(story.shelf.items) == 2


def test_a_removed_item_is_made_again_when_somebody_asks_for_it(story: Story) -> None:
    story.fill(1)
    story.finish()
    story.shelf.items.clear()
    story.shelf.removed.add("item1")
    story.ledger.put("1", name="Entry 1", amount="5.00", note="")
    story.finish()
    verbs.replay(story.flow, by=SYSTEM, external_ids=["1"])
    story.finish()
    story.assert_whole(1)


def test_a_changed_mapping_rewrites_exactly_what_it_changes(story: Story) -> None:
    story.fill(12)
    story.ledger.put("13", name="Entry 13", amount="13.10", note="urgent")
    story.finish()
    shouts = Rule(column="note", title="Note", kind="text", field="note", steps=({"do": "upper"},))
    story.flow.mapping = new_version(story.flow.mapping.line, (*RULES[:2], shouts), by=SYSTEM)
    story.flow.save(update_fields=["mapping"])
    story.shelf.calls.clear()
    story.ledger.calls.clear()
    story.finish()
    updated = RecordOutcome.objects.filter(what="updated")
    assert [(each.external_id, each.differences) for each in updated] == [("13", {"note": ["urgent", "URGENT"]})]
    assert story.shelf.calls.count("write") == 1
    assert story.ledger.calls == ["changed_since"]


def test_overwriting_writes_everything_again_without_doubles(story: Story) -> None:
    story.fill(12)
    story.finish()
    for item in story.shelf.items.values():
        item["values"]["name"] = "scribbled over"
    verbs.run_now(story.flow, by=SYSTEM, overwrite=True)
    story.finish()
    story.assert_whole(12)
    assert all(item["values"]["name"].startswith("Entry") for item in story.shelf.items.values())


def test_items_that_stand_there_already_are_adopted_before_the_first_write(story: Story) -> None:
    story.fill(3)
    story.shelf.items["old"] = {"key": "ledger:2", "values": {"amount": {"amount": "0.00"}}}
    story.shelf.items["stranger"] = {"key": "elsewhere:2", "values": {"amount": {"amount": "0.00"}}}
    story.finish()
    assert Link.objects.get(external_id="2").target_id == "old"
    assert len(story.shelf.items) == 4
    assert story.run.n_adopted == 1


def test_a_limit_ends_the_slice_as_waiting_and_the_run_goes_on_by_itself(story: Story) -> None:
    story.fill(12)
    story.shelf.fails = [None, RateLimited("The shelf's limit is used up.", vendor="shelf", retry_after=timedelta(seconds=58))]
    story.serve()
    flow = story.again()
    assert (flow.state, story.run.state, flow.waiting_said) == ("active", "waiting", "The shelf's limit is used up.")
    assert (Due.objects.get(pk=flow.id).due_at - story.run.began_at).total_seconds() == 58
    story.later(seconds=58)
    story.finish()
    story.assert_whole(12)
    assert story.run.state == "done"


def test_an_outage_is_met_with_growing_pauses_and_loses_nothing(story: Story) -> None:
    story.fill(4)
    pauses = []
    for _ in range(3):
        story.ledger.fails = [VendorUnavailable("Ledger did not answer.", vendor="ledger")]
        story.serve()
        pauses.append((Due.objects.get(pk=story.flow.id).due_at - story.clock_now()).total_seconds())
        story.later(hours=1)
    assert pauses == [30, 60, 120]
    assert Connection.objects.get(vendor="ledger").health == Health.UNAVAILABLE
    story.finish()
    story.assert_whole(4)
    assert Connection.objects.get(vendor="ledger").health == Health.HEALTHY
    assert story.again().n_setbacks == 0


def test_a_rejected_login_stops_the_flow_until_it_is_mended_and_sends_nothing_meanwhile(story: Story) -> None:
    story.fill(4)
    story.ledger.fails = [CredentialsRejected("Ledger refused the password. Enter it again.", vendor="ledger")]
    story.serve()
    flow = story.again()
    assert (flow.state, flow.state_said) == ("needs_attention", "Ledger refused the password. Enter it again.")
    assert Due.objects.get(pk=flow.id).due_at is None
    n_calls = len(story.ledger.calls)
    verbs.run_now(flow, by=SYSTEM)
    story.serve()
    assert len(story.ledger.calls) == n_calls
    connections.set_credentials(flow.source, plain={}, secrets={"token": "new"}, by=SYSTEM)
    assert story.again().state == FlowState.ACTIVE
    story.finish()
    story.assert_whole(4)


def test_a_setup_that_broke_stops_only_this_flow(story: Story) -> None:
    story.fill(4)
    story.ledger.fails = [SetupBroken("The ledger is closed. Choose another.", vendor="ledger", what="ledger")]
    story.serve()
    assert story.again().state == FlowState.NEEDS_ATTENTION
    assert Connection.objects.get(vendor="ledger").health == Health.NEW
    verbs.start(story.flow, by=SYSTEM)
    story.finish()
    story.assert_whole(4)


@pytest.mark.parametrize(
    "error", [ContractBroken("Ledger answered in a way we do not understand.", vendor="ledger", detail="???"), KeyError("ours")]
)
def test_what_we_do_not_understand_fails_loudly_and_does_not_loop(story: Story, error: Exception) -> None:
    story.fill(4)
    story.ledger.fails = [error]  # type: ignore[list-item]
    story.serve()
    assert story.run.state == "failed"
    assert story.run.said
    assert Due.objects.get(pk=story.flow.id).due_at > story.clock_now()
    assert AuditEvent.objects.filter(action="run.failed").count() == 1
    story.finish()
    story.assert_whole(4)


@pytest.mark.parametrize("damage", ["gone", "retyped"])
def test_a_column_that_is_gone_or_retyped_stops_the_flow_before_half_a_record_is_written(story: Story, damage: str) -> None:
    story.fill(4)
    if damage == "gone":
        del story.shelf.columns["note"]
    else:
        story.shelf.columns["note"] = "number"
    story.serve()
    assert story.shelf.items == {}
    assert story.again().state == FlowState.NEEDS_ATTENTION
    assert "Note" in story.flow.state_said
    story.shelf.columns["note"] = "text"
    verbs.start(story.flow, by=SYSTEM)
    story.finish()
    story.assert_whole(4)


def test_a_place_that_would_be_full_stops_the_flow_before_it_is(story: Story) -> None:
    story.shelf.n_items_max = 15
    story.fill(10)
    story.finish()
    story.fill(10, start=11)
    story.serve()
    assert story.again().state == FlowState.NEEDS_ATTENTION
    assert "10 of 15" in story.flow.state_said
    story.assert_items(10)


def test_a_paused_flow_is_not_served(story: Story) -> None:
    story.fill(3)
    verbs.pause(story.flow, by=SYSTEM, because="month-end")
    story.serve()
    assert story.shelf.items == {}
    assert story.ledger.calls == []
    verbs.start(story.flow, by=SYSTEM)
    story.finish()
    story.assert_whole(3)


def test_a_preview_is_the_plan_and_writes_nothing(story: Story) -> None:
    story.fill(3)
    story.finish()
    story.ledger.put("2", name="Entry 2", amount="5.00", note="")
    story.ledger.put("9", name="Entry 9", amount="9.00", note="")
    story.shelf.calls.clear()
    story.later(hours=1)
    planned = verbs.preview(story.flow, n=10)
    steps = {each.record.external_id: each.step for each in planned}
    assert steps == {"1": Step.UNCHANGED, "3": Step.UNCHANGED, "2": Step.UPDATE, "9": Step.CREATE}
    assert story.shelf.calls == []
    story.finish()
    written = {each.external_id: set(each.differences) for each in RecordOutcome.objects.filter(run=story.run)}
    assert written == {each.record.external_id: set(each.differences) for each in planned if each.write}


def test_a_partly_taken_batch_is_finished_later(story: Story) -> None:
    story.fill(5)
    story.shelf.takes_only = [3]
    story.serve()
    assert len(story.shelf.items) == 3
    story.later(minutes=1)
    story.finish()
    story.assert_whole(5)


def test_a_page_that_takes_longer_than_a_slice_is_carried_in_several(story: Story) -> None:
    """1,000 records at 1.2 s a batch: no slice comes near the task's timeout, and the cursor waits for the page."""
    story.ledger.page, story.shelf.batch = 1000, 10
    story.fill(1000)
    seconds = 0.0

    def tick(operation: str) -> None:
        nonlocal seconds
        seconds += 1.2 if operation == "write" else 0

    story.shelf.on_call = tick
    longest, ending = 0.0, Ending.CONTINUES
    while ending is Ending.CONTINUES:
        began = seconds
        ending = story.serve(clock=lambda: seconds) or Ending.DONE
        longest = max(longest, seconds - began)
        assert ending is Ending.DONE or story.again().cursor is None
    assert longest < 50
    assert len(story.endings) > 2
    story.assert_whole(1000)
    assert story.shelf.calls.count("write") == 100
    assert (story.run.n_read, story.run.n_slices) == (1000, len(story.endings))


def test_the_trail_tells_every_batch_and_verifies(story: Story) -> None:
    story.fill(12)
    story.finish()
    events = AuditEvent.objects.filter(action="records.settled").order_by("number")
    told = [external_id for event in events for external_id in event.details["created"]]
    assert sorted(told, key=int) == [str(i) for i in range(1, 13)]
    assert verify(story.tenant).ok


def test_nothing_is_left_open_after_a_run(story: Story) -> None:
    story.fill(12)
    story.finish()
    assert not Attempt.objects.exists()
    assert set(links(story.flow).values()) == {"settled"}


def test_a_wish_that_comes_while_a_slice_works_is_served_after_it(story: Story) -> None:
    story.fill(3)
    story.ledger.on_call = lambda operation: (
        verbs.run_now(story.flow, by=SYSTEM, full=True) if len(story.ledger.calls) == 0 else None
    )
    assert story.serve() is Ending.CONTINUES
    assert story.again().cursor is None
    assert due.count_due() == 1
    story.finish()
    story.assert_whole(3)


def test_a_mapping_that_asks_for_fields_never_read_reads_everything_once_more(story: Story) -> None:
    """What links remember lacks the new field: writing from memory would leave the column empty for good."""
    story.ledger.hides_unasked = True
    story.fill(3)
    story.ledger.put("4", name="Entry 4", amount="4.10", note="", due="tomorrow")
    story.finish()
    rules = (*RULES, Rule(column="due", title="Due", kind="text", field="due"))
    story.flow.mapping = new_version(story.flow.mapping.line, rules, by=SYSTEM)
    story.flow.save(update_fields=["mapping"])
    story.finish()
    due_of = {item["key"]: item["values"].get("due") for item in story.shelf.items.values()}
    assert due_of == {"ledger:1": None, "ledger:2": None, "ledger:3": None, "ledger:4": "tomorrow"}
    story.shelf.calls.clear()
    story.finish()
    assert story.shelf.calls == []


def test_refusals_without_a_time_are_met_with_growing_waits(story: Story) -> None:
    story.fill(3)
    waits = []
    for _ in range(3):
        story.ledger.fails = [
            RateLimited("Ledger asks us to slow down.", vendor="ledger", retry_after=timedelta(seconds=30), grows=True)
        ]
        story.serve()
        waits.append((Due.objects.get(pk=story.flow.id).due_at - story.clock_now()).total_seconds())
        story.later(hours=1)
    assert waits == [30, 60, 120]
    story.finish()
    story.assert_whole(3)

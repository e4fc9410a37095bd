"""Bad days: workers that die over and over, words that no database keeps, logins that stay refused, companies that must not mix."""

from datetime import timedelta

import pytest

from integrations import connections
from integrations.errors import CredentialsRejected, RateLimited, RecordRejected, SetupBroken, VendorUnavailable
from integrations.models import Connection, Due, Link, RecordOutcome
from integrations.models.connection import Health
from integrations.models.run import RunState
from integrations.sync import due, verbs
from integrations.sync.endings import Ending
from mappings.apply import Rule
from mappings.sets import new_version
from tenants.audit import SYSTEM
from tests.sync.conftest import RULES, Story

pytestmark = pytest.mark.database


def test_a_flow_over_which_workers_die_again_and_again_is_ended_with_a_sentence(story: Story) -> None:
    story.fill(3)
    for _ in range(3):
        assert due.claim_flow(story.flow.id) is not None  # and then the worker is gone
        story.later(seconds=151)
    story.serve()
    assert story.run.state == RunState.FAILED
    assert "three times in a row" in story.run.said
    assert Due.objects.get(pk=story.flow.id).due_at > story.clock_now()
    story.finish()
    story.assert_whole(3)


def test_a_refusal_with_half_a_character_and_a_nul_is_kept_without_them(story: Story) -> None:
    story.fill(2)
    story.shelf.refuses["2"] = ()
    story.shelf.words = "Bad \ud83d value\x00 here"
    story.finish()
    assert RecordOutcome.objects.get(is_open=True).said == "Bad \ufffd value here"


def test_a_long_text_that_no_list_knows_is_written_and_not_put_up_for_review(story: Story) -> None:
    rule = Rule(column="note", title="Account", kind="text", field="note", values="accounts")
    story.flow.mapping = new_version(story.flow.mapping.line, (*RULES[:2], rule), by=SYSTEM)
    story.flow.save(update_fields=["mapping"])
    story.ledger.put("1", name="Entry 1", amount="1.00", note="x" * 900)
    story.finish()
    story.assert_whole(1)


def test_what_anybody_typed_into_the_key_column_does_not_stop_the_first_load(story: Story) -> None:
    story.shelf.items["odd"] = {"key": "ledger:" + "9" * 300, "values": {"amount": {"amount": "0.00"}}}
    story.fill(2)
    story.finish()
    assert Link.objects.count() == 2


def test_an_identity_that_is_too_long_is_a_dead_letter_and_its_neighbours_arrive(story: Story) -> None:
    story.fill(2)
    story.ledger.put("7" * 130, name="Entry", amount="1.00", note="")
    story.finish()
    assert len(story.shelf.items) == 2
    assert "more than 120 characters" in RecordOutcome.objects.get(is_open=True).said


def test_a_refused_login_stays_refused_when_the_vendor_then_does_not_answer(story: Story) -> None:
    connections.note_failure(story.flow.source, CredentialsRejected("Wrong password.", vendor="ledger"))
    connections.note_failure(story.flow.source, VendorUnavailable("Ledger did not answer.", vendor="ledger"))
    stored = Connection.objects.get(pk=story.flow.source_id)
    assert (stored.health, stored.health_said) == (Health.NEEDS_ATTENTION, "Wrong password.")


def test_a_limit_says_nothing_about_a_connections_health(story: Story) -> None:
    connections.note_failure(story.flow.source, RateLimited("Slow down.", vendor="ledger", retry_after=timedelta(seconds=1)))
    assert Connection.objects.get(pk=story.flow.source_id).health == Health.NEW


@pytest.mark.parametrize("wait", [timedelta(days=10_000), timedelta(seconds=30)])
def test_no_wait_is_longer_than_a_day_whatever_a_vendor_says_and_however_often(story: Story, wait: timedelta) -> None:
    story.fill(2)
    story.flow.n_setbacks = 60
    story.flow.save(update_fields=["n_setbacks"])
    story.ledger.fails = [RateLimited("Slow down.", vendor="ledger", retry_after=wait, grows=wait < timedelta(days=1))]
    story.serve()
    waits = Due.objects.get(pk=story.flow.id).due_at - story.clock_now()
    assert timedelta(seconds=30) <= waits <= timedelta(hours=25)


def test_another_company_behind_the_same_connection_is_refused_once_records_were_carried(story: Story) -> None:
    source = story.flow.source
    connections.set_credentials(source, plain={"company": "A"}, secrets={"token": "t"}, by=SYSTEM)
    story.fill(2)
    story.finish()
    with pytest.raises(SetupBroken, match="Make a new connection"):
        connections.set_credentials(source, plain={"company": "B"}, secrets={"token": "t"}, by=SYSTEM)
    assert Connection.objects.get(pk=source.pk).settings == {"company": "A"}


def test_a_replay_of_many_records_that_did_not_change_is_cut_into_slices(story: Story) -> None:
    story.fill(2)
    story.finish()
    verbs.replay(story.flow, by=SYSTEM, external_ids=["1", "2"])
    seconds = iter(range(0, 10_000, 60))
    assert story.serve(clock=lambda: float(next(seconds))) is Ending.CONTINUES
    story.finish()
    story.assert_whole(2)


def test_refused_records_are_told_in_the_vendors_own_words(story: Story) -> None:
    assert RecordRejected("a\x00b").said == "ab"


def test_failures_apart_are_no_growing_outage(story: Story) -> None:
    """A page of many batches: each failure is met with the first, short pause when others got through between."""
    story.ledger.page, story.shelf.batch = 50, 5
    story.fill(50)
    failure = VendorUnavailable("Shelf did not answer.", vendor="shelf")
    story.shelf.fails = [None, failure, None, None, failure, None, None, failure]
    pauses = []
    for _ in range(3):
        story.serve()
        pauses.append((Due.objects.get(pk=story.flow.id).due_at - story.clock_now()).total_seconds())
        story.later(minutes=1)
    story.finish()
    assert pauses == [30, 30, 30]
    story.assert_whole(50)

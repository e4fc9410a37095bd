"""Duplicates and losses: killed anywhere, answers lost, two workers, leases that died. Named for what users of this field complain of."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection

from integrations.errors import VendorUnavailable
from integrations.models import Attempt, Due, Flow, Link, RecordOutcome
from integrations.sync import due, serve, verbs
from integrations.sync.endings import Ending
from tenants.audit import SYSTEM, verify
from tests.sync.conftest import Story

pytestmark = pytest.mark.database

N = 12


class Killed(BaseException):
    """The process is gone. Nothing of ours may catch it, and nothing after it reaches the database or a vendor."""


class Executioner:
    """Counts every database write and every outside call, and lets the process die before or after the n-th of them."""

    def __init__(self, at: int = -1) -> None:
        self.n, self.at, self.is_dead = 0, at, False
        self.steps: list[str] = []

    def step(self, what: str) -> None:
        if self.is_dead:
            raise Killed(what)
        self.n += 1
        self.steps.append(what)
        if self.n == self.at:
            self.is_dead = True
            raise Killed(what)

    def on_sql(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            self.step(sql.split("WHERE")[0][:60])
        return execute(sql, params, many, context)

    @contextmanager
    def watching(self, story: Story) -> Iterator[None]:
        before = story.ledger.on_call, story.shelf.on_call
        story.ledger.on_call = story.shelf.on_call = self.step
        try:
            with ExitStack() as stack:
                stack.enter_context(connection.execute_wrapper(self.on_sql))
                yield
        finally:
            story.ledger.on_call, story.shelf.on_call = before


def prepare(story: Story) -> None:
    """A flow in the middle of its life: some records stand there, some are new, some changed, one is refused."""
    story.fill(6)
    story.shelf.refuses["4"] = ()
    story.finish()
    story.ledger.put("2", name="Entry 2", amount="2.22", note="changed")
    story.fill(N - 6, start=7)
    story.shelf.refuses["9"] = ("note",)
    story.ledger.put("9", name="Entry 9", amount="9.10", note="refused")


def lives_and_dies(story: Story, at: int) -> Executioner:
    executioner = Executioner(at)
    with executioner.watching(story):
        try:
            story.serve()
        except Killed:
            pass
        else:
            executioner.is_dead = False
    return executioner


def assert_as_it_should_be(story: Story) -> None:
    """The board that a run which nobody disturbed would have left."""
    keys = sorted(item["key"] for item in story.shelf.items.values())
    assert keys == sorted(f"ledger:{i}" for i in range(1, N + 1) if i != 4), keys
    values = {item["key"]: item["values"] for item in story.shelf.items.values()}
    assert values["ledger:2"]["amount"] == {"amount": "2.22"}
    assert values["ledger:2"]["note"] == "changed"
    assert "note" not in values["ledger:9"]
    assert not Attempt.objects.exists()
    assert Link.objects.exclude(state="settled").values_list("external_id", flat=True).get() == "4"
    assert RecordOutcome.objects.filter(is_open=True).values_list("external_id", flat=True).get() == "4"
    written = {link.external_id: link.written for link in Link.objects.exclude(external_id="4")}
    assert all(written[key.removeprefix("ledger:")] == value for key, value in values.items())
    assert verify(story.tenant).ok


def how_many_steps(story: Story) -> list[str]:
    prepare(story)
    executioner = lives_and_dies(story, at=-1)
    assert_as_it_should_be(story)
    return executioner.steps


N_STEPS_MOST = 120


def test_the_enumeration_below_covers_every_step_of_a_run(story: Story) -> None:
    steps = how_many_steps(story)
    assert 20 < len(steps) <= N_STEPS_MOST
    assert {"write", "written", "changed_since", "schema"} <= set(steps)


@pytest.mark.parametrize("hours", [0, 1], ids=["at_once", "an_hour_later"])
@pytest.mark.parametrize("at", range(1, N_STEPS_MOST + 1))
def test_killed_at_any_step_and_started_again_the_shelf_is_the_same(story: Story, at: int, hours: int) -> None:
    """``written`` is the moment after the target did it and before we know; each UPDATE and INSERT is a moment before a write."""
    prepare(story)
    executioner = lives_and_dies(story, at)
    if not executioner.is_dead and executioner.n < at:
        return  # the run has fewer steps than this
    if at > 1 and hours:
        assert story.serve() is None  # its lease still holds
    story.later(seconds=151, hours=hours)
    for _ in range(20):
        if story.serve() is Ending.DONE and not Due.objects.filter(pk=story.flow.id, due_at__lte=story.clock_now()).exists():
            break
        story.later(minutes=1)
    assert_as_it_should_be(story)


@pytest.mark.parametrize("minutes", [1, 31])
def test_an_answer_that_was_lost_makes_no_second_item(story: Story, minutes: int) -> None:
    story.fill(5)
    story.shelf.loses = [VendorUnavailable("Shelf did not answer.", vendor="shelf")]
    story.serve()
    assert len(story.shelf.items) == 5
    assert Attempt.objects.count() == 1
    story.later(minutes=minutes)
    story.finish()
    story.assert_whole(5)
    assert story.shelf.calls.count("look_up") == (1 if minutes == 31 else 0)


def test_an_answer_to_a_changed_item_that_was_lost_is_written_again(story: Story) -> None:
    story.fill(5)
    story.finish()
    story.ledger.put("3", name="Entry 3", amount="33.00", note="")
    story.shelf.loses = [VendorUnavailable("Shelf did not answer.", vendor="shelf")]
    story.serve()
    story.ledger.put("3", name="Entry 3", amount="3.10", note="")  # and back again, before anybody knows
    story.later(minutes=31)
    story.finish()
    story.assert_whole(5)


def test_after_new_credentials_an_old_key_is_not_sent_again(story: Story) -> None:
    """Idempotency keys belong to a user: under another login the same key would make a second item."""
    story.fill(5)
    story.shelf.loses = [VendorUnavailable("Shelf did not answer.", vendor="shelf")]
    story.serve()
    story.later(minutes=2)
    target = story.flow.target
    target.credentials_set_at = story.clock_now()
    target.save(update_fields=["credentials_set_at"])
    n_writes = story.shelf.calls.count("write")
    story.finish()
    story.assert_whole(5)
    assert story.shelf.calls.count("write") == n_writes
    assert story.shelf.calls.count("look_up") == 1


def test_of_two_workers_on_one_flow_one_does_nothing(story: Story) -> None:
    story.fill(5)
    first = due.claim_flow(story.flow.id)
    assert first is not None
    assert due.claim_flow(story.flow.id) is None
    assert due.claim() is None
    serve.serve(first)
    story.assert_whole(5)


def test_a_slice_whose_lease_was_taken_over_changes_nothing_more(story: Story) -> None:
    """The first worker hangs in a call; the second takes over and finishes; the first wakes up."""
    story.fill(5)
    taken_over: list[Ending | None] = []

    def hang(operation: str) -> None:
        if operation == "existing" and not taken_over:
            taken_over.append(None)
            story.later(seconds=151)
            taken_over[0] = story.serve()

    story.shelf.on_call = hang
    story.serve()
    assert taken_over == [Ending.DONE]
    story.assert_whole(5)
    assert RecordOutcome.objects.count() == 5
    assert Flow.objects.get(pk=story.flow.id).n_checks == 1


def test_a_replay_told_while_it_is_carried_is_not_forgotten(story: Story) -> None:
    story.fill(1)
    story.finish()
    verbs.replay(story.flow, by=SYSTEM, external_ids=["1"])

    def tell_again(operation: str) -> None:
        if operation == "write" and story.shelf.calls.count("write") == 1:
            story.later(seconds=1)
            verbs.replay(story.flow, by=SYSTEM, external_ids=["1"])

    story.shelf.on_call = tell_again
    story.finish()
    assert story.shelf.calls.count("write") == 3
    story.assert_whole(1)

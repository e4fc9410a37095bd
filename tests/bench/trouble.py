"""The real flow with a board that often fails: every so-many-th call is refused, breaks, or is carried out and never answered."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from integrations.models import Due, Flow, Run
from integrations.models.run import RunState
from integrations.sync import verbs
from integrations.vendors.intacct import streams
from tenants.audit import SYSTEM
from tests.bench import standing
from tests.bench.bills import company
from tests.bench.engine import refuse_failure
from tests.bench.standing import Company

MOST_SLICES = 100
WRITES = "create_item"


def carry(*, n: int, page: int, answers_after: float, every: Mapping[str, int]) -> dict[str, Any]:
    """Three runs: all is new, nothing changed, ten changed. ``every``: which calls of the board fail, by the name of the failure.

    Where the flow waits, the clock is set to the moment at which it wanted to go on.
    """
    streams.PAGE_SIZE = page
    with time_machine.travel(datetime.now(UTC), tick=True) as clock, company(n) as made:
        made.door.turn("monday", "faults", name="latency", times=None, seconds=answers_after)
        for name, nth in every.items():
            made.door.turn("monday", "faults", name=name, times=None, every=nth)
        before = len(made.door.log("monday"))
        runs = [_carried_through(made, clock)]
        for n_changed in (0, 10):
            made.door.change(n_changed)
            runs.append(_carried_through(made, clock))
        calls = made.door.log("monday")[before:]
        return {"runs": runs, "struck": _struck(calls), **standing.compare(made)._asdict()}


def _struck(calls: Sequence[Mapping[str, Any]]) -> int:
    """How many calls failed. Raises unless a lost answer was that to a write: nothing else could double a bill."""
    cut = [each["operation"] for each in calls if each["status"] is None]
    if not any(WRITES in operation for operation in cut):
        raise AssertionError(f"no answer to a write was lost; these were: {cut}")
    return sum(each["status"] != 200 for each in calls)


def _carried_through(made: Company, clock: Any) -> dict[str, Any]:
    """A run with all its waits. After each slice: was it said to be done while the board was not what the books are?"""
    calls, began, began_at = len(made.door.log("monday")), time.perf_counter(), datetime.now(UTC)
    too_early, waited = 0, timedelta()
    for _ in range(MOST_SLICES):
        verbs.serve_here(made.flow, by=SYSTEM)
        waits_until = _waits_until(made.flow)
        if waits_until is None or Run.objects.filter(flow=made.flow, state=RunState.DONE, began_at__gte=began_at).exists():
            too_early += standing.compare(made) != standing.PERFECT
        if waits_until is None:
            refuse_failure(made.flow)
            n_calls = len(made.door.log("monday")) - calls
            return {
                "seconds": time.perf_counter() - began, "waited": waited.total_seconds(), "target": n_calls, "too_early": too_early,
            }  # fmt: skip
        waited += (wait := waits_until - datetime.now(UTC) + timedelta(seconds=1))
        clock.shift(wait)
    raise AssertionError(f"the run did not end within {MOST_SLICES} slices")


def _waits_until(flow: Flow) -> datetime | None:
    if Flow.objects.get(pk=flow.pk).waiting_until is None:
        return None
    return Due.objects.get(pk=flow.id).due_at

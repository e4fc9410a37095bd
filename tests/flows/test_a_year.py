"""A year of polling on a clock we set: every four hours and every morning, month-ends, a day without the vendor, two clock changes."""

import random
from datetime import timedelta

import pytest

from integrations.models import Attempt, Due, Flow, Link, RecordOutcome, Run
from integrations.models.flow import FlowState
from integrations.sync import due, serve
from tenants.audit import verify
from tenants.models import AuditEvent
from tests.flows.conftest import Harbor
from tests.flows.test_references import FLOWS, Apply, apply

__all__ = ["apply"]

DAYS = 365
NEW_A_DAY = 5
CHURN_A_MONTH = 0.05
OUTAGE = range(200, 201)


class Office:
    """What the bookkeepers do, day by day; it counts what a board has to show for it."""

    def __init__(self, harbor: Harbor) -> None:
        self.harbor, self.random = harbor, random.Random(2027)
        self.bills: list[str] = []
        self.n_changed = 0

    def works(self, day: int) -> None:
        today = self.harbor.now()
        is_month_end = (today + timedelta(days=1)).day == 1
        self.bills += self.harbor.books.world.seed(bills=NEW_A_DAY * (6 if is_month_end else 1), over=60)["bills"]
        for recordno in self.random.sample(self.bills, round(len(self.bills) * CHURN_A_MONTH / 30)):
            due_on = today + timedelta(days=self.random.randint(100, 10_000))
            self.harbor.books.world.change_bill(recordno, WHENDUE=f"{due_on:%m/%d/%Y}")
            self.n_changed += 1


def serve_what_is_due(harbor: Harbor, until: timedelta) -> int:
    """What the tick does, minute by minute, with the empty minutes skipped; returns how often something was looked at."""
    end, n_served = harbor.now() + until, 0
    while True:
        row = Due.objects.filter(due_at__lte=end).order_by("due_at").first()
        if row is None or row.due_at is None:
            harbor.later(seconds=(end - harbor.now()).total_seconds())
            return n_served
        harbor.later(seconds=max(0.0, (row.due_at - harbor.now()).total_seconds()))
        while lease := due.claim():
            serve.serve(lease)
            n_served += 1


@pytest.mark.slow
def test_a_year_passes_and_nothing_is_missed_doubled_or_piled_up(harbor: Harbor, apply: Apply) -> None:
    apply(flows=FLOWS, replace=('schedule = "every 4 hours"', 'schedule = "every 4 hours"'))
    office, n_served = Office(harbor), 0
    for day in range(DAYS):
        if day == OUTAGE.start:
            harbor.books.faults.arm("http_503", times=None)
        if day == OUTAGE.stop:
            harbor.books.faults.clear()
        office.works(day)
        n_served += serve_what_is_due(harbor, timedelta(days=1))
        harbor.forget_calls()
    serve_what_is_due(harbor, timedelta(hours=5))
    assert n_served > DAYS * 6
    harbor.assert_agrees()
    assert {flow.state for flow in Flow.objects.all()} == {FlowState.ACTIVE}
    assert not Attempt.objects.exists()
    happened = RecordOutcome.objects.filter(flow=harbor.flow)
    assert happened.filter(what="created").count() == len(office.bills) == Link.objects.filter(flow=harbor.flow).count()
    assert happened.count() <= len(office.bills) + office.n_changed
    assert not happened.filter(what="failed").exists()
    n_events = len(office.bills) + office.n_changed
    assert Run.objects.count() < DAYS * 3, "a look that finds nothing leaves no row"
    assert AuditEvent.objects.count() < n_events + Run.objects.count() + 50
    assert verify(harbor.tenant).ok

"""Once a night both sides are compared, through the queue, for flows that ask for it."""

from collections.abc import Callable
from contextvars import copy_context

from django_q.models import OrmQ

from integrations import tasks
from integrations.models import Due, Flow, Reconciliation
from tests.flows.conftest import Harbor


def as_a_worker(task: Callable[..., None], *args: str) -> None:
    """With a tenant of its own, which it clears: the test goes on with its own."""
    copy_context().run(task, *args)


def test_a_flow_that_asks_for_it_is_reconciled_once_a_night(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=12)
    Flow.objects.update(options={"reconcile_nightly": True})
    harbor.finish()
    harbor.later(hours=18)  # 03:00 UTC the next day is still the evening before in Chicago
    Due.objects.update(due_at=harbor.now())
    as_a_worker(tasks.serve_next)
    assert not Reconciliation.objects.exists()
    harbor.later(hours=7)  # four in the morning there
    for _ in range(3):
        Due.objects.update(due_at=harbor.now())
        OrmQ.objects.all().delete()
        as_a_worker(tasks.serve_next)
        for queued in OrmQ.objects.all():
            if queued.task["func"] == "integrations.tasks.reconcile_tonight":
                as_a_worker(tasks.reconcile_tonight, *queued.task["args"])
        harbor.later(minutes=10)
    [made] = Reconciliation.objects.all()
    assert made.agrees
    assert (made.n_source_calls, made.n_target_calls) != (0, 0)


def test_nobody_is_reconciled_who_did_not_ask(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=2)
    harbor.later(hours=24)
    Due.objects.update(due_at=harbor.now())
    as_a_worker(tasks.serve_next)
    assert not any("reconcile" in queued.task["func"] for queued in OrmQ.objects.all())

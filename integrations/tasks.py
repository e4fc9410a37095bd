"""What the queue may call. Tasks carry ids at most, start by claiming a row, and never raise: the queue only rings the bell."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import structlog
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Schedule
from django_q.tasks import async_task

from integrations import sharing
from integrations.models import Flow
from integrations.sync import due
from integrations.sync.bell import BULK, PEOPLE, ring
from integrations.sync.endings import Ending
from integrations.sync.reconcile import is_due, reconcile_if_due
from integrations.sync.serve import serve
from tenants.scoping import acting_for, clear_tenant

log = structlog.get_logger(__name__)
P = ParamSpec("P")

TICK = "integrations.tasks.tick"
RECONCILING_LASTS = 20 * 60  # seconds; a board of 10,000 items is read in pages of 500
MOST_BELLS = 50  # a tick rings for so many flows at most; those that are left are found by the next slices


def never_raises(task: Callable[P, None]) -> Callable[P, None]:
    """A raising task comes back for ever and its traceback is stored in the queue's tables: ours log, redacted, and end."""

    @wraps(task)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> None:
        clear_tenant()
        try:
            task(*args, **kwargs)
        except Exception:
            log.exception("task_failed", task=task.__name__)
        finally:
            clear_tenant()

    return quietly


@never_raises
def serve_next() -> None:
    """Serve the due flow of the tenant that was served longest ago; ring again when there is more to do."""
    _serve_one(urgent=False)


@never_raises
def serve_urgent() -> None:
    """The same for flows that somebody waits for."""
    _serve_one(urgent=True)


def _serve_one(*, urgent: bool) -> None:
    lease = due.claim(urgent=urgent)
    if lease is None:
        return
    ending = serve(lease)
    if ending is Ending.CONTINUES or due.count_due():
        ring()
    if ending is Ending.DONE and _is_reconciliation_due(lease):
        ids = (str(lease.tenant_id), str(lease.flow_id))
        async_task("integrations.tasks.reconcile_tonight", *ids, cluster=BULK, timeout=RECONCILING_LASTS)


def _is_reconciliation_due(lease: due.Lease) -> bool:
    with acting_for(lease.tenant_id):
        flow = Flow.objects.filter(pk=lease.flow_id).first()
        return flow is not None and is_due(flow, timezone.now())


@never_raises
def reconcile_tonight(tenant_id: str, flow_id: str) -> None:
    """Compare a flow's two sides, once a night; a second telling finds that it has been done, or is being done."""
    with acting_for(tenant_id):
        if flow := Flow.objects.select_related("source", "target", "mapping").filter(pk=flow_id).first():
            reconcile_if_due(flow, timezone.now())


@never_raises
def tick() -> None:
    """Once a minute: ring for what is due, what was woken, and flows whose worker died."""
    n_due = due.count_due()
    for _ in range(min(n_due, MOST_BELLS) - get_broker(BULK).queue_size()):
        ring()
    log.debug("tick", n_due=n_due, at=timezone.now().isoformat())


def keep_ticking() -> None:
    """Make the tick's schedule what it has to be; called whenever workers start, so that nobody can lose it for long."""
    wanted = {"schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1, "cluster": PEOPLE, "next_run": timezone.now()}
    ticks = Schedule.objects.filter(name="tick")
    with sharing.turn("tick"):  # a schedule's name is not unique: workers that start together would each make one
        oldest = ticks.order_by("pk").first()
        if oldest is None:
            Schedule.objects.create(name="tick", func=TICK, **wanted)
        else:
            ticks.exclude(pk=oldest.pk).delete()
            ticks.update(func=TICK, **wanted)

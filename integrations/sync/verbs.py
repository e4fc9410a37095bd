"""Verbs of a flow: start, pause, resume, run now, replay, resync, preview. Pages, API, admin, tasks and commands call these."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.models import Flow, Link, RecordOutcome, WakeUp
from integrations.models.flow import FlowState, LinkState
from integrations.sync import due, schedules, serve
from integrations.sync.bell import ring
from integrations.sync.endings import Ending
from integrations.sync.engine import preview as _preview
from integrations.sync.plan import Planned
from tenants import audit
from tenants.scoping import current_tenant_id


def start(flow: Flow, *, by: audit.Actor) -> None:
    """Let a paused or stopped flow be served from now on; cursor and links are where they were."""
    _change_state(flow, to=FlowState.ACTIVE, by=by, action="flow.started", said="")
    due.make_due(flow.id, at=timezone.now())


def pause(flow: Flow, *, by: audit.Actor, because: str) -> None:
    """Stop scheduling this flow. A run under way finishes its slice; cursor and links stay."""
    _change_state(flow, to=FlowState.PAUSED, by=by, action="flow.paused", said=because)
    due.make_due(flow.id, at=None)


def _change_state(flow: Flow, *, to: FlowState, by: audit.Actor, action: str, said: str) -> None:
    with transaction.atomic():
        changed = Flow.objects.filter(pk=flow.pk).exclude(state=to)
        if changed.update(
            state=to, state_said=said, state_since=timezone.now(), blocked_on=None, waiting_until=None, waiting_said=""
        ):
            audit.record(action, subject=flow, by=by, because=said)
    flow.state, flow.state_said = to, said


def run_now(flow: Flow, *, by: audit.Actor, full: bool = False, overwrite: bool = False) -> None:
    """Make a flow due at once. ``full`` forgets the cursor; ``overwrite`` also forgets the fingerprints, so that all is written anew."""
    with transaction.atomic():
        if full or overwrite:
            Flow.objects.filter(pk=flow.pk).update(cursor=None, n_resyncs=F("n_resyncs") + 1)
        if full:
            Link.objects.filter(flow=flow).exclude(source_version="").update(source_version="")
        if overwrite:
            Link.objects.filter(flow=flow, state__in=(LinkState.SETTLED, LinkState.REJECTED)).update(fingerprint="")
        audit.record("flow.run_asked", subject=flow, by=by, details={"full": full, "overwrite": overwrite})
    due.make_due(flow.id, at=timezone.now(), urgent=True)
    ring(urgent=True)


def replay(flow: Flow, *, by: audit.Actor, external_ids: Sequence[str] | None = None) -> int:
    """Carry these records again as they are now at the source (None: every open dead letter); returns how many were asked for."""
    if external_ids is None:
        external_ids = list(
            RecordOutcome.objects.filter(flow=flow, is_open=True).values_list("external_id", flat=True).distinct()
        )
    now = timezone.now()
    with transaction.atomic():
        WakeUp.objects.bulk_create(
            [
                WakeUp(flow=flow, external_id=external_id, told_at=now, rewrite=True)
                for external_id in dict.fromkeys(external_ids)
            ],
            update_conflicts=True,
            unique_fields=["flow", "external_id"],
            update_fields=["told_at", "rewrite"],
        )
        audit.record("flow.replay_asked", subject=flow, by=by, details={"records": list(external_ids)})
    if external_ids:
        due.make_due(flow.id, at=now, urgent=True)
        ring(urgent=True)
    return len(external_ids)


def serve_here(flow: Flow, *, by: audit.Actor, after_slice: Callable[[], None] = lambda: None) -> bool:
    """Carry a flow in this process, slice by slice, like a worker would; False when a worker has it already."""
    ending = Ending.CONTINUES
    while ending is Ending.CONTINUES:
        lease = due.claim_flow(flow.id)
        if lease is None:
            return False
        ending = serve.serve(lease, asked_by=str(by))
        after_slice()
    return True


def preview(flow: Flow, *, n: int = 20) -> list[Planned]:
    """What a run would do with up to ``n`` recent records. Nothing is written."""
    nobody = due.Lease(flow_id=flow.id, tenant_id=current_tenant_id(), number=-1)
    return _preview(serve.open_slice(flow, nobody), n)


def set_schedule(flow: Flow, schedule: str, *, by: audit.Actor, zone: str) -> datetime:
    """Keep another schedule; returns when the flow is due next. Raises ScheduleUnreadable."""
    schedules.check(schedule)
    next_at = schedules.next_after(timezone.now(), schedule, zone=zone, flow_id=flow.id)
    with transaction.atomic():
        Flow.objects.filter(pk=flow.pk).update(schedule=schedule, version=F("version") + 1)
        audit.record("flow.rescheduled", subject=flow, by=by, details={"schedule": schedule})
    if flow.state == FlowState.ACTIVE:
        due.make_due(flow.id, at=next_at)
    return next_at

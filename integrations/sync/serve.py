"""Serving a claimed flow: open both sides, carry out one slice, and file how it ended. Never raises: every ending has a row."""

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations import connections
from integrations.errors import (
    CredentialsRejected,
    CustomerMustAct,
    IntegrationError,
    RateLimited,
    SetupBroken,
    VendorUnavailable,
)
from integrations.http import listening
from integrations.models import Connection, Flow, Link, Run, WakeUp
from integrations.models.flow import FlowState
from integrations.models.run import OPEN_STATES, RunState
from integrations.registry import FLOWS
from integrations.sync import options, own_fields, reference, routes, schedules
from integrations.sync.due import Lease, LeaseLost
from integrations.sync.endings import Ending
from integrations.sync.engine import carry_out
from integrations.sync.plan import MappingPlan
from integrations.sync.slices import Clock, Slice
from integrations.sync.spec import FlowSpec
from integrations.types import Source, Target
from mappings.apply import Rule
from mappings.fields import ITEMS_OF
from mappings.sets import rules_of
from tenants import audit
from tenants.models import Tenant
from tenants.redaction import redact
from tenants.scoping import acting_for

log = structlog.get_logger(__name__)

_PAUSES = (30, 60, 120, 300, 600, 1200, 1800)  # seconds after the first, second, … setback in a row; the last one stays

_LONGEST_WAIT = timedelta(minutes=30)
_LONGEST_SAID = timedelta(hours=25)  # a vendor may send us away until tomorrow, not for ever
_LAST_RESORT = timedelta(minutes=30)
TOO_MANY_DIED = 3


def serve(lease: Lease, *, asked_by: str = "", clock: Clock = time.monotonic) -> Ending:
    """Carry out one slice of the flow that this lease is for. CONTINUES: it is due again at once."""
    tenant = Tenant.objects.get(pk=lease.tenant_id)
    with acting_for(tenant), structlog.contextvars.bound_contextvars(flow=str(lease.flow_id), tenant=str(tenant.id), run=""):
        try:
            return _serve(lease, tenant, asked_by, clock)
        except LeaseLost:
            log.warning("lease_lost")
            return Ending.DONE


def _serve(lease: Lease, tenant: Tenant, asked_by: str, clock: Clock) -> Ending:
    flow = Flow.objects.select_related("source", "target", "mapping").filter(pk=lease.flow_id).first()
    if flow is None or flow.state != FlowState.ACTIVE:
        with lease.holding():
            lease.release(due_at=None)
        return Ending.DONE
    slice_: Slice | None = None
    if lease.n_died >= TOO_MANY_DIED:
        _Ended(flow, lease, tenant, slice_).over_and_over()
        return Ending.DONE
    try:
        slice_ = open_slice(flow, lease, asked_by=asked_by, clock=clock)
        with listening(lambda vendor, _operation: slice_.calls.update([vendor]) if slice_ else None):
            ending = carry_out(slice_)
    except LeaseLost:
        raise
    except Exception as error:
        _Ended(flow, lease, tenant, slice_).badly(error)
        return Ending.DONE
    _Ended(flow, lease, tenant, slice_).well(ending)
    return ending


def open_slice(flow: Flow, lease: Lease, *, asked_by: str = "", clock: Clock = time.monotonic) -> Slice:
    """Both sides of a flow, ready to be read and written. Sends nothing. Raises CustomerMustAct while a login is refused."""
    spec, mapping = FLOWS[flow.kind], mapping_plan(flow)
    _read_again_if_more_is_mapped(flow, lease, fields_read(spec, mapping.rules, flow.options))
    for connection in filter(None, (flow.source, flow.target)):
        connections.refuse_if_stopped(connection)
    source, key_prefix = open_source(flow, spec, mapping.rules)
    return Slice(
        flow,
        lease,
        spec=spec,
        mapping=mapping,
        source=source,
        target=open_target(flow) if flow.place else None,
        fetch_list=(lambda name: fetch_list(flow, name)) if lease.number >= 0 else (lambda name: 0),  # a preview keeps nothing
        warn=connections.warner(flow.source),
        key_prefix=key_prefix,
        asked_by=asked_by,
        clock=clock,
    )


def _read_again_if_more_is_mapped(flow: Flow, lease: Lease, fields: Sequence[str]) -> None:
    """What a link remembers of a record lacks fields that were not mapped when it was read: then everything is read once more."""
    if set(fields) <= set(flow.fields_read):
        return
    if lease.number >= 0:  # a preview stores nothing
        with lease.holding():
            Flow.objects.filter(pk=flow.pk).update(fields_read=list(fields), cursor=None, n_resyncs=F("n_resyncs") + 1)
            Link.objects.filter(flow=flow).exclude(source_version="").update(source_version="")
        flow.fields_read, flow.cursor, flow.n_resyncs = list(fields), None, flow.n_resyncs + 1


def open_source(flow: Flow, spec: FlowSpec, rules: Sequence[Rule]) -> tuple[Source, str]:
    """The source of a flow, reading only what its mapping needs, and the prefix of its records' keys at the target."""
    login = connections.open_login(flow.source)
    if spec.source.source is None or spec.source.record_key is None:
        raise TypeError(f"{spec.source.key} cannot be read from")
    return spec.source.source(login, spec.object, fields_read(spec, rules, flow.options)), spec.source.record_key(
        login, spec.object, ""
    )


def fields_read(spec: FlowSpec, rules: Sequence[Rule], chosen: Mapping[str, Any] | None = None) -> list[str]:
    """The source fields that a mapping uses, those that labels need, and the amount that reports add up."""
    used = [rule.field for rule in rules] + [field for rule in rules for step in rule.steps for field in step.get("fields", ())]
    routed = [route.field for route in routes.read(chosen or {}, "").routes]
    documents = spec.attachment if (chosen or {}).get("attachments") else ""
    needed = [documents, *routed, *spec.always_reads, *spec.natural_key, spec.amount, spec.currency, *used]
    return [field for field in dict.fromkeys(needed) if field and not own_fields.is_own(field)]


def open_target(flow: Flow, place: str = "") -> Target:
    """The flow's target at its own place, or at another that a route names."""
    vendor = FLOWS[flow.kind].target
    if vendor.target is None or flow.target is None:
        raise SetupBroken("This flow keeps reference data only; it has no board.", what="place")
    login = connections.open_login(flow.target)
    bulk_load = "auto" if options.read(flow.options).bulk_load else "never"
    return vendor.target(replace(login, settings={**login.settings, "bulk_load": bulk_load}), place or flow.place)


def fetch_list(flow: Flow, name: str) -> int:
    """Read one list of reference data now; returns how many entries it has. 0 where the source keeps no such list."""
    vendor = FLOWS[flow.kind].source
    if vendor.reference is None or name.startswith(ITEMS_OF):
        return 0
    records = list(vendor.reference(connections.open_login(flow.source), name))
    with transaction.atomic():
        return reference.remember(flow.source, records)


def mapping_plan(flow: Flow) -> MappingPlan:
    rules = rules_of(flow.mapping)
    return MappingPlan(version=str(flow.mapping_id), rules=rules, lookups=reference.lookups(flow, rules))


class _Ended:
    """Files how a slice ended: the run, the flow, the connection, the lease and when it is due again, in one transaction."""

    def __init__(self, flow: Flow, lease: Lease, tenant: Tenant, slice_: Slice | None) -> None:
        self._flow, self._lease, self._tenant, self._slice = flow, lease, tenant, slice_
        self._now = timezone.now()

    def well(self, ending: Ending) -> None:
        with self._holding():
            for connection in filter(None, (self._flow.source, self._flow.target)):
                connections.note_success(connection)
            if ending is Ending.CONTINUES:
                self._update_run(n_slices=F("n_slices") + 1)
                self._lease.release(due_at=self._now)
                return
            self._update_flow(checked_at=self._now, n_checks=F("n_checks") + 1, n_setbacks=0, waiting_until=None, waiting_said="")
            self._update_run(state=RunState.DONE, ended_at=self._now, said="", n_slices=F("n_slices") + 1)
            self._lease.release(due_at=self._next())

    def badly(self, error: Exception) -> None:
        """One sentence for the customer, and who acts next. Filing must not fail: a flow that nobody files comes back for ever."""
        try:
            self._file(error)
        except LeaseLost:
            raise
        except Exception:
            log.exception("ending_not_filed", because=str(redact(str(error))))
            with self._lease.holding():
                self._lease.release(due_at=self._now + _LAST_RESORT)

    def over_and_over(self) -> None:
        """Worker after worker died over this flow: it rests until its next time, and we are told."""
        said = "This flow stopped three times in a row without a result. Nothing is lost, and our staff have been told."
        self._fail(said, detail=f"{self._lease.n_died} leases in a row ran out: workers were killed, or calls hung")

    def _file(self, error: Exception) -> None:
        match error:
            case RateLimited(grows=True):
                with self._holding():
                    self._update_setbacks()
                wait = min(error.retry_after, _LONGEST_WAIT) * 2 ** min(self._flow.n_setbacks, 10)
                self._wait(error, self._now + min(wait, _LONGEST_WAIT))
            case RateLimited():
                self._wait(error, self._now + min(max(error.retry_after, timedelta(seconds=1)), _LONGEST_SAID))
            case VendorUnavailable():
                self._set_back(error)
            case CustomerMustAct():
                self._stop(error)
            case IntegrationError():
                self._fail(error.said, detail=str(redact(error.detail)))
            case _:
                detail = str(redact("".join(traceback.format_exception(error))))
                self._fail("Something went wrong on our side. Nothing is lost, and our staff have been told.", detail=detail)

    def _wait(self, error: IntegrationError, until: datetime) -> None:
        """A reached limit ends a slice as waiting, never as failed."""
        with self._holding():
            self._update_run(state=RunState.WAITING, said=error.said)
            self._update_flow(waiting_until=until, waiting_said=error.said)
            self._lease.release(due_at=until)
        log.info("flow_waits", until=until.isoformat(), said=error.said)

    def _set_back(self, error: VendorUnavailable) -> None:
        pause = _PAUSES[min(self._flow.n_setbacks, len(_PAUSES) - 1)]
        with self._holding():
            self._note_failure(error)
            self._update_setbacks()
        self._wait(error, self._now + timedelta(seconds=pause))

    def _stop(self, error: CustomerMustAct) -> None:
        """The flow waits for its people; links and cursor stay."""
        with self._holding():
            connection = self._note_failure(error) if isinstance(error, CredentialsRejected) else None
            self._update_run(state=RunState.STOPPED, ended_at=self._now, said=error.said)
            self._update_flow(
                state=FlowState.NEEDS_ATTENTION,
                state_said=error.said,
                state_since=self._now,
                blocked_on=connection,
                waiting_until=None,
                waiting_said="",
            )
            self._lease.release(due_at=None)
            audit.record("flow.needs_attention", subject=self._flow, by=audit.SYSTEM, because=error.said)
        log.warning("flow_needs_attention", said=error.said, detail=error.detail)

    def _fail(self, said: str, *, detail: str) -> None:
        with self._holding():
            is_open = Run.objects.filter(flow=self._flow, state__in=OPEN_STATES)
            run = is_open.first() or Run.objects.create(flow=self._flow, began_at=self._now, mapping=self._flow.mapping)
            Run.objects.filter(pk=run.pk).update(state=RunState.FAILED, ended_at=self._now, said=said, detail=detail[-8000:])
            self._update_flow(checked_at=self._now, n_setbacks=0)
            self._lease.release(due_at=self._next())
            audit.record("run.failed", subject=self._flow, by=audit.SYSTEM, because=said, details={"run": str(run.id)})
        log.error("run_failed", said=said, detail=detail)

    def _note_failure(self, error: IntegrationError) -> Connection | None:
        """The side whose vendor said it."""
        ends = filter(None, (self._flow.source, self._flow.target))
        connection = next((each for each in ends if each.vendor == error.vendor), None)
        if connection:
            connections.note_failure(connection, error)
        return connection

    def _holding(self) -> Any:
        return self._slice.holding() if self._slice else self._lease.holding()

    def _update_run(self, **values: Any) -> None:
        Run.objects.filter(flow=self._flow, state__in=OPEN_STATES).update(**values)

    def _update_flow(self, **values: Any) -> None:
        Flow.objects.filter(pk=self._flow.pk).update(**values)

    def _update_setbacks(self) -> None:
        Flow.objects.filter(pk=self._flow.pk).update(n_setbacks=F("n_setbacks") + 1)

    def _next(self) -> datetime:
        """When the schedule asks again; at once while somebody waits for a record."""
        if WakeUp.objects.filter(flow=self._flow).exists():
            return self._now
        return schedules.next_after(self._now, self._flow.schedule, zone=self._tenant.time_zone, flow_id=self._flow.id)

"""Does the board say what the books say, to the cent? Three sides: the source's own totals, every row it gives, the board read back.

Kept of a comparison: sums, every record that differs, and what it cost (docs/trust.md). Nothing is written at either vendor.
"""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.utils import timezone

from integrations import sharing
from integrations.errors import CustomerMustAct, RateLimited, VendorUnavailable
from integrations.http import listening
from integrations.models import Flow, Reconciliation
from integrations.models.flow import FlowState
from integrations.sync import due, options, serve
from integrations.sync.reconcile.figures import Columns
from integrations.sync.reconcile.findings import DISAGREEMENTS, Finding, What
from integrations.sync.reconcile.reading import Places, Sides, read_both
from integrations.sync.reconcile.second_look import SecondLook
from integrations.sync.reconcile.sums import per_currency, per_currency_read, sums_of
from integrations.sync.slices import Slice
from tenants import audit
from tenants.models import Tenant
from tenants.scoping import current_tenant_id

log = structlog.get_logger(__name__)

MOST_NAMED = 1_000  # of the records that differ; the counts tell of all
NIGHT_BEGINS = 2  # o'clock, in the tenant's zone
NOT_AGAIN_FOR = timedelta(hours=20)
LASTS_AT_MOST = timedelta(minutes=20)  # then whoever began it has died
AFTER_TROUBLE = timedelta(minutes=30)
UNTIL_SOMEBODY_ACTS = timedelta(hours=6)

MOVED = "; they changed while they were compared"


def reconcile(flow: Flow, *, by: audit.Actor) -> Reconciliation:
    """Compare both sides of a flow and keep the result. Raises what the vendors raise; then nothing is kept."""
    calls = Counter[str]()
    slice_ = serve.open_slice(flow, due.Lease(flow_id=flow.id, tenant_id=current_tenant_id(), number=-1))
    with listening(lambda vendor, _operation: calls.update([vendor])):
        columns = Columns(slice_.spec, slice_.mapping)
        places = Places(slice_, columns)
        sides = read_both(slice_, columns, places)
        findings = list(SecondLook(slice_, columns, places, sides).findings())
        unread, moved = _unread(slice_, sides)
    findings = sorted([*findings, *unread], key=lambda each: (list(What).index(each.what), each.label, each.external_id))
    deleted = [each.external_id for each in findings if each.what is What.DELETED]
    return _keep(
        Reconciliation(
            flow=flow,
            made_at=timezone.now(),
            asked_by=f"{by.kind}:{by.id}" if by.id else by.kind,
            agrees=not any(each.what in DISAGREEMENTS for each in findings),
            population=sides.population.said + (MOVED if moved else ""),
            sums=sums_of(sides, kind=slice_.spec.noun[1], deleted=deleted),
            differences=_dump(findings),
            n_source_calls=calls.pop(slice_.spec.source.key, 0),
            n_target_calls=sum(calls.values()),
        ),
        by,
    )


def _unread(slice_: Slice, sides: Sides) -> tuple[list[Finding], bool]:
    """Where the source counts other than it gives: it is asked once more, since the books may have moved meanwhile."""
    if any(entry.unreadable for entry in sides.books.values()) or _counts_are_right(sides):
        return [], False
    before, sides.population = per_currency(sides.population), slice_.source.population()
    if _counts_are_right(sides):
        return [], False
    counted, read = per_currency(sides.population), per_currency_read(sides)
    if counted != before:
        return [], True
    return [
        Finding(what=What.UNREAD, external_id="", label=currency, because=_said_unread(slice_, currency, counted, read))
        for currency in sorted(counted.keys() | read.keys())
        if counted.get(currency) != read.get(currency)
    ], False


def _counts_are_right(sides: Sides) -> bool:
    return per_currency(sides.population) == per_currency_read(sides)


def _said_unread(slice_: Slice, currency: str, *sides: object) -> str:
    (n, amount), (n_read, amount_read) = (side.get(currency, (0, 0)) for side in sides)  # type: ignore[attr-defined]
    name, many = slice_.spec.source.name, slice_.spec.noun[1]
    return (
        f"{name} counts {n:,} {many} of {amount:,} {currency}, and gives {n_read:,} of {amount_read:,} when it is asked for all."
    )


def _dump(findings: list[Finding]) -> dict[str, object]:
    """Counts of all, and the first of them by name."""
    return {
        "counts": {str(what): n for what in What if (n := sum(each.what is what for each in findings))},
        "named": [each.dump() for each in findings[:MOST_NAMED]],
    }


def _keep(made: Reconciliation, by: audit.Actor) -> Reconciliation:
    with transaction.atomic():
        made.save()
        details = {"reconciliation": str(made.id), "agrees": made.agrees, **made.differences["counts"]}
        audit.record("flow.reconciled", subject=made.flow, by=by, details=details)
    return made


def reconcile_if_due(flow: Flow, now: datetime) -> Reconciliation | None:
    """Once a night, in the tenant's zone, for flows that ask for it. Any number of workers may call this, as often as they like.

    A limit or an outage puts it off; nothing half is kept, and nothing of the vendors' is raised.
    """
    if not is_due(flow, now) or not sharing.take_until(_turn(flow), now + LASTS_AT_MOST):
        return None
    try:
        return reconcile(flow, by=audit.SYSTEM)
    except RateLimited as error:
        again_at, said = now + error.retry_after, error.said
    except VendorUnavailable as error:
        again_at, said = now + AFTER_TROUBLE, error.said
    except CustomerMustAct as error:
        again_at, said = now + UNTIL_SOMEBODY_ACTS, error.said
    sharing.keep_until(_turn(flow), again_at)
    log.warning("reconciliation_put_off", flow=str(flow.id), until=f"{again_at:%Y-%m-%dT%H:%M:%SZ}", said=said)
    return None


def is_due(flow: Flow, now: datetime) -> bool:
    """Whether this flow asks for a comparison tonight and has not had it; a few small queries."""
    if not options.read(flow.options).reconcile_nightly or flow.state != FlowState.ACTIVE or not flow.place:
        return False
    zone = ZoneInfo(Tenant.objects.get(pk=current_tenant_id()).time_zone)
    if now.astimezone(zone).hour < NIGHT_BEGINS:
        return False
    return not Reconciliation.objects.filter(flow=flow, made_at__gt=now - NOT_AGAIN_FOR).exists()


def _turn(flow: Flow) -> str:
    return f"reconcile/{flow.id}"


__all__ = ["Reconciliation", "is_due", "reconcile", "reconcile_if_due"]

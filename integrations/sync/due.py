"""Which flow is served next, and by whom: due times and leases, read across tenants from one narrow table."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.utils import timezone

from integrations.models import Due, Flow
from tenants.scoping import current_tenant_id

LEASE_LASTS = timedelta(seconds=150)
SLICES_PER_TENANT = 2
_CANDIDATES = 20


class LeaseLost(Exception):
    """Somebody else took this flow over: this slice changes nothing more."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one flow. Every write goes through ``holding``."""

    flow_id: UUID
    tenant_id: UUID
    number: int
    n_died: int = 0  # how many workers in a row died over this flow

    @contextmanager
    def holding(self) -> Iterator[None]:
        """A transaction that begins by renewing the lease; raises LeaseLost, changing nothing, when it is no longer ours."""
        with transaction.atomic():
            if not self._mine().update(leased_until=timezone.now() + LEASE_LASTS):
                raise LeaseLost(str(self.flow_id))
            yield

    def release(self, *, due_at: datetime | None) -> None:
        """Let go, and say when the flow is due again; called within ``holding``. What was asked for meanwhile comes first."""
        if not self._mine().filter(due_at=None).update(leased_until=None, due_at=due_at, n_died=0):
            self._mine().update(leased_until=None, n_died=0)

    def _mine(self) -> QuerySet[Due]:
        return Due.objects.filter(pk=self.flow_id, lease=self.number)


def make_due(flow_id: UUID, *, at: datetime | None, urgent: bool = False) -> None:
    """Set when a flow is due (None: never). One that is being worked on keeps its lease, and is served again afterwards."""
    Due.objects.filter(pk=flow_id).update(due_at=at, is_urgent=urgent)


def claim(*, urgent: bool = False) -> Lease | None:
    """Take the due flow whose tenant was served longest ago, or None when there is nothing to do.

    No tenant holds more than ``SLICES_PER_TENANT`` leases, so one with much to carry does not keep the others waiting.
    """
    now = timezone.now()
    for flow_id in _candidates(now, urgent):
        if lease := claim_flow(flow_id):
            return lease
    return None


def _candidates(now: datetime, urgent: bool) -> list[UUID]:
    """Flows that wait, of the tenants that were served longest ago: first the tenants, then their flows, whatever others have waiting."""
    can_be_served = _can_be_served(now)
    if urgent:
        can_be_served &= Q(is_urgent=True)  # those that a dead worker left are found by the other queue
    waiting = Due.objects.filter(can_be_served)
    tenants = (
        Due.objects.filter(tenant_id__in=waiting.values("tenant_id"))
        .order_by()
        .values("tenant_id")
        .annotate(
            tenant_served_at=Max("served_at"),
            n_held=Count("pk", filter=Q(leased_until__gt=now)),
            waits_since=Min("due_at", filter=can_be_served),
        )
        .filter(n_held__lt=SLICES_PER_TENANT)
        .order_by(F("tenant_served_at").asc(nulls_first=True), "waits_since")[:_CANDIDATES]
    )
    served_at = {each["tenant_id"]: each["tenant_served_at"] for each in tenants}
    never = datetime.min.replace(tzinfo=UTC)
    flows = list(waiting.filter(tenant_id__in=list(served_at)).order_by("due_at").values_list("flow_id", "tenant_id"))
    flows.sort(key=lambda each: served_at[each[1]] or never)  # stable: a tenant's own stay in the order in which they fell due
    return [flow_id for flow_id, _ in flows[:_CANDIDATES]]


def claim_flow(flow_id: UUID) -> Lease | None:
    """Take this flow's lease, due or not; None while somebody else holds it. The row count of one UPDATE decides."""
    row = Due.objects.filter(pk=flow_id).first()
    now = timezone.now()
    if row is None:
        return None
    n_died = row.n_died + (row.leased_until is not None)  # a lease that was let go stands empty
    if not Due.objects.filter(_free(now), pk=flow_id, lease=row.lease).update(
        lease=row.lease + 1, leased_until=now + LEASE_LASTS, served_at=now, due_at=None, is_urgent=False, n_died=n_died
    ):
        return None
    return Lease(flow_id=flow_id, tenant_id=row.tenant_id, number=row.lease + 1, n_died=n_died)


def _free(now: datetime) -> Q:
    return Q(leased_until=None) | Q(leased_until__lt=now)


def _can_be_served(now: datetime) -> Q:
    """Due and free, or left behind by a worker that died."""
    return (_free(now) & Q(due_at__lte=now)) | Q(leased_until__lt=now)


def count_due() -> int:
    """How many flows could be served now."""
    return Due.objects.filter(_can_be_served(timezone.now())).count()


def enrol(flow: Flow) -> None:
    """Give a new flow its row; it is due when something makes it so."""
    Due.objects.get_or_create(pk=flow.id, defaults={"tenant_id": current_tenant_id()})

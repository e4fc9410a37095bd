"""Tenants take turns; the queue only rings the bell."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.models import Due, Flow
from integrations.sync import due, serve
from integrations.sync.endings import Ending
from tenants.models import Tenant
from tenants.scoping import acting_for, tenant_or_none
from tests.sync.conftest import make_flow
from tests.sync.memory import Ledger, Shelf

pytestmark = pytest.mark.database


@pytest.fixture
def crowd(memory: tuple[Ledger, Shelf], clock: Any, db: None) -> Iterator[list[Flow]]:
    """Fifty tenants with a flow each; the first one has far more to carry than fits a slice."""
    ledger, shelf = memory
    ledger.page, shelf.batch = 100, 10
    for i in range(100):
        ledger.put(str(i), name=f"Entry {i}", amount="1.00", note="")
    flows = []
    for i in range(50):
        tenant = Tenant.objects.create(slug=f"tenant-{i}", name=f"Tenant {i}")
        with acting_for(tenant):
            flows.append(make_flow())
    yield flows


def slice_by_slice(flows: list[Flow], seconds_a_batch: dict[Any, float]) -> list[int]:
    """Serve until nothing is due; which flow each slice was for."""
    position = {flow.id: i for i, flow in enumerate(flows)}
    order = []
    while lease := due.claim():
        now, step = 0.0, seconds_a_batch.get(lease.flow_id, 0.0)

        def clock(step: float = step) -> float:
            nonlocal now
            now += step
            return now

        order.append(position[lease.flow_id])
        serve.serve(lease, clock=clock)
    return order


def test_a_tenant_with_much_to_carry_does_not_keep_the_others_waiting(crowd: list[Flow]) -> None:
    order = slice_by_slice(crowd, {crowd[0].id: 20.0})
    assert sorted(set(order[:50])) == list(range(50)), "every tenant's first slice comes before anybody's second"
    assert order[50:] == [0] * len(order[50:])
    assert len(order) > 52


def test_no_tenant_holds_more_than_its_share_of_workers(
    memory: tuple[Ledger, Shelf], clock: Any, anna_org: Tenant, carla_org: Tenant
) -> None:
    with acting_for(anna_org):
        for i in range(5):
            make_flow(f"flow-{i}")
    with acting_for(carla_org):
        hers = make_flow("hers")
    taken = [lease for lease in (due.claim() for _ in range(6)) if lease]
    assert [lease.tenant_id for lease in taken].count(anna_org.id) == due.SLICES_PER_TENANT
    assert hers.id in [lease.flow_id for lease in taken]


def test_a_flow_whose_worker_died_is_found_when_its_lease_has_run_out(crowd: list[Flow], clock: Any) -> None:
    Due.objects.exclude(pk=crowd[0].id).update(due_at=None)
    assert due.claim() is not None
    assert due.claim() is None
    assert due.count_due() == 0
    clock.shift(151)
    assert due.count_due() == 1
    lease = due.claim()
    assert lease is not None
    assert lease.number == 2


def test_an_emptied_queue_costs_a_minute_at_most(crowd: list[Flow], django_capture_on_commit_callbacks: Any) -> None:
    """Nothing is in the queue; the tick rings for what is due, and each bell leads to one slice."""
    from django_q.models import OrmQ

    assert not OrmQ.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.tick()
    assert OrmQ.objects.filter(key="bulk").count() == 50
    OrmQ.objects.all().delete()
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()
    assert OrmQ.objects.filter(key="bulk").count() == 50, "bells do not pile up"


def test_a_bell_that_is_rung_twice_changes_nothing(crowd: list[Flow]) -> None:
    Due.objects.exclude(pk=crowd[1].id).update(due_at=None)
    tasks.serve_next()
    with acting_for(Due.objects.get(pk=crowd[1].id).tenant_id):
        first = Flow.objects.get(pk=crowd[1].id)
    tasks.serve_next()
    with acting_for(Due.objects.get(pk=crowd[1].id).tenant_id):
        second = Flow.objects.get(pk=crowd[1].id)
    assert (first.n_checks, first.cursor) == (second.n_checks, second.cursor) == (1, second.cursor)


def test_a_task_never_raises_and_leaves_no_tenant_behind(crowd: list[Flow], memory: tuple[Ledger, Shelf]) -> None:
    def broken() -> None:
        with acting_for(Tenant.objects.first() or pytest.fail("no tenant")):
            raise RuntimeError("ours")

    tasks.never_raises(broken)()
    assert tenant_or_none() is None


def test_the_ticks_schedule_is_made_again_whenever_workers_start(db: None) -> None:
    from django_q.models import Schedule

    tasks.keep_ticking()
    Schedule.objects.update(minutes=60, cluster="bulk")
    tasks.keep_ticking()
    schedule = Schedule.objects.get()
    assert (schedule.minutes, schedule.cluster, schedule.func) == (1, "people", "integrations.tasks.tick")


def test_of_several_ticks_the_oldest_is_left(db: None) -> None:
    from django_q.models import Schedule

    oldest, *_ = [Schedule.objects.create(name="tick", func="integrations.tasks.tick") for _ in range(3)]
    other = Schedule.objects.create(name="other", func="integrations.tasks.tick")
    tasks.keep_ticking()
    tasks.keep_ticking()
    assert list(Schedule.objects.order_by("pk").values_list("pk", "minutes")) == [(oldest.pk, 1), (other.pk, None)]


def test_urgent_flows_are_served_by_the_queue_for_people(crowd: list[Flow]) -> None:
    Due.objects.filter(pk=crowd[7].id).update(is_urgent=True, due_at=timezone.now())
    lease = due.claim(urgent=True)
    assert lease is not None
    assert lease.flow_id == crowd[7].id
    assert due.claim(urgent=True) is None
    assert serve.serve(lease) is Ending.DONE

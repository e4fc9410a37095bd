"""The engine between two vendors that cost nothing: how long it takes, how much memory, how many queries."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from integrations.models import Flow, Run
from integrations.models.run import RunState
from integrations.sync import verbs
from tenants.audit import SYSTEM
from tenants.models import Tenant
from tenants.scoping import acting_for
from tests.bench import peak
from tests.bench.vendors import KIND, RULES, Bench, offer
from tests.sync.conftest import make_flow

SPEAKING_OF_TRANSACTIONS = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


def carry(*, n: int, page: int = 500, answers_after: float = 0.0, changes: Sequence[int] = ()) -> dict[str, Any]:
    """A first load of ``n`` bills, then one run for each of ``changes``: so many bills changed. Seconds, calls, peak memory."""
    with _flow(Bench(n=n, page=page, answers_after=answers_after)) as (flow, bench):
        runs = [_carried(flow, bench, written=n)]
        for n_changed in changes:
            bench.change(n_changed)
            runs.append(_carried(flow, bench, written=n_changed))
    return {"runs": runs, "peak": peak.megabytes()}


@contextmanager
def _flow(bench: Bench) -> Iterator[tuple[Flow, Bench]]:
    offer(bench)
    with acting_for(Tenant.objects.create(slug=f"bench-{bench.n}-{bench.page}", name="Bench")):
        flow = make_flow("bills", RULES)
        Flow.objects.filter(pk=flow.pk).update(kind=KIND)
        flow.refresh_from_db()
        yield flow, bench


def _carried(flow: Flow, bench: Bench, *, written: int) -> dict[str, Any]:
    bench.seconds, bench.n_written = 0.0, 0
    bench.calls.clear()
    began = time.perf_counter()
    verbs.serve_here(flow, by=SYSTEM)
    seconds = time.perf_counter() - began
    refuse_failure(flow)
    if bench.n_written != written:
        raise AssertionError(f"{bench.n_written} bills were written instead of {written}")
    n_reads = bench.calls.count("read")
    return {"seconds": seconds, "vendors": bench.seconds, "source": n_reads, "target": len(bench.calls) - n_reads}


def refuse_failure(flow: Flow) -> None:
    """A load that did not come through is no measurement."""
    run = Run.objects.filter(flow=flow).order_by("-began_at").first()
    if run and (run.state != RunState.DONE or run.n_failed):
        raise AssertionError(f"the run ended as {run.state} with {run.n_failed} failed: {run.said} {run.detail}")


# -- Queries --------------------------------------------------------------------------------------------------------------------


def count_queries() -> dict[str, float]:
    """What one more batch of ten costs, and one more page; what only opens and closes transactions does not count."""
    ten_batches = _queries_of(Bench(n=100, page=100))
    twenty_batches = _queries_of(Bench(n=200, page=200))
    two_pages = _queries_of(Bench(n=200, page=100))
    return {"a_batch": (twenty_batches - ten_batches) / 10, "a_page": two_pages - twenty_batches}


def _queries_of(bench: Bench) -> int:
    with _flow(bench) as (flow, _), counting_queries() as counted:
        _carried(flow, bench, written=bench.n)
    return counted["queries"]


@contextmanager
def counting_queries() -> Iterator[Counter[str]]:
    counted: Counter[str] = Counter()

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        counted["transactions" if sql.startswith(SPEAKING_OF_TRANSACTIONS) else "queries"] += 1
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        yield counted

"""Two parts of the real flow by themselves: a page of bills read, and the body of a batch built."""

import time
from statistics import median
from typing import Any

from django.utils import timezone

from integrations.sync import due, serve
from integrations.vendors.intacct import streams
from tenants.scoping import current_tenant_id
from tests.bench.bills import company
from tests.bench.standing import Company

REPEATS = 7
PAGE = 1000


def time_them() -> dict[str, float]:
    """Milliseconds (the median) without the sandboxes' own time."""
    streams.PAGE_SIZE = PAGE
    with company(PAGE) as made:
        records, reading = (), []
        for _ in range(REPEATS):
            records, took = _page(made)
            reading.append(took)
        return {"page": median(reading), "body": median(_body(made, records) for _ in range(REPEATS))}


def _open(made: Company) -> Any:
    nobody = due.Lease(flow_id=made.flow.id, tenant_id=current_tenant_id(), number=-1)
    return serve.open_slice(made.flow, nobody)


def _page(made: Company) -> tuple[tuple[Any, ...], float]:
    source, worked = _open(made).source, made.door.seconds()["intacct"]
    began = time.perf_counter()
    page = next(source.changed_since(None, lambda ids: {}))
    took = time.perf_counter() - began - (made.door.seconds()["intacct"] - worked)
    if len(page.records) != PAGE:
        raise AssertionError(f"a page of {len(page.records)} bills at {timezone.now()}")
    return page.records, took * 1000


def _body(made: Company, records: tuple[Any, ...]) -> float:
    slice_ = _open(made)
    slice_.target.prepare(slice_.schema())
    batches = slice_.target.batches([each.write for each in slice_.plan(records[:100]) if each.write])
    next(batches)
    began = time.perf_counter()
    next(batches)
    return (time.perf_counter() - began) * 1000

"""Finding the next flow among ten thousand of a thousand tenants."""

import random
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import connection
from django.utils import timezone

from integrations.models import Due
from integrations.sync import due

REPEATS = 15


def scan(*, n_flows: int = 10_000, n_tenants: int = 1_000, share_due: float) -> dict[str, Any]:
    """Milliseconds (the median) of a claim while so many of the flows are due, and of counting them."""
    _fill(n_flows, n_tenants, share_due)
    claims = [_milliseconds(due.claim) for _ in range(REPEATS)]
    return {"claim": median(claims), "count": median(_milliseconds(due.count_due) for _ in range(REPEATS))}


def _fill(n_flows: int, n_tenants: int, share_due: float) -> None:
    now, dice = timezone.now(), random.Random(1)
    tenants = [uuid.UUID(int=dice.getrandbits(128)) for _ in range(n_tenants)]

    def due_at() -> Any:
        later = timedelta(minutes=dice.randrange(1, 240))
        return now - later if dice.random() < share_due else now + later

    Due.objects.bulk_create(
        [
            Due(
                flow_id=uuid.UUID(int=dice.getrandbits(128)),
                tenant_id=tenants[i % n_tenants],
                due_at=due_at(),
                served_at=now - timedelta(seconds=dice.randrange(60, 14_400)),
            )
            for i in range(n_flows)
        ],
        batch_size=500,
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE integrations_due")


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    if work() is None:
        raise AssertionError("nothing was claimed")
    return (time.perf_counter() - began) * 1000

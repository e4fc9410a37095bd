"""What the demo does, step by step, and the report at its end."""

import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.models import Flow, Run
from integrations.models.flow import FlowState
from integrations.models.run import OPEN_STATES
from integrations.sync import due, report, verbs
from integrations.sync.bell import ring
from tenants.audit import Actor
from tenants.models import Tenant
from tenants.scoping import acting_for

VISITOR = Actor(kind="user", id="demo")
PATIENCE = 600.0  # seconds for one run


class SandboxDoor:
    """The control door of the sandboxes, for one tenant's world."""

    def __init__(self, url: str, world: str) -> None:
        self._url, self._world = url, world

    def ask(self, vendor: str, verb: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._url}/_sandbox/{vendor}/{verb}?world={self._world}"
        request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side's count and sums by currency."""

    count: int
    sums: dict[str, Decimal]


def books(door: SandboxDoor) -> Side:
    bills = door.ask("intacct", "state")["bills"]
    return _side([(bill["currency"], Decimal(bill["trx_totalentered"])) for bill in bills])


def board(door: SandboxDoor, flow: Flow) -> Side:
    """The board's items that carry our key, so that somebody's own items do not count."""
    found = next(each for each in door.ask("monday", "state")["boards"] if each["id"] == flow.place)
    ids = {column["title"]: column["id"] for column in found["columns"]}
    items = [item["columns"] for item in found["items"] if (item["columns"].get(ids["Source ID"]) or "").startswith("intacct:")]
    return _side([(item[ids["Currency"]], Decimal(item[ids["Amount"]])) for item in items])


def _side(amounts: list[tuple[str, Decimal]]) -> Side:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        sums[currency] += amount
    return Side(count=len(amounts), sums=dict(sorted(sums.items())))


def carry(tenant: Tenant, flow: Flow, *, watch: Callable[[Run | None], None]) -> dict[str, Any]:
    """Ask for a run as a click would, let the workers carry it, and tell how it went."""
    with acting_for(tenant):
        n_checks = Flow.objects.get(pk=flow.pk).n_checks
        last = Run.objects.filter(flow=flow).order_by("-began_at").first()
        verbs.run_now(flow, by=VISITOR)
        ring(urgent=True)
        run = _wait(flow, n_checks, last, watch)
        return (
            report.of_run(run)
            if run
            else {"state": "done", "read": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0, "said": ""}
        )


def _wait(flow: Flow, n_checks: int, last: Run | None, watch: Callable[[Run | None], None]) -> Run | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        now = Flow.objects.get(pk=flow.pk)
        run = Run.objects.filter(flow=flow).exclude(pk__in=[last.pk] if last else []).order_by("-began_at").first()
        watch(run)
        if now.state != FlowState.ACTIVE or (run and run.state not in OPEN_STATES) or (not run and now.n_checks > n_checks):
            return run
        if due.count_due():
            ring(urgent=True)  # what the tick does once a minute, a little more often
        time.sleep(0.3)
    raise RuntimeError("The run did not end. The logs of the workers tell more.")

"""The real flow, Sage Intacct to Monday.com, between the sandboxes: calls, seconds and memory of each run."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command

from integrations import connections
from integrations.http import mounted
from integrations.management.commands.demo import CONFIGURATION, SECRETS
from integrations.models import Connection, Flow
from integrations.sync import verbs
from integrations.vendors.intacct import streams
from tenants.audit import SYSTEM
from tenants.models import Tenant
from tenants.scoping import acting_for
from tests.bench import peak, standing
from tests.bench.engine import counting_queries, refuse_failure
from tests.bench.measuring import SANDBOX_IN_PROCESS
from tests.bench.sandboxes import Door, TimedSandbox
from tests.bench.standing import Company


def carry(*, n: int, page: int, changes: Sequence[int] = (), by_file_in: float | None = None) -> dict[str, Any]:
    """A first load of ``n`` bills, then one run for each of ``changes``: so many bills changed.

    ``by_file_in``: the load goes by upload, and the board works so many seconds on each file.
    """
    streams.PAGE_SIZE = page
    with company(n, ingest_seconds=by_file_in or 0.0) as made:
        if by_file_in is not None:
            load_by_file(made)
        runs = [carried(made)]
        for n_changed in changes:
            made.door.change(n_changed)
            runs.append(carried(made))
        stands, n_lines = standing.compare(made), made.door.n_lines()
    if stands != standing.PERFECT:
        raise AssertionError(f"the board is not what the books are: {stands}")
    return {"runs": runs, "n_lines": n_lines, "peak": peak.megabytes()}


def load_by_file(made: Company) -> None:
    """Let first loads go by upload from now on."""
    Flow.objects.filter(pk=made.flow.pk).update(options={"bulk_load": True})
    made.flow.refresh_from_db()


@contextmanager
def company(n: int, **board: Any) -> Iterator[Company]:
    """The demo's configuration, signed in at both vendors; the vendors' limits are off, since they are not what is measured.

    ``board``: further settings of the board's sandbox.
    """
    os.environ.update(SECRETS)
    app = TimedSandbox() if settings.SANDBOX_URL == SANDBOX_IN_PROCESS else None
    tenant = Tenant.objects.create(slug="harbor", name="Harbor Services")
    door = Door(settings.SANDBOX_URL, str(tenant.id), app=app)
    door.turn("intacct", "reset", bills=0, limits=False)
    door.turn("monday", "reset", limits=False, **board)
    began = datetime.now(UTC) - timedelta(days=60)
    # Bills of the past two months: nothing that is so old is read again to see whether something still appeared beside it.
    door.turn("intacct", "seed", bills=n, start=began.isoformat(), over=50 * 86400)
    with _reachable(app):
        call_command("apply", str(CONFIGURATION), stdout=StringIO())
        with acting_for(tenant):
            for connection in Connection.objects.all():
                connections.ping(connection, by=SYSTEM)
            yield Company(flow=Flow.objects.get(name="bills"), door=door)


@contextmanager
def _reachable(app: TimedSandbox | None) -> Iterator[None]:
    if app is None:
        yield
        return
    with mounted(app):
        yield


def carried(made: Company) -> dict[str, Any]:
    """One run; calls are what the sandboxes received meanwhile."""
    calls = {vendor: len(made.door.log(vendor)) for vendor in ("intacct", "monday")}
    worked = made.door.seconds()
    began = time.perf_counter()
    with counting_queries() as counted:
        verbs.serve_here(made.flow, by=SYSTEM)
    seconds = time.perf_counter() - began
    refuse_failure(made.flow)
    source, target = (len(made.door.log(vendor)) - n for vendor, n in calls.items())
    spent = {vendor: took - worked[vendor] for vendor, took in made.door.seconds().items()}
    return {
        "seconds": seconds, "vendors": spent, "queries": counted["queries"], "source": source, "target": target,
    }  # fmt: skip

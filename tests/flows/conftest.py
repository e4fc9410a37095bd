"""The first integration as a customer has it: both sandboxes behind real clients, a flow set up from a file, a worker to serve it."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import time_machine
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from integrations import http
from integrations.models import Due, Flow, Run
from integrations.sandboxes import VENDORS
from integrations.sandboxes.core import Mounted, Sandbox
from integrations.sync import due, serve
from integrations.sync.endings import Ending
from tenants.models import Tenant
from tenants.scoping import acting_for

START = datetime.fromisoformat("2026-11-27T09:00:00+00:00")
CONFIGURATION = Path(http.__file__).resolve().parent / "demo" / "harbor.toml"
SECRETS = {
    "DEMO_SENDER_PASSWORD": "sample-sender-pw",
    "DEMO_USER_PASSWORD": "sample-user-pw",
    "DEMO_MONDAY_TOKEN": "sample-monday-token",
}


class Line:
    """The line between us and both vendors: a WSGI app in front of the sandboxes that tests may listen at."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.on_send: Callable[[], None] = lambda: None
        self.on_answer: Callable[[], None] = lambda: None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        self.on_send()
        answer = self._sandbox(environ, start_response)
        self.on_answer()
        return answer


@dataclass
class Harbor:
    """A company's books and board, and the flow between them."""

    tenant: Tenant
    flow: Flow
    line: Line
    books: Mounted
    board: Mounted
    clock: Any

    def serve(self, clock: Any = None) -> Ending | None:
        lease = due.claim_flow(self.flow.id)
        return serve.serve(lease, **({"clock": clock} if clock else {})) if lease else None

    def finish(self, most: int = 50, *, wait: bool = False) -> None:
        """Slice after slice until nothing is due; with ``wait`` the clock goes on to whatever it waits for."""
        for _ in range(most):
            ending = self.serve()
            row = Due.objects.get(pk=self.flow.id)
            waits = Flow.objects.get(pk=self.flow.id).waiting_until
            if wait and waits and row.due_at:
                self.later(seconds=(row.due_at - self.now()).total_seconds() + 1)
            elif ending is not Ending.CONTINUES:
                return
        raise AssertionError("the run does not end")

    def now(self) -> datetime:
        return timezone.now()

    def later(self, **how: float) -> None:
        self.clock.shift(timedelta(**how))

    def again(self) -> Flow:
        self.flow.refresh_from_db()
        return self.flow

    @property
    def run(self) -> Run:
        return Run.objects.filter(flow=self.flow).latest("began_at")

    def calls(self, side: str) -> list[str]:
        """The operations of one side since ``forget_calls``."""
        return [call["operation"] for call in (self.books if side == "books" else self.board).calls]

    def forget_calls(self) -> None:
        self.books.calls.clear()
        self.board.calls.clear()

    def items(self) -> list[dict[str, Any]]:
        return [item for item in self.board.world.board_items("AP bills") if self.text(item, "Source ID")]

    def text(self, item: dict[str, Any], title: str) -> str:
        return str(item["columns"].get(self.board.world.column_id("AP bills", title)) or "")

    def item(self, recordno: str) -> dict[str, Any]:
        [found] = [item for item in self.items() if self.text(item, "Source ID") == f"intacct:SAMPLE:APBILL:{recordno}"]
        return found

    def assert_agrees(self, without: tuple[str, ...] = ()) -> None:
        """Every bill on the board once, amounts equal to the cent, currency by currency."""
        bills = {bill["recordno"]: bill for bill in self.books.world.state()["bills"] if bill["recordno"] not in without}
        items = self.items()
        keys = [self.text(item, "Source ID").rpartition(":")[2] for item in items]
        assert sorted(keys) == sorted(bills)
        for key, item in zip(keys, items, strict=True):
            assert Decimal(self.text(item, "Amount")) == Decimal(bills[key]["trx_totalentered"])
            assert self.text(item, "Currency") == bills[key]["currency"]
            assert self.text(item, "Last synced")


@pytest.fixture
def harbor(db: None) -> Iterator[Harbor]:
    """A flow that is set up and due; nothing carried yet. The small company's own bills are gone."""
    sandbox = Sandbox(VENDORS)
    line = Line(sandbox)
    before = dict(os.environ)
    os.environ.update(SECRETS)
    sandboxed = override_settings(SANDBOX_URL="http://sandbox.test")
    with sandboxed, time_machine.travel(START, tick=False) as clock, http.mounted(line):
        tenant = Tenant.objects.create(slug="harbor", name="Harbor Services", time_zone="America/Chicago")
        books, board = sandbox.mounted("intacct", str(tenant.id)), sandbox.mounted("monday", str(tenant.id))
        books.world.reset(bills=0)
        board.world.reset(limits=False)
        call_command("apply", str(CONFIGURATION), verbosity=0, stdout=io.StringIO())
        with acting_for(tenant):
            found = Harbor(tenant, Flow.objects.select_related("source", "target", "mapping").get(), line, books, board, clock)
            found.forget_calls()
            yield found
    for name in SECRETS:
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]

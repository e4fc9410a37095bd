"""A login whose budgets, sessions and turns live in memory, before Monday.com's sandbox; its clock and ours are one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from integrations.errors import RateLimited
from integrations.http import Answer, Http, client_for, mounted
from integrations.sandboxes.core import Sandbox
from integrations.sandboxes.monday import MondayWorld
from integrations.types import Batch, Login, Result, Sent, Session, Write
from integrations.vendors.monday import VENDOR
from integrations.vendors.monday.target import MondayTarget

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
TOKEN = "sample-monday-token"
BILL_COLUMNS = [
    ("Vendor", "text"),
    ("Amount", "numbers"),
    ("Due date", "date"),
    ("Status", "status"),
    ("Category", "dropdown"),
    ("GL account", "text"),
    ("Notes", "long_text"),
    ("Phone", "phone"),
    ("Paid", "checkbox"),
    ("Document", "link"),
]


@dataclass
class Window:
    spent: int = 0
    ends_at: datetime = NOON
    blocked_until: datetime | None = None
    said: str = ""


@dataclass
class MemoryBudgets:
    """Fixed windows that begin with the first call; a day ends at midnight UTC."""

    windows: dict[str, Window] = field(default_factory=dict)
    spent: list[tuple[str, int, int, str]] = field(default_factory=list)
    learned: list[tuple[str, int | None, int | None]] = field(default_factory=list)
    exhausted: list[tuple[str, timedelta, str]] = field(default_factory=list)

    def spend(self, kind: str, cost: int, *, limit: int, window: timedelta, said: str) -> None:
        now = datetime.now(UTC)
        row = self.windows.setdefault(kind, Window(ends_at=now))
        if row.blocked_until and now < row.blocked_until:
            raise RateLimited(row.said, retry_after=row.blocked_until - now)
        if now >= row.ends_at:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            row.spent, row.ends_at = 0, midnight if window == timedelta(days=1) else now + window
        if row.spent + cost > limit:
            raise RateLimited(said, retry_after=row.ends_at - now)
        row.spent += cost
        self.spent.append((kind, cost, limit, said))

    def learn(
        self, kind: str, *, remaining: int | None = None, limit: int | None = None, resets_in: timedelta | None = None
    ) -> None:
        self.learned.append((kind, remaining, limit))

    def exhaust(self, kind: str, *, until: timedelta, said: str) -> None:
        now = datetime.now(UTC)
        row = self.windows.setdefault(kind, Window(ends_at=now))
        row.blocked_until, row.said = now + until, said
        self.exhausted.append((kind, until, said))


class NoSessions:
    def load(self) -> Session | None:
        return None

    def save(self, session: Session) -> None:
        raise AssertionError("Monday.com has no sessions")

    def drop(self) -> None:
        raise AssertionError("Monday.com has no sessions")


@dataclass
class Turns:
    """One holder at a time, by name; ``most`` is how many were ever inside the same one."""

    locks: dict[str, threading.Lock] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        with self.guard:
            lock = self.locks.setdefault(name, threading.Lock())
        with lock:
            self.taken.append(name)
            self.held.add(name)
            try:
                yield
            finally:
                self.held.discard(name)


@dataclass(frozen=True)
class Call:
    """One request as it left us."""

    method: str
    url: str
    operation: str
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Recorder:
    """Stands in for a login's ``http`` and keeps what it passes on."""

    http: Http
    calls: list[Call] = field(default_factory=list)

    def send(self, method: str, url: str, *, operation: str, headers: Mapping[str, str], content: bytes = b"") -> Answer:
        self.calls.append(Call(method, url, operation, dict(headers), content))
        return self.http.send(method, url, operation=operation, headers=headers, content=content)


@dataclass
class Desk:
    """Everything that a test of this package needs at hand."""

    sandbox: Sandbox
    clock: time_machine.Traveller
    login: Login
    budgets: MemoryBudgets
    turns: Turns
    warnings: list[tuple[str, str]]
    board_id: str = ""

    @property
    def world(self) -> Any:
        return self.sandbox.mounted("monday").world

    @property
    def faults(self) -> Any:
        return self.sandbox.mounted("monday").faults

    @property
    def calls(self) -> list[dict[str, Any]]:
        return list(self.sandbox.mounted("monday").calls)

    def forget_calls(self) -> None:
        self.sandbox.mounted("monday").calls.clear()

    def record(self) -> list[Call]:
        """Every call from now on, as it left us."""
        recorder = Recorder(self.login.http)
        self.login = replace(self.login, http=recorder)  # type: ignore[arg-type]
        return recorder.calls

    def wait(self, seconds: float) -> None:
        self.clock.shift(timedelta(seconds=seconds))

    def target(self, place: str = "", **settings: str) -> MondayTarget:
        """A target as a fresh worker would have it, its board read and prepared."""
        login = replace(self.login, settings={**self.login.settings, **settings})
        target = MondayTarget(login, place or self.board_id, pause=self.wait)
        target.prepare(target.schema())
        return target

    def column(self, title: str, board: str = "") -> str:
        return str(self.world.column_id(board or self.board_id, title))

    def bill(self, number: int | str, *, target_id: str = "", key: str = "", **values: Any) -> Write:
        """A write; its values go by the titles of the board's columns, with "_" for a blank ("name" is the item's)."""
        ids = {title if title == "name" else self.column(title.replace("_", " ")): value for title, value in values.items()}
        return Write(
            external_id=str(number),
            key=key or f"intacct:ACME:APBILL:{number}",
            label=f"Bill {number}",
            values=ids,
            target_id=target_id,
        )

    def items(self, **more: Any) -> list[dict[str, Any]]:
        return list(self.world.board_items(self.board_id, **more))

    def carry(self, target: MondayTarget, writes: Sequence[Write], key: str = "key") -> list[Result]:
        """Send all writes as the engine does, each batch under a key of its own."""
        results: list[Result] = []
        for n, batch in enumerate(target.batches(writes)):
            results += target.write(batch, key=f"{key}-{n}")
            self.wait(0.2)
        return results

    def sent(self, batch: Batch, key: str, sent_at: datetime, *, same_login: bool = True) -> Sent:
        return Sent(batch=batch, key=key, sent_at=sent_at, now=datetime.now(UTC), same_login=same_login)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as coordinates:
        yield coordinates


def make_login(
    http: Http, budgets: MemoryBudgets, turns: Turns, warnings: list[tuple[str, str]], secrets: Mapping[str, str]
) -> Login:
    return Login(
        connection_id="c-1",
        base_url="http://sandbox.test/monday/v2",
        settings={},
        secrets=secrets,
        http=http,
        sessions=NoSessions(),
        budgets=budgets,
        turn=turns,
        now=lambda: datetime.now(UTC),
        warn=lambda code, said: warnings.append((code, said)),
    )


@pytest.fixture
def desk(clock: time_machine.Traveller) -> Iterator[Desk]:
    sandbox = Sandbox({"monday": MondayWorld})
    budgets, turns, warnings = MemoryBudgets(), Turns(), []  # type: ignore[var-annotated]
    with mounted(sandbox):
        http = Http(client_for(VENDOR.limits), vendor="monday", name="Monday.com", limits=VENDOR.limits)
        login = make_login(http, budgets, turns, warnings, {"token": TOKEN})
        made = Desk(sandbox=sandbox, clock=clock, login=login, budgets=budgets, turns=turns, warnings=warnings)
        made.board_id = made.world.add_board("Bills 2026", BILL_COLUMNS)
        yield made

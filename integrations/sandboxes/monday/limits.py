"""What Monday allows per minute, per day and at once, and the two headers that tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from .answers import (
    Refused,
    bulk_job_start_limit,
    complexity_budget,
    concurrency_limit,
    create_board_limit,
    daily_limit,
    minute_limit,
    too_complex,
)

MOST_PER_DOCUMENT = 5_000_000
CREATE_BOARDS = 40
PER_MINUTE = {"enterprise": 5_000, "pro": 2_500}
PER_DAY = {"enterprise": 25_000, "pro": 10_000, "trial": 200}
AT_ONCE = {"enterprise": 250, "pro": 100}
SMALL_PLANS = frozenset({"free", "trial"})
MINUTE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
JOBS_PER_HOUR = 100
IMPORTED_PER_HOUR = 19_000  # items created or updated by bulk imports
K = TypeVar("K")


@dataclass(kw_only=True)
class Quotas:
    """The numbers of one account's plan."""

    minute: int
    daily: int
    at_once: int
    complexity_personal: int = 10_000_000
    complexity_app: int = 5_000_000  # one budget for reads and one for writes

    @classmethod
    def of(cls, plan: str) -> "Quotas":
        quotas = cls(minute=PER_MINUTE.get(plan, 1_000), daily=PER_DAY.get(plan, 1_000), at_once=AT_ONCE.get(plan, 40))
        if plan in SMALL_PLANS:
            quotas.complexity_personal = quotas.complexity_app = 1_000_000
        return quotas


@dataclass(kw_only=True)
class Window:
    """A minute, or another length of time, that begins with the first call in it."""

    began_at: datetime | None = None
    used: int = 0
    length: timedelta = MINUTE

    def roll(self, now: datetime) -> None:
        if self.began_at is None or now >= self.began_at + self.length:
            self.began_at, self.used = now, 0

    def wait(self, now: datetime) -> int:
        """Seconds until the next window, at least one."""
        if self.began_at is None:
            return int(self.length.total_seconds())
        return max(1, -int(-(self.began_at + self.length - now).total_seconds() // 1))


@dataclass(kw_only=True)
class Limits:
    """Counts calls, refuses those that are too many. Switched off it still counts, so that the headers stay true."""

    quotas: Quotas
    is_on: bool = True
    calls: dict[str, Window] = field(default_factory=dict)
    complexity: dict[tuple[str, str], Window] = field(default_factory=dict)
    boards: Window = field(default_factory=Window)
    jobs: Window = field(default_factory=lambda: Window(length=HOUR))
    imports: Window = field(default_factory=lambda: Window(length=HOUR))
    today: date | None = None
    used_today: float = 0.0
    n_running: int = 0
    all_items_at: datetime | None = None

    def call(self, budget: str, now: datetime, *, weight: float = 1.0) -> None:
        """Count one request, or refuse it; a refused one costs a tenth of a call of the daily budget."""
        self._roll_day(now)
        window = self._window(self.calls, budget, now)
        window.used += 1
        refusal = None
        if self.n_running > self.quotas.at_once:
            refusal = concurrency_limit()
        elif window.used > self.quotas.minute:
            refusal = minute_limit(window.wait(now))
        elif self.used_today + weight > self.quotas.daily + 1e-9:
            refusal = daily_limit()
        refused = refusal is not None and self.is_on
        self.used_today = round(self.used_today + (0.1 if refused else weight), 3)
        if refusal is not None and refused:
            raise refusal

    def spend(self, budget: str, kind: str, cost: int, now: datetime) -> tuple[int, int, int]:
        """Take a document's complexity from the minute's budget: what was left before, after, and seconds to the reset."""
        window = self._window(self.complexity, self._purse(budget, kind), now)
        before = max(0, self._complexity(budget) - window.used)
        if self.is_on and cost > MOST_PER_DOCUMENT:
            raise too_complex()
        if self.is_on and cost > before:
            raise complexity_budget(window.wait(now))
        window.used += cost
        return before, max(0, before - cost), window.wait(now)

    def new_boards(self, n: int, now: datetime) -> None:
        if not n:
            return
        self.boards.roll(now)
        if self.is_on and self.boards.used + n > CREATE_BOARDS:
            raise create_board_limit(self.boards.wait(now))
        self.boards.used += n

    def new_jobs(self, n: int, now: datetime) -> None:
        """Refuse a document that would start more imports than the hour allows; only those that do start are counted."""
        self.jobs.roll(now)
        if self.is_on and n and self.jobs.used + n > JOBS_PER_HOUR:
            raise bulk_job_start_limit(1_000 * self.jobs.wait(now))

    def job_started(self, now: datetime) -> None:
        self.jobs.roll(now)
        self.jobs.used += 1

    def import_room(self, now: datetime) -> int:
        """How many more items may be imported this hour."""
        self.imports.roll(now)
        return IMPORTED_PER_HOUR - self.imports.used if self.is_on else 10 * IMPORTED_PER_HOUR

    def imported(self, n: int, now: datetime) -> None:
        self.imports.roll(now)
        self.imports.used += n

    def all_items(self, now: datetime) -> None:
        """Items without ids may be asked for once in two minutes."""
        if self.is_on and self.all_items_at is not None and now < self.all_items_at + 2 * MINUTE:
            raise Refused("RATE_LIMIT_EXCEEDED", "Items without ids can be asked for once in two minutes", status=429)
        self.all_items_at = now

    def headers(self, budget: str, kind: str, now: datetime) -> Mapping[str, str]:
        window = self._window(self.calls, budget, now)
        spent = self._window(self.complexity, self._purse(budget, kind), now)
        quota = self._complexity(budget)
        left, free = self.quotas.minute - window.used, self.quotas.at_once - self.n_running
        minute = f'"minuteRate";r={max(0, left)}' + (f";t={window.wait(now)}" if left < 0 else "")
        at_once = f'"concurrency";r={max(0, free)}' + (";t=15" if free < 0 else "")
        complexity = f'"complexityMinute";r={max(0, quota - spent.used)};t={spent.wait(now)}'
        policy = f'"minuteRate";q={self.quotas.minute};w=60, "concurrency";q={self.quotas.at_once};qu="concurrent-requests"'
        policy += f', "complexityMinute";q={quota};w=60;qu="content-bytes"'
        return {"RateLimit-Policy": policy, "RateLimit": f"{minute}, {at_once}, {complexity}"}

    def _complexity(self, budget: str) -> int:
        return self.quotas.complexity_personal if budget == "personal" else self.quotas.complexity_app

    @staticmethod
    def _purse(budget: str, kind: str) -> tuple[str, str]:
        return (budget, "" if budget == "personal" else kind)

    @staticmethod
    def _window(windows: dict[K, Window], key: K, now: datetime) -> Window:
        window = windows.setdefault(key, Window())
        window.roll(now)
        return window

    def _roll_day(self, now: datetime) -> None:
        if self.today != now.date():
            self.today, self.used_today = now.date(), 0.0

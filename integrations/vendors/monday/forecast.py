"""What writing so many items costs, how long it takes, and which of the vendor's limits it waits for. Pure arithmetic.

Source: README.md beside this file, "Limits". Once answers have come, real batches adapt (``limits.Pace``); a forecast assumes the usual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from integrations.types import Load, Needed, Spent
from integrations.vendors.monday.keys import LARGEST_PAGE
from integrations.vendors.monday.limits import CALLS_PER_DAY, CALLS_PER_MINUTE, DAY, MINUTE, SOFT_STOP, USUAL_SIZE, until_midnight

COST_OF_WRITE: Final = 30_000  # complexity points; some accounts are charged 10,000
COMPLEXITY_PER_MINUTE: Final = 10_000_000  # of a personal token
SMALL_COMPLEXITY: Final = 1_000_000
SMALL_PLANS: Final = frozenset({"free", "trial"})
SECONDS_PER_CALL: Final = 0.7
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Pacing:
    """The limits that a load meets, as far as they are known."""

    batch: int = USUAL_SIZE
    cost: int = COST_OF_WRITE
    complexity_per_minute: int = COMPLEXITY_PER_MINUTE
    calls_per_minute: int = CALLS_PER_MINUTE
    calls_per_day: int = int(CALLS_PER_DAY * SOFT_STOP)
    used_today: int = 0

    @property
    def left_today(self) -> int:
        return max(0, self.calls_per_day - self.used_today)


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a load goes: calls, when it ends, and the limit it waits for."""

    n_calls: int
    ends_at: datetime
    waits_for: str


def course(n_writes: int, n_other_calls: int, pacing: Pacing, now: datetime) -> Course:
    """A day's limit is waited for at 00:00 UTC; within a day, the slowest of the other limits counts."""
    n_calls = n_other_calls + _rounded_up(n_writes, pacing.batch)
    if n_calls <= pacing.left_today:
        lasts, waits_for = _within_a_day(n_writes, n_calls, pacing)
        return Course(n_calls=n_calls, ends_at=now + lasts, waits_for=waits_for)
    n_later = n_calls - pacing.left_today
    n_days = _rounded_up(n_later, pacing.calls_per_day)
    n_last_day = n_later - (n_days - 1) * pacing.calls_per_day
    lasts, _ = _within_a_day(min(n_writes, n_last_day * pacing.batch), n_last_day, pacing)
    last_day = now + until_midnight(now) + timedelta(days=n_days - 1)
    return Course(n_calls=n_calls, ends_at=last_day + lasts, waits_for="daily limit")


def _within_a_day(n_writes: int, n_calls: int, pacing: Pacing) -> tuple[timedelta, str]:
    """Each limit lets so much through in a minute and then has everybody wait for the next one."""
    batches_per_minute = max(1, pacing.complexity_per_minute // (pacing.cost * pacing.batch))
    courses = (
        (n_calls * timedelta(seconds=SECONDS_PER_CALL), ""),
        (_by_the_minute(_rounded_up(n_writes, pacing.batch), batches_per_minute), "complexity limit per minute"),
        (_by_the_minute(n_calls, pacing.calls_per_minute), "limit of calls per minute"),
    )
    return max(courses, key=lambda each: each[0])


def _by_the_minute(n: int, per_minute: int) -> timedelta:
    """Whole minutes are waited for; what goes into the last one takes as long as its calls."""
    if not n:
        return timedelta()
    n_full = (n - 1) // per_minute
    return n_full * _MINUTE + (n - n_full * per_minute) * timedelta(seconds=SECONDS_PER_CALL)


def write(load: Load, settings: Mapping[str, str], limits: Mapping[str, Spent], now: datetime) -> Needed:
    """What a load needs on a board."""
    pacing = pacing_of(settings, limits, now)
    found = course(load.n_writes, _reads(load), pacing, now)
    said = (*_room(load), _left(_daily_limit(settings), pacing.used_today))
    return Needed(n_calls=found.n_calls, ends_at=found.ends_at, waits_for=found.waits_for, said=said)


def pacing_of(settings: Mapping[str, str], limits: Mapping[str, Spent], now: datetime) -> Pacing:
    """What the connection's ping and the answers so far have taught; the documents' numbers for the rest."""
    minute, day = limits.get(MINUTE), limits.get(DAY)
    return Pacing(
        complexity_per_minute=SMALL_COMPLEXITY if settings.get("plan", "").casefold() in SMALL_PLANS else COMPLEXITY_PER_MINUTE,
        calls_per_minute=(minute and minute.limit) or CALLS_PER_MINUTE,
        calls_per_day=max(1, int((_daily_limit(settings) or CALLS_PER_DAY) * SOFT_STOP)),
        used_today=day.used if day and day.ends_at > now else 0,
    )


def _reads(load: Load) -> int:
    """The board, before the first write; and before that its keys, in pages, where nobody knows yet what stands there."""
    keys = 1 + max(1, _rounded_up(load.n_items, LARGEST_PAGE)) if load.finds_out else 0
    return keys + (1 if load.n_writes else 0)


def _daily_limit(settings: Mapping[str, str]) -> int:
    """What the connection's ping was told; 0: not known."""
    told = settings.get("daily_limit", "")
    return int(told) if told.isdecimal() else 0


def _left(daily_limit: int, used: int) -> str:
    if not daily_limit:
        return "The account's daily limit is not known. Ping the connection once."
    kept = daily_limit - int(daily_limit * SOFT_STOP)
    return (
        f"The daily limit has {max(0, daily_limit - used):,} calls left, of which {kept:,} are kept for what people do by hand."
    )


def _room(load: Load) -> tuple[str, ...]:
    if load.n_items_max is None or load.n_items + load.n_creates <= load.n_items_max:
        return ()
    room = max(0, load.n_items_max - load.n_items)
    return (
        f"The board holds {load.n_items:,} of {load.n_items_max:,} items, so {room:,} of the {load.n_creates:,} new ones fit."
        " Choose a continuation board.",
    )


def _rounded_up(n: int, per: int) -> int:
    return -(-n // per)

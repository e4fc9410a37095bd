"""How much may be asked of Monday.com: the two header lines, complexity, the budgets of a connection, and the size of a batch.

Source: README.md beside this file, "Limits".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integrations.errors import RateLimited
from integrations.types import Login

MINUTE, DAY, COMPLEXITY = "minute", "day", "complexity"
CALLS_PER_MINUTE: Final = 1_000  # the smallest plan's, until an answer says more
CALLS_PER_DAY: Final = 25_000  # the largest plan's: an unknown limit must not stop anybody before the vendor does
SOFT_STOP: Final = 0.9  # of the day's calls may go to background work; the rest is for what people press
COMPLEXITY_PER_DOCUMENT: Final = 5_000_000
FILL: Final = 0.8  # of what is left may go into one document
USUAL_SIZE, LARGEST_SIZE = 10, 25
SHORT_OF_CALLS: Final = 0.1  # with less than this share of a minute's calls left, larger batches save calls

WAITS_FOR_MIDNIGHT: Final = "waiting for Monday.com's daily limit, goes on at 00:00 UTC"
WAITS_FOR_MINUTE: Final = "Monday.com's calls for this minute are used up. We go on by ourselves in the next minute."


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit as the headers describe it; None where they are silent."""

    quota: int | None = None
    remaining: int | None = None
    resets_in: timedelta | None = None


def limits_of(headers: Mapping[str, str]) -> dict[str, Limit]:
    """Read ``RateLimit-Policy`` (q: quota, w: window) and ``RateLimit`` (r: remaining, t: seconds to reset), by policy name."""
    quotas, states = _members(headers.get("RateLimit-Policy", "")), _members(headers.get("RateLimit", ""))
    return {
        name: Limit(
            quota=quotas.get(name, {}).get("q"),
            remaining=states.get(name, {}).get("r"),
            resets_in=timedelta(seconds=states[name]["t"]) if "t" in states.get(name, {}) else None,
        )
        for name in quotas | states
    }


def _members(line: str) -> dict[str, dict[str, int]]:
    """``"minuteRate";q=5000;w=60, …`` → {"minuteRate": {"q": 5000, "w": 60}}; what is not a whole number is left out."""
    members = re.findall(r'"([^"]+)"((?:\s*;\s*\w+=(?:"[^"]*"|[^;,\s]+))*)', line)
    return {name: {key: int(number) for key, number in re.findall(r";\s*(\w+)=(\d+)", rest)} for name, rest in members}


class Allowance:
    """Asks a connection's budgets before each call, and tells them what each answer says."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._per_minute = CALLS_PER_MINUTE

    def spend(self, *, background: bool) -> None:
        """Count one call, or raise RateLimited. Background work leaves a tenth of the day's calls for what people press."""
        per_day = self._per_day()
        allowed = max(1, int(per_day * SOFT_STOP)) if background else per_day
        spend = self._login.budgets.spend
        spend(MINUTE, 1, limit=self._per_minute, window=timedelta(minutes=1), said=WAITS_FOR_MINUTE)
        spend(DAY, 1, limit=allowed, window=timedelta(days=1), said=WAITS_FOR_MIDNIGHT)

    def _per_day(self) -> int:
        known = self._login.settings.get("daily_limit", "")
        return int(known) if known.isdecimal() and int(known) else CALLS_PER_DAY

    def learn(self, limits: Mapping[str, Limit], complexity: Mapping[str, Any]) -> None:
        if minute := limits.get("minuteRate"):
            self._per_minute = minute.quota or self._per_minute
            self._tell(MINUTE, minute)
        if heavy := _complexity(limits, complexity):
            self._tell(COMPLEXITY, heavy)

    def _tell(self, kind: str, limit: Limit) -> None:
        self._login.budgets.learn(kind, remaining=limit.remaining, limit=limit.quota, resets_in=limit.resets_in)

    def pause(self, error: RateLimited) -> None:
        """Make every worker of this connection wait so long."""
        kind = DAY if error.said == WAITS_FOR_MIDNIGHT else MINUTE
        self._login.budgets.exhaust(kind, until=error.retry_after, said=error.said)


def _complexity(limits: Mapping[str, Limit], body: Mapping[str, Any]) -> Limit | None:
    """The headers know it best; some answers have it only in their ``complexity`` field."""
    if "complexityMinute" in limits:
        return limits["complexityMinute"]
    if isinstance(after := body.get("after"), int):
        return Limit(remaining=after, resets_in=timedelta(seconds=int(body.get("reset_in_x_seconds") or 0)))
    return None


class Pace:
    """How many writes fit the next batch."""

    def __init__(self) -> None:
        self._most = LARGEST_SIZE
        self._cost = 0.0  # a write's, as a moving average
        self._left, self._left_until = COMPLEXITY_PER_DOCUMENT, datetime.min.replace(tzinfo=UTC)
        self._short_of_calls = False

    def size(self, now: datetime) -> int:
        """10, fewer when complexity is scarce, up to 25 when calls are scarce and complexity is not.

        Where not even one write can be paid any more, the batch is one for the next minute, and as large as usual.
        """
        wanted = LARGEST_SIZE if self._short_of_calls else USUAL_SIZE
        left = self._left if now < self._left_until else COMPLEXITY_PER_DOCUMENT
        affordable = int(min(COMPLEXITY_PER_DOCUMENT, left) * FILL / self._cost) if self._cost else wanted
        return min(wanted, affordable or wanted, self._most)

    def learn(self, n_writes: int, limits: Mapping[str, Limit], complexity: Mapping[str, Any], now: datetime) -> None:
        if n_writes and isinstance(cost := complexity.get("query"), int) and cost > 0:
            self._cost = self._cost * 0.7 + cost / n_writes * 0.3 if self._cost else cost / n_writes
        heavy = _complexity(limits, complexity)
        if heavy and heavy.remaining is not None:
            self._left, self._left_until = heavy.remaining, now + (heavy.resets_in or timedelta(minutes=1))
        minute = limits.get("minuteRate")
        if minute and minute.quota and minute.remaining is not None:
            self._short_of_calls = minute.remaining < minute.quota * SHORT_OF_CALLS

    def halve(self, size: int) -> bool:
        """A batch of this size was too heavy for one document: never so many again. False when it cannot be cut any more."""
        self._most = max(1, size // 2)
        return size > 1


def until_midnight(now: datetime) -> timedelta:
    """The time that is left until 00:00 UTC."""
    now = now.astimezone(UTC)
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0) - now

"""The four ways in which a flow may be timed. Each answers one question: which moments of this day are its own?

A flow's ``spread`` is a fixed number of its own, so that ten thousand flows of one schedule do not start in the same second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from croniter import croniter

from integrations.sync.schedules.clocks import each_shown, first_shown, last_shown, midnight

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
EVERY_DAY = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Timing(Protocol):
    """When a flow runs, day by day of the tenant's calendar."""

    def moments(self, day: date, zone: ZoneInfo, spread: int) -> list[datetime]:
        """The moments of this day, ascending, in UTC."""
        ...

    def next_day(self, day: date) -> date:
        """This day, or a later one before which nothing happens for certain."""
        ...


@dataclass(frozen=True, kw_only=True)
class Steady:
    """Every so often, day and night, whatever clocks show. The spread puts a flow anywhere within the interval."""

    every: timedelta

    def moments(self, day: date, zone: ZoneInfo, spread: int) -> list[datetime]:
        begin, end = first_shown(midnight(day), zone), first_shown(midnight(day + DAY), zone)
        first = _EPOCH + timedelta(seconds=spread % int(self.every.total_seconds()))
        n = -((first - begin) // self.every)  # the first one that is not before the day
        return list(_steps(first + n * self.every, self.every, end))

    def next_day(self, day: date) -> date:
        return day


@dataclass(frozen=True, kw_only=True)
class Window:
    """Every so often within hours of some weekdays. ``closes`` None: at midnight.

    The spread keeps within what the interval leaves free, so that every flow has equally many runs and none falls out of its hours.
    """

    every: timedelta
    opens: time = time()
    closes: time | None = None
    days: frozenset[int] = EVERY_DAY

    @property
    def lasts(self) -> timedelta:
        end = midnight(date.min + DAY) if self.closes is None else datetime.combine(date.min, self.closes)
        return end - datetime.combine(date.min, self.opens)

    def moments(self, day: date, zone: ZoneInfo, spread: int) -> list[datetime]:
        """A window that clocks skip altogether is served once, at the moment they skip it."""
        if day.weekday() not in self.days:
            return []
        opens = first_shown(datetime.combine(day, self.opens), zone)
        closes = last_shown(midnight(day + DAY) if self.closes is None else datetime.combine(day, self.closes), zone)
        steps = _steps(opens + self._offset(spread), self.every, closes)
        return [each for each in steps if self._is_open(each.astimezone(zone), day)] or [opens]

    def _offset(self, spread: int) -> timedelta:
        n = -(-self.lasts // self.every)  # runs of a day, rounded up
        return timedelta(seconds=spread % int((self.lasts - (n - 1) * self.every).total_seconds()))

    def _is_open(self, shown: datetime, day: date) -> bool:
        return shown.date() == day and self.opens <= shown.time() and (self.closes is None or shown.time() < self.closes)

    def next_day(self, day: date) -> date:
        return day


@dataclass(frozen=True, kw_only=True)
class Daily:
    """At fixed times of some weekdays: once where clocks show a time twice, right afterwards where they skip it."""

    times: tuple[time, ...]
    days: frozenset[int] = EVERY_DAY

    def moments(self, day: date, zone: ZoneInfo, spread: int) -> list[datetime]:
        if day.weekday() not in self.days:
            return []
        shown = {first_shown(datetime.combine(day, each), zone) for each in self.times}
        return sorted(each + _within_a_minute(spread) for each in shown)

    def next_day(self, day: date) -> date:
        return day


@dataclass(frozen=True, kw_only=True)
class Cron:
    """A cron line. One whose hour is free runs whenever clocks show its minutes; one with fixed hours, once for each."""

    line: str

    def moments(self, day: date, zone: ZoneInfo, spread: int) -> list[datetime]:
        walls = list(self._walls(day))
        is_free = self.line.split()[1].startswith("*")
        shown = each_shown(walls, zone) if is_free else sorted({first_shown(wall, zone) for wall in walls})
        return [each + _within_a_minute(spread) for each in shown]

    def next_day(self, day: date) -> date:
        return self._from(day).get_next(datetime).date()

    def _walls(self, day: date) -> Iterator[datetime]:
        matches = self._from(day)
        while (wall := matches.get_next(datetime)).date() == day:
            yield wall

    def _from(self, day: date) -> croniter:
        return croniter(self.line, midnight(day) - timedelta(seconds=1))


def _within_a_minute(spread: int) -> timedelta:
    return timedelta(seconds=spread % 60)


def _steps(first: datetime, every: timedelta, end: datetime) -> Iterator[datetime]:
    while first < end:
        yield first
        first += every

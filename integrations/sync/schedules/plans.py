"""A schedule as it was read: the usual timing, the one around month-end, and pauses."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from integrations.sync.schedules.timings import DAY, Timing

LAST, FIRST = 2, 3  # business days of a month that belong to its close, and to that of the month before


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Days on which nothing runs, both included, in the tenant's calendar."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``month_end`` holds on the last 2 and first 3 business days of a month, ``usual`` on all others. None: nothing runs."""

    usual: Timing | None
    month_end: Timing | None = None
    pauses: tuple[Pause, ...] = ()

    def moments(self, after: datetime, zone: ZoneInfo, spread: int) -> Iterator[datetime]:
        """All moments later than ``after``, ascending, without end."""
        day = after.astimezone(zone).date()
        while True:
            day = self._next_day(day)
            if timing := self._on(day):
                yield from (each for each in timing.moments(day, zone, spread) if each > after)
            day += DAY

    def _on(self, day: date) -> Timing | None:
        if any(pause.first <= day <= pause.last for pause in self.pauses):
            return None
        return self.month_end if self.month_end and is_around_month_end(day) else self.usual

    def _next_day(self, day: date) -> date:
        """Only a schedule that never changes may leap over days."""
        return self.usual.next_day(day) if self.usual and self.month_end is None else day


def is_around_month_end(day: date) -> bool:
    """The last 2 and the first 3 business days, Monday to Friday: public holidays are not known."""
    days = [date(day.year, day.month, n) for n in range(1, monthrange(day.year, day.month)[1] + 1)]
    business = [each for each in days if each.weekday() < 5]
    return day in business[:FIRST] or day in business[-LAST:]

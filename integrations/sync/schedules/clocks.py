"""What the clocks of a place show, and when: the only module that knows that clocks are put forward and back."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def first_shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which the zone's clocks first show ``wall`` (naive); of a time that they skip, the moment they skip it."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    after = late.astimezone(zone).utcoffset()
    seconds = range((late - early) // SECOND + 1)
    at = bisect_left(seconds, True, key=lambda n: (early + n * SECOND).astimezone(zone).utcoffset() == after)
    return early + at * SECOND


def last_shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """The same, but the second time where clocks that are put back show it twice."""
    return max(first_shown(wall, zone), wall.replace(tzinfo=zone, fold=1).astimezone(UTC))


def each_shown(walls: Iterable[datetime], zone: ZoneInfo) -> list[datetime]:
    """Every moment at which clocks show one of these: twice where they are put back, never for what they skip."""
    moments = {
        moment for wall in walls for moment in (first_shown(wall, zone), last_shown(wall, zone)) if _shows(moment, wall, zone)
    }
    return sorted(moments)


def _shows(moment: datetime, wall: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(zone).replace(tzinfo=None) == wall


def midnight(day: date) -> datetime:
    """The beginning of a day on the wall."""
    return datetime.combine(day, time())

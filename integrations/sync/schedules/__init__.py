"""When a flow is due, in the tenant's time zone: words or a cron line in, moments out (docs/configuration.md, "Schedules")."""

import zlib
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from integrations.sync.schedules import words
from integrations.sync.schedules.plans import Plan
from integrations.sync.schedules.reading import ScheduleUnreadable, read
from integrations.sync.schedules.timings import Steady

__all__ = ["ScheduleUnreadable", "check", "in_words", "interval", "next_after", "next_times"]


def check(schedule: str) -> None:
    """Raise ScheduleUnreadable, with a sentence, unless ``schedule`` can be kept."""
    read(schedule)


def interval(schedule: str) -> timedelta | None:
    """The interval of a schedule that does not depend on calendar and time zone; None for every other."""
    try:
        plan = read(schedule)
    except ScheduleUnreadable:
        return None
    return plan.usual.every if isinstance(plan.usual, Steady) and plan == Plan(usual=plan.usual) else None


def next_after(moment: datetime, schedule: str, *, zone: str, flow_id: UUID) -> datetime:
    """The next time after ``moment`` (aware) that a flow of this schedule is due, in UTC.

    Each flow has a fixed offset of its own: anywhere within an interval, within the hours it names, within a minute of a fixed time.
    """
    return next_times(1, moment, schedule, zone=zone, flow_id=flow_id)[0]


def next_times(n: int, moment: datetime, schedule: str, *, zone: str, flow_id: UUID) -> list[datetime]:
    """The next ``n`` of them."""
    return list(islice(read(schedule).moments(moment, ZoneInfo(zone), zlib.crc32(flow_id.bytes)), n))


def in_words(schedule: str) -> str:
    """What the schedule says, spelled out: "Every 30 minutes from 8:00 to 18:00 on weekdays."."""
    text = words.of_plan(read(schedule))
    return f"{text[0].upper()}{text[1:]}."

"""A plan in words, always the same for the same plan, however it was typed."""

from collections.abc import Sequence
from datetime import time, timedelta

from integrations.sync.schedules.plans import Pause, Plan
from integrations.sync.schedules.reading import NAMES
from integrations.sync.schedules.timings import DAY, EVERY_DAY, WEEKDAYS, Cron, Daily, Steady, Timing, Window

_UNITS = ((DAY, "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
_MONTH_END = "around month-end (the last 2 and the first 3 business days of a month)"


def of_plan(plan: Plan) -> str:
    """One sentence without its full stop: "every 4 hours; every 15 minutes around month-end (…); not on 2026-12-24"."""
    parts = [_timing(plan.usual)] if plan.usual else []
    parts += [f"{_timing(plan.month_end)} {_MONTH_END}"] if plan.month_end else []
    parts += [f"not {_listed([_pause(each) for each in plan.pauses])}"] if plan.pauses else []
    return "; ".join(parts)


def _timing(timing: Timing) -> str:
    match timing:
        case Steady(every=every):
            return _every(every)
        case Window(every=every, opens=opens, closes=closes, days=days):
            hours = "" if (opens, closes) == (time(), None) else f" from {_time(opens)} to {_time(closes)}"
            return f"{_every(every)}{hours}{_days(days)}"
        case Daily(times=times, days=days):
            return f"daily at {_listed([_time(each) for each in times])}{_days(days)}"
        case Cron(line=line):
            return f"by the cron line “{line}”"
    raise TypeError(f"not a timing: {timing!r}")


def _every(every: timedelta) -> str:
    unit, name = next((unit, name) for unit, name in _UNITS if not every % unit)
    n = every // unit
    return f"every {name}" if n == 1 else f"every {n:,} {name}s"


def _time(at: time | None) -> str:
    return "24:00" if at is None else f"{at.hour}:{at.minute:02}"


def _days(days: frozenset[int]) -> str:
    if days == EVERY_DAY:
        return ""
    named = {WEEKDAYS: "weekdays", EVERY_DAY - WEEKDAYS: "weekends"}.get(days)
    return f" on {named or _listed([NAMES[day].title() for day in sorted(days)])}"


def _pause(pause: Pause) -> str:
    return f"on {pause.first}" if pause.first == pause.last else f"from {pause.first} to {pause.last}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))

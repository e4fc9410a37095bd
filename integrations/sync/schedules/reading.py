"""From words to a plan. The grammar is small on purpose: docs/configuration.md, "Schedules", is all of it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NoReturn

from croniter import croniter

from integrations.sync.schedules.plans import Pause, Plan
from integrations.sync.schedules.timings import DAY, EVERY_DAY, WEEKDAYS, Cron, Daily, Steady, Timing, Window

NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=366)
LONGEST_PAUSE = timedelta(days=366)
MOST_CHARACTERS = 250  # what a flow's row holds

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY}
_WORDS = {"hourly": "every hour", "daily": "every day"}
_TIME = r"[\d:]+"
_CLAUSE = re.compile(
    rf"""(?:every\ (?:(?P<n>\d+)\ )?(?P<unit>minute|hour|day)s?)
    (?:\ at\ (?P<at>{_TIME}(?:(?:,\ |\ and\ ){_TIME})*))?
    (?:\ from\ (?P<opens>{_TIME})\ to\ (?P<closes>{_TIME}))?
    (?:\ on\ (?P<days>[a-z]+(?:(?:,\ |\ and\ )[a-z]+)*))?
    (?P<month_end>\ around\ month-end)?""",
    re.ASCII | re.VERBOSE,
)
_BETWEEN_CLAUSES = re.compile(r", (?=every |hourly|daily)")
_BETWEEN = re.compile(r",? and |, ")
_PAUSE = re.compile(r"(\d{4}-\d{2}-\d{2})(?: to (\d{4}-\d{2}-\d{2}))?", re.ASCII)


class ScheduleUnreadable(ValueError):
    """The text is no schedule; the sentence says what is wrong, or what would be one."""


@lru_cache(maxsize=1000)
def read(schedule: str) -> Plan:
    """Raises ScheduleUnreadable."""
    text = " ".join(schedule.split())
    if len(text) > MOST_CHARACTERS:
        raise ScheduleUnreadable(f"The schedule is too long: {len(text)} characters, where {MOST_CHARACTERS} are kept.")
    timing, *pauses = re.split(" except ", text, maxsplit=1, flags=re.IGNORECASE)
    return _Reading(schedule).plan(timing, *pauses)


class _Reading:
    """One text on its way to a plan; it is quoted in every complaint."""

    def __init__(self, schedule: str) -> None:
        self._schedule = schedule

    def plan(self, timing: str, pauses: str = "") -> Plan:
        dates = tuple(self._pauses(pauses)) if pauses else ()
        if len(timing.split()) == 5 and croniter.is_valid(timing):
            return Plan(usual=self._cron(timing), pauses=dates)
        usual, month_end = self._clauses(timing.casefold())
        return Plan(usual=usual, month_end=month_end, pauses=dates)

    def _cron(self, line: str) -> Cron:
        try:
            croniter(line, datetime.now(UTC)).get_next(datetime)
        except ValueError:  # the 30th of February
            self._refuse("never comes")
        return Cron(line=line)

    def _clauses(self, text: str) -> tuple[Timing | None, Timing | None]:
        matches = [_CLAUSE.fullmatch(_spelled_out(each)) for each in _BETWEEN_CLAUSES.split(text)]
        found = [match for match in matches if match]
        if len(found) < len(matches):
            self._refuse(
                "is not a schedule. Write “every 4 hours”, “every 15 minutes”, “daily at 6:30”, “every 30 minutes from 8:00 to"
                " 18:00 on weekdays”, “every 4 hours, every 15 minutes around month-end”, or a cron line such as “0 6 * * 1-5”"
            )
        marked = [bool(match["month_end"]) for match in found]
        if marked not in ([False], [True], [False, True]):
            self._refuse("names two rhythms for the same day. Beside the usual one there may be one that says “around month-end”")
        timings = [self._timing(match, by_day=len(found) > 1 or bool(match["month_end"])) for match in found]
        return (None, timings[0]) if marked == [True] else (timings[0], timings[1] if len(timings) > 1 else None)

    def _timing(self, match: re.Match[str], *, by_day: bool) -> Timing:
        """``by_day``: the timing changes from one day to another, so it counts within each day."""
        every, days = self._every(match), self._days(match["days"])
        if match["at"]:
            return self._daily(match, every, days)
        if not match["opens"] and not match["days"] and not by_day:
            return Steady(every=every)
        if every > DAY:
            self._refuse("has an interval of more than a day. Hours, weekdays and month-end go with a day at most")
        opens = self._time(match["opens"]) if match["opens"] else time()
        closes = self._closes(match["closes"]) if match["closes"] else None
        if closes is not None and closes <= opens:
            self._refuse("ends before it begins. Hours end on the day on which they begin; “24:00” is midnight")
        return Window(every=every, opens=opens, closes=closes, days=days)

    def _daily(self, match: re.Match[str], every: timedelta, days: frozenset[int]) -> Daily:
        if every != DAY or match["opens"]:
            self._refuse("gives times of day beside an interval. Write “daily at 6:30”, or the interval alone")
        times = [self._time(each) for each in _BETWEEN.split(match["at"])]
        return Daily(times=tuple(sorted(set(times))), days=days)

    def _every(self, match: re.Match[str]) -> timedelta:
        try:
            every = int(match["n"] or 1) * _UNITS[match["unit"]]
        except OverflowError:
            self._refuse("never comes")
        if every < SHORTEST:
            self._refuse("is too often. The shortest interval is 5 minutes")
        if every > LONGEST:
            self._refuse("never comes within a year. The longest interval is 366 days")
        return every

    def _closes(self, text: str) -> time | None:
        return None if text in ("24:00", "0:00", "00:00") else self._time(text)

    def _time(self, text: str) -> time:
        match = re.fullmatch(r"(\d{1,2}):(\d{2})", text, re.ASCII)
        if not match or int(match[1]) > 23 or int(match[2]) > 59:
            self._refuse(f"has a time that no clock shows: {text}. Write hours and minutes such as 6:30 or 18:00")
        return time(int(match[1]), int(match[2]))

    def _days(self, text: str | None) -> frozenset[int]:
        if text is None:
            return EVERY_DAY
        found: set[int] = set()
        for word in _BETWEEN.split(text):
            named = {"weekdays": WEEKDAYS, "weekends": EVERY_DAY - WEEKDAYS}.get(word)
            name = word.removesuffix("s")
            if named is None and name not in NAMES:
                self._refuse(f"names a day that there is not: {word}. Write “weekdays”, “weekends”, or “Monday and Thursday”")
            found |= named or {NAMES.index(name)}
        return frozenset(found)

    def _pauses(self, text: str) -> Iterator[Pause]:
        for each in _BETWEEN.split(text):
            match = _PAUSE.fullmatch(each)
            if not match:
                self._refuse(f"has an exception that is no date: {each}. Write “except 2026-12-24 to 2026-12-26”")
            first = self._date(match[1])
            last = self._date(match[2] or match[1])
            if last < first:
                self._refuse(f"has an exception that ends before it begins: {each}")
            if last - first > LONGEST_PAUSE:
                self._refuse(f"pauses for more than a year: {each}. Pause the flow instead")
            yield Pause(first=first, last=last)

    def _date(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._refuse(f"has a date that the calendar has not: {text}")

    def _refuse(self, why: str) -> NoReturn:
        raise ScheduleUnreadable(f"‘{self._schedule}’ {why}.")


def _spelled_out(clause: str) -> str:
    first, blank, rest = clause.partition(" ")
    return _WORDS.get(first, first) + blank + rest

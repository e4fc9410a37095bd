"""When a flow is due: what may be written, what it means, and that clocks which are put forward and back change nothing of it."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.sync.schedules import ScheduleUnreadable, check, in_words, interval, next_after, next_times
from integrations.sync.schedules.plans import is_around_month_end

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
DAY = timedelta(days=1)
FLOW = UUID(int=0)  # its offset is known: crc32 of sixteen zero bytes
CHICAGO, UTC_ZONE = "America/Chicago", "UTC"
ZONES = (
    CHICAGO,
    UTC_ZONE,
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Havana",
    "Africa/Cairo",
    "Pacific/Chatham",
)
SCHEDULES = (
    "every 4 hours",
    "every 15 minutes",
    "every 3 days",
    "daily",
    "daily at 6:30",
    "daily at 2:30 and 1:15",
    "daily at 0:00 on weekdays",
    "every 30 minutes from 8:00 to 18:00 on weekdays",
    "every 45 minutes from 1:30 to 3:10",
    "every 6 hours from 2:00 to 3:00",
    "every 5 minutes from 23:00 to 24:00 on Sundays and Mondays",
    "hourly on weekends",
    "every 4 hours, every 15 minutes around month-end",
    "daily at 6:30, every 2 hours from 6:00 to 20:00 around month-end",
    "every 20 minutes around month-end",
    "every 4 hours except 2026-12-24 to 2026-12-26, 2027-01-01",
    "every hour from 8:00 to 18:00 on weekdays except 2026-12-24 to 2027-01-03",
    "0 6 * * 1-5",
    "*/20 * * * *",
    "30 2 * * * except 2026-11-28",
)

zones = st.sampled_from(ZONES)
schedules = st.sampled_from(SCHEDULES)
flows = st.integers(0, 2**128 - 1).map(lambda n: UUID(int=n))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def until(end: datetime, moment: datetime, schedule: str, zone: str, flow: UUID = FLOW) -> list[datetime]:
    """All times after ``moment`` and before ``end``, each found from the one before."""
    found: list[datetime] = []
    while (moment := next_after(moment, schedule, zone=zone, flow_id=flow)) < end:
        found.append(moment)
    return found


# -- What holds for every schedule --------------------------------------------------------------------------------------------


@given(moment=moments, schedule=schedules, zone=zones, flow=flows)
@settings(max_examples=400, deadline=None)
def test_the_next_time_is_later_and_the_same_whenever_it_is_asked_for(
    moment: datetime, schedule: str, zone: str, flow: UUID
) -> None:
    due = next_after(moment, schedule, zone=zone, flow_id=flow)
    assert due > moment
    assert due.utcoffset() == timedelta()
    between = moment + (due - moment) / 2
    assert next_after(between, schedule, zone=zone, flow_id=flow) == due
    assert next_after(due - timedelta(microseconds=1), schedule, zone=zone, flow_id=flow) == due
    assert next_after(due, schedule, zone=zone, flow_id=flow) > due


@given(moment=moments, schedule=schedules, zone=zones, flow=flows)
@settings(max_examples=100, deadline=None)
def test_a_list_of_times_is_each_time_in_turn(moment: datetime, schedule: str, zone: str, flow: UUID) -> None:
    times = next_times(6, moment, schedule, zone=zone, flow_id=flow)
    for now, due in pairwise([moment, *times]):
        assert next_after(now, schedule, zone=zone, flow_id=flow) == due


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_in_words_begins_like_a_sentence(schedule: str) -> None:
    check(schedule)
    words = in_words(schedule)
    assert words[0].isupper()
    assert words.endswith(".")


# -- Steady intervals -----------------------------------------------------------------------------------------------------------


@given(moment=moments, minutes=st.integers(5, 5000), zone=zones, flow=flows)
@settings(max_examples=200, deadline=None)
def test_a_steady_interval_is_as_long_in_every_zone_and_season(moment: datetime, minutes: int, zone: str, flow: UUID) -> None:
    times = next_times(4, moment, f"every {minutes} minutes", zone=zone, flow_id=flow)
    assert times[0] - moment <= timedelta(minutes=minutes)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=minutes)}
    assert times == next_times(4, moment, f"every {minutes} minutes", zone=UTC_ZONE, flow_id=flow)


def test_only_what_needs_no_calendar_is_called_an_interval() -> None:
    assert interval("every 4 hours") == timedelta(hours=4)
    assert interval("Daily") == timedelta(days=1)
    assert {interval(each) for each in SCHEDULES[4:]} == {None}
    assert interval("now and then") is None


def test_flows_of_one_schedule_are_spread() -> None:
    at = {next_after(NOW, "every hour", zone=UTC_ZONE, flow_id=UUID(int=n)) for n in range(200)}
    assert len(at) > 190


# -- Hours --------------------------------------------------------------------------------------------------------------------


@given(
    opens=st.integers(0, 23 * 60),
    lasts=st.integers(5, 24 * 60),
    minutes=st.integers(5, 24 * 60),
    zone=zones,
    flow=flows,
    moment=moments,
    weekdays=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_no_run_falls_out_of_its_hours_and_no_day_is_left_out(
    opens: int, lasts: int, minutes: int, zone: str, flow: UUID, moment: datetime, weekdays: bool
) -> None:
    closes = min(opens + lasts, 24 * 60)
    schedule = f"every {minutes} minutes from {opens // 60}:{opens % 60:02} to {closes // 60}:{closes % 60:02}"
    times = until(moment + timedelta(days=9), moment, schedule + (" on weekdays" if weekdays else ""), zone, flow)
    shown = [local(each, zone) for each in times]
    for each in shown:
        skipped = not opens <= each.hour * 60 + each.minute < closes
        assert not skipped or _lasts(each.date(), zone) < DAY, f"{each} is not within {schedule}"
    whole = {local(moment, zone).date() + timedelta(days=n) for n in range(1, 8)}
    assert {each.date() for each in shown} >= {day for day in whole if not weekdays or day.weekday() < 5}
    if weekdays:
        assert all(each.weekday() < 5 for each in shown)


def _lasts(day: date, zone: str) -> timedelta:
    begin, end = (datetime.combine(each, time(), ZoneInfo(zone)).astimezone(UTC) for each in (day, day + DAY))
    return end - begin


def _day_is_odd(day: date, zone: str) -> bool:
    """Clocks change on it."""
    return _lasts(day, zone) != DAY


@given(lasts=st.integers(1, 24 * 60), minutes=st.integers(5, 24 * 60), flow=flows)
@settings(max_examples=200, deadline=None)
def test_every_flow_has_equally_many_runs_in_the_same_hours(lasts: int, minutes: int, flow: UUID) -> None:
    schedule = f"every {minutes} minutes from 0:00 to {lasts // 60}:{lasts % 60:02}"
    begin = datetime(2026, 11, 28, tzinfo=UTC) - timedelta(seconds=1)
    assert len(until(begin + timedelta(days=1), begin, schedule, UTC_ZONE, flow)) == -(-lasts // minutes)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("flow", [FLOW, UUID(int=7), UUID(int=2**100)])
def test_over_a_year_every_half_hour_of_business_occurs_once(zone: str, flow: UUID) -> None:
    schedule = "every 30 minutes from 8:00 to 18:00 on weekdays except 2027-03-01 to 2027-03-05"
    begin, end = (datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for year in (2027, 2028))
    halves = [
        (each.date(), each.hour, each.minute // 30)
        for each in (local(each, zone) for each in until(end, begin, schedule, zone, flow))
    ]
    days = [date(2027, 1, 1) + timedelta(days=n) for n in range(365)]
    paused = {date(2027, 3, n) for n in range(1, 6)}
    working = [day for day in days if day.weekday() < 5 and day not in paused]
    assert halves == [(day, hour, half) for day in working for hour in range(8, 18) for half in (0, 1)]


def test_hours_that_clocks_show_twice_are_served_twice_and_those_they_skip_once() -> None:
    night = "every 30 minutes from 1:00 to 4:00"
    for day, n in ((date(2026, 11, 1), 8), (date(2026, 11, 2), 6), (date(2026, 3, 8), 4)):
        begin = datetime.combine(day, time(), ZoneInfo(CHICAGO)).astimezone(UTC)
        assert len(until(begin + timedelta(hours=20), begin, night, CHICAGO)) == n
    begin = datetime(2026, 11, 1, tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)
    twice = [
        local(each, CHICAGO) for each in until(begin + DAY, begin - DAY / 1000, "every 5 minutes from 0:00 to 1:30", CHICAGO)
    ]
    assert len(twice) == 18 + 6
    assert all((each.hour, each.minute) < (1, 30) for each in twice)
    begin = datetime(2026, 3, 8, tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)
    [only] = until(begin + timedelta(hours=20), begin, "every 10 minutes from 2:00 to 3:00", CHICAGO)
    assert local(only, CHICAGO).isoformat() == "2026-03-08T03:00:00-05:00"


# -- Times of day ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["daily at 2:30", "30 2 * * *"])
@pytest.mark.parametrize("zone", ZONES)
def test_over_a_year_a_time_of_day_occurs_once_a_day(schedule: str, zone: str) -> None:
    begin, end = (datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for year in (2026, 2027))
    shown = [local(each, zone) for each in until(end, begin, schedule, zone)]
    assert [each.date() for each in shown] == [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert {(each.hour, each.minute) for each in shown if not _day_is_odd(each.date(), zone)} == {(2, 30)}


@pytest.mark.parametrize("schedule", ["daily at 2:30", "30 2 * * *"])
def test_a_time_that_clocks_skip_is_served_when_they_skip_it_and_one_shown_twice_the_first_time(schedule: str) -> None:
    flow = UUID(int=1)
    skipped = next_after(datetime(2026, 3, 8, 7, tzinfo=UTC), schedule, zone=CHICAGO, flow_id=flow)
    assert local(skipped, CHICAGO).replace(second=0).isoformat() == "2026-03-08T03:00:00-05:00"
    twice = schedule.replace("2:30", "1:30").replace("30 2", "30 1")
    first = next_after(datetime(2026, 11, 1, 5, tzinfo=UTC), twice, zone=CHICAGO, flow_id=flow)
    assert local(first, CHICAGO).replace(second=0).isoformat() == "2026-11-01T01:30:00-05:00"
    assert local(next_after(first, twice, zone=CHICAGO, flow_id=flow), CHICAGO).date() == date(2026, 11, 2)


def test_a_cron_line_of_every_hour_keeps_its_pace_while_clocks_change() -> None:
    for begin in (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)):
        times = until(begin + timedelta(days=1), begin, "*/20 * * * *", CHICAGO)
        assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=20)}


def test_a_cron_line_whose_minute_has_begun_is_still_served_in_it() -> None:
    flow = next(UUID(int=n) for n in range(100) if next_after(NOW, "0 6 * * *", zone=UTC_ZONE, flow_id=UUID(int=n)).second > 30)
    due = next_after(datetime(2026, 11, 28, 6, 0, 10, tzinfo=UTC), "0 6 * * *", zone=UTC_ZONE, flow_id=flow)
    assert due.date() == date(2026, 11, 28)


def test_a_rare_day_is_found_years_ahead() -> None:
    assert next_after(NOW, "0 0 29 2 *", zone=UTC_ZONE, flow_id=FLOW).date() == date(2028, 2, 29)


# -- Month-end and pauses ---------------------------------------------------------------------------------------------------------


def test_month_end_is_the_last_two_and_the_first_three_business_days() -> None:
    days = [date(2027, 1, 20) + timedelta(days=n) for n in range(20)]
    assert [each for each in days if is_around_month_end(each)] == [
        date(2027, 1, 28), date(2027, 1, 29), date(2027, 2, 1), date(2027, 2, 2), date(2027, 2, 3)
    ]  # fmt: skip
    for month in range(1, 13):
        days = [date(2026, month, n) for n in range(1, 29 if month == 2 else 31)]
        assert sum(map(is_around_month_end, days)) >= 4


@pytest.mark.parametrize("zone", ZONES)
def test_a_flow_is_faster_around_month_end_and_nowhere_else(zone: str) -> None:
    schedule = "every 4 hours, every 15 minutes around month-end"
    begin, end = (datetime(2027, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for month in (1, 12))
    n: dict[date, int] = {}
    for each in until(end, begin, schedule, zone):
        n[local(each, zone).date()] = n.get(local(each, zone).date(), 0) + 1
    even = {day: count for day, count in n.items() if not _day_is_odd(day, zone)}
    assert {count for day, count in even.items() if is_around_month_end(day)} == {96}
    assert {count for day, count in even.items() if not is_around_month_end(day)} == {6}


@pytest.mark.parametrize("schedule", ["every 4 hours", "daily at 6:30", "0 6 * * *", "every 15 minutes around month-end"])
def test_nothing_runs_on_excepted_days_of_the_tenants_calendar(schedule: str) -> None:
    begin = datetime(2026, 12, 20, tzinfo=UTC)
    times = until(begin + timedelta(days=30), begin, f"{schedule} except 2026-12-24 to 2026-12-26 and 2026-12-31", CHICAGO)
    days = {local(each, CHICAGO).date() for each in times}
    excepted = {date(2026, 12, n) for n in (24, 25, 26, 31)}
    assert not days & excepted
    usual = {local(each, CHICAGO).date() for each in until(begin + timedelta(days=30), begin, schedule, CHICAGO)}
    assert days == usual - excepted


# -- Words ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("hourly", "Every hour."),
        ("every 90 minutes", "Every 90 minutes."),
        ("Every 30 Minutes from 08:00 to 18:00 on weekdays", "Every 30 minutes from 8:00 to 18:00 on weekdays."),
        ("daily at 18:00 and 6:30 on friday, Mondays", "Daily at 6:30 and 18:00 on Monday and Friday."),
        (
            "every 4 hours, every 15 minutes around month-end",
            "Every 4 hours; every 15 minutes around month-end (the last 2 and the first 3 business days of a month).",
        ),
        ("0 6 * * 1-5 except 2026-12-24, 2026-12-25", "By the cron line “0 6 * * 1-5”; not on 2026-12-24 and on 2026-12-25."),
        ("daily EXCEPT 2026-12-24 to 2026-12-26", "Every day; not from 2026-12-24 to 2026-12-26."),
    ],
)
def test_a_schedule_is_told_in_one_way_however_it_was_typed(schedule: str, words: str) -> None:
    assert in_words(schedule) == words


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("now and then", "is not a schedule. Write “every 4 hours”"),
        ("", "is not a schedule"),
        ("99 6 * * *", "is not a schedule"),
        ("0 0 30 2 *", "‘0 0 30 2 *’ never comes."),
        ("every 99999999999999999999 days", "never comes."),
        ("every 500 days", "The longest interval is 366 days."),
        ("every 4 minutes", "‘every 4 minutes’ is too often. The shortest interval is 5 minutes."),
        ("every 0 hours", "is too often"),
        ("every hour from 18:00 to 8:00", "ends before it begins. Hours end on the day on which they begin"),
        ("daily at 25:00", "has a time that no clock shows: 25:00."),
        ("daily at 6:3", "has a time that no clock shows: 6:3."),
        ("every hour on Sonntag", "names a day that there is not: sonntag."),
        ("every hour, every 2 hours", "names two rhythms for the same day."),
        ("every hour around month-end, every 2 hours", "names two rhythms for the same day."),
        ("every 2 days on weekdays", "has an interval of more than a day."),
        ("every hour at 6:00", "gives times of day beside an interval."),
        ("every hour except tomorrow", "has an exception that is no date: tomorrow."),
        ("every hour except 2026-02-30", "has a date that the calendar has not: 2026-02-30."),
        ("every hour except 2026-12-26 to 2026-12-24", "has an exception that ends before it begins"),
        ("every hour except 2026-01-01 to 2029-01-01", "pauses for more than a year"),
        ("every hour except " + ", ".join(f"2026-12-{n}" for n in range(10, 31)), "The schedule is too long: 268 characters"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_sentence(schedule: str, said: str) -> None:
    with pytest.raises(ScheduleUnreadable) as refused:
        check(schedule)
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")

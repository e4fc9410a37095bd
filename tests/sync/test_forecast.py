"""The arithmetic of a forecast: every limit is kept, none is waited for in vain, and more work never ends sooner."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.models import Link
from integrations.models.flow import LinkState
from integrations.sync import forecast as forecasts
from integrations.sync import verbs
from integrations.sync.forecast import forecast
from integrations.types import Load, Spent
from integrations.vendors.intacct import forecast as intacct
from integrations.vendors.monday import forecast as monday
from integrations.vendors.monday.forecast import Pacing, course
from tenants.audit import SYSTEM
from tests.sync.conftest import Story

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 28, tzinfo=UTC)

pacings = st.builds(
    Pacing,
    batch=st.integers(1, 25),
    cost=st.sampled_from((10_000, 30_000)),
    complexity_per_minute=st.sampled_from((1_000_000, 5_000_000, 10_000_000)),
    calls_per_minute=st.integers(1, 5_000),
    calls_per_day=st.integers(1, 25_000),
    used_today=st.integers(0, 30_000),
)


# -- Monday.com -----------------------------------------------------------------------------------------------------------------


@given(n=st.integers(0, 200_000), n_other=st.integers(0, 200), pacing=pacings)
def test_every_limit_is_kept(n: int, n_other: int, pacing: Pacing) -> None:
    """Played minute by minute and day by day: as much as the limits let through, and not more."""
    found = course(n, n_other, pacing, NOW)
    assert found.n_calls == n_other + -(-n // pacing.batch)
    n_left, n_days = found.n_calls - pacing.left_today, 0
    while n_left > 0:
        n_left, n_days = n_left - pacing.calls_per_day, n_days + 1
    assert (found.ends_at.date() - NOW.date()).days >= n_days
    if n_days:
        assert found.waits_for == "daily limit"
        assert found.ends_at >= MIDNIGHT + timedelta(days=n_days - 1)
    else:
        minutes = (found.ends_at - NOW) / timedelta(minutes=1)
        writes_of_a_batch = min(pacing.batch, n)
        assert found.n_calls <= (minutes + 1) * pacing.calls_per_minute
        a_minute = max(pacing.complexity_per_minute, pacing.cost * pacing.batch)  # one batch always goes
        assert n * pacing.cost <= (minutes + 1) * a_minute + writes_of_a_batch * pacing.cost


@given(n=st.integers(0, 100_000), more=st.integers(0, 1_000), pacing=pacings)
def test_more_work_never_ends_sooner_and_never_takes_fewer_calls(n: int, more: int, pacing: Pacing) -> None:
    few, many = course(n, 3, pacing, NOW), course(n + more, 3, pacing, NOW)
    assert few.n_calls <= many.n_calls
    if few.waits_for != "daily limit":
        assert few.ends_at <= many.ends_at


@given(n=st.integers(0, 5_000))
def test_without_limits_in_the_way_it_waits_for_nothing(n: int) -> None:
    free = Pacing(complexity_per_minute=10**12, calls_per_minute=10**6, calls_per_day=10**6)
    found = course(n, 1, free, NOW)
    assert found.waits_for == ""
    assert found.ends_at == NOW + found.n_calls * timedelta(seconds=monday.SECONDS_PER_CALL)


@pytest.mark.parametrize(
    ("n", "settings", "waits_for", "lasts"),
    [
        (100, {}, "", timedelta(seconds=9)),
        (1_000, {}, "complexity limit per minute", timedelta(minutes=3)),
        (300, {"plan": "trial"}, "complexity limit per minute", timedelta(minutes=9)),
        (9_999, {"daily_limit": "1000"}, "daily limit", timedelta(hours=14, minutes=35)),
    ],
)
def test_a_load_names_the_limit_that_it_waits_for(n: int, settings: dict[str, str], waits_for: str, lasts: timedelta) -> None:
    found = monday.write(Load(n_records=n, n_creates=n), settings, {}, NOW)
    assert found.waits_for == waits_for
    assert abs((found.ends_at - NOW) - lasts) <= max(timedelta(seconds=5), lasts * 0.1)


def test_what_is_used_of_today_counts_and_yesterdays_does_not() -> None:
    load, settings = Load(n_records=10, n_creates=10), {"daily_limit": "10000"}
    used = Spent(used=8_000, limit=None, ends_at=MIDNIGHT)
    kept = "of which 1,000 are kept for what people do by hand."
    assert monday.write(load, settings, {"day": used}, NOW).said == (f"The daily limit has 2,000 calls left, {kept}",)
    assert monday.write(load, settings, {"day": used}, MIDNIGHT).said == (f"The daily limit has 10,000 calls left, {kept}",)
    assert monday.write(load, {}, {}, NOW).said == ("The account's daily limit is not known. Ping the connection once.",)


def test_a_limit_that_answers_taught_replaces_the_documents_number() -> None:
    load = Load(n_records=100_000, n_updates=100_000)
    learnt = {"minute": Spent(used=0, limit=10, ends_at=MIDNIGHT)}
    assert monday.write(load, {}, learnt, NOW).waits_for == "limit of calls per minute"
    assert monday.write(load, {}, {}, NOW).waits_for == "complexity limit per minute"


def test_days_that_a_long_load_takes_are_counted_from_midnight_utc() -> None:
    pacing = Pacing(calls_per_day=100, used_today=40)
    for n, days in ((590, 0), (610, 1), (1_590, 1), (1_610, 2)):
        found = course(n, 1, pacing, NOW)
        assert (found.ends_at.date() - NOW.date()).days == days, n


# -- Sage Intacct ---------------------------------------------------------------------------------------------------------------


@given(n=st.integers(0, 200_000))
def test_reading_costs_a_call_a_thousand_and_one_more_with_lines(n: int) -> None:
    pages = max(1, -(-n // 1000))
    assert intacct.read(Load(n_records=n, fields=["RECORDID"]), {}, {}, NOW).n_calls == pages
    with_lines = intacct.read(Load(n_records=n, fields=["RECORDID", "lines.ACCOUNTNO"]), {}, {}, NOW)
    assert with_lines.n_calls == (2 * pages if n else 1)
    ends = [intacct.read(Load(n_records=each), {}, {}, NOW).ends_at for each in (0, n, n + 1000)]
    assert all(sooner <= later for sooner, later in pairwise(ends))


# -- A flow ---------------------------------------------------------------------------------------------------------------------


def test_records_that_stand_were_refused_or_taken_off_are_not_made_again(story: Story) -> None:
    story.fill(10)
    story.shelf.refuses["2"] = ()
    story.finish()
    Link.objects.filter(external_id="3").update(state=LinkState.GONE)
    story.fill(4, start=11)
    found = forecast(story.again())
    assert (found.n_records, found.n_standing, found.n_creates, found.n_updates) == (14, 8, 4, 0)
    assert "14 entries in Ledger (all entries): 8 stand on the board ‘The shelf’, 4 would be made." in forecasts.in_words(found)


def test_items_whose_content_is_not_known_any_more_would_be_changed(story: Story) -> None:
    story.fill(10)
    story.finish()
    verbs.run_now(story.flow, by=SYSTEM, overwrite=True)
    found = forecast(story.again())
    assert (found.n_creates, found.n_updates) == (0, 10)
    assert "0 would be made, up to 10 changed." in forecasts.in_words(found)
    assert forecasts.as_json(found)["updates"] == 10

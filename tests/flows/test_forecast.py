"""What is foretold before a load is what the load then costs."""

import io
import json

import pytest
from django.core.management import call_command

from integrations.models import Run
from integrations.sync import forecast as forecasts
from integrations.sync.forecast import forecast
from tests.flows.conftest import Harbor

pytestmark = pytest.mark.database


def assert_within_a_tenth(really: int, foretold: int) -> None:
    assert abs(really - foretold) <= max(1, 0.1 * foretold)


@pytest.mark.parametrize("n", [0, 7, 260, pytest.param(1000, marks=pytest.mark.slow), pytest.param(2500, marks=pytest.mark.slow)])
def test_a_load_costs_the_calls_that_were_foretold(harbor: Harbor, n: int) -> None:
    if n:
        harbor.books.world.seed(bills=n)
    found = forecast(harbor.flow)
    assert (found.n_records, found.n_standing, found.n_creates, found.n_updates) == (n, 0, n, 0)
    assert len(harbor.calls("board")) == found.calls["monday"] == 1
    harbor.forget_calls()
    harbor.finish()
    assert len(harbor.items()) == n
    assert_within_a_tenth(len(harbor.calls("books")), found.read.n_calls)
    assert_within_a_tenth(len(harbor.calls("board")), found.write.n_calls)
    again = forecast(harbor.again())
    assert (again.n_standing, again.n_creates, again.n_updates, again.write.n_calls) == (n, 0, 0, 0)


def test_a_forecast_writes_nothing_and_tells_a_controller_what_to_expect(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=1000)
    call_command("ping", "harbor/board", stdout=io.StringIO())
    harbor.forget_calls()
    out = io.StringIO()
    call_command("forecast", "harbor/bills", stdout=out)
    counts, costs, left = out.getvalue().splitlines()
    assert counts.startswith("1,000 bills in Sage Intacct (all bills of all entities")
    assert counts.endswith("): 0 stand on the board ‘AP bills’, 1,000 would be made.")
    assert costs == (
        "2 calls to Sage Intacct, about 103 to Monday.com, about 3 minutes;"
        " Monday.com's complexity limit per minute is what it waits for."
    )
    assert left == "The daily limit has 9,999 calls left, of which 1,000 are kept for what people do by hand."
    assert harbor.calls("board") == ["complexity,boards"]
    assert [call for call in harbor.calls("books") if call.startswith("query")] == ["query APBILL,query APBILL,query APBILL"]
    assert not Run.objects.exists() and not harbor.items()


def test_a_load_of_several_days_says_when_it_ends_in_both_zones(harbor: Harbor) -> None:
    """1,000 calls a day, of which a tenth is kept for people, and 9,000 bills to carry."""
    harbor.flow.target.settings = {**harbor.flow.target.settings, "daily_limit": "200"}
    harbor.flow.target.save(update_fields=["settings"])
    harbor.books.world.seed(bills=4000)
    found = forecast(harbor.again())
    assert found.waits_for == "Monday.com's daily limit"
    assert found.ends_at.date().isoformat() == "2026-11-29"
    said = forecasts.in_words(found)
    assert "Monday.com's daily limit is what it waits for." in said
    assert f"It ends on 2026-11-29 at about {found.ends_at:%H:%M} UTC (2026-11-28 18:" in said
    assert "America/Chicago)." in said


def test_a_board_that_would_be_full_is_told_before_it_is(harbor: Harbor) -> None:
    harbor.board.world.board("AP bills").items_limit = 50
    harbor.books.world.seed(bills=60)
    out = io.StringIO()
    call_command("forecast", "harbor/bills", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["creates"] == 60
    assert "The board holds 0 of 50 items, so 50 of the 60 new ones fit. Choose a continuation board." in told["said"]

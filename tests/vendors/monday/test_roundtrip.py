"""What is written to the sandbox's board reads back as the very same value."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.errors import ContractBroken
from integrations.types import Done, Write
from integrations.vendors.monday.readings import decode
from integrations.vendors.monday.target import MondayTarget

from .conftest import Desk

numbers = itertools.count(1)


class Trip:
    """One board with a column of each kind, and a way to write a value and read it again."""

    def __init__(self, desk: Desk, *kinds: str) -> None:
        self.desk = desk
        self.board = desk.world.add_board("Kinds", [(kind, kind) for kind in kinds])
        self.target: MondayTarget = desk.target(self.board)
        self.columns = {kind: desk.column(kind, self.board) for kind in kinds}

    def __call__(self, values: dict[str, Any], target_id: str = "") -> tuple[str, dict[str, Any]]:
        n = next(numbers)
        by_id = {self.columns.get(kind, kind): value for kind, value in values.items()}
        write = Write(external_id=str(n), key=f"k{n}", label=f"Item {n}", values=by_id, target_id=target_id)
        (batch,) = self.target.batches([write])
        (result,) = self.target.write(batch, key=f"trip-{n}")
        assert isinstance(result, Done), result
        ((standing,),) = self.target.standing([result.target_id], list(by_id))
        return result.target_id, {kind: standing.values[self.columns.get(kind, kind)] for kind in values}


KINDS = [
    "text",
    "long_text",
    "numbers",
    "date",
    "status",
    "dropdown",
    "link",
    "email",
    "phone",
    "checkbox",
    "hour",
    "timeline",
    "country",
    "rating",
    "week",
    "location",
    "world_clock",
]


@pytest.fixture
def trip(desk: Desk) -> Trip:
    desk.world.reset(limits=False)
    return Trip(desk, *KINDS)


FILLED: dict[str, Any] = {
    "text": "4000-01-00",
    "long_text": "a\nb 🙂",
    "numbers": Decimal("1234.50"),
    "date": date(2026, 11, 30),
    "status": "Waiting",
    "dropdown": "A, B",
    "link": "https://example.com/7 Bill 7",
    "email": "ap@harbor.example",
    "phone": "+12025550169 US",
    "checkbox": True,
    "hour": "09:05",
    "timeline": "2026-11-01/2026-11-30",
    "country": "NL Netherlands",
    "rating": 4,
    "week": date(2026, 11, 23),
    "location": "52.37,4.89 Amsterdam",
    "world_clock": "Europe/Amsterdam",
}


def test_every_kind_of_column_reads_back_as_written_and_clears(trip: Trip) -> None:
    item, read = trip(FILLED)
    assert read == FILLED
    assert trip.target.as_standing({trip.columns[kind]: value for kind, value in FILLED.items()}) == {
        trip.columns[kind]: value for kind, value in FILLED.items()
    }
    _item, cleared = trip(dict.fromkeys(FILLED), target_id=item)
    assert cleared == dict.fromkeys(FILLED) | {"checkbox": False}


ODD: list[dict[str, Any]] = [
    {"text": Decimal("1234.50")},
    {"text": date(2026, 11, 30)},
    {"text": True},
    {"name": "n" * 300},
    {"name": Decimal("7.10")},
    {"long_text": "d" * 3000},
    {"numbers": "12.50"},
    {"numbers": 7},
    {"date": "2026-11-30"},
    {"status": True},
    {"status": " Open "},
    {"dropdown": False},
    {"link": "https://example.com/7"},
    {"phone": "+31201234567"},
    {"checkbox": "yes"},
    {"checkbox": None},
    {"week": date(2026, 11, 26)},
    {"timeline": date(2026, 11, 26)},
    {"country": "nl"},
    {"location": "52.37,4.89"},
    {"rating": Decimal("4.0")},
    {"text": "  "},
    {"numbers": None},
]


@pytest.mark.parametrize("values", ODD, ids=str)
def test_what_stands_there_is_what_the_value_was_said_to_become(trip: Trip, values: dict[str, Any]) -> None:
    _item, read = trip(values)
    by_id = {trip.columns.get(kind, kind): value for kind, value in values.items()}
    (said,) = trip.target.as_standing(by_id).values()
    (stands,) = read.values()
    assert said == stands and type(said) is type(stands)
    assert set(trip.target.as_standing(dict.fromkeys(by_id, stands)).values()) == {stands}


def test_a_moment_reads_back_in_utc_whatever_the_users_zone(trip: Trip) -> None:
    moment = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert trip({"date": moment})[1] == {"date": moment}


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=60).filter(str.strip)
anything = st.fixed_dictionaries(
    {
        "text": words,
        "long_text": words,
        "numbers": st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False).map(lambda number: number + 0),
        "date": st.dates(date(1990, 1, 1), date(2099, 12, 31)),
        "checkbox": st.booleans(),
        "dropdown": words.map(str.strip),
        "rating": st.integers(1, 5),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything)
def test_any_values_survive_the_way_to_the_board_and_back(trip: Trip, values: dict[str, Any]) -> None:
    assert trip(values)[1] == values


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words.map(str.strip))
def test_any_name_survives_the_way_to_the_board_and_back(trip: Trip, name: str) -> None:
    assert trip({"name": name})[1] == {"name": name}


def test_an_amount_is_read_from_its_text_to_the_last_digit() -> None:
    assert decode({"type": "numbers", "text": "12345678901234567.89", "value": None}) == Decimal("12345678901234567.89")


def test_a_cell_that_is_not_what_its_type_says_is_a_broken_contract() -> None:
    with pytest.raises(ContractBroken):
        decode({"id": "c", "type": "numbers", "text": "a lot", "value": None})

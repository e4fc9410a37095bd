"""Values on their way to a column: the exact JSON of each type, and what does not fit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.vendors.monday.catalogue import KINDS, READ_ONLY, accepts, kind_of
from integrations.vendors.monday.objects import Unfit, encode
from integrations.vendors.monday.texts import MARKER, cut_note, cut_value, length
from mappings.fields import Column, FieldType, Value

LABELS = {"labels": [{"id": 0, "label": "Open"}, {"id": 7, "label": "2026"}, {"id": 9, "label": "2027", "is_deactivated": True}]}
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"


def column(kind: str, **settings: Any) -> Column:
    return Column(id="c", title="C", kind=kind, accepts=accepts(kind), settings=settings)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "4000-01-00", "4000-01-00"),
        ("text", Decimal("1E+3"), "1000"),
        ("text", date(2026, 11, 30), "2026-11-30"),
        ("text", True, "Yes"),
        ("long_text", "a\nb", {"text": "a\nb"}),
        ("numbers", Decimal("1234.50"), "1234.50"),
        ("numbers", Decimal("1E+5"), "100000"),
        ("numbers", Decimal("-0.00"), "0.00"),
        ("numbers", 7, "7"),
        ("numbers", "12.5", "12.5"),
        ("date", date(2026, 11, 30), {"date": "2026-11-30"}),
        ("date", datetime(2026, 11, 30, 9, 0, tzinfo=UTC), {"date": "2026-11-30", "time": "09:00:00"}),
        ("date", datetime(2026, 11, 30, 1, 0, tzinfo=timezone(timedelta(hours=2))), {"date": "2026-11-29", "time": "23:00:00"}),
        ("date", "2026-11-30", {"date": "2026-11-30"}),
        ("status", "Done", {"label": "Done"}),
        ("status", " Open ", {"label": "Open"}),
        ("status", "2026", {"index": 7}),
        ("status", True, {"label": "Yes"}),
        ("dropdown", "A, B", {"labels": ["A, B"]}),
        ("link", "https://example.com/7 Bill 7", {"url": "https://example.com/7", "text": "Bill 7"}),
        ("link", "https://example.com/7", {"url": "https://example.com/7", "text": "https://example.com/7"}),
        ("email", "a@b.c", {"email": "a@b.c", "text": "a@b.c"}),
        ("phone", "+12025550169", {"phone": "+12025550169", "countryShortName": "US"}),
        ("phone", "+353 1 234 5678", {"phone": "+353 1 234 5678", "countryShortName": "IE"}),
        ("phone", "020 123 4567 NL", {"phone": "020 123 4567", "countryShortName": "NL"}),
        ("phone", "555", {"phone": "555"}),
        ("checkbox", True, {"checked": "true"}),
        ("checkbox", False, None),
        ("people", "123", {"personsAndTeams": [{"id": 123, "kind": "person"}]}),
        ("people", "person-123, team-9", {"personsAndTeams": [{"id": 123, "kind": "person"}, {"id": 9, "kind": "team"}]}),
        ("board_relation", "123,456", {"item_ids": [123, 456]}),
        ("hour", "16:42", {"hour": 16, "minute": 42}),
        ("timeline", "2026-11-01/2026-11-30", {"from": "2026-11-01", "to": "2026-11-30"}),
        ("timeline", date(2026, 11, 1), {"from": "2026-11-01", "to": "2026-11-01"}),
        ("tags", "295026", {"tag_ids": [295026]}),
        ("country", "NL Netherlands", {"countryCode": "NL", "countryName": "Netherlands"}),
        ("rating", 4, {"rating": 4}),
        ("week", date(2026, 11, 26), {"week": {"startDate": "2026-11-23", "endDate": "2026-11-29"}}),
        ("location", "52.37,4.89 Amsterdam", {"lat": "52.37", "lng": "4.89", "address": "Amsterdam"}),
        ("world_clock", "Europe/Amsterdam", {"timezone": "Europe/Amsterdam"}),
    ],
)
def test_each_kind_of_column_has_its_json(kind: str, value: Value, expected: Any) -> None:
    settings = LABELS if kind == "status" else {}
    assert encode(column(kind, **settings), value) == expected


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_clears_a_column_with_null_and_never_with_an_empty_text(kind: str) -> None:
    cleared: Any = {"tag_ids": []} if kind == "tags" else None
    assert encode(column(kind), None) == cleared
    assert encode(column(kind), "  ") == cleared


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("numbers", "12,50"),
        ("numbers", "1e5"),
        ("numbers", True),
        ("numbers", date(2026, 1, 1)),
        ("numbers", Decimal("NaN")),
        ("numbers", Decimal("Infinity")),
        ("date", "30.11.2026"),
        ("date", "2026-02-30"),
        ("date", datetime(2026, 1, 1)),
        ("date", 20261130),
        ("status", "2031"),
        ("status", "2027"),
        ("status", "4,000.00"),
        ("status", "x" * 31),
        ("link", "example.com"),
        ("link", "javascript:alert(1)"),
        ("email", "nobody"),
        ("checkbox", "perhaps"),
        ("people", "Nora Ellis"),
        ("board_relation", "12x"),
        ("hour", "25:00"),
        ("timeline", "2026-11-30/2026-11-01"),
        ("country", "Netherlands"),
        ("rating", "3.5"),
        ("location", "Amsterdam"),
        ("mirror", "x"),
        ("formula", 1),
        ("something_new", "x"),
    ],
)
def test_what_does_not_fit_is_said_before_it_is_sent(kind: str, value: Value) -> None:
    with pytest.raises(Unfit):
        encode(column(kind, **LABELS), value)


def test_read_only_kinds_accept_nothing_and_every_kind_of_the_vendor_is_told_apart() -> None:
    assert not set(KINDS) & READ_ONLY
    assert not any(accepts(kind) for kind in READ_ONLY)
    assert accepts("never_heard_of") == frozenset()
    assert set(FieldType) == accepts("text")


@pytest.mark.parametrize(
    ("internal", "kind"),
    [
        ("color", "status"),
        ("ColorColumn", "status"),
        ("multiple-person", "people"),
        ("numeric", "numbers"),
        ("long-text", "long_text"),
        ("lookup", "mirror"),
        ("board-relation", "board_relation"),
        ("dropdown", "dropdown"),
        ("boolean", "checkbox"),
        ("phone", "phone"),
        ("never", "never"),
    ],
)
def test_the_vendors_inner_names_of_columns_are_understood(internal: str, kind: str) -> None:
    assert kind_of(internal) == kind


def test_a_name_is_cut_at_255_and_no_character_in_half() -> None:
    assert cut_value("x" * 300) == "x" * 255
    assert cut_value("x" * 254 + FAMILY + "y") == "x" * 254
    assert cut_value("x" * 253 + "\U0001f1f3\U0001f1f1") == "x" * 253
    assert cut_value("x" * 254 + "e\u0301z") == "x" * 254
    assert cut_value(FAMILY * 100).endswith(FAMILY)


def test_a_note_that_is_cut_says_so() -> None:
    cut = cut_note("y" * 5000, 2000)
    assert len(cut) == 2000 and cut.endswith(MARKER)
    assert cut_note("y" * 2000, 2000) == "y" * 2000


@given(st.text(max_size=600), st.integers(min_value=1, max_value=300))
def test_a_cut_text_is_a_beginning_of_the_whole_and_fits(text: str, limit: int) -> None:
    cut = cut_value(text, limit)
    assert text.startswith(cut) and length(cut) <= limit


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_number_is_written_exactly_and_without_an_exponent(amount: Decimal) -> None:
    text = encode(column("numbers"), amount)
    assert "e" not in text.casefold() and Decimal(text) == amount


@given(
    st.sampled_from(sorted(KINDS)),
    st.one_of(st.text(), st.integers(), st.booleans(), st.decimals(), st.dates(), st.datetimes(), st.none()),
)
def test_any_value_in_any_column_is_written_or_said_to_be_unfit(kind: str, value: Value) -> None:
    try:
        encode(column(kind, **LABELS), value)
    except Unfit as error:
        assert str(error)

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.apply import Rule, apply
from mappings.fields import FieldType, Value
from mappings.parameters import BadStep
from mappings.transforms import TRANSFORMS, Shape, parse_step
from mappings.values import cut_text, text_of
from tests.mappings.strategies import values

FAMILY = "👩‍👩‍👧‍👦"


def after(value: Value, *steps: dict[str, Any]) -> Value:
    mapped = apply([Rule(column="c", title="Amount", field="F", steps=steps)], values={"F": value})
    assert not mapped.problems
    return mapped.values["c"]


def refusal(value: Value, *steps: dict[str, Any]) -> str:
    mapped = apply([Rule(column="c", title="Amount", field="F", steps=steps)], values={"F": value})
    assert mapped.values == {}
    [problem] = mapped.problems
    assert problem.code == "cannot_convert"
    return problem.said


def of_lines(found: list[Value], *steps: dict[str, Any]) -> Value:
    mapped = apply([Rule(column="c", field="lines.X", steps=steps)], values={}, lines=[{"lines.X": each} for each in found])
    assert not mapped.problems
    return mapped.values["c"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0000001"), "0.0000001"),
        (Decimal("12.50"), "12.50"),
        (date(2026, 11, 30), "2026-11-30"),
        (datetime(2026, 11, 30, 9, tzinfo=UTC), "2026-11-30T09:00:00+00:00"),
        (True, "Yes"),
        (False, "No"),
        (7, "7"),
        ("4000-01-00", "4000-01-00"),
    ],
)
def test_every_value_has_one_fixed_form_as_text(value: Value, written: str) -> None:
    assert after(value, {"do": "text"}) == written


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [
        ("Harbor Supply", 13, "Harbor Supply"),
        ("Harbor Supply", 12, "Harbor Supp…"),
        ("Harbor Supply", 8, "Harbor…"),
        ("Harbor", 1, "…"),
        ("ab" + FAMILY + "cd", 5, "ab…"),
        ("ab" + FAMILY + "cd", 10, "ab" + FAMILY + "…"),
        ("🇳🇱🇩🇪🇫🇷", 4, "🇳🇱…"),
        ("🇳🇱🇩🇪🇫🇷", 5, "🇳🇱🇩🇪…"),
        ("👍🏽👍🏽", 2, "…"),
        ("👍🏽👍🏽", 3, "👍🏽…"),
        ("cafe\u0301 au lait", 5, "caf…"),
        ("❤️❤️", 2, "…"),
        ("\u1100\u1161\u11a8" * 3, 3, "…"),
        ("\u1100\u1161\u11a8" * 3, 6, "\u1100\u1161\u11a8…"),
        ("\uac00\u11a8bc", 3, "\uac00\u11a8…"),
        ("\uac00\u11a8bc", 2, "…"),
        ("क्षक्ष", 3, "…"),
        ("a\r\nbc", 3, "a…"),
        ("x" + "\u0301" * 500, 100, "…"),
    ],
)
def test_a_cut_shows_and_splits_nothing_that_reads_as_one_character(text: str, length: int, cut: str) -> None:
    assert after(text, {"do": "cut", "length": length}) == cut


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_is_never_too_long_and_begins_as_the_whole_does(text: str, length: int) -> None:
    cut = cut_text(text, length)
    assert len(cut) <= length
    assert cut == text if len(text) <= length else text.startswith(cut.removesuffix("…"))


@given(st.lists(st.sampled_from(["a", FAMILY, "🇳🇱", "e\u0301", "👍🏽"]), max_size=12), st.integers(1, 40))
def test_a_cut_falls_between_whole_characters(characters: list[str], length: int) -> None:
    kept = cut_text("".join(characters), length).removesuffix("…")
    assert kept in {"".join(characters[:n]) for n in range(len(characters) + 1)}


@pytest.mark.parametrize(
    ("value", "step", "read"),
    [
        ("2026-11-30", {}, date(2026, 11, 30)),
        ("11/30/2026", {"written": "MM/DD/YYYY"}, date(2026, 11, 30)),
        ("30.11.2026", {"written": "DD.MM.YYYY"}, date(2026, 11, 30)),
        ("20261130", {"written": "YYYYMMDD"}, date(2026, 11, 30)),
        (date(2026, 11, 30), {}, date(2026, 11, 30)),
        (datetime(2026, 12, 1, 3, tzinfo=UTC), {}, date(2026, 12, 1)),
        (datetime(2026, 12, 1, 3, tzinfo=UTC), {"zone": "America/Chicago"}, date(2026, 11, 30)),
        (None, {}, None),
    ],
)
def test_a_date_is_read_from_text_or_taken_from_a_moment_in_its_zone(value: Value, step: dict[str, str], read: date) -> None:
    assert after(value, {"do": "date", **step}) == read


@pytest.mark.parametrize(
    "text", ["11/30/2026", "2026-02-30", "2026-1-3", "0000-01-01", "\u0662\u0660\u0662\u0666-11-30", "2026-11-30T00:00"]
)
def test_a_text_that_is_no_such_date_is_refused_and_not_guessed(text: str) -> None:
    assert refusal(text, {"do": "date"}) == f"Amount was left out: “{text}” is not a date written as YYYY-MM-DD."


def test_a_moment_beyond_the_calendar_of_its_zone_is_refused() -> None:
    said = refusal(datetime(9999, 12, 31, 23, tzinfo=UTC), {"do": "date", "zone": "Asia/Kolkata"})
    assert said == "Amount was left out: “9999-12-31T23:00:00+00:00” is not on the calendar in Asia/Kolkata."


def test_a_date_is_written_in_the_form_that_was_chosen() -> None:
    assert after(date(2026, 1, 5), {"do": "write_date", "written": "DD.MM.YYYY"}) == "05.01.2026"


@pytest.mark.parametrize(
    ("value", "places", "amount"),
    [
        ("1234.50", None, "1234.50"),
        (" -7 ", None, "-7"),
        (3, None, "3"),
        (Decimal("2.345"), 2, "2.35"),
        (Decimal("2.5"), 0, "3"),
        (Decimal("-2.345"), 2, "-2.35"),
        (Decimal("-0.001"), 2, "0.00"),
        (Decimal("123456789012345678901234567890.125"), 2, "123456789012345678901234567890.13"),
    ],
)
def test_an_amount_is_read_strictly_and_rounded_half_up(value: Value, places: int | None, amount: str) -> None:
    step = {"do": "decimal"} if places is None else {"do": "decimal", "places": places}
    assert text_of(after(value, step)) == amount


@pytest.mark.parametrize("text", ["1,234.50", "12,50", "1e3", "NaN", ".5", "5.", "١٢", "USD 5", "--1"])
def test_a_text_that_is_no_plain_amount_is_refused_and_not_guessed(text: str) -> None:
    assert refusal(text, {"do": "decimal"}) == f"Amount was left out: “{text}” is not an amount such as 1234.50."


def test_a_yes_or_no_is_no_amount() -> None:
    assert "“Yes” is not an amount" in refusal(True, {"do": "decimal"})


def test_lines_that_agree_give_their_value_and_others_are_counted() -> None:
    assert of_lines(["4000", "4000"]) == "4000"
    assert of_lines(["4000", "5000", "4000", "6000"]) == "multiple (3)"
    assert of_lines([Decimal("1.0"), Decimal("1.00")]) == Decimal("1.0")
    assert of_lines(["4000", None, ""]) == "4000"
    assert of_lines([]) is None


def test_yes_and_one_are_different_values_though_python_thinks_them_equal() -> None:
    assert of_lines([True, 1, Decimal(1)]) == "multiple (3)"


def test_lines_are_summed_exactly() -> None:
    assert of_lines([Decimal("0.10")] * 1000, {"do": "sum"}) == Decimal("100.00")
    assert of_lines([Decimal(10) ** 40, Decimal("0.01"), None, 1], {"do": "sum"}) == Decimal("1" + "0" * 39 + "1.01")


def test_a_sum_too_large_for_any_ledger_is_left_out() -> None:
    rule = Rule(column="c", field="lines.X", steps=({"do": "sum"},))
    mapped = apply([rule], values={}, lines=[{"X": Decimal("9E+100")}] * 20)
    assert mapped.values == {} and [each.code for each in mapped.problems] == ["cannot_convert"]


def test_no_lines_are_no_sum_rather_than_nought() -> None:
    assert of_lines([], {"do": "sum"}) is None


def test_lines_are_listed_once_each_in_their_order_counted_and_picked() -> None:
    found: list[Value] = [None, "B", "A", "B"]
    assert of_lines(found, {"do": "list"}) == "B, A"
    assert of_lines(found, {"do": "list", "separator": " / "}) == "B / A"
    assert of_lines(found, {"do": "first"}) == "B"
    assert of_lines(found, {"do": "count"}) == 3
    assert of_lines([], {"do": "count"}) == 0


def test_steps_before_the_lines_are_made_one_work_on_each_line() -> None:
    assert of_lines(["1.10", "2.20"], {"do": "decimal"}, {"do": "sum"}, {"do": "text"}) == "3.30"


@pytest.mark.parametrize(
    ("step", "parameter", "said"),
    [
        ({"do": "shout"}, "do", "There is no step called “shout”."),
        ({}, "do", "There is no step called"),
        ({"do": "cut"}, "length", "Step “cut”: “length” must be a whole number from 1 to 100000; nothing is given."),
        ({"do": "cut", "length": "80"}, "length", "it is '80'."),
        ({"do": "cut", "length": True}, "length", "must be a whole number"),
        ({"do": "cut", "length": 0}, "length", "must be a whole number"),
        ({"do": "cut", "length": 80, "colour": 1}, "colour", "Step “cut”: “colour” is not something that this step asks for."),
        ({"do": "date", "zone": "Mars/Olympus"}, "zone", "the name of a time zone"),
        ({"do": "date", "zone": "America"}, "zone", "the name of a time zone"),
        ({"do": "date", "written": "whenever"}, "written", "one of YYYY-MM-DD, MM/DD/YYYY"),
        ({"do": "join", "fields": []}, "fields", "a list of 1 to 20 fields"),
        ({"do": "join", "fields": "VENDORNAME"}, "fields", "a list of 1 to 20 fields"),
        ({"do": "look_up", "values": ""}, "values", "the name of a value mapping"),
        ({"do": "constant", "value": 5}, "value", "a text of at most 2000 characters"),
    ],
)
def test_a_bad_step_is_refused_naming_the_step_and_the_parameter(step: dict[str, object], parameter: str, said: str) -> None:
    with pytest.raises(BadStep) as refused:
        parse_step(step)
    assert refused.value.parameter == parameter
    assert said in str(refused.value)


@given(
    st.dictionaries(
        st.text(max_size=8) | st.just("do"), st.recursive(values, lambda inner: st.lists(inner, max_size=3)), max_size=4
    )
)
def test_whatever_is_given_as_a_step_is_read_or_refused(step: dict[str, object]) -> None:
    with suppress(BadStep):
        parse_step(step)


SOME: dict[str, dict[str, Any]] = {"cut": {"length": 5}, "look_up": {"values": "v"}}
TAKEN: dict[FieldType, Value] = {
    FieldType.RELATION: "123",
    FieldType.TEXT: "1234.50",
    FieldType.LONG_TEXT: "a\nb",
    FieldType.AMOUNT: Decimal("12.50"),
    FieldType.INTEGER: 7,
    FieldType.DATE: date(2026, 11, 30),
    FieldType.MOMENT: datetime(2026, 11, 30, 9, tzinfo=UTC),
    FieldType.BOOLEAN: True,
    FieldType.CHOICE: "Posted",
    FieldType.LINK: "https://example.com",
}
GIVEN = {
    FieldType.AMOUNT: Decimal,
    FieldType.INTEGER: int,
    FieldType.DATE: date,
    FieldType.MOMENT: datetime,
    FieldType.BOOLEAN: bool,
}


@pytest.mark.parametrize("name", [name for name, each in TRANSFORMS.items() if each.shape is not Shape.FIELDS])
def test_a_transform_gives_what_it_declares(name: str) -> None:
    transform = TRANSFORMS[name]
    step = {"do": name, **SOME.get(name, {})}
    for kind in transform.takes:
        rule = Rule(column="c", field="lines.X", steps=(step,))
        mapped = apply([rule], values={}, lines=[{"X": TAKEN[kind]}])
        declared = transform.gives({kind})
        for value in mapped.values.values():
            assert isinstance(value, tuple(GIVEN.get(each, str) for each in declared)), (kind, value)

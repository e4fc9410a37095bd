import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.apply import Mapped, Problem, Rule, apply, changed, fingerprint
from mappings.fields import Value, dump_values, load_values
from mappings.transforms import TRANSFORMS
from tests.mappings.strategies import amounts, anything, keys, lines, moments, records, values

GL = Rule(column="gl", title="GL account", field="lines.ACCOUNTNO", values="gl_accounts")
LABELS = {"gl_accounts": {"4000-01-00": "Office rent", "5000": "Travel"}}


def test_a_column_gets_its_fields_value_as_it_is() -> None:
    mapped = apply([Rule(column="amount", field="TOTAL")], values={"TOTAL": Decimal("12.50"), "OTHER": 1})
    assert mapped == Mapped(values={"amount": Decimal("12.50")}, problems=())
    assert str(mapped.values["amount"]) == "12.50"


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_blank_value_empties_the_column_and_needs_no_conversion(blank: Value) -> None:
    rule = Rule(column="due", field="WHENDUE", steps=({"do": "date"},), values="dates")
    assert apply([rule], values={"WHENDUE": blank}) == Mapped(values={"due": None}, problems=())


def test_a_value_that_cannot_be_converted_is_reported_and_the_other_columns_go_on() -> None:
    rules = [
        Rule(column="due", title="Due date", field="WHENDUE", steps=({"do": "date"},)),
        Rule(column="vendor", field="VENDORNAME"),
    ]
    mapped = apply(rules, values={"WHENDUE": "soon", "VENDORNAME": "Harbor Supply"})
    assert mapped.values == {"vendor": "Harbor Supply"}
    said = "Due date was left out: “soon” is not a date written as YYYY-MM-DD."
    assert mapped.problems == (Problem(column="due", field="WHENDUE", code="cannot_convert", said=said),)


def test_each_lines_value_is_looked_up_before_the_lines_are_made_one() -> None:
    assert apply([GL], values={}, lines=[{"ACCOUNTNO": "4000-01-00"}] * 2, lookups=LABELS).values == {"gl": "Office rent"}
    two = [{"lines.ACCOUNTNO": "4000-01-00"}, {"lines.ACCOUNTNO": "5000"}]
    assert apply([GL], values={}, lines=two, lookups=LABELS) == Mapped(values={"gl": "multiple (2)"}, problems=())


def test_the_sources_own_value_is_looked_up_and_steps_work_on_what_was_found() -> None:
    rule = Rule(column="c", field="F", steps=({"do": "upper"}, {"do": "cut", "length": 7}), values="v")
    assert apply([rule], values={"F": "rent"}, lookups={"v": {"rent": "Office rent"}}).values == {"c": "OFFICE…"}


def test_an_unknown_value_is_shown_as_it_is_and_reported_once() -> None:
    mapped = apply([GL], values={}, lines=[{"ACCOUNTNO": "0042"}] * 3, lookups=LABELS)
    assert mapped.values == {"gl": "0042"}
    said = "The value mapping “gl_accounts” has no entry for “0042”; GL account shows “0042” for now."
    [problem] = mapped.problems
    assert (problem.code, problem.said) == ("unknown_value", said)
    assert (problem.field, problem.value, problem.values) == ("lines.ACCOUNTNO", "0042", "gl_accounts")


def test_an_unknown_value_takes_the_fallback_that_was_given_and_is_still_reported() -> None:
    rule = Rule(column="gl", field="GL", steps=({"do": "look_up", "values": "gl_accounts", "otherwise": "Not assigned"},))
    mapped = apply([rule], values={"GL": "9"}, lookups=LABELS)
    assert mapped.values == {"gl": "Not assigned"}
    assert [each.code for each in mapped.problems] == ["unknown_value"]


def test_look_ups_are_byte_for_byte() -> None:
    labels = {"v": {"0042": "A", "abc": "B"}}
    mapped = apply([Rule(column="c", field="F", values="v")], values={"F": "ABC"}, lookups=labels)
    assert mapped.values == {"c": "ABC"} and mapped.problems
    assert apply([Rule(column="c", field="F", values="v")], values={"F": 42}, lookups=labels).values == {"c": "42"}


def test_fields_are_joined_without_blanks_and_the_first_filled_one_is_found() -> None:
    record: dict[str, Value] = {"A": "Harbor", "B": "", "C": Decimal("7.10")}
    join = Rule(column="c", steps=({"do": "join", "fields": ["A", "B", "lines.X", "C"], "separator": " · "},))
    assert apply([join], values=record, lines=[{"X": 1}, {"X": 2}]).values == {"c": "Harbor · multiple (2) · 7.10"}
    filled = Rule(column="c", steps=({"do": "first_filled", "fields": ["B", "missing", "C", "A"]},))
    assert apply([filled], values=record).values == {"c": Decimal("7.10")}


def test_a_constant_needs_no_field_and_may_go_through_steps() -> None:
    rule = Rule(column="c", steps=({"do": "constant", "value": "7.5"}, {"do": "decimal", "places": 2}))
    assert apply([rule], values={}).values == {"c": Decimal("7.50")}


def test_a_value_mapping_is_asked_about_what_the_first_step_brought() -> None:
    rule = Rule(column="c", steps=({"do": "first_filled", "fields": ["A"]},), values="gl_accounts")
    assert apply([rule], values={"A": "5000"}, lookups=LABELS).values == {"c": "Travel"}


def test_a_rule_that_cannot_work_leaves_its_column_alone() -> None:
    rules = [Rule(column="a"), Rule(column="b", field="F", steps=({"do": "vanish"},)), Rule(column="c", field="F")]
    mapped = apply(rules, values={"F": "x"})
    assert mapped.values == {"c": "x"}
    assert [(each.column, each.code) for each in mapped.problems] == [("a", "bad_step"), ("b", "bad_step")]


PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "cut": [{"length": 3}],
    "date": [{}, {"zone": "Pacific/Apia", "written": "MM/DD/YYYY"}],
    "decimal": [{}, {"places": 2}, {"places": 20}],
    "look_up": [{"values": "v"}, {"values": "v", "otherwise": ""}],
    "join": [{"fields": ["A", "lines.X"]}],
    "first_filled": [{"fields": ["lines.X", "B"]}],
    "constant": [{"value": "7"}],
}
STEPS = [{"do": name, **parameters} for name in TRANSFORMS for parameters in PARAMETERS.get(name, [{}])]
rules = st.lists(
    st.builds(
        Rule,
        column=st.sampled_from(["c1", "c2", "c3"]),
        field=st.sampled_from(["", "A", "B", "lines.X", "lines.Y"]),
        steps=st.lists(st.sampled_from([*STEPS, {"do": "unknown"}, {"do": "cut"}]), max_size=3).map(tuple),
        values=st.sampled_from(["", "v", "absent"]),
    ),
    max_size=5,
)
lookups = st.fixed_dictionaries({"v": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)})


@given(rules, records, lines, lookups)
def test_no_record_can_make_it_raise_and_the_same_record_maps_the_same(
    rules: list[Rule], record: dict[str, Any], lines: list[dict[str, Any]], lookups: dict[str, dict[str, str]]
) -> None:
    mapped = apply(rules, values=record, lines=lines, lookups=lookups)
    assert mapped == apply(rules, values=dict(reversed(record.items())), lines=lines, lookups=lookups)
    assert load_values(json.loads(json.dumps(dump_values(mapped.values)))) == mapped.values
    assert len(fingerprint(mapped.values, "1")) == 64
    assert changed(mapped.values, mapped.values) == {}
    left_out = {each.column for each in mapped.problems if each.code != "unknown_value"}
    assert {rule.column for rule in rules} == mapped.values.keys() | left_out


@given(anything)
def test_a_value_is_carried_as_it_is_or_left_out(value: Any) -> None:
    mapped = apply([Rule(column="c", field="F")], values={"F": value})
    if mapped.problems:
        assert mapped.values == {}
    elif mapped.values["c"] is not None:
        assert mapped.values["c"] is value


def test_a_moment_without_a_zone_or_an_amount_that_is_no_number_is_left_out() -> None:
    for value in (datetime(2026, 1, 1), Decimal("NaN"), Decimal("sNaN"), Decimal("1E+999999"), 0.1):
        mapped = apply([Rule(column="c", field="F")], values={"F": value})  # type: ignore[dict-item]
        assert mapped.values == {} and mapped.problems[0].code == "cannot_convert"


# -- Fingerprints and differences ---------------------------------------------------------------------------------------------


def respelled(value: Value) -> Value:
    """The same value as another source would write it."""
    if isinstance(value, Decimal):
        return value.quantize(Decimal("0.0001")) if value else Decimal("-0.0")
    if isinstance(value, datetime):
        try:
            return value.astimezone(timezone(timedelta(hours=-9)))
        except OverflowError:
            return value
    return value


@given(st.dictionaries(keys, st.one_of(amounts, moments, values)))
def test_the_same_amounts_and_moments_are_the_same_however_they_are_written(mapped: dict[str, Value]) -> None:
    other = {key: respelled(value) for key, value in reversed(mapped.items())}
    assert fingerprint(other, "7") == fingerprint(mapped, "7")
    assert changed(other, mapped) == {}


@given(st.dictionaries(keys, values, min_size=1), values, st.data())
def test_another_value_is_another_fingerprint_and_exactly_that_column_changed(
    mapped: dict[str, Value], value: Value, data: st.DataObject
) -> None:
    column = data.draw(st.sampled_from(sorted(mapped)))
    new = {**mapped, column: value}
    assert changed(new, mapped) in ({}, {column: value})
    assert (fingerprint(new, "1") == fingerprint(mapped, "1")) is (changed(new, mapped) == {})


def test_what_is_written_keeps_the_decimals_of_the_source() -> None:
    assert str(changed({"c": Decimal("2.00")}, {"c": Decimal("1")})["c"]) == "2.00"


def test_look_alikes_of_different_types_are_different() -> None:
    alike: list[Value] = [True, 1, Decimal(1), "1", None, "", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01"]
    assert len({fingerprint({"c": each}, "1") for each in alike}) == len(alike)
    for one, other in combinations(alike, 2):
        assert changed({"c": one}, {"c": other}) and changed({"c": other}, {"c": one})


def test_a_new_mapping_version_is_a_new_fingerprint() -> None:
    assert fingerprint({"c": 1}, "1") != fingerprint({"c": 1}, "2")


def test_columns_and_values_cannot_be_shifted_into_each_other() -> None:
    assert fingerprint({"a": "b", "c": None}, "1") != fingerprint({"a": None, "c": "b"}, "1")


def test_a_column_that_is_no_longer_mapped_is_left_alone_and_a_new_one_is_written() -> None:
    assert changed({"new": None, "kept": 1}, {"kept": 1, "gone": "x"}) == {"new": None}


def test_a_fingerprint_stays_the_same_for_ever_since_links_remember_it() -> None:
    mapped: dict[str, Value] = {"vendor": "Söhne", "due": date(2026, 11, 30), "amount": Decimal("12.50")}
    whole = r'{"mapping":"line:3","values":{"amount":{"amount":"12.5"},"due":{"date":"2026-11-30"},"vendor":"S\u00f6hne"}}'
    assert fingerprint(mapped, "line:3") == hashlib.sha256(whole.encode()).hexdigest()

from collections.abc import Mapping
from typing import Any

import pytest

from mappings.apply import Problem, Rule
from mappings.check import fits, problems_of
from mappings.fields import Catalogue, Column, Field, FieldType

CATALOGUE = Catalogue(
    (
        Field(key="VENDORNAME", label="Vendor name"),
        Field(key="DESCRIPTION", label="Description", type=FieldType.LONG_TEXT),
        Field(key="STATE", label="State", type=FieldType.CHOICE),
        Field(key="TOTAL", label="Total", type=FieldType.AMOUNT),
        Field(key="WHENDUE", label="Due date", type=FieldType.DATE),
        Field(key="lines.ACCOUNTNO", label="GL account"),
        Field(key="lines.AMOUNT", label="Line amount", type=FieldType.AMOUNT),
    )
)
COLUMNS = (
    Column(id="text", title="Notes", kind="text", accepts=frozenset({FieldType.TEXT})),
    Column(id="long", title="Story", kind="long_text", accepts=frozenset({FieldType.LONG_TEXT})),
    Column(id="status", title="Status", kind="status", accepts=frozenset({FieldType.CHOICE})),
    Column(id="numbers", title="Amount", kind="numbers", accepts=frozenset({FieldType.AMOUNT, FieldType.INTEGER})),
    Column(id="date", title="Due", kind="date", accepts=frozenset({FieldType.DATE})),
    Column(id="formula", title="Formula", kind="formula"),
)


def problems(*rules: Rule, known_values: frozenset[str] | None = None) -> list[str]:
    return [each.code for each in problems_of(rules, catalogue=CATALOGUE, columns=COLUMNS, known_values=known_values)]


def rule(column: str, field: str = "", *steps: Mapping[str, Any], **more: str) -> Rule:
    return Rule(column=column, field=field, steps=steps, **more)


@pytest.mark.parametrize(
    "sound",
    [
        rule("text", "VENDORNAME"),
        rule("long", "VENDORNAME"),
        rule("text", "STATE"),
        rule("status", "STATE"),
        rule("status", "VENDORNAME", values="labels"),
        rule("text", "DESCRIPTION", {"do": "cut", "length": 200}),
        rule("text", "WHENDUE", {"do": "text"}),
        rule("date", "VENDORNAME", {"do": "date"}),
        rule("numbers", "TOTAL", {"do": "decimal", "places": 2}),
        rule("numbers", "lines.AMOUNT", {"do": "sum"}),
        rule("numbers", "lines.ACCOUNTNO", {"do": "count"}),
        rule("numbers", "lines.ACCOUNTNO", {"do": "decimal"}, {"do": "sum"}),
        rule("text", "lines.ACCOUNTNO", values="gl_accounts"),
        rule("text", "", {"do": "join", "fields": ["VENDORNAME", "TOTAL", "lines.AMOUNT"]}),
        rule("text", "", {"do": "constant", "value": "Acme"}),
        rule("status", "", {"do": "constant", "value": "New"}),
        rule("numbers", "", {"do": "constant", "value": "0"}, {"do": "decimal"}),
        rule("date", "", {"do": "first_filled", "fields": ["WHENDUE"]}),
    ],
)
def test_a_rule_that_fits_has_no_problem(sound: Rule) -> None:
    assert problems(sound, known_values=frozenset({"labels", "gl_accounts"})) == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (rule("gone", "VENDORNAME"), "unknown_column"),
        (rule("formula", "VENDORNAME"), "read_only_column"),
        (rule("text", "VENDORNAME", kind="status"), "retyped_column"),
        (rule("text", "GONE"), "unknown_field"),
        (rule("text", "", {"do": "join", "fields": ["VENDORNAME", "GONE"]}), "unknown_field"),
        (rule("text", "TOTAL"), "type_mismatch"),
        (rule("text", "DESCRIPTION"), "type_mismatch"),
        (rule("status", "VENDORNAME"), "type_mismatch"),
        (rule("numbers", "lines.AMOUNT"), "type_mismatch"),
        (rule("numbers", "", {"do": "first_filled", "fields": ["TOTAL", "lines.AMOUNT"]}), "type_mismatch"),
        (rule("text", "VENDORNAME", {"do": "shout"}), "bad_step"),
        (rule("text", "VENDORNAME", {"do": "cut"}), "bad_step"),
        (rule("date", "TOTAL", {"do": "date"}), "bad_step"),
        (rule("numbers", "TOTAL", {"do": "sum"}), "bad_step"),
        (rule("text", "lines.ACCOUNTNO", {"do": "list"}, {"do": "count"}), "bad_step"),
        (rule("text", "VENDORNAME", {"do": "constant", "value": "x"}), "bad_step"),
        (rule("text", ""), "no_field"),
        (rule("text", "VENDORNAME", values="missing"), "values_missing"),
        (rule("text", "VENDORNAME", {"do": "look_up", "values": "missing"}), "values_missing"),
    ],
)
def test_a_rule_that_does_not_fit_has_exactly_its_problem(broken: Rule, code: str) -> None:
    assert problems(broken, known_values=frozenset()) == [code]


def test_value_mappings_are_not_asked_about_when_nobody_says_which_there_are() -> None:
    assert problems(rule("text", "VENDORNAME", values="missing")) == []


def test_two_rules_for_one_column_are_both_named() -> None:
    assert problems(rule("text", "VENDORNAME"), rule("text", "STATE"), rule("date", "WHENDUE")) == ["column_twice"] * 2


def test_a_problem_is_a_sentence_with_the_next_step() -> None:
    broken = Rule(column="numbers", title="Amount", field="WHENDUE")
    said = "Amount takes an amount or a whole number, but would get a date. Choose another field, or add a step."
    assert problems_of([broken], catalogue=CATALOGUE, columns=COLUMNS) == (
        Problem(column="numbers", field="WHENDUE", code="type_mismatch", said=said),
    )


def test_a_problem_of_the_column_does_not_hide_one_of_the_field() -> None:
    assert problems(rule("gone", "GONE")) == ["unknown_column", "unknown_field"]


def test_every_text_fits_a_long_text_but_a_long_one_fits_no_short_one() -> None:
    short, long = COLUMNS[0], COLUMNS[1]
    assert all(fits(each, long) for each in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.CHOICE, FieldType.LINK))
    assert not fits(FieldType.LONG_TEXT, short)
    assert not fits(FieldType.AMOUNT, long)

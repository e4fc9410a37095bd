import pytest

from mappings.fields import Catalogue, Column, Field, FieldType
from mappings.suggest import likeness, suggest

TEXT, AMOUNT, DATE = (frozenset({each}) for each in (FieldType.TEXT, FieldType.AMOUNT, FieldType.DATE))
CATALOGUE = Catalogue(
    (
        Field(key="RECORDID", label="Bill number"),
        Field(key="VENDORNAME", label="Vendor name"),
        Field(key="TOTALENTERED", label="Total amount", type=FieldType.AMOUNT),
        Field(key="WHENDUE", label="Due date", type=FieldType.DATE),
        Field(key="WHENCREATED", label="Date created", type=FieldType.DATE),
        Field(key="lines.ACCOUNTNO", label="GL account"),
        Field(key="lines.AMOUNT", label="Line amount", type=FieldType.AMOUNT),
    )
)


def suggested(*columns: tuple[str, frozenset[FieldType]], known: dict[str, str] | None = None) -> dict[str, tuple[str, str]]:
    offered = [Column(id=f"id_{title}", title=title, kind="k", accepts=accepts) for title, accepts in columns]
    return {each.column.removeprefix("id_"): (each.field, each.why) for each in suggest(CATALOGUE, offered, known=known or {})}


def test_what_the_flow_suggests_comes_first_whatever_the_columns_are_called() -> None:
    known = {"Vendor": "RECORDID", "id_Name": "VENDORNAME", "Due": "GONE"}
    found = suggested(("vendor ", TEXT), ("Name", TEXT), ("Due", DATE), known=known)
    assert found == {"vendor ": ("RECORDID", "suggested for this flow"), "Name": ("VENDORNAME", "suggested for this flow")}


@pytest.mark.parametrize("title", ["Due date", "due_date", "DUEDATE", "WhenDue", " when due "])
def test_a_column_named_like_a_fields_label_or_key_gets_it(title: str) -> None:
    assert suggested((title, DATE)) == {title: ("WHENDUE", "same name")}


def test_a_field_of_the_lines_is_found_without_its_prefix() -> None:
    assert suggested(("Account no", TEXT)) == {"Account no": ("lines.ACCOUNTNO", "same name")}


def test_a_similar_name_is_suggested_last() -> None:
    assert suggested(("Vendors name", TEXT), ("Created date", DATE)) == {
        "Vendors name": ("VENDORNAME", "similar name"),
        "Created date": ("WHENCREATED", "similar name"),
    }


def test_nothing_is_suggested_where_types_do_not_fit_or_nobody_can_write() -> None:
    assert suggested(("Due date", AMOUNT), ("Vendor name", frozenset()), ("Line amount", AMOUNT)) == {}


def test_a_field_is_suggested_once() -> None:
    assert suggested(("Due date", DATE), ("due_date", DATE), ("Dues date", DATE)) == {"Due date": ("WHENDUE", "same name")}


def test_an_ambiguous_column_is_left_to_people() -> None:
    twins = Catalogue((Field(key="A", label="Amount due base"), Field(key="B", label="Amount due local")))
    assert suggest(twins, [Column(id="c", title="Amount due", kind="text", accepts=TEXT)], known={}) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Amount", "Account"),
        ("Created by", "Created at"),
        ("Date created", "Date updated"),
        ("State", "Status"),
        ("", ""),
        ("€", "Total"),
    ],
)
def test_names_that_only_look_alike_are_not_similar(one: str, other: str) -> None:
    assert likeness(one, other) < 0.8

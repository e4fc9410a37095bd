"""Every document that the client can send is valid in the vendor's own schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from integrations.vendors.monday.documents import READING, WRITING, NewColumn, create_columns
from integrations.vendors.monday.puts import Move, Put, write_items

SCHEMA = Path(__file__).resolve().parents[3].parent / "shared/vendors/monday/schema-2026-10.graphql"


@pytest.fixture(scope="module")
def schema() -> Any:
    if not SCHEMA.exists():
        pytest.skip(f"the vendor's schema is not beside this repository: {SCHEMA}")
    return build_schema(SCHEMA.read_text(), assume_valid_sdl=True)


def sent() -> dict[str, str]:
    puts = {
        0: Put(name="A", column_values="{}"),
        1: Put(name="B", group="topics", column_values="{}"),
        4: Put(item_id="7", column_values="{}"),
        5: Put(item_id="8", column_values="{}", move=Move(group="topics")),
        6: Put(item_id="9", column_values="{}", move=Move(group="topics", crosses=True, pairs=[{"source": "a", "target": None}])),
    }
    below = {0: Put(name="C", parent="7", column_values="{}"), 1: Put(item_id="7", archives=True)}
    columns = [NewColumn(title="A", kind="text", description="", id="a"), NewColumn(title="B", kind="date", description="")]
    made = {each.name: each.text for each in (*READING, *WRITING)}
    made["WriteBelow"] = write_items("1", below)[0].text
    made["WriteItems"] = write_items("1", puts)[0].text
    made["CreateColumns"] = create_columns("1", columns)[0].text
    return made


@pytest.mark.parametrize("name", sent())
def test_a_document_is_valid_in_the_vendors_schema(schema: Any, name: str) -> None:
    assert validate(schema, parse(sent()[name])) == []


@pytest.mark.parametrize("name", sent())
def test_every_document_asks_what_it_costs(name: str) -> None:
    assert "complexity { query before after reset_in_x_seconds }" in sent()[name]


def test_values_travel_as_variables_and_never_inside_the_document() -> None:
    put = Put(name='A "quoted" \\ name\nwith 🙂', column_values='{"text": "x"}')
    document, variables = write_items("55", {3: put})
    assert "quoted" not in document.text and "55" not in document.text
    body = json.loads(document.body(variables))
    assert body["variables"] == {"board": "55", "values3": put.column_values, "name3": put.name}
    assert body["operationName"] == "WriteItems"

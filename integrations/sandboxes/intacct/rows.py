"""Rows on their way out: XML elements, JSON or CSV."""

import csv
import io
import json
from collections.abc import Callable, Sequence

from integrations.sandboxes.intacct.answers import attribute, escape
from integrations.sandboxes.intacct.shapes import Kind
from integrations.sandboxes.intacct.state import Column
from integrations.sandboxes.intacct.values import Row, printer

Text = Callable[[Row], str]
BARE_TYPES = {"json": "application/json", "csv": "text/csv"}


def text_of(column: Column, zone: int) -> Text:
    """The wire text of one column, unescaped; an absent value is empty."""
    read, write = column.read, printer(column.field.kind, zone)
    return lambda row: "" if (value := read(row)) is None else write(value)


def cells(columns: Sequence[Column], zone: int) -> list[tuple[str, Text]]:
    return [(column.path, text_of(column, zone)) for column in columns]


def row_writer(name: str, columns: Sequence[Column], zone: int) -> Callable[[Row], str]:
    """Writes one row element. Numbers and moments need no escaping, and at a thousand rows that is felt."""
    parts: list[tuple[str, str, Text]] = []
    for column in columns:
        text = text_of(column, zone)
        if column.field.kind in (Kind.TEXT, Kind.ENUM):
            text = _escaped(text)
        parts.append((f"<{column.path}>", f"</{column.path}>", text))

    def write(row: Row) -> str:
        return f"<{name}>{''.join([start + text(row) + end for start, end, text in parts])}</{name}>"

    return write


def _escaped(text: Text) -> Text:
    return lambda row: escape(text(row))


def data(attributes: dict[str, object], inner: str) -> str:
    """The ``data`` element, closing itself when there is nothing in it."""
    head = " ".join(f'{name}="{attribute(str(value))}"' for name, value in attributes.items())
    return f"<data {head}>{inner}</data>" if inner else f"<data {head}/>"


def bare(form: str, rows: Sequence[Row], columns: Sequence[tuple[str, Text]]) -> bytes:
    """JSON or CSV: the rows alone, every value a text."""
    texts = [{name: text(row) for name, text in columns} for row in rows]
    if form == "json":
        return json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
    out = io.StringIO()
    writer = csv.DictWriter(out, [name for name, _ in columns], quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(texts)
    return out.getvalue().encode()

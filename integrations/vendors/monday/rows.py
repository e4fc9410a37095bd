"""A first load as one CSV text: which writes it can carry, and how a value looks in a cell.

The head takes column ids. An empty cell leaves a column as it is, ``<NULL>`` clears it. README.md, "First loads".
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from integrations.types import Write
from integrations.vendors.monday.batching import misfit, name_of
from integrations.vendors.monday.boards import Board
from integrations.vendors.monday.objects import encode
from mappings.fields import Column, Value

CLEAR: Final = "<NULL>"
CARRIED: Final = frozenset({"name", "text", "long_text", "numbers", "date", "status", "dropdown", "link", "email"})
"""The kinds whose plain text says everything."""

LABELLED: Final = frozenset({"status", "dropdown"})


def fits(write: Write, board: Board) -> bool:
    """Whether a row can hold this write: a create below no other item, each of whose values has one plain text."""
    if not write.creates or write.parent_id or write.archives or misfit(write, board):
        return False
    columns = [(board.column(column_id), value) for column_id, value in write.values.items()]
    return all(column.deferred or cell(column, value) is not None for column, value in columns) and not new_labels(write, board)


def new_labels(write: Write, board: Board) -> set[tuple[str, str]]:
    """The labels (column, text) that this write would make on the board: a file makes none."""
    found = set()
    for column_id, value in write.values.items():
        column = board.column(column_id)
        text = cell(column, value) if column.kind in LABELLED else None
        if text and text != CLEAR and text not in _labels(column):
            found.add((column_id, text))
    return found


def _labels(column: Column) -> set[str]:
    told = column.settings.get("labels")
    known = [{"label": each} for each in told.values()] if isinstance(told, Mapping) else told or []
    return {str(each.get("label")) for each in known if isinstance(each, Mapping) and not each.get("is_deactivated")}


def cell(column: Column, value: Value) -> str | None:
    """The text of a cell; None for a value that no cell says without doubt."""
    if column.kind not in CARRIED:
        return None
    encoded = encode(column, value)
    if encoded is None:
        return CLEAR
    text = _plain(column.kind, encoded)
    is_safe = text is not None and text.strip() == text != "" and text != CLEAR
    return text if is_safe else None


def _plain(kind: str, encoded: Any) -> str | None:
    match kind:
        case "long_text":
            return str(encoded["text"])
        case "date":  # a moment has a time, and a cell has no zone
            return None if "time" in encoded else str(encoded["date"])
        case "status":
            return str(encoded["label"]) if "label" in encoded else None
        case "dropdown":  # a comma would be taken for several labels
            return None if "," in encoded["labels"][0] else str(encoded["labels"][0])
        case "link":
            return str(encoded["url"]) if encoded["text"] == encoded["url"] else None
        case "email":
            return str(encoded["email"])
    return str(encoded)


def csv_of(writes: Sequence[Write], board: Board, day: str) -> str:
    """The whole text: the name, our key, the day of the load, and every column that any of the writes has."""
    mapped = {column_id for write in writes for column_id in write.values if not board.column(column_id).deferred}
    columns = [board.column(each) for each in sorted(mapped - {"name"})]
    synced = [board.ours["synced"]] if "synced" in board.ours else []
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")  # with this ending, either half of it is quoted inside a cell
    out.writerow(["name", board.ours["key"], *synced, *(each.id for each in columns)])
    for write in writes:
        cells = [cell(each, write.values[each.id]) if each.id in write.values else "" for each in columns]
        out.writerow([_name(write, board), write.key, *([day] if synced else []), *cells])
    return text.getvalue()


def _name(write: Write, board: Board) -> str:
    mapped = cell(board.column("name"), write.values.get("name"))
    return mapped if mapped and mapped != CLEAR else name_of(write)

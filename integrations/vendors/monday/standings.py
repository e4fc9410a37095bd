"""Items as they stand on the board: these by id, removed ones too, or every active one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.types import Standing
from integrations.vendors.monday.boards import KEY, Board
from integrations.vendors.monday.client import MOST_IDS, MondayClient
from integrations.vendors.monday.keys import pages
from integrations.vendors.monday.objects import Unfit, encode
from integrations.vendors.monday.readings import decode
from integrations.vendors.monday.texts import plain_text
from mappings.fields import Column, Value, Values


def by_ids(client: MondayClient, board: Board, ids: Sequence[str], columns: Sequence[str]) -> Iterator[Sequence[Standing]]:
    """In the order of the ids. One that the vendor says nothing of is told as removed: it was deleted long ago, or is hidden."""
    asked = _asked(board, columns)
    for begin in range(0, len(ids), MOST_IDS):
        chunk = ids[begin : begin + MOST_IDS]
        told = {str(item["id"]): _standing(item, board, columns) for item in client.items(chunk, asked)}
        yield [told.get(each) or Standing(target_id=each, key="", name="", is_active=False, values={}) for each in chunk]


def of_board(client: MondayClient, board: Board, columns: Sequence[str]) -> Iterator[Sequence[Standing]]:
    """Every active item of a board once, in pages of 500, by creation; also when a cursor expires on the way."""
    seen: set[str] = set()
    if not board.id:
        return
    asked = _asked(board, columns)
    walk = pages(
        lambda size: client.first_items(board.id, asked, size), lambda cursor, size: client.next_items(cursor, asked, size)
    )
    for items in walk:
        fresh = [item for item in items if str(item["id"]) not in seen]
        seen.update(str(item["id"]) for item in fresh)
        yield [_standing(item, board, columns) for item in fresh]


def as_standing(board: Board, values: Values) -> dict[str, Value]:
    """How these values read once they stand on the board: cut to length, as texts where the column holds texts, ids in order."""
    return {column_id: _once_written(board.column(column_id), value) for column_id, value in values.items()}


def _once_written(column: Column, value: Value) -> Value:
    try:
        encoded = encode(column, value)
    except Unfit:
        return value
    if column.kind == "name":
        return str(encoded) if encoded else None
    told = encoded if isinstance(encoded, Mapping) else {}
    text = encoded if isinstance(encoded, str) else told.get("text") or plain_text(value).strip()
    cell = {"id": column.id, "type": column.kind, "text": text if encoded else "", "value": told or None}
    return decode({**cell, "linked_item_ids": told.get("item_ids")})


def _asked(board: Board, columns: Sequence[str]) -> list[str]:
    """The columns, and the key: of this board, and as it is usually called on others, since items get moved."""
    return list(dict.fromkeys([each for each in (*columns, board.ours.get("key"), KEY.id) if each and each != "name"]))


def _standing(item: Mapping[str, Any], board: Board, columns: Sequence[str]) -> Standing:
    cells = {str(cell["id"]): cell for cell in item["column_values"]}
    key = cells.get(board.ours.get("key", "")) or cells.get(KEY.id) or {}
    name = str(item.get("name") or "")
    values: dict[str, Value] = {each: decode(cells[each]) for each in columns if each in cells}
    if "name" in columns:
        values["name"] = name or None
    return Standing(
        target_id=str(item["id"]),
        key=str(key.get("text") or ""),
        name=name,
        is_active=item.get("state") in (None, "active"),
        values=values,
        place="/".join(filter(None, [_id_of(item.get("board")), _id_of(item.get("group"))])),
    )


def _id_of(told: Any) -> str:
    return str(told["id"]) if told else ""

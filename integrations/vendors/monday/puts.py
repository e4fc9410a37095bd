"""The one mutation that carries a batch: an alias per write, carried out one after the other, counted as one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from integrations.vendors.monday.documents import Document, alias, mutation

Pairs = Sequence[Mapping[str, str | None]]


@dataclass(frozen=True, kw_only=True)
class Move:
    """To a group of the same board, or (``crosses``) to another board, with its columns paired; None: the vendor pairs them."""

    group: str
    crosses: bool = False
    pairs: Pairs | None = None


@dataclass(frozen=True, kw_only=True)
class Put:
    """One item to make (``item_id`` empty), to change, or to archive; ``column_values`` is JSON text already."""

    column_values: str = ""
    item_id: str = ""
    name: str = ""
    group: str = ""
    parent: str = ""
    archives: bool = False
    move: Move | None = None


def move_alias(position: int) -> str:
    """The name under which a write's move is answered, before the write itself."""
    return f"m{position}"


def write_items(board: str, puts: Mapping[int, Put]) -> tuple[Document, dict[str, Any]]:
    """The mutation and its variables."""
    declared, fields, variables = [], [], {"board": board}
    for n, put in puts.items():
        more = _variables(put)
        declared += [f"${name}{n}: {_TYPES[name]}" for name in more]
        fields += _fields(n, put)
        variables |= {f"{name}{n}": value for name, value in more.items()}
    if any("$board" in each for each in fields):  # the strict parser refuses variables that nobody uses
        declared.insert(0, "$board: ID!")
    return mutation("WriteItems", declared, fields), variables


_TYPES: Final = {
    "values": "JSON!",
    "item": "ID!",
    "name": "String!",
    "group": "String!",
    "parent": "ID!",
    "into": "ID!",
    "pairs": "[ColumnMappingInput!]",
}


def _variables(put: Put) -> dict[str, Any]:
    more: dict[str, Any] = {"item": put.item_id} if put.item_id else {"name": put.name}
    if not put.archives:
        more["values"] = put.column_values
    if put.parent:
        more["parent"] = put.parent
    if put.group:
        more["group"] = put.group
    if put.move and put.move.crosses:
        more |= {"into": put.move.group, "pairs": put.move.pairs}
    elif put.move:
        more["group"] = put.move.group
    return more


def _fields(n: int, put: Put) -> list[str]:
    if put.archives:
        return [f"{alias(n)}: archive_item(item_id: $item{n}) {{ id }}"]
    if put.parent:
        return [f"{alias(n)}: create_subitem(parent_item_id: $parent{n}, item_name: $name{n}, {_values(n)}) {{ id }}"]
    if not put.item_id:
        group = f"group_id: $group{n}, " if put.group else ""
        return [f"{alias(n)}: create_item(board_id: $board, {group}item_name: $name{n}, {_values(n)}) {{ id }}"]
    change = f"{alias(n)}: change_multiple_column_values(board_id: $board, item_id: $item{n}, {_values(n)}) {{ id }}"
    return [*_move(n, put.move), change]


def _values(n: int) -> str:
    return f"column_values: $values{n}, create_labels_if_missing: true"


def _move(n: int, move: Move | None) -> list[str]:
    if move is None:
        return []
    if not move.crosses:
        return [f"{move_alias(n)}: move_item_to_group(item_id: $item{n}, group_id: $group{n}) {{ id }}"]
    where = f"item_id: $item{n}, board_id: $board, group_id: $into{n}, columns_mapping: $pairs{n}"
    return [f"{move_alias(n)}: move_item_to_board({where}) {{ id }}"]

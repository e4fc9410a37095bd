"""Moving an item to another board: its id stays, its values go into the columns that are mapped, its subitems come along.

Values that find no column are lost. Without a mapping a column goes into the one of the same title and type.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLResolveInfo

from . import building
from .answers import Refused, bad_argument, board_full, no_such_column
from .context import Context, Table, of
from .labels import Labels
from .readings import LINKS
from .state import Board, Column, Item, State

Mapped = dict[str, Column]  # column id on the old board -> column on the new one
NEVER_MOVED = frozenset({"name", "subtasks", "formula", "mirror", "auto_number", "item_id", "creation_log", "last_updated"})


def move_item_to_board(_: Any, info: GraphQLResolveInfo, *, board_id: str, group_id: str, item_id: str, **args: Any) -> Item:
    context = of(info)
    item = context.writable_item(item_id)
    target = context.writable_board(board_id)
    if item.parent_id is not None or target.type == "sub_items_board":
        raise bad_argument("Subitems move with their parent only")
    if group_id not in {group.id for group in target.live_groups()}:
        raise bad_argument("Group not found", group_id=group_id)
    if target is not item.board and len(target.active) >= target.items_limit:
        raise board_full()
    mapped = _mapped(item.board, target, args.get("columns_mapping"))
    children = [context.state.items[child] for child in item.subitem_ids]
    nested = args.get("subitems_columns_mapping")
    if children and target is not item.board:
        _move_children(context, children, target, nested)
    _move(context, item, target, group_id, mapped)
    return item


def _mapped(source: Board, target: Board, asked: Sequence[Mapping[str, str | None]] | None) -> Mapped:
    if source is target:
        return {column.id: column for column in source.columns.values()}
    if asked is None:
        return _by_title(source, target)
    found: Mapped = {}
    for pair in asked:
        column, wanted = source.columns.get(str(pair["source"])), pair.get("target")
        if column is None:
            raise no_such_column(str(pair["source"]))
        if wanted is None:
            continue  # said aloud: these values may be lost
        if wanted not in target.columns:
            raise no_such_column(wanted)
        if target.columns[wanted].type != column.type:
            raise bad_argument("Columns of different types can not be mapped", source=column.id, target=wanted)
        found[column.id] = target.columns[wanted]
    return found


def _by_title(source: Board, target: Board) -> Mapped:
    places = {(column.title, column.type): column for column in reversed(target.live_columns())}
    pairs = {column.id: places.get((column.title, column.type)) for column in source.columns.values()}
    return {column_id: column for column_id, column in pairs.items() if column is not None}


def _move_children(context: Context, children: list[Item], target: Board, asked: Any) -> None:
    board = building.subitems_board(context.state, target, context.now)
    mapped = _mapped(children[0].board, board, asked)
    for child in children:
        _move(context, child, board, board.live_groups()[0].id, mapped)


def _move(context: Context, item: Item, target: Board, group_id: str, mapped: Mapped) -> None:
    state, now = context.state, context.now
    if item.board is target:
        item.group_id, item.updated_at = group_id, now
        return
    source, values = item.board, item.values
    for column_id in ("name", *values):
        state.publish(source, item.id, column_id, (), now)
    source.active.pop(item.id, None)
    item.board, item.group_id, item.values, item.changed = target, group_id, {}, {}
    if item.state == "active":
        target.active[item.id] = item
    building.rename(state, item, item.name, now)
    for column_id, value in values.items():
        column = source.columns[column_id]
        if column_id in mapped and column.type not in NEVER_MOVED:
            moved = _carried(value, column, mapped[column_id], state)
            building.store(state, item, mapped[column_id], moved, now)


def _carried(value: Any, column: Column, target: Column, state: State) -> Any:
    """What a value becomes in its new column: labels go by their text, and come into being there when they are missing."""
    if column.type == "status":
        return next(iter(_labels([value], column, target)), None)
    if column.type == "dropdown":
        return _labels(value, column, target) or None
    if column.type in LINKS:
        boards = {str(one) for one in target.settings.get("boardIds", ())}
        return [one for one in value if one in state.items and state.items[one].board.id in boards] or None
    return value


def _labels(numbers: Sequence[int], column: Column, target: Column) -> list[int]:
    labels, found = Labels(may_create=True), []
    texts = {label["id"]: label["label"] for label in column.settings.get("labels", ())}
    for number in numbers:
        try:
            found.append(int(labels.by_text(target, texts[number])["id"]))
        except (Refused, KeyError):
            continue  # no room for another label
    labels.keep()
    return found


MOVES: Table = {"Mutation.move_item_to_board": move_item_to_board}

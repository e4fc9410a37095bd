"""The mutations on items."""

from typing import Any

from graphql import GraphQLResolveInfo

from . import building
from .answers import Refused, bad_argument, bad_value, no_such_board, no_such_column, no_such_item
from .context import Context, Table, of
from .readings import LINKS
from .state import Board, Column, Item
from .values import INTERNAL

NO_SIMPLE_VALUE = frozenset({"checkbox", "timeline", "tags", "location", "week", "world_clock", "color_picker"}) | LINKS


def create_item(_: Any, info: GraphQLResolveInfo, *, board_id: str, item_name: str, **args: Any) -> Item:
    context = of(info)
    board = context.writable_board(board_id)
    if board.type == "sub_items_board":
        raise bad_argument("Items of this board are made with create_subitem")
    group_id = args.get("group_id") or board.live_groups()[0].id
    if group_id not in {group.id for group in board.live_groups()}:
        raise bad_argument("Group not found", group_id=group_id)
    return _make(context, board, item_name, group_id, args)


def _make(context: Context, board: Board, item_name: str, group_id: str, args: dict[str, Any]) -> Item:
    """All or nothing: every value is checked before the item comes into being."""
    name = building.checked_name(item_name)
    given, may_label = args.get("column_values"), bool(args.get("create_labels_if_missing"))
    renamed, parsed, labels = building.read_values(context, board, given, may_label=may_label, creates=True)
    item = building.new_item(
        context.state, board, renamed or name, group_id=group_id, now=context.now, creator_id=context.user.id
    )
    building.write_values(context, item, None, parsed, labels)
    return item


def create_subitem(_: Any, info: GraphQLResolveInfo, *, parent_item_id: str, item_name: str, **args: Any) -> Item:
    context = of(info)
    parent = context.writable_item(parent_item_id)
    if parent.parent_id is not None:
        raise bad_argument("A subitem of a classic board has no subitems of its own")
    board = building.subitems_board(context.state, parent.board, context.now)
    item = _make(context, board, item_name, board.live_groups()[0].id, args)
    item.parent_id = parent.id
    parent.subitem_ids.append(item.id)
    return item


def change_multiple_column_values(
    _: Any, info: GraphQLResolveInfo, *, board_id: str, column_values: Any, item_id: str | None = None, **args: Any
) -> Item:
    context = of(info)
    item = _item_on(context, board_id, item_id)
    may_label = bool(args.get("create_labels_if_missing"))
    name, parsed, labels = building.read_values(context, item.board, column_values, may_label=may_label)
    building.write_values(context, item, name, parsed, labels)
    return item


def change_column_value(
    root: Any, info: GraphQLResolveInfo, *, board_id: str, column_id: str, value: Any, item_id: str | None = None, **args: Any
) -> Item:
    context = of(info)
    column = _column_of(_item_on(context, board_id, item_id), column_id)
    if column.type in LINKS:
        raise _refusal(context, column, "Connected items are set with change_multiple_column_values")
    return change_multiple_column_values(root, info, board_id=board_id, column_values={column_id: value}, item_id=item_id, **args)


def change_simple_column_value(
    root: Any,
    info: GraphQLResolveInfo,
    *,
    board_id: str,
    column_id: str,
    value: str | None = None,
    item_id: str | None = None,
    **args: Any,
) -> Item:
    context = of(info)
    column = _column_of(_item_on(context, board_id, item_id), column_id)
    if column.type in NO_SIMPLE_VALUE and value:
        raise _refusal(context, column, "This column takes no simple value")
    return change_multiple_column_values(root, info, board_id=board_id, column_values={column_id: value}, item_id=item_id, **args)


def _refusal(context: Context, column: Column, message: str) -> Refused:
    named = {"column_id": column.id} if context.settings.names_columns else {}
    return bad_value(message, INTERNAL.get(column.type, column.type), **named)


def _item_on(context: Context, board_id: str, item_id: str | None) -> Item:
    board = context.writable_board(board_id)
    item = context.writable_item(item_id)
    if item.board is not board:
        raise no_such_item()
    return item


def _column_of(item: Item, column_id: str) -> Column:
    column = item.board.columns.get(column_id)
    if column is None or column.archived:
        raise no_such_column(column_id)
    return column


def archive_item(_: Any, info: GraphQLResolveInfo, *, item_id: str | None = None) -> Item:
    context = of(info)
    item = context.writable_item(item_id)
    context.state.leave(item, "archived")
    return item


def delete_item(_: Any, info: GraphQLResolveInfo, *, item_id: str | None = None) -> Item:
    """An archived item can be deleted too; a deleted one is gone."""
    context = of(info)
    item = context.state.items.get(item_id or "")
    if item is None or item.state == "deleted":
        raise no_such_item()
    context.writable_board(item.board.id)
    context.state.leave(item, "deleted")
    return item


def move_item_to_group(_: Any, info: GraphQLResolveInfo, *, group_id: str, item_id: str | None = None) -> Item:
    context = of(info)
    item = context.writable_item(item_id)
    if group_id not in {group.id for group in item.board.live_groups()}:
        raise bad_argument("Group not found", group_id=group_id)
    item.group_id, item.updated_at = group_id, context.now
    return item


def duplicate_item(_: Any, info: GraphQLResolveInfo, *, board_id: str, item_id: str | None = None, **__: Any) -> Item:
    context = of(info)
    item = context.writable_item(item_id)
    if item.board.id != board_id:
        raise no_such_board(board_id)
    return building.copy_item(context.state, item, context.now, context.user.id)


WRITES: Table = {
    "Mutation.archive_item": archive_item,
    "Mutation.change_column_value": change_column_value,
    "Mutation.change_multiple_column_values": change_multiple_column_values,
    "Mutation.change_simple_column_value": change_simple_column_value,
    "Mutation.create_item": create_item,
    "Mutation.create_subitem": create_subitem,
    "Mutation.delete_item": delete_item,
    "Mutation.duplicate_item": duplicate_item,
    "Mutation.move_item_to_group": move_item_to_group,
}

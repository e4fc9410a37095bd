"""The mutations on boards, groups, columns and tags."""

import re
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLResolveInfo

from . import building
from .answers import Refused, bad_argument, no_such_board, no_such_column
from .context import Context, Table, of
from .labels import COLORS, HEX, dropdown_settings, status_label, status_settings
from .state import Board, Column, Group, Tag

CUSTOM_ID = re.compile(r"[a-z_]{1,20}")
NEVER_CREATED = frozenset({"name", "subtasks", "group", "unsupported", "item_assignees", "person"})


def create_board(_: Any, info: GraphQLResolveInfo, *, board_name: str, board_kind: str, **args: Any) -> Board:
    context = of(info)
    if not board_name.strip() or len(board_name) > 255:
        raise Refused("CreateBoardException", "A board needs a name of at most 255 characters")
    if args.get("workspace_id") and args["workspace_id"] not in context.state.workspaces:
        raise bad_argument("Workspace not found")
    people = {"owner_ids": args.get("board_owner_ids") or [], "subscriber_ids": args.get("board_subscriber_ids") or []}
    more = {"workspace_id": args["workspace_id"]} if args.get("workspace_id") else {}
    more |= {"kind": board_kind, "description": args.get("description"), **people}
    board = building.new_board(context.state, board_name, now=context.now, owner_id=context.user.id, **more)
    board.subscriber_ids = list(dict.fromkeys([*board.subscriber_ids, context.user.id]))
    if not args.get("empty"):
        _sample_content(context, board)
    return board


def _sample_content(context: Context, board: Board) -> None:
    for column_id, title, kind in (("person", "Owner", "people"), ("status", "Status", "status"), ("date4", "Date", "date")):
        building.new_column(board, title, kind, column_id=column_id)
    for number in (1, 2, 3):
        name, owner = f"Item {number}", context.user.id
        building.new_item(context.state, board, name, group_id="topics", now=context.now, creator_id=owner)


def archive_board(_: Any, info: GraphQLResolveInfo, *, board_id: str) -> Board:
    context = of(info)
    board = context.shapeable_board(board_id)
    context.state.retire(board, "archived")
    return board


def delete_board(_: Any, info: GraphQLResolveInfo, *, board_id: str) -> Board:
    context = of(info)
    board = context.readable_board(board_id)
    if not context.may_edit(board):
        raise no_such_board(board_id)
    context.state.retire(board, "deleted")
    return board


def create_group(_: Any, info: GraphQLResolveInfo, *, board_id: str, group_name: str, **args: Any) -> Group:
    board = of(info).shapeable_board(board_id)
    return building.new_group(board, group_name, color=args.get("group_color") or "#579bfc")


def archive_group(_: Any, info: GraphQLResolveInfo, *, board_id: str, group_id: str) -> Group:
    return _drop_group(of(info), board_id, group_id, "archived")


def delete_group(_: Any, info: GraphQLResolveInfo, *, board_id: str, group_id: str) -> Group:
    return _drop_group(of(info), board_id, group_id, "deleted")


def _drop_group(context: Context, board_id: str, group_id: str, state: str) -> Group:
    board = context.shapeable_board(board_id)
    live = {group.id: group for group in board.live_groups()}
    if group_id not in live:
        raise bad_argument("Group not found", group_id=group_id)
    if len(live) == 1:
        raise Refused("DeleteLastGroupException", "The last group of a board can not be removed", status=409)
    for item in [item for item in board.active.values() if item.group_id == group_id]:
        context.state.leave(item, state)
    setattr(live[group_id], state, True)
    return live[group_id]


def create_column(_: Any, info: GraphQLResolveInfo, *, board_id: str, column_type: str, title: str, **args: Any) -> Column:
    board = of(info).shapeable_board(board_id)
    if column_type in NEVER_CREATED:
        raise bad_argument(f"A column of type {column_type} can not be created")
    return _new_column(board, title, column_type, _settings(column_type, args.get("defaults")), args)


def create_status_column(_: Any, info: GraphQLResolveInfo, *, board_id: str, title: str, **args: Any) -> Column:
    board = of(info).shapeable_board(board_id)
    settings = status_settings(args["defaults"]["labels"]) if args.get("defaults") else {}
    return _new_column(board, title, "status", settings, args)


def create_dropdown_column(_: Any, info: GraphQLResolveInfo, *, board_id: str, title: str, **args: Any) -> Column:
    board = of(info).shapeable_board(board_id)
    settings = dropdown_settings(args["defaults"]) if args.get("defaults") else {}
    return _new_column(board, title, "dropdown", settings, args)


def _new_column(board: Board, title: str, column_type: str, settings: Mapping[str, Any], args: Mapping[str, Any]) -> Column:
    column_id = args.get("id") or ""
    if column_id and not CUSTOM_ID.fullmatch(column_id):
        raise bad_argument("A column id has 1 to 20 characters: a to z and the underscore")
    if column_id in board.used_column_ids:
        raise bad_argument(f"The column id {column_id!r} is or was in use on this board")
    column = building.new_column(
        board, title, column_type, column_id=column_id, settings=settings, description=args.get("description")
    )
    if args.get("after_column_id"):
        _move_after(board, column, args["after_column_id"])
    return column


def _move_after(board: Board, column: Column, after: str) -> None:
    if after not in board.columns:
        return
    others = [one for one in board.columns.values() if one is not column]
    place = [one.id for one in others].index(after) + 1
    board.columns = {one.id: one for one in [*others[:place], column, *others[place:]]}


def _settings(column_type: str, defaults: Any) -> dict[str, Any]:
    """The settings that ``defaults`` come to; only what the type knows is taken over."""
    if not defaults:
        return {}
    if not isinstance(defaults, dict):
        raise bad_argument("defaults holds an object")
    labels = defaults.get("labels")
    if column_type == "status" and labels:
        return _old_status_settings(labels) if isinstance(labels, dict) else status_settings(labels)
    if column_type == "dropdown":
        return dropdown_settings(defaults)
    if column_type == "numbers":
        return {"unit": {"symbol": "", "custom_unit": None, "direction": "right", "precision": -1, **_unit(defaults)}}
    return dict(defaults)


def _old_status_settings(labels: Mapping[str, str]) -> dict[str, Any]:
    """Labels in the older form {"1": "Done"}."""
    if any(not str(number).isdecimal() or int(number) not in HEX for number in labels):
        raise bad_argument("Labels are numbered by their colors")
    return {"labels": [status_label(text, int(number), index) for index, (number, text) in enumerate(labels.items())]}


def _unit(defaults: Mapping[str, Any]) -> dict[str, Any]:
    unit = defaults.get("unit") or {}
    if not isinstance(unit, dict) or unit.get("precision", -1) not in range(-1, 6):
        raise bad_argument("The precision of a numbers column lies between -1 and 5")
    return unit


def update_status_column(_: Any, info: GraphQLResolveInfo, *, board_id: str, id: str, revision: str, **args: Any) -> Column:  # noqa: A002 - the schema names it so
    column = _revised(of(info), board_id, id, revision, "status")
    settings = status_settings(args["settings"]["labels"]) if args.get("settings") else column.settings
    return _updated(column, settings, args)


def update_dropdown_column(_: Any, info: GraphQLResolveInfo, *, board_id: str, id: str, revision: str, **args: Any) -> Column:  # noqa: A002
    column = _revised(of(info), board_id, id, revision, "dropdown")
    settings = dropdown_settings(args["settings"]) if args.get("settings") else column.settings
    return _updated(column, settings, args)


def _revised(context: Context, board_id: str, column_id: str, revision: str, column_type: str) -> Column:
    column = _column(context.shapeable_board(board_id), column_id)
    if column.type != column_type or column.is_managed:
        raise bad_argument(f"This is not a {column_type} column that the board may change")
    if column.revision != revision:
        raise bad_argument("The column was changed in the meantime; read its revision again", revision=column.revision)
    return column


def _updated(column: Column, settings: dict[str, Any], args: Mapping[str, Any]) -> Column:
    column.settings, column.changes = settings, column.changes + 1
    column.title = args.get("title") or column.title
    column.description = args.get("description") or column.description
    return column


def change_column_title(_: Any, info: GraphQLResolveInfo, *, board_id: str, column_id: str, title: str) -> Column:
    column = _column(of(info).shapeable_board(board_id), column_id)
    column.title, column.changes = title, column.changes + 1
    return column


def delete_column(_: Any, info: GraphQLResolveInfo, *, board_id: str, column_id: str) -> Column:
    if column_id == "name":
        raise bad_argument("The name column can not be deleted")
    return building.drop_column(of(info).shapeable_board(board_id), column_id)


def _column(board: Board, column_id: str) -> Column:
    if column_id not in board.columns:
        raise no_such_column(column_id)
    return board.columns[column_id]


def create_or_get_tag(_: Any, info: GraphQLResolveInfo, *, tag_name: str | None = None, **__: Any) -> Tag:
    state = of(info).state
    name = (tag_name or "").strip()
    if not name:
        raise bad_argument("A tag needs a name")
    for tag in state.tags.values():
        if tag.name.casefold() == name.casefold():
            return tag
    tag = Tag(id=state.new_id("tag"), name=name, color=COLORS["done_green"][1])
    state.tags[tag.id] = tag
    return tag


STRUCTURE: Table = {
    "Mutation.archive_board": archive_board,
    "Mutation.archive_group": archive_group,
    "Mutation.change_column_title": change_column_title,
    "Mutation.create_board": create_board,
    "Mutation.create_column": create_column,
    "Mutation.create_dropdown_column": create_dropdown_column,
    "Mutation.create_group": create_group,
    "Mutation.create_or_get_tag": create_or_get_tag,
    "Mutation.create_status_column": create_status_column,
    "Mutation.delete_board": delete_board,
    "Mutation.delete_column": delete_column,
    "Mutation.delete_group": delete_group,
    "Mutation.update_dropdown_column": update_dropdown_column,
    "Mutation.update_status_column": update_status_column,
}

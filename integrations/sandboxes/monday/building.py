"""Making and changing the things of the world: boards, groups, columns, items. Used by mutations, the seed and the helpers."""

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .answers import bad_argument, board_full, name_too_long, no_such_column
from .context import Context
from .labels import Labels, starting_settings
from .readings import SEARCHABLE, Reading, keys
from .state import Board, Column, Group, Item, State
from .values import KEEP, Write, parse

NAME = 255
TITLE_OF_NAME = "Name"
PREFIX = {"status": "color", "numbers": "numeric", "people": "multiple_person", "checkbox": "boolean", "timeline": "timerange"}
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_board(state: State, name: str, *, now: datetime, owner_id: str, **more: Any) -> Board:
    workspace = next(iter(state.workspaces), "")
    told: dict[str, Any] = {"workspace_id": workspace, "items_limit": state.items_limit} | more
    board = Board(id=state.new_id("board"), name=name, created_at=now, creator_id=owner_id, **told)
    board.owner_ids = board.owner_ids or [owner_id]
    board.subscriber_ids = list(dict.fromkeys([*board.subscriber_ids, *board.owner_ids]))
    board.columns["name"] = Column(id="name", title=TITLE_OF_NAME, type="name")
    board.used_column_ids.add("name")
    new_group(board, "Group Title", group_id="topics")
    state.boards[board.id] = board
    return board


def new_group(board: Board, title: str, *, group_id: str = "", color: str = "#579bfc") -> Group:
    group_id = group_id or f"group_mk{_suffix(f'{board.id}/{len(board.groups)}')}"
    board.groups[group_id] = Group(id=group_id, board_id=board.id, title=title, color=color)
    return board.groups[group_id]


def new_column(
    board: Board, title: str, column_type: str, *, column_id: str = "", settings: Mapping[str, Any] | None = None, **more: Any
) -> Column:
    column_id = column_id or _free_column_id(board, column_type)
    column = Column(
        id=column_id, title=title, type=column_type, settings=starting_settings(column_type) | dict(settings or {}), **more
    )
    board.columns[column_id] = column
    board.used_column_ids.add(column_id)
    return column


def _free_column_id(board: Board, column_type: str) -> str:
    return f"{PREFIX.get(column_type, column_type)}_mk{_suffix(f'{board.id}/{len(board.used_column_ids)}')}"


def _suffix(seed: str) -> str:
    return "".join(random.Random(seed).choices(LETTERS, k=6))


def drop_column(board: Board, column_id: str) -> Column:
    """Delete a column with all its values; its id stays taken."""
    column = board.columns.pop(column_id, None)
    if column is None:
        raise no_such_column(column_id)
    board.index.pop(column_id, None)
    for item in board.active.values():
        item.values.pop(column_id, None)
        board.indexed.pop((item.id, column_id), None)
    return column


def checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise bad_argument("An item needs a name")
    if len(name) > NAME:
        raise name_too_long()
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        raise bad_argument("The name is not valid text")  # half an emoji
    return name


def new_item(state: State, board: Board, name: str, *, group_id: str, now: datetime, creator_id: str) -> Item:
    if len(board.active) >= board.items_limit:
        raise board_full()
    item = Item(
        id=state.new_id("item"), name="", board=board, group_id=group_id, created_at=now, updated_at=now, creator_id=creator_id
    )
    state.items[item.id] = board.active[item.id] = item
    rename(state, item, name, now)
    return item


def rename(state: State, item: Item, name: str, now: datetime) -> None:
    item.name, item.updated_at = name, now
    item.changed["name"] = now
    state.publish(item.board, item.id, "name", (name.casefold(),), now)


def store(state: State, item: Item, column: Column, value: Any, now: datetime) -> None:
    """Put a stored value (None: empty) into a column and let look-ups know."""
    if value is None:
        item.values.pop(column.id, None)
    else:
        item.values[column.id] = value
    item.changed[column.id] = item.updated_at = now
    if column.type in SEARCHABLE:
        state.publish(item.board, item.id, column.id, keys(column.type, value, Reading(item, column, state)), now)


def read_values(
    context: Context, board: Board, given: Any, *, may_label: bool, creates: bool = False
) -> tuple[str | None, dict[str, Any], Labels]:
    """Check every value before any is written: a new name or None, column id -> stored value, and the labels to come."""
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise bad_argument("column_values holds an object, encoded as JSON")
    labels = Labels(may_create=may_label and context.user.may_change_structure)
    name, parsed = None, {}
    for column_id, value in given.items():
        if column_id == "name":
            name = checked_name(value)
            continue
        column = board.columns.get(column_id)
        if column is None or column.archived:
            raise no_such_column(column_id)
        if creates and column.type == "board_relation" and not context.settings.relations_on_create:
            continue
        write = Write(
            column=column, board=board, state=context.state, labels=labels, names_columns=context.settings.names_columns
        )
        parsed[column_id] = parse(value, write)
    return name, parsed, labels


def write_values(context: Context, item: Item, name: str | None, parsed: Mapping[str, Any], labels: Labels) -> None:
    labels.keep()
    if name is not None:
        rename(context.state, item, name, context.now)
    for column_id, value in parsed.items():
        column = item.board.columns[column_id]
        is_rolled_up = column.calculated and item.board.hierarchy == "multi_level" and item.parent_id is None
        if value is not KEEP and not is_rolled_up:  # a write to a roll-up succeeds and does nothing
            store(context.state, item, column, value, context.now)


def copy_item(state: State, item: Item, now: datetime, creator_id: str) -> Item:
    copy = new_item(state, item.board, f"{item.name} (copy)"[:NAME], group_id=item.group_id, now=now, creator_id=creator_id)
    for column_id, value in item.values.items():
        store(state, copy, item.board.columns[column_id], value, now)
    return copy


def subitems_board(state: State, parent: Board, now: datetime) -> Board:
    """Subitems live on a board of their own, which the first of them brings about."""
    if parent.subitems_board_id:
        return state.boards[parent.subitems_board_id]
    shared = {"kind": parent.kind, "permissions": parent.permissions, "subscriber_ids": list(parent.subscriber_ids)}
    name, owner = f"Subitems of {parent.name}", parent.creator_id
    board = new_board(state, name, now=now, owner_id=owner, type="sub_items_board", **shared)
    for column_id, title, kind in (("person", "Owner", "people"), ("status", "Status", "status"), ("date0", "Date", "date")):
        new_column(board, title, kind, column_id=column_id)
    new_column(parent, "Subitems", "subtasks", column_id="subtasks", settings={"boardIds": [int(board.id)]})
    parent.subitems_board_id = board.id
    return board

"""The fields that read: roots of Query, and what hangs below boards, groups, columns, items and users."""

import json
from typing import Any

from graphql import GraphQLResolveInfo

from . import versions
from .answers import bad_argument, not_allowed
from .context import Context, Table, of
from .readings import Reading, moment
from .search import Filter, by_column_values, page_size
from .state import Board, Column, Group, Item, User

MOST_IDS = 100


def boards(_: Any, info: GraphQLResolveInfo, *, state: str | None = "active", **args: Any) -> list[Board]:
    context = of(info)
    found = [board for board in context.state.boards.values() if context.sees(board) and state in (board.state, "all")]
    wanted: dict[str, Any] = {
        "ids": lambda board, given: board.id in given,
        "board_kind": lambda board, given: board.kind == given,
        "hierarchy_types": lambda board, given: board.hierarchy in given,
        "workspace_ids": lambda board, given: board.workspace_id in given,
    }
    for name, test in wanted.items():
        if args.get(name) is not None:
            found = [board for board in found if test(board, args[name])]
    if args.get("order_by"):
        found.sort(key=lambda board: board.created_at, reverse=True)
    return _page(found, args)


def _page(found: list[Any], args: dict[str, Any]) -> list[Any]:
    limit, page = args.get("limit") or 25, args.get("page") or 1
    return found[(page - 1) * limit : page * limit]


def items(_: Any, info: GraphQLResolveInfo, *, ids: list[str] | None = None, **args: Any) -> list[Item]:
    """Items by id, also archived and deleted ones. Cut at ``limit``, which is 25 even when more ids are given."""
    context = of(info)
    if ids is None:
        context.limits.all_items(context.now)
        found = [item for item in context.state.items.values() if item.state == "active"]
    elif len(ids) > MOST_IDS:
        raise bad_argument(f"At most {MOST_IDS} ids can be given")
    else:
        found = [context.state.items[item_id] for item_id in dict.fromkeys(ids) if item_id in context.state.items]
    only_active = args.get("exclude_nonactive")
    found = [item for item in found if _is_visible(context, item) and not (only_active and item.state != "active")]
    return _page(found[::-1] if args.get("newest_first") else found, args)


def _is_visible(context: Context, item: Item) -> bool:
    return context.sees(item.board) or item.board.state == "deleted"


def items_page_by_column_values(_: Any, info: GraphQLResolveInfo, *, board_id: str, limit: int, **args: Any) -> dict[str, Any]:
    context = of(info)
    board = context.readable_board(board_id)
    size = page_size(limit)
    if args.get("cursor"):
        if args.get("columns"):
            raise bad_argument("A cursor can not be combined with columns")
        return context.walks.go_on(args["cursor"], size, context.state, context.now)
    if not args.get("columns"):
        raise bad_argument("Either columns or a cursor is expected")
    context.state.settle(context.now)
    found = by_column_values(board, args["columns"])
    return context.walks.begin(context.walks.shuffled(found), size, context.state, context.now)


def next_items_page(_: Any, info: GraphQLResolveInfo, *, cursor: str, limit: int) -> dict[str, Any]:
    context = of(info)
    return context.walks.go_on(cursor, page_size(limit), context.state, context.now)


def items_page(source: Board | Group, info: GraphQLResolveInfo, *, limit: int, **args: Any) -> dict[str, Any]:
    context = of(info)
    size, query = page_size(limit), args.get("query_params")
    if args.get("cursor"):
        if query:
            raise bad_argument("A cursor can not be combined with query_params")
        return context.walks.go_on(args["cursor"], size, context.state, context.now)
    board = source if isinstance(source, Board) else context.state.boards[source.board_id]
    ids = list(board.active)
    if query or isinstance(source, Group):
        inside = [item for item in board.active.values() if isinstance(source, Board) or item.group_id == source.id]
        filter_ = Filter(board=board, state=context.state, zone=context.user.zone, now=context.now)
        ids = [item.id for item in filter_.items(query, inside)]
    ordered = ids if query and query.get("order_by") else context.walks.shuffled(ids)
    return context.walks.begin(ordered, size, context.state, context.now)


def platform_api(_: Any, info: GraphQLResolveInfo) -> dict[str, Any]:
    context = of(info)
    if context.user.kind != "admin":
        raise not_allowed()
    total = context.limits.quotas.daily
    return {"daily_limit": {"base": total, "total": total, "addon": None}}


def account(_: Any, info: GraphQLResolveInfo) -> dict[str, Any]:
    found = of(info).state.account
    plan = {"tier": found.plan, "period": "yearly", "max_users": 25, "version": 7}
    known = {"id": found.id, "name": found.name, "slug": found.slug, "country_code": found.country_code, "tier": found.plan}
    return {**known, "plan": plan, "is_during_trial": found.plan == "trial", "is_trial_expired": False}


def users(_: Any, info: GraphQLResolveInfo, **args: Any) -> list[User]:
    found = list(of(info).state.users.values())
    if args.get("ids") is not None:
        found = [user for user in found if user.id in args["ids"]]
    if args.get("emails") is not None:
        found = [user for user in found if user.email in args["emails"]]
    if args.get("name"):
        found = [user for user in found if args["name"].casefold() in user.name.casefold()]
    return _page(found, args)


def tags(_: Any, info: GraphQLResolveInfo, *, ids: list[str] | None = None) -> list[Any]:
    return [tag for tag in of(info).state.tags.values() if ids is None or tag.id in ids]


def workspaces(_: Any, info: GraphQLResolveInfo, *, ids: list[str] | None = None, **args: Any) -> list[Any]:
    return _page([one for one in of(info).state.workspaces.values() if ids is None or one.id in ids], args)


def board_columns(board: Board, _: GraphQLResolveInfo, **args: Any) -> list[Column]:
    ids, types = args.get("ids"), args.get("types")
    return [one for one in board.columns.values() if (ids is None or one.id in ids) and (types is None or one.type in types)]


def board_groups(board: Board, _: GraphQLResolveInfo, *, ids: list[str] | None = None) -> list[Group]:
    return [group for group in board.groups.values() if not group.deleted and (ids is None or group.id in ids)]


def top_group(board: Board, _: GraphQLResolveInfo) -> Group:
    return board.live_groups()[0]


def group_position(group: Group, info: GraphQLResolveInfo) -> str:
    return f"{(list(of(info).state.boards[group.board_id].groups).index(group.id) + 1) * 65536}.0"


def board_url(board: Board, info: GraphQLResolveInfo) -> str:
    return f"https://{of(info).state.account.slug}.monday.com/boards/{board.id}"


def item_url(item: Item, info: GraphQLResolveInfo) -> str:
    return f"{board_url(item.board, info)}/pulses/{item.id}"


def column_values(item: Item, info: GraphQLResolveInfo, **args: Any) -> list[Reading]:
    context = of(info)
    columns = item.board.columns
    ids, types = args.get("ids"), args.get("types")
    chosen = [columns[column_id] for column_id in ids if column_id in columns] if ids is not None else list(columns.values())
    hides_roll_ups = item.board.hierarchy == "multi_level" and "CALCULATED" not in (args.get("capabilities") or ())
    return [
        Reading(item, column, context.state, context.user.zone)
        for column in chosen
        if column.type != "name" and not column.archived and (types is None or column.type in types)
        and not (hides_roll_ups and column.calculated)
    ]  # fmt: skip


def linked_items(item: Item, info: GraphQLResolveInfo, *, link_to_item_column_id: str, linked_board_id: str) -> list[Item]:
    column = item.board.columns.get(link_to_item_column_id)
    if column is None:
        raise bad_argument("This column does not exist")
    found = Reading(item, column, of(info).state).linked()
    return [one for one in found if one.board.id == linked_board_id]


def capabilities(column: Column, _: GraphQLResolveInfo) -> dict[str, Any]:
    function = column.calculated
    return {"calculated": {"function": function, "calculated_type": column.type} if function else None}


READS: Table = {
    "Query.account": account,
    "Query.boards": boards,
    "Query.complexity": lambda _, info: of(info).complexity,
    "Query.items": items,
    "Query.items_page_by_column_values": items_page_by_column_values,
    "Query.me": lambda _, info: of(info).user,
    "Query.next_items_page": next_items_page,
    "Query.platform_api": platform_api,
    "Query.tags": tags,
    "Query.users": users,
    "Query.version": lambda _, info: versions.described(of(info).version),
    "Query.versions": lambda _, info: [versions.described(version) for version in versions.KINDS],
    "Query.workspaces": workspaces,
    "Mutation.complexity": lambda _, info: of(info).complexity,
    "Board.access_level": lambda board, info: "edit" if of(info).may_edit(board) else "view",
    "Board.board_folder_id": lambda board, info: None,
    "Board.board_kind": lambda board, info: board.kind,
    "Board.columns": board_columns,
    "Board.created_at": lambda board, info: moment(board.created_at),
    "Board.creator": lambda board, info: of(info).state.users[board.creator_id],
    "Board.groups": board_groups,
    "Board.hierarchy_type": lambda board, info: board.hierarchy,
    "Board.items_count": lambda board, info: len(board.active),
    "Board.items_page": items_page,
    "Board.owners": lambda board, info: of(info).state.named(board.owner_ids),
    "Board.subscribers": lambda board, info: of(info).state.named(board.subscriber_ids),
    "Board.tags": lambda board, info: list(of(info).state.tags.values()),
    "Board.top_group": top_group,
    "Board.updated_at": lambda board, info: moment(of(info).now),
    "Board.url": board_url,
    "Board.workspace": lambda board, info: of(info).state.workspaces.get(board.workspace_id),
    "Column.capabilities": capabilities,
    "Column.settings_str": lambda column, info: json.dumps(column.settings, ensure_ascii=False),
    "Group.items_page": items_page,
    "Group.position": group_position,
    "Item.column_values": column_values,
    "Item.created_at": lambda item, info: moment(item.created_at),
    "Item.creator": lambda item, info: of(info).state.users.get(item.creator_id),
    "Item.group": lambda item, info: item.board.groups.get(item.group_id),
    "Item.linked_items": linked_items,
    "Item.parent_item": lambda item, info: of(info).state.items.get(item.parent_id or ""),
    "Item.relative_link": lambda item, info: f"/boards/{item.board.id}/pulses/{item.id}",
    "Item.subitems": lambda item, info: of(info).state.subitems(item),
    "Item.updated_at": lambda item, info: moment(item.updated_at),
    "Item.updates": lambda item, info, **args: [],  # nobody comments here; real clients ask all the same
    "Item.url": item_url,
    "User.account": account,
    "User.account_id": lambda user, info: of(info).state.account.id,
    "User.kind": lambda user, info: user.kind.upper(),
    "User.is_deleted": lambda user, info: False,
    "User.is_email_confirmed": lambda user, info: True,
    "User.time_zone_identifier": lambda user, info: user.zone,
    "User.title": lambda user, info: "",
    "User.url": lambda user, info: f"https://{of(info).state.account.slug}.monday.com/users/{user.id}",
}

"""The two fields of a bulk import: starting a job, and asking how far it is."""

from typing import Any

from graphql import GraphQLResolveInfo

from .answers import Refused, bad_argument, no_such_column
from .context import Context, Table, of
from .ingest import MATCHABLE
from .signing import link
from .state import Board


def ingest_items(_: Any, info: GraphQLResolveInfo, *, board_id: str, group_id: str, on_match: Any = None) -> dict[str, str]:
    context = of(info)
    board = _board(context, board_id)
    if group_id not in {group.id for group in board.live_groups()}:
        raise bad_argument("Group not found", group_id=group_id)
    match = on_match or {}
    _check_match(board, match.get("match_column_id", ""))
    job = context.jobs.start(
        board_id=board.id,
        group_id=group_id,
        user=context.user,
        match_column_id=match.get("match_column_id", ""),
        behaviour=match.get("behaviour", ""),
    )
    context.limits.job_started(context.now)
    return {"job_id": job.id, "upload_url": link(context.base_url, "upload", job.id, context.now)}


def _board(context: Context, board_id: str) -> Board:
    board = context.writable_board(board_id)
    if board.type == "sub_items_board":
        raise bad_argument("Items can not be imported into a board of subitems")
    return board


def _check_match(board: Board, column_id: str) -> None:
    if not column_id:
        return
    column = board.columns.get(column_id)
    if column is None or column.archived:
        raise no_such_column(column_id)
    if column.type not in MATCHABLE:
        raise bad_argument(f"Items can not be matched by a column of type {column.type}", column_id=column_id)


def fetch_job_status(_: Any, info: GraphQLResolveInfo, *, job_id: str) -> dict[str, Any]:
    context = of(info)
    job = context.jobs.known.get(job_id)
    if job is None:
        raise Refused("ResourceNotFoundException", "Job not found", status=404)
    return context.jobs.status(job, context.base_url, context.now)


INGEST: Table = {"Mutation.ingest_items": ingest_items, "Query.fetch_job_status": fetch_job_status}

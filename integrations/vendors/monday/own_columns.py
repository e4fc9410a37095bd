"""Making the two columns that we need on a board: the key and the last-synced column."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import uuid4

from integrations.errors import RecordRejected, SetupBroken, VendorUnavailable
from integrations.types import Login
from integrations.vendors.monday.boards import OURS, Board, read_board
from integrations.vendors.monday.calls import Reply
from integrations.vendors.monday.client import MondayClient
from integrations.vendors.monday.documents import NewColumn, alias
from integrations.vendors.monday.errors import error_of, worst

_OPERATION: Final = "CreateColumns"


def add_own_columns(login: Login, client: MondayClient, board: Board) -> Board:
    """The board with both columns: under the ids that we choose, and where the vendor refuses those, under ids of its own.

    An id is refused for ever once its column was deleted, but also when another worker was faster: so the board is read
    before the second attempt. Raises SetupBroken when the vendor refuses that one too.
    """
    board, refused = _add(login, client, board, own_ids=True)
    if refused:
        board = read_board(board.schema.place, client.board(board.id))
        board, refused = _add(login, client, board, own_ids=False)
    if refused:
        raise SetupBroken(
            f"Monday.com does not let us add our columns to the board “{board.schema.title}”. Make the user its owner.",
            what="board", vendor="monday", operation=_OPERATION, detail=refused[0],
        )  # fmt: skip
    return board


def _add(login: Login, client: MondayClient, board: Board, *, own_ids: bool) -> tuple[Board, Sequence[str]]:
    """The board with what could be made, and what the vendor said of the rest."""
    if not (roles := board.missing):
        return board, ()
    columns = [_with_free_id(OURS[role], board, own_ids) for role in roles]
    reply = client.create_columns(board.id, columns, key=str(uuid4()))
    made = {role: str(item["id"]) for n, role in enumerate(roles) if (item := reply.data.get(alias(n)))}
    _raise_what_is_not_about_columns(login, reply, is_complete=len(made) == len(roles))
    return board.with_ours(made), [each.message for each in reply.complaints]


def _with_free_id(column: NewColumn, board: Board, own_ids: bool) -> NewColumn:
    return column if own_ids and column.id not in board.taken_ids else replace(column, id="")


def _raise_what_is_not_about_columns(login: Login, reply: Reply, *, is_complete: bool) -> None:
    errors = [error_of(each, operation=_OPERATION, now=login.now(), of_record=True) for each in reply.complaints]
    if serious := [each for each in errors if not isinstance(each, RecordRejected | SetupBroken)]:
        raise worst(serious)
    if not is_complete and not errors:
        raise VendorUnavailable(
            "Monday.com did not say whether it added our columns. We look again by ourselves.",
            vendor="monday",
            operation=_OPERATION,
        )

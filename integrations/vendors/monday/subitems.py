"""The hidden board on which a board's subitems live. It exists from the first subitem on, and nobody can make it otherwise."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from integrations.errors import VendorUnavailable
from integrations.types import Schema
from integrations.vendors.monday import keys
from integrations.vendors.monday.boards import KEY, Board, read_board, split_place
from integrations.vendors.monday.catalogue import NAME
from integrations.vendors.monday.client import MondayClient
from integrations.vendors.monday.documents import alias
from integrations.vendors.monday.objects import as_column_values
from integrations.vendors.monday.puts import Put, write_items

PREFIX: Final = "subitems:"


def parent_of(place: str) -> str:
    """ "subitems:123" → "123": the board whose subitems are meant; "" for every other place."""
    board, _group = split_place(place)
    return board.removeprefix(PREFIX).strip() if board.startswith(PREFIX) else ""


def place_of(place: str) -> str:
    """The place of the subitems of the items at a place."""
    board, _group = split_place(place)
    return board if board.startswith(PREFIX) else PREFIX + board


def read_subitems(client: MondayClient, place: str) -> Board:
    """The hidden board: two calls. Before the first subitem it has no id, and no columns but the name."""
    parent = parent_of(place)
    above = read_board(parent, client.board(parent))
    boards = [
        each for column in above.schema.columns if column.kind == "subtasks" for each in column.settings.get("boardIds") or []
    ]
    if boards:
        return read_board(place_of(place), client.board(str(boards[0])))
    return Board(id="", schema=Schema(place=place_of(place), title=f"Subitems of {above.schema.title}", columns=(NAME,)))


def sign(client: MondayClient, board: Board, item: str, values: Mapping[str, Any]) -> None:
    """Write our own columns of a subitem that was made without them. Done twice, it does no harm."""
    document, variables = write_items(board.id, {0: Put(item_id=item, column_values=as_column_values(values))})
    reply = client.write_items(board.key, document.body(variables), key=str(uuid4()), n_writes=1)
    if not reply.data.get(alias(0)):
        raise VendorUnavailable(
            "Monday.com did not say whether it took the Source ID of an item. We look again by ourselves.",
            vendor="monday", operation="WriteItems", detail=str([each.message for each in reply.complaints])[:300],
        )  # fmt: skip


def find_unsigned(client: MondayClient, board: Board, parent: str, name: str) -> list[str]:
    """Subitems of this item that have this name and nobody's key, oldest first."""
    column = board.ours.get("key", KEY.id)
    found = [each for each in client.subitems([parent], [column]) if str(each.get("name")) == name]
    return keys.oldest_first(str(each["id"]) for each in found if not any(cell.get("text") for cell in each["column_values"]))

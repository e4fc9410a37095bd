"""What a resolver knows: who asks, when, and the world it may read and change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import GraphQLResolveInfo

from .answers import no_such_board, no_such_item, not_allowed
from .faults import AliasFault
from .jobs import Jobs
from .limits import Limits
from .search import Walks
from .settings import Settings
from .state import Board, Item, State, Token, User

Resolver = Callable[..., Any]
Table = dict[str, Resolver]  # "Type.field" -> resolver


@dataclass(kw_only=True)
class Context:
    state: State
    token: Token
    now: datetime
    limits: Limits
    walks: Walks
    settings: Settings
    version: str
    base_url: str = ""
    jobs: Jobs = field(default_factory=Jobs)
    complexity: dict[str, int] = field(default_factory=dict)
    alias_fault: AliasFault = field(default_factory=AliasFault)

    @property
    def user(self) -> User:
        return self.token.user

    def sees(self, board: Board) -> bool:
        return board.state != "deleted" and (board.kind != "private" or self._belongs(board))

    def may_edit(self, board: Board) -> bool:
        return board.permissions == "everyone" or self._belongs(board)

    def readable_board(self, board_id: str) -> Board:
        board = self.state.boards.get(board_id)
        if board is None or not self.sees(board):
            raise no_such_board(board_id)
        return board

    def writable_board(self, board_id: str) -> Board:
        board = self.readable_board(board_id)
        if board.state != "active":
            raise no_such_board(board_id)
        if not self.may_edit(board):
            raise not_allowed()
        return board

    def shapeable_board(self, board_id: str) -> Board:
        """A board whose columns and groups this user may change."""
        board = self.writable_board(board_id)
        if not self.user.may_change_structure:
            raise not_allowed()
        return board

    def writable_item(self, item_id: str | None) -> Item:
        item = self.state.items.get(item_id or "")
        if item is None or item.state != "active" or not self.sees(item.board):
            raise no_such_item()
        if not self.may_edit(item.board):
            raise not_allowed()
        return item

    def _belongs(self, board: Board) -> bool:
        people = board.owner_ids if board.permissions == "owners" else [*board.owner_ids, *board.subscriber_ids]
        return self.user.id in people


def of(info: GraphQLResolveInfo) -> Context:
    context: Context = info.context
    return context

"""The world in memory: accounts, people, tokens, boards with columns and groups, items with the values stored in them.

Everything is looked up by id. A board keeps, per column, an index from search keys to items, so that looking up a hundred keys
costs the same on a board of ten and of a hundred thousand items.
"""

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(kw_only=True)
class User:
    id: str
    name: str
    email: str
    kind: str = "member"  # admin, member, guest, view_only
    status: str = "ACTIVE"
    zone: str = "America/New_York"
    may_change_structure: bool = True
    created_at: str = "2025-01-07T09:00:00Z"


@dataclass(kw_only=True)
class Token:
    """A way to sign in. ``app_id`` is empty for a personal token; ``scopes`` None means all."""

    user: User
    app_id: str = ""
    scopes: frozenset[str] | None = None

    @property
    def budget(self) -> str:
        """What the minute limits are counted for: the account together with the app."""
        return self.app_id or "personal"


@dataclass(kw_only=True)
class Column:
    id: str
    title: str
    type: str
    settings: dict[str, Any] = field(default_factory=dict)
    description: str | None = None
    archived: bool = False
    is_managed: bool = False  # owned by the account: takes no new labels from a board
    calculated: str | None = None  # the roll-up function on a multi-level board
    width: int | None = None
    changes: int = 0

    def connected(self) -> set[str]:
        """The boards whose items this column links."""
        return {str(one) for one in self.settings.get("boardIds", ())}

    @property
    def revision(self) -> str:
        return hashlib.md5(f"{self.id}/{self.changes}".encode(), usedforsecurity=False).hexdigest()


@dataclass(kw_only=True)
class Group:
    id: str
    board_id: str
    title: str
    color: str = "#579bfc"
    archived: bool = False
    deleted: bool = False


@dataclass(kw_only=True)
class Item:
    id: str
    name: str
    board: "Board"
    group_id: str
    created_at: datetime
    updated_at: datetime
    creator_id: str
    state: str = "active"
    values: dict[str, Any] = field(default_factory=dict)  # column id -> stored value, as values.py makes it
    changed: dict[str, datetime] = field(default_factory=dict)
    parent_id: str | None = None
    left_with_parent: bool = False  # comes back when the parent does
    subitem_ids: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Board:
    id: str
    name: str
    created_at: datetime
    creator_id: str
    kind: str = "public"
    type: str = "board"
    state: str = "active"
    hierarchy: str = "classic"
    permissions: str = "everyone"
    description: str | None = None
    workspace_id: str = ""
    items_limit: int = 10_000
    owner_ids: list[str] = field(default_factory=list)
    subscriber_ids: list[str] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    active: dict[str, Item] = field(default_factory=dict)
    used_column_ids: set[str] = field(default_factory=set)  # for ever: a deleted custom id cannot be taken again
    subitems_board_id: str | None = None
    index: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)  # column id -> key -> item ids, in order
    indexed: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # (item id, column id) -> its keys now

    def reindex(self, item_id: str, column_id: str, keys: tuple[str, ...]) -> None:
        """From now on a look-up in this column finds the item under these keys and no others."""
        entries = self.index.setdefault(column_id, {})
        for old in self.indexed.pop((item_id, column_id), ()):
            found = entries[old]
            found.pop(item_id, None)
            if not found:
                del entries[old]
        for key in keys:
            entries.setdefault(key, {})[item_id] = None
        if keys:
            self.indexed[item_id, column_id] = keys

    def live_groups(self) -> list[Group]:
        return [group for group in self.groups.values() if not (group.archived or group.deleted)]

    def live_columns(self) -> list[Column]:
        return [column for column in self.columns.values() if not column.archived]


@dataclass(kw_only=True)
class Tag:
    id: str
    name: str
    color: str = "#00c875"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file that was uploaded."""

    id: str
    name: str
    content: bytes
    content_type: str
    created_at: datetime
    uploader: User


@dataclass(kw_only=True)
class Workspace:
    id: str
    name: str
    kind: str = "open"
    description: str | None = None
    is_default_workspace: bool = True
    state: str = "active"


@dataclass(frozen=True, kw_only=True)
class Account:
    id: str
    name: str
    slug: str
    plan: str = "pro"  # free, basic, standard, pro, enterprise, trial
    country_code: str = "US"


@dataclass(kw_only=True)
class State:
    """One account with all that is in it. ``lag`` is how long a new value stays invisible to look-ups by value."""

    account: Account
    lag: timedelta = timedelta()
    items_limit: int = 10_000  # of boards made from now on
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    unseen: deque[tuple[datetime, Board, str, str, tuple[str, ...]]] = field(default_factory=deque)
    last_ids: dict[str, int] = field(default_factory=dict)

    def new_id(self, kind: str) -> str:
        """The next id of a kind: numeric, and larger than 32 bits hold."""
        start = {
            "board": 18_041_550_000,
            "item": 9_604_120_000,
            "user": 70_415_000_000,
            "tag": 24_100_000,
            "asset": 1_895_800_000,
        }.get(kind, 11_060_000_000)
        self.last_ids[kind] = self.last_ids.get(kind, start) + (1 if kind == "item" else 137)
        return str(self.last_ids[kind])

    def publish(self, board: Board, item_id: str, column_id: str, keys: tuple[str, ...], now: datetime) -> None:
        """Let look-ups by value know, at once or after the lag."""
        if self.lag:
            self.unseen.append((now + self.lag, board, item_id, column_id, keys))
        else:
            board.reindex(item_id, column_id, keys)

    def settle(self, now: datetime) -> None:
        """Make visible whatever has waited for its time."""
        while self.unseen and self.unseen[0][0] <= now:
            _, board, item_id, column_id, keys = self.unseen.popleft()
            board.reindex(item_id, column_id, keys)

    def leave(self, item: Item, state: str) -> None:
        """Archive or delete an item together with its subitems."""
        for child in self.subitems(item):
            child.left_with_parent = True
            self.leave(child, state)
        item.state = state
        item.board.active.pop(item.id, None)

    def restore(self, item: Item) -> None:
        """Bring an item back, with the subitems that left together with it."""
        item.state, item.left_with_parent = "active", False
        item.board.active[item.id] = item
        for child in (self.items[one] for one in item.subitem_ids):
            if child.left_with_parent:
                self.restore(child)

    def subitems(self, item: Item) -> list[Item]:
        """The subitems that share an item's state: those of an active item are active."""
        return [child for child in (self.items[one] for one in item.subitem_ids) if child.state == item.state]

    def retire(self, board: Board, state: str) -> None:
        """Archive or delete a board, together with the one of its subitems; of a deleted board the items are deleted too."""
        nested = self.boards.get(board.subitems_board_id or "")
        for one in (board, *((nested,) if nested else ())):
            one.state = state
            for item in list(one.active.values()) if state == "deleted" else ():
                self.leave(item, "deleted")

    def named(self, ids: Iterable[str]) -> list[User]:
        return [self.users[user_id] for user_id in ids if user_id in self.users]

"""Plain-Python ways into the world for tests and the demo: what people do in Monday's own pages, without HTTP."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from integrations.sandboxes.core import Clock

from . import building, seed
from .answers import Refused
from .labels import Labels, starting_settings
from .readings import LINKS, Reading
from .state import Board, Column, Item, State, Token
from .values import Write, parse


class Helpers:
    """Mixed into the world. Boards are named by id or by name; columns by id or by title."""

    world: State
    clock: Clock

    def settle(self) -> None:
        """Let happen what was due in the meantime."""
        raise NotImplementedError

    def add_token(
        self,
        token: str,
        *,
        user_kind: str = "member",
        scopes: Iterable[str] | None = None,
        view_only: bool = False,
        create_labels: bool = True,
        app_id: str = "",
    ) -> str:
        """A new person with this token; scopes make it an app's token, else it is a personal one. Answers the person's id."""
        kind = "view_only" if view_only else user_kind
        user = seed.add_user(self.world, f"Person {len(self.world.users) + 1}", kind=kind)
        user.may_change_structure = create_labels
        granted = None if scopes is None else frozenset(scopes)
        app = app_id or ("" if granted is None else "10998877")
        self.world.tokens[token] = Token(user=user, app_id=app, scopes=granted)
        return user.id

    def revoke_token(self, token: str) -> None:
        del self.world.tokens[token]

    def deactivate_user(self, user_id: str) -> None:
        self.world.users[user_id].status = "INACTIVE"

    def add_board(self, name: str, columns: Iterable[tuple[str, str]] = (), **more: Any) -> str:
        """A board with columns as pairs of title and type; ``more`` are fields of Board: items_limit=2, kind="private"."""
        owner, *others = self.world.users
        more = {"subscriber_ids": others} | more
        board = building.new_board(self.world, name, now=self._now(), owner_id=owner, **more)
        for title, kind in columns:
            building.new_column(board, title, kind)
        return board.id

    def board(self, board: str) -> Board:
        """The board itself, by id or name; among boards of one name the newest that is not deleted."""
        if board in self.world.boards:
            return self.world.boards[board]
        named = [one for one in self.world.boards.values() if one.name == board]
        alive = [one for one in named if one.state == "active"]
        if not named:
            raise LookupError(f"no board {board!r}; there are: {', '.join(one.name for one in self.world.boards.values())}")
        return (alive or named)[-1]

    def column_id(self, board: str, title: str) -> str:
        columns = self.board(board).columns
        if title in columns:
            return title
        return next(column.id for column in columns.values() if column.title == title)

    def board_items(self, board: str, *, states: Iterable[str] = ("active",)) -> list[dict[str, Any]]:
        """Items with the text of each column; empty columns read ""."""
        self.settle()
        found = self.board(board)
        if tuple(states) == ("active",):
            return [self._shown(item) for item in found.active.values()]
        return [self._shown(item) for item in self.world.items.values() if item.board is found and item.state in set(states)]

    def _shown(self, item: Item) -> dict[str, Any]:
        columns = [column for column in item.board.columns.values() if column.type != "name"]
        texts = {one.id: _shown_text(Reading(item, one, self.world)) for one in columns}
        return {"id": item.id, "name": item.name, "state": item.state, "group": item.group_id, "columns": texts}

    def archive_item(self, item_id: str) -> None:
        self.world.leave(self.world.items[item_id], "archived")

    def delete_item(self, item_id: str) -> None:
        self.world.leave(self.world.items[item_id], "deleted")

    def restore_item(self, item_id: str) -> None:
        self.world.restore(self.world.items[item_id])

    def rename_item(self, item_id: str, name: str) -> None:
        building.rename(self.world, self.world.items[item_id], building.checked_name(name), self._now())

    def set_value(self, item_id: str, column: str, value: Any) -> None:
        """A person's edit in Monday's own pages: the value as JSON of the column's type, or as its plain text; None empties it.

        A checkbox takes True and False, connected items a list of ids; new labels are made.
        """
        item = self.world.items[item_id]
        found = item.board.columns[self.column_id(item.board.id, column)]
        if found.type == "name":
            return self.rename_item(item_id, value)
        labels = Labels(may_create=True)
        write = Write(column=found, board=item.board, state=self.world, labels=labels, names_columns=True)
        try:
            parsed = None if value in (None, False) else parse(_spelled(found, value), write)
        except Refused as refused:
            raise ValueError(f"{found.title}: {refused.message}") from None
        labels.keep()
        return building.store(self.world, item, found, parsed, self._now())

    def subitems(self, item_id: str, *, states: Iterable[str] = ("active",)) -> list[dict[str, Any]]:
        """The subitems of an item, shown as ``board_items`` shows items."""
        children = (self.world.items[child] for child in self.world.items[item_id].subitem_ids)
        return [self._shown(child) for child in children if child.state in set(states)]

    def connect_boards(self, board: str, column: str, other: str, *, multiple: bool = True) -> str:
        """Connect a board with another one through this column, which is made when it is missing. Answers the column's id."""
        found, number = self.board(board), int(self.board(other).id)
        known = next((one for one in found.columns.values() if column in (one.id, one.title)), None)
        link = known or building.new_column(found, column, "board_relation")
        boards = list(dict.fromkeys([*link.settings.get("boardIds", ()), number]))
        link.settings = {**link.settings, "boardIds": boards, "allowMultipleItems": multiple}
        link.changes += 1
        return link.id

    def links(self, item_id: str, column: str) -> list[str]:
        """The ids of the items that a column connects."""
        item = self.world.items[item_id]
        found = item.board.columns[self.column_id(item.board.id, column)]
        return [one.id for one in Reading(item, found, self.world).linked()]

    def files(self, item_id: str, column: str) -> dict[str, bytes]:
        """The files in a column: name and content."""
        item = self.world.items[item_id]
        found = item.board.columns[self.column_id(item.board.id, column)]
        return {asset.name: asset.content for asset in Reading(item, found, self.world).assets()}

    def duplicate_item(self, item_id: str) -> str:
        item = self.world.items[item_id]
        return building.copy_item(self.world, item, self._now(), item.creator_id).id

    def add_column(self, board: str, title: str, column_type: str, **more: Any) -> str:
        return building.new_column(self.board(board), title, column_type, **more).id

    def delete_column(self, board: str, column: str) -> None:
        building.drop_column(self.board(board), self.column_id(board, column))

    def rename_column(self, board: str, column: str, title: str) -> None:
        found = self.board(board).columns[self.column_id(board, column)]
        found.title, found.changes = title, found.changes + 1

    def retype_column(self, board: str, column: str, column_type: str) -> None:
        """Another type under the same id; its values are gone."""
        found, column_id = self.board(board), self.column_id(board, column)
        place = list(found.columns).index(column_id)
        old = building.drop_column(found, column_id)
        old.type, old.settings, old.changes = column_type, starting_settings(column_type), old.changes + 1
        others = list(found.columns.values())
        found.columns = {one.id: one for one in [*others[:place], old, *others[place:]]}

    def manage_column(self, board: str, column: str) -> None:
        """Make it an account-level column: it takes no new labels any more."""
        self.board(board).columns[self.column_id(board, column)].is_managed = True

    def archive_board(self, board: str) -> None:
        self.world.retire(self.board(board), "archived")

    def delete_board(self, board: str) -> None:
        self.world.retire(self.board(board), "deleted")

    def _now(self) -> datetime:
        return self.clock.now()


def _spelled(column: Column, value: Any) -> Any:
    """What a caller of the API would send for a value that is written more simply here."""
    if column.type == "checkbox" and value is True:
        return {"checked": "true"}
    if column.type in LINKS and isinstance(value, list):
        return {"item_ids": [int(one) for one in value]}
    return value


def _shown_text(reading: Reading) -> str:
    return reading.text or reading.display_value() or ""

"""What a board is to us: its columns, the two of them that are ours, and whether it can be written to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from integrations.errors import PermissionMissing, SetupBroken
from integrations.types import Schema
from integrations.vendors.monday.catalogue import DEFERRED, NAME, accepts
from integrations.vendors.monday.documents import NewColumn
from mappings.fields import Column

KEY = NewColumn(
    id="ml_key", title="Source ID", kind="text", description="ml-connector finds its items by this column. Please do not edit it."
)
SYNCED = NewColumn(
    id="ml_synced", title="Last synced", kind="date", description="ml-connector writes here when it last updated an item (UTC)."
)
OURS: Final[Mapping[str, NewColumn]] = {"key": KEY, "synced": SYNCED}


def split_place(place: str) -> tuple[str, str]:
    """ "board" or "board/group" → (board id, group id or "")."""
    board, _slash, group = place.partition("/")
    return board.strip(), group.strip()


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board as it was last read. ``ours`` holds the ids of the key and last-synced columns, as far as they exist."""

    id: str
    schema: Schema
    taken_ids: frozenset[str] = frozenset()  # of archived columns too: an id is never free again
    ours: Mapping[str, str] = field(default_factory=dict)
    group: str = ""  # the topmost, where new items go unless told otherwise

    @property
    def key(self) -> str:
        """The name under which we keep it: not always its id, since a board of subitems is known by the board above it."""
        return split_place(self.schema.place)[0]

    @property
    def missing(self) -> list[str]:
        return [role for role in OURS if role not in self.ours]

    def with_ours(self, made: Mapping[str, str]) -> "Board":
        return replace(self, ours={**self.ours, **made})

    def column(self, column_id: str) -> Column:
        """Raises SetupBroken for a column that the board does not have, before anything is written to it."""
        found = next((each for each in self.schema.columns if each.id == column_id), None)
        if found is None:
            raise SetupBroken(
                f"The board “{self.schema.title}” no longer has the column “{column_id}”. Open the mapping and choose another.",
                what=column_id, vendor="monday",
            )  # fmt: skip
        return found


def read_board(place: str, told: Mapping[str, Any] | None) -> Board:
    """A board from the vendor's answer, and only one that can be written to.

    Raises SetupBroken when it is gone, archived, multi-level or without the group; PermissionMissing when it may only be seen.
    """
    board, group = split_place(place)
    if told is None or told.get("state") in ("deleted", "archived"):
        raise _broken(f"Monday.com no longer has the board “{(told or {}).get('name') or board}”. Choose another board.", "board")
    title = str(told.get("name") or board)
    if told.get("access_level") == "view":
        raise PermissionMissing(
            f"This user may only view the board “{title}” in Monday.com. Make the user an owner or editor of the board.",
            right="edit the board", vendor="monday", operation="Board",
        )  # fmt: skip
    if told.get("hierarchy_type") == "multi_level":
        raise _broken(
            f"The board “{title}” has several levels of items, which cannot be filled safely. Choose a classic board.", "board"
        )
    if group and not any(each["id"] == group and _is_living(each) for each in told.get("groups") or []):
        raise _broken(f"The board “{title}” no longer has the group “{group}”. Choose another group.", "group")
    return _board(board, place, title, told)


def _is_living(group: Mapping[str, Any]) -> bool:
    return not group.get("archived") and not group.get("deleted")


def _broken(said: str, what: str) -> SetupBroken:
    return SetupBroken(said, what=what, vendor="monday", operation="Board")


def _board(board: str, place: str, title: str, told: Mapping[str, Any]) -> Board:
    found = [each for each in told.get("columns") or [] if each]
    living = [each for each in found if not each.get("archived")]
    if any(each["id"] == KEY.id and each.get("type") != KEY.kind for each in living):
        raise _broken(
            f"The column “{KEY.title}” of the board “{title}” is no text column any more. Change it back to text.", KEY.id
        )
    ours = {role: str(column["id"]) for role, mark in OURS.items() if (column := _find(mark, living))}
    columns = [_column(each, ours) for each in living if each["id"] != NAME.id]
    schema = Schema(
        place=place,
        title=title,
        columns=(NAME, *columns),
        n_items=int(told.get("items_count") or 0),
        n_items_max=told.get("items_limit"),
        url=str(told.get("url") or ""),
    )
    return Board(
        id=str(told.get("id") or board),
        schema=schema,
        taken_ids=frozenset(str(each["id"]) for each in found),
        ours=ours,
        group=next((str(each["id"]) for each in told.get("groups") or [] if _is_living(each)), ""),
    )


def _find(mark: NewColumn, columns: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Our column: by the id that we choose, else by its description (titles get renamed), else by its title."""
    of_kind = [each for each in columns if each.get("type") == mark.kind]
    for name, wanted in (("id", mark.id), ("description", mark.description), ("title", mark.title)):
        for each in of_kind:
            if str(each.get(name) or "").strip() == wanted:
                return each
    return None


def _column(told: Mapping[str, Any], ours: Mapping[str, str]) -> Column:
    """Our own columns accept nothing, so that nobody maps a field to them."""
    column_id, kind = str(told["id"]), str(told.get("type") or "")
    return Column(
        id=column_id,
        title=str(told.get("title") or column_id),
        kind=kind,
        accepts=frozenset() if column_id in ours.values() else accepts(kind),
        deferred=kind in DEFERRED,
        settings=_settings(told.get("settings")),
    )


def _settings(told: Any) -> Mapping[str, Any]:
    """A JSON scalar: unpacked by some answers, a text in others."""
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except ValueError:
            return {}
    return told if isinstance(told, Mapping) else {}

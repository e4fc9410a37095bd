"""What has to be read before a body can be built: the links that others added, and where moving items stand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.types import Write
from integrations.vendors.monday.boards import OURS, Board, split_place
from integrations.vendors.monday.client import MondayClient
from integrations.vendors.monday.objects import Unfit, ids_of
from integrations.vendors.monday.puts import Move, Pairs
from integrations.vendors.monday.readings import joined
from mappings.fields import Column, Value


@dataclass(frozen=True, kw_only=True)
class Found:
    """``links``: (item, column) → the items linked now; ``moves``: item → the move that it still has to make."""

    links: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    moves: Mapping[str, Move] = field(default_factory=dict)

    def merged(self, write: Write, column: Column, value: Value) -> Value:
        """A relation is written as a whole: what we link now, and what others linked. Only our own old links go."""
        wanted = ids_of(value)
        if wanted and column.settings.get("allowMultipleItems") is False:
            return value
        ours = _ids_written(write.before.get(column.id))
        kept = [each for each in self.links.get((write.target_id, column.id), ()) if each not in ours]
        return joined([*kept, *wanted])


def _ids_written(value: Value) -> set[str]:
    """What we wrote last; nothing where the column held something else then."""
    try:
        return set(ids_of(value))
    except Unfit:
        return set()


def find_out(client: MondayClient, board: Board, writes: Sequence[Write], place: str, board_at: Callable[[str], Board]) -> Found:
    """One call for a batch that has links to merge or items to fetch from another board, else none."""
    related = {each.id for each in board.schema.columns if each.deferred}
    crossing = [each for each in writes if each.target_id and _crosses(each, board)]
    merging = [each for each in writes if each.target_id and related & set(each.values)]
    pairs = {each.target_id: pair_columns(board_at(each.moves_from), board) for each in crossing}
    asked = {each.target_id for each in (*crossing, *merging)}
    columns = {column for each in merging for column in related & set(each.values)}
    before = {item: {str(each["target"]): str(each["source"]) for each in found} for item, found in pairs.items()}
    columns |= {back[column] for back in before.values() for column in list(columns) if column in back}
    items = {str(each["id"]): each for each in client.items(sorted(asked), sorted(columns))} if asked else {}
    moves = {each.target_id: move for each in writes if (move := _move(each, board, place, items, pairs))}
    return Found(links=_links(merging, items, before, board, related), moves=moves)


def pair_columns(source: Board, target: Board) -> Pairs:
    """Every column of the source with its like of the target: our own two, then by title and kind. Without a like, it is lost."""
    ours = {source.ours[role]: target.ours[role] for role in OURS if role in source.ours and role in target.ours}
    free = {(each.title.strip().casefold(), each.kind): each.id for each in reversed(target.schema.columns)}
    pairs: list[Mapping[str, str | None]] = []
    for column in source.schema.columns:
        if column.kind in ("name", "formula"):  # goes with the item; cannot be paired
            continue
        likely = free.pop((column.title.strip().casefold(), column.kind), None) if column.id not in ours else None
        pairs.append({"source": column.id, "target": ours.get(column.id, likely)})
    return pairs


def _crosses(write: Write, board: Board) -> bool:
    return bool(write.moves_from) and split_place(write.moves_from)[0] != board.key


def _move(
    write: Write, board: Board, place: str, items: Mapping[str, Mapping[str, Any]], pairs: Mapping[str, Pairs]
) -> Move | None:
    """The move that is still to be made: an item that got there already, by us or by hand, is not fetched again."""
    group = split_place(write.place or place)[1]
    if not write.moves_from or not write.target_id:
        return None
    stands_on = _board_of(items.get(write.target_id))
    if not _crosses(write, board) or stands_on == board.id:
        return Move(group=group) if group else None
    is_as_told = stands_on in ("", split_place(write.moves_from)[0])
    return Move(group=group or board.group, crosses=True, pairs=pairs[write.target_id] if is_as_told else None)


def _links(
    merging: Sequence[Write],
    items: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Mapping[str, str]],
    board: Board,
    related: set[str],
) -> dict[tuple[str, str], Sequence[str]]:
    """What is linked now; on an item that comes from another board, in the column that will become this one."""
    links: dict[tuple[str, str], Sequence[str]] = {}
    for write in merging:
        item = items.get(write.target_id) or {}
        cells = {str(each["id"]): each.get("linked_item_ids") or [] for each in item.get("column_values") or []}
        back = before.get(write.target_id, {}) if _board_of(item) != board.id else {}
        for column in related & set(write.values):
            links[write.target_id, column] = [str(each) for each in cells.get(back.get(column, column), [])]
    return links


def _board_of(item: Mapping[str, Any] | None) -> str:
    board = (item or {}).get("board")
    return str(board["id"]) if board else ""

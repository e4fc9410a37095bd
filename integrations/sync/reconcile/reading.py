"""Both sides, read whole: by page, keeping a key, an amount and a currency of each record, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from integrations.errors import SetupBroken
from integrations.sync import serve
from integrations.sync.reconcile.figures import Columns, Entry, Item, unreadable
from integrations.sync.routes import translated
from integrations.sync.slices import Slice
from integrations.types import Page, Population, Standing, Target

Books = dict[str, Entry]
Board = dict[str, list[Item]]


@dataclass(kw_only=True)
class Sides:
    """The books as they were read, the board as it stands; ``population`` is what the source counted itself."""

    population: Population
    books: Books = field(default_factory=dict)
    board: Board = field(default_factory=dict)

    def replace(self, external_ids: Sequence[str], books: Books, board: Board) -> None:
        """What a second look found of these records."""
        for external_id in external_ids:
            self.books.pop(external_id, None)
            self.board.pop(external_id, None)
        self.books |= {each: books[each] for each in external_ids if each in books}
        self.board |= {each: board[each] for each in external_ids if each in board}


class Places:
    """Every place that the flow writes to. Raises SetupBroken where the amount or its currency has no column."""

    def __init__(self, slice_: Slice, columns: Columns) -> None:
        flow = slice_.flow
        if not flow.place:
            raise SetupBroken("This flow keeps reference data only; it has no board to compare with the books.", what="place")
        self._prefix, self._columns, self._own = slice_.key_prefix, columns, flow.place
        self._targets: dict[str, Target] = {}
        self._names: dict[str, Mapping[str, str]] = {}
        for place in slice_.routes.places:
            self._targets[place] = slice_.target if place == flow.place else serve.open_target(flow, place)
            self._names[place] = slice_.routes.columns_at(place)
            columns.insist(self._targets[place].schema(), self._names[place])

    def everything(self) -> Board:
        """All items that bear keys of this flow. Two places may be two groups of one board: an item counts once."""
        board: Board = {}
        seen: set[str] = set()
        for place in self._targets:
            for external_id, item in self._read(place, None):
                if item.target_id not in seen:
                    seen.add(item.target_id)
                    board.setdefault(external_id, []).append(item)
        return board

    def again(self, wanted: Mapping[str, str]) -> Board:
        """These items as they are now: target id → the place where it was seen, or belongs."""
        board: Board = {}
        by_place: dict[str, list[str]] = {}
        for target_id, place in wanted.items():
            by_place.setdefault(place if place in self._targets else self._own, []).append(target_id)
        for place, target_ids in by_place.items():
            for external_id, item in self._read(place, target_ids):
                board.setdefault(external_id, []).append(item)
        return board

    def _read(self, place: str, target_ids: Sequence[str] | None) -> Iterator[tuple[str, Item]]:
        names = self._names[place]
        asked = [names.get(each, each) for each in self._columns.ids]
        usual = dict(zip(asked, self._columns.ids, strict=True))
        for page in self._targets[place].standing(target_ids, asked):
            for standing in page:
                if standing.is_active and standing.key.startswith(self._prefix):
                    yield standing.key.removeprefix(self._prefix), self._item(standing, place, usual)

    def _item(self, standing: Standing, place: str, usual: Mapping[str, str]) -> Item:
        return self._columns.item(replace(standing, values=translated(standing.values, usual)), place)


def read_both(slice_: Slice, columns: Columns, places: Places) -> Sides:
    sides = Sides(population=slice_.source.population())
    for page in slice_.source.everything():
        sides.books |= entries(page, columns)
    sides.board = places.everything()
    return sides


def entries(page: Page, columns: Columns) -> Books:
    found = {record.external_id: columns.entry(record) for record in page.records}
    return found | {each.external_id: unreadable(each.error.said) for each in page.unreadable}

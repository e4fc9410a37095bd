"""Whatever looks wrong is read once more, at both sides, before it is reported: what changed meanwhile is no false alarm.

Three things are told apart first: what our own rows explain, what the next run will carry anyway, and what is truly wrong.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from uuid import UUID

from integrations.models import Flow, Link, RecordOutcome, WakeUp
from integrations.models.flow import FlowState, LinkState
from integrations.sync.plan import Planned, Step
from integrations.sync.reconcile.figures import Columns, Item
from integrations.sync.reconcile.findings import Finding, What, judge
from integrations.sync.reconcile.reading import Board, Books, Places, Sides, entries
from integrations.sync.slices import Slice

PAGE = 500
MOST = 2_000  # records that are read again; where more differ, it is no matter of timing

_EXPLAINED = (LinkState.GONE, LinkState.WITHDRAWN, LinkState.REJECTED)
_LINK_FIELDS = ("external_id", "label", "target_id", "state", "deleted_at", "mapping_id", "place")


@dataclass(kw_only=True)
class Expected:
    """What the next run will do: the columns that it writes of each record, and the records that it marks as deleted."""

    writes: dict[str, frozenset[str]] = field(default_factory=dict)
    creates: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    mapping_id: UUID | None = None  # what was written under another mapping is written anew; None: nothing is

    def add(self, plan: Sequence[Planned], deleted: Sequence[str]) -> None:
        self.writes |= {each.record.external_id: frozenset(each.write.values) for each in plan if each.write}
        self.creates |= {each.record.external_id for each in plan if each.step is Step.CREATE}
        self.deletes |= set(deleted)


class SecondLook:
    """Turns the suspects of one comparison into findings, page by page."""

    def __init__(self, slice_: Slice, columns: Columns, places: Places, sides: Sides) -> None:
        self._slice, self._columns, self._places, self._sides = slice_, columns, places, sides
        self._expected: Expected | None = None
        self._labels: dict[str, str] = {}  # of what was read again
        self._left = MOST

    def findings(self) -> Iterator[Finding]:
        suspects = self._suspects()
        for start in range(0, len(suspects), PAGE):
            yield from self._page(suspects[start : start + PAGE])

    def _suspects(self) -> list[str]:
        books, board = self._sides.books, self._sides.board
        extra = (each for each in board if each not in books)
        return [each for each in chain(books, extra) if self._judge(each, books, board)]

    def _judge(self, external_id: str, books: Books, board: Board) -> Finding | None:
        return judge(external_id, books.get(external_id), board.get(external_id, ()), self._columns)

    # -- One page -------------------------------------------------------------------------------------------------------------

    def _page(self, ids: Sequence[str]) -> Iterator[Finding]:
        links = _links(self._slice.flow, ids)
        first = {each: finding for each in ids if (finding := self._judge(each, self._sides.books, self._sides.board))}
        needs_look = [each for each, finding in first.items() if not _is_explained(finding, links.get(each))]
        explained = {each: finding for each, finding in first.items() if each not in set(needs_look)}
        found = list((explained | (self._look(needs_look, links) if needs_look else {})).values())
        refusals = _refusals(self._slice.flow, [each.external_id for each in found if each.what is What.MISSING])
        for finding in found:
            yield self._told(finding, links.get(finding.external_id), refusals)

    def _look(self, ids: Sequence[str], links: Mapping[str, Link]) -> dict[str, Finding]:
        """Those that are still wrong."""
        if self._expected is None:
            self._expected = self._what_comes()
        if self._left > 0:
            self._left -= len(ids)
            self._sides.replace(ids, *self._read_again(ids, links))
        books, board = self._sides.books, self._sides.board
        found = {each: finding for each in ids if (finding := self._judge(each, books, board))}
        return {each: self._excused(finding, links.get(each)) for each, finding in found.items()}

    def _read_again(self, ids: Sequence[str], links: Mapping[str, Link]) -> tuple[Books, Board]:
        page = self._slice.source.fetch(ids)
        self._labels |= {each.external_id: each.label for each in page.records}
        books = entries(page, self._columns)
        wanted = {link.target_id: link.place for link in links.values() if link.target_id}
        wanted |= {item.target_id: item.place for each in ids for item in self._sides.board.get(each, ())}
        return books, self._places.again(wanted)

    # -- What the next run brings -----------------------------------------------------------------------------------------------

    def _what_comes(self) -> Expected:
        """Exactly what a run would plan now. A flow that is stopped, or was never read whole, excuses nothing."""
        flow = Flow.objects.get(pk=self._slice.flow.pk)
        comes = Expected()
        if flow.state != FlowState.ACTIVE or flow.cursor is None:
            return comes
        comes.mapping_id = flow.mapping_id
        woken = WakeUp.objects.filter(flow=flow).values_list("external_id", flat=True)
        comes.writes.update(dict.fromkeys(woken, frozenset(self._columns.ids)))
        for page in self._slice.source.changed_since(flow.cursor, self._slice.known):
            comes.add(self._slice.plan(page.records), page.deleted)
        return comes

    def _excused(self, finding: Finding, link: Link | None) -> Finding:
        assert self._expected is not None
        comes, record = self._expected, finding.external_id
        match finding.what:
            case What.MISSING if not (link and link.target_id) and (record in comes.creates):
                return finding.excused("It came to the books after the last run; the next one carries it.")
            case What.DIFFERENT if finding.columns and set(finding.columns) <= comes.writes.get(record, frozenset()):
                return finding.excused("It changed in the books after the last run; the next one carries it.")
            case What.DIFFERENT if finding.columns and comes.mapping_id and link and link.mapping_id != comes.mapping_id:
                return finding.excused("The mapping changed after the last run; the next one writes it anew.")
            case What.EXTRA if record in comes.deletes:
                return finding.excused("It was deleted in the books after the last run; the next one marks it.")
        return finding

    # -- Why ----------------------------------------------------------------------------------------------------------------------

    def _told(self, finding: Finding, link: Link | None, refusals: Mapping[str, str]) -> Finding:
        spec = self._slice.spec
        told = self._labels.get(finding.external_id, "") or (link.label if link else "")
        label = told or f"{spec.noun[0].capitalize()} {finding.external_id}"
        finding = replace(finding, label=label)
        if finding.what is What.EXTRA and _is_marked(finding, link):
            return replace(finding, what=What.DELETED, because=f"Deleted in {spec.source.name}, and marked so on the board.")
        if finding.because:
            return finding
        return replace(finding, because=self._why(finding, link, refusals))

    def _why(self, finding: Finding, link: Link | None, refusals: Mapping[str, str]) -> str:
        one = self._slice.spec.noun[0]
        match finding.what:
            case What.EXTRA:
                return f"{self._slice.spec.source.name} has no such {one}."
            case What.DOUBLED:
                return f"{len(finding.items)} items bear its key.{_whose(finding.items, link)}"
            case _:
                return _why_missing(link, refusals.get(finding.external_id, ""))


def _links(flow: Flow, ids: Sequence[str]) -> dict[str, Link]:
    """Without what they remember of the records."""
    return {link.external_id: link for link in Link.objects.filter(flow=flow, external_id__in=ids).only(*_LINK_FIELDS)}


def _is_explained(finding: Finding, link: Link | None) -> bool:
    """Our own row says why, and it was read after both sides: no call can tell more."""
    if link is None:
        return False
    if finding.what is What.EXTRA:
        return _is_marked(finding, link)
    return finding.what is What.MISSING and link.state in _EXPLAINED and not (link.state == LinkState.REJECTED and link.target_id)


def _is_marked(finding: Finding, link: Link | None) -> bool:
    """The item of a record that was deleted; a copy of it is nobody's."""
    return link is not None and link.deleted_at is not None and len(finding.items) == 1


def _refusals(flow: Flow, ids: Iterable[str]) -> dict[str, str]:
    """What was said of records that failed, as it stands now."""
    rows = RecordOutcome.objects.filter(flow=flow, external_id__in=list(ids), is_open=True).order_by("made_at")
    return dict(rows.values_list("external_id", "said"))


def _whose(items: Sequence[Item], link: Link | None) -> str:
    kept = next((item.target_id for item in items if link and item.target_id == link.target_id), "")
    others = ", ".join(item.target_id for item in items if item.target_id != kept)
    return f" We keep {kept} up to date; delete {others}." if kept else f" They are {others}."


def _why_missing(link: Link | None, refused: str) -> str:
    if refused:
        return f"It was refused. {refused}"
    if link is None:
        return "It was never carried."
    match link.state:
        case LinkState.GONE:
            return "People removed its item from the board."
        case LinkState.WITHDRAWN:
            return "It was taken off the board by an undo."
        case LinkState.REJECTED:
            return "It was refused."
        case LinkState.INTENDED:
            return "A call that writes it is under way, or its answer was lost."
    return f"Its item {link.target_id} does not stand on the board any more, or has lost its key."

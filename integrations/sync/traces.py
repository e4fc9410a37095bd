"""What a run left behind: what it changed in each record, what became of that since, and so what can go back. No call, no write."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.models import Flow, Link, RecordOutcome, Run
from integrations.models.flow import LinkState
from integrations.models.run import What
from integrations.types import Standing
from mappings.fields import Value, load_value
from mappings.values import canonical, is_blank, text_of

_WROTE = (What.CREATED, What.UPDATED)

BY_PEOPLE = "It was changed on the board since."
BY_A_RUN = "A later run wrote it."
NOT_THERE = "The item is no longer on the board."
NO_COLUMN = "The column is no longer on the board."
NOT_KNOWN = "What stood there before the run is not known."


@dataclass(kw_only=True)
class Trace:
    """What one run did to one record. ``cells`` is column → (what we had written there before the run, what the run wrote last)."""

    external_id: str
    label: str
    made: bool = False  # the run made the item
    is_first: bool = False  # nothing that was written into this item before is known
    cells: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)  # columns that later runs wrote


@dataclass(frozen=True, kw_only=True)
class Left:
    """A cell, or an item (no column), that an undo leaves as it stands, and why."""

    external_id: str
    label: str
    target_id: str
    column: str
    wrote: Value
    stands: Value
    why: str

    def said(self, titles: Mapping[str, str]) -> str:
        if not self.column:
            return f"{self.label}: {self.why}"
        cell = f"{self.label}, {titles.get(self.column, self.column)}"
        return f"{cell}: the run wrote {shown(self.wrote)}, now there stands {shown(self.stands)}. {self.why}"


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """What an undo does with one record. ``cells`` is column → (what the run wrote, what comes back)."""

    external_id: str
    label: str
    target_id: str
    archives: bool = False
    cells: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    left: tuple[Left, ...] = ()

    @property
    def writes(self) -> bool:
        return self.archives or bool(self.cells)


def shown(value: Value) -> str:
    """On one line, in quotes."""
    return "nothing" if is_blank(value) else f"‘{' / '.join(text_of(value).splitlines())}’"


def same(one: Value, other: Value) -> bool:
    """What people call the same: 1.0 and 1.00; nothing and an empty text."""
    return (is_blank(one) and is_blank(other)) or canonical(one) == canonical(other)


def traces_of(run: Run, links: Sequence[Link]) -> dict[str, Trace]:
    """What the run wrote into these records, by external id."""
    ids = [link.external_id for link in links]
    outcomes = RecordOutcome.objects.filter(run=run, external_id__in=ids, what__in=_WROTE).order_by("made_at")
    traces: dict[str, Trace] = {}
    for outcome in outcomes:
        trace = traces.setdefault(outcome.external_id, Trace(external_id=outcome.external_id, label=outcome.label))
        trace.made |= outcome.what == What.CREATED
        for column, (before, after) in outcome.differences.items():
            first, _ = trace.cells.get(column, (load_value(before), None))
            trace.cells[column] = (first, load_value(after))
    _note_later(run, traces)
    _note_first(run, traces)
    return traces


def _note_later(run: Run, traces: Mapping[str, Trace]) -> None:
    """Columns that runs wrote since. A later run that was undone itself has left none."""
    later = RecordOutcome.objects.filter(flow_id=run.flow_id, external_id__in=list(traces), what__in=_WROTE)
    later = later.filter(run__began_at__gt=run.began_at, run__undone_at=None, run__undoes=None)
    for external_id, differences in later.values_list("external_id", "differences").iterator():
        traces[external_id].later.update(differences)


def _note_first(run: Run, traces: Mapping[str, Trace]) -> None:
    """An item that stood there when the flow met it: its first update does not know what it replaced."""
    suspects = [each for each in traces.values() if not each.made and all(before is None for before, _ in each.cells.values())]
    if suspects:
        earlier = RecordOutcome.objects.filter(flow_id=run.flow_id, external_id__in=[each.external_id for each in suspects])
        earlier = earlier.filter(what__in=_WROTE, run__began_at__lt=run.began_at)
        known = set(earlier.values_list("external_id", flat=True).distinct())
        for each in suspects:
            each.is_first = each.external_id not in known


def ids_after(run: Run, external_id: str, n: int) -> list[str]:
    """The next ``n`` records that the run wrote, in a fixed order."""
    wrote = RecordOutcome.objects.filter(run=run, what__in=_WROTE, external_id__gt=external_id)
    return list(wrote.order_by("external_id").values_list("external_id", flat=True).distinct()[:n])


def links_of(flow: Flow, external_ids: Sequence[str]) -> list[Link]:
    return list(Link.objects.filter(flow=flow, external_id__in=external_ids).exclude(source=None))


def columns_of(traces: Iterable[Trace]) -> list[str]:
    return sorted({column for trace in traces for column in trace.cells.keys() | trace.later})


def way_back(trace: Trace, link: Link, stands: Standing | None) -> WayBack | None:
    """What an undo does with this record; None when its item has been taken off already."""
    if not link.target_id or link.state == LinkState.WITHDRAWN:
        return None
    return _Record(trace, link, stands).way_back()


class _Record:
    """One record, beside what stands at the target now."""

    def __init__(self, trace: Trace, link: Link, stands: Standing | None) -> None:
        self._trace, self._link, self._stands = trace, link, stands

    def way_back(self) -> WayBack:
        if self._stands is None or not self._stands.is_active:
            return self._way(left=(self._left("", NOT_THERE),))
        if self._trace.made:
            return self._unmake()
        cells: dict[str, tuple[Value, Value]] = {}
        left: list[Left] = []
        for column, (before, wrote) in self._trace.cells.items():
            if same(before, wrote) or self._is_back(column, before):
                continue
            if why := self._touched(column) or (NOT_KNOWN if self._trace.is_first else ""):
                left.append(self._left(column, why))
            else:
                cells[column] = (wrote, before)
        return self._way(cells=cells, left=tuple(left))

    def _unmake(self) -> WayBack:
        """One item is one thing: it goes as a whole when nobody touched it, else it stays as a whole."""
        columns = [*self._trace.cells, *sorted(self._trace.later - self._trace.cells.keys())]
        left = tuple(self._left(column, why) for column in columns if (why := self._touched(column)))
        return self._way(archives=not left, left=left)

    def _touched(self, column: str) -> str:
        if column in self._trace.later:
            return BY_A_RUN
        if self._stands is None or column not in self._stands.values:
            return NO_COLUMN
        return "" if same(self._stands.values[column], self._trace.cells[column][1]) else BY_PEOPLE

    def _is_back(self, column: str, before: Value) -> bool:
        """An undo that was cut short has put it back already."""
        ours = column in self._link.written and same(load_value(self._link.written[column]), before)
        return ours and column not in self._trace.later and same(self._value(column), before)

    def _value(self, column: str) -> Value:
        return self._stands.values.get(column) if self._stands else None

    def _left(self, column: str, why: str) -> Left:
        _, wrote = self._trace.cells.get(column, (None, None))
        return Left(
            external_id=self._link.external_id,
            label=self._link.label,
            target_id=self._link.target_id,
            column=column,
            wrote=wrote,
            stands=self._value(column),
            why=why,
        )

    def _way(
        self, *, archives: bool = False, cells: Mapping[str, tuple[Value, Value]] | None = None, left: tuple[Left, ...] = ()
    ) -> WayBack:
        return WayBack(
            external_id=self._link.external_id,
            label=self._link.label,
            target_id=self._link.target_id,
            archives=archives,
            cells=cells or {},
            left=left,
        )

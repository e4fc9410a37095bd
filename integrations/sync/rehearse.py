"""Rehearsal of a mapping change: exactly the cells that the next run would change, and nothing is written, here or there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from integrations import connections
from integrations.models import Flow, Link
from integrations.models.flow import LinkState
from integrations.sync import opening, reference
from integrations.sync.hand_edits import leave_hand_edits
from integrations.sync.plan import MappingPlan, Planned
from integrations.sync.slices import record_of
from integrations.types import Record
from mappings.apply import Problem, Rule
from mappings.check import problems_of
from mappings.fields import ITEMS_OF, Value
from mappings.models import MappingSet
from mappings.sets import latest, rules_of, storable

PAGE = 500
_NEW = "rehearsal"  # no fingerprint was made under this version


@dataclass(frozen=True, kw_only=True)
class Change:
    """One record whose item would change. ``cells`` is column → (what we wrote there last, what would be written)."""

    external_id: str
    label: str
    target_id: str  # empty: the item would be made
    cells: Mapping[str, tuple[Value, Value]]


@dataclass(kw_only=True)
class Trouble:
    """One problem that would appear, with how many records have it, and one of them."""

    said: str
    column: str
    n_records: int
    example: str


class Rehearsal:
    """What the next run would change under these rules: iterate over it, page by page; counts and ``troubles`` are whole at the end.

    It works on the records as they were last read. Where the rules need fields that were not read then, the records are read again
    (``reads_again``), and not kept. What changed at the source since comes on top; ``n_gone`` items are no longer on the board.
    Raises MappingRefused and BadStep for rules that could not be kept.
    """

    def __init__(self, flow: Flow, rules: Sequence[Rule]) -> None:
        self.flow, self.rules = flow, storable(rules)
        self._kept = self._kept_already()
        version = str(self._kept.pk) if self._kept else _NEW
        mapping = MappingPlan(version=version, rules=self.rules, lookups=reference.lookups(flow, self.rules))
        self._slice = opening.opened(flow, opening.nobody(flow), mapping=mapping)
        self._lists: set[str] = set()
        self.reads_again = opening.lacks_fields(self._slice)
        self.titles = {rule.column: rule.name for rule in (*rules_of(flow.mapping), *self.rules)}
        self.n_records = self.n_items = self.n_made = self.n_cells = self.n_gone = 0
        self.troubles: dict[tuple[str, str, str], Trouble] = {}

    def complaints(self) -> tuple[Problem, ...]:
        """What does not fit the board as it is now, so that no run would begin: one read of the board."""
        return problems_of(self.rules, catalogue=self._slice.spec.fields, columns=self._slice.schema().columns)

    def __iter__(self) -> Iterator[Change]:
        self.n_records = self.n_items = self.n_made = self.n_cells = self.n_gone = 0
        self.troubles = {}
        for page in self._pages():
            plan = leave_hand_edits(self._slice, self._planned(self._records(page)))
            yield from self._still_there([change for each in plan if (change := self._seen(each))])

    def _seen(self, planned: Planned) -> Change | None:
        self.n_records += 1
        for problem in planned.mapped.problems:
            what = (problem.column, problem.code, problem.value)
            trouble = self.troubles.setdefault(
                what, Trouble(said=problem.said, column=problem.column, n_records=0, example=planned.record.label)
            )
            trouble.n_records += 1
        return _change(planned)

    def _still_there(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Without the items that people took off the board: a run would find that out when it writes."""
        ids = [change.target_id for change in changes if change.target_id]
        stands = (
            {item.target_id for page in self._slice.target.standing(ids, []) for item in page if item.is_active} if ids else ()
        )
        for change in changes:
            if change.target_id and change.target_id not in stands:
                self.n_gone += 1
                continue
            self.n_items += 1
            self.n_made += not change.target_id
            self.n_cells += len(change.cells)
            yield change

    def _kept_already(self) -> MappingSet | None:
        """Rules that are the newest version's already make no new one: what stands under it is not carried again."""
        newest = latest(self.flow.mapping.line)
        return newest if rules_of(newest) == self.rules else None

    # -- What a run would take up -------------------------------------------------------------------------------------------------

    def _pages(self) -> Iterator[list[Link]]:
        after = ""
        while links := list(self._links().filter(external_id__gt=after).order_by("external_id")[:PAGE]):
            yield links
            after = links[-1].external_id

    def _links(self) -> QuerySet[Link]:
        states = [LinkState.SETTLED, LinkState.REJECTED]
        if self.reads_again:
            states.append(LinkState.WITHDRAWN)  # to a run that reads everything anew it is a record that changed
        links = Link.objects.filter(flow=self.flow, state__in=states)
        return links.exclude(mapping=self._kept) if self._kept else links

    def _records(self, links: Sequence[Link]) -> list[Record]:
        """As last read; fetched where that is not enough. What the source no longer has, no run will find either."""
        missing = [link.external_id for link in links if self.reads_again or link.source is None]
        page = self._slice.source.fetch(missing) if missing else None
        read = {record.external_id: record for record in page.records} if page else {}
        stored = {link.external_id: record_of(link) for link in links if link.external_id not in missing}
        return list({**stored, **read}.values())

    def _planned(self, records: Sequence[Record]) -> list[Planned]:
        """The very plan of a run; a list that knows a code is read, as a run would read it, but not kept."""
        planned = self._slice.plan(records)
        unknown = {values for each in planned for values, _, _ in each.unknown} - self._lists
        self._lists |= unknown
        if read := {name: found for name in sorted(unknown) if (found := self._read_list(name))}:
            mapping = self._slice.mapping
            lookups = {**mapping.lookups, **{name: {**found, **mapping.lookups.get(name, {})} for name, found in read.items()}}
            self._slice.mapping = replace(mapping, lookups=lookups)
            planned = self._slice.plan(records)
        return planned

    def _read_list(self, name: str) -> Mapping[str, str]:
        read = self._slice.spec.source.reference
        if read is None or name.startswith(ITEMS_OF):
            return {}
        return reference.labels_of(read(connections.open_login(self.flow.source), name))


def _change(planned: Planned) -> Change | None:
    if planned.write is None or not planned.differences:
        return None
    return Change(
        external_id=planned.record.external_id,
        label=planned.record.label,
        target_id=planned.write.target_id,
        cells=dict(planned.differences),
    )


def rehearse(flow: Flow, rules: Sequence[Rule]) -> Rehearsal:
    """What the next run would change if the flow had these rules. Reads; writes nothing, here or there."""
    return Rehearsal(flow, rules)

""" "Why is this cell what it is?": from the source's value through every step to the run that wrote it, and what stands there now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from integrations import connections
from integrations.models import Flow, Link, RecordOutcome
from integrations.models.run import What
from integrations.registry import FLOWS
from integrations.sync import own_fields, reference, routes, serve
from integrations.sync.plan import MappingPlan, map_record
from integrations.sync.slices import record_of
from integrations.sync.traces import same
from integrations.types import Record, Standing
from mappings.apply import Rule, Trail, trail
from mappings.fields import Value, load_value
from mappings.models import BoardSchema, MappingSet, ValueMapping, ValueMappingChange
from mappings.parameters import Kind
from mappings.sets import rules_of
from mappings.value_mappings import lookups_for, names_in, values_at


class CannotExplain(ValueError):
    """There is no such cell. The text is a sentence that says what there is."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a value mapping that took part. ``target`` is None where it has no entry for the value."""

    values: str
    version: int  # from which the entry holds, or that was in force
    source: str
    target: str | None
    made_by: str
    made_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Where a cell's value comes from.

    ``wrote`` is what we wrote last and ``again`` what the mapping makes of the stored record when it is applied once more.
    """

    flow: Flow
    link: Link
    rule: Rule
    mapping: MappingSet
    trail: Trail
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    is_written: bool
    wrote: Value
    again: Value
    today: Value  # what the flow's mapping and value mappings make of it now
    outcome: RecordOutcome | None  # of the run that wrote it; None when it is no longer kept
    standing: Standing | None  # the item as it is now; None: nobody looked
    stands: Value

    @property
    def agrees(self) -> bool:
        return same(self.wrote, self.again)

    @property
    def was_changed_by_people(self) -> bool:
        return self.standing is not None and self.standing.is_active and not same(self.stands, self.wrote)


def explain(flow: Flow, *, external_id: str, column: str, offline: bool = False) -> Explanation:
    """Raises CannotExplain. One read of the item at the target, unless ``offline``."""
    one, _ = FLOWS[flow.kind].noun
    link = Link.objects.select_related("mapping").filter(flow=flow, external_id=external_id).first()
    if link is None:
        raise CannotExplain(f"This flow knows no {one} ‘{external_id}’.")
    rule, mapping = _find_rule(flow, link, column)
    if link.source is None:
        raise CannotExplain(f"The {one} ‘{external_id}’ was found on the board and has not been carried yet.")
    outcome = _outcome(flow, link, rule.column)
    written_at = (outcome.made_at if outcome else link.changed_at) or mapping.made_at
    record, is_deleted = record_of(link), link.deleted_at is not None
    then, now = _lookups_at(flow, rule, written_at), reference.lookups(flow, rules_of(flow.mapping))
    mapped = map_record(
        MappingPlan(version="", rules=rules_of(mapping), lookups=_with(flow, mapping, then)), record, is_deleted=is_deleted
    )
    today = map_record(MappingPlan(version="", rules=rules_of(flow.mapping), lookups=now), record, is_deleted=is_deleted)
    path = _trail(rule, record, then)
    wrote = load_value(outcome.differences[rule.column][1]) if outcome else load_value(link.written.get(rule.column))
    standing = None if offline else _look(flow, link, rule.column)
    return Explanation(
        flow=flow,
        link=link,
        rule=rule,
        mapping=mapping,
        trail=path,
        entries=tuple(_entries(rule, path, written_at)),
        problems=tuple(problem.said for problem in mapped.problems if problem.column == rule.column),
        is_written=outcome is not None or rule.column in link.written,
        wrote=wrote,
        again=mapped.values.get(rule.column),
        today=today.values.get(rule.column, wrote),
        outcome=outcome,
        standing=standing,
        stands=next(iter(standing.values.values()), None) if standing else None,
    )


def _find_rule(flow: Flow, link: Link, column: str) -> tuple[Rule, MappingSet]:
    """The rule that fills the column, of the mapping that the record was last carried under, or else of the flow's."""
    wanted = column.strip().casefold()
    for mapping in filter(None, (link.mapping, flow.mapping)):
        for rule in rules_of(mapping):
            if rule.column == column or rule.name.strip().casefold() == wanted:
                return rule, mapping
    filled = ", ".join(f"‘{rule.name}’" for rule in rules_of(flow.mapping))
    why = "is not filled by this flow"
    if wanted in _on_board(flow):
        why = "is on the board, but this flow does not fill it: what stands there was not written by it"
    raise CannotExplain(f"The column ‘{column}’ {why}. It fills {filled}.")


def _on_board(flow: Flow) -> set[str]:
    """What the columns were called when the board was last looked at; no call."""
    board = BoardSchema.objects.filter(connection_id=flow.target_id, place=flow.place).first() if flow.target_id else None
    return {name.strip().casefold() for each in (board.as_columns() if board else ()) for name in (each.id, each.title)}


def _outcome(flow: Flow, link: Link, column: str) -> RecordOutcome | None:
    """The newest that wrote the column into the item that stands there now."""
    wrote = RecordOutcome.objects.filter(flow=flow, external_id=link.external_id, what__in=(What.CREATED, What.UPDATED))
    return wrote.filter(differences__has_key=column).select_related("run").order_by("-made_at").first()


def _look(flow: Flow, link: Link, column: str) -> Standing | None:
    if not link.target_id or flow.target is None:
        return None
    connections.refuse_if_stopped(flow.target)
    theirs = routes.read(flow.options, flow.place).columns_at(link.place).get(column, column)
    pages = serve.open_target(flow).standing([link.target_id], [theirs])
    return next((each for page in pages for each in page), None) or Standing(
        target_id=link.target_id, key="", name="", is_active=False, values={}
    )


# -- Value mappings as they were ------------------------------------------------------------------------------------------------------


def _version_at(name: str, at: datetime) -> int:
    changes = ValueMappingChange.objects.filter(name=name, made_at__lte=at)
    return changes.order_by("-version").values_list("version", flat=True).first() or 0


def _lookups_at(flow: Flow, rule: Rule, at: datetime) -> dict[str, dict[str, str]]:
    """What people had mapped at that moment, over the source's own names as they are now: of these no history is kept."""
    today, theirs = reference.lookups(flow, [rule]), lookups_for([rule])
    return {
        name: {
            **{code: label for code, label in today[name].items() if code not in theirs.get(name, {})},
            **values_at(name, _version_at(name, at)),
        }
        for name in names_in([rule])
    }


def _with(flow: Flow, mapping: MappingSet, then: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    return {**reference.lookups(flow, rules_of(mapping)), **then}


def _trail(rule: Rule, record: Record, lookups: Mapping[str, Mapping[str, str]]) -> Trail:
    if own_fields.is_own(rule.field):
        return Trail(given={}, stages=())
    return trail(rule, values=record.values, lines=record.lines, lookups=lookups)


def _entries(rule: Rule, path: Trail, at: datetime) -> list[Entry]:
    """The entries that were looked up, in the order of the steps; each value once."""
    found: list[Entry] = []
    before = path.given.get(rule.field, ())
    for step, after in path.stages:
        for name in step.named(Kind.VALUES):
            version = _version_at(name, at)
            sources = list(dict.fromkeys(str(value) for value in before if value is not None))
            held = {row.source: row for row in _held(name, sources, version)}
            found += [_entry(name, version, source, held.get(source)) for source in sources]
        before = after
    return found


def _held(name: str, sources: list[str], version: int) -> list[ValueMapping]:
    rows = ValueMapping.objects.filter(name=name, source__in=sources, version__lte=version)
    return list(rows.exclude(superseded_in__lte=version))


def _entry(name: str, version: int, source: str, row: ValueMapping | None) -> Entry:
    if row is None:
        return Entry(values=name, version=version, source=source, target=None, made_by="", made_at=None)
    return Entry(values=name, version=row.version, source=source, target=row.target, made_by=row.made_by, made_at=row.made_at)

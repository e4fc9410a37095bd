"""What a page of records asks of the target: pure, so that a preview is the same plan, shown instead of carried out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrations.sync import own_fields
from integrations.types import Record, Write
from mappings.apply import Mapped, Problem, Rule, apply, changed, fingerprint
from mappings.fields import ITEMS_OF, Value


class Step(StrEnum):
    """What will be done with a record."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"  # nothing at all has changed
    RESTAMP = "restamp"  # the source or the mapping changed, but no mapped value did: only our own row is renewed
    HELD = "held"  # refused as it is, and still the same; waits until somebody mends it
    LEFT = "left"  # people removed the item


INCOMPLETE = "incomplete"
"""The fingerprint of an item that was made without the columns that can only be written afterwards."""

REKEYED = "rekeyed"
"""The fingerprint of an item whose record has another number now: its key has to be written even if nothing else changed."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a link says of a record, as plain values."""

    target_id: str = ""
    state: str = "settled"  # a LinkState
    fingerprint: str = ""
    version: str = ""
    place: str = ""
    written: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One record of the plan. ``differences`` maps column → (value that stands there, value to be written)."""

    record: Record
    step: Step
    mapped: Mapped
    fingerprint: str
    write: Write | None = None
    differences: Mapping[str, tuple[Value, Value]]
    is_deleted: bool = False  # the source no longer has it; the record is what we remember

    @property
    def flags(self) -> str:
        """The problems of the mapping as sentences: the item is written all the same, and flagged."""
        return " ".join(problem.said for problem in self.mapped.problems if not is_relation(problem))

    @property
    def unknown(self) -> list[tuple[str, str, str]]:
        """Values that no value mapping knows: (value mapping, value, column)."""
        return [(each.values, each.value, each.column) for each in self.mapped.problems if each.code == "unknown_value"]


@dataclass(frozen=True, kw_only=True)
class MappingPlan:
    """A flow's mapping as plain values: the rules, the value mappings they use, and the version that made them."""

    version: str
    rules: Sequence[Rule]
    lookups: Mapping[str, Mapping[str, str]]


def map_record(mapping: MappingPlan, record: Record, *, is_deleted: bool = False) -> Mapped:
    """The customer's rules first; then our own fields, which tell what became of the rules."""
    theirs = [rule for rule in mapping.rules if not own_fields.is_own(rule.field)]
    ours = [rule for rule in mapping.rules if own_fields.is_own(rule.field)]
    mapped = _without_unknown_relations(apply(theirs, values=record.values, lines=record.lines, lookups=mapping.lookups))
    flagged = [problem for problem in mapped.problems if not is_relation(problem)]
    told = apply(ours, values=own_fields.values(flagged, is_deleted=is_deleted))
    return Mapped(values={**mapped.values, **told.values}, problems=(*mapped.problems, *told.problems))


def is_relation(problem: Problem) -> bool:
    return problem.values.startswith(ITEMS_OF)


def _without_unknown_relations(mapped: Mapped) -> Mapped:
    """An item that is not there yet cannot be linked: the column stays as it is, and is written when the item appears."""
    unknown = {problem.column for problem in mapped.problems if is_relation(problem)}
    return Mapped(
        values={column: value for column, value in mapped.values.items() if column not in unknown}, problems=mapped.problems
    )


def plan_record(
    mapping: MappingPlan,
    record: Record,
    link: Known | None,
    *,
    key: str,
    place: str = "",
    rewrite: bool = False,
    is_deleted: bool = False,
) -> Planned:
    """What to do with one record; ``rewrite`` carries it whatever is known of it. ``place`` is where it belongs now."""
    mapped = map_record(mapping, record, is_deleted=is_deleted)
    print_ = fingerprint(mapped.values, mapping.version)
    step, values = _step(mapped.values, print_, link, rewrite)
    if step is Step.RESTAMP and link and (link.fingerprint, link.version) == (print_, record.version):
        step = Step.UNCHANGED
    moves_from = link.place if link and link.place != place and step in _STANDS else ""
    step = Step.UPDATE if moves_from else step
    written = link.written if link else {}
    write = None
    if step in (Step.CREATE, Step.UPDATE):
        target_id = link.target_id if link and step is Step.UPDATE else ""
        before = {column: written[column] for column in values if column in written}
        write = Write(
            external_id=record.external_id,
            key=key,
            label=record.label,
            values=values,
            target_id=target_id,
            before=before,
            place=place,
            moves_from=moves_from,
            rekeys=link is not None and link.fingerprint == REKEYED,
        )
    differences = {column: (written.get(column), value) for column, value in values.items()} if write else {}
    return Planned(
        record=record, step=step, mapped=mapped, fingerprint=print_, write=write, differences=differences, is_deleted=is_deleted
    )


_STANDS = (Step.UPDATE, Step.UNCHANGED, Step.RESTAMP)


def _step(values: Mapping[str, Value], print_: str, link: Known | None, rewrite: bool) -> tuple[Step, Mapping[str, Value]]:
    if link is None:
        return Step.CREATE, values
    if link.state == "gone" and not rewrite:
        return Step.LEFT, {}
    if link.state in ("rejected", "withdrawn") and link.fingerprint == print_ and not rewrite:
        return Step.HELD, {}
    if not link.target_id or link.state in ("gone", "withdrawn"):
        return Step.CREATE, values
    if rewrite or not link.fingerprint or link.state == "intended":
        return Step.UPDATE, values  # what stands there is not known for certain
    if link.fingerprint == print_:
        return Step.RESTAMP, {}
    # A column that was never written and has nothing to say is left as people keep it.
    differing = {
        column: value for column, value in changed(values, link.written).items() if value is not None or column in link.written
    }
    if differing or link.fingerprint == REKEYED:
        return Step.UPDATE, differing
    return Step.RESTAMP, {}

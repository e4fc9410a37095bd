"""An explanation of a cell in words and as plain values: the same sentences for the terminal, the pages and the API."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from integrations.models import Run
from integrations.models.flow import LinkState
from integrations.registry import FLOWS
from integrations.sync.explain import Entry, Explanation
from integrations.sync.traces import same, shown
from mappings.fields import Value, dump_value, load_value
from mappings.transforms import Step

_STATES = {
    LinkState.INTENDED: "A call that writes it is under way, or its answer is still open.",
    LinkState.REJECTED: "It was refused as it is, and is tried again when it changes.",
    LinkState.GONE: "Its item is no longer on the board, and is not made anew by itself.",
    LinkState.WITHDRAWN: "An undo took its item off the board. It is made anew when it changes in the books.",
}


def sentences(cell: Explanation) -> list[str]:
    """From the books to the board, a sentence each."""
    return [*_what(cell), *_source(cell), *_steps(cell), *_mapping(cell), *_run(cell), *_again(cell), *_board(cell)]


def described(cell: Explanation) -> dict[str, Any]:
    """The same, for programs."""
    run = cell.outcome.run if cell.outcome else None
    return {
        "record": cell.link.external_id,
        "label": cell.link.label,
        "item": cell.link.target_id,
        "column": {"id": cell.rule.column, "title": cell.rule.name},
        "written": dump_value(cell.wrote) if cell.is_written else None,
        "is_written": cell.is_written,
        "source": {field: [dump_value(value) for value in values] for field, values in cell.trail.given.items()},
        "steps": [{"step": _named(step), "values": [dump_value(each) for each in values]} for step, values in cell.trail.stages],
        "value_mappings": [_entry(each) for each in cell.entries],
        "mapping": {"version": cell.mapping.version, "made_by": cell.mapping.made_by, "made_at": cell.mapping.made_at},
        "run": {"id": str(run.id), "began_at": run.began_at, "undone_at": run.undone_at} if run else None,
        "again": dump_value(cell.again),
        "agrees": cell.agrees,
        "stands": dump_value(cell.stands) if cell.standing else None,
        "was_changed_by_people": cell.was_changed_by_people,
        "said": sentences(cell),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.values,
        "version": entry.version,
        "source": entry.source,
        "target": entry.target,
        "made_by": entry.made_by,
        "made_at": entry.made_at,
    }


def _what(cell: Explanation) -> Iterator[str]:
    written = f"we wrote {shown(cell.wrote)}" if cell.is_written else "nothing was ever written there"
    yield f"{cell.link.label}, {cell.rule.name}: {written}."
    if state := _STATES.get(LinkState(cell.link.state)):
        yield state


def _source(cell: Explanation) -> Iterator[str]:
    spec = FLOWS[cell.flow.kind]
    for field, values in cell.trail.given.items():
        known = spec.fields.get(field)
        name = f"{known.label} ({field})" if known and known.label != field else field
        yield f"{spec.source.name} has {_listed(values)} as {name}, as last read."
    if not cell.trail.given:
        yield "Its value does not come from a field of the source."


def _steps(cell: Explanation) -> Iterator[str]:
    for number, (step, values) in enumerate(cell.trail.stages, 1):
        yield f"Step {number}, {_named(step)}: {_listed(values)}."
    if cell.trail.stopped:
        yield f"It went no further: {cell.trail.stopped.rstrip('.')}."
    for entry in cell.entries:
        yield _looked_up(entry)
    yield from cell.problems


def _looked_up(entry: Entry) -> str:
    if entry.target is None:
        return f"Nobody has put ‘{entry.source}’ into the value mapping {entry.values} (version {entry.version})."
    since = f"since version {entry.version}, by {entry.made_by or 'nobody known'}{_on(entry.made_at)}"
    return f"The value mapping {entry.values} says ‘{entry.source}’ → ‘{entry.target}’ {since}."


def _mapping(cell: Explanation) -> Iterator[str]:
    made = f"made by {cell.mapping.made_by or 'nobody known'}{_on(cell.mapping.made_at)}"
    yield f"The mapping is version {cell.mapping.version}, {made}." + (f" {cell.mapping.note}" if cell.mapping.note else "")
    if cell.mapping.pk != cell.flow.mapping_id:
        yield f"The flow has version {cell.flow.mapping.version} by now; this cell was last carried under version {cell.mapping.version}."


def _run(cell: Explanation) -> Iterator[str]:
    if not cell.is_written:
        return
    if cell.outcome is None:
        yield f"The run that wrote it is no longer kept; the item was last changed{_on(cell.link.changed_at)}."
        return
    before, _ = cell.outcome.differences[cell.rule.column]
    yield f"It was written{_on(cell.outcome.made_at)} by {_which(cell.outcome.run)}" + (
        f", instead of {shown(load_value(before))}." if before is not None else "."
    )
    if cell.outcome.run.undone_at:
        yield f"That run was undone{_on(cell.outcome.run.undone_at)}; this cell was left, because it had been changed."


def _which(run: Run) -> str:
    kind = "an undo" if run.undoes_id else "the run"
    return f"{kind} that began{_on(run.began_at)} ({run.id})"


def _again(cell: Explanation) -> Iterator[str]:
    if not cell.is_written:
        return
    if cell.agrees:
        yield "The same mapping, applied again to the stored record, gives the same value."
    else:
        why = " An undo put back what stood there before." if cell.outcome and cell.outcome.run.undoes_id else ""
        yield f"The same mapping, applied again to the stored record, gives {shown(cell.again)}: not what was written.{why}"
    if not same(cell.today, cell.again):
        yield f"Under the mapping and value mappings of now it would be {shown(cell.today)}."


def _board(cell: Explanation) -> Iterator[str]:
    if cell.standing is None:
        return
    if not cell.standing.is_active:
        yield "The item is no longer on the board."
    elif cell.was_changed_by_people:
        yield f"On the board there stands {shown(cell.stands)} now: people changed it since."
    else:
        yield "On the board there stands the same."


def _named(step: Step) -> str:
    given = [_parameter(value) for value in step.parameters.values() if value not in (None, "", ())]
    return f"{step.transform.label} ({', '.join(given)})" if given else step.transform.label


def _parameter(value: Any) -> str:
    return (
        " + ".join(map(str, value)) if isinstance(value, list | tuple) else f"“{value}”" if isinstance(value, str) else str(value)
    )


def _listed(values: tuple[Value, ...]) -> str:
    return ", ".join(map(shown, values)) or "nothing"


def _on(moment: datetime | None) -> str:
    return f" on {moment:%Y-%m-%d %H:%M} UTC" if moment else ""

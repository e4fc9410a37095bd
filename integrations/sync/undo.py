"""Undo of a run: what it wrote and nobody touched since goes back; what was touched is told and left as it stands.

An undo is carried out like a run, page by page under the flow's lease and through the same intents, so one that was cut short is
finished by starting it again. Until it is finished, its own run stands as stopped.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from django.utils import timezone

from integrations.errors import IntegrationError
from integrations.models import Attempt, Flow, RecordOutcome, Run
from integrations.models.flow import FlowState
from integrations.models.run import OPEN_STATES, RunState, What
from integrations.registry import FLOWS
from integrations.sync import due, engine, opening, verbs
from integrations.sync.putting_back import ARCHIVED, put_back, ways_back
from integrations.sync.traces import Left, WayBack
from mappings.models import MappingSet
from mappings.sets import rules_of
from tenants import audit

BECAUSE = "A run is being undone."
_TOLD = 100  # of what was left, in the trail


class CannotUndo(ValueError):
    """This run cannot be undone, or not now. The text is a sentence."""


@dataclass(kw_only=True)
class Undone:
    """What an undo did, or would do. ``mapping`` is the version that is in force afterwards."""

    run: Run
    mapping: MappingSet
    titles: Mapping[str, str]  # column id → how people call it
    n_cells: int = 0
    n_records: int = 0
    n_archived: int = 0
    n_failed: int = 0
    ways: list[WayBack] = field(default_factory=list)  # of a dry run only
    left: list[Left] = field(default_factory=list)

    def add(self, way: WayBack) -> None:
        self.ways.append(way)
        self.left += way.left
        self.n_cells += len(way.cells)
        self.n_records += bool(way.cells)
        self.n_archived += way.archives

    @property
    def said(self) -> str:
        """One sentence."""
        one, many = FLOWS[self.run.flow.kind].noun
        cells = f"{self.n_cells:,} {'cell' if self.n_cells == 1 else 'cells'}"
        records = f"{self.n_records:,} {one if self.n_records == 1 else many}"
        items = f"{self.n_archived:,} {'item' if self.n_archived == 1 else 'items'}"
        failed = f", {self.n_failed:,} refused" if self.n_failed else ""
        return f"{cells} of {records} back as before, {items} archived, {len(self.left):,} left as they stand{failed}."


def newest(flow: Flow) -> Run:
    """The run that is undone unless another one is named. Raises CannotUndo."""
    run = Run.objects.filter(flow=flow, undoes=None).order_by("-began_at").first()
    if run is None:
        raise CannotUndo("This flow has no run yet.")
    return run


def look(flow: Flow, *, run: Run | None = None) -> Undone:
    """What an undo of this run (None: the newest) would do as things stand. Reads from the target; nothing is written. Raises CannotUndo."""
    run = run or newest(flow)
    _refuse(flow, run)
    undone = _empty(flow, run)
    for page in ways_back(opening.opened(flow, opening.nobody(flow)), run):
        for way, _ in page:
            undone.add(way)
    return undone


def undo(flow: Flow, *, by: audit.Actor, run: Run | None = None) -> Undone:
    """Let the target be as before this run (None: the newest), but for what was touched since. The flow is paused, and stays so.

    The mapping goes back too, unless somebody chose another one since; nothing is written again until the source changes.
    Raises CannotUndo, and what a vendor's answer means: then start it again.
    """
    run = run or newest(flow)
    _refuse(flow, run)
    verbs.pause(flow, by=by, because=BECAUSE)
    with _claimed(flow) as lease:
        _settle_uncertain(flow, lease)
        undoing = _begin(flow, lease, run, by=by)
        undone = _empty(flow, run)
        try:
            undone.left += put_back(opening.opened(flow, lease, run=undoing), run, undone.titles)
        except IntegrationError as error:
            with lease.holding():
                said = f"{_named(run)} It stopped before it was through: {error.said} Start the undo again."
                Run.objects.filter(pk=undoing.pk).update(said=said)
            raise
        _finish(flow, lease, undoing, undone, by=by)
    return undone


def _refuse(flow: Flow, run: Run) -> None:
    if run.undone_at:
        raise CannotUndo(f"The run of {_when(run)} was undone already, on {run.undone_at:%Y-%m-%d %H:%M} UTC.")
    if run.undoes_id:
        raise CannotUndo("This is the undo of another run. To carry its records again, start the flow or replay them.")
    if not flow.place:
        raise CannotUndo("This flow fills no board, so there is nothing to put back.")
    other = Run.objects.filter(flow=flow, undoes__isnull=False, undoes__undone_at=None).exclude(undoes=run).first()
    if other and other.undoes:
        raise CannotUndo(f"The undo of the run of {_when(other.undoes)} is not finished. Start that one again first.")


def _when(run: Run) -> str:
    return f"{run.began_at:%Y-%m-%d %H:%M} UTC"


def _named(run: Run) -> str:
    return f"Undo of the run of {_when(run)}."


def _empty(flow: Flow, run: Run) -> Undone:
    titles = {rule.column: rule.name for each in (run.mapping_before, run.mapping) if each for rule in rules_of(each)}
    return Undone(run=run, mapping=_mapping_after(flow, run), titles=titles)


def _mapping_after(flow: Flow, run: Run) -> MappingSet:
    """The mapping of before the run, unless somebody chose another one since the run."""
    is_still_its_own = flow.mapping_id in (run.mapping_id, run.mapping_before_id)
    return run.mapping_before if run.mapping_before and is_still_its_own else flow.mapping


# -- Under the lease ----------------------------------------------------------------------------------------------------------------


@contextmanager
def _claimed(flow: Flow) -> Iterator[due.Lease]:
    lease = due.claim_flow(flow.id)
    if lease is None:
        raise CannotUndo("A worker is carrying this flow at this moment. It is paused now; start the undo again in a minute.")
    try:
        yield lease
    finally:
        with suppress(due.LeaseLost), lease.holding():
            lease.release(due_at=None)


def _settle_uncertain(flow: Flow, lease: due.Lease) -> None:
    """What was sent and never heard of again belongs to the run that sent it, under the mapping that is in force still."""
    sent = Attempt.objects.filter(flow=flow).select_related("run").order_by("sent_at").first()
    if sent:
        engine.settle_uncertain(opening.opened(flow, lease, run=sent.run))


def _begin(flow: Flow, lease: due.Lease, run: Run, *, by: audit.Actor) -> Run:
    """The undo's own run, and the mapping of before; a run that was under way ends here."""
    now, mapping = timezone.now(), _mapping_after(flow, run)
    with lease.holding():
        because = "Stopped before it was through, because a run is being undone."
        Run.objects.filter(flow=flow, state__in=OPEN_STATES).update(state=RunState.STOPPED, ended_at=now, said=because)
        said = f"{_named(run)} It is not finished; if it goes on no more, start it again."
        begun = {"state": RunState.STOPPED, "mapping": mapping, "mapping_before": flow.mapping, "began_at": now}
        undoing, _ = Run.objects.get_or_create(flow=flow, undoes=run, defaults={**begun, "asked_by": str(by), "said": said})
        Flow.objects.filter(pk=flow.pk).update(mapping=mapping)
    flow.mapping = mapping
    return undoing


def _finish(flow: Flow, lease: due.Lease, undoing: Run, undone: Undone, *, by: audit.Actor) -> None:
    run, now = undone.run, timezone.now()
    _count(undoing, undone)
    with lease.holding():
        said = f"{_named(run)} {undone.said}"
        Run.objects.filter(pk=undoing.pk).update(state=RunState.DONE, ended_at=now, said=said)
        Run.objects.filter(pk=run.pk).update(undone_at=now)
        because = f"The run of {_when(run)} was undone. Start the flow again when the cause is mended."
        Flow.objects.filter(pk=flow.pk, state=FlowState.PAUSED, state_said=BECAUSE).update(state_said=because)
        details = {
            "undo": str(undoing.id),
            "mapping": undone.mapping.stamp,
            "cells": undone.n_cells,
            "archived": undone.n_archived,
            "n_left": len(undone.left),
            "left": [f"{each.external_id} {each.column}".strip() for each in undone.left[:_TOLD]],
        }
        audit.record("run.undone", subject=run, by=by, details=details)
    run.undone_at = now
    flow.refresh_from_db(fields=["state_said"])


def _count(undoing: Run, undone: Undone) -> None:
    """What was put back, by every start of this undo."""
    outcomes = RecordOutcome.objects.filter(run=undoing)
    undone.n_archived = outcomes.filter(said=ARCHIVED).count()
    undone.n_failed = outcomes.filter(what=What.FAILED).count()
    put_back = outcomes.filter(what=What.UPDATED)
    undone.n_records = put_back.values("external_id").distinct().count()
    undone.n_cells = sum(len(differences) for differences in put_back.values_list("differences", flat=True).iterator())

"""Items below items: a bill's lines below the bill's item. One whose parent is not there yet waits for it, and is carried then."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from integrations.models import Flow, Link
from integrations.sync.plan import Planned
from integrations.sync.slices import Slice
from mappings.fields import ITEMS_OF

SUBITEMS = "subitems:"
"""A place of this prefix is what lies below the items of a board."""

PARENT = "#"
"""In the review of what waits for another flow, a record's own id; natural keys have no such prefix."""


def below_their_parents(slice_: Slice, plan: Iterable[Planned]) -> Iterator[Planned]:
    """The plan with the parents of what is to be made; what has no parent yet is left out, and waits."""
    if not slice_.spec.parent:
        yield from plan
        return
    planned = list(plan)
    flow = parent_flow(slice_.flow, slice_.spec.parent_kind)
    parents = _items(flow, {_parent_of(slice_, each) for each in planned}) if flow else {}
    waiting = {}
    for each in planned:
        parent_id = parents.get(_parent_of(slice_, each))
        if each.write is None or not each.write.creates:
            yield each
        elif parent_id:
            yield replace(each, write=replace(each.write, parent_id=parent_id))
        elif flow:
            waiting[each.record.external_id] = [(ITEMS_OF + flow.name, PARENT + _parent_of(slice_, each), "")]
    if waiting:
        with slice_.holding():
            slice_.note_unknown(waiting)


def parent_flow(flow: Flow, kind: str) -> Flow | None:
    """The flow that fills the board itself."""
    return Flow.objects.filter(kind=kind, source=flow.source, target=flow.target, place=flow.place.removeprefix(SUBITEMS)).first()


def _parent_of(slice_: Slice, planned: Planned) -> str:
    return str(planned.record.values.get(slice_.spec.parent) or "")


def _items(flow: Flow, external_ids: set[str]) -> dict[str, str]:
    linked = Link.objects.filter(flow=flow, external_id__in=external_ids, state="settled").exclude(target_id="")
    return dict(linked.values_list("external_id", "target_id"))

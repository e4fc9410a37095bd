"""What people wrote into mapped columns by hand: the books win, or, where a flow says so, it is left and reported."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.sync.plan import Planned, Step
from integrations.sync.slices import Slice
from mappings.apply import Problem, changed
from mappings.fields import Value


def leave_hand_edits(slice_: Slice, plan: Sequence[Planned]) -> Iterator[Planned]:
    """The plan without the columns that people changed since we wrote them, each told as a problem of its record."""
    updates = [each for each in plan if each.step is Step.UPDATE and each.write]
    if slice_.options.hand_edits != "leave" or not updates:
        yield from plan
        return
    writes = [each.write for each in updates if each.write]
    there = {write.target_id: slice_.routes.columns_at(write.place) for write in writes}
    columns = sorted({there[write.target_id].get(column, column) for write in writes for column in write.values})
    stands = {item.target_id: item.values for page in slice_.target.standing(list(there), columns) for item in page}
    for each in plan:
        if each.write and each.write.target_id in there:
            names = there[each.write.target_id]
            found = stands.get(each.write.target_id, {})
            ours = slice_.target.as_standing(each.write.before)
            yield _without_edited(each, ours, {c: found[names.get(c, c)] for c in each.write.values if names.get(c, c) in found})
        else:
            yield each


def _without_edited(planned: Planned, wrote: Mapping[str, Value], stands: Mapping[str, Value]) -> Planned:
    write = planned.write
    if write is None:
        return planned
    ours = {column: value for column, value in wrote.items() if column in stands}
    edited = changed({column: stands[column] for column in ours}, ours)
    if not edited:
        return planned
    values = {column: value for column, value in write.values.items() if column not in edited}
    told = tuple(_told(column, stands[column], write.values[column]) for column in edited)
    mapped = replace(planned.mapped, problems=(*planned.mapped.problems, *told))
    differences = {column: each for column, each in planned.differences.items() if column in values}
    return replace(planned, mapped=mapped, write=replace(write, values=values), differences=differences)


def _told(column: str, stands: Value, wanted: Value) -> Problem:
    said = f"Somebody changed this by hand to ‘{stands}’; the books say ‘{wanted}’. It was left as it is."
    return Problem(column=column, field="", code="edited_by_hand", said=said)

"""Before the first write to a place: is it still what the mapping was made for, and what stands there already under our keys?"""

from collections.abc import Mapping, Sequence

from integrations.errors import SetupBroken
from integrations.models import Flow, Link
from integrations.models.flow import LinkState
from integrations.sync.slices import Slice
from tenants import audit

LONGEST_ID = 120  # characters of an external id that a row holds


def refuse_drift(slice_: Slice, *, n_new: int) -> None:
    """Compare the place with what the mapping was made for, before half a record is written; once a slice.

    Raises SetupBroken when a mapped column is gone or retyped, and before the place is full.
    """
    schema = slice_.schema()
    slice_.target.prepare(schema)
    for rule in slice_.mapping.rules:
        column = next((each for each in schema.columns if each.id == rule.column), None)
        title = rule.title or rule.column
        if column is None:
            raise SetupBroken(
                f"The board ‘{schema.title}’ no longer has the column ‘{title}’. Choose another column for it.", what=title
            )
        if rule.kind and column.kind != rule.kind:
            raise SetupBroken(
                f"The column ‘{column.title}’ on the board ‘{schema.title}’ changed its type from {rule.kind} to {column.kind}. Map it again.",
                what=title,
            )
    if schema.n_items_max is not None and n_new and schema.n_items + slice_.n_made + n_new > schema.n_items_max:
        raise SetupBroken(
            f"The board ‘{schema.title}’ would be full: it holds {schema.n_items + slice_.n_made:,} of {schema.n_items_max:,} items,"
            f" and {n_new:,} more are waiting. Choose a continuation board.",
            what="place",
        )
    slice_.n_made += n_new


def adopt(slice_: Slice) -> None:
    """Before the first write to a place: link what stands there already under our keys (after a restore, or a flow made anew)."""
    slice_.target.prepare(slice_.schema())
    n_adopted = 0
    for found in slice_.target.existing():
        ours = {key.removeprefix(slice_.key_prefix): ids for key, ids in found.items() if key.startswith(slice_.key_prefix)}
        n_adopted += _adopt_page(slice_, ours)
    with slice_.holding():
        Flow.objects.filter(pk=slice_.flow.pk).update(adopted_at=slice_.now())
        if n_adopted:
            slice_.count(n_adopted=n_adopted)
            audit.record(
                "records.adopted", subject=slice_.flow, by=audit.SYSTEM, details={"n": n_adopted, "place": slice_.flow.place}
            )
    slice_.flow.adopted_at = slice_.now()


def _adopt_page(slice_: Slice, found: Mapping[str, Sequence[str]]) -> int:
    with slice_.holding():
        linked = set(Link.objects.filter(flow=slice_.flow, external_id__in=list(found)).values_list("external_id", flat=True))
        # Anybody on the board may type into the key column: what cannot be one of ours is left alone.
        fresh = {each: ids for each, ids in found.items() if each not in linked and 0 < len(each) <= LONGEST_ID}
        Link.objects.bulk_create(
            Link(flow=slice_.flow, external_id=external_id, target_id=ids[0], state=LinkState.SETTLED)
            for external_id, ids in fresh.items()
        )
    return len(fresh)

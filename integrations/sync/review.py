"""Unknown values: noted while records are carried, shown until somebody maps them; then exactly their records are mapped again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.models import Flow, Link, ReviewItem, ReviewRecord, WakeUp
from integrations.sync import due
from mappings.fields import ITEMS_OF
from mappings.value_mappings import set_values
from tenants import audit

LONGEST_VALUE = 500  # characters; nobody maps a longer one, it is a text and not a code

Unknown = Sequence[tuple[str, str, str]]  # value mapping, value, column


def note(flow: Flow, unknown: Mapping[str, Unknown], titles: Mapping[str, str]) -> None:
    """Make the review of these records say what is unknown in each now (record → values); called within a transaction."""
    stale = ReviewRecord.objects.filter(item__flow=flow, external_id__in=list(unknown))
    if not any(unknown.values()):
        stale.delete()
        return
    unknown = {key: [one for one in each if len(one[1]) <= LONGEST_VALUE] for key, each in unknown.items()}
    wanted = {(values, value): column for each in unknown.values() for values, value, column in each}
    items = _items(flow, wanted, titles)
    stale.exclude(item__in=[item.pk for item in items.values()]).delete()
    ReviewRecord.objects.bulk_create(
        [
            ReviewRecord(item=items[values, value], external_id=external_id)
            for external_id, each in unknown.items()
            for values, value in {(values, value) for values, value, _ in each}
        ],
        ignore_conflicts=True,
    )


def _items(flow: Flow, wanted: Mapping[tuple[str, str], str], titles: Mapping[str, str]) -> dict[tuple[str, str], ReviewItem]:
    now = timezone.now()
    ReviewItem.objects.bulk_create(
        [
            ReviewItem(
                flow=flow,
                values=values,
                value=value,
                column=column,
                said=f"‘{value}’ is not known in the list {values}, which the column ‘{titles.get(column, column)}’ uses.",
                found_at=now,
            )
            for (values, value), column in wanted.items()
        ],
        ignore_conflicts=True,
    )
    found = ReviewItem.objects.filter(
        flow=flow, values__in=[values for values, _ in wanted], value__in=[value for _, value in wanted]
    )
    items = {(item.values, item.value): item for item in found}
    again = [item.pk for key, item in items.items() if key in wanted and item.resolved_at]
    ReviewItem.objects.filter(pk__in=again).update(resolved_at=None, found_at=now)
    return {key: item for key, item in items.items() if key in wanted}


def open_items(flow: Flow) -> list[ReviewItem]:
    """What people have to map, relations left out: those mend themselves when the other item appears."""
    waiting = ReviewItem.objects.filter(flow=flow, resolved_at=None, records__isnull=False).exclude(values__startswith=ITEMS_OF)
    return list(waiting.distinct().order_by("values", "value"))


def resolve(flow: Flow, values: str, mapped: Mapping[str, str], *, by: audit.Actor) -> int:
    """Map these values for every flow of the organisation; returns how many records will be mapped again, without asking the source."""
    with transaction.atomic():
        set_values(values, dict(mapped), by=by)
        n_records = release(values, list(mapped))
        audit.record(
            "review.resolved", subject=flow, by=by, details={"values": values, "mapped": sorted(mapped), "records": n_records}
        )
    return n_records


def release(values: str, known: Iterable[str]) -> int:
    """These values are known now: let exactly the records that wait for them be mapped again. Called within a transaction."""
    items = ReviewItem.objects.filter(values=values, value__in=list(known), resolved_at=None).select_related("flow")
    n_records, now = 0, timezone.now()
    for item in items:
        waiting = list(item.records.values_list("external_id", flat=True))
        linked = Link.objects.filter(flow=item.flow, external_id__in=waiting)
        unlinked = set(waiting) - set(linked.values_list("external_id", flat=True))
        n_records += linked.update(mapping=None) + len(unlinked)
        WakeUp.objects.bulk_create(
            [WakeUp(flow=item.flow, external_id=external_id, told_at=now) for external_id in sorted(unlinked)],
            ignore_conflicts=True,
        )
        ReviewItem.objects.filter(pk=item.pk).update(resolved_at=now)
        due.make_due(item.flow.pk, at=now)
    return n_records


def describe(item: ReviewItem) -> dict[str, Any]:
    return {
        "values": item.values,
        "value": item.value,
        "said": item.said,
        "records": item.records.count(),
        "since": item.found_at,
    }

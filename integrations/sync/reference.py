"""Reference data: lists of codes with what people call them, cached from the source and offered to value mappings."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils import timezone

from integrations.models import Connection, Flow, Link, ReferenceEntry
from integrations.types import Record
from mappings.apply import Rule
from mappings.fields import ITEMS_OF
from mappings.value_mappings import lookups_for, names_in

LIST, CODE, NAME, STATUS = "LIST", "CODE", "NAME", "STATUS"
"""What a record of reference data has: the list it belongs to, its code, its name, and "active" or another state."""

FEW = 500


def remember(connection: Connection, records: Iterable[Record]) -> int:
    """Keep these entries as they are now; returns how many there were. Called within a transaction."""
    now = timezone.now()
    entries = [
        ReferenceEntry(
            connection=connection,
            list=str(record.values[LIST]),
            code=str(record.values[CODE]),
            label=str(record.values.get(NAME) or "")[:250],
            is_active=str(record.values.get(STATUS) or "active").casefold().startswith("active"),
            seen_at=now,
        )
        for record in records
        if record.values.get(CODE)
    ]
    ReferenceEntry.objects.bulk_create(
        entries,
        batch_size=FEW,
        update_conflicts=True,
        unique_fields=["connection", "list", "code"],
        update_fields=["label", "is_active", "seen_at"],
    )
    return len(entries)


def lookups(flow: Flow, rules: Sequence[Rule]) -> dict[str, dict[str, str]]:
    """What every value mapping of these rules knows: the source's own names first, overruled by what people mapped."""
    names = names_in(rules)
    theirs = lookups_for(rules)
    found: dict[str, dict[str, str]] = {}
    for name in names:
        listed = _items_of(flow, name) if name.startswith(ITEMS_OF) else _labels(flow.source, name)
        found[name] = {**listed, **theirs.get(name, {})}
    return found


def labels_of(records: Iterable[Record]) -> dict[str, str]:
    """What ``lookups`` would make of these entries if they were kept."""
    active = (record.values for record in records if str(record.values.get(STATUS) or "active").casefold().startswith("active"))
    return {str(entry[CODE]): f"{entry[CODE]} {entry.get(NAME) or ''}".strip() for entry in active if entry.get(CODE)}


def _labels(connection: Connection, name: str) -> dict[str, str]:
    """Code → "code name", as bookkeepers write it."""
    entries = ReferenceEntry.objects.filter(connection=connection, list=name, is_active=True).values_list("code", "label")
    return {code: f"{code} {label}".strip() for code, label in entries}


def _items_of(flow: Flow, name: str) -> Mapping[str, str]:
    """Natural key → item, for the items that another flow of this organisation made at the same target."""
    other = Flow.objects.filter(name=name.removeprefix(ITEMS_OF), target_id=flow.target_id).first()
    if other is None:
        return {}
    linked = Link.objects.filter(flow=other, state="settled").exclude(target_id="").exclude(natural_key="")
    return dict(linked.values_list("natural_key", "target_id"))

"""Verbs on value mappings: tables such as "gl_accounts" that say what the target shows for a source's value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q

from mappings.apply import Rule, steps_of
from mappings.models import ValueMapping, ValueMappingChange
from mappings.parameters import BadStep, Kind
from tenants import audit
from tenants.audit import Actor

_ATTEMPTS = 5
_AT_A_TIME = 500


def set_values(name: str, mapping: Mapping[str, str], *, by: Actor, replace: bool = False) -> int:
    """Make these entries hold, and tell the version they hold from. Other entries stay, unless ``replace`` is asked for.

    When nothing differs no version is made. Sources are kept byte for byte. Raises ValidationError for texts that are too long.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _set(name, mapping, by=by, replace=replace)
        except IntegrityError:  # somebody else made this version a moment ago: look again
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def version_of(name: str) -> int:
    """The newest version of a value mapping; 0 when there is none."""
    newest = ValueMappingChange.objects.filter(name=name).order_by("-version").values_list("version", flat=True).first()
    return newest or 0


def values_at(name: str, version: int) -> dict[str, str]:
    """The entries that held in this version."""
    held = Q(superseded_in=None) | Q(superseded_in__gt=version)
    rows = ValueMapping.objects.filter(held, name=name, version__lte=version)
    return dict(rows.order_by("source").values_list("source", "target"))


def names() -> frozenset[str]:
    """The value mappings there are, for ``check.problems_of``."""
    return frozenset(ValueMappingChange.objects.order_by("name").values_list("name", flat=True).distinct())


def names_in(rules: Iterable[Rule]) -> frozenset[str]:
    """The value mappings that these rules look into."""
    return frozenset(name for rule in rules for name in _names_in(rule))


def lookups_for(rules: Sequence[Rule]) -> dict[str, dict[str, str]]:
    """What ``apply`` needs to look up for these rules, in one query."""
    lookups: dict[str, dict[str, str]] = {name: {} for name in names_in(rules)}
    if lookups:
        held = ValueMapping.objects.filter(name__in=lookups, superseded_in=None)
        for name, source, target in held.values_list("name", "source", "target").iterator():
            lookups[name][source] = target
    return lookups


def _names_in(rule: Rule) -> Collection[str]:
    try:
        return [name for step in steps_of(rule) for name in step.named(Kind.VALUES)]
    except BadStep:  # such a rule fills nothing, and the check reports it
        return []


def _set(name: str, mapping: Mapping[str, str], *, by: Actor, replace: bool) -> int:
    before = version_of(name)  # read first: whoever changes an entry after this also takes the next version
    held = dict(ValueMapping.objects.filter(name=name, superseded_in=None).values_list("source", "target"))
    differing = {source: target for source, target in mapping.items() if held.get(source) != target}
    gone = held.keys() - mapping.keys() if replace else set()
    if not differing and not gone:
        return before
    change = ValueMappingChange(name=name, version=before + 1, made_by=by.id or by.kind, n_entries=len(differing) + len(gone))
    change.clean_fields(exclude=["tenant"])
    change.save(force_insert=True)
    _supersede(change, [*gone, *(differing.keys() & held.keys())])
    _insert(change, differing)
    _record(change, by=by, n_set=len(differing), n_removed=len(gone))
    return change.version


def _supersede(change: ValueMappingChange, sources: Sequence[str]) -> None:
    for start in range(0, len(sources), _AT_A_TIME):
        rows = ValueMapping.objects.filter(name=change.name, superseded_in=None, source__in=sources[start : start + _AT_A_TIME])
        rows.update(superseded_in=change.version, superseded_at=change.made_at)


def _insert(change: ValueMappingChange, entries: Mapping[str, str]) -> None:
    rows = [
        ValueMapping(
            name=change.name,
            source=source,
            target=target,
            version=change.version,
            made_at=change.made_at,
            made_by=change.made_by,
        )
        for source, target in entries.items()
    ]
    for row in rows:
        row.clean_fields(exclude=["tenant"])
    ValueMapping.objects.bulk_create(rows, batch_size=_AT_A_TIME)


def _record(change: ValueMappingChange, *, by: Actor, n_set: int, n_removed: int) -> None:
    details = {"name": change.name, "version": change.version, "n_set": n_set, "n_removed": n_removed}
    audit.record("values.changed", subject=change, by=by, details=details)

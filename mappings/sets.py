"""Verbs on mappings. Every edit makes a new version; old ones stay readable and can be restored."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction

from mappings.apply import Rule
from mappings.difference import Difference, difference
from mappings.models import FieldMapping, MappingSet
from mappings.transforms import parse_step
from tenants import audit
from tenants.audit import Actor

__all__ = ["Difference", "MappingRefused", "Outdated", "difference", "latest", "new_version", "restore", "rules_of", "storable"]


class MappingRefused(ValueError):
    """The rules cannot be kept as they are. The text is a sentence for the person who made them."""


class Outdated(MappingRefused):
    """Somebody else changed the mapping in the meantime."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this mapping in the meantime. Open the newest version and make your change again."
        )


def latest(line: uuid.UUID) -> MappingSet:
    """Raises MappingSet.DoesNotExist."""
    return MappingSet.objects.filter(line=line).latest("version")


def rules_of(mapping_set: MappingSet) -> tuple[Rule, ...]:
    return tuple(each.as_rule() for each in FieldMapping.objects.filter(mapping_set=mapping_set).order_by("position"))


def new_version(
    line: uuid.UUID | None, rules: Sequence[Rule], *, by: Actor, note: str = "", expected_version: int | None = None
) -> MappingSet:
    """Keep these rules as the next version of a mapping, or as the first of a new one (``line`` None).

    When nothing differs, the newest version is returned as it is. ``expected_version`` is the version that the person saw: raises
    Outdated if it is no longer the newest. Raises MappingRefused and BadStep for rules that cannot work on any record.
    """
    wanted = storable(rules)
    before = latest(line) if line else None
    if before and expected_version is not None and before.version != expected_version:
        raise Outdated
    old = rules_of(before) if before else ()
    if before and old == wanted:
        return before
    with transaction.atomic():
        made = _insert(before, wanted, by=by, note=note)
        audit.record("mapping.changed", subject=made, by=by, because=note, details=_details(made, difference(old, wanted)))
    return made


def restore(line: uuid.UUID, version: int, *, by: Actor, expected_version: int | None = None) -> MappingSet:
    """Make the rules of an old version the newest again, as a version of its own. Raises MappingSet.DoesNotExist."""
    old = MappingSet.objects.get(line=line, version=version)
    note = f"Restored from version {version}."
    return new_version(line, rules_of(old), by=by, note=note, expected_version=expected_version)


def storable(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules as they will be read back; steps go through JSON, which knows no tuples. Raises MappingRefused and BadStep."""
    for column, n_rules in Counter(each.column for each in rules).items():
        if n_rules > 1:
            raise MappingRefused(f"{n_rules} rules fill the column {column}. Keep one of them.")
    for rule in rules:
        for step in rule.steps:
            parse_step(step)
    return tuple(replace(each, steps=tuple(json.loads(json.dumps([dict(step) for step in each.steps])))) for each in rules)


def _insert(before: MappingSet | None, rules: Sequence[Rule], *, by: Actor, note: str) -> MappingSet:
    made = MappingSet(version=before.version + 1 if before else 1, made_by=by.id or by.kind, note=note)
    if before:
        made.line = before.line
    rows = [FieldMapping.of_rule(each, mapping_set=made, position=position) for position, each in enumerate(rules, start=1)]
    made.clean_fields(exclude=["tenant"])
    for row in rows:
        row.clean_fields(exclude=["tenant", "mapping_set"])
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # two edits of the same version: the row that is there wins
        raise Outdated from None
    FieldMapping.objects.bulk_create(rows)
    return made


def _details(made: MappingSet, changes: Difference) -> dict[str, object]:
    return {"line": str(made.line), "version": made.version, "changes": list(changes.sentences)}

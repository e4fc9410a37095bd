"""What customers decided about columns and values, every version of it, and the columns as they were last seen."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from mappings.apply import Rule
from mappings.fields import Column, FieldType
from tenants.scoping import TenantModel


class BoardSchema(TenantModel):
    """The columns of a target place as last seen. ``connection_id`` is a plain id: connections live above this app."""

    connection_id = models.UUIDField()
    place = models.CharField(max_length=200)
    title = models.CharField(max_length=500, blank=True)
    columns = models.JSONField(default=list, blank=True)
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection_id", "place"], name="one_schema_per_place"),
        ]

    def __str__(self) -> str:
        return self.title or self.place

    def as_columns(self) -> tuple[Column, ...]:
        return tuple(load_column(each) for each in self.columns)


class MappingSet(TenantModel):
    """One version of a mapping; never changed once it is made. ``line`` is what stays the same from version to version."""

    line = models.UUIDField(default=uuid.uuid4)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["line", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "line", "version"], name="one_mapping_per_version"),
        ]

    def __str__(self) -> str:
        return f"version {self.version}"

    @property
    def stamp(self) -> str:
        """What a fingerprint takes as the mapping's version."""
        return f"{self.line}:{self.version}"


class FieldMapping(TenantModel):
    """One column's rule in one version of a mapping."""

    mapping_set = models.ForeignKey(MappingSet, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField()
    column_id = models.CharField(max_length=200)
    column_title = models.CharField(max_length=500, blank=True)
    column_kind = models.CharField(max_length=100, blank=True)
    field = models.CharField(max_length=200, blank=True)
    steps = models.JSONField(default=list, blank=True)
    values = models.CharField(max_length=100, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["mapping_set", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mapping_set", "column_id"], name="one_rule_per_column"),
        ]

    def __str__(self) -> str:
        return self.column_title or self.column_id

    def as_rule(self) -> Rule:
        return Rule(
            column=self.column_id,
            title=self.column_title,
            kind=self.column_kind,
            field=self.field,
            steps=tuple(self.steps),
            values=self.values,
        )

    @classmethod
    def of_rule(cls, rule: Rule, *, mapping_set: MappingSet, position: int) -> FieldMapping:
        return cls(
            mapping_set=mapping_set,
            position=position,
            column_id=rule.column,
            column_title=rule.title,
            column_kind=rule.kind,
            field=rule.field,
            steps=list(rule.steps),
            values=rule.values,
        )


class ValueMappingChange(TenantModel):
    """One version of a value mapping: who changed how many entries, and when. Its constraint lets one editor win."""

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=64, blank=True)
    n_entries = models.PositiveIntegerField()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["name", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "name", "version"], name="one_change_per_version"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class ValueMapping(TenantModel):
    """One entry: what the target shows for a source's value, which is kept byte for byte ("4000-01-00", "0042").

    An entry holds from ``version`` on, until ``superseded_in`` (None: it still holds). Entries are never edited.
    """

    name = models.CharField(max_length=100)
    source = models.CharField(max_length=500)
    target = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=64, blank=True)
    superseded_in = models.PositiveIntegerField(null=True, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["name", "source", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "name", "source"], condition=models.Q(superseded_in=None), name="one_value_that_holds"
            ),
            models.UniqueConstraint(fields=["tenant", "name", "source", "version"], name="one_value_per_version"),
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


def dump_column(column: Column) -> dict[str, Any]:
    return {
        "id": column.id,
        "title": column.title,
        "kind": column.kind,
        "accepts": sorted(column.accepts),
        "settings": dict(column.settings),
    }


def load_column(stored: dict[str, Any]) -> Column:
    return Column(
        id=stored["id"],
        title=stored["title"],
        kind=stored["kind"],
        accepts=frozenset(FieldType(each) for each in stored["accepts"]),
        settings=stored["settings"],
    )

"""Managers that refuse to answer without a tenant, and the abstract model they stand on.

Two locks stand behind each other. Every query of a scoped manager carries "of the current tenant" in its WHERE clause, decided
when the query runs, so that a queryset made at import time is safe. On PostgreSQL the connection knows the tenant too
(current.py), and row-level security (rls.py) holds even for SQL that no manager wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from django.db import models
from django.db.models.expressions import Expression

from tenants.current import (
    ClearTenantMiddleware,
    NoTenant,
    WrongTenant,
    acting_for,
    clear_tenant,
    current_tenant_id,
    tenant_or_none,
)

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

__all__ = [
    "ClearTenantMiddleware",
    "NoTenant",
    "ScopedManager",
    "ScopedQuerySet",
    "TenantModel",
    "WrongTenant",
    "acting_for",
    "clear_tenant",
    "current_tenant_id",
    "tenant_or_none",
]

M = TypeVar("M", bound="TenantModel")
_AT_A_TIME = 500


class CurrentTenant(Expression):
    """The current tenant's id, looked up when the query runs; without a tenant the query does not run."""

    output_field = models.UUIDField()

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self.output_field.get_db_prep_value(current_tenant_id(), connection),)


class ScopedQuerySet(models.QuerySet[M]):
    """Refuses the few ways in which a filtered queryset could still write across tenants."""

    def update(self, **values: Any) -> int:
        if {"tenant", "tenant_id"} & values.keys():
            raise WrongTenant(f"A {self.model.__name__} stays with its organisation; update() may not name the tenant.")
        for value in values.values():
            _refuse_foreign(value)
        return super().update(**values)

    def bulk_create(
        self,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[M]:
        rows = list(objs)
        for row in rows:
            row.take_tenant()
        _refuse_foreign_targets(self.model, rows)
        if update_conflicts:
            _refuse_wide_conflict(self.model, unique_fields or ())
        return super().bulk_create(rows, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)

    def raw(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("Raw SQL is not filtered by organisation; say `unscoped.raw(...)` and filter it yourself.")


class ScopedManager(models.Manager[M]):
    """Answers for the current tenant only; outside ``acting_for`` every query raises NoTenant."""

    def get_queryset(self) -> ScopedQuerySet[M]:
        return ScopedQuerySet(self.model, using=self._db).filter(tenant_id=CurrentTenant())

    def raw(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.get_queryset().raw(*args, **kwargs)


class TenantModel(models.Model):
    """A row of one tenant. ``objects`` is also the base manager, so that related access and refresh_from_db are scoped too."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own: planners take it for any query of a tenant's rows, and then read all of them. Models have constraints and
    # indexes that begin with what they are asked for.
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, default=tenant_or_none, related_name="+", editable=False, db_index=False
    )

    objects: ClassVar[ScopedManager[Self]] = ScopedManager()
    unscoped: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    if TYPE_CHECKING:
        tenant_id: uuid.UUID | None

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.take_tenant()
        _refuse_foreign_targets(type(self), [self], look_up=self._state.adding)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.take_tenant()
        return super().delete(*args, **kwargs)

    def take_tenant(self) -> None:
        """Belong to the current tenant; a row of another one is refused."""
        current = current_tenant_id()
        if self.tenant_id is None:
            self.tenant_id = current
        if self.tenant_id != current:
            raise WrongTenant(f"This {type(self).__name__} belongs to another organisation than the current one.")


def tenant_columns(model: type[models.Model]) -> Iterator[models.ForeignKey[Any, Any]]:
    """The foreign keys of a model that point at rows of a tenant."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and issubclass(field.remote_field.model, TenantModel):
            yield field


def _refuse_foreign(value: object) -> None:
    if isinstance(value, TenantModel) and value.tenant_id not in (None, current_tenant_id()):
        raise WrongTenant(f"That {type(value).__name__} belongs to another organisation than the current one.")


def _refuse_foreign_targets(model: type[TenantModel], rows: list[Any], *, look_up: bool = True) -> None:
    """Foreign keys are checked by the database for existence only, and past row-level security; so their tenant is checked here.

    One query for each column of a whole batch; a change of a single saved row checks only what is already in memory.
    """
    for field in tenant_columns(model):
        unknown = set()
        for row in rows:
            if field.is_cached(row):
                _refuse_foreign(getattr(row, field.name))
            elif (target := getattr(row, field.attname)) is not None:
                unknown.add(target)
        if look_up and unknown:
            _refuse_unreachable(field, list(unknown))


def _refuse_unreachable(field: models.ForeignKey[Any, Any], targets: list[Any]) -> None:
    column = field.target_field.attname
    for start in range(0, len(targets), _AT_A_TIME):
        part = targets[start : start + _AT_A_TIME]
        if field.remote_field.model._base_manager.filter(**{f"{column}__in": part}).count() != len(part):
            raise WrongTenant(f"A {field.name} of this {field.model.__name__} does not exist in the current organisation.")


def _refuse_wide_conflict(model: type[TenantModel], unique_fields: Collection[str]) -> None:
    """An upsert updates whatever row conflicts, of whichever tenant; the conflict must therefore lie inside one tenant."""
    narrow = {"tenant", "tenant_id", *(name for field in tenant_columns(model) for name in (field.name, field.attname))}
    if not narrow & set(unique_fields):
        raise WrongTenant(f"unique_fields must name the tenant, or a row of the tenant, when {model.__name__} rows are upserted.")

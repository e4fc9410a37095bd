"""Moves sealed values to the newest key, row by row. May be stopped anywhere and started again; a save at the same time wins."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from tenants.models import Tenant
from tenants.scoping import TenantModel, acting_for
from tenants.secrets import SealBroken, Sealed, SealedField, key_id_of, newest_key_id, reseal, token_of


@dataclass(kw_only=True)
class Progress:
    """One sealed column: how many values were moved, how many still stand under an older key, and why."""

    column: str
    n_moved: int = 0
    n_left: int = 0
    problems: list[str] = field(default_factory=list)


def sealed_columns() -> list[tuple[type[models.Model], SealedField]]:
    return [
        (model, column)
        for model in apps.get_models()
        for column in model._meta.local_concrete_fields
        if isinstance(column, SealedField)
    ]


def rotate(model: type[models.Model], column: SealedField, *, batch: int = 200) -> Iterator[Progress]:
    """Yields after every batch, which is one transaction; what is already under the newest key is passed over."""
    progress = Progress(column=f"{model._meta.label}.{column.name}")
    for tenant_id in _owners(model):
        with acting_for(tenant_id) if tenant_id else nullcontext():
            for page in _pages(model, column, batch):
                with transaction.atomic():
                    for pk, token in page:
                        progress.n_moved += _move(model, column, pk, token, progress)
                yield progress
            progress.n_left += sum(len(page) for page in _pages(model, column, batch))
    yield progress


def _owners(model: type[models.Model]) -> list[uuid.UUID | None]:
    """Rows of tenants are reached tenant by tenant, so that the application's role is enough and sees one of them at a time."""
    return list(Tenant.objects.values_list("pk", flat=True)) if issubclass(model, TenantModel) else [None]


def _pages(model: type[models.Model], column: SealedField, batch: int) -> Iterator[list[tuple[Any, bytes]]]:
    newest, after = newest_key_id(), None
    while True:
        rows = model._base_manager.filter(**{f"{column.name}__isnull": False}).order_by("pk")
        if after is not None:
            rows = rows.filter(pk__gt=after)
        found: list[tuple[Any, Sealed]] = list(rows.values_list("pk", column.name)[:batch])
        if not found:
            return
        after = found[-1][0]
        if page := [(pk, token_of(sealed)) for pk, sealed in found if key_id_of(token_of(sealed)) != newest]:
            yield page


def _move(model: type[models.Model], column: SealedField, pk: Any, token: bytes, progress: Progress) -> int:
    try:
        renewed = reseal(token)
    except SealBroken as error:
        progress.problems.append(f"{pk}: {error}")
        return 0
    return _replace(connection, model, column, pk, token, renewed)


def _replace(database: Any, model: type[models.Model], column: SealedField, pk: Any, old: bytes, new: bytes) -> int:
    """Past the field, which writes only for a row it holds; and only where the old ciphertext still stands."""
    quote, key = database.ops.quote_name, model._meta.pk
    table, name = quote(model._meta.db_table), quote(column.column)
    binary = database.Database.Binary
    with database.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {name} = %s WHERE {quote(key.column)} = %s AND {name} = %s",  # noqa: S608 - quoted names of our own
            [binary(new), key.get_db_prep_value(pk, database), binary(old)],
        )
        return int(cursor.rowcount)

"""Builds a valid row of any model from its fields alone, so that a model added tomorrow is covered today."""

from __future__ import annotations

import datetime
import itertools
import uuid
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction

from tenants.models import Tenant
from tenants.scoping import TenantModel
from tenants.secrets import SealedField

_numbers = itertools.count(1)


def tenant_models() -> list[type[TenantModel]]:
    return [model for model in apps.get_models() if issubclass(model, TenantModel)]


def make(model: type[models.Model]) -> Any:
    """A stored row with its required fields filled; with the optional ones too, when the database wants more."""
    try:
        with transaction.atomic():
            return _make(model, also_optional=False)
    except IntegrityError:
        return _make(model, also_optional=True)


def _make(model: type[models.Model], *, also_optional: bool) -> Any:
    row = model()
    for field in model._meta.concrete_fields:
        if _needs_value(field, also_optional):
            setattr(row, field.name, _value_for(field))
    row.save()
    return row


def _needs_value(field: models.Field[Any, Any], also_optional: bool) -> bool:
    if field.primary_key or field.name == "tenant" or (field.remote_field and field.remote_field.model is field.model):
        return False
    if field.unique and isinstance(field, models.CharField | models.TextField):
        return True
    return not field.has_default() and (also_optional or not field.null)


def _value_for(field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.ForeignKey):
        return _make_target(field.remote_field.model)
    if field.choices:
        return next(iter(dict(field.flatchoices)))
    if isinstance(field, SealedField):
        return {"password": f"canary-{next(_numbers)}"}
    for kind, make_value in _BY_KIND:
        if isinstance(field, kind):
            return make_value(field)
    raise NotImplementedError(f"The factory has no value for {field!r}: add its kind to _BY_KIND.")


def _make_target(model: type[models.Model]) -> Any:
    if model is Tenant:
        return Tenant.objects.create(slug=f"other-{next(_numbers)}", name="Other")
    return make(model)


def _text(field: models.Field[Any, Any]) -> str:
    text = f"{next(_numbers):x}-{uuid.uuid4().hex}"
    return text[: field.max_length] if field.max_length else text


_BY_KIND: list[tuple[type[models.Field[Any, Any]], Any]] = [
    (models.EmailField, lambda field: f"person{next(_numbers)}@example.com"),
    (models.URLField, lambda field: f"https://example.com/{next(_numbers)}"),
    (models.CharField, _text),
    (models.TextField, _text),
    (models.BooleanField, lambda field: False),
    (models.DecimalField, lambda field: Decimal(1)),
    (models.IntegerField, lambda field: next(_numbers)),
    (models.FloatField, lambda field: 1.5),
    (models.DateTimeField, lambda field: datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)),
    (models.DateField, lambda field: datetime.date(2026, 1, 2)),
    (models.TimeField, lambda field: datetime.time(3, 4)),
    (models.DurationField, lambda field: datetime.timedelta(minutes=5)),
    (models.UUIDField, lambda field: uuid.uuid4()),
    (models.GenericIPAddressField, lambda field: "192.0.2.1"),
    (models.JSONField, lambda field: {}),
    (models.BinaryField, lambda field: b"\x00\x01"),
]

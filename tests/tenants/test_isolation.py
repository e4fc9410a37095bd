"""Every model with a tenant, whichever app it is in: tenant B can neither read nor write nor delete what is tenant A's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from tenants.audit import SYSTEM, record
from tenants.models import AuditEvent, Tenant
from tenants.scoping import NoTenant, ScopedManager, TenantModel, WrongTenant, acting_for, tenant_columns
from tests.tenants.factory import make, tenant_models

pytestmark = [pytest.mark.django_db, pytest.mark.database]
every_model = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)

WITHOUT_ROW_SECURITY = {
    "tenants.Membership": "tells which tenants a person may act for, before there is a current one",
    "integrations.Due": "tells the workers whose flow is due; holds ids and times only",
}


def _plain_field(model: type[models.Model]) -> str:
    """Some field that update() may set without knowing more about the model."""
    return next(field.attname for field in model._meta.concrete_fields if not field.primary_key and field.name != "tenant")


def _stored(model: Any, row: Any) -> dict[str, Any]:
    columns = [field.attname for field in model._meta.concrete_fields if field.get_internal_type() != "BinaryField"]
    stored: dict[str, Any] = model.objects.values(*columns).get(pk=row.pk)
    return stored


@pytest.fixture
def made(model: Any, anna_org: Tenant) -> Iterator[Any]:
    """A row of tenant A, which must be the same when the test is over."""
    with acting_for(anna_org):
        row = make(model)
        before = _stored(model, row)
        pk = row.pk
    yield row
    with acting_for(anna_org):
        assert _stored(model, model(pk=pk)) == before


def test_there_are_models_to_look_at() -> None:
    assert tenant_models()


@every_model
def test_outside_a_block_nothing_answers(model: type[TenantModel], made: Any) -> None:
    row = made
    for question in (
        lambda: list(model.objects.all()),
        lambda: model.objects.count(),
        lambda: model.objects.filter(pk=row.pk).delete(),
        lambda: model.objects.filter(pk=row.pk).update(**{_plain_field(model): None}),
        lambda: row.refresh_from_db(),
        lambda: row.save(),
        lambda: row.delete(),
        lambda: model.objects.bulk_create([row]),
    ):
        with pytest.raises(NoTenant), transaction.atomic():
            question()


@every_model
def test_another_tenant_reads_nothing(model: type[TenantModel], made: Any, carla_org: Tenant) -> None:
    row = made
    with acting_for(carla_org):
        assert list(model.objects.all()) == []
        assert model.objects.in_bulk([row.pk]) == {}
        assert model.objects.aggregate(n=models.Count("pk")) == {"n": 0}
        assert not model.objects.filter(pk=row.pk).exists()
        union = model.objects.filter(pk=row.pk).order_by().values_list("pk").union(model.objects.order_by().values_list("pk"))
        assert list(union) == []
        with pytest.raises(ObjectDoesNotExist):
            model.objects.get(pk=row.pk)
        with pytest.raises(ObjectDoesNotExist):
            row.refresh_from_db()
        with pytest.raises(TypeError, match="Raw SQL"):
            model.objects.raw("SELECT 1")


@every_model
def test_another_tenant_changes_and_deletes_nothing(model: Any, made: Any, carla_org: Tenant) -> None:
    row = made
    field = _plain_field(model)
    with acting_for(carla_org):
        assert model.objects.filter(pk=row.pk).update(**{field: models.F(field)}) == 0
        assert model.objects.filter(pk=row.pk).delete() == (0, {})
        assert model.objects.bulk_update([model(pk=row.pk, **{field: getattr(row, field)})], [field]) == 0
        for refused in (
            lambda: row.save(),
            lambda: row.delete(),
            lambda: model.objects.bulk_create([row]),
            lambda: model.objects.filter(pk=row.pk).update(tenant=carla_org),
            lambda: model.objects.filter(pk=row.pk).update(tenant_id=carla_org.pk),
            lambda: model.objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=[field]),
        ):
            with pytest.raises(WrongTenant), transaction.atomic():
                refused()


@every_model
def test_a_stolen_id_does_not_take_a_row_over(model: type[TenantModel], made: Any, carla_org: Tenant) -> None:
    row = made
    with acting_for(carla_org):
        thief = make(model)
        thief.delete()
        thief.pk, thief._state.adding = row.pk, False
        with pytest.raises(DatabaseError), transaction.atomic():
            thief.save()
        with pytest.raises(WrongTenant):
            model.objects.bulk_create([thief], update_conflicts=True, unique_fields=["id"], update_fields=[_plain_field(model)])


@every_model
def test_a_row_cannot_point_at_another_tenants_row(model: type[TenantModel], made: Any, carla_org: Tenant) -> None:
    row = made
    with acting_for(carla_org):
        for field in tenant_columns(model):
            if (target := getattr(row, field.attname)) is None:
                continue
            mine = make(model)
            mine.delete()
            mine.pk, mine._state.adding = model().pk, True
            setattr(mine, field.attname, target)
            with pytest.raises(WrongTenant):
                mine.save()
            with pytest.raises(WrongTenant):
                model.objects.bulk_create([mine])


@every_model
def test_following_a_foreign_key_ends_at_the_tenant(model: type[TenantModel], made: Any, carla_org: Tenant) -> None:
    for field in tenant_columns(model):
        if getattr(made, field.attname) is None:
            continue
        bare = model(**{field.attname: getattr(made, field.attname)})
        with acting_for(carla_org), pytest.raises(ObjectDoesNotExist):
            getattr(bare, field.name)
        with pytest.raises(NoTenant), transaction.atomic():
            getattr(bare, field.name)


@every_model
def test_related_access_is_scoped_too(model: Any) -> None:
    assert isinstance(model._meta.base_manager, ScopedManager)
    assert isinstance(model._meta.default_manager, ScopedManager)
    assert not [field.name for field in model._meta.local_many_to_many if field.remote_field.through._meta.auto_created], (
        "The rows between two models would have no tenant; write the model between them."
    )


# -- The second lock --

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="row-level security is PostgreSQL's")


def _tables_with_a_tenant() -> list[str]:
    return sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in WITHOUT_ROW_SECURITY
        and any(field.column in ("tenant_id", "chain") for field in model._meta.concrete_fields)
    )


@on_postgresql
@pytest.mark.parametrize("table", _tables_with_a_tenant())
def test_every_table_with_a_tenant_forces_row_level_security(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [f'public."{table}"'])
        assert cursor.fetchone() == (True, True), f"Add RowLevelSecurity({table!r}) to a migration."
        cursor.execute("SELECT cmd, permissive FROM pg_policies WHERE tablename = %s", [table])
        assert cursor.fetchall() == [("ALL", "PERMISSIVE")]


@on_postgresql
@every_model
def test_raw_sql_reaches_no_other_tenants_rows(model: type[TenantModel], made: Any, anna_org: Tenant, carla_org: Tenant) -> None:
    row = made
    table = connection.ops.quote_name(model._meta.db_table)
    with acting_for(carla_org), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (0,)
        cursor.execute(f"UPDATE {table} SET tenant_id = %s", [carla_org.pk])
        assert cursor.rowcount == 0
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])
        assert cursor.rowcount == 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (0,)
    with acting_for(anna_org), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            cursor.execute(f"UPDATE {table} SET tenant_id = %s WHERE id = %s", [carla_org.pk, row.pk])
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] >= 1


@on_postgresql
def test_the_tests_connect_as_a_role_that_row_level_security_holds_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("ALTER TABLE tenants_auditname DISABLE ROW LEVEL SECURITY")


@on_postgresql
def test_raw_sql_without_a_tenant_sees_the_platforms_events_only(anna_org: Tenant, carla_org: Tenant) -> None:
    record("organisation.created", by=SYSTEM, tenant=anna_org)
    record("sign_in.failed", by=SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute("SELECT action FROM tenants_auditevent")
        assert cursor.fetchall() == [("sign_in.failed",)]
    with acting_for(carla_org), connection.cursor() as cursor:
        cursor.execute("SELECT action FROM tenants_auditevent")
        assert cursor.fetchall() == []
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            AuditEvent(chain=anna_org.pk, number=9, at=timezone.now(), actor_kind="system", action="forged").save()

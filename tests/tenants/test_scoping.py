"""The current tenant: where it is set, and that it never stays behind."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse

from tenants.current import acting_for, clear_tenant, current_tenant_id, tenant_or_none
from tenants.models import AuditName, Tenant
from tenants.scoping import ClearTenantMiddleware, NoTenant, WrongTenant

A, B = uuid.UUID(int=1), uuid.UUID(int=2)

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL's connections know a tenant")


def _tenant_on_connection() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.tenant_id', true), '')")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_the_same_tenant_may_be_nested_and_another_one_not() -> None:
    with acting_for(A):
        with acting_for(str(A)):
            assert current_tenant_id() == A
        assert current_tenant_id() == A
        with pytest.raises(WrongTenant), acting_for(B):
            pass
        assert current_tenant_id() == A
    with pytest.raises(NoTenant, match="acting_for"):
        current_tenant_id()


@pytest.mark.django_db
def test_the_tenant_is_gone_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), acting_for(A):
        1 / 0  # noqa: B018
    assert tenant_or_none() is None


@pytest.mark.django_db
def test_threads_do_not_see_each_others_tenant() -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append(tenant_or_none())
        with acting_for(B):
            seen.append(current_tenant_id())

    with acting_for(A):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert current_tenant_id() == A
    assert seen == [None, B]


@pytest.mark.django_db
def test_a_request_begins_and_ends_without_a_tenant() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        assert tenant_or_none() is None
        acting_for(B).__enter__()
        return HttpResponse("done")

    block = acting_for(A)
    block.__enter__()
    assert ClearTenantMiddleware(view)(HttpRequest()).status_code == 200
    assert tenant_or_none() is None


@pytest.mark.django_db
def test_a_request_that_fails_leaves_no_tenant_behind() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        acting_for(B).__enter__()
        raise ValueError("broken view")

    with pytest.raises(ValueError, match="broken view"):
        ClearTenantMiddleware(view)(HttpRequest())
    assert tenant_or_none() is None


@pytest.mark.django_db
def test_a_queryset_made_anywhere_asks_for_the_tenant_when_it_runs(anna_org: Tenant, carla_org: Tenant) -> None:
    names = AuditName.objects.all()
    with acting_for(anna_org):
        AuditName.objects.create(actor_id="1", name="Anna")
        assert [name.name for name in names.all()] == ["Anna"]
    with acting_for(carla_org):
        assert list(names.all()) == []
    with pytest.raises(NoTenant):
        list(names.all())


@pytest.mark.django_db
def test_get_or_create_makes_a_row_for_each_tenant(anna_org: Tenant, carla_org: Tenant) -> None:
    for tenant in (anna_org, carla_org):
        with acting_for(tenant):
            name, is_new = AuditName.objects.get_or_create(actor_id="1", defaults={"name": tenant.name})
            assert is_new
            assert name.tenant_id == tenant.pk
            assert AuditName.objects.get_or_create(actor_id="1") == (name, False)
            AuditName.objects.bulk_create([AuditName(actor_id="2")])
            assert AuditName.objects.count() == 2


@pytest.mark.django_db
def test_an_upsert_stays_inside_the_tenant(anna_org: Tenant, carla_org: Tenant) -> None:
    for tenant in (anna_org, carla_org):
        with acting_for(tenant):
            for name in ("old", tenant.slug):
                AuditName.objects.bulk_create(
                    [AuditName(actor_id="1", name=name)],
                    update_conflicts=True,
                    unique_fields=["tenant", "actor_id"],
                    update_fields=["name"],
                )
    with acting_for(anna_org):
        assert AuditName.objects.get().name == "harbor"


@pytest.mark.django_db
def test_a_row_made_outside_and_saved_inside_belongs_to_the_tenant(anna_org: Tenant) -> None:
    name = AuditName(actor_id="1")
    with acting_for(anna_org):
        name.save()
    assert name.tenant_id == anna_org.pk


@on_postgresql
@pytest.mark.database
@pytest.mark.django_db
def test_the_connection_knows_the_tenant_inside_the_block_only(anna_org: Tenant) -> None:
    with acting_for(anna_org):
        assert _tenant_on_connection() == str(anna_org.pk)
    assert _tenant_on_connection() == ""


@on_postgresql
@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_connection_opened_again_inside_the_block_knows_the_tenant(anna_org: Tenant) -> None:
    with acting_for(anna_org):
        connection.close()
        assert _tenant_on_connection() == str(anna_org.pk)
    assert _tenant_on_connection() == ""


@on_postgresql
@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_transaction_broken_inside_the_block_leaves_no_tenant_on_the_connection(anna_org: Tenant) -> None:
    with acting_for(anna_org):
        AuditName.objects.create(actor_id="1", name="Anna")
    with pytest.raises(DatabaseError), transaction.atomic(), acting_for(anna_org), connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM tenants_auditname")
    assert _tenant_on_connection() == ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tenants_auditname")
        assert cursor.fetchone() == (0,)
    with acting_for(anna_org):
        assert AuditName.objects.get().name == "Anna"


@on_postgresql
@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_same_connection_after_a_broken_transaction_still_hides_other_tenants(anna_org: Tenant, carla_org: Tenant) -> None:
    with acting_for(anna_org):
        AuditName.objects.create(actor_id="1", name="Anna")
    with acting_for(carla_org):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tenants_auditname")
            assert cursor.fetchone() == (0,)
    assert _tenant_on_connection() == ""


@on_postgresql
@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_clearing_on_a_broken_transaction_closes_the_connection(anna_org: Tenant) -> None:
    with transaction.atomic():
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        clear_tenant()
        assert connection.closed_in_transaction
    assert _tenant_on_connection() == ""

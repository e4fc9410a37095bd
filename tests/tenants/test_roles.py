"""The database's roles: what prepare_database grants, and whom it refuses."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import connection, connections

from tenants.models import AuditName, Tenant
from tenants.roles import RoleRefused, grant_application, grant_staff
from tenants.scoping import acting_for

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(databases=["default", "owner", "staff"] if connection.vendor == "postgresql" else ["default"]),
]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")


def _role(alias: str) -> str:
    return str(connections[alias].settings_dict["USER"])


def _superuser() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY rolname LIMIT 1")
        return str(cursor.fetchone()[0])


def _may(alias: str, right: str, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [_role(alias), table, right])
        return bool(cursor.fetchone()[0])


@on_postgresql
@pytest.mark.parametrize("alias", ["default", "staff"])
def test_both_roles_may_add_to_the_trail_but_not_change_it(alias: str) -> None:
    call_command("prepare_database", stdout=io.StringIO())
    rights = {
        right: _may(alias, right, "tenants_auditevent")
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
    }
    assert rights == {"SELECT": True, "INSERT": True, "UPDATE": False, "DELETE": False, "TRUNCATE": False, "TRIGGER": False}
    assert all(_may(alias, right, "tenants_auditname") for right in ("SELECT", "INSERT", "UPDATE", "DELETE"))
    assert not _may(alias, "UPDATE", "django_migrations")


@on_postgresql
def test_a_role_that_row_level_security_does_not_hold_back_is_refused_for_the_application() -> None:
    for role, why in (
        (_superuser(), "superuser"),
        (_role("staff"), "BYPASSRLS"),
        (_role("owner"), "owns tables"),
        ("no_such_role", "not exist"),
    ):
        with pytest.raises(RoleRefused, match=why):
            grant_application(connections["owner"], role)


@on_postgresql
def test_a_role_that_sees_nothing_or_may_do_everything_is_refused_for_the_staff() -> None:
    for role, why in ((_role("default"), "sees no rows"), (_superuser(), "superuser"), (_role("owner"), "own the tables")):
        with pytest.raises(RoleRefused, match=why):
            grant_staff(connections["owner"], role)


@on_postgresql
@pytest.mark.django_db(transaction=True, databases=["default", "owner", "staff"])
def test_the_staffs_role_sees_every_tenants_rows_and_the_application_does_not(anna_org: Tenant, carla_org: Tenant) -> None:
    for tenant in (anna_org, carla_org):
        with acting_for(tenant):
            AuditName.objects.create(actor_id="1", name=tenant.name)
    assert AuditName.unscoped.using("staff").count() == 2
    assert AuditName.unscoped.count() == 0


@pytest.mark.skipif(connection.vendor == "postgresql", reason="what SQLite says")
def test_on_sqlite_there_is_nothing_to_prepare() -> None:
    out = io.StringIO()
    call_command("prepare_database", stdout=out)
    assert "nothing to prepare" in out.getvalue()

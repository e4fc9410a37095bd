"""Databases and people that every test may use.

Without DATABASE_URL the tests run on SQLite, in a file, so that threads have connections of their own. With it they run on
PostgreSQL: the owner's role (DATABASE_OWNER_URL) makes and migrates the database, and the tests connect as the application's.
A test that connected as the owner or as a superuser could not fail where row-level security is missing.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import django
import pytest

if "VAR_DIR" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="ml-connector-tests-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
# Here and not in pytest.ini, from which pytest-django would read the settings before VAR_DIR is set.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlconnector.settings")
django.setup()

AUDIT_TABLE = "tenants_auditevent"
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


class OwnerSession:
    """SQL as the role that owns the tables; on SQLite, where nobody owns anything, on the test's own connection."""

    def __init__(self, cursor: Any, is_postgresql: bool) -> None:
        self._cursor = cursor
        self._is_postgresql = is_postgresql

    def look_as(self, tenant_id: object) -> None:
        """Row-level security holds for the owner too."""
        if self._is_postgresql:
            self._cursor.execute("SELECT set_config('app.tenant_id', %s, false)", [str(tenant_id or "")])

    def execute(self, sql: str, params: list[Any] | None = None) -> int:
        self._cursor.execute(sql, params)
        return int(self._cursor.rowcount)


@contextmanager
def owner_session() -> Iterator[OwnerSession]:
    from django.db import connections

    if connections["default"].vendor != "postgresql":
        with connections["default"].cursor() as cursor:
            yield OwnerSession(cursor, is_postgresql=False)
        return
    import psycopg

    params = connections["owner"].get_connection_params()
    wanted = {name: params[name] for name in ("dbname", "user", "password", "host", "port") if params.get(name)}
    with psycopg.connect(**wanted) as session, session.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20s'")
        yield OwnerSession(cursor, is_postgresql=True)


@contextmanager
def _guard_lifted() -> Iterator[OwnerSession]:
    from django.db import connections

    from tenants.guards import guard_statements, lift_statements

    vendor = connections["default"].vendor
    with owner_session() as owner:
        for statement in lift_statements(AUDIT_TABLE, vendor):
            owner.execute(statement)
        try:
            yield owner
        finally:
            for statement in guard_statements(AUDIT_TABLE, vendor):
                owner.execute(statement)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """An owner's or staff's connection left open would be told the tenant in the next test, which may not use it."""
    yield
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        if connection.alias != "default":
            connection.close()


@pytest.fixture(scope="session")
def lifted_guard() -> Callable[[], AbstractContextManager[OwnerSession]]:
    """The one place where the trail's guard is lifted: ``with lifted_guard() as owner: owner.execute(...)``."""
    return _guard_lifted


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None) -> None:
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = getattr(request.config, "workerinput", {}).get("workerid", "")
        database.setdefault("TEST", {})["NAME"] = os.path.join(os.environ["VAR_DIR"], f"test{worker}.sqlite3")


@contextmanager
def _signed_in_as_owner() -> Iterator[None]:
    """Making, migrating and dropping the test database is the owner's work; every alias becomes the owner meanwhile."""
    from django.db import connections

    dicts = [connections[alias].settings_dict for alias in connections]
    kept = [(each, each.get("USER", ""), each.get("PASSWORD", "")) for each in dicts]
    owner = connections["owner"].settings_dict
    user, password = owner.get("USER", ""), owner.get("PASSWORD", "")
    connections.close_all()
    for each in dicts:
        each.update(USER=user, PASSWORD=password)
    try:
        yield
    finally:
        connections.close_all()
        for each, user, password in kept:
            each.update(USER=user, PASSWORD=password)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: Any,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    is_postgresql = connections["default"].vendor == "postgresql"
    if is_postgresql and "owner" not in settings.DATABASES:
        pytest.exit("Tests on PostgreSQL need DATABASE_OWNER_URL, whose role may create databases: tests/postgres_roles.sql.", 2)
    signed_in = _signed_in_as_owner if is_postgresql else _as_it_is
    verbosity = request.config.option.verbose
    with django_db_blocker.unblock():
        with signed_in():
            databases = setup_databases(verbosity=verbosity, interactive=False, serialized_aliases=set())
        if is_postgresql:
            _grant_roles()
    yield
    with django_db_blocker.unblock(), signed_in():
        teardown_databases(databases, verbosity=verbosity)


def _grant_roles() -> None:
    from django.core.management import call_command
    from django.db import connections

    with open(os.devnull, "w") as nowhere:
        call_command("prepare_database", stdout=nowhere)
    connections["owner"].close()


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner(lifted_guard: Callable[[], AbstractContextManager[OwnerSession]]) -> Iterator[None]:
    """After a transactional test the tables are emptied by the owner: neither the guard nor the application's rights allow it."""
    from django.db import connections
    from django.test import TransactionTestCase

    def empty_tables(_case: TransactionTestCase) -> None:
        connection = connections["default"]
        if connection.vendor == "postgresql":
            connection.close()
        with lifted_guard() as owner:
            _empty(owner, connection)

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
    yield
    patch.undo()


def _empty(owner: OwnerSession, connection: Any) -> None:
    from django.apps import apps

    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy]
    tables = sorted({model._meta.db_table for model in models} - KEPT_TABLES)
    if connection.vendor == "postgresql":
        owner.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in tables) + " RESTART IDENTITY")
        return
    with connection.constraint_checks_disabled():
        for table in tables:
            owner.execute(f'DELETE FROM "{table}"')


# -- Three people: Anna owns, Ben may look, Carla belongs elsewhere --


@pytest.fixture
def anna_org(db: None) -> Any:
    from tenants.models import Tenant

    return Tenant.objects.create(slug="harbor", name="Harbor Services", time_zone="America/New_York")


@pytest.fixture
def carla_org(db: None) -> Any:
    from tenants.models import Tenant

    return Tenant.objects.create(slug="northwind", name="Northwind Trading", time_zone="Europe/Berlin")


def _person(email: str, name: str, tenant: Any, role: str) -> Any:
    from tenants.models import Membership, User

    user = User.objects.create_user(email, name=name)
    Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


@pytest.fixture
def anna(anna_org: Any) -> Any:
    return _person("anna@harbor.example", "Anna Berg", anna_org, "owner")


@pytest.fixture
def ben(anna_org: Any) -> Any:
    return _person("ben@harbor.example", "Ben Ortiz", anna_org, "viewer")


@pytest.fixture
def carla(carla_org: Any) -> Any:
    return _person("carla@northwind.example", "Carla Weiss", carla_org, "owner")

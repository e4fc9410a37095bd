"""The current tenant: one value for each thread or task, and on PostgreSQL the same value on its connections."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponseBase

if TYPE_CHECKING:
    from tenants.models import Tenant

_current: ContextVar[uuid.UUID | None] = ContextVar("current_tenant", default=None)


class NoTenant(RuntimeError):
    """A tenant's rows were asked for outside ``with acting_for(tenant):``."""


class WrongTenant(RuntimeError):
    """A row, or something it points at, belongs to another tenant than the current one."""


def tenant_or_none() -> uuid.UUID | None:
    return _current.get()


def current_tenant_id() -> uuid.UUID:
    if (tenant_id := _current.get()) is None:
        raise NoTenant("No organisation is set: rows of organisations can only be reached inside `with acting_for(tenant):`.")
    return tenant_id


@contextmanager
def acting_for(tenant: Tenant | uuid.UUID | str) -> Iterator[uuid.UUID]:
    """Work for one tenant. May be nested for the same tenant; another one inside is nearly always a mistake, and refused."""
    tenant_id = _id_of(tenant)
    outer = _current.get()
    if outer is not None:
        if outer != tenant_id:
            raise WrongTenant(f"Already acting for organisation {outer}; leave that block before acting for {tenant_id}.")
        yield tenant_id
        return
    _current.set(tenant_id)
    try:
        _tell_connections(tenant_id)
        yield tenant_id
    finally:
        clear_tenant()


def clear_tenant() -> None:
    """Forget the tenant, here and on this thread's connections; a connection that cannot be told is closed."""
    _current.set(None)
    for connection in _open_connections():
        try:
            # Straight to the driver: Django refuses queries in a block it will roll back, though the database still takes them.
            with connection.connection.cursor() as cursor:
                cursor.execute(_SET, [""])
        except _driver_error(connection):
            connection.close()


class ClearTenantMiddleware:
    """No request begins or ends with a tenant that somebody else's request left behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        clear_tenant()
        try:
            return self.get_response(request)
        finally:
            clear_tenant()


def follow_reconnects() -> None:
    """A connection that is opened, or opened again, inside a block learns the tenant before its first query."""
    connection_created.connect(_tell_new_connection, dispatch_uid="tenants.scoping")


_SET = "SELECT set_config('app.tenant_id', %s, false)"


def _id_of(tenant: Tenant | uuid.UUID | str) -> uuid.UUID:
    if isinstance(tenant, str):
        return uuid.UUID(tenant)
    return tenant if isinstance(tenant, uuid.UUID) else tenant.pk


def _open_connections() -> list[BaseDatabaseWrapper]:
    return [
        connection
        for connection in connections.all(initialized_only=True)
        if connection.vendor == "postgresql" and connection.connection is not None
    ]


def _driver_error(connection: Any) -> type[Exception]:
    error: type[Exception] = connection.Database.Error
    return error


def _tell_connections(tenant_id: uuid.UUID) -> None:
    for connection in _open_connections():
        with connection.cursor() as cursor:
            cursor.execute(_SET, [str(tenant_id)])


def _tell_new_connection(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
    tenant_id = _current.get()
    if connection.vendor == "postgresql" and tenant_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(_SET, [str(tenant_id)])

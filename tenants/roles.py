"""The database's roles: what the application and the staff may do to the tables that the owner made. PostgreSQL only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

READ_ONLY = ("django_migrations",)
ADD_ONLY = ("tenants_auditevent",)


class RoleRefused(RuntimeError):
    """A role that row-level security would not hold back, or that does not exist."""


@dataclass(frozen=True, kw_only=True)
class _Facts:
    is_superuser: bool
    bypasses_rls: bool
    owns_tables: bool


def grant_application(connection: BaseDatabaseWrapper, role: str) -> None:
    """Let the web and the workers read and write rows, within row-level security; the trail can only be read and added to."""
    facts = _facts(connection, role, "DATABASE_URL")
    if facts.is_superuser or facts.bypasses_rls:
        kind = "a superuser" if facts.is_superuser else "a role with BYPASSRLS"
        raise RoleRefused(
            f"The role {role} of DATABASE_URL is {kind}: row-level security would not hold it back. "
            f"Run ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS, or name another role."
        )
    if facts.owns_tables:
        raise RoleRefused(
            f"The role {role} of DATABASE_URL owns tables, or is a member of the role that does: it could switch row-level "
            "security off. Name another role in DATABASE_URL, and the owner in DATABASE_OWNER_URL."
        )
    _grant(connection, role)


def grant_staff(connection: BaseDatabaseWrapper, role: str) -> None:
    """Let sweepers and the staff's pages see every tenant's rows. Making the role, with BYPASSRLS, is up to the operator."""
    facts = _facts(connection, role, "DATABASE_STAFF_URL")
    if facts.is_superuser or facts.owns_tables:
        raise RoleRefused(f"The role {role} of DATABASE_STAFF_URL must neither be a superuser nor own the tables.")
    if not facts.bypasses_rls:
        raise RoleRefused(
            f"The role {role} of DATABASE_STAFF_URL sees no rows: a superuser must run ALTER ROLE {role} BYPASSRLS."
        )
    _grant(connection, role)


def why_unsafe(connection: BaseDatabaseWrapper) -> str:
    """Why row-level security does not hold back the role that this connection is signed in as; empty when it does."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (role,) = cursor.fetchone() or ("",)
    facts = _facts(connection, role, "DATABASE_URL")
    if facts.is_superuser or facts.bypasses_rls or facts.owns_tables:
        return f"The application is signed in to the database as {role}, which row-level security does not hold back."
    return ""


def _facts(connection: BaseDatabaseWrapper, role: str, variable: str) -> _Facts:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
        if found is None:
            raise RoleRefused(f"The role {role!r} of {variable} does not exist in this database.")
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')"
            " AND pg_has_role(%s, relowner, 'MEMBER'))",
            [role],
        )
        (owns_tables,) = cursor.fetchone() or (False,)
    return _Facts(is_superuser=found[0], bypasses_rls=found[1], owns_tables=owns_tables)


def _grant(connection: BaseDatabaseWrapper, role: str) -> None:
    """Take everything away and give anew, so that a right which is no longer meant does not stay behind."""
    name = connection.ops.quote_name(role)
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
        for table in tables & {*READ_ONLY, *ADD_ONLY}:
            rights = "UPDATE, DELETE" if table in ADD_ONLY else "INSERT, UPDATE, DELETE"
            cursor.execute(f"REVOKE {rights} ON {connection.ops.quote_name(table)} FROM {name}")

"""The database itself refuses to change or delete the rows of the audit trail, whoever asks. An operation for migrations."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

_SENTENCE = "The audit trail can only be added to."


class AppendOnly(Operation):
    """Triggers that refuse UPDATE and DELETE, and TRUNCATE where the database has it.

    SQLite drops triggers when a later migration rebuilds the table: such a migration must end with this operation again.
    """

    reversible = True
    atomic = True
    reduces_to_sql = True

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> Any:
        return type(self).__name__, [self.table], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The state of the models does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for statement in guard_statements(self.table, schema_editor.connection.vendor):
            schema_editor.execute(statement, None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for statement in lift_statements(self.table, schema_editor.connection.vendor):
            schema_editor.execute(statement, None)

    def describe(self) -> str:
        return f"Refuse to change or delete rows of {self.table}"


def guard_statements(table: str, vendor: str) -> list[str]:
    if vendor == "postgresql":
        function = f"{table}_is_append_only"
        return [
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_SENTENCE}' USING ERRCODE = 'restrict_violation'; END $$",
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        ]
    return [
        f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
        for what in ("UPDATE", "DELETE")
    ]


def lift_statements(table: str, vendor: str) -> list[str]:
    if vendor == "postgresql":
        return [
            f"DROP TRIGGER IF EXISTS {table}_rows ON {table}",
            f"DROP TRIGGER IF EXISTS {table}_whole ON {table}",
            f"DROP FUNCTION IF EXISTS {table}_is_append_only()",
        ]
    return [f"DROP TRIGGER IF EXISTS {table}_{what}" for what in ("update", "delete")]

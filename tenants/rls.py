"""Row-level security: the second lock behind the scoped managers, as operations for migrations. Nothing outside PostgreSQL.

FORCE makes it hold for the owner too, so a migration that moves data of tenants must work inside ``acting_for`` as well.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tenants.models import PLATFORM_CHAIN

_CURRENT = "nullif(current_setting('app.tenant_id', true), '')::uuid"


class RowLevelSecurity(Operation):
    """Only the current tenant's rows of a table can be seen and written: ``RowLevelSecurity("integrations_flow")``."""

    reversible = True
    atomic = True
    reduces_to_sql = True

    def __init__(self, table: str, column: str = "tenant_id") -> None:
        self.table = table
        self.column = column

    def deconstruct(self) -> Any:
        return type(self).__name__, [self.table], {} if self.column == "tenant_id" else {"column": self.column}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The state of the models does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        table, rule = schema_editor.quote_name(self.table), self.rule(schema_editor.quote_name(self.column))
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", None)
        schema_editor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY", None)
        schema_editor.execute(f"CREATE POLICY current_tenant ON {table} USING ({rule}) WITH CHECK ({rule})", None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        table = schema_editor.quote_name(self.table)
        schema_editor.execute(f"DROP POLICY IF EXISTS current_tenant ON {table}", None)
        schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", None)
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", None)

    def rule(self, column: str) -> str:
        return f"{column} = {_CURRENT}"

    def describe(self) -> str:
        return f"Allow only the current tenant's rows of {self.table}"


class ChainSecurity(RowLevelSecurity):
    """As above for the audit trail, where "no tenant" means the platform's chain and not nothing."""

    def __init__(self, table: str, column: str = "chain") -> None:
        super().__init__(table, column)

    def deconstruct(self) -> Any:
        return type(self).__name__, [self.table], {} if self.column == "chain" else {"column": self.column}

    def rule(self, column: str) -> str:
        return f"{column} = coalesce({_CURRENT}, '{PLATFORM_CHAIN}'::uuid)"

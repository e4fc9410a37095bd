"""Who asks, where, and when: what every function is handed."""

import random
from dataclasses import dataclass

from integrations.sandboxes.intacct.answers import Failed, no_audit_history, no_object, not_permitted
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.shapes import ObjectType
from integrations.sandboxes.intacct.state import Column, Company, Table, User
from integrations.sandboxes.intacct.values import Row, zone_seconds


@dataclass(frozen=True, kw_only=True)
class Caller:
    company: Company
    user: User
    locationid: str  # the entity; empty at the top level
    session: str  # cursors belong to it
    settings: Settings
    now: int
    shuffler: random.Random
    senderid: str
    base_url: str  # where this world was reached

    @property
    def zone(self) -> int:
        return zone_seconds(self.user.gmtoffset)

    def column(self, type_: ObjectType, path: str) -> Column:
        return self.company.column(type_, path, self.now)

    def write_down(self, mode: str, type_: ObjectType, row: Row) -> None:
        self.company.write_down(mode, type_, row, self.user.loginid, self.now, "api")

    def table(self, type_: ObjectType) -> Table:
        return self.company.tables[type_.name]

    def may_see(self, row: Row, *, with_private: bool) -> bool:
        """Records of one entity are seen there, and at the top level only by who asks for private ones."""
        owner = row.get("MEGAENTITYID", "")
        return not owner or (owner == self.locationid if self.locationid else with_private)

    def visible(self, rows: list[Row], type_: ObjectType, *, with_private: bool) -> list[Row]:
        table = self.table(type_)
        if table.hidden:
            rows = [row for row in rows if table.is_visible(row, self.now)]
        if with_private and not self.locationid:
            return rows
        return [row for row in rows if self.may_see(row, with_private=with_private)]

    def shuffled(self, rows: list[Row]) -> list[Row]:
        """Without an order the gateway promises none, so none is given."""
        if self.settings.unordered_shuffled:
            rows = list(rows)
            self.shuffler.shuffle(rows)
        return rows

    def open_object(self, name: str, operation: str, wire_operation: str) -> ObjectType:
        """The object, if there is one and this user may do that with it. Raises Failed."""
        type_ = self.company.objects.get(name)
        if type_ is None:
            raise no_object(name)
        if not self.user.may(operation, name):
            raise self.denied(name, wire_operation)
        return type_

    @staticmethod
    def denied(name: str, wire_operation: str) -> Failed:
        return no_audit_history() if name == "AUDITHISTORY" else not_permitted(wire_operation, name)

"""What the hands of a world reach into."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from integrations.sandboxes.core import Clock
from integrations.sandboxes.intacct.sessions import Sessions
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.shapes import ObjectType
from integrations.sandboxes.intacct.state import Company
from integrations.sandboxes.intacct.values import Row, printer

COMPANY = "SAMPLE"
BY = "admin"  # who did it, says the audit history of what is done without XML


class Reach:
    """Fields are given as wire text (moments in UTC) or as Python values; every answer is wire text."""

    clock: Clock
    settings: Settings
    companies: dict[str, Company]
    senders: dict[str, str]
    sessions: Sessions
    lock: threading.RLock

    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def _writer(self, company: Company, type_: ObjectType) -> Callable[[Row], dict[str, str]]:
        columns = [company.column(type_, name, self.now()) for name in company.fields_of(type_)]
        parts = [(column.path, column.read, printer(column.field.kind, 0)) for column in columns]
        return lambda row: {name: "" if (value := read(row)) is None else write(value) for name, read, write in parts}


def dotted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """``DISPLAYCONTACT__EMAIL1`` stands for the name with the dot, which no keyword can have."""
    return {name.replace("__", "."): value for name, value in fields.items()}

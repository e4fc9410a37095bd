"""Where a record goes: the first route whose field has one of its values, else the flow's own place. One mechanism for all targets.

A route is an entry of ``Flow.options["routes"]``: ``{"field": "LOCATIONID", "is": ["E100"], "place": "…", "columns": {…}}``.
``columns`` says what the flow's columns are called at a place of its own: a board has ids of its own for the same titles.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.types import Record
from mappings.fields import Values


@dataclass(frozen=True, kw_only=True)
class Route:
    field: str
    values: frozenset[str]
    place: str
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def takes(self, record: Record) -> bool:
        """A field of the lines decides only where all lines agree: a bill of two departments goes to "everything else"."""
        if not self.field.startswith("lines."):
            return str(record.values.get(self.field) or "") in self.values
        found = {str(line.get(self.field) or line.get(self.field.removeprefix("lines.")) or "") for line in record.lines}
        return len(found) == 1 and found <= self.values


@dataclass(frozen=True, kw_only=True)
class Routes:
    """All routes of a flow; ``place_of`` always has an answer."""

    routes: Sequence[Route] = ()
    otherwise: str = ""

    def place_of(self, record: Record) -> str:
        return next((route.place for route in self.routes if route.takes(record)), self.otherwise)

    def columns_at(self, place: str) -> Mapping[str, str]:
        return next((route.columns for route in self.routes if route.place == place), {})

    @property
    def fields(self) -> list[str]:
        return [route.field for route in self.routes]

    @property
    def places(self) -> list[str]:
        return list(dict.fromkeys([self.otherwise, *(route.place for route in self.routes)]))


def read(options: Mapping[str, Any], otherwise: str) -> Routes:
    routes = [
        Route(field=each["field"], values=frozenset(each["is"]), place=each["place"], columns=each.get("columns", {}))
        for each in options.get("routes", [])
    ]
    return Routes(routes=routes, otherwise=otherwise)


def translated(values: Values, columns: Mapping[str, str]) -> Values:
    """The same values under the ids that the columns have at another place."""
    return {columns.get(column, column): value for column, value in values.items()} if columns else values

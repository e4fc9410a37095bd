"""Builds the function ``query``: small typed conditions in, XML of the vendor's grammar out (README.md, "Reading")."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal

from integrations.vendors.intacct.envelope import Node
from integrations.vendors.intacct.objects import format_value

MAX_PAGE = 2000
MAX_IN = 1000

Plain = str | int | Decimal | bool | date | datetime


@dataclass(frozen=True)
class Is:
    """``Is("greaterthan", "WHENMODIFIED", moment)``: one field compared with one value."""

    operator: str
    field: str
    value: Plain


@dataclass(frozen=True)
class OneOf:
    """The field has one of these values: 1 to 1000."""

    field: str
    values: Sequence[Plain]


@dataclass(frozen=True)
class Empty:
    field: str


@dataclass(frozen=True)
class NotEmpty:
    field: str


@dataclass(frozen=True)
class Every:
    """All of them; a single one stands for itself, since the grammar wants two."""

    conditions: Sequence["Condition"]


@dataclass(frozen=True)
class AnyOf:
    conditions: Sequence["Condition"]


Condition = Is | OneOf | Empty | NotEmpty | Every | AnyOf


@dataclass(frozen=True, kw_only=True)
class Query:
    """One page to read. There is no offset: through data that moves it loses rows, so the next page is asked for by value."""

    object: str
    fields: Sequence[str]
    where: Condition | None = None
    order: Sequence[str] = ("RECORDNO",)
    descending: bool = False
    page_size: int = 1000
    show_private: bool = False
    counts: Sequence[str] = ()  # with these or ``sums``, ``fields`` are what rows are grouped by
    sums: Sequence[str] = ()

    def node(self, zone: timezone) -> Node:
        """The function's XML; moments become wall clock of the API user's zone."""
        if not 1 <= self.page_size <= MAX_PAGE:
            raise ValueError(f"a page holds 1 to {MAX_PAGE} rows, not {self.page_size}")
        parts = [Node("object", self.object), Node("select", self._selected())]
        if self.where is not None:
            parts.append(Node("filter", [_condition(self.where, zone)]))
        if self.order:
            parts.append(Node("orderby", [self._order(field) for field in self.order]))
        if self.show_private:
            parts.append(Node("options", [Node("showprivate", "true")]))
        return Node("query", [*parts, Node("pagesize", str(self.page_size))])

    def _selected(self) -> list[Node]:
        named = (("field", self.fields), ("count", self.counts), ("sum", self.sums))
        return [Node(tag, each) for tag, fields in named for each in fields]

    def _order(self, field: str) -> Node:
        return Node("order", [Node("field", field), Node("descending" if self.descending else "ascending")])


def _condition(condition: Condition, zone: timezone) -> Node:
    match condition:
        case Is(operator, field, value):
            return Node(operator, [Node("field", field), Node("value", format_value(value, zone))])
        case OneOf(field, values):
            if not 1 <= len(values) <= MAX_IN:
                raise ValueError(f"“in” takes 1 to {MAX_IN} values, not {len(values)}")
            return Node("in", [Node("field", field), *(Node("value", format_value(each, zone)) for each in values)])
        case Empty(field):
            return Node("isnull", [Node("field", field)])
        case NotEmpty(field):
            return Node("isnotnull", [Node("field", field)])
        case Every(conditions):
            return _joined("and", conditions, zone)
        case AnyOf(conditions):
            return _joined("or", conditions, zone)
    raise TypeError(f"not a condition: {condition!r}")


def _joined(tag: str, conditions: Sequence[Condition], zone: timezone) -> Node:
    if not conditions:
        raise ValueError(f"“{tag}” without conditions")
    nodes = [_condition(each, zone) for each in conditions]
    return nodes[0] if len(nodes) == 1 else Node(tag, nodes)

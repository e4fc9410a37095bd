"""Filters: a tree of conditions turned into one quick question about a row. Both query languages end up here."""

import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.sandboxes.intacct.shapes import Kind
from integrations.sandboxes.intacct.state import Column, Reader, Table
from integrations.sandboxes.intacct.values import LAST, Row, Value, parse, printer

Predicate = Callable[[Row], bool]
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "equalto": operator.eq,
    "notequalto": operator.ne,
    "lessthan": operator.lt,
    "lessthanorequalto": operator.le,
    "greaterthan": operator.gt,
    "greaterthanorequalto": operator.ge,
}
OPERATORS = frozenset({*_COMPARE, "between", "in", "notin", "like", "notlike", "isnull", "isnotnull"})


@dataclass(frozen=True, kw_only=True)
class Condition:
    """``and``/``or``/``not`` with children, or an operator on a path. Values are wire text until ``typed``."""

    operator: str
    path: str = ""
    values: tuple[Any, ...] = ()
    children: tuple["Condition", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Language:
    """How one of the two query languages sees values: the zone, whether case matters, and letters or labels for enums."""

    column: Callable[[str], Column]
    zone: int
    ignores_case: bool = False
    uses_letters: bool = False

    def reader(self, column: Column) -> Reader:
        if self.uses_letters and column.field.kind is Kind.ENUM:
            letters, read = column.field.letters, column.read
            return lambda row: None if (value := read(row)) is None else letters.get(str(value), value)
        return column.read

    def typed(self, condition: Condition) -> Condition:
        """The same tree with values parsed. Raises ValueError and UnknownField."""
        children = tuple(self.typed(child) for child in condition.children)
        if children:
            return Condition(operator=condition.operator, children=children)
        kind = self.column(condition.path).field.kind
        if condition.operator in ("like", "notlike"):
            return condition
        values = tuple(parse(kind, value, self.zone) for value in condition.values)
        return Condition(operator=condition.operator, path=condition.path, values=values)

    def predicate(self, condition: Condition) -> Predicate:
        """Turn a typed condition into a question. An absent value answers only ``isnull``, as in SQL."""
        if condition.children:
            return _combined(condition.operator, [self.predicate(child) for child in condition.children])
        column = self.column(condition.path)
        read = self.reader(column)
        if condition.operator in ("isnull", "isnotnull"):
            wanted = condition.operator == "isnull"
            return lambda row: (read(row) in (None, "")) is wanted
        if condition.operator in ("like", "notlike"):
            return self._like(condition, column, read)
        if self.ignores_case and column.field.kind in (Kind.TEXT, Kind.ENUM):
            lowered = _lowered(read)
            return _simple(condition.operator, lowered, tuple(str(value).lower() for value in condition.values))
        if column.stored and not self.uses_letters and condition.operator in _COMPARE:
            return _quick(_COMPARE[condition.operator], column.path, condition.values[0])
        return _simple(condition.operator, read, condition.values)

    def _like(self, condition: Condition, column: Column, read: Reader) -> Predicate:
        flags = re.DOTALL | (re.IGNORECASE if self.ignores_case else 0)
        parts = {"%": ".*", "_": "."}
        pattern = re.compile("".join(parts.get(sign) or re.escape(sign) for sign in str(condition.values[0])), flags)
        write, wanted = printer(column.field.kind, self.zone), condition.operator == "like"

        def test(row: Row) -> bool:
            value = read(row)
            return value is not None and (pattern.fullmatch(write(value)) is not None) is wanted

        return test


def _lowered(read: Reader) -> Reader:
    return lambda row: None if (value := read(row)) is None else str(value).lower()


def _combined(how: str, tests: list[Predicate]) -> Predicate:
    if how == "not":
        return lambda row: not tests[0](row)
    if len(tests) == 2:  # the usual case, worth being quick about
        one, two = tests
        if how == "and":
            return lambda row: one(row) and two(row)
        return lambda row: one(row) or two(row)
    decide = all if how == "and" else any
    return lambda row: decide(test(row) for test in tests)


def _simple(how: str, read: Reader, values: tuple[Any, ...]) -> Predicate:
    if how in ("in", "notin"):
        wanted, inside = frozenset(values), how == "in"
        return lambda row: (value := read(row)) is not None and (value in wanted) is inside
    if how == "between":
        low, high = values
        return lambda row: (value := read(row)) is not None and low <= value <= high
    compare, first = _COMPARE[how], values[0]
    return lambda row: (value := read(row)) is not None and compare(value, first)


def _quick(compare: Callable[[Any, Any], bool], name: str, wanted: Any) -> Predicate:
    """A comparison with what the row itself holds, one call shorter than usual."""
    return lambda row: (value := row.get(name)) is not None and compare(value, wanted)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Rows that must be asked, then rows that are known to match; together in the wanted order if ``is_sorted``."""

    asked: list[Row]
    sure: list[Row] = field(default_factory=list)
    is_sorted: bool = False


def candidates(condition: Condition | None, table: Table, order: tuple[str, ...]) -> Candidates:
    """Find rows worth asking: by key, by parent, or from a lower bound on, so that page after page need not ask them all."""
    for name in (table.type.key, "RECORDKEY"):
        keys = exact(condition, name) if name in table.type.fields else None
        if keys is not None:
            return Candidates(asked=_by_key(table, name, keys))
    if not order:
        return Candidates(asked=list(table.rows.values()))
    firsts, rows = table.ordered(order)
    kind = table.type.fields[order[0]].kind
    bound = None if kind in (Kind.TEXT, Kind.ENUM) else lower_bound(condition, order[0])
    if bound is None:
        return Candidates(asked=rows, is_sorted=True)
    start, end = bisect_left(firsts, bound), bisect_left(firsts, LAST[kind])  # absent values stand at the end and match nothing
    sure = sure_above(condition, order[0])
    middle = end if sure is None else max(start, min(end, bisect_right(firsts, sure)))
    return Candidates(asked=rows[start:middle], sure=rows[middle:end], is_sorted=True)


def _by_key(table: Table, name: str, keys: set[Any]) -> list[Row]:
    if name == table.type.key:
        return [table.rows[key] for key in keys if key in table.rows]
    return [row for key in keys for row in table.lines_of(key)]


def exact(condition: Condition | None, path: str) -> set[Value] | None:
    """The only values ``path`` may have for the condition to hold, or None if it does not say."""
    if condition is None:
        return None
    if condition.operator == "and":
        found = [keys for child in condition.children if (keys := exact(child, path)) is not None]
        return set.intersection(*found) if found else None
    if condition.path == path and condition.operator in ("equalto", "in"):
        return set(condition.values)
    return None


def lower_bound(condition: Condition | None, path: str) -> Any:
    """A value below which no row can match, or None."""
    if condition is None:
        return None
    if condition.operator in ("and", "or"):
        bounds = [lower_bound(child, path) for child in condition.children]
        known = [bound for bound in bounds if bound is not None]
        if condition.operator == "and":
            return max(known) if known else None
        return min(known) if len(known) == len(bounds) else None
    starts = ("equalto", "greaterthan", "greaterthanorequalto", "between")
    return condition.values[0] if condition.path == path and condition.operator in starts else None


def sure_above(condition: Condition | None, path: str) -> Any:
    """A value above which every row matches, or None."""
    if condition is None:
        return None
    if condition.operator in ("and", "or"):
        values = [sure_above(child, path) for child in condition.children]
        known = [value for value in values if value is not None]
        if condition.operator == "or":
            return min(known) if known else None
        return max(known) if len(known) == len(values) else None
    starts = ("greaterthan", "greaterthanorequalto")
    return condition.values[0] if condition.path == path and condition.operator in starts else None

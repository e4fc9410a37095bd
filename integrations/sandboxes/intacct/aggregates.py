"""``count``, ``avg``, ``min``, ``max`` and ``sum``; the fields selected beside them are what the rows are grouped by."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from integrations.sandboxes.intacct.shapes import Field, Kind
from integrations.sandboxes.intacct.state import Column
from integrations.sandboxes.intacct.values import Row, Value


def _average(values: Sequence[Any]) -> Value | None:
    return sum(values, Decimal()) / len(values) if values else None


def _total(values: Sequence[Any]) -> Value | None:
    """Amounts are exact decimals, so the sum is right to the last cent however many there are."""
    return sum(values, Decimal()) if values else None


AGGREGATES: Mapping[str, Callable[[Sequence[Any]], Value | None]] = {
    "count": len,
    "avg": _average,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "sum": _total,
}


def aggregated(rows: list[Row], selects: list[tuple[str, Column]]) -> tuple[list[Row], list[Column]]:
    """One row per group, in columns of their own. Raises ValueError for a sum or average of what is no number."""
    grouping = [column for how, column in selects if how == "field"]
    columns = [_column(how, column) for how, column in selects]
    groups: dict[tuple[Any, ...], list[Row]] = {} if grouping else {(): rows}
    if len(grouping) == 1:  # the usual case, worth being quick about
        read = grouping[0].read
        for row in rows:
            groups.setdefault((read(row),), []).append(row)
    elif grouping:
        for row in rows:
            groups.setdefault(tuple(column.read(row) for column in grouping), []).append(row)
    return [_row(group, selects, columns) for group in groups.values()], columns


def _row(group: list[Row], selects: list[tuple[str, Column]], columns: list[Column]) -> Row:
    found: Row = {}
    for (how, source), target in zip(selects, columns, strict=True):
        value = source.read(group[0]) if how == "field" else AGGREGATES[how](_present(group, source))
        if value is not None:
            found[target.path] = value
    return found


def _present(group: list[Row], source: Column) -> list[Any]:
    """What is not null. Over a hundred thousand rows it is felt whether each of them is asked by a call of its own."""
    if source.stored and source.field.kind not in (Kind.TEXT, Kind.ENUM):
        name = source.path
        return [value for row in group if (value := row.get(name)) is not None]
    return [value for value in map(source.read, group) if value is not None and value != ""]


def _column(how: str, source: Column) -> Column:
    if how == "field":
        path, kind = source.path, source.field.kind
    elif how in ("sum", "avg") and source.field.kind not in (Kind.INTEGER, Kind.CURRENCY):
        raise ValueError(f"{source.path} is no number")
    else:
        path = f"{how.upper()}.{source.path}"
        kind = {"count": Kind.INTEGER, "avg": Kind.CURRENCY, "sum": Kind.CURRENCY}.get(how, source.field.kind)
    return Column(path=path, field=Field(name=path, kind=kind), read=lambda row: row.get(path), stored=True)

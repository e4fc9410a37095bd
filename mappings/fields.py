"""What can be mapped: fields of a record, columns of a place, and the values that travel between them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

ITEMS_OF = "flow:"
"""A value mapping of this prefix looks up items that another flow made: what it gives can only stand in a relation."""

Value: TypeAlias = str | int | bool | Decimal | date | datetime | None
"""One neutral value. Amounts are Decimal (their currency is a field of its own), due dates ``date``, moments aware UTC ``datetime``."""

Values: TypeAlias = Mapping[str, Value]


class FieldType(StrEnum):
    """What kind of value a field holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    AMOUNT = "amount"
    INTEGER = "integer"
    DATE = "date"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LINK = "link"
    RELATION = "relation"  # the target id of another item, or several separated by commas


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a source object, in the vendor's own spelling.

    A key that begins with ``lines.`` is a field of the record's lines: it has one value per line.
    """

    key: str
    label: str
    type: FieldType = FieldType.TEXT
    example: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_of_lines(self) -> bool:
        return self.key.startswith("lines.")


@dataclass(frozen=True)
class Catalogue:
    """The fields of one kind of record, in the order people should see them."""

    fields: tuple[Field, ...]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __contains__(self, key: object) -> bool:
        return any(each.key == key for each in self.fields)

    def get(self, key: str) -> Field | None:
        return next((each for each in self.fields if each.key == key), None)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a target place. ``kind`` is the vendor's own name for its type; ``accepts`` says what may be written there."""

    id: str
    title: str
    kind: str
    accepts: frozenset[FieldType] = frozenset()
    deferred: bool = False  # cannot be set while an item is made: written in a second call
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_writable(self) -> bool:
        return bool(self.accepts)


def dump_value(value: Value) -> Any:
    """A value as JSON that ``load_value`` turns back into the very same value: texts, integers and booleans as they are."""
    match value:
        case None | bool() | str() | int():
            return value
        case Decimal():
            return {"amount": format(value, "f")}
        case datetime():
            return {"moment": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
    raise TypeError(f"not a value that travels: {type(value).__name__}")


def load_value(stored: Any) -> Value:
    """The value that ``dump_value`` stored."""
    match stored:
        case {"amount": str(text)}:
            return Decimal(text)
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case None | bool() | str() | int():
            return stored
    raise TypeError(f"not a stored value: {stored!r}")


def dump_values(values: Values) -> dict[str, Any]:
    return {key: dump_value(value) for key, value in values.items()}


def load_values(stored: Mapping[str, Any]) -> dict[str, Value]:
    return {key: load_value(value) for key, value in stored.items()}

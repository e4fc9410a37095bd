"""How each kind of object is read and polled. A new object is a new declaration, not new code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.fields import Catalogue, Field, FieldType

LINES = "lines."
PAYMENT = "payment."


@dataclass(frozen=True, kw_only=True)
class LineKind:
    """The lines of an object, as an object of their own that points at its parent."""

    name: str
    parent: str  # the field that holds the parent's RECORDNO
    inside: str  # the list's element when the parent is read with its lines
    modified: str = "WHENMODIFIED"
    counts: str = ""  # a boolean field that is false on rows which are no lines of the document (tax)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of object and how to poll it."""

    name: str
    title: str  # "Bill"
    plural: str  # "bills"
    number: str  # the field people know it by
    party: str = ""  # the field with whose it is, or its name
    modified: str = "WHENMODIFIED"  # empty until the first change
    created: str = ""  # the true creation time; empty when the object has none
    lines: LineKind | None = None
    has_payments: bool = False
    is_audited: bool = False  # the audit history tells of its deletions
    always: tuple[str, ...] = ()  # values that every record has, asked for or not
    same_as: Mapping[str, str] = field(default_factory=dict)  # a value that stands under a second name → its field
    list_name: str = ""  # the list of codes that its records make up: their value LIST
    amount: str = ""  # what a control total adds up
    currency: str = ""
    states: str = ""  # how people say that no state is left out
    letters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field → database letter → label
    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))


def field_of(key: str, label: str, kind: FieldType = FieldType.TEXT, example: str = "", choices: tuple[str, ...] = ()) -> Field:
    return Field(key=key, label=label, type=kind, example=example, choices=choices)

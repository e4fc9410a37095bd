"""What an object looks like from outside: fields with types, enum labels with database letters, and steps to other objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


class Kind(StrEnum):
    """The types as ``lookup`` names them."""

    TEXT = "TEXT"
    INTEGER = "INTEGER"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    ENUM = "ENUM"
    CURRENCY = "CURRENCY"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field. ``letters`` maps an enum's label to what the legacy functions call it."""

    name: str
    kind: Kind = Kind.TEXT
    letters: Mapping[str, str] = field(default_factory=dict)
    is_custom: bool = False


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A many-to-one step: ``own`` field of this object holds the ``theirs`` field of ``target``."""

    target: str
    own: str
    theirs: str


@dataclass(frozen=True, kw_only=True)
class ObjectType:
    name: str
    label: str
    fields: Mapping[str, Field]
    key: str = "RECORDNO"
    natural_key: str = ""  # what readByName asks for, unique in a company except for bills
    created: str = ""  # the TIMESTAMP of creation, where there is one
    relations: Mapping[str, Relation] = field(default_factory=dict)
    joined: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # field -> (relation, their field)
    starts_at: int = 1  # first RECORDNO given out


STATUS = {"active": "T", "inactive": "F"}


def same(words: str) -> dict[str, str]:
    return {word: word for word in words.split(",")}


_KINDS = {
    "": Kind.TEXT,
    "I": Kind.INTEGER,
    "B": Kind.BOOLEAN,
    "D": Kind.DATE,
    "T": Kind.TIMESTAMP,
    "E": Kind.ENUM,
    "C": Kind.CURRENCY,
}
_COMMON_ENUMS: dict[str, Mapping[str, str]] = {
    "STATUS": STATUS,
    "PAYMENTPRIORITY": same("urgent,high,normal,low"),
    "OBJECTRESTRICTION": same("Unrestricted,RootOnly,Restricted"),
}


def _fields(spec: str, enums: Mapping[str, Mapping[str, str]]) -> dict[str, Field]:
    """Read the compact form: names split by blanks, with ``:letter`` for any type but text."""
    letters = {**_COMMON_ENUMS, **enums}
    found = {}
    for word in spec.split():
        name, _, kind = word.partition(":")
        found[name] = Field(name=name, kind=_KINDS[kind], letters=letters[name] if kind == "E" else NOTHING)
    return found


def object_type(
    name: str,
    label: str,
    spec: str,
    *,
    enums: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    key: str = "RECORDNO",
    natural_key: str = "",
    created: str = "",
    relations: str = "",
    joined: str = "",
    starts_at: int = 1,
) -> ObjectType:
    """``relations``: "VENDOR=VENDOR(VENDORID>VENDORID)"; ``joined``: "VENDORNAME=VENDOR.NAME"; both split by blanks."""
    steps: dict[str, Relation] = {}
    for word in relations.split():
        step, rest = word.split("=")
        target, fields = rest.rstrip(")").split("(")
        own, theirs = fields.split(">")
        steps[step] = Relation(target=target, own=own, theirs=theirs)
    joins: dict[str, tuple[str, str]] = {}
    for word in joined.split():
        own, path = word.split("=")
        step, _, theirs = path.partition(".")
        joins[own] = (step, theirs)
    return ObjectType(
        name=name,
        label=label,
        fields=_fields(spec, enums),
        key=key,
        natural_key=natural_key,
        created=created,
        relations=steps,
        joined=joins,
        starts_at=starts_at,
    )

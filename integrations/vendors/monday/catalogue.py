"""What can be mapped: every kind of column with the types of field that it takes. Read-only kinds take nothing.

Source: README.md beside this file, "Columns".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mappings.fields import Column, FieldType

_T = FieldType
_WORDS = frozenset({_T.TEXT, _T.CHOICE})
_EVERYTHING = frozenset(FieldType)
_NOTHING: frozenset[FieldType] = frozenset()

KINDS: Final[Mapping[str, frozenset[FieldType]]] = MappingProxyType(
    {
        "name": _EVERYTHING,
        "text": _EVERYTHING,
        "long_text": _EVERYTHING,
        "numbers": frozenset({_T.AMOUNT, _T.INTEGER}),
        "date": frozenset({_T.DATE, _T.MOMENT}),
        "status": _WORDS | {_T.BOOLEAN},
        "dropdown": _WORDS | {_T.BOOLEAN},
        "link": frozenset({_T.LINK, _T.TEXT}),
        "email": frozenset({_T.TEXT}),
        "phone": frozenset({_T.TEXT}),
        "checkbox": frozenset({_T.BOOLEAN}),
        "people": frozenset({_T.TEXT, _T.INTEGER}),
        "board_relation": frozenset({_T.RELATION}),
        "hour": frozenset({_T.TEXT, _T.MOMENT}),
        "timeline": frozenset({_T.TEXT, _T.DATE}),
        "tags": frozenset({_T.TEXT, _T.INTEGER}),
        "country": _WORDS,
        "rating": frozenset({_T.INTEGER}),
        "week": frozenset({_T.DATE}),
        "location": frozenset({_T.TEXT}),
        "world_clock": _WORDS,
    }
)
"""The writable kinds, in the vendor's spelling."""

READ_ONLY: Final = frozenset(
    {
        "auto_number", "button", "color_picker", "creation_log", "dependency", "direct_doc", "doc", "file", "formula",
        "group", "integration", "item_assignees", "item_id", "last_updated", "mirror", "person", "progress", "subtasks",
        "team", "time_tracking", "unsupported", "vote",
    }
)  # fmt: skip
"""Kinds that the vendor fills itself, or that it does not let anybody set together with other columns."""

DEFERRED: Final = frozenset({"board_relation"})
"""Kinds that the vendor may drop without a word while it makes an item."""

NAME = Column(id="name", title="Name", kind="name", accepts=KINDS["name"])
"""Not a column to the vendor when it writes, but what people look at first: the item's own name."""

_INTERNAL_NAMES = MappingProxyType(
    {
        "color": "status",
        "multipleperson": "people",
        "lookup": "mirror",
        "numeric": "numbers",
        "boolean": "checkbox",
        "timerange": "timeline",
        "tag": "tags",
        "connectboards": "board_relation",
    }
)


def accepts(kind: str) -> frozenset[FieldType]:
    """What may be written to a column of this kind; a kind that we have never heard of takes nothing."""
    return KINDS.get(kind, _NOTHING)


def kind_of(internal: str) -> str:
    """Our spelling of a column type as errors and webhooks name it: "color" is a status, "ColorColumn" was one before 2025-04."""
    plain = internal.casefold().replace("_", "").replace("-", "").removesuffix("column")
    known = {kind.replace("_", ""): kind for kind in (*KINDS, *READ_ONLY)}
    return _INTERNAL_NAMES.get(plain) or known.get(plain, plain)

"""What a customer may choose of a flow beside its columns: a frozen value, read from the flow's row and from configuration files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

DELETED = ("mark", "archive")
HAND_EDITS = ("books_win", "leave")


class BadOption(ValueError):
    """An option that does not exist, or a value that it cannot have; the text is a sentence."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """``deleted``: what becomes of an item whose record the source deleted. ``hand_edits``: whether a change of the books overwrites
    what people wrote into a mapped column, or leaves and reports it. ``attachments``: the id or title
    of a file column for a record's documents.
    """

    deleted: str = "mark"
    hand_edits: str = "books_win"
    attachments: str = ""
    bulk_load: bool = False
    reconcile_nightly: bool = False
    routes: Sequence[Mapping[str, Any]] = ()


def _check_routes(routes: Any) -> None:
    if not isinstance(routes, list | tuple) or not all(isinstance(each, dict) for each in routes):
        raise BadOption("routes must be a list of tables, each with field, is and place")
    for each in routes:
        if not isinstance(each.get("field"), str) or not isinstance(each.get("place"), str):
            raise BadOption("a route needs a field and a place, both texts")
        if not isinstance(each.get("is"), list) or not all(isinstance(value, str) for value in each["is"]):
            raise BadOption("a route needs “is”: the list of values, as texts, that it is for")
        if unknown := each.keys() - {"field", "is", "place", "columns"}:
            raise BadOption(f"a route has no ‘{min(unknown)}’; it has field, is and place")


_CHOICES = {"deleted": DELETED, "hand_edits": HAND_EDITS}


def read(given: Mapping[str, Any]) -> Options:
    """Raises BadOption with a sentence."""
    known = {each.name: each.type for each in fields(Options)}
    for name, value in given.items():
        if name not in known:
            raise BadOption(f"there is no option ‘{name}’. Known are {', '.join(sorted(known))}")
        if name == "routes":
            _check_routes(value)
            continue
        if name in _CHOICES and value not in _CHOICES[name]:
            raise BadOption(f"{name} must be one of {', '.join(_CHOICES[name])}; it is {value!r}")
        if name == "attachments" and isinstance(value, str):
            continue
        if name not in _CHOICES and not isinstance(value, bool):
            raise BadOption(f"{name} must be true or false; it is {value!r}")
    return Options(**given)

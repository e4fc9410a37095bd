"""Which field probably belongs in which column: a first draft for people to correct."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mappings.check import default_types, fits
from mappings.fields import Catalogue, Column, Field

# Sober: a wrong suggestion costs more trust than a missing one. "Amount" and "Account" are 0.77 alike.
_ALIKE = 0.8
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """``why`` is for people: "same name"."""

    column: str
    field: str
    why: str


def suggest(catalogue: Catalogue, columns: Sequence[Column], *, known: Mapping[str, str]) -> tuple[Suggestion, ...]:
    """The flow's own suggestions first (``known``: column title or id → field key), then equal names, then similar ones.

    Only where types fit; each column and each field at most once.
    """
    draft = _Draft(catalogue, columns)
    draft.take_known({_plain(title): key for title, key in known.items()})
    draft.take_equal()
    draft.take_similar()
    return tuple(draft.taken[each.id] for each in columns if each.id in draft.taken)


class _Draft:
    def __init__(self, catalogue: Catalogue, columns: Sequence[Column]) -> None:
        self.catalogue, self.columns = catalogue, columns
        self.taken: dict[str, Suggestion] = {}
        self.used: set[str] = set()

    def take_known(self, known: Mapping[str, str]) -> None:
        for column in self.columns:
            field = self.catalogue.get(known.get(_plain(column.title)) or known.get(_plain(column.id)) or "")
            if field and self._may_pair(column, field):
                self._take(column, field, "suggested for this flow")

    def take_equal(self) -> None:
        for column in self.columns:
            same = (each for each in self.catalogue if _plain(column.title) in _names(each) and self._may_pair(column, each))
            if field := next(same, None):
                self._take(column, field, "same name")

    def take_similar(self) -> None:
        """Best pairs first. A column that two fields resemble equally is left to people."""
        ranked = sorted(self._similar(), key=lambda pair: -pair[0])
        for score, column, field in ranked:
            rivals = [each for each in ranked if each[0] == score and each[1] is column and each[2].key not in self.used]
            if self._may_pair(column, field) and len(rivals) == 1:
                self._take(column, field, "similar name")

    def _similar(self) -> list[tuple[float, Column, Field]]:
        pairs = [(column, field) for column in self.columns for field in self.catalogue if self._may_pair(column, field)]
        scored = [(likeness(column.title, field.label), column, field) for column, field in pairs]
        return [each for each in scored if each[0] >= _ALIKE]

    def _may_pair(self, column: Column, field: Field) -> bool:
        is_free = column.id not in self.taken and field.key not in self.used
        return is_free and all(fits(each, column) for each in default_types(field))

    def _take(self, column: Column, field: Field, why: str) -> None:
        self.taken[column.id] = Suggestion(column=column.id, field=field.key, why=why)
        self.used.add(field.key)


def likeness(one: str, other: str) -> float:
    """0 to 1: how many words have a counterpart, and how alike those are; their order does not matter."""
    ours, theirs = _words(one), _words(other)
    n_words, alike = len(ours) + len(theirs), 0.0
    for word in ours:
        best = max(theirs, key=lambda each: _ratio(word, each), default="")
        if best and (ratio := _ratio(word, best)) >= _ALIKE:
            alike += 2 * ratio
            theirs.remove(best)
    return alike / n_words if n_words else 0.0


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(text: str) -> list[str]:
    return [each.casefold() for each in _WORD.findall(text)]


def _plain(name: str) -> str:
    return re.sub(r"[\s_]", "", name).casefold()


def _names(field: Field) -> set[str]:
    return {_plain(field.label), _plain(field.key), _plain(field.key.removeprefix("lines."))}

"""What a comparison can find about one record. ``judge`` is all of it: pure, and asked twice about whatever looks wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from integrations.sync.reconcile.figures import Columns, Entry, Figure, Item


class What(StrEnum):
    """In the order in which people want to hear of it."""

    MISSING = "missing"  # in the books, not on the board
    EXTRA = "extra"  # our key on the board, not in the books
    DOUBLED = "doubled"  # two items, one key
    DIFFERENT = "different"  # another amount or currency
    UNREAD = "unread"  # counted by the source, but not given when everything was asked for
    WAITING = "waiting"  # the next run brings it in order: no disagreement
    DELETED = "deleted"  # deleted in the books, and marked so on the board: no disagreement


DISAGREEMENTS = (What.MISSING, What.EXTRA, What.DOUBLED, What.DIFFERENT, What.UNREAD)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One record about which the two sides do not say the same, and why as far as we know."""

    what: What
    external_id: str
    label: str = ""
    because: str = ""
    books: Figure | None = None
    items: tuple[Item, ...] = ()
    columns: tuple[str, ...] = ()  # those that differ

    def excused(self, because: str) -> "Finding":
        return replace(self, what=What.WAITING, because=because)

    def dump(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "record": self.external_id,
            "label": self.label,
            "because": self.because,
            "books": self.books and self.books.dump(),
            "board": [{"item": item.target_id, **item.figure.dump()} for item in self.items],
        }


def judge(external_id: str, entry: Entry | None, items: Sequence[Item], columns: Columns) -> Finding | None:
    """None when the board says what the books say."""
    found = Finding(what=What.EXTRA, external_id=external_id, books=entry.wanted if entry else None, items=tuple(items))
    if entry is None:
        return found if items else None
    if not items:
        return replace(found, what=What.MISSING, because=entry.unreadable)
    if len(items) > 1:
        return replace(found, what=What.DOUBLED)
    if entry.unreadable:
        return replace(found, what=What.DIFFERENT, because=entry.unreadable)
    differing = columns.differing(entry.wanted, items[0].figure)
    if not differing:
        return None
    because = f"The {' and the '.join(differing.values())} {'differ' if len(differing) > 1 else 'differs'}."
    return replace(found, what=What.DIFFERENT, because=because, columns=tuple(differing))

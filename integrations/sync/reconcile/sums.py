"""Count and sum per currency and kind, on three sides: what the source counted, what was read, what stands on the board."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integrations.sync.reconcile.figures import Figure
from integrations.sync.reconcile.reading import Sides
from integrations.types import Population

CREDITS = "credits"
"""What sources call amounts below zero, where they count them apart."""


@dataclass(kw_only=True)
class Sum:
    n: int = 0
    amount: Decimal = Decimal()

    def add(self, amount: Decimal, n: int = 1) -> None:
        self.n, self.amount = self.n + n, self.amount + amount

    def dump(self) -> dict[str, Any]:
        return {"n": self.n, "amount": format(self.amount, "f")}


@dataclass(kw_only=True)
class Sums:
    """One currency and kind. ``difference`` is board minus books."""

    books: Sum = field(default_factory=Sum)
    read: Sum = field(default_factory=Sum)
    board: Sum = field(default_factory=Sum)

    def dump(self, currency: str, kind: str) -> dict[str, Any]:
        difference = Sum(n=self.board.n - self.books.n, amount=self.board.amount - self.books.amount)
        sides = {"books": self.books, "read": self.read, "board": self.board, "difference": difference}
        return {"currency": currency, "kind": kind, **{name: each.dump() for name, each in sides.items()}}


def sums_of(sides: Sides, *, kind: str, deleted: Iterable[str]) -> list[dict[str, Any]]:
    """``kind`` is what most records are; items of ``deleted`` records stand apart, as "deleted", beside nothing."""
    found: dict[tuple[str, str], Sums] = defaultdict(Sums)
    has_credits = any(total.kind == CREDITS for total in sides.population.totals)

    def kind_of(figure: Figure) -> str:
        return CREDITS if has_credits and figure.number < 0 else kind

    for total in sides.population.totals:
        found[total.currency, total.kind].books.add(total.amount, total.n)
    for entry in sides.books.values():
        found[entry.own.currency or "", kind_of(entry.own)].read.add(entry.own.number)
    gone = frozenset(deleted)
    for external_id, items in sides.board.items():
        record = sides.books.get(external_id)
        for item in items:
            is_as_wanted = record is not None and item.figure.currency == record.wanted.currency
            currency = record.own.currency if record and is_as_wanted else item.figure.currency
            found[currency or "", "deleted" if external_id in gone else kind_of(item.figure)].board.add(item.figure.number)
    return [sums.dump(currency, kind) for (currency, kind), sums in sorted(found.items())]


def per_currency(population: Population) -> Mapping[str, tuple[int, Decimal]]:
    """The source's own totals, whatever their kind."""
    found: dict[str, Sum] = defaultdict(Sum)
    for total in population.totals:
        found[total.currency].add(total.amount, total.n)
    return {currency: (each.n, each.amount) for currency, each in found.items()}


def per_currency_read(sides: Sides) -> Mapping[str, tuple[int, Decimal]]:
    found: dict[str, Sum] = defaultdict(Sum)
    for entry in sides.books.values():
        found[entry.own.currency or ""].add(entry.own.number)
    return {currency: (each.n, each.amount) for currency, each in found.items()}

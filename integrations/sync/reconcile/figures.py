"""What is compared: one record's amount and currency, as the mapping wants them on the board and as they stand there."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from integrations.errors import SetupBroken
from integrations.sync.plan import MappingPlan
from integrations.sync.spec import FlowSpec
from integrations.types import Record, Schema, Standing
from mappings.apply import Rule, apply
from mappings.fields import Value, Values
from mappings.values import text_of


class Figure(NamedTuple):
    """An amount (as text where a column holds something that is no number) and a currency; None where there is none."""

    amount: Decimal | str | None
    currency: str | None

    @property
    def number(self) -> Decimal:
        """What it adds to a sum."""
        return self.amount if isinstance(self.amount, Decimal) else Decimal()

    def dump(self) -> dict[str, str | None]:
        amount = format(self.amount, "f") if isinstance(self.amount, Decimal) else self.amount
        return {"amount": amount, "currency": self.currency}


class Entry(NamedTuple):
    """A record of the books. ``own`` is what the books say, ``wanted`` what the mapping makes of it; ``unreadable`` says why neither."""

    own: Figure
    wanted: Figure
    unreadable: str = ""


class Item(NamedTuple):
    """An item of the board that bears one of this flow's keys."""

    target_id: str
    figure: Figure
    place: str


class Columns:
    """Where the amount and its currency stand on the board; nowhere for records that have no amount: then keys alone are compared."""

    def __init__(self, spec: FlowSpec, mapping: MappingPlan) -> None:
        self._spec, self._lookups = spec, mapping.lookups
        self._amount, self._currency = (_rule_of(field, mapping.rules) for field in (spec.amount, spec.currency))
        self._rules = [rule for rule in (self._amount, self._currency) if rule]

    def insist(self, schema: Schema, names: Mapping[str, str]) -> None:
        """Raise SetupBroken when the amount is not mapped, or a column is gone. ``names``: what columns are called at this place."""
        if self._spec.amount and self._amount is None:
            field = self._spec.fields.get(self._spec.amount)
            raise SetupBroken(
                f"‘{field.label if field else 'The amount'}’ is not mapped to a column of the board ‘{schema.title}’, so the two sides"
                " cannot be compared. Map it first.",
                what="amount",
            )
        there = {each.id for each in schema.columns}
        for rule in self._rules:
            if names.get(rule.column, rule.column) not in there:
                raise SetupBroken(
                    f"The board ‘{schema.title}’ no longer has the column ‘{rule.name}’. Choose another column for it.",
                    what=rule.name,
                )

    @property
    def ids(self) -> list[str]:
        return [rule.column for rule in self._rules]

    def entry(self, record: Record) -> Entry:
        mapped = apply(self._rules, values=record.values, lookups=self._lookups).values
        own = Figure(_amount(record.values.get(self._spec.amount)), _text(record.values.get(self._spec.currency)))
        return Entry(own=own, wanted=self._figure(mapped))

    def item(self, standing: Standing, place: str) -> Item:
        return Item(standing.target_id, self._figure(standing.values), place)

    def _figure(self, values: Values) -> Figure:
        amount, currency = (values.get(rule.column) if rule else None for rule in (self._amount, self._currency))
        return Figure(_amount(amount), _text(currency))

    def differing(self, wanted: Figure, stands: Figure) -> dict[str, str]:
        """The columns in which the two differ, and what to call each."""
        sides = (
            (self._amount, wanted.amount, stands.amount, "amount"),
            (self._currency, wanted.currency, stands.currency, "currency"),
        )
        return {rule.column: name for rule, ours, theirs, name in sides if rule and ours != theirs}


def unreadable(said: str) -> Entry:
    return Entry(own=Figure(None, None), wanted=Figure(None, None), unreadable=said)


def _rule_of(field: str, rules: Sequence[Rule]) -> Rule | None:
    return next((rule for rule in rules if field and rule.field == field), None)


def _amount(value: Value) -> Decimal | str | None:
    """A number wherever it is one, also in a text column; 1.5 and 1.50 are equal, as people read them."""
    if isinstance(value, Decimal):
        return value
    text = _text(value)
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _text(value: Value) -> str | None:
    return text_of(value).strip() or None

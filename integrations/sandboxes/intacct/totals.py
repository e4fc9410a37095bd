"""Amounts: how a bill's totals follow from its lines, its state and its payments, in both currencies."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from integrations.sandboxes.intacct.computed import ZERO, Tables, payments_of
from integrations.sandboxes.intacct.values import Row

CENT, _ONE = Decimal("0.01"), Decimal(1)
NO_DECIMALS = frozenset({"JPY"})
_SETTLED = frozenset({"Paid", "Reversed", "Reversal"})  # a reversed bill and its reversal settle each other
_TOTALS = frozenset(f"{trx}TOTAL{what}" for trx in ("", "TRX_") for what in ("ENTERED", "PAID", "SELECTED", "DUE"))


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What payments have paid of a bill, and what those on their way are going to pay."""

    trx_paid: Decimal = ZERO
    paid: Decimal = ZERO
    trx_selected: Decimal = ZERO
    selected: Decimal = ZERO


def settlement_of(tables: Tables, recordno: int) -> Settlement | None:
    """The payments of a bill added up, or None if it has none that counts."""
    found = list(payments_of(tables, recordno))
    if not found:
        return None
    posted, pending = [row for row, done in found if done], [row for row, done in found if not done]
    return Settlement(
        trx_paid=sum((row["TRX_PAYMENTAMOUNT"] for row in posted), ZERO),
        paid=sum((row["PAYMENTAMOUNT"] for row in posted), ZERO),
        trx_selected=sum((row["TRX_PAYMENTAMOUNT"] for row in pending), ZERO),
        selected=sum((row["PAYMENTAMOUNT"] for row in pending), ZERO),
    )


def rounded(amount: Decimal) -> Decimal:
    """Amounts with more than two decimals are rounded on their way in; fewer are left as they are."""
    exponent = amount.as_tuple().exponent
    return amount.quantize(CENT, ROUND_HALF_UP) if isinstance(exponent, int) and exponent < -2 else amount


def rate_of(bill: Row) -> Decimal:
    rate: Decimal = bill.get("EXCHANGE_RATE", _ONE)
    return rate


def base_amount(amount: Decimal, rate: Decimal) -> Decimal:
    return amount if rate == 1 else (amount * rate).quantize(CENT, ROUND_HALF_UP)


def money(row: Row, name: str) -> Decimal:
    amount: Decimal = row.get(name, ZERO)
    return amount


def with_totals(bill: Row, lines: Sequence[Row], settlement: Settlement | None = None) -> Row:
    """The header with all its totals, computed from its lines, its payments and, without these, its state."""
    entered = sum((money(line, "TRX_AMOUNT") for line in lines), ZERO)
    base = sum((money(line, "AMOUNT") for line in lines), ZERO)
    state, totals = bill.get("STATE"), {"TRX_TOTALENTERED": entered, "TOTALENTERED": base}
    if state in _SETTLED:
        paid, base_paid = entered, base
    elif settlement and (settlement.trx_paid or state != "Partially Paid"):
        paid, base_paid = settlement.trx_paid, settlement.paid
    else:
        paid = _paid(bill, entered)
        base_paid = base if paid == entered else base_amount(paid, rate_of(bill))
    if paid:
        totals |= {"TRX_TOTALPAID": paid, "TOTALPAID": base_paid}
    if settlement and settlement.trx_selected and state not in _SETTLED:
        totals |= {"TRX_TOTALSELECTED": settlement.trx_selected, "TOTALSELECTED": settlement.selected}
    elif state == "Selected":
        totals |= {"TRX_TOTALSELECTED": entered - paid, "TOTALSELECTED": base - base_paid}
    totals |= {"TRX_TOTALDUE": entered - paid, "TOTALDUE": base - base_paid}
    kept = {name: value for name, value in bill.items() if name not in _TOTALS}
    if paid and state == "Paid":
        kept.setdefault("WHENPAID", bill.get("WHENDUE", bill["WHENCREATED"]))
    return {**kept, **totals}


def _paid(bill: Row, entered: Decimal) -> Decimal:
    partly = money(bill, "TRX_TOTALPAID")
    if bill.get("STATE") == "Partially Paid" and not partly:
        return (entered * 2 / 5).quantize(_ONE if bill.get("CURRENCY") in NO_DECIMALS else CENT)
    return partly

"""What the payments of a bill say about it: how much is paid, when, how, by which reference (README.md, "Payments").

Pure: rows in, values out. A payment counts once it is posted; one that was voided counts no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timezone
from decimal import Decimal

from integrations.vendors.intacct.envelope import Row
from integrations.vendors.intacct.objects import Unparsable, parse_amount, parse_date, stamp_of
from mappings.fields import Value, Values

PAYMENT_OBJECT, DETAIL_OBJECT = "APPYMT", "APPYMTDETAIL"
BILL_KEY, PAYMENT_KEY = "RECORDKEY", "PAYMENTKEY"
BILL_FIELDS = ("STATE", "CURRENCY", "TRX_TOTALENTERED", "TRX_TOTALPAID", "TRX_TOTALDUE", "TRX_TOTALSELECTED")
DETAIL_FIELDS = (
    "RECORDNO", BILL_KEY, PAYMENT_KEY, "TRX_PAYMENTAMOUNT", "CURRENCY", "PAYMENTDATE", "WHENCREATED", "WHENMODIFIED",
)  # fmt: skip
PAYMENT_FIELDS = (
    "RECORDNO", "STATE", "DOCNUMBER", "PAYMENTMETHOD", "WHENCREATED", "WHENPAID", "AUWHENCREATED", "WHENMODIFIED",
)  # fmt: skip
NEEDED = frozenset({BILL_KEY, PAYMENT_KEY, "TRX_PAYMENTAMOUNT", "STATE", "WHENMODIFIED"})

POSTED = frozenset({"posted", "posted/complete", "complete", "c"})  # two labels and the database letter of one state
NEVER_PAID = frozenset({"reversed", "reversal", "no value"})  # settled against each other or nothing to pay
LONGEST = 250


@dataclass(frozen=True)
class Paid:
    """The payments of one bill: its payment details, and payments (these and others) by RECORDNO."""

    details: Sequence[Row] = ()
    payments: Mapping[str, Row] = field(default_factory=dict)
    zone: timezone = UTC


def values(bill: Row, paid: Paid) -> Values:
    """The ``payment.`` values of a bill. Raises Unparsable."""
    posted = [(each, paid.payments[each[PAYMENT_KEY].strip()]) for each in paid.details if _is_posted(each, paid)]
    return {
        "payment.STATE": _state(bill),
        "payment.PAID": _amount(bill, [detail for detail, _ in posted]),
        "payment.DATE": max((day for each in posted if (day := _day(*each))), default=None),
        "payment.REFERENCE": _all(payment.get("DOCNUMBER", "") for _, payment in posted),
        "payment.METHOD": _all(payment.get("PAYMENTMETHOD", "") for _, payment in posted),
    }


def newest_stamp(paid: Paid) -> str:
    """When the newest of these payments, or their parts, was made or changed. Raises Unparsable."""
    stamps = [row.get(name, "") for row in paid.details for name in ("WHENCREATED", "WHENMODIFIED")]
    rows = [row for each in paid.details if (row := paid.payments.get(each.get(PAYMENT_KEY, "").strip()))]
    stamps += [row.get(name, "") for row in rows for name in ("AUWHENCREATED", "WHENMODIFIED")]
    return max((stamp_of(each, paid.zone) for each in stamps), default="")


def _is_posted(detail: Row, paid: Paid) -> bool:
    payment = paid.payments.get(detail.get(PAYMENT_KEY, "").strip())
    return payment is not None and payment.get("STATE", "").strip().casefold() in POSTED


def _amount(bill: Row, posted: Sequence[Row]) -> Decimal:
    """The sum in the bill's currency; what the bill itself says is paid where a payment was made in another one."""
    currency = bill.get("CURRENCY", "").strip()
    others = {text for each in posted if (text := each.get("CURRENCY", "").strip())} - {currency}
    if currency and others:
        return _number(bill, "TRX_TOTALPAID")
    return sum((_number(each, "TRX_PAYMENTAMOUNT") for each in posted), Decimal(0))


def _day(detail: Row, payment: Row) -> date | None:
    texts = (detail.get("PAYMENTDATE", ""), payment.get("WHENPAID", ""), payment.get("WHENCREATED", ""))
    text = next((text.strip() for text in texts if text.strip()), "")
    return parse_date(text) if text else None


def _state(bill: Row) -> Value:
    """From the totals first: a bill that is paid in part may still be called Posted or Selected."""
    state = bill.get("STATE", "").strip().casefold()
    paid, due, selected = (_number(bill, name) for name in ("TRX_TOTALPAID", "TRX_TOTALDUE", "TRX_TOTALSELECTED"))
    if state in NEVER_PAID:
        return None
    if state == "paid" or (paid and not due):
        return "Paid"
    if paid or state == "partially paid":
        return "Partially paid"
    return "Selected" if selected or state == "selected" else "Open"


def _number(row: Row, name: str) -> Decimal:
    text = row.get(name, "").strip()
    try:
        return parse_amount(text) if text else Decimal(0)
    except Unparsable as error:
        raise Unparsable(f"{name}: {error}") from None


def _all(texts: Iterable[str]) -> str | None:
    """One text as it is; several as "multiple (2): 1001, 1002"."""
    found = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(found) < 2:
        return found[0] if found else None
    said = f"multiple ({len(found)}): {', '.join(found)}"
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"

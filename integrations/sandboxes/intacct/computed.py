"""Fields that no row holds: worked out when they are asked for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol

from integrations.sandboxes.intacct.shapes import ObjectType
from integrations.sandboxes.intacct.values import Row, Value

ZERO = Decimal(0)
POSTED = frozenset({"Posted", "Complete"})  # states of a payment that has paid
GONE = frozenset({"Voided", "Declined"})  # states of a payment that counts no longer


class Rows(Protocol):
    """As much of a table as is needed here."""

    rows: dict[int | str, Row]

    def lines_of(self, parent: Value) -> list[Row]: ...


Tables = Mapping[str, Rows]
Compute = Callable[[Tables, ObjectType, Row, int], Value | None]


def _record_url(tables: Tables, type_: ObjectType, row: Row, now: int) -> Value | None:
    return f"https://www.intacct.com/ia/acct/ur.phtml?.r=sbx{type_.name.lower()}{row[type_.key]}&.m=view"


def _due_in_days(tables: Tables, type_: ObjectType, row: Row, now: int) -> Value | None:
    due: date | None = row.get("WHENDUE")
    return None if due is None else (due - datetime.fromtimestamp(now, UTC).date()).days


def _raw_state(tables: Tables, type_: ObjectType, row: Row, now: int) -> Value | None:
    letter = type_.fields["STATE"].letters.get(str(row.get("STATE", "")), "")
    return letter if letter.isupper() else "A"  # whatever comes after posting stays approved


def payments_of(tables: Tables, recordno: Value) -> Iterator[tuple[Row, bool]]:
    """What payments say about a bill, line by line, and whether each has really paid. Those that count no longer are left out."""
    payments = tables["APPYMT"].rows
    for detail in tables["APPYMTDETAIL"].lines_of(recordno):
        state = payments[detail["PAYMENTKEY"]]["STATE"]
        if state not in GONE:
            yield detail, state in POSTED


def _line_total(amount: str, payment: str, *, selected: bool) -> Compute:
    """What was paid of one line, or is about to be; of a bill settled without any payment, all or nothing."""

    def compute(tables: Tables, type_: ObjectType, row: Row, now: int) -> Value | None:
        bill = row["RECORDKEY"]
        found = list(payments_of(tables, bill))
        if found:
            own = (detail for detail, posted in found if detail["ENTRYKEY"] == row["RECORDNO"] and posted is not selected)
            return sum((detail[payment] for detail in own), ZERO)
        state = tables["APBILL"].rows[bill]["STATE"]
        return row.get(amount, ZERO) if state in (("Selected",) if selected else ("Paid", "Reversed", "Reversal")) else ZERO

    return compute


_ANYWHERE: Mapping[str, Compute] = {"RECORD_URL": _record_url, "DUE_IN_DAYS": _due_in_days, "RAWSTATE": _raw_state}
_ON_LINES: Mapping[str, Compute] = {
    "TRX_TOTALPAID": _line_total("TRX_AMOUNT", "TRX_PAYMENTAMOUNT", selected=False),
    "TOTALPAID": _line_total("AMOUNT", "PAYMENTAMOUNT", selected=False),
    "TRX_TOTALSELECTED": _line_total("TRX_AMOUNT", "TRX_PAYMENTAMOUNT", selected=True),
    "TOTALSELECTED": _line_total("AMOUNT", "PAYMENTAMOUNT", selected=True),
}


def computer(type_: ObjectType, name: str) -> Compute | None:
    """How this field of this object is worked out, or None if rows hold it."""
    return _ANYWHERE.get(name) or (_ON_LINES.get(name) if type_.name == "APBILLITEM" else None)

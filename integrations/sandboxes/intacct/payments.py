"""Payments of bills: a header, a row for each line it pays, and what becomes of the bills."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from integrations.sandboxes.intacct.bills import stamped
from integrations.sandboxes.intacct.computed import POSTED, ZERO, payments_of
from integrations.sandboxes.intacct.objects import OBJECTS
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.state import Company
from integrations.sandboxes.intacct.totals import base_amount, money, rate_of, settlement_of, with_totals
from integrations.sandboxes.intacct.values import Row

PAYMENT, DETAIL = OBJECTS["APPYMT"], OBJECTS["APPYMTDETAIL"]
_PAYABLE = frozenset({"Posted", "Selected", "Partially Paid"})


def pay(company: Company, amounts: Mapping[int, Decimal | None], fields: Row, now: int, settings: Settings) -> int:
    """Put a payment in, of all that is open where no amount is given; the bills follow by ``refresh``. Raises ValueError."""
    bills = [company.tables["APBILL"].rows[recordno] for recordno in amounts]
    for bill in bills:
        _check(bill, amounts[bill["RECORDNO"]])
    if len({(bill.get("VENDORID"), bill["CURRENCY"], bill.get("MEGAENTITYID")) for bill in bills}) != 1:
        raise ValueError("one payment pays bills of one vendor, one currency and one entity")
    return put_payment(company, {bill["RECORDNO"]: amounts[bill["RECORDNO"]] for bill in bills}, fields, now, settings)


def _check(bill: Row, amount: Decimal | None) -> None:
    open_ = open_amount(bill)
    if bill["STATE"] not in _PAYABLE or open_ == 0:
        raise ValueError(f"bill {bill['RECORDNO']} is {bill['STATE']} with {open_} open: nothing to pay")
    if amount is not None and (amount == 0 or amount * open_ < 0 or abs(amount) > abs(open_)):
        raise ValueError(f"{amount} for bill {bill['RECORDNO']} exceeds total amount due, {open_}")


def open_amount(bill: Row) -> Decimal:
    """What no payment has paid and none is about to pay."""
    return money(bill, "TRX_TOTALDUE") - money(bill, "TRX_TOTALSELECTED")


def put_payment(company: Company, amounts: Mapping[int, Decimal | None], fields: Row, now: int, settings: Settings) -> int:
    """The rows of a payment, unchecked, the bills left as they are."""
    bills, table = company.tables["APBILL"].rows, company.tables["APPYMT"]
    first = bills[next(iter(amounts))]
    payment: Row = {"RECORDNO": table.new_key(), "CURRENCY": first["CURRENCY"], "FINANCIALENTITY": "BOA-CHECKING", **fields}
    payment.setdefault("VENDORID", first.get("VENDORID"))
    if "MEGAENTITYID" in first:
        payment["MEGAENTITYID"] = first["MEGAENTITYID"]
    stamped(PAYMENT, payment, now, settings)
    details = [row for recordno, amount in amounts.items() for row in _details(company, bills[recordno], amount)]
    entered, base = sum((row["TRX_PAYMENTAMOUNT"] for row in details), ZERO), sum((row["PAYMENTAMOUNT"] for row in details), ZERO)
    payment |= {"TRX_TOTALENTERED": entered, "TOTALENTERED": base}
    table.put(_dated({**payment, "TOTALDUE": ZERO, "TRX_TOTALDUE": ZERO}))
    for number, row in enumerate(details, start=1):
        row |= {"PAYMENTKEY": payment["RECORDNO"], "PAYMENTENTRYKEY": payment["RECORDNO"] * 1000 + number}
        company.tables["APPYMTDETAIL"].put(stamped(DETAIL, row, payment.get("WHENMODIFIED", now), settings))
    return int(payment["RECORDNO"])


def _dated(payment: Row) -> Row:
    """A payment that has paid says when, and how much."""
    if payment["STATE"] not in POSTED:
        return payment
    paid = {"WHENPAID": payment["WHENCREATED"], "WHENPOSTED": payment["WHENCREATED"]}
    paid |= {"TOTALPAID": payment["TOTALENTERED"], "TRX_TOTALPAID": payment["TRX_TOTALENTERED"]}
    return {**paid, **payment}


def _details(company: Company, bill: Row, amount: Decimal | None) -> list[Row]:
    """One row for each line that gets something: all that is open, or line after line as far as the amount goes."""
    rest, rate, rows = amount, rate_of(bill), []
    for line, trx, base in _open_lines(company, bill["RECORDNO"]):
        if rest is not None:
            part = ZERO if trx * rest <= 0 else min(trx, rest) if trx > 0 else max(trx, rest)
            trx, base, rest = part, base if part == trx else base_amount(part, rate), rest - part
        if trx:
            row: Row = {"RECORDNO": company.tables["APPYMTDETAIL"].new_key(), "RECORDKEY": bill["RECORDNO"]}
            row |= {"ENTRYKEY": line["RECORDNO"], "TRX_PAYMENTAMOUNT": trx, "PAYMENTAMOUNT": base}
            if "MEGAENTITYID" in bill:
                row["MEGAENTITYID"] = bill["MEGAENTITYID"]
            rows.append(row)
    return rows


def _open_lines(company: Company, recordno: int) -> list[tuple[Row, Decimal, Decimal]]:
    """Each line with what is open of it, in its own currency and in the company's."""
    given: dict[int, tuple[Decimal, Decimal]] = {}
    for detail, _ in payments_of(company.tables, recordno):
        trx, base = given.get(detail["ENTRYKEY"], (ZERO, ZERO))
        given[detail["ENTRYKEY"]] = trx + detail["TRX_PAYMENTAMOUNT"], base + detail["PAYMENTAMOUNT"]
    found = []
    for line in company.tables["APBILLITEM"].lines_of(recordno):
        trx, base = given.get(line["RECORDNO"], (ZERO, ZERO))
        found.append((line, money(line, "TRX_AMOUNT") - trx, money(line, "AMOUNT") - base))
    return found


def bills_of(company: Company, payment: int) -> list[int]:
    """The RECORDNOs of the bills a payment pays."""
    details = company.tables["APPYMTDETAIL"].rows.values()
    return list(dict.fromkeys(row["RECORDKEY"] for row in details if row["PAYMENTKEY"] == payment))


def refresh(company: Company, recordno: int, stamp: int | None) -> None:
    """Bring a bill's totals and state in line with its payments; ``stamp`` None leaves its WHENMODIFIED as it was."""
    tables = company.tables
    bill, lines = dict(tables["APBILL"].rows[recordno]), tables["APBILLITEM"].lines_of(recordno)
    settlement = settlement_of(tables, recordno)
    entered = sum((money(line, "TRX_AMOUNT") for line in lines), ZERO)
    bill.pop("WHENPAID", None)
    if settlement is None:
        bill["STATE"] = "Posted"
        bill.pop("TRX_TOTALPAID", None)
    elif settlement.trx_selected:
        bill["STATE"] = "Selected"
    elif settlement.trx_paid == entered:
        bill |= {"STATE": "Paid", "WHENPAID": _last_paid(company, recordno)}
    else:
        bill["STATE"] = "Partially Paid" if settlement.trx_paid else "Posted"
    if stamp is not None:
        bill["WHENMODIFIED"] = stamp
    tables["APBILL"].put(with_totals(bill, lines, settlement))


def _last_paid(company: Company, recordno: int) -> date:
    payments = company.tables["APPYMT"].rows
    days: list[date] = [
        payments[row["PAYMENTKEY"]]["WHENPAID"] for row, posted in payments_of(company.tables, recordno) if posted
    ]
    return max(days)


def change(company: Company, recordno: int, changes: Row, now: int) -> None:
    """Change a payment, above all its state; its rows are stamped with it. The amounts stay. Raises ValueError."""
    if any("TOTAL" in name for name in changes):
        raise ValueError("a payment's amounts stay; void it and pay again")
    table, details = company.tables["APPYMT"], company.tables["APPYMTDETAIL"]
    table.put(_dated({**table.rows[recordno], "WHENMODIFIED": now, **changes}))
    for bill in bills_of(company, recordno):
        for row in details.lines_of(bill):
            if row["PAYMENTKEY"] == recordno:
                details.put({**row, "WHENMODIFIED": now})

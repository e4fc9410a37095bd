"""Any number of believable bills with their payments, the same ones every time."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from integrations.sandboxes.intacct.bills import put_bill
from integrations.sandboxes.intacct.chart import EXPENSES
from integrations.sandboxes.intacct.payments import put_payment, refresh
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.state import Company
from integrations.sandboxes.intacct.totals import NO_DECIMALS
from integrations.sandboxes.intacct.values import Row, Value

PURPOSES = ["Monthly service", "Quarterly retainer", "Replacement parts", "Spring campaign"]
PURPOSES += ["Year-end review", "Relocation", "Licences", "Repairs"]
RATES = {"USD": Decimal(1), "EUR": Decimal("1.0842"), "JPY": Decimal("0.0067")}
STATES = ["Posted"] * 11 + ["Paid"] * 4
STATES += ["Draft", "Submitted", "Partially Approved", "Selected", "Partially Paid", "Declined", "Reversed"]
_PAYING = frozenset({"Paid", "Partially Paid", "Selected"})
_METHODS = ("EFT", "Printed Check", "ACH")
_MOVED_ON = frozenset({"Paid", "Partially Paid", "Selected", "Declined", "Reversed"})
_CURRENCIES = ["USD"] * 8 + ["EUR", "JPY"]


def put_bills(
    company: Company, n: int, start: int, end: int, settings: Settings, *, lines_per_bill: int = 0, same_stamp: bool = False
) -> list[int]:
    """Put ``n`` bills in, stamped evenly from ``start`` to ``end``, or all at ``start``; says their RECORDNOs."""
    first = company.tables["APBILL"].next_key
    dice = random.Random(first)  # the same bills every time, and others for every further seeding
    vendors = [row for row in company.tables["VENDOR"].rows.values() if row.get("STATUS") == "active"]
    numbers = []
    for number in range(n):
        stamp = start if same_stamp else start + (end - start) * number // max(1, n - 1)
        private = bool(settings.private_every) and (first + number) % settings.private_every == 0
        bill = _bill(dice, first + number, stamp, vendors[dice.randrange(len(vendors))], private)
        lines = _lines(dice, bill, lines_per_bill or dice.choice((1, 1, 2, 2, 3, 4)))
        for field, object_name in company.dimensions.items():
            ids = list(company.tables[object_name].rows)
            lines[0] |= {field: ids[number % len(ids)]} if ids and number % 2 else {}
        numbers.append(put_bill(company, bill, lines, stamp, settings))
        if bill["STATE"] in _PAYING:
            _pay(company, numbers[-1], stamp, settings)
    return numbers


def _pay(company: Company, recordno: int, stamp: int, settings: Settings) -> None:
    """The payment behind a seeded bill that is paid or about to be; credits were settled some other way."""
    bill = company.tables["APBILL"].rows[recordno]
    if bill["TRX_TOTALENTERED"] <= 0:
        return
    state = "Posted" if bill["STATE"] != "Selected" else ("Draft", "Submitted", "Approved")[recordno % 3]
    row: Row = {"STATE": state, "PAYMENTMETHOD": _METHODS[recordno % len(_METHODS)], "WHENCREATED": _day(stamp)}
    row |= {"DOCNUMBER": str(recordno), "AUWHENCREATED": stamp, "WHENMODIFIED": stamp}
    partly = bill["STATE"] == "Partially Paid"
    put_payment(company, {recordno: bill["TRX_TOTALPAID"] if partly else None}, row, stamp, settings)
    if partly:
        refresh(company, recordno, None)


def _bill(dice: random.Random, recordno: int, stamp: int, vendor: Row, private: bool) -> Row:
    day = _day(stamp - dice.randrange(20) * 86400)
    state, currency = dice.choice(STATES), dice.choice(_CURRENCIES)
    term = str(vendor.get("TERMNAME") or "N30")
    bill: Row = {
        "STATE": state,
        "CURRENCY": currency,
        "VENDORID": vendor["VENDORID"],
        "RECORDID": f"{str(vendor['VENDORID'])[2:]}-{recordno:06d}",
        "DESCRIPTION": dice.choice(PURPOSES),
        "TERMNAME": term,
        "WHENCREATED": day,
        "WHENPOSTED": day,
        "WHENDUE": day + timedelta(days=int(term[1:]) if term[1:].isdigit() else 30),
    }
    if dice.randrange(3) == 0:
        bill["DOCNUMBER"] = f"PO-{dice.randrange(1000, 9999)}"
    if dice.randrange(9) == 0:
        bill["MODULEKEY"] = "9.PO"
    if currency != "USD":
        bill["EXCHANGE_RATE"] = RATES[currency]
    if private:
        bill["MEGAENTITYID"] = "E200"
    if state == "Paid":
        bill["WHENPAID"] = _day(stamp)
    if state in _MOVED_ON:
        bill |= {"AUWHENCREATED": stamp - dice.randrange(1, 5) * 43200, "WHENMODIFIED": stamp}
    return bill


def _day(stamp: int) -> date:
    return datetime.fromtimestamp(stamp, UTC).date()


def _lines(dice: random.Random, bill: Row, n: int) -> list[Row]:
    sign = -1 if dice.randrange(40) == 0 else 1  # now and then a credit
    return [_line(dice, bill, sign) for _ in range(n)]


def _line(dice: random.Random, bill: Row, sign: int) -> Row:
    amount: Value
    if bill["CURRENCY"] in NO_DECIMALS:
        amount = Decimal(sign * dice.randrange(1000, 900000))
    else:
        cents = sign * dice.randrange(500, 750000)
        # Amounts leave with two decimals, one or none, so nobody may count on two.
        amount = Decimal(cents // 100) if cents % 23 == 0 else Decimal(cents).scaleb(-2)
    line: Row = {"ACCOUNTNO": dice.choice(EXPENSES), "TRX_AMOUNT": amount, "LOCATIONID": dice.choice(("100", "110", "200"))}
    if dice.randrange(4):
        line["DEPARTMENTID"] = dice.choice(("D100", "D200", "D300", "D400"))
    if dice.randrange(5) == 0:
        line["CLASSID"] = dice.choice(("C1", "C2"))
    if dice.randrange(6) == 0:
        line |= {"PROJECTID": "P1", "CUSTOMERID": "CU1"}
    if dice.randrange(2):
        line["ENTRYDESCRIPTION"] = bill["DESCRIPTION"]
    return line

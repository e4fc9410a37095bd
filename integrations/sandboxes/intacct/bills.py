"""How a bill holds together: lines that add up to the header, base beside document currency, stamps, and the trace it leaves."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.sandboxes.intacct.computed import ZERO
from integrations.sandboxes.intacct.objects import OBJECTS
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.shapes import Kind, ObjectType
from integrations.sandboxes.intacct.state import Company, UnknownField
from integrations.sandboxes.intacct.totals import base_amount, money, rate_of, rounded, settlement_of, with_totals
from integrations.sandboxes.intacct.values import Row, Value, parse

BILL, LINE = OBJECTS["APBILL"], OBJECTS["APBILLITEM"]
_NOT_REVERSED = frozenset({"Draft", "Submitted", "Partially Approved", "Declined", "Paid", "Reversed", "Reversal"})


def incoming(company: Company, type_: ObjectType, fields: Mapping[str, Any], zone: int = 0) -> Row:
    """Field values as given by a caller, wire text or Python values, into memory form; empty text and None mean "not set".

    Raises UnknownField and ValueError.
    """
    known, row = company.fields_of(type_), Row()
    for name, value in fields.items():
        if name not in known:
            raise UnknownField(name)
        if value is not None and value != "":
            found = _in_memory(known[name].kind, value, zone)
            row[name] = rounded(found) if isinstance(found, Decimal) and name != "EXCHANGE_RATE" else found
    return row


def _in_memory(kind: Kind, value: Any, zone: int) -> Value:
    if kind is Kind.TIMESTAMP and isinstance(value, datetime):
        return int(value.timestamp())
    if kind is Kind.CURRENCY:
        return value if isinstance(value, Decimal) else parse(kind, str(value), zone)
    return parse(kind, value, zone) if isinstance(value, str) else value


def stamped(type_: ObjectType, row: Row, now: int, settings: Settings) -> Row:
    """A new record's stamps, where nothing else was asked for."""
    if type_.created:
        row.setdefault(type_.created, min(now, row.get("WHENMODIFIED", now)))
    if "WHENMODIFIED" in type_.fields and not settings.leaves_modified_empty(type_.name):
        row.setdefault("WHENMODIFIED", row.get(type_.created, now))
    return row


def put_bill(company: Company, fields: Row, lines: Iterable[Row], now: int, settings: Settings) -> int:
    """Put a new bill and its lines in; says its RECORDNO."""
    table = company.tables["APBILL"]
    bill: Row = {"RECORDNO": table.new_key(), "STATE": "Posted", "CURRENCY": "USD", **fields}
    recordno: int = bill["RECORDNO"]
    table.next_key = max(table.next_key, recordno + 1)
    day = datetime.fromtimestamp(now, UTC).date()
    bill.setdefault("RECORDID", f"INV-{recordno}")
    bill.setdefault("WHENCREATED", day)
    bill.setdefault("WHENDUE", bill["WHENCREATED"] + timedelta(days=30))
    bill.setdefault("WHENPOSTED", bill["WHENCREATED"])
    stamped(BILL, bill, now, settings)
    put = put_lines(company, bill, lines, settings)
    table.put(with_totals(bill, put))
    return recordno


def put_lines(company: Company, bill: Row, lines: Iterable[Row], settings: Settings) -> list[Row]:
    """Put lines in, numbered from 1, new ones stamped as the header is. A bill without any gets one."""
    table, put = company.tables["APBILLITEM"], []
    lines = list(lines) or [{"TRX_AMOUNT": bill.get("TRX_TOTALENTERED", ZERO), "ACCOUNTNO": "4000-01-00", "LOCATIONID": "100"}]
    rate, stamp = rate_of(bill), bill.get("WHENMODIFIED") or bill[BILL.created]
    for number, fields in enumerate(lines, start=1):
        line: Row = {"RECORDNO": fields.get("RECORDNO") or table.new_key(), **fields}
        line |= {"RECORDKEY": bill["RECORDNO"], "LINE_NO": number}
        amount = line.setdefault("TRX_AMOUNT", ZERO)
        line["AMOUNT"] = base_amount(amount, rate)
        if "MEGAENTITYID" in bill:
            line["MEGAENTITYID"] = bill["MEGAENTITYID"]
        table.put(stamped(LINE, line, stamp, settings))
        put.append(line)
    return put


def change_bill(
    company: Company, recordno: int, changes: Row, lines: Iterable[Row] | None, now: int, settings: Settings, stamp: int | None
) -> None:
    """Change a header, and its lines where a new set is given: those missing from it are gone."""
    table = company.tables["APBILL"]
    bill: Row = {**table.rows[recordno], **changes, "WHENMODIFIED": now if stamp is None else stamp}
    if "STATE" in changes and "TRX_TOTALPAID" not in changes:
        bill.pop("TRX_TOTALPAID", None)
    if "STATE" in changes and changes["STATE"] != "Paid" and "WHENPAID" not in changes:
        bill.pop("WHENPAID", None)
    keeps_lines = lines is None
    put = _fitting_lines(company, bill, changes, now) if keeps_lines else replace_lines(company, bill, lines or (), settings)
    table.put(with_totals(bill, put, settlement_of(company.tables, recordno)))


def replace_lines(company: Company, bill: Row, lines: Iterable[Row], settings: Settings) -> list[Row]:
    table = company.tables["APBILLITEM"]
    old = {line["RECORDNO"]: line for line in table.lines_of(bill["RECORDNO"])}
    new = [_continued(old.get(line.get("RECORDNO", 0)), line, bill["WHENMODIFIED"]) for line in lines]
    kept = {line.get("RECORDNO") for line in new}
    for key in old:
        if key not in kept:
            table.drop(key)
    return put_lines(company, bill, new, settings)


def _continued(old: Row | None, line: Row, stamp: int) -> Row:
    """A line that names an old one goes on as that; any other is new, whatever number it came with."""
    if old is None:
        return {name: value for name, value in line.items() if name != "RECORDNO"}
    return {**old, **line, "WHENMODIFIED": stamp}


def _fitting_lines(company: Company, bill: Row, changes: Row, now: int) -> list[Row]:
    """The bill's lines; a total, rate or owner changed on the header alone is carried to them so that all still adds up."""
    table = company.tables["APBILLITEM"]
    lines = table.lines_of(bill["RECORDNO"])
    if not {"TRX_TOTALENTERED", "EXCHANGE_RATE", "MEGAENTITYID"} & changes.keys():
        return lines
    entered = sum((money(line, "TRX_AMOUNT") for line in lines), ZERO)
    difference, changed = money(changes, "TRX_TOTALENTERED") - entered if "TRX_TOTALENTERED" in changes else ZERO, []
    for line in lines:
        amount = money(line, "TRX_AMOUNT") + difference
        line = {**line, "TRX_AMOUNT": amount, "AMOUNT": base_amount(amount, rate_of(bill)), "WHENMODIFIED": now}
        if "MEGAENTITYID" in bill:
            line["MEGAENTITYID"] = bill["MEGAENTITYID"]
        table.put(line)
        changed.append(line)
        difference = ZERO
    return changed


def delete_bill(company: Company, recordno: int, by: str, now: int, source: str) -> None:
    """The bill goes with its lines and with what payments say about it."""
    for name in ("APPYMTDETAIL", "APBILLITEM"):
        table = company.tables[name]
        for line in table.lines_of(recordno):
            table.drop(line["RECORDNO"])
    company.write_down("D", BILL, company.tables["APBILL"].rows[recordno], by, now, source)
    company.tables["APBILL"].drop(recordno)


def put_reversal(company: Company, recordno: int, fields: Row, now: int, settings: Settings) -> int:
    """Take a bill back: it becomes Reversed, and a bill of the opposite amounts stands beside it. Raises ValueError."""
    bills, lines = company.tables["APBILL"], company.tables["APBILLITEM"].lines_of(recordno)
    old = bills.rows[recordno]
    if old["STATE"] in _NOT_REVERSED or settlement_of(company.tables, recordno):
        raise ValueError(f"bill {recordno} is {old['STATE']} and cannot be reversed; void its payments first")
    opposite = [{**without_keys(LINE, line), "TRX_AMOUNT": -money(line, "TRX_AMOUNT")} for line in lines]
    reversal: Row = {**without_keys(BILL, old), "STATE": "Reversal", "RECORDID": f"{old['RECORDID']}-REV", "MODULEKEY": "3.AP"}
    reversal |= {"DESCRIPTION": f"Reversal of {old['RECORDID']}", "WHENCREATED": datetime.fromtimestamp(now, UTC).date()}
    reversal["WHENPOSTED"] = reversal["WHENDUE"] = fields.get("WHENCREATED", reversal["WHENCREATED"])
    change_bill(company, recordno, {"STATE": "Reversed"}, None, now, settings, None)
    return put_bill(company, {**reversal, **fields}, opposite, now, settings)


def without_keys(type_: ObjectType, row: Row) -> Row:
    """A row to be put in once more under another RECORDNO."""
    gone = ("RECORDNO", "RECORDKEY", "WHENMODIFIED", type_.created)
    return {name: value for name, value in row.items() if name not in gone}

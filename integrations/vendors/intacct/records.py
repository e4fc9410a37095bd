"""Turns rows of text into typed records, one by one: a row that cannot be read never costs its neighbours."""

from collections.abc import Sequence
from datetime import timezone
from typing import NamedTuple

from integrations.errors import RecordRejected
from integrations.types import Record, Unreadable
from integrations.vendors.intacct import payments
from integrations.vendors.intacct.envelope import Row
from integrations.vendors.intacct.kinds import LINES, PAYMENT, Kind
from integrations.vendors.intacct.objects import Unparsable, parse_boolean, parse_value, stamp_of
from mappings.fields import Field, Value, Values

RECORDNO = "RECORDNO"


class Touch(NamedTuple):
    """When the lines and the payments of a record were last seen to change; empty when they were not."""

    lines: str = ""
    payments: str = ""


class Reader:
    """Reads records of one kind, with these fields (``lines.`` fields go to the lines, under the same full key)."""

    def __init__(self, kind: Kind, fields: Sequence[str]) -> None:
        self._kind = kind
        known = [kind.catalogue.get(key) or Field(key=key, label=key) for key in dict.fromkeys([*fields, *kind.always])]
        self._header = [each for each in known if not each.is_of_lines and not each.key.startswith(PAYMENT)]
        self._line = [each for each in known if each.is_of_lines]
        self._payment = [each.key for each in known if each.key.startswith(PAYMENT)] if kind.has_payments else []

    @property
    def header_fields(self) -> list[str]:
        """What to select from the object: what was asked for, and what reading it takes."""
        kind = self._kind
        needed = (RECORDNO, kind.modified, kind.created, kind.number, kind.party)
        of_payments = payments.BILL_FIELDS if self._payment else ()
        asked = [self._column(each) for each in self._header]
        return list(dict.fromkeys(each for each in (*needed, *asked, *of_payments) if each))

    @property
    def reads_payments(self) -> bool:
        return bool(self._payment)

    @property
    def line_fields(self) -> list[str]:
        """What to select from the lines; empty when no field of them was asked for."""
        lines = self._kind.lines
        if lines is None or not self._line:
            return []
        needed = (RECORDNO, lines.parent, lines.modified, lines.counts)
        return list(dict.fromkeys([*(each for each in needed if each), *(self._column(each) for each in self._line)]))

    def record(
        self, row: Row, lines: Sequence[Row], version: str, zone: timezone, paid: payments.Paid | None = None
    ) -> Record | Unreadable:
        label = self.label(row)
        try:
            values = {**self._values(self._header, row, zone), **self._paid(row, paid)}
            read = tuple(self._values(self._line, line, zone) for line in self._real(lines))
        except Unparsable as error:
            return unreadable(row[RECORDNO], label, str(error))
        return Record(external_id=row[RECORDNO], label=label, values=values, lines=read, version=version)

    def label(self, row: Row) -> str:
        """How people call it: "Bill INV-2041, Harbor Supply"."""
        number, party = row.get(self._kind.number, "").strip(), row.get(self._kind.party, "").strip()
        name = f"{self._kind.title} {number or 'number ' + row.get(RECORDNO, '')}"
        return f"{name}, {party}" if party else name

    def stamp(self, row: Row, zone: timezone) -> str:
        """When the object last changed, or was made if it never has: part of its version. Raises Unparsable."""
        text = row.get(self._kind.modified, "").strip() or row.get(self._kind.created, "").strip()
        return stamp_of(text, zone)

    def line_stamp(self, lines: Sequence[Row], zone: timezone) -> str:
        """When the newest of these lines changed; empty when none ever has."""
        modified = self._kind.lines.modified if self._kind.lines else ""
        return max((stamp_of(line.get(modified, ""), zone) for line in lines), default="")

    def _values(self, fields: Sequence[Field], row: Row, zone: timezone) -> Values:
        return {each.key: self._value(each, self._text(each, row), zone) for each in fields}

    def _paid(self, row: Row, paid: payments.Paid | None) -> Values:
        if paid is None or not self._payment:
            return {}
        found = payments.values(row, paid)
        return {key: found.get(key) for key in self._payment}

    def _text(self, field: Field, row: Row) -> str:
        return row.get(column, "") if (column := self._column(field)) else self._kind.list_name

    def _column(self, field: Field) -> str:
        """The vendor's field; empty for LIST, which is ours."""
        key = field.key.removeprefix(LINES).upper()
        return "" if key == "LIST" and self._kind.list_name else self._kind.same_as.get(key, key)

    def _value(self, field: Field, text: str, zone: timezone) -> Value:
        try:
            return parse_value(field, text, zone, dict(self._kind.letters.get(field.key, {})))
        except Unparsable as error:
            raise Unparsable(f"{field.label}: {error}") from None

    def _real(self, lines: Sequence[Row]) -> Sequence[Row]:
        """Without tax rows, which stand among the lines with LINEITEM false.

        Where no row of a document is marked as a line, the mark says nothing, and every row is one.
        """
        counts = self._kind.lines.counts if self._kind.lines else ""
        marks = [parse_boolean(text) if (text := line.get(counts, "").strip()) else None for line in lines]
        return lines if True not in marks else [line for line, mark in zip(lines, marks, strict=True) if mark is not False]


def unreadable(external_id: str, label: str, why: str) -> Unreadable:
    said = f"{label} cannot be read: {why}. Correct it in Sage Intacct; it is read again when it changes."
    return Unreadable(external_id=external_id, label=label, error=RecordRejected(said, vendor="intacct", detail=why))


def version_of(stamp: str, line_stamp: str, payment_stamp: str | None = None) -> str:
    """Changes whenever the object, the newest of its lines or (where they are read) the newest of its payments does."""
    return f"{stamp}|{line_stamp}" + ("" if payment_stamp is None else f"|{payment_stamp}")


def is_current(version: str | None, stamp: str | None, touch: Touch) -> bool:
    """Is what we carry no older than this? ``stamp`` None: only lines and payments are asked about."""
    if version is None:
        return False
    carried, lines, paid, *_ = *version.split("|"), "", ""
    return (stamp is None or carried == stamp) and lines >= touch.lines and paid >= touch.payments

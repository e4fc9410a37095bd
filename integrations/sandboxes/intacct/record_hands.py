"""What tests and the demo may do with everything that is neither bill nor payment: vendors, dimensions, files, credits."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integrations.sandboxes.intacct.bills import incoming, stamped
from integrations.sandboxes.intacct.dimensions import put_dimension
from integrations.sandboxes.intacct.objects import LINES
from integrations.sandboxes.intacct.reach import BY, COMPANY, Reach, dotted
from integrations.sandboxes.intacct.shapes import Field, Kind
from integrations.sandboxes.intacct.state import Attachment
from integrations.sandboxes.intacct.totals import base_amount, rate_of, rounded
from integrations.sandboxes.intacct.values import Row

_ELSEWHERE = {"APBILL": "change_bill", "APBILLITEM": "change_line", "APPYMT": "change_payment"}


class RecordHands(Reach):
    def add_custom_field(self, object_name: str, name: str, *, kind: Kind = Kind.TEXT, company: str = COMPANY) -> None:
        fields = self.companies[company].custom.setdefault(object_name, {})
        fields[name] = Field(name=name, kind=kind, is_custom=True)

    def add(self, object_name: str, *, company: str = COMPANY, hidden_for: float = 0, **fields: Any) -> str:
        """Any record of a plain object; says its RECORDNO. ``hidden_for`` seconds no reader sees it."""
        with self.lock:
            found = self.companies[company]
            type_, table = found.objects[object_name], found.tables[object_name]
            row = incoming(found, type_, dotted(fields))
            key = row.setdefault(type_.key, table.new_key())
            table.put(stamped(type_, row, self.now(), self.settings))
            if object_name not in LINES:
                found.write_down("C", type_, row, BY, self.now())
            if hidden_for:
                table.hidden[key] = self.now() + int(hidden_for)
            return str(key)

    def change(self, object_name: str, recordno: str, *, company: str = COMPANY, **fields: Any) -> None:
        """Change a record of a plain object; what is given as empty or None is cleared. Raises ValueError for bills and payments."""
        if object_name in _ELSEWHERE:
            raise ValueError(f"{object_name} has {_ELSEWHERE[object_name]} of its own")
        with self.lock:
            found = self.companies[company]
            type_, table = found.objects[object_name], found.tables[object_name]
            named = dotted(fields)
            given = incoming(found, type_, named)
            kept = {name: value for name, value in table.rows[int(recordno)].items() if name not in named}
            stamp = {"WHENMODIFIED": self.now()} if "WHENMODIFIED" in type_.fields else {}
            table.put({**kept, **stamp, **given})
            found.write_down("M", type_, table.rows[int(recordno)], BY, self.now())

    def delete(self, object_name: str, recordno: str, *, company: str = COMPANY) -> None:
        """Delete a record of a plain object. Raises ValueError for bills and payments."""
        if object_name in _ELSEWHERE:
            raise ValueError(f"{object_name} is not deleted here")
        with self.lock:
            found = self.companies[company]
            row = found.tables[object_name].rows[int(recordno)]
            found.tables[object_name].drop(int(recordno))
            found.write_down("D", found.objects[object_name], row, BY, self.now())

    def record(self, object_name: str, recordno: str, *, company: str = COMPANY) -> dict[str, str]:
        """One record of any object as wire text in UTC."""
        with self.lock:
            found = self.companies[company]
            return self._writer(found, found.objects[object_name])(found.tables[object_name].rows[int(recordno)])

    def add_vendor(self, *, company: str = COMPANY, **fields: Any) -> str:
        """``VENDORID`` and ``NAME`` are enough; with ``MEGAENTITYID`` it belongs to one entity alone."""
        name = fields.get("NAME", fields.get("VENDORID", ""))
        return self.add("VENDOR", company=company, **{"STATUS": "active", "DISPLAYCONTACT__PRINTAS": name, **fields})

    def change_vendor(self, vendor: str, *, company: str = COMPANY, **fields: Any) -> None:
        """Change a vendor, named by its VENDORID or its RECORDNO; ``STATUS="inactive"`` is what is done instead of deleting."""
        by_name = self.companies[company].tables["VENDOR"].by_name
        self.change("VENDOR", str(by_name.get(vendor, vendor)), company=company, **fields)

    def add_dimension(
        self, name: str, label: str = "", values: Iterable[str] | Mapping[int, str] = (), *, company: str = COMPANY
    ) -> dict[str, int]:
        """A dimension of the company's own: "FUND" makes the object FUND and the field GLDIMFUND of lines. Says name -> id."""
        with self.lock:
            return put_dimension(self.companies[company], name, label or name.title(), values, self.now())

    def attach(self, recordno: str, filename: str, data: bytes, *, object_name: str = "APBILL", company: str = COMPANY) -> str:
        """Put a file to a bill (or vendor, …) and stamp it; says the SUPDOCID, which further files of that record share."""
        with self.lock:
            found, now = self.companies[company], self.now()
            type_, table = found.objects[object_name], found.tables[object_name]
            row = table.rows[int(recordno)]
            number = len(found.attachments) + 1
            id_ = row.get("SUPDOCID") or f"ATT-{number:04d}"
            old = found.attachments.get(id_) or Attachment(recordno=number, id=id_, created=now)
            found.attachments[id_] = replace(old, files=(*old.files, (filename, data)))
            table.put({**row, "SUPDOCID": id_, "WHENMODIFIED": now})
            found.write_down("M", type_, row, BY, now)
            return str(id_)

    def add_adjustment(self, amount: str | Decimal, *, company: str = COMPANY, **fields: Any) -> str:
        """A vendor's credit (or debit, above zero) that is no bill; it is all open and posted if nothing else is said."""
        with self.lock:
            trx, today = rounded(Decimal(amount)), datetime.fromtimestamp(self.now(), UTC).date()
            given = {
                "VENDORID": "V-011",
                "STATE": "Posted",
                "CURRENCY": "USD",
                "WHENCREATED": today,
                "WHENPOSTED": today,
                **fields,
            }
            row: Row = incoming(self.companies[company], self.companies[company].objects["APADJUSTMENT"], given)
            base = base_amount(trx, rate_of(row))
            totals = {"TRX_TOTALENTERED": trx, "TRX_TOTALDUE": trx, "TOTALENTERED": base, "TOTALDUE": base}
            return self.add("APADJUSTMENT", company=company, **{**totals, **given})

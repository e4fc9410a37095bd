"""What tests and the demo may do to a world directly, without any XML: open companies, put bills in, change and delete them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.sandboxes.intacct import bills as bill_rules
from integrations.sandboxes.intacct.bills import BILL, LINE, without_keys
from integrations.sandboxes.intacct.company import small_company
from integrations.sandboxes.intacct.payment_hands import PaymentHands
from integrations.sandboxes.intacct.reach import BY, COMPANY, dotted
from integrations.sandboxes.intacct.record_hands import RecordHands
from integrations.sandboxes.intacct.state import Company, User
from integrations.sandboxes.intacct.totals import base_amount, rate_of, settlement_of, with_totals
from integrations.sandboxes.intacct.values import Row

Lines = Iterable[Mapping[str, Any]]


class Hands(RecordHands, PaymentHands):
    """Fields are given as wire text (moments in UTC) or as Python values; every answer is wire text."""

    def add_sender(self, id_: str, password: str, *, companies: Sequence[str] = (COMPANY,)) -> None:
        """A sender id of the vendor's, authorised by these companies."""
        self.senders[id_] = password
        for company in companies:
            self.companies[company].senders.add(id_)

    def add_company(self, id_: str, *, senders: Iterable[str] = ("sample_sender",), console: str = "", bills: int = 0) -> Company:
        """A company with accounts, dimensions and vendors; with ``console`` one that this other company may slide into."""
        with self.lock:
            company = self.companies[id_] = Company(id=id_, senders=set(senders))
            small_company(company, self.now(), replace(self.settings, bills=bills))
            if console:
                self.companies[console].clients.add(id_)
            return company

    def add_user(
        self,
        company: str,
        user: str,
        password: str,
        *,
        permissions: Mapping[str, str] | None = None,
        gmtoffset: str = "+00:00",
        locale: str = "en_US",
        dateformat: str = "/mdY",
        clock24: bool = True,
        is_active: bool = True,
    ) -> User:
        """``permissions``: object -> verbs, as in {"APBILL": "read update", "VENDOR": "read"}; None allows everything."""
        found = self.companies[company]
        recordno = found.tables["USERINFO"].new_key()
        found.users[user] = User(
            recordno=recordno,
            loginid=user,
            password=password,
            permissions=permissions,
            gmtoffset=gmtoffset,
            locale=locale,
            dateformat=dateformat,
            clock="24" if clock24 else "12",
            is_active=is_active,
        )
        row: Row = {"RECORDNO": recordno, "LOGINID": user, "DESCRIPTION": user, "USERTYPE": "business user"}
        row |= {"STATUS": "active" if is_active else "inactive", "LOGINDISABLED": True}
        found.tables["USERINFO"].put(row)
        return found.users[user]

    def add_bill(self, *, lines: Lines = (), company: str = COMPANY, hidden_for: float = 0, **fields: Any) -> str:
        """A bill, posted if nothing else is said; says its RECORDNO. ``hidden_for`` seconds no reader sees it."""
        with self.lock:
            found, type_ = self.companies[company], BILL
            row = bill_rules.incoming(found, type_, dotted(fields))
            row.setdefault("VENDORID", "V-011")
            given = [bill_rules.incoming(found, LINE, line) for line in lines]
            recordno = bill_rules.put_bill(found, row, given, self.now(), self.settings)
            self._write_down("C", found, recordno)
            if hidden_for:
                self._hide(found, recordno, self.now() + int(hidden_for))
            return str(recordno)

    def change_bill(
        self, recordno: str, *, stamp: datetime | None = None, lines: Lines | None = None, company: str = COMPANY, **fields: Any
    ) -> None:
        """Change a bill; WHENMODIFIED becomes the world's now, or ``stamp``."""
        with self.lock:
            found = self.companies[company]
            row = bill_rules.incoming(found, BILL, dotted(fields))
            given = None if lines is None else [bill_rules.incoming(found, LINE, line) for line in lines]
            moment = None if stamp is None else int(stamp.timestamp())
            bill_rules.change_bill(found, int(recordno), row, given, self.now(), self.settings, moment)
            self._write_down("M", found, int(recordno))

    def change_line(self, line: str, *, company: str = COMPANY, **fields: Any) -> None:
        """Change one line by its RECORDNO; the header's stamp stays, which is what makes such changes easy to miss."""
        with self.lock:
            found = self.companies[company]
            table, header = found.tables["APBILLITEM"], found.tables["APBILL"]
            row = {**table.rows[int(line)], **bill_rules.incoming(found, LINE, fields)}
            bill = header.rows[row["RECORDKEY"]]
            if "TRX_AMOUNT" in fields:
                row["AMOUNT"] = base_amount(row["TRX_AMOUNT"], rate_of(bill))
            table.put({**row, "WHENMODIFIED": self.now()})
            paid = settlement_of(found.tables, row["RECORDKEY"])
            header.put(with_totals(bill, table.lines_of(row["RECORDKEY"]), paid))

    def delete_bill(self, recordno: str, *, company: str = COMPANY) -> None:
        with self.lock:
            bill_rules.delete_bill(self.companies[company], int(recordno), BY, self.now(), "ui")

    def recreate_bill(self, recordno: str, *, company: str = COMPANY, **changes: Any) -> str:
        """What purchasing does on a changed order: the bill is deleted and comes again, its number kept, its RECORDNO new."""
        with self.lock:
            found = self.companies[company]
            old = found.tables["APBILL"].rows[int(recordno)]
            lines = [without_keys(LINE, line) for line in found.tables["APBILLITEM"].lines_of(int(recordno))]
            bill_rules.delete_bill(found, int(recordno), BY, self.now(), "system")
            row = {**without_keys(BILL, old), **bill_rules.incoming(found, BILL, dotted(changes))}
            new = bill_rules.put_bill(found, row, lines, self.now(), self.settings)
            self._write_down("C", found, new, source="system")
            return str(new)

    def reverse_bill(self, recordno: str, *, company: str = COMPANY, **fields: Any) -> str:
        """Take a posted bill back: it becomes Reversed; says the RECORDNO of the Reversal. Raises ValueError if it is being paid."""
        with self.lock:
            found = self.companies[company]
            row = bill_rules.incoming(found, BILL, dotted(fields))
            reversal = bill_rules.put_reversal(found, int(recordno), row, self.now(), self.settings)
            self._write_down("M", found, int(recordno))
            self._write_down("C", found, reversal)
            return str(reversal)

    def _write_down(self, mode: str, company: Company, recordno: int, source: str = "ui") -> None:
        company.write_down(mode, BILL, company.tables["APBILL"].rows[recordno], BY, self.now(), source)

    def hide_until(self, recordno: str, moment: datetime, *, company: str = COMPANY) -> None:
        """A row that arrives late: stamped as it is, seen by readers only from ``moment`` on."""
        with self.lock:
            self._hide(self.companies[company], int(recordno), int(moment.timestamp()))

    @staticmethod
    def _hide(company: Company, recordno: int, until: int) -> None:
        company.tables["APBILL"].hidden[recordno] = until
        lines = company.tables["APBILLITEM"]
        lines.hidden |= dict.fromkeys((line["RECORDNO"] for line in lines.lines_of(recordno)), until)

    def bills(self, company: str = COMPANY) -> list[dict[str, Any]]:
        """All bills as wire text in UTC, in RECORDNO order, each with its ``lines``."""
        with self.lock:
            found = self.companies[company]
            lines = found.tables["APBILLITEM"]
            write, write_line = self._writer(found, BILL), self._writer(found, LINE)
            rows = sorted(found.tables["APBILL"].rows.items())
            return [{**write(row), "lines": [write_line(line) for line in lines.lines_of(key)]} for key, row in rows]

    def bill(self, recordno: str, *, company: str = COMPANY) -> dict[str, Any]:
        """One bill as wire text in UTC, with its ``lines``."""
        with self.lock:
            found = self.companies[company]
            row = found.tables["APBILL"].rows[int(recordno)]
            write_line = self._writer(found, LINE)
            lines = [write_line(line) for line in found.tables["APBILLITEM"].lines_of(int(recordno))]
            return {**self._writer(found, BILL)(row), "lines": lines}

    def expire_sessions(self) -> None:
        self.sessions.expire_all()

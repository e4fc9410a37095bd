"""What tests and the demo may do with payments."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.sandboxes.intacct import payments as payment_rules
from integrations.sandboxes.intacct.bills import BILL, incoming
from integrations.sandboxes.intacct.payments import DETAIL, PAYMENT
from integrations.sandboxes.intacct.reach import BY, COMPANY, Reach
from integrations.sandboxes.intacct.state import Company
from integrations.sandboxes.intacct.totals import rounded
from integrations.sandboxes.intacct.values import Row

Amounts = str | Iterable[str] | Mapping[str, str | int | Decimal]


class PaymentHands(Reach):
    """``touches_bill`` False leaves a bill's WHENMODIFIED where it was: nobody knows which of the two the vendor does."""

    def pay(
        self,
        bills: Amounts,
        *,
        method: str = "EFT",
        reference: str = "",
        date: str | date = "",
        state: str = "Posted",
        touches_bill: bool = True,
        hidden_for: float = 0,
        company: str = COMPANY,
        **fields: Any,
    ) -> str:
        """Pay bills of one vendor, whole or by given amounts, at once or (``state`` Draft, Submitted, …) later. Raises ValueError."""
        with self.lock:
            found, now = self.companies[company], self.now()
            given: dict[str, Any] = {"PAYMENTMETHOD": method, "DOCNUMBER": reference, "STATE": state}
            given["WHENCREATED"] = date or datetime.fromtimestamp(now, UTC).date()
            row = _checked(incoming(found, PAYMENT, given | fields))
            recordno = payment_rules.pay(found, _amounts(bills), row, now, self.settings)
            found.write_down("C", PAYMENT, found.tables["APPYMT"].rows[recordno], BY, now)
            if hidden_for:
                _hide(found, recordno, now + int(hidden_for))
            self._refresh_bills(found, recordno, touches_bill=touches_bill)
            return str(recordno)

    def change_payment(self, payment: str, *, touches_bill: bool = True, company: str = COMPANY, **fields: Any) -> None:
        """Change a payment: ``STATE`` Posted makes it pay, Declined lets its bills go. Its amounts stay. Raises ValueError."""
        with self.lock:
            found, now = self.companies[company], self.now()
            payment_rules.change(found, int(payment), _checked(incoming(found, PAYMENT, fields)), now)
            found.write_down("M", PAYMENT, found.tables["APPYMT"].rows[int(payment)], BY, now)
            self._refresh_bills(found, int(payment), touches_bill=touches_bill)

    def void(self, payment: str, *, touches_bill: bool = True, company: str = COMPANY) -> None:
        """The payment counts no longer, its bills are open again."""
        self.change_payment(payment, touches_bill=touches_bill, company=company, STATE="Voided")

    def _refresh_bills(self, company: Company, payment: int, *, touches_bill: bool) -> None:
        now = self.now()
        for recordno in payment_rules.bills_of(company, payment):
            payment_rules.refresh(company, recordno, now if touches_bill else None)
            if touches_bill:
                company.write_down("M", BILL, company.tables["APBILL"].rows[recordno], BY, now)

    def payments(self, company: str = COMPANY) -> list[dict[str, Any]]:
        """All payments as wire text in UTC, in RECORDNO order, each with its ``details``."""
        with self.lock:
            found = self.companies[company]
            write, write_detail = self._writer(found, PAYMENT), self._writer(found, DETAIL)
            details: dict[int, list[dict[str, str]]] = {}
            for row in found.tables["APPYMTDETAIL"].rows.values():
                details.setdefault(row["PAYMENTKEY"], []).append(write_detail(row))
            rows = sorted(found.tables["APPYMT"].rows.items())
            return [{**write(row), "details": details.get(int(key), [])} for key, row in rows]

    def payment(self, recordno: str, *, company: str = COMPANY) -> dict[str, Any]:
        """One payment as wire text in UTC, with its ``details``."""
        with self.lock:
            found = self.companies[company]
            rows = [row for row in found.tables["APPYMTDETAIL"].rows.values() if row["PAYMENTKEY"] == int(recordno)]
            details = list(map(self._writer(found, DETAIL), rows))
            return {**self._writer(found, PAYMENT)(found.tables["APPYMT"].rows[int(recordno)]), "details": details}


def _amounts(bills: Amounts) -> dict[int, Decimal | None]:
    if isinstance(bills, Mapping):
        return {int(recordno): rounded(Decimal(amount)) for recordno, amount in bills.items()}
    return {int(recordno): None for recordno in ([bills] if isinstance(bills, str) else bills)}


def _checked(row: Row) -> Row:
    for name in ("STATE", "PAYMENTMETHOD"):
        if name in row and row[name] not in PAYMENT.fields[name].letters:
            raise ValueError(f"{name} cannot be {row[name]!r}")
    return row


def _hide(company: Company, payment: int, until: int) -> None:
    company.tables["APPYMT"].hidden[payment] = until
    details = company.tables["APPYMTDETAIL"]
    details.hidden |= {key: until for key, row in details.rows.items() if row["PAYMENTKEY"] == payment}

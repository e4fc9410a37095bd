"""Which payments belong to these bills: two or three calls for a page of a thousand (README.md, "Payments")."""

from collections.abc import Callable, Sequence
from datetime import UTC

from integrations.vendors.intacct.client import Rows
from integrations.vendors.intacct.details import PARENTS_PER_QUERY, Details, recordno
from integrations.vendors.intacct.envelope import Row
from integrations.vendors.intacct.payments import BILL_KEY, DETAIL_OBJECT, PAYMENT_KEY, PAYMENT_OBJECT, Paid
from integrations.vendors.intacct.query import MAX_IN
from integrations.vendors.intacct.records import RECORDNO


class PaidReader:
    """Reads payment details of bills, then the payments that these name."""

    def __init__(self, details: Details) -> None:
        self._details = details

    def of(self, bills: Sequence[str]) -> Callable[[str], Paid | None]:
        """The payments of each of these bills; None where no payment field was asked for."""
        if not self._details.reads_payments:
            return lambda bill: None
        details = self._rows(DETAIL_OBJECT, BILL_KEY, bills, PARENTS_PER_QUERY)
        keys = dict.fromkeys(row.get(PAYMENT_KEY, "").strip() for page in details for row in page.rows)
        pages = self._rows(PAYMENT_OBJECT, RECORDNO, [each for each in keys if each.isascii() and each.isdigit()], MAX_IN)
        payments = {recordno(row): row for page in pages for row in page.rows}
        zone = details[0].zone if details else UTC
        by_bill: dict[str, list[Row]] = {}
        for row in (row for page in details for row in page.rows):
            by_bill.setdefault(row.get(BILL_KEY, "").strip(), []).append(row)
        return lambda bill: Paid(by_bill.get(bill, ()), payments, zone)

    def _rows(self, name: str, field: str, ids: Sequence[str], step: int) -> list[Rows]:
        found = self._details.whole(lambda: self._details.named(name, field, ids, step))
        return [page for _, pages in found for page in pages]

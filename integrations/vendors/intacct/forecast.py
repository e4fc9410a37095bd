"""What a first reading of so many records costs. Pure arithmetic on the page sizes of this package (README.md, "Limits").

The vendor publishes no limit per minute for its gateway and bills what exceeds a month's volume instead of refusing it, so a reading
waits for nothing but its answers, which come one at a time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from integrations.types import Load, Needed, Spent
from integrations.vendors.intacct.details import PARENTS_PER_QUERY, QUERIES_PER_REQUEST
from integrations.vendors.intacct.kinds import LINES, PAYMENT
from integrations.vendors.intacct.streams import PAGE_SIZE

SECONDS_PER_CALL: Final = 4.0  # of a page of a thousand
CALLS_FOR_PAYMENTS: Final = 2  # a page: which payments belong to its bills, and these payments


def read(load: Load, settings: Mapping[str, str], limits: Mapping[str, Spent], now: datetime) -> Needed:
    """What reading everything needs: headers in pages of 1,000, each followed by its lines and payments where they are mapped."""
    pages = [PAGE_SIZE] * (load.n_records // PAGE_SIZE)
    pages += [load.n_records % PAGE_SIZE] if load.n_records % PAGE_SIZE or not pages else []
    n_calls = sum(_calls_of_page(n, load.fields) for n in pages)
    return Needed(n_calls=n_calls, ends_at=now + n_calls * timedelta(seconds=SECONDS_PER_CALL))


def _calls_of_page(n: int, fields: Sequence[str]) -> int:
    if not n:
        return 1
    has_lines, has_payments = (any(each.startswith(prefix) for each in fields) for prefix in (LINES, PAYMENT))
    lines = _rounded_up(_rounded_up(n, PARENTS_PER_QUERY), QUERIES_PER_REQUEST) if has_lines else 0
    return 1 + lines + (CALLS_FOR_PAYMENTS if has_payments else 0)


def _rounded_up(n: int, per: int) -> int:
    return -(-n // per)

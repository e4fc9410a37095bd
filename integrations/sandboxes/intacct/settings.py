"""What ``reset`` can be told about a world."""

from collections.abc import Sequence
from dataclasses import dataclass

CREATED = ("APBILL", "APBILLITEM", "VENDOR", "GLACCOUNT", "CLASS", "CUSTOMER", "EMPLOYEE", "ITEM")


@dataclass(kw_only=True)
class Settings:
    """Defaults make the small company of README.md."""

    bills: int = 40  # how many bills the small company starts with
    private_every: int = 8  # each n-th seeded bill belongs to one entity alone; 0: none does
    fund: bool = False  # whether the small company has a dimension of its own, FUND, and lines a field GLDIMFUND
    session_for: int = 21600  # seconds
    timeoffset: str = "+00:00"  # of sessiontimestamp and sessiontimeout
    gmtoffset: str = "+00:00"  # this and the next three: preferences of the user xml_gateway
    locale: str = "en_US"
    dateformat: str = "/mdY"
    clock24: bool = True
    limits: bool = True
    concurrency: int = 2  # requests of one company at once
    waits_for: float = 30.0  # real seconds before a request without a place is sent away
    rate: int = 0  # calls allowed per ``rate_for`` seconds of the world's clock; 0: any number
    rate_for: float = 60.0
    hold: float = 0.0  # every call lasts at least this long
    sender_error: str = "gateway"  # or "legacy": two ages of the vendor say it differently
    unknown_company: str = "login"  # or "gateway": both have been seen
    unordered_shuffled: bool = True
    empty_modified: bool | Sequence[str] = False  # objects whose WHENMODIFIED stays empty until the first change
    any_endpoint: bool = False  # let a session be used at the login host too
    approvals: bool = False  # a submitted bill waits for approval instead of being posted
    closed_until: str = ""  # MM/DD/YYYY: nothing can be posted up to this day
    needs_location: bool = True  # lines of a multi-entity company must name one
    duplicate_code: str = "SANDBOX-DUPLICATE"  # nobody knows the real one, so no client may rely on it
    remembers_for: int = 30 * 86400  # seconds a function's controlid is remembered

    def leaves_modified_empty(self, object_name: str) -> bool:
        if isinstance(self.empty_modified, bool):
            return self.empty_modified and object_name in CREATED
        return object_name in ([self.empty_modified] if isinstance(self.empty_modified, str) else self.empty_modified)


@dataclass(kw_only=True)
class Seeding:
    """What ``seed`` can be told."""

    bills: int | None = None  # how many; ``n`` says the same
    n: int | None = None
    lines_per_bill: int = 0  # 0: one to four
    same_stamp: bool = False
    start: str = ""  # ISO 8601, the stamp of the first bill; empty: so that the last is stamped just now
    over: float | None = None  # seconds from the first stamp to the last; None: until now
    company: str = "SAMPLE"

    @property
    def wanted(self) -> int:
        return next((count for count in (self.bills, self.n) if count is not None), 40)

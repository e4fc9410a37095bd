"""What changed since then? Ordered streams of rows, and positions in them (README.md, "Incremental reading").

Paging is by value, never by offset: the next page begins behind the last row's (time, RECORDNO), so rows that are deleted or
change meanwhile push nobody out of a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.errors import ContractBroken
from integrations.vendors.intacct import payments
from integrations.vendors.intacct.client import Rows
from integrations.vendors.intacct.kinds import Kind
from integrations.vendors.intacct.objects import Unparsable, parse_moment
from integrations.vendors.intacct.query import AnyOf, Condition, Empty, Every, Is, NotEmpty, Query
from integrations.vendors.intacct.records import RECORDNO

PAGE_SIZE = 1000
FOLLOWERS_PAGE_SIZE = 2000  # of a few short fields each

MODIFIED, CREATED, UNSTAMPED = "modified", "created", "unstamped"
LINES, PAYMENTS, DETAILS, NEW_DETAILS, DELETED = "lines", "payments", "payment details", "new payment details", "deleted"
FOLLOWERS = frozenset({LINES, PAYMENTS, DETAILS, NEW_DETAILS, DELETED})
"""These name records by their numbers alone, and a first reading, which takes everything as it is, does without them."""

HISTORY = "AUDITHISTORY"


@dataclass(frozen=True)
class Position:
    """Behind the row with this time and key. Without a key: from this time on. Without a time: from the beginning."""

    at: datetime | None = None
    after: str = ""

    @property
    def rank(self) -> tuple[datetime, int, str]:
        """Numbers in their order, whatever their length."""
        return (self.at or datetime.min.replace(tzinfo=UTC), len(self.after), self.after)

    def dump(self) -> dict[str, str]:
        return {"at": self.at.isoformat() if self.at else "", "after": self.after}

    @classmethod
    def load(cls, stored: Mapping[str, str]) -> "Position":
        return cls(datetime.fromisoformat(stored["at"]) if stored.get("at") else None, stored.get("after", ""))


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Rows of one object in the order of one timestamp; without a timestamp, all of them by their key, each time anew."""

    name: str
    object: str
    stamp: str
    where: tuple[Condition, ...] = ()
    key: str = RECORDNO
    fields: tuple[str, ...] = ()  # of a follower

    def query(self, position: Position, fields: Sequence[str], *, show_private: bool) -> Query:
        conditions = [*self.where, *self._behind(position)]
        return Query(
            object=self.object,
            fields=self.fields or fields,
            where=Every(conditions) if conditions else None,
            order=(self.stamp, self.key) if self.stamp else (self.key,),
            page_size=FOLLOWERS_PAGE_SIZE if self.name in FOLLOWERS else PAGE_SIZE,
            show_private=show_private and self.object != HISTORY,
        )

    def _behind(self, position: Position) -> list[Condition]:
        if not self.stamp:
            return [Is("greaterthan", self.key, position.after)] if position.after else []
        if position.at is None:
            return [] if self.where else [NotEmpty(self.stamp)]
        if not position.after:
            return [Is("greaterthanorequalto", self.stamp, position.at)]
        same = Every([Is("equalto", self.stamp, position.at), Is("greaterthan", self.key, position.after)])
        return [AnyOf([Is("greaterthan", self.stamp, position.at), same])]

    def behind(self, position: Position, page: Rows) -> Position:
        """The position behind this page's last row with a readable time. Raises ContractBroken when a full page leads nowhere."""
        for row in reversed(page.rows):
            try:
                at = parse_moment(row.get(self.stamp, "").strip(), page.zone) if self.stamp else None
                reached = Position(at, row[self.key].strip())
            except (Unparsable, KeyError):
                continue
            if self._leads_on(position, reached):
                return reached
        if page.n_remaining:
            raise ContractBroken(
                "Sage Intacct sent a page of changes that does not go on from the one before. We are looking into it.",
                vendor="intacct",
                operation=f"query {self.object}",
                detail=f"{self.name} stream at {position.dump()}",
            )
        return position

    def _leads_on(self, position: Position, reached: Position) -> bool:
        """The ids of the audit history are texts, in an order that only the vendor knows."""
        if self.key == RECORDNO:
            return reached.rank > position.rank
        return reached != position and reached.rank[0] >= position.rank[0]


def streams_of(kind: Kind, *, with_lines: bool, with_payments: bool) -> dict[str, Stream]:
    """WHENMODIFIED is empty until the first change, so what was never changed needs a stream of its own; and whether a changed
    line or payment touches its header is not documented, so these have theirs.
    """
    streams = [Stream(name=MODIFIED, object=kind.name, stamp=kind.modified)]
    never = (Empty(kind.modified),)
    if kind.created:
        streams.append(Stream(name=CREATED, object=kind.name, stamp=kind.created, where=never))
    else:
        streams.append(Stream(name=UNSTAMPED, object=kind.name, stamp="", where=never))
    if kind.lines and with_lines:
        lines = kind.lines
        fields = (RECORDNO, lines.parent, lines.modified)
        streams.append(Stream(name=LINES, object=lines.name, stamp=lines.modified, fields=fields))
    if with_payments:
        streams += _streams_of_payments()
    if kind.is_audited:
        of_kind = (Is("equalto", "OBJECTTYPE", kind.name.lower()), Is("equalto", "ACCESSMODE", "D"))
        fields = ("ID", "OBJECTKEY", "ACCESSTIME")
        streams.append(Stream(name=DELETED, object=HISTORY, stamp="ACCESSTIME", where=of_kind, key="ID", fields=fields))
    return {each.name: each for each in streams}


def _streams_of_payments() -> list[Stream]:
    """A new payment shows by its details, which name their bills; one that is posted or voided later, by itself."""
    modified = "WHENMODIFIED"
    keys = (RECORDNO, payments.BILL_KEY)
    return [
        Stream(name=PAYMENTS, object=payments.PAYMENT_OBJECT, stamp=modified, fields=(RECORDNO, modified)),
        Stream(name=DETAILS, object=payments.DETAIL_OBJECT, stamp=modified, fields=(*keys, modified)),
        Stream(
            name=NEW_DETAILS,
            object=payments.DETAIL_OBJECT,
            stamp="WHENCREATED",
            where=(Empty(modified),),
            fields=(*keys, "WHENCREATED"),
        ),
    ]

"""What everybody inside ``integrations`` shares: records, pages, writes, and what a vendor is."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

from integrations.errors import RecordRejected
from integrations.http import CallLimits, Http
from mappings.fields import Catalogue, Column, Values

Cursor: TypeAlias = Mapping[str, Any]
"""Where a source stopped reading, as JSON; only the source that wrote it understands it."""

Known: TypeAlias = Callable[[Sequence[str]], Mapping[str, str]]
"""Which of these external ids are already carried, with the ``version`` they had: a source may skip those that still have it."""


# -- What a source gives ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Record:
    """One object as the source gave it. ``version`` changes whenever the object does (a modification stamp, a hash)."""

    external_id: str
    label: str  # how people call it: "Bill INV-2041, Harbor Supply"
    values: Values
    lines: tuple[Values, ...] = ()
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A record that the source sent in a form that cannot be used."""

    external_id: str
    label: str
    error: RecordRejected


@dataclass(frozen=True, kw_only=True)
class Page:
    """Records that were read together. ``cursor`` may be stored once all of them are safe at the target."""

    records: tuple[Record, ...]
    cursor: Cursor
    unreadable: tuple[Unreadable, ...] = ()
    n_known: int = 0  # seen again with the version we have: not read further
    deleted: tuple[str, ...] = ()  # external ids of records that certainly exist no more


@dataclass(frozen=True, kw_only=True)
class Total:
    """The source's own count and sum of one currency. ``kind`` tells credits and adjustments from bills."""

    kind: str
    currency: str
    n: int
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Population:
    """What a whole read covers, in words ("all states, all entities"), and the source's own totals of it."""

    said: str
    totals: tuple[Total, ...]


class Source(Protocol):
    """Reads one kind of record from one connection."""

    def changed_since(self, cursor: Cursor | None, known: Known) -> Iterator[Page]:
        """Everything that changed since the cursor (None: everything there is), page by page; at least one page."""
        ...

    def fetch(self, external_ids: Sequence[str]) -> Page:
        """These records as they are now; those that no longer exist are absent. The page's cursor means nothing."""
        ...

    def newest(self, n: int) -> Page:
        """Up to ``n`` recent records, for a preview. The page's cursor means nothing."""
        ...

    def population(self) -> Population:
        """The source's own totals, computed there; one call."""
        ...

    def everything(self) -> Iterator[Page]:
        """Every record of the population with its header fields, without lines and payments: for reconciliation."""
        ...

    def exists(self, external_ids: Sequence[str]) -> set[str]:
        """Which of these records exist now; one call for up to a thousand."""
        ...

    def keys(self) -> Iterator[Sequence[str]]:
        """Every external id there is, page by page; complete, or it raises: deletions are derived from it."""
        ...

    def attachments(self, external_id: str) -> Sequence[tuple[str, str, bytes]]:
        """The record's documents: (file name, content type, content). Raises RecordRejected for those that are too large."""
        ...

    def compared(self, cursor: Cursor, now: datetime) -> Cursor:
        """The cursor once all keys were compared. A cursor asks for that by ``compare_keys_at``."""
        ...


# -- What a target takes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Write:
    """One record to be put at the target: a create when ``target_id`` is empty, else an update of only these columns."""

    external_id: str
    key: str  # the source's identity as it stands in the target: "intacct:ACME:APBILL:1042"
    label: str
    values: Values  # column id → value
    target_id: str = ""
    place: str = ""  # board, project, channel; the flow's own when empty
    before: Values = field(default_factory=dict)  # what we wrote last into these columns: a relation keeps what others added
    parent_id: str = ""  # the item below which this one is made, for a bill's lines
    moves_from: str = ""  # the place where it stands until this write
    rekeys: bool = False  # its record has another number now: the key on the item has to be written too
    archives: bool = False  # take the item off the board, recoverably; ``values`` are empty

    @property
    def creates(self) -> bool:
        return not self.target_id


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Writes that fit one call, and the exact body of that call."""

    writes: tuple[Write, ...]
    body: str
    bulk: bool = False  # an upload that the target works on after it answered: its outcome is found by ``resolve``


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A batch that was sent and never heard of again."""

    batch: Batch
    key: str
    sent_at: datetime
    now: datetime
    same_login: bool  # the credentials are still those that it was sent with

    @property
    def age(self) -> timedelta:
        return self.now - self.sent_at


@dataclass(frozen=True, kw_only=True)
class Done:
    """The record stands at the target under this id."""

    external_id: str
    target_id: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The target refused this one record (or some columns of it: ``error.columns``); nothing of it was written."""

    external_id: str
    error: RecordRejected


@dataclass(frozen=True, kw_only=True)
class Gone:
    """People archived or deleted the item that this update was meant for."""

    external_id: str
    said: str


@dataclass(frozen=True, kw_only=True)
class NotWritten:
    """It is certain that nothing came of this write: it may be planned anew."""

    external_id: str


Result: TypeAlias = Done | Refused | Gone | NotWritten


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An item as it stands at the target. ``values`` holds the columns that were asked for, as they would be written."""

    target_id: str
    key: str  # empty: an item that is not ours
    name: str
    is_active: bool
    values: Values
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A target place as it is now."""

    place: str
    title: str
    columns: tuple[Column, ...]
    n_items: int = 0
    n_items_max: int | None = None
    url: str = ""

    def column(self, id_or_title: str) -> Column | None:
        """By id, else by title (case and outer blanks do not matter); None when absent or when two columns share the title."""
        for each in self.columns:
            if each.id == id_or_title:
                return each
        wanted = id_or_title.strip().casefold()
        named = [each for each in self.columns if each.title.strip().casefold() == wanted]
        return named[0] if len(named) == 1 else None

    @property
    def digest(self) -> str:
        """Changes when a column appears, disappears or is retyped; not when one is renamed or the place fills up."""
        return hashlib.sha256(json.dumps(sorted((each.id, each.kind) for each in self.columns)).encode()).hexdigest()


class Target(Protocol):
    """Writes one kind of object to one place."""

    def schema(self) -> Schema:
        """The place as it is now. Raises SetupBroken when it is gone or may not be written to."""
        ...

    def prepare(self, schema: Schema) -> None:
        """Make what the target needs for itself (key and last-synced columns) where it is missing; idempotent."""
        ...

    def batches(self, writes: Sequence[Write]) -> Iterator[Batch]:
        """Cut writes into batches that fit one call each; asked for one batch at a time, so that sizes may adapt."""
        ...

    def write(self, batch: Batch, *, key: str) -> Sequence[Result]:
        """Send a batch under an idempotency key: one result per write, in order. A raised error means that the outcome is open."""
        ...

    def resolve(self, sent: Sent) -> Sequence[Result]:
        """Find out what became of a batch whose answer was lost. Raises RateLimited while that cannot be known yet."""
        ...

    def existing(self) -> Iterator[Mapping[str, Sequence[str]]]:
        """Every key that stands at the place with its target ids (oldest first), page by page."""
        ...

    def places(self) -> Sequence[tuple[str, str]]:
        """Where this login could write: (id, title)."""
        ...

    def add_file(self, target_id: str, column_id: str, filename: str, content: bytes, *, key: str) -> str:
        """Put a file into a column of an item, unless one of that name is there; returns the target's id of it."""
        ...

    def as_standing(self, values: Values) -> Values:
        """How these values will read once they stand there: cut to length, an amount as the text of its column."""
        ...

    def standing(self, target_ids: Sequence[str] | None, columns: Sequence[str]) -> Iterator[Sequence[Standing]]:
        """These items as they are now, removed ones too; or (None) every active item of the place. Page by page."""
        ...


# -- What a load would cost ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load would ask of a vendor: records to read, or items to write at a place that already holds some."""

    n_records: int = 0
    n_creates: int = 0
    n_updates: int = 0
    n_items: int = 0  # at the place, ours or not
    n_items_max: int | None = None
    finds_out: bool = False  # what stands at the place under our keys is read before the first write
    fields: Sequence[str] = ()

    @property
    def n_writes(self) -> int:
        return self.n_creates + self.n_updates


@dataclass(frozen=True, kw_only=True)
class Spent:
    """One of a vendor's limits as all workers know it: what of the current window is used, and the limit if it was learnt."""

    used: int
    limit: int | None
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What a load needs at one vendor. ``ends_at`` tells waits for another day; ``waits_for`` is the limit that it waits for most."""

    n_calls: int
    ends_at: datetime
    waits_for: str = ""  # "complexity limit per minute"; empty: for nothing but the answers
    said: tuple[str, ...] = ()  # what a person should know besides, in sentences


Forecaster: TypeAlias = Callable[[Load, Mapping[str, str], Mapping[str, Spent], datetime], Needed]
"""``forecaster(load, a connection's settings, limits by kind, now)``: pure."""


# -- What a vendor is ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Session:
    """A vendor's login session, kept encrypted between calls. Moments are aware."""

    token: str = field(repr=False)
    endpoint: str
    opened_at: datetime
    expires_at: datetime | None
    facts: Mapping[str, str] = field(default_factory=dict)  # what was learnt at login, such as the user's time zone
    credentials: str = ""  # a hash of what it was opened with: another password must not ride on it


class Sessions(Protocol):
    """Where one connection's session is kept. Never shared between connections."""

    def load(self) -> Session | None: ...
    def save(self, session: Session) -> None: ...
    def drop(self) -> None: ...


class Budgets(Protocol):
    """A vendor's limits as rows that all workers share."""

    def spend(self, kind: str, cost: int, *, limit: int, window: timedelta, said: str) -> None:
        """Count ``cost`` against this window (aligned to midnight UTC for a day), or raise RateLimited until it ends."""
        ...

    def learn(
        self, kind: str, *, remaining: int | None = None, limit: int | None = None, resets_in: timedelta | None = None
    ) -> None:
        """Take over what the vendor's answer said about a limit."""
        ...

    def exhaust(self, kind: str, *, until: timedelta, said: str) -> None:
        """The vendor says that nothing is left: everybody waits so long."""
        ...


@dataclass(frozen=True, kw_only=True)
class Login:
    """Everything a vendor's code may know of a connection: plain values, no rows."""

    connection_id: str
    base_url: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    http: Http
    sessions: Sessions
    budgets: Budgets
    turn: Callable[[str], AbstractContextManager[None]]
    """``with login.turn("sender/company"):`` one holder among all workers and hosts."""
    now: Callable[[], datetime]
    warn: Callable[[str, str], None] = lambda code, said: None
    """``login.warn("version_changed", "…")``: a health warning for the connection."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One thing a customer types to connect. The form, its help, validation and masking all come from here."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ping:
    """What a real, cheap call found out about a connection."""

    who: str  # the user
    company: str  # the company or account
    missing: tuple[str, ...] = ()  # rights that are missing, in the vendor's words
    facts: Mapping[str, str] = field(default_factory=dict)  # stored as settings: account id, plan, time zone
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One outside system: the only thing that the rest of the code imports from its package."""

    key: str
    name: str
    asks: tuple[Ask, ...]
    address: str  # the environment variable that holds its base URL
    default_address: str
    sandbox_path: str  # where the sandbox answers below its vendor prefix
    ping: Callable[[Login], Ping]
    limits: CallLimits = field(default_factory=CallLimits)
    catalogues: Mapping[str, Catalogue] = field(default_factory=dict)
    source: Callable[[Login, str, Sequence[str]], Source] | None = None
    """``source(login, object name, field keys to read)``"""
    target: Callable[[Login, str], Target] | None = None
    """``target(login, place)``; an empty place is enough for ``places()``."""
    reference: Callable[[Login, str], Iterator[Record]] | None = None
    """``reference(login, list name)``: one list as it is now, with LIST, CODE, NAME and STATUS; bounded."""
    record_key: Callable[[Login, str, str], str] | None = None
    """``record_key(login, object name, external id)``: the identity that stands at the target."""
    forecast_read: Forecaster | None = None
    forecast_write: Forecaster | None = None

"""Two plain vendors that live in memory: a ledger to read from and a shelf to write to. The engine must not be shaped by real ones."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.errors import IntegrationError, RateLimited, RecordRejected
from integrations.sync.spec import FlowSpec
from integrations.types import (
    Ask,
    Batch,
    Cursor,
    Done,
    Gone,
    Known,
    Login,
    NotWritten,
    Page,
    Ping,
    Population,
    Record,
    Refused,
    Result,
    Schema,
    Sent,
    Standing,
    Total,
    Unreadable,
    Vendor,
    Write,
)
from mappings.fields import Catalogue, Column, Field, FieldType, Values, dump_values, load_value

TEXTS = frozenset({FieldType.TEXT, FieldType.CHOICE, FieldType.LONG_TEXT, FieldType.AMOUNT})
KINDS = {"text": TEXTS, "number": frozenset({FieldType.AMOUNT}), "relation": frozenset({FieldType.RELATION})}
PAGE = 10


@dataclass(kw_only=True)
class Ledger:
    """The source's world: records in the order in which they changed, and what it does when it is asked."""

    entries: dict[str, Record] = field(default_factory=dict)  # insertion order is the order of change
    n: int = 0
    page: int = PAGE
    fails: list[IntegrationError | None] = field(default_factory=list)  # raised by the next calls, in order
    broken: set[str] = field(default_factory=set)  # ids that come in an unusable form
    hides_unasked: bool = False  # gives only the fields that were asked for
    lists: dict[str, dict[str, str]] = field(default_factory=dict)  # reference data: list → code → name
    deleted: list[tuple[int, str]] = field(default_factory=list)  # (when, external id)
    on_call: Callable[[str], None] = lambda operation: None
    calls: list[str] = field(default_factory=list)

    def put(self, external_id: str, **values: Any) -> None:
        """Add or change a record; an amount is given as text."""
        self.n += 1
        typed = {**values, "amount": Decimal(values.get("amount", "0.00"))}
        self.entries.pop(external_id, None)
        self.entries[external_id] = Record(
            external_id=external_id, label=f"Entry {external_id}", values=typed, version=str(self.n)
        )

    def delete(self, external_id: str) -> None:
        self.n += 1
        del self.entries[external_id]
        self.deleted.append((self.n, external_id))

    def call(self, operation: str) -> None:
        self.on_call(operation)
        self.calls.append(operation)
        if error := self.fails.pop(0) if self.fails else None:
            raise error

    def page_of(self, records: Sequence[Record], cursor: Cursor, n_known: int = 0) -> Page:
        good = tuple(record for record in records if record.external_id not in self.broken)
        bad = tuple(
            Unreadable(external_id=r.external_id, label=r.label, error=RecordRejected(f"{r.label} has no readable amount."))
            for r in records
            if r.external_id in self.broken
        )
        return Page(records=good, unreadable=bad, cursor=cursor, n_known=n_known)


class LedgerSource:
    def __init__(self, ledger: Ledger, fields: Sequence[str]) -> None:
        self.ledger, self.fields = ledger, fields

    def _asked(self, record: Record) -> Record:
        if not self.ledger.hides_unasked:
            return record
        return replace(record, values={key: value for key, value in record.values.items() if key in self.fields})

    def changed_since(self, cursor: Cursor | None, known: Known) -> Iterator[Page]:
        after = int(cursor["after"]) if cursor else 0
        while True:
            self.ledger.call("changed_since")
            changed = [record for record in self.ledger.entries.values() if int(record.version) > after]
            page = changed[: self.ledger.page]
            is_last = len(changed) <= len(page)
            gone = (
                tuple(each for at, each in self.ledger.deleted if at > after and each not in self.ledger.entries)
                if is_last
                else ()
            )
            after = max([int(page[-1].version) if page else after, *(at for at, _ in self.ledger.deleted if is_last)])
            versions = known([record.external_id for record in page])
            fresh = [record for record in page if versions.get(record.external_id) != record.version]
            read = self.ledger.page_of(
                [self._asked(each) for each in fresh], {**(cursor or {}), "after": after}, n_known=len(page) - len(fresh)
            )
            yield replace(read, deleted=gone)
            if is_last:
                return

    def exists(self, external_ids: Sequence[str]) -> set[str]:
        self.ledger.call("exists")
        return {each for each in external_ids if each in self.ledger.entries}

    def keys(self) -> Iterator[Sequence[str]]:
        self.ledger.call("keys")
        yield list(self.ledger.entries)

    def compared(self, cursor: Cursor, now: datetime) -> Cursor:
        return {**cursor, "compare_keys_at": (now + timedelta(days=7)).isoformat()}

    def fetch(self, external_ids: Sequence[str]) -> Page:
        self.ledger.call("fetch")
        found = [self._asked(self.ledger.entries[each]) for each in external_ids if each in self.ledger.entries]
        return self.ledger.page_of(found, {})

    def population(self) -> Population:
        self.ledger.call("population")
        found: dict[tuple[str, str], list[Decimal]] = {}
        for record in self.ledger.entries.values():
            kind = "credits" if record.values["amount"] < 0 else "entries"
            found.setdefault((kind, str(record.values.get("currency") or "")), []).append(record.values["amount"])
        totals = (
            Total(kind=kind, currency=currency, n=len(each), amount=sum(each, Decimal()))
            for (kind, currency), each in found.items()
        )
        return Population(said="all entries", totals=tuple(totals))

    def everything(self) -> Iterator[Page]:
        records = sorted(self.ledger.entries.values(), key=lambda each: each.external_id)
        for start in range(0, len(records) or 1, self.ledger.page):
            self.ledger.call("everything")
            yield self.ledger.page_of([replace(each, lines=()) for each in records[start : start + self.ledger.page]], {})

    def newest(self, n: int) -> Page:
        self.ledger.call("newest")
        return self.ledger.page_of(list(self.ledger.entries.values())[-n:], {})


@dataclass(kw_only=True)
class Shelf:
    """The target's world: items, the answers it remembers by key, and what it does when it is written to."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    archived: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, list[Result]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=lambda: {"name": "text", "amount": "number", "due": "text", "note": "text"})
    n_items_max: int | None = None
    batch: int = 5
    remembers_for: timedelta = timedelta(minutes=25)
    refuses: dict[str, tuple[str, ...]] = field(default_factory=dict)  # external id → columns it refuses (empty: all of it)
    fails: list[IntegrationError | None] = field(default_factory=list)  # raised by the next writes, before anything is done
    loses: list[IntegrationError | None] = field(default_factory=list)  # raised by the next writes, after it is done
    takes_only: list[int] = field(default_factory=list)  # the next writes do only so many of their members
    on_call: Callable[[str], None] = lambda operation: None
    calls: list[str] = field(default_factory=list)
    words: str = ""  # what a refusal says
    bodies: dict[str, str] = field(default_factory=dict)

    def call(self, operation: str) -> None:
        self.on_call(operation)
        self.calls.append(operation)

    def by_key(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item_id, item in self.items.items():
            found.setdefault(item["key"], []).append(item_id)
        return found

    @property
    def total(self) -> Decimal:
        return sum((Decimal(item["values"]["amount"]["amount"]) for item in self.items.values()), Decimal())


class ShelfTarget:
    def __init__(self, shelf: Shelf, place: str) -> None:
        self.shelf, self.place = shelf, place

    def schema(self) -> Schema:
        self.shelf.call("schema")
        columns = tuple(
            Column(id=name, title=name.title(), kind=kind, accepts=KINDS[kind], deferred=kind == "relation")
            for name, kind in self.shelf.columns.items()
        )
        return Schema(
            place=self.place,
            title="The shelf",
            columns=columns,
            n_items=len(self.shelf.items),
            n_items_max=self.shelf.n_items_max,
        )

    def prepare(self, schema: Schema) -> None:
        """Nothing of its own is needed here."""

    def places(self) -> Sequence[tuple[str, str]]:
        return [("shelf", "The shelf")]

    def batches(self, writes: Sequence[Write]) -> Iterator[Batch]:
        for start in range(0, len(writes), self.shelf.batch):
            chunk = tuple(writes[start : start + self.shelf.batch])
            yield Batch(
                writes=chunk, body=json.dumps([[write.key, write.target_id, dump_values(write.values)] for write in chunk])
            )

    def write(self, batch: Batch, *, key: str) -> Sequence[Result]:
        self.shelf.call("write")
        assert self.shelf.bodies.setdefault(key, batch.body) == batch.body, "one key, two bodies"
        if error := self.shelf.fails.pop(0) if self.shelf.fails else None:
            raise error
        if key not in self.shelf.answers:
            n = self.shelf.takes_only.pop(0) if self.shelf.takes_only else len(batch.writes)
            self.shelf.answers[key] = [
                self._put(write) if i < n else NotWritten(external_id=write.external_id) for i, write in enumerate(batch.writes)
            ]
        self.shelf.on_call("written")
        if error := self.shelf.loses.pop(0) if self.shelf.loses else None:
            raise error
        return self.shelf.answers[key]

    def _put(self, write: Write) -> Result:
        refused = self.shelf.refuses.get(write.external_id)
        if refused is not None and (not refused or set(refused) & set(write.values)):
            columns = tuple(column for column in refused if column in write.values)
            return Refused(
                external_id=write.external_id,
                error=RecordRejected(self.shelf.words or f"{write.label} was refused.", columns=columns),
            )
        if write.target_id in self.shelf.removed:
            return Gone(external_id=write.external_id, said="Somebody removed it.")
        if write.archives:
            self.shelf.removed.add(write.target_id)
            self.shelf.archived[write.target_id] = self.shelf.items.pop(write.target_id)
            return Done(external_id=write.external_id, target_id=write.target_id)
        relations = {column for column in write.values if self.shelf.columns.get(column) == "relation"}
        assert not (write.creates and relations), "a relation is silently dropped while an item is made"
        target_id = write.target_id or f"item{len(self.shelf.items) + len(self.shelf.removed) + 1}"
        item = self.shelf.items.setdefault(target_id, {"key": write.key, "values": {}})
        item["values"] |= dump_values(write.values)
        item["place"] = write.place
        item["parent"] = write.parent_id or item.get("parent")
        return Done(external_id=write.external_id, target_id=target_id)

    def resolve(self, sent: Sent) -> Sequence[Result]:
        if sent.same_login and sent.age < self.shelf.remembers_for:
            return self.write(sent.batch, key=sent.key)
        self.shelf.call("look_up")
        if sent.age < timedelta(seconds=60):
            raise RateLimited("It is not certain yet what became of it.", retry_after=timedelta(seconds=60) - sent.age)
        found = self.shelf.by_key()
        return [
            Done(external_id=write.external_id, target_id=found[write.key][0])
            if write.creates and write.key in found
            else NotWritten(external_id=write.external_id)
            for write in sent.batch.writes
        ]

    def as_standing(self, values: Values) -> Values:
        return values

    def standing(self, target_ids: Sequence[str] | None, columns: Sequence[str]) -> Iterator[Sequence[Standing]]:
        self.shelf.call("standing")
        everything = self.shelf.items | self.shelf.archived
        here = [each for each, item in self.shelf.items.items() if item.get("place", self.place) == self.place]
        found = here if target_ids is None else [each for each in target_ids if each in everything]
        for start in range(0, len(found), PAGE):
            yield [self._standing(each, everything[each], columns) for each in found[start : start + PAGE]]

    def _standing(self, target_id: str, item: dict[str, Any], columns: Sequence[str]) -> Standing:
        values = {column: load_value(item["values"].get(column)) for column in columns}
        is_active = target_id in self.shelf.items
        name = str(item["values"].get("name") or "")
        return Standing(target_id=target_id, key=item["key"], name=name, is_active=is_active, values=values, place=self.place)

    def existing(self) -> Iterator[Mapping[str, Sequence[str]]]:
        self.shelf.call("existing")
        yield self.shelf.by_key()


CATALOGUE = Catalogue(
    (
        Field(key="name", label="Name"),
        Field(key="amount", label="Amount", type=FieldType.AMOUNT),
        Field(key="due", label="Due"),
        Field(key="note", label="Note"),
    )
)


def _ping(_login: Login) -> Ping:
    return Ping(who="Keeper", company="Memory")


def read_list(ledger: Ledger, name: str) -> Iterator[Record]:
    ledger.call(f"list {name}")
    for code, label in ledger.lists.get(name, {}).items():
        yield Record(external_id=code, label=label, values={"LIST": name, "CODE": code, "NAME": label, "STATUS": "active"})


def vendors(ledger: Ledger, shelf: Shelf) -> tuple[Vendor, Vendor]:
    plain = {"address": "NOWHERE_URL", "default_address": "https://nowhere.example", "sandbox_path": "/", "ping": _ping}
    asks = (Ask(name="token", label="Token", secret=True, required=False),)
    source = Vendor(
        key="ledger",
        name="Ledger",
        asks=asks,
        catalogues={"entry": CATALOGUE},
        source=lambda login, name, fields: LedgerSource(ledger, fields),
        reference=lambda login, name: read_list(ledger, name),
        record_key=lambda login, name, external_id: f"ledger:{login.settings.get('company', '')}{external_id}",
        **plain,  # type: ignore[arg-type]
    )
    target = Vendor(key="shelf", name="Shelf", asks=asks, target=lambda login, place: ShelfTarget(shelf, place), **plain)  # type: ignore[arg-type]
    return source, target


def spec_of(source: Vendor, target: Vendor) -> FlowSpec:
    return FlowSpec(
        key="memory.entries",
        title="Entries stand on the shelf",
        source=source,
        object="entry",
        target=target,
        every="every hour",
        fields=CATALOGUE,
        noun=("entry", "entries"),
        amount="amount",
    )

"""Vendors that cost nothing: a source whose bills come out of nowhere, page by page, and a target that takes its time and forgets."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from integrations import registry
from integrations.types import Batch, Cursor, Done, Known, Page, Population, Record, Result, Schema, Sent, Standing, Write
from mappings.apply import Rule
from mappings.fields import Catalogue, Column, Field, FieldType, Values, dump_values
from tests.sync import memory

KIND = "bench.bills"
MEMORY = memory.Ledger(), memory.Shelf()  # only lend their vendors' names and logins
CATALOGUE = Catalogue(
    (
        Field(key="number", label="Number"),
        Field(key="vendor", label="Vendor"),
        Field(key="state", label="State"),
        Field(key="currency", label="Currency"),
        Field(key="amount", label="Amount", type=FieldType.AMOUNT),
        Field(key="open", label="Open", type=FieldType.AMOUNT),
        Field(key="billed", label="Billed", type=FieldType.DATE),
        Field(key="due", label="Due", type=FieldType.DATE),
        Field(key="lines.account", label="Account"),
        Field(key="lines.memo", label="Memo"),
    )
)
KINDS = {FieldType.TEXT: "text", FieldType.AMOUNT: "number", FieldType.DATE: "date"}
RULES = tuple(
    Rule(column=each.key, title=each.label, kind=KINDS[each.type], field=each.key, steps=steps)
    for each in CATALOGUE
    for steps in [({"do": "list", "separator": "\n"},) if each.is_of_lines else ()]
)
"""Ten columns, two of them from lines: about what a bill on a board has."""


@dataclass(kw_only=True)
class Bench:
    """What the two vendors are told, and what they count."""

    n: int
    page: int = 500
    batch: int = 10
    answers_after: float = 0.0  # seconds that each board call takes
    round: int = 0  # of changing bills
    n_changed: int = 0  # how many bills of this round differ from those of the round before
    seconds: float = 0.0  # spent by the vendors
    calls: list[str] = field(default_factory=list)
    n_written: int = 0

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Counted, and on the vendors' own time."""
        began = time.perf_counter()
        if name:
            self.calls.append(name)
        yield
        self.seconds += time.perf_counter() - began

    def change(self, n: int) -> None:
        """The first ``n`` bills change."""
        self.round, self.n_changed = self.round + 1, n

    @property
    def ordered(self) -> Iterator[range]:
        """Pages of bill numbers that are new since the last round."""
        last = self.n_changed if self.round else self.n
        for start in range(0, last, self.page):
            yield range(start, min(start + self.page, last))

    def bill(self, i: int) -> Record:
        amount, day = Decimal(100 + i % 9000) + Decimal(i % 100 + self.round) / 100, date(2026, 1, 1) + timedelta(days=i % 300)
        values: Values = {
            "number": f"INV-{i:07}", "vendor": f"Vendor number {i % 97} Ltd.", "state": "Posted", "currency": "USD",
            "amount": amount, "open": amount, "billed": day, "due": day + timedelta(days=30),
        }  # fmt: skip
        lines = tuple({"lines.account": f"{4000 + i % 50}-01-00", "lines.memo": f"Part {part} of {i}"} for part in (1, 2))
        label = f"Bill INV-{i:07}, Vendor number {i % 97} Ltd."
        return Record(external_id=str(i + 1), label=label, values=values, lines=lines, version=f"v{self.round}")


class LazySource:
    """Bills that exist only while their page is carried."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def changed_since(self, cursor: Cursor | None, known: Known) -> Iterator[Page]:
        after = cursor["after"] if cursor and cursor["round"] == self._bench.round else 0
        pages = [each for each in self._bench.ordered if each.stop > after]
        for numbers in pages or [range(0)]:
            with self._bench.call("read"):
                records = tuple(self._bench.bill(i) for i in numbers if i >= after)
            yield Page(records=records, cursor={"round": self._bench.round, "after": numbers.stop or after})

    def fetch(self, external_ids: Sequence[str]) -> Page:
        return Page(records=tuple(self._bench.bill(int(each) - 1) for each in external_ids), cursor={})

    def newest(self, n: int) -> Page:
        return self.fetch([str(i + 1) for i in range(n)])

    def population(self) -> Population:
        return Population(said="all bills", totals=())

    def everything(self) -> Iterator[Page]:
        yield from self.changed_since(None, lambda ids: {})

    def exists(self, external_ids: Sequence[str]) -> set[str]:
        return {each for each in external_ids if int(each) <= self._bench.n}

    def keys(self) -> Iterator[Sequence[str]]:
        for numbers in self._bench.ordered:
            yield [str(i + 1) for i in numbers]

    def compared(self, cursor: Cursor, now: datetime) -> Cursor:
        return cursor

    def attachments(self, external_id: str) -> Sequence[tuple[str, str, bytes]]:
        return ()


class ForgetfulTarget:
    """Takes everything, remembers nothing."""

    def __init__(self, bench: Bench, place: str) -> None:
        self._bench, self._place = bench, place

    def schema(self) -> Schema:
        with self._bench.call("schema"):
            columns = tuple(
                Column(id=each.key, title=each.label, kind=KINDS[each.type], accepts=frozenset({each.type})) for each in CATALOGUE
            )
            return Schema(place=self._place, title="The bench", columns=columns)

    def prepare(self, schema: Schema) -> None:
        """Nothing of its own is needed here."""

    def places(self) -> Sequence[tuple[str, str]]:
        return [("bench", "The bench")]

    def batches(self, writes: Sequence[Write]) -> Iterator[Batch]:
        for start in range(0, len(writes), self._bench.batch):
            with self._bench.call(""):
                chunk = tuple(writes[start : start + self._bench.batch])
                body = json.dumps([[each.key, each.target_id, dump_values(each.values)] for each in chunk])
            yield Batch(writes=chunk, body=body)

    def write(self, batch: Batch, *, key: str) -> Sequence[Result]:
        with self._bench.call("write"):
            time.sleep(self._bench.answers_after)
            self._bench.n_written += len(batch.writes)
            return [Done(external_id=each.external_id, target_id=f"item{each.external_id}") for each in batch.writes]

    def resolve(self, sent: Sent) -> Sequence[Result]:
        return self.write(sent.batch, key=sent.key)

    def existing(self) -> Iterator[Mapping[str, Sequence[str]]]:
        with self._bench.call("existing"):
            yield {}

    def as_standing(self, values: Values) -> Values:
        return values

    def add_file(self, target_id: str, column_id: str, filename: str, content: bytes, *, key: str) -> str:
        return f"file{target_id}"

    def standing(self, target_ids: Sequence[str] | None, columns: Sequence[str]) -> Iterator[Sequence[Standing]]:
        yield ()


def offer(bench: Bench) -> None:
    """Put both vendors and their flow on the list of what we offer, in this process."""
    source, target = memory.vendors(*MEMORY)
    source = replace(source, catalogues={"bill": CATALOGUE}, source=lambda login, name, fields: LazySource(bench))
    target = replace(target, target=lambda login, place: ForgetfulTarget(bench, place))
    registry.VENDORS |= {source.key: source, target.key: target}
    spec = replace(memory.spec_of(source, target), key=KIND, object="bill", fields=CATALOGUE, noun=("bill", "bills"))
    registry.FLOWS[KIND] = spec

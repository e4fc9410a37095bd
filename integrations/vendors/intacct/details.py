"""Rows by query and by id: headers, their lines, and what to do when a question is refused (README.md, "Reading")."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from integrations.errors import ContractBroken, PermissionMissing
from integrations.types import Login
from integrations.vendors.intacct import payments
from integrations.vendors.intacct.client import Client, Refusal, Rows
from integrations.vendors.intacct.envelope import Row
from integrations.vendors.intacct.errors import FunctionRefused
from integrations.vendors.intacct.kinds import Kind
from integrations.vendors.intacct.query import MAX_IN, MAX_PAGE, Every, Is, OneOf, Query
from integrations.vendors.intacct.records import RECORDNO, Reader

PARENTS_PER_QUERY = 500  # two such queries go into one request: up to 4,000 lines
QUERIES_PER_REQUEST = 4
PARENTS_PER_READ = 400

Found = tuple[Row, Rows]
"""A header's row, and the page that it came with: its timestamps are in that page's zone."""
FoundLines = tuple[list[Row], Rows]
Asking = Callable[[], Sequence[Query]]
"""Queries are made anew when a question was mended."""

NOT_LISTED = re.compile(r"cannot be performed|not found|not supported|not allowed", re.IGNORECASE)


class Details:
    """Asks for one kind of object and its lines, with the fields that a Reader wants."""

    def __init__(self, login: Login, kind: Kind, reader: Reader) -> None:
        self._warn, self._kind, self.client = login.warn, kind, Client(login)
        self.reads_payments = reader.reads_payments
        self._selected = {kind.name: reader.header_fields}
        if kind.lines and reader.line_fields:
            self._selected[kind.lines.name] = reader.line_fields
        self.has_lines = len(self._selected) > 1
        if self.reads_payments:
            self._selected[payments.DETAIL_OBJECT] = list(payments.DETAIL_FIELDS)
            self._selected[payments.PAYMENT_OBJECT] = list(payments.PAYMENT_FIELDS)
        self._looked_up: set[str] = set()
        self.reads_lines_whole = False

    def ask(self, queries: Asking, *, spared: str = "") -> list[Rows | Refusal]:
        """Ask; when a question is refused and can be mended, ask once more. A refusal of the object ``spared`` is returned."""
        while True:
            asked = queries()
            found = self.client.ask(*asked) if asked else []
            refused = {each.operation: each for each in found if not isinstance(each, Rows)}
            refused.pop(f"query {spared}", None)
            for each in refused.values():
                if isinstance(each, PermissionMissing) or not self._mended(each):
                    raise each
            if not refused:
                return found

    def by_ids(self, headers: Sequence[str], parents: Sequence[str]) -> tuple[dict[str, Found], dict[str, FoundLines]]:
        """These headers, and the lines of these parents, in as few requests as they fit."""

        def queries() -> list[Query]:
            asked = self.named(self._kind.name, RECORDNO, headers, MAX_IN)
            return asked + (self.named(self._lines_name, self.parent, parents, PARENTS_PER_QUERY) if self._asks_for_lines else [])

        found = self.whole(queries)
        own = [page for query, pages in found if query.object == self._kind.name for page in pages]
        lines = self._by_parent(page for query, pages in found if query.object != self._kind.name for page in pages)
        if self.has_lines and self.reads_lines_whole:
            lines = self._read_whole(parents)
        return {recordno(row): (row, page) for page in own for row in page.rows}, lines

    def whole(self, queries: Asking) -> list[tuple[Query, list[Rows]]]:
        """All pages of these queries; when a question is refused and can be mended, all is asked once more."""
        while True:
            asked = queries()
            try:
                return list(zip(asked, self._whole(asked), strict=True))
            except FunctionRefused as refusal:
                if not self._mended(refusal):
                    raise

    def _whole(self, queries: Sequence[Query]) -> list[list[Rows]]:
        """All pages of these queries, in the order of RECORDNO, several queries per request."""
        found: list[list[Rows]] = [[] for _ in queries]
        waiting = list(enumerate(queries))
        while waiting:
            asked, waiting = waiting[:QUERIES_PER_REQUEST], waiting[QUERIES_PER_REQUEST:]
            pages = self.client.query(*(query for _, query in asked))
            unfinished = []
            for (n, query), page in zip(asked, pages, strict=True):
                found[n].append(page)
                if page.n_remaining:
                    unfinished.append((n, _behind(queries[n], query, page)))
            waiting = unfinished + waiting
        return found

    def _by_parent(self, pages: Iterable[Rows]) -> dict[str, FoundLines]:
        lines: dict[str, FoundLines] = {}
        for page in pages:
            for row in page.rows:
                lines.setdefault(row.get(self.parent, "").strip(), ([], page))[0].append(row)
        return lines

    def _read_whole(self, parents: Sequence[str]) -> dict[str, FoundLines]:
        """Lines from reading their parents whole, where this company does not let them be queried."""
        lines: dict[str, FoundLines] = {}
        inside = self._kind.lines.inside if self._kind.lines else ""
        for at in range(0, len(parents), PARENTS_PER_READ):
            found, zone = self.client.read(self._kind.name, parents[at : at + PARENTS_PER_READ], inside)
            page = Rows(rows=[], n_remaining=0, zone=zone)
            lines |= {recordno(row): (own, page) for row, own in found}
        return lines

    # -- Mending what was refused -----------------------------------------------------------------------------------------

    def _mended(self, refusal: FunctionRefused) -> bool:
        """Leave out fields that this company does not have; or read lines with their parents. False when neither would help."""
        name = refusal.operation.removeprefix("query ")
        if name == self._lines_name and NOT_LISTED.search(refusal.detail):
            return self._read_lines_whole()
        if name not in self._looked_up and name in self._selected:
            self._looked_up.add(name)
            if self._drop_unknown(name):
                return True
        return name == self._lines_name and self._read_lines_whole()

    def _read_lines_whole(self) -> bool:
        if self.reads_lines_whole:
            return False
        self.reads_lines_whole = True
        name = self._kind.plural
        said = f"Sage Intacct does not list the lines of {name} by themselves. We read them together with the {name}: more calls."
        self._warn("lines_not_listed", said)
        return True

    def _drop_unknown(self, name: str) -> bool:
        exists = self.client.lookup(name)
        missing = [each for each in self._selected[name] if each not in exists and each.split(".")[0] not in exists]
        if not exists or not missing or set(missing) & self._needed:
            return False
        self._selected[name] = [each for each in self._selected[name] if each not in missing]
        said = f"This Sage Intacct company has no field {', '.join(missing)}. The rest is carried; choose other fields."
        self._warn("fields_unknown", said)
        return True

    # -- Small things -----------------------------------------------------------------------------------------------------

    @property
    def _asks_for_lines(self) -> bool:
        return self.has_lines and not self.reads_lines_whole

    @property
    def _lines_name(self) -> str:
        return self._kind.lines.name if self._kind.lines else ""

    @property
    def parent(self) -> str:
        return self._kind.lines.parent if self._kind.lines else ""

    @property
    def _needed(self) -> set[str]:
        return {
            RECORDNO,
            self._kind.modified,
            self._kind.created,
            self.parent,
            self._kind.lines.modified if self._kind.lines else "",
        } | (payments.NEEDED if self.reads_payments else frozenset())

    @property
    def show_private(self) -> bool:
        """At the top level of a company with several entities, what belongs to one entity shows only on request."""
        return not self.client.credentials.entity

    def query(self, name: str) -> Query:
        return Query(object=name, fields=self._selected[name], page_size=MAX_PAGE, show_private=self.show_private)

    def named(self, name: str, field: str, ids: Sequence[str], step: int) -> list[Query]:
        """Queries for the rows that name one of these ids, so many ids in each."""
        return [replace(self.query(name), where=OneOf(field, ids[at : at + step])) for at in range(0, len(ids), step)]


def recordno(row: Row) -> str:
    """A row's identity. Raises ContractBroken when it has none, since then nothing can be told apart."""
    text = row.get(RECORDNO, "").strip()
    if not (text.isascii() and text.isdigit()):
        raise ContractBroken(
            "Sage Intacct sent a record without its number. We are looking into it.",
            vendor="intacct",
            detail=f"RECORDNO “{text[:40]}”",
        )
    return text


def _behind(whole: Query, asked: Query, page: Rows) -> Query:
    """The next page of a query that is ordered by RECORDNO. Raises ContractBroken when the page did not lead on."""
    reached = recordno(page.rows[-1])
    rest = replace(whole, where=Every([*([whole.where] if whole.where else []), Is("greaterthan", RECORDNO, reached)]))
    if rest == asked:
        raise ContractBroken(
            "Sage Intacct sent the same page twice. We are looking into it.", vendor="intacct", operation=f"query {asked.object}"
        )
    return rest

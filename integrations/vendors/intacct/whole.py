"""What is there altogether: the vendor's own totals, every header, every key (README.md, "Reconciling")."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from integrations.errors import ContractBroken
from integrations.types import Population, Total
from integrations.vendors.intacct.client import Rows
from integrations.vendors.intacct.details import Details, recordno
from integrations.vendors.intacct.kinds import Kind
from integrations.vendors.intacct.objects import parse_amount
from integrations.vendors.intacct.query import MAX_IN, MAX_PAGE, Condition, Empty, Is, Query
from integrations.vendors.intacct.records import RECORDNO

CREDITS = "credits"
SUPDOCID = "SUPDOCID"


class Whole:
    """Reads all records of one kind, by their RECORDNO: new ones come behind the last, so nothing moves between pages."""

    def __init__(self, kind: Kind, details: Details) -> None:
        self._kind, self._details = kind, details

    def population(self) -> Population:
        """Counts and sums that Intacct computed: what is below zero is a credit, or a reversal."""
        kind = self._kind
        asked: list[tuple[str, Query]] = [(kind.plural, self._totals(None))]
        if kind.amount:
            signs: tuple[tuple[str, Condition], ...] = (
                (kind.plural, Is("greaterthanorequalto", kind.amount, 0)),
                (CREDITS, Is("lessthan", kind.amount, 0)),
                (kind.plural, Empty(kind.amount)),
            )
            asked = [(name, self._totals(where)) for name, where in signs]
        pages = self._details.client.query(*(query for _, query in asked))
        found: dict[tuple[str, str], Total] = {}
        for (name, _), page in zip(asked, pages, strict=True):
            if page.n_remaining or page.is_cut:
                raise self._not_whole("totals")
            for row in page.rows:
                self._add(found, name, row)
        return Population(said=self._said(), totals=tuple(found[each] for each in sorted(found)))

    def headers(self) -> Iterator[Rows]:
        """Every record with its header fields, in the order of RECORDNO."""
        yield from self._pages(lambda: self._details.query(self._kind.name))

    def keys(self) -> Iterator[Sequence[str]]:
        for page in self._pages(self._numbers):
            yield [recordno(row) for row in page.rows]

    def exists(self, external_ids: Sequence[str]) -> set[str]:
        """Which of these there are, as far as this user may see them."""
        wanted = [each for each in dict.fromkeys(external_ids) if each.isascii() and each.isdigit()]
        found = self._details.whole(
            lambda: [replace(each, fields=[RECORDNO]) for each in self._details.named(self._kind.name, RECORDNO, wanted, MAX_IN)]
        )
        return {recordno(row) for _, pages in found for page in pages for row in page.rows}

    def supdocid(self, external_id: str) -> str:
        """The attachment of one record; empty when it has none, or is not there."""
        if not (external_id.isascii() and external_id.isdigit()):
            return ""
        query = replace(self._numbers(), fields=[RECORDNO, SUPDOCID], where=Is("equalto", RECORDNO, external_id), page_size=1)
        (page,) = self._details.client.query(query)
        return page.rows[0].get(SUPDOCID, "").strip() if page.rows else ""

    # -- Small things -----------------------------------------------------------------------------------------------------

    def _pages(self, query: Callable[[], Query]) -> Iterator[Rows]:
        """To the last row, or an error: a page that is cut short must not look like the end."""
        after = 0
        while True:
            (page,) = self._details.ask(partial(self._behind, query, after))
            if not isinstance(page, Rows) or page.is_cut:
                raise self._not_whole("page")
            yield page
            if not page.n_remaining:
                return
            reached = max(int(recordno(row)) for row in page.rows)
            if reached <= after:
                raise self._not_whole("page")
            after = reached

    @staticmethod
    def _behind(query: Callable[[], Query], after: int) -> list[Query]:
        where = Is("greaterthan", RECORDNO, after) if after else None
        return [replace(query(), where=where, page_size=MAX_PAGE)]

    def _numbers(self) -> Query:
        return replace(self._details.query(self._kind.name), fields=[RECORDNO])

    def _totals(self, where: Condition | None) -> Query:
        kind = self._kind
        return Query(
            object=kind.name,
            fields=[kind.currency] if kind.currency else [],
            counts=[RECORDNO],
            sums=[kind.amount] if kind.amount else [],
            where=where,
            order=(),
            page_size=MAX_PAGE,
            show_private=self._details.show_private,
        )

    def _add(self, found: dict[tuple[str, str], Total], name: str, row: dict[str, str]) -> None:
        currency = row.get(self._kind.currency, "").strip()
        n, amount = row.get(f"COUNT.{RECORDNO}", "").strip(), row.get(f"SUM.{self._kind.amount}", "").strip()
        before = found.get((name, currency), Total(kind=name, currency=currency, n=0, amount=Decimal(0)))
        counted = before.n + int(parse_amount(n or "0"))
        if counted:
            found[name, currency] = replace(before, n=counted, amount=before.amount + parse_amount(amount or "0"))

    def _said(self) -> str:
        who, kind = self._details.client.credentials, self._kind
        place = f"as the entity {who.entity} sees them" if who.entity else "of all entities"
        return ", ".join(
            each for each in (f"all {kind.plural} {place}", kind.states, f"as far as the user {who.user} may see") if each
        )

    def _not_whole(self, what: str) -> ContractBroken:
        said = f"Sage Intacct sent only a part of all {self._kind.plural}. We are looking into it."
        return ContractBroken(said, vendor="intacct", operation=f"query {self._kind.name}", detail=f"an incomplete {what}")

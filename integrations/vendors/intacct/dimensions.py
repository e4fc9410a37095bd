"""All dimensions of a company as one source, and one list by itself (README.md, "Lists of codes")."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice

from integrations.types import Cursor, Known, Login, Page, Population, Record, Total
from integrations.vendors.intacct.kinds import field_of
from integrations.vendors.intacct.lists import ACCOUNTS, LISTS, CodeList, ListReader, of_codes
from integrations.vendors.intacct.masters import STATUSES
from integrations.vendors.intacct.query import MAX_IN
from mappings.fields import Catalogue, FieldType

NAME = "DIMENSIONS"
CATALOGUE = Catalogue(
    (
        field_of("LIST", "List", example="departments"),
        field_of("CODE", "Code", example="10"),
        field_of("NAME", "Name", example="Sales"),
        field_of("STATUS", "Status", FieldType.CHOICE, "active", STATUSES),
        field_of("PARENT", "Parent code", example="1"),
    )
)
MOST_PAGES = 20  # of one list: 40,000 codes


class DimensionsSource:
    """Reads every list of codes whole, since half of their objects have no time of creation; the cursor has nothing to remember."""

    def __init__(self, login: Login, fields: Sequence[str] = ()) -> None:
        self._fields = [each for each in fields if each in CATALOGUE] or [each.key for each in CATALOGUE]
        self._reader = ListReader(login)

    def changed_since(self, cursor: Cursor | None, known: Known) -> Iterator[Page]:
        """Everything, without what is carried just so."""
        for page in self.everything():
            versions = known([each.external_id for each in page.records])
            fresh = tuple(each for each in page.records if versions.get(each.external_id) != each.version)
            yield replace(page, records=fresh, n_known=len(page.records) - len(fresh))

    def fetch(self, external_ids: Sequence[str]) -> Page:
        """These codes as they are now, each list with its own question."""
        wanted: dict[str, list[str]] = {}
        for external_id in dict.fromkeys(external_ids):
            name, _, code = external_id.partition("/")
            wanted.setdefault(name, []).extend([code] if code else [])
        found: list[Record] = []
        for each in self._named(wanted):
            codes = wanted[each.object]
            for at in range(0, len(codes), MAX_IN):
                pages = self._reader.pages([each], where=of_codes(each, codes[at : at + MAX_IN]))
                found += [record for page in pages for record in page]
        return self._page(found)

    def newest(self, n: int) -> Page:
        """The first ``n`` codes: lists have no newest ones."""
        return self._page(list(islice((record for page in self._reader.pages(LISTS) for record in page), n)))

    def population(self) -> Population:
        """How many codes each list has, by Intacct's own count."""
        numbers = self._reader.numbers(self._lists())
        totals = tuple(Total(kind=name, currency="", n=n, amount=Decimal(0)) for name, n in sorted(numbers.items()))
        return Population(said="all codes of all lists that may be read, inactive ones included", totals=totals)

    def everything(self) -> Iterator[Page]:
        for page in self._reader.pages(self._lists()):
            yield self._page(page)

    def exists(self, external_ids: Sequence[str]) -> set[str]:
        """Which of these codes there are: one question per list."""
        return {each.external_id for each in self.fetch(external_ids).records}

    def keys(self) -> Iterator[Sequence[str]]:
        """Every code of every list. Raises when one list may not be read: its codes must not look deleted."""
        lists = self._lists()
        for page in self._reader.pages(lists, spares=False):
            yield [each.external_id for each in page]

    def attachments(self, external_id: str) -> list[tuple[str, str, bytes]]:
        """A code has no documents."""
        return []

    def compared(self, cursor: Cursor, now: datetime) -> Cursor:
        """Nothing to remember: this source never asks for a comparison."""
        return cursor

    def _named(self, objects: Mapping[str, Sequence[str]]) -> list[CodeList]:
        """The lists of these objects; the company's own are looked up only when one of them is meant."""
        given = [each for each in LISTS if each.object in objects]
        own = self._reader.own() if len(given) < len(objects) else []
        return [*given, *(each for each in own if each.object in objects)]

    def _lists(self) -> list[CodeList]:
        return [*LISTS, *self._reader.own()]

    def _page(self, records: Sequence[Record]) -> Page:
        chosen = (replace(each, values={key: each.values[key] for key in self._fields}) for each in records)
        return Page(records=tuple(chosen), cursor={})


def reference(login: Login, list_name: str) -> Iterator[Record]:
    """One list as it is now, for when an unknown code was met: one call for up to 2,000 codes, 40,000 at the most.

    A list of the company's own costs two calls more. A list that there is not has no codes. Raises what the client raises.
    """
    reader = ListReader(login)
    lists = [each for each in (*LISTS, ACCOUNTS) if each.name == list_name] or reader.own([list_name])
    for page in islice(reader.pages(lists[:1]), MOST_PAGES):
        yield from page

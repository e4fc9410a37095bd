"""Which calls we make: one method per call; rows or one of our errors, never a raw answer (README.md, "Calls").

Every request takes the turn of its sender and company, so that one is in flight at a time; a login happens within that same turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timezone

import structlog

from integrations.errors import AnswerTooLarge, ContractBroken, IntegrationError, PermissionMissing, VendorUnavailable
from integrations.types import Login, Session
from integrations.vendors.intacct import auth
from integrations.vendors.intacct.envelope import (
    Node,
    Outcome,
    Row,
    attribute,
    nested,
    rows,
    within,
)
from integrations.vendors.intacct.errors import FunctionRefused
from integrations.vendors.intacct.exchange import Exchange
from integrations.vendors.intacct.query import Query

log = structlog.get_logger(__name__)

SMALLEST_PAGE = 100
KEYS_PER_READ = 100
HEADERS = {"Content-Type": "application/xml", "Accept": "text/xml, application/xml"}

Builder = Callable[[timezone], Sequence[Node]]
"""Functions are built once the session, and so the user's time zone, is known."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One function's records as text by field name, and the zone that its timestamps are in."""

    rows: list[Row]
    n_remaining: int
    zone: timezone
    is_cut: bool = False  # without a row, and yet the vendor says that more remain


Refusal = FunctionRefused | PermissionMissing


class Client:
    """Talks to one company as one user."""

    def __init__(self, login: Login) -> None:
        self._exchange = Exchange(login)
        self._shrunk_by = 1  # how many times smaller pages have become, since the vendor could not answer larger ones

    @property
    def credentials(self) -> auth.Credentials:
        return self._exchange.credentials

    # -- Calls ------------------------------------------------------------------------------------------------------------

    def query(self, *queries: Query) -> list[Rows]:
        """These pages, in one request. Raises the first refusal."""
        found = self.ask(*queries)
        for each in found:
            if isinstance(each, IntegrationError):
                raise each
        return [each for each in found if isinstance(each, Rows)]

    def ask(self, *queries: Query) -> list[Rows | Refusal]:
        """Like ``query``, with a refusal in the place of the page that was refused: the other functions went on.

        When the vendor cannot answer in time (HTTP 524) or answers with too much, the same is asked with half the page size.
        """
        while True:
            pages = [replace(each, page_size=self._fitting(each.page_size)) for each in queries]
            try:
                return self._ask(pages)
            except (VendorUnavailable, ContractBroken) as error:
                if not _was_too_much(error) or all(each.page_size <= SMALLEST_PAGE for each in pages):
                    raise
                self._shrunk_by *= 2
                log.warning("intacct_page_halved", pages=[each.page_size for each in pages], because=error.detail[:80])

    def read(self, object_name: str, keys: Sequence[str], nested_list: str) -> tuple[list[tuple[Row, list[Row]]], timezone]:
        """These records with all their fields, each with the rows of one of its lists; at most 400 keys, in one request."""
        chunks = [keys[at : at + KEYS_PER_READ] for at in range(0, len(keys), KEYS_PER_READ)]
        found: list[tuple[Row, list[Row]]] = []
        outcomes, zone = self._exchange.run(
            lambda _: [_read(object_name, chunk) for chunk in chunks], f"read {object_name}", object_name
        )
        for outcome in outcomes:
            self._exchange.raise_if_failed(outcome, f"read {object_name}", object_name)
            found += list(zip(rows(outcome.data), nested(outcome.data, nested_list), strict=True))
        return found, zone

    def lookup(self, object_name: str) -> frozenset[str]:
        """The names of an object's fields and relations, upper case. Being listed is not being readable."""
        return frozenset(self.spelled(object_name))

    def spelled(self, object_name: str) -> dict[str, str]:
        """The same names as they are written: objects of the company's own use small letters too."""
        operation = f"lookup {object_name}"
        outcomes, _ = self._exchange.run(lambda _: [Node("lookup", [Node("object", object_name)])], operation, object_name)
        self._exchange.raise_if_failed(outcomes[0], operation, object_name)
        data = outcomes[0].data
        names = [] if data is None else [(each.text or "").strip() for each in data.iter("ID", "id", "OBJECTPATH", "objectpath")]
        return {each.upper(): each for each in names}

    def dimensions(self) -> list[Row]:
        """What ``getDimensions`` says of the company's dimensions: OBJECTNAME, USERDEFINEDDIMENSION, …"""
        outcomes, _ = self._exchange.run(lambda _: [Node("getDimensions")], "getDimensions")
        self._exchange.raise_if_failed(outcomes[0], "getDimensions")
        return within(outcomes[0].data, "dimension")

    def get(self, object_name: str, key: str, inside: str, *, max_bytes: int) -> list[Row]:
        """The rows ``inside`` one record, by the older function ``get``, whose answer may be larger than others'."""
        operation = f"get {object_name}"
        attributes = {"object": object_name, "key": key}
        outcomes, _ = self._exchange.run(
            lambda _: [Node("get", "", attributes)], operation, object_name.upper(), max_bytes=max_bytes
        )
        self._exchange.raise_if_failed(outcomes[0], operation, object_name.upper())
        return within(outcomes[0].data, inside)

    def write(self, function: Node, controlid: str) -> list[Row]:
        """Carry out one changing function, once.

        The gateway refuses a control id that it has already completed, so a repeat must carry the same one. Raises
        VendorUnavailable with ``may_have_acted`` when the outcome is open; it is never repeated here.
        """
        if not 1 <= len(controlid) <= 256:
            raise ValueError("a control id has 1 to 256 characters")
        operation = function.tag
        outcomes, _ = self._exchange.run(lambda _: [function], operation, writes=True, controlids=[controlid])
        self._exchange.raise_if_failed(outcomes[0], operation, writes=True)
        return list(rows(outcomes[0].data)) or ([{"KEY": outcomes[0].key}] if outcomes[0].key else [])

    def session(self) -> Session:
        """A session that may be used now, opened if need be: what was learnt with it stands in its facts."""
        return self._exchange.session()

    def _ask(self, queries: Sequence[Query]) -> list[Rows | Refusal]:
        operation = "query " + ", ".join(dict.fromkeys(each.object for each in queries))
        outcomes, zone = self._exchange.run(lambda zone: [each.node(zone) for each in queries], operation)
        found: list[Rows | Refusal] = []
        for query, outcome in zip(queries, outcomes, strict=True):
            error = self._exchange.failure(outcome, f"query {query.object}", query.object)
            if error is None:
                found.append(_page(query, outcome, zone))
            elif isinstance(error, Refusal):
                found.append(error)
            else:
                raise error
        return found

    def _fitting(self, page_size: int) -> int:
        return min(page_size, max(SMALLEST_PAGE, page_size // self._shrunk_by))


def _read(object_name: str, keys: Sequence[str]) -> Node:
    return Node("read", [Node("object", object_name), Node("keys", ",".join(keys)), Node("fields", "*")])


def _page(query: Query, outcome: Outcome, zone: timezone) -> Rows:
    found = list(rows(outcome.data))
    said = attribute(outcome.data, "numremaining")
    n_remaining = int(said) if said.isascii() and said.isdigit() else int(len(found) >= query.page_size)
    return Rows(rows=found, n_remaining=n_remaining if found else 0, zone=zone, is_cut=bool(n_remaining and not found))


def _was_too_much(error: VendorUnavailable | ContractBroken) -> bool:
    """The content network gave up waiting (524), or the answer was larger than ``CallLimits.max_bytes``."""
    if isinstance(error, VendorUnavailable):
        return error.status == 524
    return isinstance(error, AnswerTooLarge)

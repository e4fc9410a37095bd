"""One page of what changed: streams are asked, ids are gathered, and only what is new is read (README.md, "Incremental reading")."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from integrations.errors import PermissionMissing
from integrations.types import Login
from integrations.vendors.intacct import payments
from integrations.vendors.intacct.client import Refusal, Rows
from integrations.vendors.intacct.details import Details, Found, recordno
from integrations.vendors.intacct.objects import Unparsable, stamp_of
from integrations.vendors.intacct.progress import Progress
from integrations.vendors.intacct.query import MAX_IN, Query
from integrations.vendors.intacct.records import Touch
from integrations.vendors.intacct.streams import DELETED, DETAILS, FOLLOWERS, HISTORY, LINES, NEW_DETAILS, PAYMENTS, Stream

log = structlog.get_logger(__name__)

Exists = Callable[[Sequence[str]], set[str]]

DELETIONS_OFF = (
    "Sage Intacct does not tell us which {plural} were deleted. We find them once a week by comparing all numbers. To find them "
    "at once, give the role of the Web Services user the permission {right}."
)


@dataclass(kw_only=True)
class Changes:
    """What one request told: whole headers, ids whose lines or payments changed, and ids that are gone."""

    headers: dict[str, Found] = field(default_factory=dict)
    touched: dict[str, Touch] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def touch(self, external_id: str, *, lines: str = "", payments: str = "") -> None:
        before = self.touched.get(external_id, Touch())
        self.touched[external_id] = Touch(max(before.lines, lines), max(before.payments, payments))


class Streams:
    """Asks all streams that still have something to say, in one request."""

    def __init__(self, login: Login, details: Details, streams: Mapping[str, Stream], *, name: str, plural: str, exists: Exists):
        self._login, self._details, self._streams, self._exists = login, details, streams, exists
        self._name, self._plural = name, plural

    def next(self, progress: Progress) -> Changes:
        """The changes of this page; moves the progress on. What follows the headers is left for a later page until they are done."""
        found = Changes()
        pages = self._ask(progress)
        for name, page in pages.items():
            if name not in FOLLOWERS and isinstance(page, Rows):
                found.headers |= {recordno(row): (row, page) for row in page.rows}
                progress.advance(self._streams[name], page)
        progress.is_fresh = False
        if progress.headers_are_done:
            for name, page in pages.items():
                if name in FOLLOWERS:
                    self._follow(name, page, progress, found)
        return found

    def _ask(self, progress: Progress) -> dict[str, Rows | Refusal]:
        names: list[str] = []

        def queries() -> list[Query]:
            if self._details.reads_lines_whole:
                progress.done.add(LINES)
            names[:] = progress.open_streams()
            return [self._query(name, progress) for name in names]

        pages = self._details.ask(queries, spared=HISTORY)
        return dict(zip(names, pages, strict=True))

    def _query(self, name: str, progress: Progress) -> Query:
        stream = self._streams[name]
        fields = stream.fields or self._details.query(stream.object).fields
        return stream.query(progress.positions[name], fields, show_private=self._details.show_private)

    def _follow(self, name: str, page: Rows | Refusal, progress: Progress, found: Changes) -> None:
        if name == DELETED:
            self._follow_deletions(page, progress, found)
            return
        if not isinstance(page, Rows):
            raise page
        stamps = self._stamps(name, page)
        progress.advance(self._streams[name], page)
        if name == LINES:
            for each, stamp in _by_id(stamps, self._details.parent):
                found.touch(each, lines=stamp)
        elif name == PAYMENTS:
            self._follow_payments(stamps, progress, found)
        elif name in (DETAILS, NEW_DETAILS):
            for each, stamp in _by_id(stamps, payments.BILL_KEY):
                found.touch(each, payments=stamp)

    def _stamps(self, name: str, page: Rows) -> list[tuple[dict[str, str], str]]:
        """Rows with a readable time."""
        found = []
        for row in page.rows:
            try:
                found.append((row, stamp_of(row.get(self._streams[name].stamp, ""), page.zone)))
            except Unparsable:
                continue
        return found

    # -- Payments ---------------------------------------------------------------------------------------------------------

    def _follow_payments(self, rows: Iterable[tuple[dict[str, str], str]], progress: Progress, found: Changes) -> None:
        """From payments that changed to their bills: one call more, but none for payments that only the overlap shows again."""
        changed = {recordno(row): stamp for row, stamp in rows if progress.seen.get(f"{PAYMENTS}/{recordno(row)}") != stamp}
        keys = list(changed)
        details = payments.DETAIL_OBJECT
        for _, pages in self._details.whole(lambda: self._details.named(details, payments.PAYMENT_KEY, keys, MAX_IN)):
            for row in (row for page in pages for row in page.rows):
                bill, payment = row.get(payments.BILL_KEY, "").strip(), row.get(payments.PAYMENT_KEY, "").strip()
                if bill.isdigit() and payment in changed:
                    found.touch(bill, payments=changed[payment])
        progress.seen |= {f"{PAYMENTS}/{each}": stamp for each, stamp in changed.items()}

    # -- Deletions --------------------------------------------------------------------------------------------------------

    def _follow_deletions(self, page: Rows | Refusal, progress: Progress, found: Changes) -> None:
        """Denied, or broken twice: the position stays, so nothing is lost, and all keys are compared within a week."""
        if not isinstance(page, Rows | PermissionMissing):
            (page,) = self._details.client.ask(self._query(DELETED, progress))
        if not isinstance(page, Rows):
            if isinstance(page, PermissionMissing):
                self._login.warn("deletions_off", DELETIONS_OFF.format(plural=self._plural, right=page.right))
            log.warning("intacct_deletions_not_read", object=self._name, because=page.detail[:200])
            progress.deletions_are_not_told(self._login.now())
            progress.done.add(DELETED)
            return
        rows = [each for each in self._stamps(DELETED, page) if f"{DELETED}/{each[0].get('ID', '')}" not in progress.seen]
        progress.advance(self._streams[DELETED], page)
        progress.deletions_are_told(self._login.now())
        self._verify(rows, progress, found)

    def _verify(self, rows: Sequence[tuple[dict[str, str], str]], progress: Progress, found: Changes) -> None:
        """Only what is certainly gone is told. Some objects are written down by a name that we do not keep: compare all keys."""
        keys = [row.get("OBJECTKEY", "").strip() for row, _ in rows]
        numbers = list(dict.fromkeys(each for each in keys if each.isascii() and each.isdigit()))
        if len(set(keys)) > len(numbers):
            progress.compare_at = self._login.now()
        standing = self._exists(numbers)
        found.deleted += [each for each in numbers if each not in standing]
        for (row, stamp), key in zip(rows, keys, strict=True):
            if key not in standing:
                progress.seen[f"{DELETED}/{row.get('ID', '')}"] = stamp


def _by_id(rows: Iterable[tuple[dict[str, str], str]], name: str) -> Iterable[tuple[str, str]]:
    for row, stamp in rows:
        if (key := row.get(name, "").strip()).isdigit():
            yield key, stamp

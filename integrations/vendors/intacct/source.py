"""What changed since then: pages of records with their lines, resumable at any page (README.md, "Incremental reading")."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.types import Cursor, Known, Login, Page, Population, Record, Unreadable
from integrations.vendors.intacct import attachments
from integrations.vendors.intacct.catalogue import KINDS
from integrations.vendors.intacct.changes import Streams
from integrations.vendors.intacct.client import Rows
from integrations.vendors.intacct.details import Details, Found, FoundLines, recordno
from integrations.vendors.intacct.kinds import Kind
from integrations.vendors.intacct.objects import Unparsable
from integrations.vendors.intacct.paid import PaidReader
from integrations.vendors.intacct.payments import Paid, newest_stamp
from integrations.vendors.intacct.progress import Progress, compared
from integrations.vendors.intacct.query import MAX_IN, MAX_PAGE
from integrations.vendors.intacct.records import Reader, Touch, is_current, unreadable, version_of
from integrations.vendors.intacct.streams import streams_of
from integrations.vendors.intacct.whole import Whole

UNTOUCHED = Touch()


class IntacctSource:
    """Reads one kind of object from one company, with these fields.

    ``version`` is "<header's last change>|<newest line's>", and "|<newest payment's>" where payments are read; all in UTC.
    """

    def __init__(self, login: Login, kind: Kind | str, fields: Sequence[str]) -> None:
        self._now = login.now
        self._kind = KINDS[kind] if isinstance(kind, str) else kind
        self._reader = Reader(self._kind, fields)
        self._details = Details(login, self._kind, self._reader)
        self._whole = Whole(self._kind, self._details)
        self._paid = PaidReader(self._details)
        streams = streams_of(self._kind, with_lines=self._details.has_lines, with_payments=self._details.reads_payments)
        name, plural = self._kind.name, self._kind.plural
        self._streams = Streams(login, self._details, streams, name=name, plural=plural, exists=self.exists)
        self._stream_map = streams

    # -- The Source protocol ----------------------------------------------------------------------------------------------

    def changed_since(self, cursor: Cursor | None, known: Known) -> Iterator[Page]:
        """Everything that changed since the cursor, or everything; at least one page, and one request when nothing changed."""
        progress = Progress.start(cursor, self._stream_map, self._now())
        while True:
            yield self._next(progress, known)
            if not progress.has_more:
                return

    def fetch(self, external_ids: Sequence[str]) -> Page:
        """These records as they are now, with their lines: one request per 1,000 that have up to 4,000 lines."""
        wanted = [each for each in dict.fromkeys(external_ids) if each.isascii() and each.isdigit()]
        found: list[Record | Unreadable] = []
        for at in range(0, len(wanted), MAX_IN):
            chunk = wanted[at : at + MAX_IN]
            headers, lines = self._details.by_ids(chunk, chunk)
            found += self._records({each: headers[each] for each in chunk if each in headers}, lines, {})
        return _page(found, {})

    def newest(self, n: int) -> Page:
        """The ``n`` records that were entered last, newest first."""
        size = max(1, min(n, MAX_PAGE))
        (page,) = self._details.ask(lambda: [replace(self._details.query(self._kind.name), descending=True, page_size=size)])
        assert isinstance(page, Rows)  # a refusal that is not spared is raised
        headers = {recordno(row): (row, page) for row in page.rows[:n]}
        _, lines = self._details.by_ids([], list(headers))
        return _page(self._records(headers, lines, {}), {})

    def population(self) -> Population:
        """The vendor's own counts and sums: one request, plus one when a field has to be left out."""
        return self._whole.population()

    def everything(self) -> Iterator[Page]:
        """All records by their numbers, headers alone: neither lines nor payments, whatever was asked for."""
        for page in self._whole.headers():
            yield _page([self._bare(row, page) for row in page.rows], {})

    # -- Beyond the protocol ----------------------------------------------------------------------------------------------

    def keys(self) -> Iterator[Sequence[str]]:
        """The ids of all records, page by page, to the last one or an error: what is missing then is gone."""
        return self._whole.keys()

    def exists(self, external_ids: Sequence[str]) -> set[str]:
        """Which of these are still there: one request for up to 4,000."""
        return self._whole.exists(external_ids)

    @staticmethod
    def compared(cursor: Cursor, now: datetime) -> Cursor:
        """The cursor after all keys were compared, which is due when ``cursor["compare_keys_at"]`` has come."""
        return compared(cursor, now)

    def attachments(self, external_id: str) -> list[attachments.Attachment]:
        """The files attached to this record: two requests, one when it has none."""
        supdocid = self._whole.supdocid(external_id)
        return attachments.files(self._details.client, supdocid) if supdocid else []

    # -- One page ---------------------------------------------------------------------------------------------------------

    def _next(self, progress: Progress, known: Known) -> Page:
        """One page of all streams that still have something to say, in one request; then the details of what is new in it."""
        changes = self._streams.next(progress)
        headers, touched = changes.headers, changes.touched
        ids = list(dict.fromkeys([*headers, *touched]))
        versions = known(ids) if ids else {}
        fresh = {each: found for each, found in headers.items() if not self._is_known(each, found, versions, touched, progress)}
        reread = [each for each in touched if each not in headers and not is_current(versions.get(each), None, touched[each])]
        more, lines = self._details.by_ids(reread, [*fresh, *reread])
        records = self._records(fresh | more, lines, touched)
        carried = [each for each in records if not _is_carried(each, versions)]
        n_known = len(headers) - len(fresh) + len(records) - len(carried)
        return replace(_page(carried, progress.cursor()), n_known=n_known, deleted=tuple(changes.deleted))

    def _is_known(
        self, external_id: str, found: Found, versions: Mapping[str, str], touched: Mapping[str, Touch], progress: Progress
    ) -> bool:
        """Is what is carried as new as this header, its lines and payments? A first reading has no streams that would tell."""
        if progress.is_first and (self._details.has_lines or self._details.reads_payments):
            return False
        try:
            stamp = self._reader.stamp(found[0], found[1].zone)
        except Unparsable:
            return False
        return is_current(versions.get(external_id), stamp, touched.get(external_id, UNTOUCHED))

    def _records(
        self, headers: Mapping[str, Found], lines: Mapping[str, FoundLines], touched: Mapping[str, Touch]
    ) -> list[Record | Unreadable]:
        paid = self._paid.of(list(headers))
        return [
            self._record(found, lines.get(each, ([], found[1])), touched.get(each, UNTOUCHED), paid(each))
            for each, found in headers.items()
        ]

    def _record(self, found: Found, lines: FoundLines, touched: Touch, paid: Paid | None) -> Record | Unreadable:
        (row, page), (own, lines_page) = found, lines
        try:
            newest = max(self._reader.line_stamp(own, lines_page.zone), touched.lines)
            newest_paid = None if paid is None else max(newest_stamp(paid), touched.payments)
            version = version_of(self._reader.stamp(row, page.zone), newest, newest_paid)
        except Unparsable as error:
            return unreadable(recordno(row), self._reader.label(row), str(error))
        return self._reader.record(row, own, version, page.zone, paid)

    def _bare(self, row: dict[str, str], page: Rows) -> Record | Unreadable:
        return self._record((row, page), ([], page), UNTOUCHED, None)


def _is_carried(record: Record | Unreadable, versions: Mapping[str, str]) -> bool:
    return isinstance(record, Record) and versions.get(record.external_id) == record.version


def _page(found: Sequence[Record | Unreadable], cursor: Cursor) -> Page:
    return Page(
        records=tuple(each for each in found if isinstance(each, Record)),
        unreadable=tuple(each for each in found if isinstance(each, Unreadable)),
        cursor=cursor,
    )

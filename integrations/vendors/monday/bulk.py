"""First loads by file: one job instead of a call per ten records. Off unless the connection's ``bulk_load`` is "auto".

The vendor works on the file after it took it, and makes or updates by our key; what became of the rows is read from the board.
README.md, "First loads".
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from integrations.errors import ContractBroken, IntegrationError, PermissionMissing, RateLimited, RecordRejected, SetupBroken
from integrations.types import Batch, Done, Login, NotWritten, Result, Sent, Write
from integrations.vendors.monday import keys, rows
from integrations.vendors.monday.batching import misfit, place_of
from integrations.vendors.monday.boards import Board, split_place
from integrations.vendors.monday.client import MondayClient

log = structlog.get_logger(__name__)

FEWEST: Final = 200  # creates: below, a job (a start, three looks, a page per 500 items) saves too few calls for its waiting
MOST_ROWS: Final = 2_000
MOST_OPENERS: Final = 50
JOBS, ROWS = "ingest_jobs", "ingest_rows"
JOBS_PER_HOUR, ROWS_PER_HOUR = 100, 19_000
LOOKS: Final = (0, 4, 10)  # seconds to wait before each look at a job
LOOK_FOR: Final = timedelta(seconds=20)
URL_LASTS: Final = timedelta(minutes=10)
PATIENCE: Final = timedelta(minutes=30)
SOON: Final = timedelta(seconds=15)
OVER: Final = frozenset({"COMPLETED", "REJECTED", "FAILED"})
_WORKING = "Monday.com is working on the upload. We look again by ourselves."
_NO_JOBS = "Monday.com takes no more uploads in this hour. Records go one by one."


class BulkLoads:
    """The jobs of one connection."""

    def __init__(self, login: Login, client: MondayClient, pause: Callable[[float], None]) -> None:
        self._login, self._client, self._pause = login, client, pause
        self._addresses: dict[str, str] = {}  # job → where its file goes; never stored, since it lets anybody upload
        self._is_on = login.settings.get("bulk_load") == "auto"

    # -- beginning ---------------------------------------------------------------------------------------------------------

    def openers(self, writes: Sequence[Write], board: Board) -> list[Write]:
        """The few writes that have to go first and one by one, since they make the labels which all the others use."""
        made: set[tuple[str, str]] = set()
        openers: list[Write] = []
        creates = [each for each in writes if each.creates and not each.parent_id]
        for write in creates if self._is_on and len(creates) >= FEWEST else ():
            labels = set() if misfit(write, board) else rows.new_labels(write, board) - made
            if labels and len(openers) < MOST_OPENERS:
                made |= labels
                openers.append(write)
        return openers

    def batches(self, writes: list[Write], board: Board, place: str) -> Iterator[Batch]:
        """Takes what goes by file out of ``writes`` and yields it; what no job can be had for stays."""
        for group, fitting in self._by_group(writes, board, place).items():
            while self._is_on and len(fitting) >= FEWEST:
                going, fitting = fitting[:MOST_ROWS], fitting[MOST_ROWS:]
                if not (job := self._start(board, group, len(going))):
                    break
                gone = {id(each) for each in going}
                writes[:] = [each for each in writes if id(each) not in gone]
                day = self._login.now().date().isoformat()
                yield Batch(writes=tuple(going), body=f"{job}\n{rows.csv_of(going, board, day)}", bulk=True)

    def _by_group(self, writes: Sequence[Write], board: Board, place: str) -> dict[str, list[Write]]:
        """The vendor compares keys without case, so two that differ in nothing else would become one item."""
        groups: dict[str, list[Write]] = {}
        n_alike = Counter(each.key.casefold() for each in writes)
        for write in writes if self._is_on and "key" in board.ours else ():
            if n_alike[write.key.casefold()] == 1 and rows.fits(write, board):
                groups.setdefault(split_place(place_of(write, place))[1] or board.group, []).append(write)
        return groups

    def _start(self, board: Board, group: str, n_rows: int) -> str:
        """A job's id; "" where there is none to be had: then the records go one by one in this run."""
        try:
            hour = timedelta(hours=1)
            self._login.budgets.spend(JOBS, 1, limit=JOBS_PER_HOUR, window=hour, said=_NO_JOBS)
            self._login.budgets.spend(ROWS, n_rows, limit=ROWS_PER_HOUR, window=hour, said=_NO_JOBS)
            job, self._addresses[job] = self._client.start_job(board.id, group, board.ours["key"])
        except (RateLimited, PermissionMissing, SetupBroken, ContractBroken, RecordRejected) as error:
            log.warning("monday_bulk_refused", said=error.said, detail=error.detail)
            self._is_on = False
            return ""
        return job

    # -- carrying out ------------------------------------------------------------------------------------------------------

    def carry_out(self, batch: Batch, board: Board) -> Sequence[Result]:
        """Upload once and look at the job for a few seconds. Raises RateLimited while the vendor is working."""
        job, _line, text = batch.body.partition("\n")
        address = self._addresses.pop(job, "")
        if not address or not self._client.upload(address, text):
            self._stop_if_many(len(batch.writes))
            return [NotWritten(external_id=each.external_id) for each in batch.writes]
        began = self._login.now()
        for wait in LOOKS:
            if wait and self._login.now() - began < LOOK_FOR:
                self._pause(wait)
            status = self._client.job(job)
            if status.get("status") in OVER:
                return self._settle(batch, board, status, timedelta(0))
        raise self._working(timedelta(0))

    def resolve(self, sent: Sent, board: Board) -> Sequence[Result]:
        """What became of the rows; the file is never sent again."""
        status = self._job(sent.batch.body.partition("\n")[0])
        is_over = status.get("status") in OVER
        was_never_sent = status.get("status") == "UPLOAD_PENDING" and sent.age > URL_LASTS
        if status and not is_over and not was_never_sent and sent.age < PATIENCE:
            raise self._working(sent.age)
        return self._settle(sent.batch, board, status, sent.age)

    def _job(self, job: str) -> Mapping[str, Any]:
        """A job's state; nothing where the vendor does not tell it (any more, or to this user)."""
        try:
            return self._client.job(job)
        except (PermissionMissing, SetupBroken, ContractBroken, RecordRejected):
            return {}

    def _settle(self, batch: Batch, board: Board, status: Mapping[str, Any], age: timedelta) -> Sequence[Result]:
        """Done for what stands on the board. The rest was certainly not written once as many stand there as the job tells."""
        found = keys.newest(self._client, board, [each.key for each in batch.writes])
        if len(found) < _n_told(status, len(batch.writes)) and age < PATIENCE:
            raise self._working(age)
        if n_missing := len(batch.writes) - len(found):
            log.warning("monday_bulk_incomplete", n_missing=n_missing, status=dict(status))
        self._stop_if_many(n_missing)
        return [self._result(each, found.get(each.key, [])) for each in batch.writes]

    def _stop_if_many(self, n_missing: int) -> None:
        """So many would go by file again, and fail again: one by one they will say what is wrong."""
        if n_missing >= FEWEST:
            self._login.budgets.exhaust(JOBS, until=timedelta(hours=1), said=_NO_JOBS)
            self._is_on = False

    def _result(self, write: Write, ids: Sequence[str]) -> Result:
        if not ids:
            return NotWritten(external_id=write.external_id)
        if len(ids) > 1:
            keys.warn_of_doubles(self._login, write.key, ids)
        return Done(external_id=write.external_id, target_id=ids[0])

    def _working(self, age: timedelta) -> IntegrationError:
        """Rarer with time: a job that hangs must not use up the day's calls."""
        return RateLimited(_WORKING, retry_after=max(SOON, age / 4), vendor="monday", operation="Job")


def _n_told(status: Mapping[str, Any], n_rows: int) -> int:
    """How many rows stand on the board by the job's own account; all of them where it gives none but says that it is done."""
    counts = status.get("counts") or {}
    if status.get("status") in ("REJECTED", "UPLOAD_PENDING"):
        return 0
    told = [int(counts[each]) for each in ("created", "updated") if counts.get(each) is not None]
    return min(sum(told), n_rows) if told and status.get("status") in OVER else n_rows

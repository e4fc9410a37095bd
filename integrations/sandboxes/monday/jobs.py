"""Bulk imports on their way: started, waiting for their file, being processed, over.

A job takes the time that the setting ``ingest_seconds`` says, on the world's clock, and its items appear when that time is over.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.sandboxes.core import Faults

from .signing import link
from .state import User


@dataclass(kw_only=True)
class Counts:
    submitted: int = 0
    invalid: int = 0
    skipped: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What armed faults hold ready for one job."""

    rejected: str | None = None  # the failure reason
    message: str = ""
    never_ends: bool = False
    breaks_after: int | None = None  # rows that are done before the job fails
    refused_rows: frozenset[int] = frozenset()


@dataclass(kw_only=True)
class Job:
    id: str
    board_id: str
    group_id: str
    user: User
    match_column_id: str = ""
    behaviour: str = ""  # UPSERT, SKIP; empty: every row becomes a new item
    state: str = "UPLOAD_PENDING"
    body: bytes = b""
    uploaded_at: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    failure_reason: str | None = None
    failure_message: str | None = None
    report: bytes | None = None
    fate: Fate = field(default_factory=Fate)

    def end(self, state: str, reason: str | None = None, message: str | None = None) -> None:
        self.state, self.failure_reason, self.failure_message, self.body = state, reason, message, b""


@dataclass(kw_only=True)
class Jobs:
    takes: timedelta = timedelta()
    known: dict[str, Job] = field(default_factory=dict)
    running: list[Job] = field(default_factory=list)

    def start(self, **told: Any) -> Job:
        number = random.Random(len(self.known)).getrandbits(128)
        job = Job(id=str(uuid.UUID(int=number, version=4)), **told)
        self.known[job.id] = job
        return job

    def accept(self, job: Job, body: bytes, n_rows: int, fate: Fate, now: datetime) -> None:
        job.state, job.body, job.uploaded_at, job.fate = "PROCESSING", body, now, fate
        job.counts.submitted = n_rows
        self.running.append(job)

    def settle(self, now: datetime, run: Callable[[Job, datetime], None]) -> None:
        """Carry out the jobs whose time is over, each as of the moment at which it was due."""
        for job in list(self.running):
            assert job.uploaded_at is not None
            due = job.uploaded_at + self.takes
            if due <= now and not job.fate.never_ends:
                self.running.remove(job)
                run(job, due)

    def status(self, job: Job, base_url: str, now: datetime) -> dict[str, Any]:
        """As ``fetch_job_status`` tells it."""
        has_report = job.report is not None
        return {
            "status": job.state,
            "counts": None if job.state == "UPLOAD_PENDING" else asdict(job.counts),
            "progress_percentage": self._progress(job, now),
            "failure_reason": job.failure_reason,
            "failure_message": job.failure_message,
            "fully_imported": job.state == "COMPLETED" and not job.counts.failed,
            "report_created": has_report,
            "report_url": link(base_url, "report", job.id, now) if has_report else None,
        }

    def _progress(self, job: Job, now: datetime) -> int:
        if job.state == "UPLOAD_PENDING":
            return 0
        if job.state != "PROCESSING" or job.uploaded_at is None:
            return 100  # also after a failure: there is nothing more to come
        done = (now - job.uploaded_at) / self.takes if self.takes else 0
        return min(99, int(100 * done))


STEPS = frozenset({"", "ingest_items", "upload"})
FAULTS = frozenset({"ingest_rejected", "ingest_row_refused", "ingest_never_ends", "ingest_failed"})


def fate(faults: Faults) -> Fate:
    """Ask the armed faults what becomes of the file that is uploaded now."""
    struck = [one for one in list(faults.armed) if one.name in FAULTS and one.operation in STEPS and one.strikes()]
    told = {one.name: one.settings for one in struck}
    rejected, failed = told.get("ingest_rejected"), told.get("ingest_failed")
    return Fate(
        rejected=None if rejected is None else str(rejected.get("reason", "INVALID_UPLOAD")),
        message=str((rejected or {}).get("message", "The file was rejected")),
        never_ends="ingest_never_ends" in told,
        breaks_after=None if failed is None else int(failed.get("rows", 0)),
        refused_rows=frozenset(int(one.settings.get("index", 0)) for one in struck if one.name == "ingest_row_refused"),
    )

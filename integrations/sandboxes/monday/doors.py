"""The addresses beside the API: where a file for an import is put, where a report and an uploaded file are fetched."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from integrations.sandboxes.core import Answer, ConnectionCut, Faults, Request

from . import jobs as importing
from . import signing
from .jobs import Jobs
from .sheets import n_rows
from .state import State

FAULTS = importing.FAULTS | {"upload_lost_reply", "upload_refused"}
CHECKSUM = "x-amz-checksum-crc32"
NOT_FOUND = Answer(status=404, headers={"Content-Type": "text/plain"}, body=b"Not Found")


@dataclass(kw_only=True)
class Doors:
    state: State
    jobs: Jobs
    faults: Faults

    def answer(self, request: Request, now: datetime) -> Answer:
        kind, name, *_ = [*request.path.strip("/").split("/"), ""]
        method = {"upload": "PUT", "report": "GET", "asset": "GET"}.get(kind)
        if method is None or not name:
            return NOT_FOUND
        refused = signing.refusal(request, kind, name, now)
        if refused is None and request.method != method:
            refused = signing.problem("SignatureDoesNotMatch", f"The link is for {method}")
        opened = refused or {"upload": self._upload, "report": self._report, "asset": self._asset}[kind](request, name, now)
        return Answer(status=opened.status, headers=opened.headers, body=opened.body, operation=kind)

    def _upload(self, request: Request, name: str, now: datetime) -> Answer:
        if CHECKSUM in request.headers:
            unsigned = f"<HeadersNotSigned>{CHECKSUM}</HeadersNotSigned>"
            return signing.problem("AccessDenied", "There were headers which were not signed", more=unsigned)
        if refused := self.faults.take("upload_refused", operation="upload"):
            return signing.problem("SlowDown", "Reduce your request rate", status=int(refused.settings.get("status", 503)))
        job = self.jobs.known.get(name)
        if job is None:
            return NOT_FOUND
        if job.state == "UPLOAD_PENDING":  # a file that is sent again is taken and comes to nothing
            self.jobs.accept(job, request.body, n_rows(request.body), importing.fate(self.faults), now)
        if self.faults.take("upload_lost_reply", operation="upload"):
            lost = ConnectionCut("the connection was closed before the answer was sent")
            lost.operation = "upload"
            raise lost
        etag = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
        return Answer(headers={"ETag": f'"{etag}"', "Content-Type": "application/xml"})

    def _report(self, request: Request, name: str, now: datetime) -> Answer:
        job = self.jobs.known.get(name)
        if job is None or job.report is None:
            return NOT_FOUND
        return Answer(headers={"Content-Type": "text/csv"}, body=job.report)

    def _asset(self, request: Request, name: str, now: datetime) -> Answer:
        asset = self.state.assets.get(name)
        if asset is None:
            return NOT_FOUND
        return Answer(headers={"Content-Type": asset.content_type}, body=asset.content)

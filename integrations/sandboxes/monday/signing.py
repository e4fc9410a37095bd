"""Links that speak for themselves, as the vendor's file store hands them out: signed, and good for some minutes only."""

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from integrations.sandboxes.core import Answer, Request

STAMP = "%Y%m%dT%H%M%SZ"
TEN_MINUTES = timedelta(minutes=10)
XML = {"Content-Type": "application/xml"}


def link(base_url: str, kind: str, name: str, now: datetime, *, lives: timedelta = TEN_MINUTES, title: str = "") -> str:
    """An address below this sandbox: ``…/upload/JOB?X-Amz-Date=…``; a title is there for people and not signed."""
    stamp, seconds = now.astimezone(UTC).strftime(STAMP), int(lives.total_seconds())
    signed = f"X-Amz-Date={stamp}&X-Amz-Expires={seconds}&X-Amz-Signature={_signature(kind, name, stamp, seconds)}"
    tail = f"/{quote(title)}" if title else ""
    return f"{base_url}/{kind}/{name}{tail}?{signed}"


def refusal(request: Request, kind: str, name: str, now: datetime) -> Answer | None:
    """Why this request may not use its link, or None. The link is the whole permission: a token beside it is one too many."""
    if request.headers.get("authorization"):
        return problem("InvalidArgument", "Only one way of signing in is allowed", status=400)
    stamp, seconds = request.query.get("X-Amz-Date", ""), request.query.get("X-Amz-Expires", "")
    if not seconds.isdecimal() or request.query.get("X-Amz-Signature") != _signature(kind, name, stamp, int(seconds)):
        return problem("SignatureDoesNotMatch", "The signature does not belong to this request")
    if now >= datetime.strptime(stamp, STAMP).replace(tzinfo=UTC) + timedelta(seconds=int(seconds)):
        return problem("AccessDenied", "Request has expired")
    return None


def problem(code: str, message: str, *, status: int = 403, more: str = "") -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>'
    return Answer(status=status, headers=XML, body=body.encode())


def _signature(kind: str, name: str, stamp: str, seconds: int) -> str:
    return hashlib.sha256(f"{kind}/{name}/{stamp}/{seconds}".encode()).hexdigest()

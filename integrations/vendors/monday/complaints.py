"""The entries of an answer's ``errors`` in one shape, whichever of the vendor's shapes they came in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One entry of ``errors``, whatever shape it came in. ``wait`` is what the vendor asks for; None when it says nothing."""

    message: str
    code: str = ""
    path: tuple[str | int, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    wait: timedelta | None = None
    status: int = 200
    request_id: str = ""


def complaints_of(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str], now: datetime
) -> tuple[Complaint, ...]:
    """Every entry of ``errors``: objects, strings, or the flat shape of before 2025. A failed status without any is one too."""
    extensions = _mapping(body.get("extensions"))
    request_id = str(extensions.get("request_id") or "")
    told = body.get("errors") or ([body["error_message"]] if body.get("error_message") else [])
    entries = told if isinstance(told, list) else [told]
    if not entries and status != 200:
        entries = [f"HTTP {status}"]
    found = [_complaint(entry, body, status, request_id) for entry in entries]
    asked = _retry_after(headers, now)
    return tuple(_waiting(each, asked) for each in found)


def _complaint(entry: Any, body: Mapping[str, Any], status: int, request_id: str) -> Complaint:
    if not isinstance(entry, Mapping):
        entry = {"message": str(entry)}
    more = _mapping(entry.get("extensions"))
    path = entry.get("path")
    waits = [_seconds(more.get("retry_in_seconds")), _seconds(more.get("retryAfterMs"), 1000)]
    if reset := re.search(r"reset in (\d+) seconds", str(entry.get("message"))):
        waits.append(timedelta(seconds=int(reset[1])))
    return Complaint(
        message=str(entry.get("message") or ""),
        code=str(more.get("code") or body.get("error_code") or ""),
        path=tuple(path) if isinstance(path, list) else (),
        data=_mapping(more.get("error_data")),
        wait=max((each for each in waits if each is not None), default=None),
        status=status,
        request_id=request_id,
    )


def _waiting(complaint: Complaint, asked: timedelta | None) -> Complaint:
    """The longest of all the waits that were asked for."""
    waits = [each for each in (complaint.wait, asked) if each is not None]
    return replace(complaint, wait=max(waits, default=None))


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """``Retry-After`` as seconds or as an HTTP date; None when it is absent or senseless."""
    told = headers.get("Retry-After", "").strip()
    if seconds := _seconds(told or None):
        return seconds
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now


def _seconds(number: Any, parts: int = 1) -> timedelta | None:
    try:
        return timedelta(seconds=float(number) / parts)
    except (TypeError, ValueError, OverflowError):
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

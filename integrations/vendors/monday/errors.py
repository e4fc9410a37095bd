"""What a bad answer means: one table from the vendor's codes to our classes and sentences.

Codes are compared without case, "_" and blanks: documents and wire disagree. README.md, "Errors".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from integrations.errors import (
    ContractBroken,
    CredentialsRejected,
    IntegrationError,
    PermissionMissing,
    RateLimited,
    RecordRejected,
    SetupBroken,
    VendorUnavailable,
)
from integrations.vendors.monday.complaints import Complaint
from integrations.vendors.monday.limits import WAITS_FOR_MIDNIGHT, until_midnight


class TooHeavy(ContractBroken):
    """The document costs more than one document may: ask for less at once."""


class CursorExpired(VendorUnavailable):
    """The 60 minutes of a paging cursor are over: begin the walk again."""


class Means(Enum):
    """What a code comes down to."""

    SLOW_DOWN = auto()
    DAY_IS_OVER = auto()
    DOWN = auto()
    CREDENTIALS = auto()
    PERMISSION = auto()
    SETUP = auto()
    VALUE = auto()  # a column's value, or the name: this record only
    ITEM = auto()  # the item is not there, or not as the write supposes: this record only
    HEAVY = auto()
    CURSOR = auto()
    OURS = auto()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One row of the table. ``about`` is the right to grant or the thing to choose anew; ``wait`` is for a silent vendor."""

    means: Means
    said: str = ""
    about: str = ""
    wait: timedelta = timedelta(seconds=15)


def _slow(said: str, **wait: float) -> Verdict:
    return Verdict(means=Means.SLOW_DOWN, said=said, wait=timedelta(**wait))


_SOON = "Monday.com asks us to go slower. We go on by ourselves."
_BUSY = _slow(_SOON, seconds=15)
_NO_BOARD = Verdict(
    means=Means.SETUP,
    about="board",
    said="Monday.com no longer has the board, or hides it from this user. Choose another board.",
)
_NO_COLUMN = Verdict(
    means=Means.SETUP,
    about="column",
    said="A mapped column is no longer on the Monday.com board. Open the mapping and choose another.",
)
_SCOPE = Verdict(
    means=Means.PERMISSION,
    about="scope",
    said="The Monday.com authorisation lacks a right that we need. Reconnect and re-authorise the connection.",
)
_BOARD_RIGHT = Verdict(
    means=Means.PERMISSION,
    about="edit the board",
    said="Monday.com does not let this user write to the board. Make the user an owner or editor of the board.",
)
_LOGIN = Verdict(
    means=Means.CREDENTIALS, said="Monday.com does not accept the API token. Reconnect with the token that Monday.com shows now."
)
_ADDRESS = Verdict(
    means=Means.CREDENTIALS,
    said="Monday.com refuses calls from our address. An administrator has to allow it in Monday.com, then reconnect.",
)
_VALUE, _ITEM, _OURS = (Verdict(means=each) for each in (Means.VALUE, Means.ITEM, Means.OURS))
_DOWN = Verdict(means=Means.DOWN, said="Monday.com did not finish the call. We try again by ourselves.")

TABLE: Final[Mapping[str, Verdict]] = {
    "minuteratelimitexceeded": _slow(_SOON, seconds=60),
    "minutelimitrateexceeded": _slow(_SOON, seconds=60),
    "ratelimitexceeded": _slow(_SOON, seconds=60),
    "calllimitexceeded": _slow(_SOON, seconds=60),
    "maxconcurrencyexceeded": _BUSY,
    "complexitybudgetexhausted": _slow(_SOON, seconds=60),
    "complexityexception": _slow(_SOON, seconds=60),
    "ipratelimitexceeded": _BUSY,
    "fieldlimitexceeded": _BUSY,
    "toomanyrequests": _BUSY,
    "apitemporarilyblocked": _slow("Monday.com blocks all calls for some minutes. We go on by ourselves.", minutes=5),
    "resourceiscurrentlylocked": _slow(_SOON, seconds=5),
    "idempotencyconflict": _slow("Monday.com is still working on our last call. We go on by ourselves.", seconds=5),
    "dailylimitexceeded": Verdict(means=Means.DAY_IS_OVER, said=WAITS_FOR_MIDNIGHT),
    "requestmaxcomplexityexceeded": Verdict(means=Means.HEAVY),
    "maxcomplexityexceeded": Verdict(means=Means.HEAVY),
    "timeoutexceeded": _DOWN,
    "internalservererror": _DOWN,
    "notauthenticated": _LOGIN,
    "youripisrestricted": _ADDRESS,
    "useraccessdenied": Verdict(
        means=Means.PERMISSION,
        about="API access",
        said="Monday.com does not let this user use its API: inactive, view-only or unconfirmed. Use the token of a member.",
    ),
    "userunauthorizedexception": _BOARD_RIGHT,
    "userunauthorized": _BOARD_RIGHT,
    "unauthorizedfieldortype": _SCOPE,
    "missingrequiredpermissions": _SCOPE,
    "invalidboardidexception": _NO_BOARD,
    "invalidcolumnidexception": _NO_COLUMN,
    "itemslimitationexception": Verdict(
        means=Means.SETUP, about="room on the board", said="The Monday.com board is full. Archive items or choose another board."
    ),
    "invalidargumentexception": _ITEM,
    "invaliduseridexception": _VALUE,
    "invaliditemid": _ITEM,
    "invaliditemidexception": _ITEM,
    "resourcenotfoundexception": _ITEM,
    "recordinvalidexception": _ITEM,
    "columnvalueexception": _VALUE,
    "correctedvalueexception": _VALUE,
    "invalidcolumntypeexception": _VALUE,
    "invalidpersonassignment": _VALUE,
    "itemnametoolongexception": Verdict(means=Means.VALUE, about="name"),
    "createboardexception": _OURS,
    "deletelastgroupexception": _OURS,
    "invalidwebhookconfigexception": _OURS,
    "jsonparseexception": _OURS,
    "noquerystringwaspresent": _OURS,
    "invalidversionexception": _OURS,
    "graphqlvalidationfailed": _OURS,
    "undefinedfield": _OURS,
    "parseerroron": _OURS,
    "wasprovidedinvalidvalue": _OURS,
    "cursorexception": Verdict(means=Means.CURSOR),
    "cursorexpirederror": Verdict(means=Means.CURSOR),
    "cursor": Verdict(means=Means.CURSOR),
}

_TOLD_IN_WORDS: Final = (
    "notauthenticated",
    "youripisrestricted",
    "resourceiscurrentlylocked",
    "noquerystringwaspresent",
    "parseerroron",
    "wasprovidedinvalidvalue",
    "minutelimitrateexceeded",
    "minuteratelimitexceeded",
    "ratelimitexceeded",
    "calllimitexceeded",
    "complexitybudgetexhausted",
    "internalservererror",
    "cursor",
)
"""Rows that are found in the message where the code is absent or unknown."""

_BY_STATUS: Final = {401: _LOGIN, 403: _BOARD_RIGHT, 409: _BUSY, 423: _slow(_SOON, seconds=5), 429: _slow(_SOON, seconds=60)}


def verdict_of(complaint: Complaint) -> Verdict | None:
    """The row of the table: the status first, then the code, then the words. None for what the table does not know."""
    told = TABLE.get(_plain(complaint.code)) or _in_words(complaint.message)
    if complaint.status == 401:
        return told if told is _ADDRESS else _LOGIN
    if complaint.status >= 500:
        return told if told and told.means in (Means.SLOW_DOWN, Means.DAY_IS_OVER) else _DOWN
    if told is _ITEM and "board_id" in complaint.data:
        return _NO_BOARD
    return told or _BY_STATUS.get(complaint.status)


def _in_words(message: str) -> Verdict | None:
    words = _plain(message)
    return next((TABLE[each] for each in _TOLD_IN_WORDS if each in words), None)


def _plain(code: str) -> str:
    return re.sub(r"[_\s]", "", code).casefold()


def error_of(complaint: Complaint, *, operation: str, now: datetime, of_record: bool = False) -> IntegrationError:
    """Our error for a complaint. A code that we do not know is the record's where it stands beside one, else ours."""
    known: dict[str, Any] = {"vendor": "monday", "operation": operation}
    known |= {"request_id": complaint.request_id, "detail": detail_of(complaint)}
    verdict = verdict_of(complaint) or (_ITEM if of_record else _OURS)
    match verdict.means:
        case Means.SLOW_DOWN:
            wait = verdict.wait if complaint.wait is None else complaint.wait
            return RateLimited(verdict.said, retry_after=max(wait, timedelta(seconds=1)), **known)
        case Means.DAY_IS_OVER:
            return RateLimited(verdict.said, retry_after=_next_probe(complaint.wait, now), **known)
        case Means.DOWN:
            return VendorUnavailable(verdict.said, status=complaint.status, **known)
        case Means.CREDENTIALS:
            return CredentialsRejected(verdict.said, **known)
        case Means.PERMISSION:
            return PermissionMissing(verdict.said, right=verdict.about, **known)
        case Means.SETUP:
            return SetupBroken(verdict.said, what=verdict.about, **known)
        case Means.VALUE | Means.ITEM:
            columns = (verdict.about,) if verdict.about else ()
            return RecordRejected(f"Monday.com refused it: “{complaint.message}”", columns=columns, **known)
        case Means.HEAVY:
            return TooHeavy("Monday.com found one of our calls too heavy. We are looking into it.", **known)
        case Means.CURSOR:
            return CursorExpired("Monday.com closed the list while we were reading it. We begin again by ourselves.", **known)
    return ContractBroken("Monday.com did not understand one of our calls. We are looking into it.", **known)


def detail_of(complaint: Complaint) -> str:
    return f"HTTP {complaint.status} {complaint.code}: {complaint.message}"[:500]


def _next_probe(told: timedelta | None, now: datetime) -> timedelta:
    """The counter starts anew at 00:00 UTC, whatever the answer says; until then one probe an hour: plans get larger too."""
    return max(min(until_midnight(now), max(told or timedelta(0), timedelta(hours=1))), timedelta(seconds=1))


_WORST_FIRST = (
    CredentialsRejected,
    RateLimited,
    PermissionMissing,
    SetupBroken,
    CursorExpired,
    VendorUnavailable,
    ContractBroken,
)


def worst(errors: list[IntegrationError]) -> IntegrationError:
    """The one to raise when an answer holds several."""
    rank = {kind: n for n, kind in enumerate(_WORST_FIRST)}
    return min(errors, key=lambda error: next((rank[kind] for kind in _WORST_FIRST if isinstance(error, kind)), len(rank)))

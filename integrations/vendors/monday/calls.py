"""How one call is made: counted against the budgets, its version checked, its errors told apart; a parsed answer or one of ours.

Source: README.md beside this file, "Calls" and "Errors".
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from integrations.errors import ContractBroken, CredentialsRejected, RateLimited, RecordRejected, VendorUnavailable
from integrations.http import Answer
from integrations.types import Login
from integrations.vendors.monday.complaints import Complaint, complaints_of
from integrations.vendors.monday.documents import Document
from integrations.vendors.monday.errors import detail_of, error_of, worst
from integrations.vendors.monday.limits import Allowance, Pace, limits_of

log = structlog.get_logger(__name__)

API_VERSION: Final = "2026-10"
JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a mutation answered, alias by alias; ``was_replayed`` says that the vendor repeated an earlier answer."""

    data: Mapping[str, Any] = field(default_factory=dict)
    complaints: tuple[Complaint, ...] = ()
    was_replayed: bool = False


def clean_token(pasted: str) -> str:
    """The raw token: no blanks, and not the "Bearer " that people paste along. Raises CredentialsRejected for what is none."""
    token = re.sub(r"^bearer(\s+|$)", "", pasted.strip(), flags=re.IGNORECASE).strip()
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise CredentialsRejected(
            "This is not a Monday.com API token. Copy it again from Monday.com (Developers, API token).",
            vendor="monday",
            detail="malformed",
        )
    return token


class Calls:
    """Calls for one connection."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._allowance = Allowance(login)
        self._told: set[str] = set()  # what was warned of already
        self.pace = Pace()

    def pause(self, error: RateLimited) -> None:
        """Let every worker of this connection wait as the vendor asked."""
        self._allowance.pause(error)

    def _read(
        self, document: Document, variables: Mapping[str, Any], *, background: bool = True, must_have: str = ""
    ) -> Mapping[str, Any]:
        """The data of a query; any complaint is raised."""
        answer, body = self._call(document.body(variables), operation=document.name, background=background)
        self._raise_all(self._complaints(answer, body), document.name)
        data = self._data(body, document.name)
        if must_have and data.get(must_have) is None:
            raise ContractBroken(INCOMPLETE, vendor="monday", operation=document.name, detail=f"no {must_have}")
        return data

    def _mutate(
        self,
        board: str,
        content: str | bytes,
        *,
        key: str,
        operation: str,
        n_writes: int,
        path: str = "",
        content_type: str = JSON,
    ) -> Reply:
        with self._login.turn(f"monday/board/{board}"):  # the vendor warns of damage by parallel writes to one board
            answer, body = self._call(
                content, operation=operation, background=True, key=key, n_writes=n_writes, path=path, content_type=content_type
            )
        complaints = self._complaints(answer, body)
        if not self._is_about_aliases(body, complaints, operation):
            self._raise_all(complaints, operation)
        replayed = answer.headers.get("Idempotency-Replayed", "").casefold() == "true"
        return Reply(data=body.get("data") or {}, complaints=complaints, was_replayed=replayed)

    def _is_about_aliases(self, body: Mapping[str, Any], complaints: Sequence[Complaint], operation: str) -> bool:
        """Whether this answer speaks of writes: something succeeded, or every complaint names its place or is a record's."""
        data = body.get("data")
        if isinstance(data, dict) and any(value for name, value in data.items() if name != "complexity"):
            return True
        if isinstance(data, dict) and complaints and all(each.path and each.status == 200 for each in complaints):
            return True
        now = self._login.now()
        return all(isinstance(error_of(each, operation=operation, now=now), RecordRejected) for each in complaints)

    def _call(
        self,
        content: str | bytes,
        *,
        operation: str,
        background: bool,
        key: str = "",
        n_writes: int = 0,
        path: str = "",
        content_type: str = JSON,
    ) -> tuple[Answer, Mapping[str, Any]]:
        token = clean_token(self._login.secrets.get("token", ""))
        headers = {"Authorization": token, "API-Version": API_VERSION, "Content-Type": content_type}
        if key:
            headers["Idempotency-Key"] = key
        self._allowance.spend(background=background)
        sent = content.encode() if isinstance(content, str) else content
        answer = self._login.http.send("POST", self._login.base_url + path, operation=operation, headers=headers, content=sent)
        self._compare_version(answer)
        body = self._body(answer, operation, token)
        self._log_hints(body, operation)
        self._learn(answer, body, n_writes)
        return answer, body

    def _body(self, answer: Answer, operation: str, token: str) -> Mapping[str, Any]:
        """The JSON object of an answer; what is none is told by its status. A token that an answer repeats is blotted out."""
        text = answer.content.decode("utf-8", "replace").replace(token, "[token]")
        try:
            body = json.loads(text)
        except ValueError:
            body = text.strip() or None
        if isinstance(body, dict):
            return body
        if answer.status == 200:
            # A page of some proxy, or half an answer: whatever was asked for may have been done.
            raise VendorUnavailable(
                "Monday.com sent an answer that cannot be read. We try again by ourselves.",
                status=200, vendor="monday", operation=operation, detail=text[:200],
            )  # fmt: skip
        return {"errors": [str(body)[:200]]} if body else {}

    def _complaints(self, answer: Answer, body: Mapping[str, Any]) -> tuple[Complaint, ...]:
        """All but those about ``complexity``, which we ask for along the way and can do without."""
        found = complaints_of(body, status=answer.status, headers=answer.headers, now=self._login.now())
        return tuple(each for each in found if each.path[:1] != ("complexity",))

    def _raise_all(self, complaints: Sequence[Complaint], operation: str) -> None:
        """Raise the worst. A record's own error makes no sense here: no record was written, so it is our call that is wrong."""
        now = self._login.now()
        errors = [error_of(each, operation=operation, now=now) for each in complaints]
        if not errors:
            return
        error = worst(errors)
        if isinstance(error, RateLimited):
            self._pause_if_everybody_is_meant(error, complaints)
        if isinstance(error, RecordRejected):
            detail, request_id = detail_of(complaints[0]), complaints[0].request_id
            raise ContractBroken(INCOMPLETE, vendor="monday", operation=operation, detail=detail, request_id=request_id)
        raise error

    def _pause_if_everybody_is_meant(self, error: RateLimited, complaints: Sequence[Complaint]) -> None:
        """The day's and the minute's limits are the account's; a busy field or a locked board is nobody else's affair."""
        codes = {each.code.replace("_", "").casefold() for each in complaints}
        if codes & {"dailylimitexceeded", "minuteratelimitexceeded", "minutelimitrateexceeded"}:
            self.pause(error)

    def _data(self, body: Mapping[str, Any], operation: str) -> Mapping[str, Any]:
        data = body.get("data")
        if not isinstance(data, dict):
            raise ContractBroken(INCOMPLETE, vendor="monday", operation=operation, detail=f"no data: {str(body)[:200]}")
        return data

    def _learn(self, answer: Answer, body: Mapping[str, Any], n_writes: int) -> None:
        data = body.get("data")
        complexity = (data.get("complexity") if isinstance(data, dict) else None) or {}
        limits = limits_of(answer.headers)
        self._allowance.learn(limits, complexity)
        self.pace.learn(n_writes, limits, complexity, self._login.now())

    def _compare_version(self, answer: Answer) -> None:
        """An old version is not refused but silently replaced by another: the answer's header is the only sign."""
        used = answer.headers.get("API-Version", API_VERSION)
        if used != API_VERSION and used not in self._told:
            self._told.add(used)
            self._login.warn(
                "version_changed",
                f"Monday.com answers with API version {used} instead of {API_VERSION}. We go on; our support is told.",
            )

    def _log_hints(self, body: Mapping[str, Any], operation: str) -> None:
        """What the vendor warns of beside an answer (deprecated fields), once per document."""
        extensions = body.get("extensions")
        if isinstance(extensions, dict) and extensions.get("warnings") and operation not in self._told:
            self._told.add(operation)
            log.warning("monday_hint", operation=operation, hints=str(extensions["warnings"])[:500])


INCOMPLETE = "Monday.com sent an answer that we do not understand. We are looking into it."

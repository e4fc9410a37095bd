"""Every error body Monday sends, and how an answer is put together.

Resolvers raise ``Refused``: one field fails and its neighbours stand. ``WholeRefusal`` refuses a request as one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from integrations.sandboxes.core import Answer

JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


class Refused(GraphQLError):
    """One field of the document fails: null at its path, an entry in ``errors``, HTTP 200."""

    def __init__(self, code: str, message: str, *, status: int = 200, data: Mapping[str, Any] | None = None) -> None:
        extensions: dict[str, Any] = {"code": code, "status_code": status}
        if data is not None:
            extensions["error_data"] = dict(data)
        super().__init__(message, extensions=extensions)


@dataclass(kw_only=True, eq=False)
class WholeRefusal(Exception):
    """A request that is refused as a whole; nothing of it was executed."""

    status: int
    errors: list[Any]
    headers: dict[str, str] = field(default_factory=dict)
    has_request_id: bool = True
    top: dict[str, Any] = field(default_factory=dict)  # further top-level keys, as the oldest shape has them

    def body(self, request_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {**self.top, "errors": self.errors}
        if self.has_request_id:
            body["extensions"] = {"request_id": request_id}
        return body


def answer(body: Any, *, status: int, operation: str, headers: Mapping[str, str]) -> Answer:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Answer(status=status, headers={**JSON_TYPE, **headers}, body=raw, operation=operation)


def entry(message: str, code: str | None = None, **extensions: Any) -> dict[str, Any]:
    """One error object as it stands in ``errors``."""
    named = {"code": code, **extensions} if code else extensions
    return {"message": message, "extensions": named} if named else {"message": message}


def throttled(code: str, message: str, wait: int) -> WholeRefusal:
    headers = {"Retry-After": str(wait)}
    return WholeRefusal(status=429, errors=[entry(message, code, retry_in_seconds=wait)], headers=headers)


def minute_limit(wait: int = 58) -> WholeRefusal:
    return throttled("MINUTE_RATE_LIMIT_EXCEEDED", "Minute rate limit exceeded", wait)


def concurrency_limit(wait: int = 15) -> WholeRefusal:
    return throttled("MAX_CONCURRENCY_EXCEEDED", "Too many concurrent requests", wait)


def daily_limit(wait: int = 3599) -> WholeRefusal:
    return throttled("DAILY_LIMIT_EXCEEDED", "Daily limit exceeded", wait)


def complexity_budget(wait: int = 22) -> WholeRefusal:
    return throttled("COMPLEXITY_BUDGET_EXHAUSTED", "Complexity budget exhausted", wait)


def ip_limit(wait: int = 10) -> WholeRefusal:
    return throttled("IP_RATE_LIMIT_EXCEEDED", "IP rate limit exceeded", wait)


def create_board_limit(wait: int = 60) -> WholeRefusal:
    return throttled("RATE_LIMIT_EXCEEDED", "Call limit exceeded for CreateBoard", wait)


def bulk_job_start_limit(wait_ms: int = 60_000) -> WholeRefusal:
    return WholeRefusal(status=429, errors=[entry("Rate limit exceeded", "RATE_LIMIT_EXCEEDED", retryAfterMs=wait_ms)])


def complexity_budget_2025() -> WholeRefusal:
    """How the versions 2025-01 and 2025-04 spelled a spent budget."""
    told = {"complexity": 6182, "complexity_budget_left": 100, "complexity_budget_limit": 5_000_000}
    error = entry("Complexity budget exhausted", "COMPLEXITY_BUDGET_EXHAUSTED", **told, retry_in_seconds=60, status_code=429)
    return WholeRefusal(status=429, errors=[error], has_request_id=False)


def complexity_legacy(account_id: int) -> WholeRefusal:
    """The oldest shape: HTTP 200, and ``errors`` holds text."""
    text = "Complexity budget exhausted, query cost 30001 budget remaining 19986 out of 1000000 reset in 3 seconds"
    top = {"error_code": "ComplexityException", "status_code": 429, "error_message": text, "error_data": {}}
    return WholeRefusal(status=200, errors=[text], has_request_id=False, top={**top, "account_id": account_id})


def too_complex() -> WholeRefusal:
    error = entry("Query has complexity above the maximum", "REQUEST_MAX_COMPLEXITY_EXCEEDED")
    return WholeRefusal(status=200, errors=[error])


def text_only(status: int, *texts: str) -> WholeRefusal:
    """An answer whose ``errors`` are plain texts."""
    return WholeRefusal(status=status, errors=list(texts), has_request_id=False)


def not_authenticated() -> WholeRefusal:
    return text_only(401, "Not Authenticated")


def ip_restricted() -> WholeRefusal:
    return text_only(401, "Your ip is restricted")


def no_query() -> WholeRefusal:
    return text_only(400, "No query string was present")


def bad_json() -> WholeRefusal:
    return WholeRefusal(status=400, errors=[entry("The request body is not valid JSON", "JsonParseException", status_code=400)])


def variables_not_an_object() -> WholeRefusal:
    return WholeRefusal(status=400, errors=[entry("Variables must be a JSON object", "BAD_REQUEST", status_code=400)])


def user_access_denied() -> WholeRefusal:
    error = entry("User is not allowed to access the API", "USER_ACCESS_DENIED", status_code=403)
    return WholeRefusal(status=403, errors=[error])


def scope_missing(field_name: str, location: Mapping[str, int] | None) -> WholeRefusal:
    error = entry("Unauthorized field or type", "UNAUTHORIZED_FIELD_OR_TYPE")
    return WholeRefusal(status=200, errors=[{**error, "locations": [location or {"line": 1, "column": 1}], "path": [field_name]}])


def invalid_version() -> WholeRefusal:
    error = entry("The requested API version is invalid", "InvalidVersionException", status_code=200)
    return WholeRefusal(status=200, errors=[error])


def validation_failed(errors: list[GraphQLError]) -> WholeRefusal:
    return WholeRefusal(status=200, errors=[_located(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])


def parse_failed(error: GraphQLError) -> WholeRefusal:
    shown = _located(error, "GRAPHQL_PARSE_FAILED")
    return WholeRefusal(status=200, errors=[{**shown, "message": f"Parse error on {shown['message']}"}])


def variable_invalid(name: str, type_: str, value: Any, explanation: str) -> WholeRefusal:
    """A variable the document's types do not admit. It is the one error object that carries no code."""
    told = {"value": value, "problems": [{"path": [], "explanation": explanation}], "service": "monolith"}
    return WholeRefusal(status=200, errors=[entry(f"Variable ${name} of type {type_} was provided invalid value", **told)])


def idempotency_conflict(wait: int = 2) -> WholeRefusal:
    error = entry("A request with this idempotency key is currently being processed", "IDEMPOTENCY_CONFLICT")
    return WholeRefusal(status=409, errors=[error], headers={"Retry-After": str(wait)}, has_request_id=False)


def locked(wait: int = 5) -> WholeRefusal:
    error = entry("Resource is currently locked, please try again later")
    return WholeRefusal(status=423, errors=[error], headers={"Retry-After": str(wait)})


def timeout() -> WholeRefusal:
    error = entry("Request processing timeout exceeded", "TIMEOUT_EXCEEDED")
    return WholeRefusal(status=503, errors=[error], has_request_id=False)


def server_error(status: int = 500) -> WholeRefusal:
    return WholeRefusal(status=status, errors=[entry("Internal server error", "INTERNAL_SERVER_ERROR", status_code=status)])


def temporarily_blocked() -> WholeRefusal:
    return WholeRefusal(status=200, errors=[entry("API temporarily blocked", "API_TEMPORARILY_BLOCKED", status_code=200)])


def no_such_board(board_id: str) -> Refused:
    data = {"board_id": _number(board_id)}
    message = "The board does not exist. Please check your board ID and try again"
    return Refused("InvalidBoardIdException", message, data=data)


def no_such_item() -> Refused:
    return Refused("ResourceNotFoundException", "Item not found", status=404)


def no_such_column(column_id: str) -> Refused:
    message = f"Column {column_id!r} does not exist on this board"
    return Refused("InvalidColumnIdException", message, data={"column_id": column_id})


def not_allowed() -> Refused:
    return Refused("UserUnauthorizedException", "User unauthorized to perform action", status=403, data={})


def bad_argument(message: str, **data: Any) -> Refused:
    return Refused("InvalidArgumentException", message, data=data or None)


def bad_value(message: str, internal_type: str, **data: Any) -> Refused:
    """A value its column does not take; ``internal_type`` is the older name of the column's type, such as "color"."""
    return Refused("ColumnValueException", message, data={"column_type": internal_type, **data})


def label_missing() -> Refused:
    return bad_value("invalid value - label does not exist in column", "color")


def dropdown_label_missing(label: str, labels: Mapping[int, str]) -> Refused:
    known = ", ".join(f"{number}: {text}" for number, text in labels.items())
    return bad_value(f"The dropdown label '{label}' does not exist, possible labels are: {{{known}}}", "dropdown")


def name_too_long() -> Refused:
    return Refused("ItemNameTooLongException", "Item name is too long")


def board_full() -> Refused:
    return Refused("ItemsLimitationException", "Board items limit exceeded")


def webhook_board_missing(board_id: str) -> Refused:
    return bad_argument("Board not found", board_id=_number(board_id))


def webhook_config() -> Refused:
    return Refused("InvalidWebhookConfigException", "This config for this event is invalid")


def cursor_expired() -> Refused:
    return Refused("CursorException", "The cursor is invalid or has expired; request the first page again")


def shown(error: GraphQLError) -> dict[str, Any]:
    """An error of the execution as it stands in ``errors``; one we did not foresee looks like a fault of the server."""
    formatted = dict(error.formatted)
    if not error.extensions:
        formatted["extensions"] = {"code": "INTERNAL_SERVER_ERROR", "status_code": 500}
    return formatted


def _located(error: GraphQLError, code: str) -> dict[str, Any]:
    return {**dict(error.formatted), "extensions": {"code": code}}


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text

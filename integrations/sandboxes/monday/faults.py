"""Failures by name. Each entry of Monday's error list can be armed, and so can what goes wrong on the way.

``strike`` picks the fault for a request. Four kinds: the whole request is refused; chosen aliases fail while it is carried out; a
nested field of the answer is nulled; the transport breaks, before or after the work was done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.sandboxes.core import Answer, Fault, Faults

from . import answers
from .answers import Refused, WholeRefusal, bad_value

WHOLE: dict[str, Callable[[], WholeRefusal]] = {
    "minute_limit": answers.minute_limit,
    "concurrency_limit": answers.concurrency_limit,
    "daily_limit": answers.daily_limit,
    "complexity_budget": answers.complexity_budget,
    "complexity_budget_2025_01_to_2025_04": answers.complexity_budget_2025,
    "complexity_legacy": lambda: answers.complexity_legacy(31_207_455),
    "single_query_too_complex": answers.too_complex,
    "ip_limit": answers.ip_limit,
    "create_board_limit": answers.create_board_limit,
    "bulk_job_start_limit": answers.bulk_job_start_limit,
    "unauthorized": answers.not_authenticated,
    "ip_restricted": answers.ip_restricted,
    "user_access_denied": answers.user_access_denied,
    "bad_request": answers.no_query,
    "invalid_version": answers.invalid_version,
    "idempotency_conflict": answers.idempotency_conflict,
    "locked": answers.locked,
    "timeout": answers.timeout,
    "server_error": answers.server_error,
    "temporarily_blocked": answers.temporarily_blocked,
    "string_errors": lambda: answers.text_only(200, "Something went wrong"),
}
WAITING = frozenset(
    {"minute_limit", "concurrency_limit", "daily_limit", "complexity_budget", "ip_limit", "create_board_limit"}
    | {"idempotency_conflict", "locked"}
)  # these take a setting ``wait``: seconds

ALIAS: dict[str, Callable[[], Refused]] = {
    "user_unauthorized": answers.not_allowed,
    "invalid_board": lambda: answers.no_such_board("123"),
    "column_value": answers.label_missing,
    "dropdown_label_missing": lambda: answers.dropdown_label_missing("X", {1: "A"}),
    "item_name_too_long": answers.name_too_long,
    "board_full": answers.board_full,
    "resource_not_found": answers.no_such_item,
    "webhook_board_missing": lambda: answers.webhook_board_missing("1186075578"),
    "webhook_config": answers.webhook_config,
    "one_bad_alias": answers.label_missing,
    "aliased_partial_success": answers.label_missing,
}
ONE_ALIAS = {"one_bad_alias": 0, "aliased_partial_success": 1}  # which one fails unless the setting ``index`` says otherwise

NESTED = {"field_limit": "subitems", "subgraph_throttle_partial": "columns"}  # the field that is nulled unless ``field`` says
DOCUMENT = frozenset({"scope_missing", "unknown_field", "variable_invalid"})
FOREIGN = frozenset({"html_page", "gateway_timeout_text"})
TRANSPORT = frozenset({"commit_then_drop", "lost_reply", "slow", "commit_then_slow", "truncated", "huge", "version_changed"})
NAMES = frozenset(WHOLE) | frozenset(ALIAS) | frozenset(NESTED) | DOCUMENT | FOREIGN | TRANSPORT
PAGE = b"<!DOCTYPE html><html><head><title>monday.com</title></head><body><h1>We will be right back</h1></body></html>"


def strike(faults: Faults, roots: Sequence[str]) -> Fault | None:
    """The armed fault that strikes this request. Its ``operation`` may be any root field, or all of them joined with commas."""
    joined = ",".join(dict.fromkeys(roots))
    for fault in list(faults.armed):
        if fault.name in NAMES and (fault.operation in ("", joined) or fault.operation in roots) and fault.strikes():
            return fault
    return None


def foreign(fault: Fault, operation: str) -> Answer:
    """What a proxy before the API says: a page (status 200 or as set), or the text of a gateway that gave up."""
    if fault.name == "gateway_timeout_text":
        headers = {"Content-Type": "text/plain"}
        return Answer(status=504, headers=headers, body=b"upstream request timeout", operation=operation)
    status = int(fault.settings.get("status", 200))
    return Answer(status=status, headers={"Content-Type": "text/html; charset=utf-8"}, body=PAGE, operation=operation)


def whole(fault: Fault) -> WholeRefusal:
    """The refusal a fault of this kind stands for."""
    wait = fault.settings.get("wait")
    if fault.name in WAITING and wait is not None:
        refusal = WHOLE[fault.name]()
        refusal.headers["Retry-After"] = str(wait)
        for error in refusal.errors:
            if "retry_in_seconds" in error.get("extensions", {}):
                error["extensions"]["retry_in_seconds"] = wait
        return refusal
    if fault.name == "string_errors" and "message" in fault.settings:
        return answers.text_only(int(fault.settings.get("status", 200)), str(fault.settings["message"]))
    if fault.name == "server_error":
        return answers.server_error(int(fault.settings.get("status", 500)))
    return WHOLE[fault.name]()


@dataclass(kw_only=True)
class AliasFault:
    """Lets root fields fail while the document runs: one of them, or all."""

    fault: Fault | None = None
    n_seen: int = field(default=0)

    def check(self) -> None:
        if self.fault is None or self.fault.name not in ALIAS:
            return
        index = self.fault.settings.get("index", ONE_ALIAS.get(self.fault.name))
        self.n_seen += 1
        if index is None or self.n_seen - 1 == index:
            raise self._error(self.fault)

    @staticmethod
    def _error(fault: Fault) -> Refused:
        column_type, column_id = fault.settings.get("column_type"), fault.settings.get("column_id")
        if column_type or column_id:
            named = {"column_id": column_id} if column_id else {}
            return bad_value("invalid value - this value is not accepted", column_type or "color", **named)
        return ALIAS[fault.name]()


def null_nested(body: dict[str, Any], fault: Fault, location: dict[str, int] | None) -> None:
    """Null the first field of that name in the answer, or else the first root field, and say why in ``errors``."""
    wanted = fault.settings.get("field", NESTED[fault.name])
    data = body.get("data") or {}
    path = _find(data, wanted, []) or [next(iter(data), wanted)]
    holder: Any = data
    for step in path[:-1]:
        holder = holder[step]
    if holder is not None:
        holder[path[-1]] = None
    body.setdefault("errors", []).append(_nested_error(fault, str(wanted), path, location))


def _nested_error(fault: Fault, wanted: str, path: list[Any], location: dict[str, int] | None) -> dict[str, Any]:
    place = {"locations": [location or {"line": 1, "column": 1}], "path": path}
    if fault.name == "field_limit":
        told = {"status_code": 429, "retry_in_seconds": int(fault.settings.get("wait", 15)), "error_data": {"entity": wanted}}
        return {**answers.entry("Concurrency limit exceeded for the field", "FIELD_LIMIT_EXCEEDED", **told), **place}
    told = {"status_code": 400, "service": "data-structure"}
    return {**answers.entry("Rate limit exceeded for board-columns", "tooManyRequests", **told), **place}


def _find(node: Any, wanted: str, path: list[Any]) -> list[Any] | None:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in steps:
        if step == wanted:
            return [*path, step]
        if found := _find(child, wanted, [*path, step]):
            return found
    return None

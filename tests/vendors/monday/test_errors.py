"""Every bad answer has one of our classes; the vendor's documented bodies are read from its own samples."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

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
from integrations.vendors.monday.complaints import complaints_of
from integrations.vendors.monday.errors import CursorExpired, TooHeavy, error_of

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared/vendors/monday/error-samples.json"
AFTERNOON = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)

EXPECTED: dict[str, tuple[type[IntegrationError], float]] = {
    "minute_limit": (RateLimited, 58),
    "concurrency_limit": (RateLimited, 15),
    "daily_limit": (RateLimited, 3600),
    "complexity_budget": (RateLimited, 22),
    "complexity_budget_2025_01_to_2025_04": (RateLimited, 60),
    "complexity_legacy": (RateLimited, 3),
    "single_query_too_complex": (TooHeavy, 0),
    "ip_limit": (RateLimited, 10),
    "field_limit": (RateLimited, 15),
    "subgraph_throttle_partial": (RateLimited, 15),
    "create_board_limit": (RateLimited, 60),
    "bulk_job_start_limit": (RateLimited, 60),
    "unauthorized": (CredentialsRejected, 0),
    "ip_restricted": (CredentialsRejected, 0),
    "user_access_denied": (PermissionMissing, 0),
    "user_unauthorized": (PermissionMissing, 0),
    "scope_missing": (PermissionMissing, 0),
    "invalid_board": (SetupBroken, 0),
    "column_value": (RecordRejected, 0),
    "dropdown_label_missing": (RecordRejected, 0),
    "item_name_too_long": (RecordRejected, 0),
    "board_full": (SetupBroken, 0),
    "resource_not_found": (RecordRejected, 0),
    "unknown_field": (ContractBroken, 0),
    "variable_invalid": (ContractBroken, 0),
    "bad_request": (ContractBroken, 0),
    "invalid_version": (ContractBroken, 0),
    "webhook_board_missing": (SetupBroken, 0),
    "webhook_config": (ContractBroken, 0),
    "idempotency_conflict": (RateLimited, 2),
    "locked": (RateLimited, 5),
    "timeout": (VendorUnavailable, 0),
    "server_error": (VendorUnavailable, 0),
    "gateway_timeout_text": (VendorUnavailable, 0),
    "temporarily_blocked": (RateLimited, 300),
    "aliased_partial_success": (RecordRejected, 0),
}


def samples() -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(SAMPLES.read_text())} if SAMPLES.exists() else {}


def read(
    body: Any, *, status: int = 200, headers: dict[str, str] | None = None, now: datetime = AFTERNOON
) -> list[IntegrationError]:
    if not isinstance(body, dict):
        body = {"errors": [body]}
    found = complaints_of(body, status=status, headers=httpx.Headers(headers or {}), now=now)
    return [error_of(each, operation="Test", now=now) for each in found]


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the vendor's samples are not beside this repository: {SAMPLES}")
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_documented_error_has_its_class(name: str) -> None:
    sample = samples()[name]
    (error,) = read(sample["body"], status=sample["http_status"], headers=sample["headers"])
    kind, wait = EXPECTED[name]
    assert type(error) is kind
    assert not isinstance(error, RateLimited) or error.retry_after == timedelta(seconds=wait)
    told = sample["body"].get("extensions", {}) if isinstance(sample["body"], dict) else {}
    assert error.request_id == told.get("request_id", "")
    assert error.said.endswith((".", "”", "00:00 UTC"))


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the vendor's samples are not beside this repository: {SAMPLES}")
def test_no_documented_error_is_left_out() -> None:
    assert set(samples()) == set(EXPECTED)


def one(code: str = "", message: str = "m", **more: Any) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {**({"code": code} if code else {}), **more}}]}


@pytest.mark.parametrize(
    "code",
    [
        "MAX_CONCURRENCY_EXCEEDED",
        "maxConcurrencyExceeded",
        "max_concurrency_exceeded",
        "complexityBudgetExhausted",
        "tooManyRequests",
    ],
)
def test_a_throttle_is_one_in_every_spelling(code: str) -> None:
    (error,) = read(one(code))
    assert isinstance(error, RateLimited)


@pytest.mark.parametrize("code", ["missingRequiredPermissions", "UNAUTHORIZED_FIELD_OR_TYPE"])
def test_a_missing_scope_asks_to_re_authorise(code: str) -> None:
    (error,) = read(one(code))
    assert isinstance(error, PermissionMissing) and error.right == "scope" and "re-authorise" in error.said


def test_a_restricted_address_has_a_sentence_of_its_own() -> None:
    (error,) = read({"errors": ["Your ip is restricted"]}, status=401)
    (other,) = read({"errors": ["Not Authenticated"]}, status=401)
    assert "address" in error.said and error.said != other.said


@pytest.mark.parametrize(
    ("headers", "told", "seconds"),
    [
        ({"Retry-After": "58"}, {"retry_in_seconds": 20}, 58),
        ({"Retry-After": "5"}, {"retry_in_seconds": 20}, 20),
        ({"Retry-After": "5"}, {"retryAfterMs": 90_000}, 90),
        ({"Retry-After": "Mon, 30 Nov 2026 15:02:00 GMT"}, {}, 120),
        ({"Retry-After": "soon"}, {}, 60),
        ({"Retry-After": "-4"}, {}, 1),
        ({"Retry-After": "1e999"}, {}, 60),
        ({}, {"retry_in_seconds": None}, 60),
        ({}, {}, 60),
    ],
)
def test_the_longest_of_all_told_waits_counts(headers: dict[str, str], told: dict[str, Any], seconds: float) -> None:
    (error,) = read(one("MINUTE_RATE_LIMIT_EXCEEDED", **told), status=429, headers=headers)
    assert isinstance(error, RateLimited) and error.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("at", "told", "wait"),
    [
        (AFTERNOON, 3599, timedelta(hours=1)),
        (AFTERNOON, 7200, timedelta(hours=2)),
        (AFTERNOON, 10**6, timedelta(hours=9)),
        (AFTERNOON.replace(hour=23, minute=50), 3599, timedelta(minutes=10)),
        (AFTERNOON.replace(hour=0, minute=0), 3599, timedelta(hours=1)),
    ],
)
def test_the_daily_limit_is_probed_hourly_and_never_after_midnight(at: datetime, told: int, wait: timedelta) -> None:
    (error,) = read(one("DAILY_LIMIT_EXCEEDED", retry_in_seconds=told), status=429, now=at)
    assert isinstance(error, RateLimited) and error.retry_after == wait
    assert error.said == "waiting for Monday.com's daily limit, goes on at 00:00 UTC"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {}, CredentialsRejected),
        (401, one("INTERNAL_SERVER_ERROR"), CredentialsRejected),
        (403, {"errors": ["no"]}, PermissionMissing),
        (404, {"errors": ["no such page"]}, ContractBroken),
        (302, {}, ContractBroken),
        (423, {}, RateLimited),
        (429, {"errors": ["whatever"]}, RateLimited),
        (500, one("ColumnValueException"), VendorUnavailable),
        (502, {"errors": ["<html>bad gateway</html>"]}, VendorUnavailable),
        (503, one("DAILY_LIMIT_EXCEEDED"), RateLimited),
        (200, {"errors": ["Internal Server Error"]}, VendorUnavailable),
        (200, {"error_code": "UserUnauthorizedException", "error_message": "no", "status_code": 403}, PermissionMissing),
        (200, {"errors": "just a text"}, ContractBroken),
        (200, one("NeverHeardOf"), ContractBroken),
        (200, one("", 'Parse error on "{" (LCURLY) at [1, 2]'), ContractBroken),
        (200, one("InvalidColumnIdException"), SetupBroken),
        (200, one("CursorExpiredError"), CursorExpired),
        (200, one("SomethingElse", "The cursor provided for pagination has expired"), CursorExpired),
    ],
)
def test_status_speaks_first_then_the_code_then_the_words(
    status: int, body: dict[str, Any], kind: type[IntegrationError]
) -> None:
    (error,) = read(body, status=status)
    assert type(error) is kind


def test_an_unknown_code_beside_a_record_is_the_records_and_shows_the_vendors_words() -> None:
    (complaint,) = complaints_of(one("VALIDATION_RULE", "Amount must be below 10"), headers={}, now=AFTERNOON)
    error = error_of(complaint, operation="WriteItems", now=AFTERNOON, of_record=True)
    assert isinstance(error, RecordRejected) and "Amount must be below 10" in error.said

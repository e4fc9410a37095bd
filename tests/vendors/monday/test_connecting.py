"""Ping, the token, the version header, and what must never be told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from integrations.errors import ContractBroken, CredentialsRejected, IntegrationError, PermissionMissing, VendorUnavailable
from integrations.types import Done
from integrations.vendors.monday import VENDOR
from integrations.vendors.monday.calls import clean_token
from integrations.vendors.monday.client import MondayClient

from .conftest import TOKEN, Desk


def test_monday_case_01_a_pasted_bearer_token_is_sent_raw_and_the_account_is_shown(desk: Desk) -> None:
    login = replace(desk.login, secrets={"token": f" Bearer {TOKEN} \n"})
    ping = VENDOR.ping(login)
    assert [call["headers"]["authorization"] for call in desk.calls] == [TOKEN, TOKEN]
    assert {call["headers"]["api-version"] for call in desk.calls} == {"2026-10"}
    assert not any("idempotency-key" in call["headers"] for call in desk.calls)
    assert (ping.who, ping.company, ping.missing) == ("Nora Ellis", "Harbor & Pine", ())
    assert ping.facts["plan"] == "pro" and ping.facts["daily_limit"] == "10000" and ping.facts["account_id"]


@pytest.mark.parametrize("pasted", ["", "  ", "Bearer ", "two words", "tök-A", "a\nb"])
def test_what_is_no_token_is_refused_without_a_call(desk: Desk, pasted: str) -> None:
    with pytest.raises(CredentialsRejected):
        VENDOR.ping(replace(desk.login, secrets={"token": pasted}))
    assert desk.calls == []


def test_a_token_is_cleaned_of_blanks_and_bearer_in_any_case() -> None:
    assert clean_token("\tbEaReR   abc.def\r\n") == "abc.def"
    assert clean_token("bearerabc") == "bearerabc"


def test_monday_case_02_a_regenerated_token_is_one_call_and_asks_to_reconnect(desk: Desk) -> None:
    target = desk.target()
    desk.world.revoke_token(TOKEN)
    desk.forget_calls()
    with pytest.raises(CredentialsRejected, match="Reconnect"):
        target.schema()
    assert len(desk.calls) == 1


def test_monday_case_03_another_api_version_is_a_warning_and_the_work_goes_on(desk: Desk) -> None:
    desk.faults.arm("version_changed", times=None, version="2025-04")
    target = desk.target()
    (done,) = desk.carry(target, [desk.bill(1, Vendor="Harbor")])
    assert isinstance(done, Done) and done.target_id == desk.items()[0]["id"]
    assert {code for code, _said in desk.warnings} == {"version_changed"}
    assert len(desk.warnings) == 1 and "2025-04" in desk.warnings[0][1]


def test_a_daily_limit_that_may_not_be_seen_does_not_spoil_the_ping(desk: Desk) -> None:
    desk.faults.arm("user_unauthorized", operation="platform_api", times=None)
    ping = VENDOR.ping(desk.login)
    assert "daily_limit" not in ping.facts and ping.who == "Nora Ellis"


def test_a_user_who_may_only_look_is_told_apart(desk: Desk) -> None:
    desk.world.add_token("tok-view", view_only=True)
    with pytest.raises(PermissionMissing) as caught:
        VENDOR.ping(replace(desk.login, secrets={"token": "tok-view"}))
    assert caught.value.right == "API access" and caught.value.request_id


def test_a_token_without_the_scopes_is_asked_to_re_authorise(desk: Desk) -> None:
    desk.world.add_token("tok-app", scopes=["boards:read"])
    with pytest.raises(PermissionMissing, match="re-authorise"):
        VENDOR.ping(replace(desk.login, secrets={"token": "tok-app"}))


FAULTS = [
    "minute_limit",
    "unauthorized",
    "user_access_denied",
    "server_error",
    "gateway_timeout_text",
    "truncated",
    "html_page",
    "slow",
    "string_errors",
    "huge",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_token_is_in_no_log_error_or_picture(desk: Desk, capsys: Any, caplog: Any, fault: str) -> None:
    canary = "canary-7f3a9c-token"
    desk.world.add_token(canary, user_kind="admin")
    login = replace(desk.login, secrets={"token": canary})
    desk.faults.arm(fault, message=f"you sent {canary}") if fault == "string_errors" else desk.faults.arm(fault)
    with pytest.raises(IntegrationError) as caught:
        VENDOR.ping(login)
    client = MondayClient(login)
    told = capsys.readouterr()
    seen = [told.out, told.err, caplog.text, repr(login), repr(client), str(desk.warnings)]
    seen += [repr(caught.value), str(vars(caught.value)), str(caught.value.__cause__)]
    assert not any(canary in each for each in seen)


def test_an_answer_that_repeats_the_token_is_blotted_out(desk: Desk) -> None:
    desk.faults.arm("string_errors", message=f"bad token {TOKEN}")
    with pytest.raises(ContractBroken) as caught:
        VENDOR.ping(desk.login)
    assert "[token]" in caught.value.detail and TOKEN not in caught.value.detail


def test_a_page_instead_of_an_answer_is_an_outage_with_an_open_outcome(desk: Desk) -> None:
    desk.faults.arm("html_page", status=200)
    with pytest.raises(VendorUnavailable) as caught:
        VENDOR.ping(desk.login)
    assert caught.value.may_have_acted


def test_the_form_asks_for_a_secret_token_and_says_whose() -> None:
    (ask,) = VENDOR.asks
    assert ask.secret and ask.required and "owns or edits" in ask.help
    assert json.dumps([VENDOR.key, VENDOR.address, VENDOR.default_address]) == (
        '["monday", "MONDAY_API_URL", "https://api.monday.com/v2"]'
    )

"""Sessions: opened once, followed to their own address, renewed in time, never shared, no wrong password tried twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest

from integrations.errors import ContractBroken, CredentialsRejected, SetupBroken, VendorUnavailable
from integrations.sandboxes.core import Mounted
from integrations.types import Session
from integrations.vendors.intacct import auth
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.query import Query
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import (
    HOST,
    NOW,
    Desk,
    Turns,
    Wire,
    answer,
    formatting,
    make_desk,
    opened,
    page,
    result,
    scripted,
    signed_in,
)

BILLS = Query(object="APBILL", fields=["RECORDNO"])
SIGN_IN = ["getAPISession", "readByName USERINFO", "readUserFormatting"]
Calls = Callable[[], list[str]]


def test_intacct_case_01_one_login_alone_then_everything_goes_to_the_endpoint_it_returned(
    desk: Desk, calls: Calls, wire: Wire
) -> None:
    Client(desk.login).query(BILLS)
    assert calls() == [*SIGN_IN, "query APBILL"]
    assert wire.bodies[0].count(b"<function ") == 1
    assert wire.urls == [f"{HOST}/ia/xml/xmlgw.phtml"] + [f"{HOST}/na12/ia/xml/xmlgw.phtml"] * 3
    Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/xml",
        "http://na12.intacct.com/ia/xml/xmlgw.phtml",
        "https://intacct.com.evil.example/x",
        "https://evilintacct.com/x",
        "https://user@na12.intacct.com/x",
        "https://evil.example\\@na12.intacct.com/x",
        "https://evil.example#.intacct.com/x",
        "https://[::1/x",
        "",
    ],
)
def test_intacct_case_02_a_foreign_endpoint_gets_nothing(endpoint: str) -> None:
    desk = make_desk(base_url="https://api.intacct.com/ia/xml/xmlgw.phtml")
    with scripted((200, opened(endpoint))) as wire, pytest.raises(ContractBroken) as raised:
        Client(desk.login).query(BILLS)
    assert "security" in raised.value.said
    assert wire.urls == ["https://api.intacct.com/ia/xml/xmlgw.phtml"]
    assert desk.memory.session is None


def test_intacct_case_02_the_sandboxs_evil_endpoint_gets_nothing(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    mounted.faults.arm("evil_endpoint")
    with pytest.raises(ContractBroken):
        Client(desk.login).query(BILLS)
    assert calls() == ["getAPISession"]


@pytest.mark.parametrize(
    ("endpoint", "base_url", "allowed"),
    [
        ("https://na12.intacct.com/ia/xml/xmlgw.phtml", "https://api.intacct.com/x", True),
        ("https://NA12.INTACCT.COM./x", "https://api.intacct.com/x", True),
        ("http://127.0.0.1:9000/intacct/na12/x", "http://127.0.0.1:9000/intacct/x", True),
        ("http://127.0.0.1:9001/x", "http://127.0.0.1:9000/x", False),
        ("https://127.0.0.1:9000/x", "http://127.0.0.1:9000/x", False),
        ("https://proxy.example:443/x", "https://proxy.example/y", True),
        ("file:///etc/passwd", "https://api.intacct.com/x", False),
    ],
)
def test_which_endpoints_are_followed(endpoint: str, base_url: str, allowed: bool) -> None:
    assert auth.is_allowed(endpoint, base_url) is allowed


def test_a_stored_session_with_a_foreign_endpoint_is_not_used(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    Client(desk.login).query(BILLS)
    stored = desk.memory.session
    assert stored is not None
    desk.memory.session = Session(**{**stored.__dict__, "endpoint": "https://evil.example/xml"})
    calls()
    Client(desk.login).query(BILLS)
    assert calls()[0] == "getAPISession"


def test_intacct_case_03_a_session_is_renewed_at_49_minutes_and_not_before(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    Client(desk.login).query(BILLS)
    assert desk.memory.session is not None
    opened_at = desk.memory.session.opened_at
    calls()
    mounted.clock.offset += opened_at + timedelta(minutes=48, seconds=59) - mounted.clock.now()
    Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL"]
    mounted.clock.advance(1)
    Client(desk.login).query(BILLS)
    assert calls() == [*SIGN_IN, "query APBILL"]


def test_intacct_case_04_a_short_session_is_renewed_before_it_ends(
    mounted: Mounted, world: Any, desk: Desk, calls: Calls
) -> None:
    world.reset(bills=0, session_for=1800)
    Client(desk.login).query(BILLS)
    calls()
    mounted.clock.advance(29 * 60 + 30)
    Client(desk.login).query(BILLS)
    assert calls() == [*SIGN_IN, "query APBILL"]


def test_a_short_session_that_is_used_slides_on_until_49_minutes(mounted: Mounted, world: Any, desk: Desk, calls: Calls) -> None:
    world.reset(bills=0, session_for=1800)
    Client(desk.login).query(BILLS)
    calls()
    for _ in range(3):
        mounted.clock.advance(15 * 60)
        Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL"] * 3
    mounted.clock.advance(5 * 60)
    Client(desk.login).query(BILLS)
    assert calls()[0] == "getAPISession"


@pytest.mark.parametrize(
    ("lasts", "left", "due"),
    [
        (3600, 301, False),
        (3600, 299, True),
        (21600, 299, True),
        (1800, 361, False),
        (1800, 359, True),
        (40, 9, False),
        (40, 7, True),
    ],
)
def test_the_last_five_minutes_or_the_last_fifth_are_not_used(lasts: int, left: int, due: bool) -> None:
    ends = NOW + timedelta(seconds=lasts)
    session = Session(
        token="t",
        endpoint="e",
        opened_at=ends - timedelta(seconds=min(lasts, 2900)),
        expires_at=ends,
        facts={auth.LASTS: str(lasts)},
    )
    assert auth.is_due(session, ends - timedelta(seconds=left)) is due


def test_without_a_sessiontimeout_49_minutes_hold(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    mounted.faults.arm("no_sessiontimeout", times=None)
    Client(desk.login).query(BILLS)
    assert desk.memory.session is not None and desk.memory.session.expires_at is None
    calls()
    mounted.clock.advance(48 * 60)
    Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL"]


def test_a_vendor_whose_clock_is_hours_away_does_not_make_us_renew_each_time() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x", now=lambda: NOW + timedelta(hours=9))
    with scripted(*signed_in(), (200, answer(page("APBILL"))), (200, answer(page("APBILL")))) as wire:
        Client(desk.login).query(BILLS)
        Client(desk.login).query(BILLS)
    assert len(wire.bodies) == 5


def test_intacct_case_05_an_invalid_session_is_renewed_once_and_the_call_repeated_once(
    world: Any, desk: Desk, calls: Calls
) -> None:
    Client(desk.login).query(BILLS)
    calls()
    world.expire_sessions()
    assert Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL", *SIGN_IN, "query APBILL"]


def test_intacct_case_05_a_second_invalid_session_is_an_error_and_no_loop(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    Client(desk.login).query(BILLS)
    calls()
    mounted.faults.arm("invalid_session", times=None, operation="query")
    with pytest.raises(VendorUnavailable):
        Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL", *SIGN_IN, "query APBILL"]
    mounted.faults.clear()
    assert Client(desk.login).query(BILLS)


def test_intacct_case_06_a_wrong_password_is_said_once_and_nothing_more_is_sent(mounted: Mounted, calls: Calls) -> None:
    desk = make_desk(now=mounted.clock.now, user_password="wrong-user-pw")
    with pytest.raises(CredentialsRejected) as raised:
        Client(desk.login).query(BILLS)
    assert calls() == ["getAPISession"]
    assert "xml_gateway" in raised.value.said and "reconnect" in raised.value.said
    assert desk.memory.session is None


def test_another_connection_with_a_wrong_password_does_not_ride_on_the_first_session(
    mounted: Mounted, desk: Desk, calls: Calls
) -> None:
    Client(desk.login).query(BILLS)
    other = make_desk(now=mounted.clock.now, turns=desk.turns, user_password="wrong-user-pw")
    with pytest.raises(CredentialsRejected):
        Client(other.login).query(BILLS)
    calls()
    Client(desk.login).query(BILLS)
    assert calls() == ["query APBILL"]


@pytest.mark.parametrize("changed", [{"user_password": "wrong-user-pw"}, {"sender_password": "wrong-sender-pw"}])
def test_after_a_changed_password_the_stored_session_is_not_used(mounted: Mounted, desk: Desk, changed: dict[str, Any]) -> None:
    Client(desk.login).query(BILLS)
    other = make_desk(now=mounted.clock.now, **changed)
    other.memory.session = desk.memory.session
    with pytest.raises(CredentialsRejected):
        Client(other.login).query(BILLS)


def test_an_entitys_session_is_apart_from_the_top_levels() -> None:
    top, entity = make_desk(), make_desk(location_id="E100")
    assert auth.Credentials.of(top.login).digest != auth.Credentials.of(entity.login).digest
    assert auth.Credentials.of(top.login).turn == auth.Credentials.of(entity.login).turn


@pytest.mark.parametrize(
    "part", ["sender_id", "sender_password", "company_id", "user_id", "user_password", "location_id", "client_id"]
)
def test_a_session_depends_on_every_part_of_what_it_was_opened_with(part: str) -> None:
    given: dict[str, Any] = {"location_id": "E1", "client_id": "C1"}
    changed = given | {part: "another"}
    assert auth.Credentials.of(make_desk(**given).login).digest != auth.Credentials.of(make_desk(**changed).login).digest


def test_nothing_is_sent_without_a_sender_id() -> None:
    desk = make_desk(sender_id="")
    with pytest.raises(SetupBroken) as raised:
        Client(desk.login)
    assert raised.value.what == "sender_id"


def test_intacct_case_14_preferences_that_would_be_misread_are_refused_by_name(mounted: Mounted, world: Any, desk: Desk) -> None:
    world.reset(bills=0, dateformat=".ymd", clock24=False)
    with pytest.raises(SetupBroken) as raised:
        Client(desk.login).query(BILLS)
    assert "Date format is “.ymd” and must be MM/DD/YYYY." in raised.value.said
    assert "Clock is “12” and must be 24 hour." in raised.value.said
    assert "Locale" not in raised.value.said
    world.reset(bills=0)
    assert Client(desk.login).query(BILLS)


def test_intacct_case_14_a_locale_is_refused_too() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    with scripted((200, opened()), signed_in()[1], (200, formatting(locale="de_DE"))), pytest.raises(SetupBroken) as raised:
        Client(desk.login).query(BILLS)
    assert "Locale is “de_DE”" in raised.value.said


def test_when_the_time_zone_is_not_told_gmt_is_taken_with_a_warning() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    text = "You do not have permission for API operation READ"
    denied = f"<error><errorno>PL04000005</errorno><description2>{text}</description2></error>"
    refused = answer(result(status="failure", function="readByName", errors=denied))
    with scripted((200, opened()), (200, refused), (200, answer(page("APBILL")))):
        (found,) = Client(desk.login).query(BILLS)
    assert found.zone.utcoffset(None) == timedelta()
    assert [code for code, _ in desk.warned] == ["time_zone_unknown"]


def test_intacct_case_28_ten_workers_share_one_session_and_one_turn(
    mounted: Mounted, world: Any, desk: Desk, calls: Calls
) -> None:
    world.reset(bills=20, hold=0.01)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            assert len(IntacctSource(desk.login, "APBILL", ["RECORDID"]).newest(5).records) == 5
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
    assert world.n_in_flight_max == 1
    assert calls().count("getAPISession") == 1


def test_intacct_case_28_two_connections_of_a_company_have_two_sessions_and_one_turn(
    mounted: Mounted, world: Any, calls: Calls
) -> None:
    world.reset(bills=0, hold=0.01)
    turns = Turns()
    desks = [make_desk(now=mounted.clock.now, turns=turns) for _ in range(2)]
    threads = [threading.Thread(target=lambda desk=desk: Client(desk.login).query(BILLS)) for desk in desks]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert world.n_in_flight_max == 1
    assert calls().count("getAPISession") == 2
    assert set(turns.asked) == {"sample_sender/SAMPLE"}


def test_a_session_opened_by_another_worker_meanwhile_is_used(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    Client(desk.login).query(BILLS)
    mounted.clock.advance(50 * 60)
    first, second = Client(desk.login), Client(desk.login)
    first.query(BILLS)
    calls()
    second.query(BILLS)
    assert calls() == ["query APBILL"]


def test_the_offset_of_the_sessions_own_times_is_honoured(mounted: Mounted, world: Any, desk: Desk) -> None:
    world.reset(bills=0, timeoffset="-08:00", session_for=3600)
    Client(desk.login).query(BILLS)
    session = desk.memory.session
    assert session is not None and session.expires_at is not None
    assert abs(session.expires_at.astimezone(UTC) - mounted.clock.now() - timedelta(hours=1)) < timedelta(seconds=5)

"""Bills leave Sage Intacct and arrive on a Monday.com board, once each."""

from datetime import timedelta
from typing import Any

import pytest

from integrations import connections
from integrations.models import Connection, Due, Link, RecordOutcome, Run
from integrations.models.connection import Health
from integrations.models.flow import FlowState
from integrations.sync import verbs
from tenants.audit import SYSTEM, verify
from tests.flows.conftest import Harbor

pytestmark = pytest.mark.database


def test_a_thousand_bills_arrive_once_to_the_cent(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=1000)
    harbor.finish()
    harbor.assert_agrees()
    assert harbor.run.n_created == 1000
    source, target = harbor.calls("books"), harbor.calls("board")
    logins = [call for call in source if call.startswith(("getAPISession", "read"))]
    lines = sum(len(bill["lines"]) for bill in harbor.books.world.bills())
    assert len(source) - len(logins) <= 1 + 1 + lines / 2000
    assert len(target) <= 105

    harbor.forget_calls()
    rows = (Run.objects.count(), RecordOutcome.objects.count(), Link.objects.count())
    harbor.later(minutes=30)
    harbor.finish()
    assert harbor.calls("board") == []
    assert harbor.calls("books") == ["query APBILL,query APBILL,query APBILLITEM,query AUDITHISTORY"]
    assert (Run.objects.count(), RecordOutcome.objects.count(), Link.objects.count()) == rows

    harbor.forget_calls()
    changed = [bill["RECORDNO"] for bill in harbor.books.world.bills()][::100]
    for recordno in changed:
        harbor.books.world.change_bill(recordno, WHENDUE="12/31/2026")
    harbor.later(hours=4)
    harbor.finish()
    outcomes = RecordOutcome.objects.filter(run=harbor.run)
    assert sorted(each.external_id for each in outcomes) == sorted(changed)
    due = harbor.board.world.column_id("AP bills", "Due")
    assert all(set(each.differences) == {due} for each in outcomes)
    assert len(harbor.calls("board")) <= 3
    harbor.assert_agrees()
    assert all(harbor.text(harbor.item(recordno), "Due") == "2026-12-31" for recordno in changed)
    assert verify(harbor.tenant).ok


def test_monday_case_06_a_new_bill_is_one_item_with_key_time_amount_and_date(harbor: Harbor) -> None:
    line = {"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "1234.50", "ENTRYDESCRIPTION": "Rope"}
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-001", TRX_TOTALENTERED="1234.50", WHENDUE="11/30/2026", lines=[line]
    )
    harbor.finish()
    item = harbor.item(recordno)
    assert item["name"] == "B1"
    assert harbor.text(item, "Source ID") == f"intacct:SAMPLE:APBILL:{recordno}"
    assert (harbor.text(item, "Amount"), harbor.text(item, "Due")) == ("1234.50", "2026-11-30")
    assert harbor.text(item, "GL account") == "4000-01-00"
    assert harbor.text(item, "Last synced")
    assert [call for call in harbor.calls("board") if "create_item" in call] == ["complexity,create_item"]


def test_monday_case_07_an_unchanged_bill_costs_no_call(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=3)
    harbor.finish()
    harbor.forget_calls()
    harbor.finish()
    assert harbor.calls("board") == []


def test_monday_case_08_a_changed_amount_is_one_change_of_the_same_item(harbor: Harbor) -> None:
    [recordno] = harbor.books.world.seed(bills=1)["bills"]
    harbor.finish()
    before = harbor.item(recordno)
    harbor.forget_calls()
    harbor.later(hours=4)
    harbor.books.world.change_bill(recordno, TRX_TOTALENTERED="77.70", TOTALENTERED="77.70")
    harbor.finish()
    after = harbor.item(recordno)
    assert after["id"] == before["id"]
    differing = {column for column in after["columns"] if after["columns"][column] != before["columns"].get(column)}
    column_id = harbor.board.world.column_id
    assert differing == {column_id("AP bills", "Amount"), column_id("AP bills", "Last synced")}
    assert [call for call in harbor.calls("board") if "change" in call] == ["complexity,change_multiple_column_values"]


@pytest.mark.parametrize("lag", [0, 30])
@pytest.mark.parametrize("minutes", [1, 31])
def test_monday_case_09_and_10_an_answer_that_was_lost_makes_no_second_item(harbor: Harbor, minutes: int, lag: int) -> None:
    harbor.board.world.reset(limits=False, visibility_lag=lag)
    harbor.books.world.seed(bills=25)
    harbor.board.faults.arm("commit_then_drop", operation="create_item", after=1)
    harbor.serve()
    assert len(harbor.items()) == 20
    assert harbor.run.state == "waiting"
    assert Connection.objects.get(vendor="monday").health == Health.UNAVAILABLE
    harbor.later(minutes=minutes)
    harbor.finish(wait=True)
    harbor.assert_agrees()
    assert harbor.run.n_created == 25
    assert Connection.objects.get(vendor="monday").health == Health.HEALTHY


def test_monday_case_11_an_empty_look_up_does_not_justify_a_second_create(harbor: Harbor) -> None:
    """The login changed, so that the key means nothing any more, and what was written cannot be found yet."""
    harbor.board.world.reset(limits=False, visibility_lag=30)
    harbor.books.world.seed(bills=3)
    harbor.board.faults.arm("commit_then_drop", operation="create_item")
    harbor.serve()
    harbor.later(seconds=5)
    target = harbor.flow.target
    connections.set_credentials(target, plain=target.settings, secrets={"token": "sample-monday-token"}, by=SYSTEM)
    Due.objects.update(due_at=harbor.now())
    harbor.serve()
    assert len(harbor.items()) == 3
    assert harbor.run.state == "waiting"
    harbor.finish(wait=True)
    harbor.assert_agrees()
    assert harbor.now() <= harbor.run.began_at + timedelta(seconds=120)


def test_monday_case_12_a_label_that_cannot_be_made_costs_one_column_of_one_item(harbor: Harbor) -> None:
    """25 bills in requests of 10, 10 and 5; only the one that was refused is sent again, without the column, and flagged."""
    harbor.board.world.reset(limits=False, create_labels=False)
    recordnos = harbor.books.world.seed(bills=25)["bills"]
    for recordno in recordnos:
        harbor.books.world.change_bill(recordno, CURRENCY="USD")
    harbor.books.world.change_bill(recordnos[6], CURRENCY="XAU")
    harbor.finish()
    assert len(harbor.items()) == 25
    item = harbor.item(recordnos[6])
    assert harbor.text(item, "Currency") == ""
    flagged = RecordOutcome.objects.exclude(said="")
    assert [each.external_id for each in flagged] == [recordnos[6]]
    creates = [call for call in harbor.calls("board") if "create_item" in call]
    assert len(creates) == 4


@pytest.mark.parametrize("what", ["deleted", "retyped"])
def test_monday_case_27_a_mapped_column_that_is_gone_stops_the_flow_before_half_a_bill_is_written(
    harbor: Harbor, what: str
) -> None:
    harbor.books.world.seed(bills=3)
    if what == "deleted":
        harbor.board.world.delete_column("AP bills", "GL account")
    else:
        harbor.board.world.retype_column("AP bills", "GL account", "numbers")
    harbor.serve()
    flow = harbor.again()
    assert flow.state == FlowState.NEEDS_ATTENTION
    assert "GL account" in flow.state_said
    assert "AP bills" in flow.state_said
    assert harbor.items() == []


def test_monday_case_02_a_regenerated_token_stops_the_flow_after_one_call_and_not_its_neighbours(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=3)
    harbor.board.world.revoke_token("sample-monday-token")
    harbor.serve()
    flow = harbor.again()
    assert flow.state == FlowState.NEEDS_ATTENTION
    assert Connection.objects.get(vendor="monday").health == Health.NEEDS_ATTENTION
    assert len(harbor.calls("board")) <= 2
    harbor.forget_calls()
    verbs.run_now(flow, by=SYSTEM)
    harbor.serve()
    assert harbor.calls("board") == harbor.calls("books") == []
    harbor.board.world.add_token("fresh-token", user_kind="admin")
    connections.set_credentials(
        harbor.flow.target, plain=harbor.flow.target.settings, secrets={"token": "fresh-token"}, by=SYSTEM
    )
    assert harbor.again().state == FlowState.ACTIVE
    harbor.finish()
    harbor.assert_agrees()


def test_intacct_case_06_a_wrong_password_stops_the_flow_and_is_never_tried_again(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=3)
    source = harbor.flow.source
    secrets = {"user_password": "wrong", "sender_password": "sample-sender-pw"}
    connections.set_credentials(source, plain=source.settings, secrets=secrets, by=SYSTEM)
    harbor.serve()
    assert harbor.again().state == FlowState.NEEDS_ATTENTION
    assert len(harbor.calls("books")) == 1
    for _ in range(3):
        verbs.run_now(harbor.flow, by=SYSTEM)
        harbor.serve()
        harbor.later(hours=5)
    assert len(harbor.calls("books")) == 1
    connections.set_credentials(source, plain=source.settings, secrets={**secrets, "user_password": "sample-user-pw"}, by=SYSTEM)
    harbor.finish()
    harbor.assert_agrees()


def test_one_bad_bill_among_two_hundred_is_a_dead_letter_and_arrives_when_mended(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=200)
    harbor.board.faults.arm("one_bad_alias", operation="create_item", index=4, after=3)
    harbor.board.faults.arm("one_bad_alias", operation="create_item", index=0, times=2)
    harbor.finish()
    letter = RecordOutcome.objects.get(is_open=True)
    assert letter.said.startswith("Monday.com does not accept the value for this item")
    assert (len(harbor.items()), harbor.run.n_failed) == (199, 1)
    harbor.board.faults.clear()
    verbs.replay(harbor.flow, by=SYSTEM)
    harbor.finish()
    harbor.assert_agrees()
    assert not RecordOutcome.objects.filter(is_open=True).exists()


@pytest.mark.parametrize(
    ("fault", "how", "state", "words"),
    [
        ("http_502", {}, "waiting", "Sage Intacct"),
        ("http_503", {}, "waiting", "Sage Intacct"),
        ("cdn_html", {}, "waiting", "Sage Intacct"),
        ("cut", {}, "waiting", "Sage Intacct"),
        ("slow", {}, "waiting", "Sage Intacct"),
        ("offline", {}, "waiting", "Sage Intacct"),
        ("rate_limited", {}, "waiting", "Sage Intacct"),
        ("rate_limited_200", {}, "waiting", "Sage Intacct"),
        ("truncated", {}, "failed", "Sage Intacct"),
        ("entity_bomb", {}, "failed", "Sage Intacct"),
        ("dtd", {}, "failed", "Sage Intacct"),
        ("huge", {"times": None}, "failed", "Sage Intacct"),
        ("permission_denied", {"times": None}, "stopped", "Sage Intacct"),
        ("invalid_session", {}, "done", ""),
    ],
)
def test_whatever_the_books_answer_has_its_class_state_and_sentence_and_nothing_is_lost(
    harbor: Harbor, fault: str, how: dict[str, Any], state: str, words: str
) -> None:
    harbor.books.world.seed(bills=12)
    harbor.books.faults.arm(fault, operation="query APBILL", **how)
    harbor.serve()
    assert_ended(harbor, state, words)
    harbor.books.faults.clear()
    mend_and_finish(harbor)


@pytest.mark.parametrize(
    ("fault", "how", "state"),
    [
        ("unauthorized", {}, "stopped"),
        ("ip_restricted", {}, "stopped"),
        ("user_access_denied", {}, "stopped"),
        ("user_unauthorized", {}, "stopped"),
        ("minute_limit", {}, "waiting"),
        ("concurrency_limit", {}, "waiting"),
        ("complexity_budget", {}, "waiting"),
        ("daily_limit", {}, "waiting"),
        ("locked", {}, "waiting"),
        ("server_error", {}, "waiting"),
        ("timeout", {}, "waiting"),
        ("gateway_timeout_text", {}, "waiting"),
        ("html_page", {"status": 502}, "waiting"),
        ("slow", {}, "waiting"),
        ("commit_then_slow", {}, "waiting"),
        ("truncated", {}, "waiting"),
    ],
)
def test_whatever_the_board_answers_has_its_class_state_and_sentence_and_nothing_is_lost(
    harbor: Harbor, fault: str, how: dict[str, Any], state: str
) -> None:
    harbor.books.world.seed(bills=12)
    harbor.board.faults.arm(fault, operation="create_item", **how)
    harbor.serve()
    assert_ended(harbor, state, "Monday.com")
    harbor.board.faults.clear()
    mend_and_finish(harbor)


def assert_ended(harbor: Harbor, state: str, words: str) -> None:
    flow, run = harbor.again(), Run.objects.filter(flow=harbor.flow).first()
    said = flow.waiting_said or flow.state_said or (run.said if run else "")
    assert words in said
    assert "Traceback" not in said
    match state:
        case "waiting":
            assert flow.state == FlowState.ACTIVE
            assert flow.waiting_until is not None
            assert flow.waiting_until > harbor.now()
        case "stopped":
            assert flow.state == FlowState.NEEDS_ATTENTION
            assert Due.objects.get(pk=flow.id).due_at is None
        case "failed":
            assert run is not None
            assert run.state == "failed"
            assert Due.objects.get(pk=flow.id).due_at > harbor.now()  # type: ignore[operator]
        case "done":
            assert run is not None
            assert run.state == "done"


def mend_and_finish(harbor: Harbor) -> None:
    for connection in (harbor.flow.source, harbor.flow.target):
        connection.refresh_from_db()
        if connection.health == Health.NEEDS_ATTENTION:
            connections.ping(connection, by=SYSTEM)
    harbor.again()
    if harbor.flow.state == FlowState.NEEDS_ATTENTION:
        verbs.start(harbor.flow, by=SYSTEM)
    harbor.later(hours=24)
    harbor.finish(wait=True)
    harbor.assert_agrees()


def test_monday_case_19_the_daily_limit_parks_the_flow_until_midnight_utc(harbor: Harbor) -> None:
    harbor.later(hours=6)  # 15:00 UTC
    harbor.books.world.seed(bills=12)
    harbor.board.faults.arm("daily_limit", times=None)
    probes = []
    while harbor.now().date().isoformat() == "2026-11-27":
        harbor.forget_calls()
        harbor.serve()
        probes.append(len(harbor.calls("board")))
        waits = harbor.again().waiting_until
        assert waits is not None
        assert "00:00 UTC" in harbor.flow.waiting_said
        harbor.later(seconds=(waits - harbor.now()).total_seconds())
    assert sum(probes) <= 10, "at most one probe an hour"
    harbor.board.faults.clear()
    harbor.finish(wait=True)
    harbor.assert_agrees()

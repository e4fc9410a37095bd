"""``ping``: who we are there, what is missing, how long it took; and what a refused login does to everything behind it."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.connections import ping
from integrations.errors import CredentialsRejected
from integrations.management.base import TERMINAL
from integrations.models import Connection, Due, VendorSession
from integrations.models.connection import Health
from integrations.models.flow import FlowState
from tenants.models import AuditEvent, Tenant
from tenants.scoping import acting_for
from tests.commands.names import assert_lists
from tests.configuration.files import COLUMNS, FILE, Office, refusal, run, told

REFUSED = "Sage Intacct refused the user “xml_gateway” of the company “SAMPLE”."


def test_ping_tells_who_we_are_where_and_how_long_it_took(office: Office) -> None:
    office.apply()

    assert run("ping", "acme/books").startswith("Sage Intacct answered in ")
    assert run("ping", "acme/books").endswith(" ms: signed in as xml_gateway at SAMPLE.\n")
    assert run("ping", "acme/board").endswith(" ms: signed in as Nora Ellis at Harbor & Pine.\n")
    board = office.connection("board")
    assert (board.health, board.who, board.company) == (Health.HEALTHY, "Nora Ellis", "Harbor & Pine")


def test_ping_answers_programs_as_json(office: Office) -> None:
    office.apply()

    answer = told("ping", "acme/board")

    assert isinstance(answer.pop("ms"), int)
    assert answer == {
        "vendor": "Monday.com",
        "who": "Nora Ellis",
        "company": "Harbor & Pine",
        "missing": [],
        "warnings": [],
    }


def test_ping_names_the_rights_that_are_missing(office: Office) -> None:
    office.apply()
    office.vendor("intacct").faults.arm("permission_denied", times=None, object="APBILL")

    said = run("ping", "acme/books")

    assert "\nMissing: Accounts Payable > Bills: List, View\n" in said
    assert office.connection("books").health_said == "Rights that are missing: Accounts Payable > Bills: List, View."


def test_a_wrong_password_stops_all_sending_until_the_right_one_is_applied(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.apply()
    run("run_flow", "acme/bills")
    n_items = len(office.items)
    monkeypatch.setenv("ACME_USER_PASSWORD", "canary-wrong")
    office.apply()

    said = refusal("ping", "acme/books").said

    assert said.startswith(REFUSED)
    assert "canary" not in said
    assert office.connection("books").health == Health.NEEDS_ATTENTION
    for vendor in ("intacct", "monday"):
        office.vendor(vendor).calls.clear()
    office.vendor("intacct").world.add_bill(
        RECORDID="LATE-1", lines=[{"ACCOUNTNO": "6220", "TRX_AMOUNT": "10.00", "LOCATIONID": "110"}]
    )
    assert refusal("run_flow", "acme/bills").said.startswith(REFUSED)
    assert refusal("preview", "acme/bills").said.startswith(REFUSED)
    assert not office.vendor("intacct").calls
    assert not office.vendor("monday").calls
    assert office.flow().state == FlowState.NEEDS_ATTENTION

    monkeypatch.setenv("ACME_USER_PASSWORD", "sample-user-pw")
    assert office.apply() == "connection books: set user_password\n"

    assert office.flow().state == FlowState.ACTIVE
    assert Due.objects.get(pk=office.flow().id).due_at is not None
    run("run_flow", "acme/bills")
    assert len(office.items) == n_items + 1
    assert run("ping", "acme/books").endswith("signed in as xml_gateway at SAMPLE.\n")


def test_a_login_that_was_mended_at_the_vendor_is_taken_up_by_a_ping(office: Office) -> None:
    office.apply()
    monday = office.vendor("monday")
    monday.faults.arm("unauthorized", times=None)
    refusal("ping", "acme/board")
    refusal("run_flow", "acme/bills")
    assert office.flow().state == FlowState.NEEDS_ATTENTION

    monday.faults.clear()
    run("ping", "acme/board")

    assert office.flow().state == FlowState.ACTIVE
    run("run_flow", "acme/bills")
    assert len(office.items) == len(office.vendor("intacct").world.bills())


def test_a_vendor_that_does_not_answer_is_no_refused_login(office: Office) -> None:
    office.apply()
    office.vendor("monday").faults.arm("slow")

    assert refusal("ping", "acme/board").said == "Monday.com did not answer. Try again in a few minutes."

    assert office.connection("board").health == Health.UNAVAILABLE
    run("run_flow", "acme/bills")
    assert office.connection("board").health == Health.HEALTHY


def test_a_wrong_password_in_another_tenant_rides_on_no_session(
    office: Office, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Both are the same user of the same company with the same sender, at the very same address."""
    live = {"INTACCT_URL": "http://books.test/intacct/ia/xml/xmlgw.phtml", "MONDAY_API_URL": "http://board.test/monday/v2"}
    file = (FILE + COLUMNS).replace('world = "sample"\n', "")
    settings.VENDOR_ADDRESSES = {**settings.VENDOR_ADDRESSES, **live}
    office.apply(file)
    run("ping", "acme/books")
    calls = office.sandbox.mounted("intacct").calls
    assert [call["operation"] for call in calls].count("getAPISession") == 1

    monkeypatch.setenv("ACME_USER_PASSWORD", "canary-wrong")
    office.apply(file.replace('"acme"', '"other"'))
    with acting_for(Tenant.objects.get(slug="other")):
        other = Connection.objects.get(name="books")
        with pytest.raises(CredentialsRejected):
            ping(other, by=TERMINAL)
        assert not VendorSession.objects.exists()
    assert refusal("ping", "other/books").said.startswith(REFUSED)

    calls.clear()
    assert run("ping", "acme/books").endswith("signed in as xml_gateway at SAMPLE.\n")
    assert "getAPISession" not in [call["operation"] for call in calls]
    assert office.connection("books").health == Health.HEALTHY


def test_every_ping_leaves_a_row_in_the_trail(office: Office) -> None:
    office.apply()
    run("ping", "acme/board")
    office.vendor("monday").faults.arm("unauthorized")
    refusal("ping", "acme/board")

    with office.inside():
        actions = list(AuditEvent.objects.order_by("number").values_list("action", flat=True))
    assert actions[-2:] == ["connection.pinged", "connection.ping_failed"]


def test_unknown_names_are_refused_with_those_there_are(office: Office) -> None:
    assert_lists("There is no tenant ‘acme’. There are: none.", "ping", "acme/books")
    office.apply()
    assert_lists("There is no tenant ‘acne’. There are: acme.", "ping", "acne/books")
    assert_lists("‘acme’ has no connection ‘ledger’. acme has: board, books.", "ping", "acme/ledger")
    assert_lists("Name a connection as tenant/name. acme has: board, books.", "ping", "acme")

"""``preview``, ``run_flow`` and ``replay``: what they say, what they answer programs, and how they exit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from integrations.models import RecordOutcome, Run
from integrations.models.flow import FlowState
from integrations.sync import due
from tests.commands.names import assert_lists
from tests.configuration.files import COLUMNS, FILE, Office, everything, refusal, run, told

LINES = [{"ACCOUNTNO": "6220", "TRX_AMOUNT": "740.25", "LOCATIONID": "110", "ENTRYDESCRIPTION": "Paper,\n40 boxes"}]


@pytest.fixture
def small(office: Office) -> Office:
    """One bill, of today, and a flow for it."""
    office.apply(FILE + COLUMNS)
    office.vendor("intacct").world.reset(bills=0)
    office.vendor("intacct").world.add_bill(RECORDID="INV-1", VENDORID="V-011", WHENDUE="12/24/2026", lines=LINES)
    return office


def refused_once(office: Office) -> None:
    """The board refuses the first bill's values."""
    office.vendor("monday").faults.arm("column_value", times=None, operation="create_item")


# -- Preview ------------------------------------------------------------------------------------------------------------------


def test_a_preview_shows_each_column_as_it_would_stand_on_the_board(small: Office) -> None:
    before = everything()

    said = run("preview", "acme/bills")

    assert said.startswith("Bill INV-1")
    assert "would be made\n  Name: INV-1\n" in said
    assert "\n  Amount: 740.25\n" in said
    assert "\n  Due: 2026-12-24\n" in said
    assert "\n  GL account: 6220\n" in said
    assert "\n  Lines: Paper, / 40 boxes\n" in said
    assert "\n  ! The value mapping “gl_accounts” has no entry for" in said
    assert small.items == []
    names = ("integrations.VendorSession", "integrations.Turn", "integrations.Budget")
    assert {k: v for k, v in everything().items() if k not in names} == {k: v for k, v in before.items() if k not in names}


def test_a_preview_tells_what_stays_and_what_changes(small: Office) -> None:
    run("run_flow", "acme/bills")
    assert "INV-1" in run("preview", "acme/bills")
    assert "stays as it is" in run("preview", "acme/bills")

    small.vendor("intacct").world.change_bill(small.vendor("intacct").world.bills()[0]["RECORDNO"], WHENDUE="12/31/2026")

    said = run("preview", "acme/bills")
    assert "would be changed" in said
    assert "  Due: 2026-12-31" in said


def test_a_preview_answers_programs_with_typed_values(small: Office) -> None:
    (bill,) = told("preview", "acme/bills", "-n", "1")

    assert bill["record"] == small.vendor("intacct").world.bills()[0]["RECORDNO"]
    assert bill["step"] == "create"
    assert {"amount": "740.25"} in bill["values"].values()
    assert {"date": "2026-12-24"} in bill["values"].values()
    assert "gl_accounts" in bill["flags"]


def test_a_preview_of_no_bills_says_so(small: Office) -> None:
    small.vendor("intacct").world.reset(bills=0)

    assert run("preview", "acme/bills") == "The source has no records.\n"
    assert told("preview", "acme/bills") == []


@pytest.mark.parametrize("count", ["0", "-1", "many", "²"])
def test_a_preview_shows_at_least_one(small: Office, count: str) -> None:
    assert "is not a whole number from 1 on" in refusal("preview", "acme/bills", f"-n={count}").said


def test_a_preview_shows_as_many_as_asked_for(office: Office) -> None:
    office.apply(FILE + COLUMNS)

    assert len(told("preview", "acme/bills")) == 10
    assert len(told("preview", "acme/bills", "-n", "3")) == 3


# -- Running ------------------------------------------------------------------------------------------------------------------


def test_a_run_is_told_in_a_sentence_and_in_json(small: Office) -> None:
    said = run("run_flow", "acme/bills")

    assert said.startswith("Carried 1 bill: 1 created.\n")
    assert len(small.items) == 1
    assert told("run_flow", "acme/bills") == {"state": "done", "changed": 0}
    small.vendor("intacct").world.add_bill(RECORDID="INV-2", lines=LINES)
    answer = told("run_flow", "acme/bills")
    assert (answer["state"], answer["created"], answer["failed"]) == ("done", 1, 0)
    assert answer["calls"]["target"] > 0


def test_a_full_run_reads_everything_again_and_writes_nothing(office: Office) -> None:
    office.apply(FILE + COLUMNS)
    run("run_flow", "acme/bills")
    n_bills = len(office.items)

    assert run("run_flow", "acme/bills") == "Nothing has changed since the last look.\n"
    run("run_flow", "acme/bills", "--full")

    writes = [call for call in office.vendor("monday").calls if "change_multiple_column_values" in call["operation"]]
    assert not writes
    assert len(office.items) == n_bills


def test_an_overwriting_run_puts_every_value_back(small: Office) -> None:
    run("run_flow", "acme/bills")
    (item,) = small.items
    small.vendor("monday").world.world.items[item["id"]].values["amount"] = "1.00"
    small.vendor("monday").world.world.items[item["id"]].name = "Renamed by hand"
    run("run_flow", "acme/bills", "--full")
    assert small.items[0]["name"] == "Renamed by hand"  # nothing changed at the source, so nothing is written

    said = run("run_flow", "acme/bills", "--overwrite")

    assert said.startswith("Carried 1 bill: 1 updated.\n")
    (item,) = small.items
    assert (item["name"], item["columns"]["amount"]) == ("INV-1", "740.25")


def test_a_bill_that_fails_makes_the_exit_code_tell(small: Office) -> None:
    refused_once(small)

    refused = refusal("run_flow", "acme/bills", "--json")

    assert json.loads(refused.out)["failed"] == 1
    assert refused.said == "1 failed. See why with: replay acme/bills"


def test_a_flow_that_needs_attention_is_not_run_and_says_why(small: Office) -> None:
    small.vendor("monday").world.delete_column("AP bills", "Vendor")

    refused = refusal("run_flow", "acme/bills")

    assert refused.said == "The board ‘AP bills’ no longer has the column ‘Vendor’. Choose another column for it."
    assert small.flow().state == FlowState.NEEDS_ATTENTION
    small.vendor("monday").calls.clear()
    again = refusal("run_flow", "acme/bills")
    assert again.said.startswith("The flow needs attention. The board ‘AP bills’ no longer has the column ‘Vendor’.")
    assert not small.vendor("monday").calls


def test_a_paused_flow_is_not_run(small: Office) -> None:
    small.apply((FILE + COLUMNS).replace('"active"', '"paused"'))

    for verb in ("run_flow", "replay"):
        assert refusal(verb, "acme/bills").said == "The flow is paused. Paused by its configuration."


@pytest.mark.parametrize(
    ("vendor", "fault", "said"),
    [
        ("intacct", "cut", "Sage Intacct did not answer. We try again by ourselves. Not before 2026-11-27 09:0"),
        ("intacct", "rate_limited", "Sage Intacct asks us to slow down. The work goes on by itself. Not before 2026-11-27 09:0"),
        ("monday", "server_error", "Monday.com"),
        ("monday", "minute_limit", "Monday.com"),
    ],
)
def test_a_flow_that_has_to_wait_did_not_get_through(small: Office, vendor: str, fault: str, said: str) -> None:
    """Whether or not it came as far as having a run; and it gets through once the wait is over."""
    with time_machine.travel(datetime(2026, 11, 27, 9, 0, tzinfo=UTC), tick=False) as clock:
        small.vendor(vendor).faults.arm(fault, times=None)

        refused = refusal("run_flow", "acme/bills", "--json")

        assert refused.said.startswith(said)
        assert "Not before 2026-11-27 09:0" in refused.said
        assert json.loads(refused.out)["state"] != "done"
        small.vendor(vendor).faults.clear()
        clock.shift(600)
        assert run("run_flow", "acme/bills").startswith("Carried 1 bill: 1 created.")
        assert len(small.items) == 1


def test_a_run_that_waited_is_told_when_it_ends(small: Office) -> None:
    """The lost answer leaves an open run behind; the next command finishes that one and must not say that nothing changed."""
    with time_machine.travel(datetime(2026, 11, 27, 9, 0, tzinfo=UTC), tick=False) as clock:
        small.vendor("monday").faults.arm("commit_then_drop", operation="create_item")
        refusal("run_flow", "acme/bills")
        with small.inside():
            assert Run.objects.get().state == "waiting"
        clock.shift(120)

        said = run("run_flow", "acme/bills")

        assert said.startswith("Carried 1 bill: 1 created.")
        assert len(small.items) == 1


def test_a_flow_that_a_worker_has_is_left_to_it(small: Office) -> None:
    with small.inside():
        lease = due.claim_flow(small.flow().id)
        assert lease

    assert refusal("run_flow", "acme/bills").said.startswith("A worker is carrying this flow at this moment.")

    with small.inside(), lease.holding():
        lease.release(due_at=None)
    run("run_flow", "acme/bills")
    assert len(small.items) == 1


# -- Replay -------------------------------------------------------------------------------------------------------------------


def test_a_failed_bill_is_replayed_once_it_can_be_carried(small: Office) -> None:
    refused_once(small)
    refusal("run_flow", "acme/bills")

    still = refusal("replay", "acme/bills")
    assert still.out.startswith("Replayed 1; 1 failed.\nBill INV-1")
    assert still.said == "1 failed, 0 not found."
    assert json.loads(refusal("replay", "acme/bills", "--json").out)["failed"][0]["label"].startswith("Bill INV-1")

    small.vendor("monday").faults.clear()
    assert run("replay", "acme/bills") == "Replayed 1; 0 failed.\n"
    assert len(small.items) == 1
    assert run("replay", "acme/bills") == "No record is waiting to be replayed.\n"
    assert told("replay", "acme/bills") == {"replayed": 0, "failed": [], "missing": []}


def test_one_bill_is_replayed_whether_it_failed_or_not(small: Office) -> None:
    run("run_flow", "acme/bills")
    (bill,) = small.vendor("intacct").world.bills()

    assert run("replay", "acme/bills", "--record", bill["RECORDNO"]) == "Replayed 1; 0 failed.\n"

    with small.inside():
        assert list(RecordOutcome.objects.order_by("made_at").values_list("what", flat=True)) == ["created", "updated"]
    assert len(small.items) == 1


def test_a_bill_that_is_not_there_is_not_replayed(small: Office) -> None:
    refused = refusal("replay", "acme/bills", "--record", "999999")

    assert refused.out == "Replayed 1; 0 failed.\n999999: Sage Intacct no longer has this bill.\n"
    assert refused.said == "0 failed, 1 not found."


def test_a_failed_bill_that_was_deleted_meanwhile_is_closed(small: Office) -> None:
    refused_once(small)
    refusal("run_flow", "acme/bills")
    small.vendor("intacct").world.delete_bill(small.vendor("intacct").world.bills()[0]["RECORDNO"])

    assert "Sage Intacct no longer has this bill." in run("replay", "acme/bills")

    assert run("replay", "acme/bills") == "No record is waiting to be replayed.\n"


def test_a_replay_that_has_to_wait_did_not_get_through(small: Office) -> None:
    run("run_flow", "acme/bills")
    (bill,) = small.vendor("intacct").world.bills()
    small.vendor("intacct").faults.arm("cut", times=None)

    assert "Not before " in refusal("replay", "acme/bills", "--record", bill["RECORDNO"]).said


# -- Names --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["preview", "run_flow", "replay"])
def test_unknown_names_are_refused_with_those_there_are(small: Office, verb: str) -> None:
    before = everything()

    assert_lists("There is no tenant ‘acne’. There are: acme.", verb, "acne/bills")
    assert_lists("‘acme’ has no flow ‘bill’. acme has: bills.", verb, "acme/bill")
    assert_lists("‘acme’ has no flow ‘’. acme has: bills.", verb, "acme/")
    assert_lists("Name a flow as tenant/name. acme has: bills.", verb, "acme")
    assert everything() == before


def test_another_tenants_flow_is_not_reached(small: Office, carla_org: Any) -> None:
    assert_lists("‘northwind’ has no flow ‘bills’. northwind has: none.", "run_flow", "northwind/bills")

"""What is paid, by which payments, in few requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import pytest

from integrations.errors import PermissionMissing
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct import payments
from integrations.vendors.intacct.catalogue import APBILL
from integrations.vendors.intacct.payments import Paid
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import Carried, Desk, make_desk

PAYMENT_FIELDS = tuple(each.key for each in APBILL.catalogue if each.key.startswith("payment."))
FIELDS = ("RECORDID", "TRX_TOTALENTERED", *PAYMENT_FIELDS)
POLL = "query APBILL,query APBILL,query APPYMT,query APPYMTDETAIL,query APPYMTDETAIL,query AUDITHISTORY"
Calls = Callable[[], list[str]]
Bills = Callable[..., IntacctSource]


@pytest.fixture
def bills(desk: Desk) -> Bills:
    return lambda fields=FIELDS: IntacctSource(desk.login, "APBILL", fields)


@pytest.fixture
def carried() -> Carried:
    return Carried()


def a_bill(world: Any, amount: str = "100.00", **fields: Any) -> str:
    line = {"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": amount, "LOCATIONID": "100"}
    return str(world.add_bill(VENDORID="V-011", RECORDID=fields.pop("number", "B-1"), CURRENCY="USD", lines=[line], **fields))


def one(source: IntacctSource, number: str) -> dict[str, Any]:
    (found,) = source.fetch([number]).records
    return {key.removeprefix("payment."): value for key, value in found.values.items() if key.startswith("payment.")}


def test_an_open_bill_has_no_payment(world: Any, bills: Bills) -> None:
    number = a_bill(world)
    assert one(bills(), number) == {"STATE": "Open", "PAID": Decimal(0), "DATE": None, "REFERENCE": None, "METHOD": None}


def test_two_payments_are_added_up_and_the_latest_dates_the_bill(world: Any, bills: Bills) -> None:
    number = a_bill(world)
    world.pay({number: "40.00"}, reference="1001", method="Printed Check", date="11/10/2026")
    first = one(bills(), number)
    assert first == {
        "STATE": "Partially paid",
        "PAID": Decimal("40.00"),
        "DATE": date(2026, 11, 10),
        "REFERENCE": "1001",
        "METHOD": "Printed Check",
    }
    world.pay({number: "60.00"}, reference="1002", method="ACH", date="11/12/2026")
    assert one(bills(), number) == {
        "STATE": "Paid",
        "PAID": Decimal("100.00"),
        "DATE": date(2026, 11, 12),
        "REFERENCE": "multiple (2): 1001, 1002",
        "METHOD": "multiple (2): Printed Check, ACH",
    }


def test_only_posted_payments_count(world: Any, bills: Bills) -> None:
    number = a_bill(world)
    payment = world.pay(number, state="Submitted", reference="7")
    assert one(bills(), number) == {"STATE": "Selected", "PAID": Decimal(0), "DATE": None, "REFERENCE": None, "METHOD": None}
    world.change_payment(payment, STATE="Posted")
    assert (one(bills(), number)["STATE"], one(bills(), number)["PAID"]) == ("Paid", Decimal("100.00"))
    world.void(payment)
    assert one(bills(), number) == {"STATE": "Open", "PAID": Decimal(0), "DATE": None, "REFERENCE": None, "METHOD": None}


def test_payments_add_up_to_what_bills_say_is_paid(world: Any, bills: Bills, carried: Carried) -> None:
    world.reset(bills=300)
    carried.poll(bills((*FIELDS, "TRX_TOTALPAID")))
    own = [each.values for each in carried.records if (each.values["TRX_TOTALENTERED"] or 0) > 0 and each.values["payment.STATE"]]  # type: ignore[operator]
    assert len(own) > 200
    assert [each["payment.PAID"] for each in own] == [each["TRX_TOTALPAID"] for each in own]
    assert {each["payment.STATE"] for each in own} == {"Open", "Selected", "Partially paid", "Paid"}


@pytest.mark.parametrize("state", ["Posted", "Posted/Complete", "C", "c", " posted "])
def test_a_posted_payment_is_known_by_label_and_letter(state: str) -> None:
    detail = {"PAYMENTKEY": "5", "TRX_PAYMENTAMOUNT": "3.50", "PAYMENTDATE": "11/10/2026"}
    bill = {"STATE": "Posted", "TRX_TOTALPAID": "3.50", "TRX_TOTALDUE": "1.00"}
    found = payments.values(bill, Paid([detail], {"5": {"STATE": state}}, UTC))
    assert found["payment.PAID"] == Decimal("3.50")
    assert payments.values(bill, Paid([detail], {"5": {"STATE": "V"}}, UTC))["payment.PAID"] == 0
    assert payments.values(bill, Paid([detail], {}, UTC))["payment.PAID"] == 0


@pytest.mark.parametrize(
    ("bill", "state"),
    [
        ({"STATE": "Selected", "TRX_TOTALPAID": "10", "TRX_TOTALDUE": "90", "TRX_TOTALSELECTED": "90"}, "Partially paid"),
        ({"STATE": "Posted", "TRX_TOTALPAID": "100", "TRX_TOTALDUE": "0.00"}, "Paid"),
        ({"STATE": "Posted", "TRX_TOTALPAID": "-5", "TRX_TOTALDUE": "0"}, "Paid"),
        ({"STATE": "Paid"}, "Paid"),
        ({"STATE": "Posted", "TRX_TOTALDUE": "10", "TRX_TOTALSELECTED": "10"}, "Selected"),
        ({"STATE": "Posted", "TRX_TOTALDUE": "10"}, "Open"),
        ({"STATE": "Reversed", "TRX_TOTALPAID": "10", "TRX_TOTALDUE": "0"}, None),
        ({"STATE": "No Value", "TRX_TOTALDUE": "0"}, None),
    ],
)
def test_the_payment_state_comes_from_totals_and_state(bill: dict[str, str], state: str | None) -> None:
    assert payments.values(bill, Paid())["payment.STATE"] == state


def test_a_payment_in_another_currency_is_not_added_up() -> None:
    detail = {"PAYMENTKEY": "5", "TRX_PAYMENTAMOUNT": "92.00", "CURRENCY": "EUR"}
    bill = {"STATE": "Paid", "CURRENCY": "USD", "TRX_TOTALPAID": "100.00"}
    assert payments.values(bill, Paid([detail], {"5": {"STATE": "C"}}))["payment.PAID"] == Decimal("100.00")


def test_many_references_stay_short() -> None:
    details = [{"PAYMENTKEY": str(n), "TRX_PAYMENTAMOUNT": "1"} for n in range(80)]
    paid = Paid(details, {str(n): {"STATE": "C", "DOCNUMBER": f"CHECK-{n:05}"} for n in range(80)})
    text = payments.values({"STATE": "Paid"}, paid)["payment.REFERENCE"]
    assert isinstance(text, str) and text.startswith("multiple (80): CHECK-00000, ") and len(text) == 250


# -- Changes -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("touches_bill", [True, False])
def test_a_payment_is_found_though_its_bill_was_not_touched(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, touches_bill: bool
) -> None:
    number, other = a_bill(world), a_bill(world, number="B-2")
    carried.poll(bills())
    mounted.clock.advance(600)
    payment = world.pay(number, touches_bill=touches_bill, reference="9")
    (found,) = carried.poll(bills())
    assert found.external_id == number and found.values["payment.STATE"] == "Paid"
    mounted.clock.advance(600)
    world.void(payment, touches_bill=touches_bill)
    (found,) = carried.poll(bills())
    assert found.external_id == number and found.values["payment.PAID"] == 0
    assert carried.poll(bills()) == []
    assert set(carried.versions) == {number, other}


def test_new_details_are_found_though_nothing_was_ever_modified(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    world.reset(bills=0, empty_modified=["APPYMT", "APPYMTDETAIL"])
    number = a_bill(world)
    carried.poll(bills())
    mounted.clock.advance(600)
    world.pay(number, touches_bill=False)
    assert [each.values["payment.STATE"] for each in carried.poll(bills())] == ["Paid"]
    assert carried.poll(bills()) == []


def test_a_poll_that_finds_nothing_costs_one_request_and_a_seen_payment_none(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, calls: Calls
) -> None:
    number = a_bill(world)
    carried.poll(bills())
    mounted.clock.advance(3600)
    carried.poll(bills())
    mounted.clock.advance(600)
    world.pay(number, touches_bill=False)
    calls()
    carried.poll(bills())
    assert calls() == [POLL, "query APPYMTDETAIL", "query APBILL", "query APPYMTDETAIL", "query APPYMT"]
    for wait in (0, 60, 900):
        mounted.clock.advance(wait)
        assert carried.poll(bills()) == []
        assert calls() == [POLL]


def test_a_first_load_of_1000_paid_bills_costs_two_requests_more(
    world: Any, bills: Bills, carried: Carried, calls: Calls
) -> None:
    numbers = [a_bill(world, number=f"B-{n}") for n in range(1000)]
    world.pay(numbers[:400])
    carried.poll(bills())
    assert calls()[3:] == ["query APBILL,query APBILL", "query APPYMTDETAIL,query APPYMTDETAIL", "query APPYMT"]
    assert [each.values["payment.STATE"] for each in carried.records].count("Paid") == 400


def test_without_payment_fields_no_payments_are_asked_for(world: Any, bills: Bills, carried: Carried, calls: Calls) -> None:
    a_bill(world)
    carried.poll(bills(("RECORDID",)))
    carried.poll(bills(("RECORDID",)))
    assert not [each for each in calls() if "APPYMT" in each]
    assert next(iter(carried.versions.values())).count("|") == 1


def test_what_is_carried_with_this_payment_is_known(world: Any, bills: Bills, carried: Carried, mounted: Mounted) -> None:
    number = a_bill(world)
    world.pay(number)
    carried.poll(bills())
    assert carried.versions[number].count("|") == 2 and not carried.versions[number].endswith("|")
    mounted.clock.advance(3600)
    carried.cursor, carried.n_known = None, 0
    assert carried.poll(bills()) == [] and carried.n_known == 1


def test_a_full_reading_finds_a_payment_of_an_untouched_bill(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    number, _ = a_bill(world), a_bill(world, number="B-2")
    carried.poll(bills())
    mounted.clock.advance(600)
    world.pay(number, touches_bill=False)
    mounted.clock.advance(600)
    carried.cursor, carried.n_known = None, 0
    assert [each.external_id for each in carried.poll(bills())] == [number] and carried.n_known == 1


def test_who_may_not_read_payments_is_told_which_right_is_missing(world: Any, mounted: Mounted) -> None:
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions={"APBILL": "read", "USERINFO": "read"})
    a_bill(world)
    login = make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw").login
    carried = Carried()
    assert carried.poll(IntacctSource(login, "APBILL", ["RECORDID"]))
    with pytest.raises(PermissionMissing, match="may not read payments") as raised:
        Carried().poll(IntacctSource(login, "APBILL", FIELDS))
    assert raised.value.right == "Accounts Payable > Payments: List, View"

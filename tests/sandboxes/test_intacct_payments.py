"""Payments in the Intacct sandbox: what they pay, what becomes of the bills, and how they are read."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.sandboxes.test_intacct import SHOW_PRIVATE, Talk, query, where

TWO_LINES = [
    {"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": "60.00", "LOCATIONID": "100"},
    {"ACCOUNTNO": "6500-00-00", "TRX_AMOUNT": "40.10", "LOCATIONID": "110"},
]


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


def totals(bill: dict[str, str]) -> tuple[str, ...]:
    return tuple(bill[f"TRX_TOTAL{what}"] for what in ("ENTERED", "PAID", "SELECTED", "DUE"))


def test_a_posted_payment_pays_its_bill_line_by_line(talk: Talk) -> None:
    bill = talk.world.add_bill(lines=TWO_LINES)
    payment = talk.world.pay([bill], reference="CHK-1", date="11/20/2026")
    paid = talk.world.bill(bill)
    assert (paid["STATE"], paid["WHENPAID"], totals(paid)) == ("Paid", "11/20/2026", ("100.10", "100.10", "0", "0.00"))
    assert [line["TRX_TOTALPAID"] for line in paid["lines"]] == ["60.00", "40.10"]
    found = talk.world.payment(payment)
    assert (found["STATE"], found["PAYMENTMETHOD"], found["DOCNUMBER"]) == ("Posted", "EFT", "CHK-1")
    assert (found["TRX_TOTALENTERED"], found["TOTALPAID"], found["WHENPAID"]) == ("100.10", "100.10", "11/20/2026")
    assert [(row["RECORDKEY"], row["ENTRYKEY"], row["TRX_PAYMENTAMOUNT"]) for row in found["details"]] == [
        (bill, paid["lines"][0]["RECORDNO"], "60.00"),
        (bill, paid["lines"][1]["RECORDNO"], "40.10"),
    ]


def test_a_part_is_given_to_line_after_line_and_the_rest_paid_later(talk: Talk) -> None:
    bill = talk.world.add_bill(lines=TWO_LINES)
    talk.world.pay({bill: "75"})
    assert talk.world.bill(bill)["STATE"] == "Partially Paid"
    assert [line["TRX_TOTALPAID"] for line in talk.world.bill(bill)["lines"]] == ["60.00", "15.00"]
    assert talk.world.bill(bill)["WHENPAID"] == ""
    rest = talk.world.pay(bill)
    assert [row["TRX_PAYMENTAMOUNT"] for row in talk.world.payment(rest)["details"]] == ["25.10"]
    assert (talk.world.bill(bill)["STATE"], totals(talk.world.bill(bill))) == ("Paid", ("100.10", "100.10", "0", "0.00"))


def test_a_payment_request_selects_the_bill_until_it_is_posted(talk: Talk) -> None:
    bill = talk.world.add_bill(lines=TWO_LINES)
    payment = talk.world.pay([bill], state="Draft")
    assert (talk.world.bill(bill)["STATE"], totals(talk.world.bill(bill))) == ("Selected", ("100.10", "0", "100.10", "100.10"))
    assert [line["TRX_TOTALSELECTED"] for line in talk.world.bill(bill)["lines"]] == ["60.00", "40.10"]
    for state in ("Submitted", "Approved", "Delivered"):
        talk.world.change_payment(payment, STATE=state)
        assert talk.world.bill(bill)["STATE"] == "Selected"
    talk.world.change_payment(payment, STATE="Complete")
    assert (talk.world.bill(bill)["STATE"], totals(talk.world.bill(bill))) == ("Paid", ("100.10", "100.10", "0", "0.00"))
    assert talk.world.payment(payment)["TRX_TOTALPAID"] == "100.10"


@pytest.mark.parametrize("state", ["Posted", "Submitted"])
def test_a_voided_payment_gives_the_bill_its_totals_back(talk: Talk, state: str) -> None:
    bill = talk.world.add_bill(lines=TWO_LINES)
    before = talk.world.bill(bill)
    payment = talk.world.pay([bill], state=state, touches_bill=False)
    talk.world.void(payment, touches_bill=False)
    assert talk.world.bill(bill) == {**before, "lines": before["lines"]}
    assert talk.world.payment(payment)["STATE"] == "Voided"


def test_a_declined_request_leaves_what_another_payment_has_paid(talk: Talk) -> None:
    bill = talk.world.add_bill(lines=TWO_LINES)
    talk.world.pay({bill: "10.10"})
    request = talk.world.pay([bill], state="Submitted")
    assert totals(talk.world.bill(bill)) == ("100.10", "10.10", "90.00", "90.00")
    talk.world.change_payment(request, STATE="Declined")
    assert talk.world.bill(bill)["STATE"] == "Partially Paid"
    assert totals(talk.world.bill(bill)) == ("100.10", "10.10", "0", "90.00")


@pytest.mark.parametrize("touches", [True, False])
def test_a_payment_moves_the_stamp_of_its_bill_or_not(talk: Talk, touches: bool) -> None:
    bill = talk.world.add_bill(TRX_TOTALENTERED="10.00")
    before = talk.world.bill(bill)["WHENMODIFIED"]
    talk.clock.advance(60)
    payment = talk.world.pay(bill, touches_bill=touches)
    assert (talk.world.bill(bill)["WHENMODIFIED"] > before) is touches
    assert talk.world.payment(payment)["WHENMODIFIED"] > before
    assert all(row["WHENMODIFIED"] > before for row in talk.world.payment(payment)["details"])
    assert [line["WHENMODIFIED"] for line in talk.world.bill(bill)["lines"]] == [before]


def test_one_payment_pays_several_bills_of_one_vendor(talk: Talk) -> None:
    bills = [talk.world.add_bill(TRX_TOTALENTERED=amount) for amount in ("10.00", "20.00")]
    payment = talk.world.pay({bills[0]: "10.00", bills[1]: "5.00"})
    assert [talk.world.bill(bill)["STATE"] for bill in bills] == ["Paid", "Partially Paid"]
    assert talk.world.payment(payment)["TRX_TOTALENTERED"] == "15.00"
    assert len({row["PAYMENTENTRYKEY"] for row in talk.world.payment(payment)["details"]}) == 2


def test_foreign_currency_is_paid_to_the_last_cent_in_both_currencies(talk: Talk) -> None:
    lines = [{"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": amount} for amount in ("0.33", "0.33", "0.34")]
    bill = talk.world.add_bill(CURRENCY="EUR", EXCHANGE_RATE="1.0842", lines=lines)
    talk.world.pay({bill: "0.50"})
    payment = talk.world.pay(bill)
    paid = talk.world.bill(bill)
    assert (paid["STATE"], paid["TOTALPAID"], paid["TOTALDUE"]) == ("Paid", paid["TOTALENTERED"], "0.00")
    assert sum(Decimal(line["TOTALPAID"]) for line in paid["lines"]) == Decimal(paid["TOTALENTERED"])
    assert {row["CURRENCY"] for row in talk.world.payment(payment)["details"]} == {"EUR"}


def test_what_cannot_be_paid_is_refused(talk: Talk) -> None:
    draft = talk.world.add_bill(STATE="Draft", TRX_TOTALENTERED="10.00")
    bill, other = talk.world.add_bill(TRX_TOTALENTERED="10.00"), talk.world.add_bill(VENDORID="V-012", TRX_TOTALENTERED="10.00")
    payment = talk.world.pay({bill: "4"})
    for wrong in ([draft], {bill: "6.01"}, {bill: "0"}, {bill: "-1"}, [bill, other]):
        with pytest.raises(ValueError, match=r"pay|exceeds"):
            talk.world.pay(wrong)
    with pytest.raises(ValueError, match="STATE cannot be"):
        talk.world.pay(bill, state="Gone")
    with pytest.raises(ValueError, match="PAYMENTMETHOD cannot be"):
        talk.world.pay(bill, method="Barter")
    with pytest.raises(ValueError, match="amounts stay"):
        talk.world.change_payment(payment, TRX_TOTALENTERED="5.00")
    assert len(talk.world.payments()) == 1


def test_payments_and_their_rows_are_found_by_query(talk: Talk) -> None:
    bills = [talk.world.add_bill(TRX_TOTALENTERED="10.00", DOCNUMBER=f"PO-{n}") for n in range(3)]
    payments = [talk.world.pay(bill, state=state) for bill, state in zip(bills, ("Posted", "Draft", "Posted"), strict=True)]
    keys = where("in", "PAYMENTKEY", *payments[:2])
    heard = talk.ask(query("APPYMTDETAIL", "RECORDKEY PAYMENTDATE STATE APBILL.DOCNUMBER APPYMT.STATE", keys))
    assert sorted(heard.column("RECORDKEY")) == bills[:2]
    assert sorted(heard.column("STATE")) == ["C", "D"]
    assert sorted(heard.column("APBILL.DOCNUMBER")) == ["PO-0", "PO-1"]
    assert (
        talk.ask(query("APPYMTDETAIL", "PAYMENTKEY", where("equalto", "RECORDKEY", bills[2]))).column("PAYMENTKEY")
        == payments[2:]
    )
    unpaid = talk.ask(query("APPYMT", "RECORDNO VENDORNAME", where("notequalto", "STATE", "Posted")))
    assert (unpaid.column("RECORDNO"), unpaid.column("VENDORNAME")) == ([payments[1]], ["Pac Bell"])
    older = "<readByQuery><object>APPYMT</object><fields>RECORDNO,STATE</fields><query>STATE = 'C'</query></readByQuery>"
    assert sorted(talk.ask(older).column("RECORDNO")) == [payments[0], payments[2]]


def test_payments_of_an_entity_are_private_as_its_bills_are(talk: Talk) -> None:
    bill = talk.world.add_bill(MEGAENTITYID="E200", TRX_TOTALENTERED="10.00")
    talk.world.pay(bill)
    for object_ in ("APPYMT", "APPYMTDETAIL"):
        assert talk.ask(query(object_, "RECORDNO")).data.get("count") == "0"
        assert talk.ask(query(object_, "RECORDNO", options=SHOW_PRIVATE)).data.get("count") == "1"


def test_a_payment_may_arrive_late(talk: Talk) -> None:
    talk.world.pay(talk.world.add_bill(TRX_TOTALENTERED="10.00"), hidden_for=60)

    def counts() -> list[str]:
        return [talk.ask(query(name, "RECORDNO")).data.get("count") for name in ("APPYMT", "APPYMTDETAIL")]

    assert counts() == ["0", "0"]
    talk.clock.advance(61)
    assert counts() == ["1", "1"]


def test_a_bill_with_payments_is_not_deleted_by_the_gateway(talk: Talk) -> None:
    bill = talk.world.add_bill(TRX_TOTALENTERED="10.00")
    payment = talk.world.pay(bill)
    delete = f"<delete><object>APBILL</object><keys>{bill}</keys></delete>"
    assert talk.ask(delete).errorno == "BL01001973"
    talk.world.void(payment)
    assert talk.ask(delete).errorno == ""
    assert talk.world.payment(payment)["details"] == []


def test_seeded_bills_that_are_paid_have_payments_that_add_up(talk: Talk) -> None:
    talk.world.seed(bills=400)
    details: dict[str, list[dict[str, str]]] = {}
    states = {payment["RECORDNO"]: payment["STATE"] for payment in talk.world.payments()}
    for payment in talk.world.payments():
        for row in payment["details"]:
            details.setdefault(row["RECORDKEY"], []).append(row)
    for bill in talk.world.bills():
        is_paying = bill["STATE"] in ("Paid", "Partially Paid", "Selected") and Decimal(bill["TRX_TOTALENTERED"]) > 0
        assert (bill["RECORDNO"] in details) is is_paying, bill
        if not is_paying:
            continue
        rows, kind = details[bill["RECORDNO"]], "SELECTED" if bill["STATE"] == "Selected" else "PAID"
        assert sum(Decimal(row["TRX_PAYMENTAMOUNT"]) for row in rows) == Decimal(bill[f"TRX_TOTAL{kind}"])
        assert sum(Decimal(row["PAYMENTAMOUNT"]) for row in rows) == Decimal(bill[f"TOTAL{kind}"])
        assert {states[row["PAYMENTKEY"]] == "Posted" for row in rows} == {kind == "PAID"}
        assert bill["STATE"] != "Paid" or bill["WHENPAID"] == rows[0]["PAYMENTDATE"]


def test_users_see_payments_only_with_the_right_to(talk: Talk) -> None:
    talk.world.add_user("SAMPLE", "clerk", "pw", permissions={"APBILL": "read", "APPYMT": "read"})
    talk.login = ("clerk", "SAMPLE", "pw")
    talk.sign_in()
    assert talk.ask(query("APPYMT", "RECORDNO")).errorno == ""
    assert talk.ask(query("APPYMTDETAIL", "RECORDNO")).errorno == "PL04000005"

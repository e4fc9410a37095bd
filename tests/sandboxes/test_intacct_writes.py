"""Writing into the Intacct sandbox: bills, vendors, repeated functions and transactions."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.sandboxes.test_intacct import Talk, query, where

UNIQUE = "<uniqueid>true</uniqueid>"
LINE = "<APBILLITEM><ACCOUNTNO>6220-00-00</ACCOUNTNO><TRX_AMOUNT>100.125</TRX_AMOUNT><LOCATIONID>110</LOCATIONID></APBILLITEM>"


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


def bill(more: str = "", *, lines: str = LINE, number: str = "INV-1001", vendor: str = "V-011") -> str:
    header = f"<WHENCREATED>11/20/2026</WHENCREATED><VENDORID>{vendor}</VENDORID><RECORDID>{number}</RECORDID>"
    return f"<APBILL>{header}<WHENDUE>12/20/2026</WHENDUE>{more}<APBILLITEMS>{lines}</APBILLITEMS></APBILL>"


def create(inner: str) -> str:
    return f"<create>{inner}</create>"


def update(recordno: str, inner: str) -> str:
    return f"<update><APBILL><RECORDNO>{recordno}</RECORDNO>{inner}</APBILL></update>"


def vendor(id_: str, name: str = "New Vendor") -> str:
    contact = f"<DISPLAYCONTACT><PRINTAS>{name}</PRINTAS></DISPLAYCONTACT>"
    return f"<VENDOR><VENDORID>{id_}</VENDORID><NAME>{name}</NAME>{contact}</VENDOR>"


def test_a_bill_is_created_rounded_and_named_in_lower_case(talk: Talk) -> None:
    heard = talk.ask(create(bill("<CURRENCY>USD</CURRENCY>")))
    assert (heard.data.get("listtype"), heard.data.get("count")) == ("objects", "1")
    made = talk.world.bill(heard.data.find("apbill").findtext("RECORDNO"))
    assert (made["TRX_TOTALENTERED"], made["STATE"], made["VENDORNAME"]) == ("100.13", "Posted", "Pac Bell")
    assert made["lines"][0]["LINE_NO"] == "1"


@pytest.mark.parametrize(
    ("approvals", "action", "state"),
    [(False, "", "Posted"), (True, "", "Submitted"), (False, "Submit", "Posted"), (True, "Draft", "Draft")],
)
def test_a_bill_is_submitted_unless_it_is_said_to_be_a_draft(talk: Talk, approvals: bool, action: str, state: str) -> None:
    talk.world.reset(bills=0, approvals=approvals)
    talk.sign_in()
    heard = talk.ask(create(bill(f"<ACTION>{action}</ACTION>" if action else "")))
    number = heard.data[0].findtext("RECORDNO")
    assert talk.world.bill(number)["STATE"] == state


def test_updating_a_draft_submits_it_unless_told_not_to(talk: Talk) -> None:
    number = talk.world.add_bill(STATE="Draft")
    talk.ask(update(number, "<DESCRIPTION>kept</DESCRIPTION><ACTION>Draft</ACTION>"))
    assert talk.world.bill(number)["STATE"] == "Draft"
    talk.ask(update(number, "<DESCRIPTION>sent off</DESCRIPTION>"))
    assert talk.world.bill(number)["STATE"] == "Posted"


def test_an_update_changes_what_was_sent_and_stamps_the_header(talk: Talk) -> None:
    number = talk.world.add_bill(DESCRIPTION="old", DOCNUMBER="PO-1")
    before = talk.world.bill(number)
    talk.clock.advance(60)
    heard = talk.ask(update(number, "<DESCRIPTION>new</DESCRIPTION><ONHOLD>true</ONHOLD>"))
    assert heard.data[0].findtext("RECORDNO") == number
    after = talk.world.bill(number)
    assert (after["DESCRIPTION"], after["DOCNUMBER"], after["ONHOLD"]) == ("new", "PO-1", "true")
    assert after["WHENMODIFIED"] > before["WHENMODIFIED"]
    assert after["lines"] == before["lines"]


def test_lines_sent_with_an_update_replace_all_lines(talk: Talk) -> None:
    lines = [{"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "10.00"}, {"ACCOUNTNO": "4000-02-00", "TRX_AMOUNT": "20.00"}]
    number = talk.world.add_bill(lines=lines)
    kept = talk.world.bill(number)["lines"][1]["RECORDNO"]
    old = f"<APBILLITEM><RECORDNO>{kept}</RECORDNO><ACCOUNTNO>4000-02-00</ACCOUNTNO><TRX_AMOUNT>21.00</TRX_AMOUNT></APBILLITEM>"
    heard = talk.ask(update(number, f"<APBILLITEMS>{old}{LINE}</APBILLITEMS>"))
    assert heard.errorno == "", heard.body
    after = talk.world.bill(number)
    assert [line["TRX_AMOUNT"] for line in after["lines"]] == ["21.00", "100.13"]
    assert after["lines"][0]["RECORDNO"] == kept
    assert after["TRX_TOTALDUE"] == "121.13"
    count = talk.ask(query("APBILLITEM", "RECORDNO", where("equalto", "RECORDKEY", number))).data.get("totalcount")
    assert count == "2"


@pytest.mark.parametrize(
    "inner",
    [
        bill(vendor="V-999"),
        bill(number="INV#1"),
        bill(lines=""),
        bill("<STATE>Paid</STATE>"),
        bill("<ACTION>Approve</ACTION>"),
        bill(lines=LINE.replace("6220-00-00", "9999")),
        bill(lines=LINE.replace("<LOCATIONID>110</LOCATIONID>", "")),
        bill(lines=LINE.replace("100.125", "much")),
        bill().replace("<WHENDUE>12/20/2026</WHENDUE>", ""),
        bill().replace("12/20/2026", "2026-12-20"),
        vendor("V-100").replace("<NAME>New Vendor</NAME>", ""),
    ],
)
def test_what_makes_no_sense_in_the_books_is_refused(talk: Talk, inner: str) -> None:
    heard = talk.ask(create(inner))
    assert (heard.status, heard.errorno) == (200, "BL01001973")
    assert talk.world.bills() == []


def test_nothing_is_posted_into_a_closed_period(talk: Talk) -> None:
    talk.world.reset(bills=0, closed_until="11/30/2026")
    talk.sign_in()
    assert talk.ask(create(bill())).text.startswith("Date must be on or after 12/01/2026")


def test_the_state_of_a_bill_cannot_be_written(talk: Talk) -> None:
    number = talk.world.add_bill(STATE="Submitted")
    assert talk.ask(update(number, "<STATE>Posted</STATE>")).errorno == "BL01001973"
    assert talk.world.bill(number)["STATE"] == "Submitted"


def test_a_vendor_is_created_once(talk: Talk) -> None:
    assert talk.ask(create(vendor("V-100"))).data[0].findtext("VENDORID") == "V-100"
    heard = talk.ask(create(vendor("V-100")))
    assert [error.findtext("errorno") for error in heard.xml.iter("error")] == ["BL34000061", "BL01001973", "BL01001973"]
    assert "Another Vendor with the given value(s) V-100  already exists" in heard.text
    assert b'<data listtype="objects" count="0"/>' in heard.body


def test_a_vendor_is_updated_by_either_key_and_cleared_by_empty_elements(talk: Talk) -> None:
    talk.ask(create(vendor("V-100").replace("</VENDOR>", "<COMMENTS>old</COMMENTS></VENDOR>")))
    heard = talk.ask("<update><VENDOR><VENDORID>V-100</VENDORID><TERMNAME>N15</TERMNAME><COMMENTS></COMMENTS></VENDOR></update>")
    assert heard.errorno == ""
    row = talk.ask(query("VENDOR", "NAME TERMNAME COMMENTS", where("equalto", "VENDORID", "V-100"))).data[0]
    assert [child.text or "" for child in row] == ["New Vendor", "N15", ""]
    assert talk.ask("<update><VENDOR><VENDORID>nobody</VENDORID></VENDOR></update>").errorno == "BL01001973"


def test_those_created_before_one_failed_are_named_beside_its_error(talk: Talk) -> None:
    heard = talk.ask(create(vendor("V-100") + vendor("V-011") + vendor("V-101")))
    assert heard.statuses()[-1] == "failure"
    assert heard.data.get("count") == "1"
    assert heard.data[0].findtext("VENDORID") == "V-100"
    assert talk.ask(query("VENDOR", "VENDORID", where("equalto", "VENDORID", "V-101"))).data.get("count") == "0"


def test_deleting_says_only_that_it_was_done(talk: Talk) -> None:
    number = talk.world.add_bill()
    heard = talk.ask(f"<delete><object>APBILL</object><keys>{number}</keys></delete>")
    assert heard.statuses() == ["success"] * 3
    assert heard.data is None
    assert talk.world.bills() == []
    assert talk.ask(f"<delete><object>APBILL</object><keys>{number}</keys></delete>").errorno == "BL01001973"


def test_a_function_is_carried_out_once_for_its_controlid(talk: Talk) -> None:
    talk.unique = UNIQUE
    assert talk.ask(create(bill()), ids=("mine-1",)).errorno == ""
    heard = talk.ask(create(bill()), ids=("mine-1",))
    assert heard.errorno == "SANDBOX-DUPLICATE"
    assert heard.text == "A function with control ID mine-1 was already executed"
    assert len(talk.world.bills()) == 1
    talk.clock.advance(31 * 86400)
    talk.sign_in()
    assert talk.ask(create(bill()), ids=("mine-1",)).errorno == ""


def test_saying_nothing_about_uniqueness_means_unique_even_for_reading(talk: Talk) -> None:
    talk.unique = ""
    assert talk.ask(query("VENDOR", "RECORDNO"), ids=("same",)).errorno == ""
    heard = talk.ask(query("VENDOR", "RECORDNO"), ids=("same",))
    assert (heard.errorno, heard.xml.findtext("control/uniqueid")) == ("SANDBOX-DUPLICATE", "true")


def test_a_function_that_failed_may_come_again(talk: Talk) -> None:
    talk.unique = UNIQUE
    assert talk.ask(create(bill(vendor="V-999")), ids=("mine-1",)).errorno == "BL01001973"
    assert talk.ask(create(bill()), ids=("mine-1",)).errorno == ""


def test_the_code_of_a_repeated_function_can_be_any(talk: Talk) -> None:
    talk.world.reset(bills=0, duplicate_code="XYZ")
    talk.unique = UNIQUE
    talk.sign_in()
    talk.ask(create(bill()), ids=("mine-1",))
    assert talk.ask(create(bill()), ids=("mine-1",)).errorno == "XYZ"


def test_a_transaction_is_carried_out_whole_or_not_at_all(talk: Talk) -> None:
    number = talk.world.add_bill(DESCRIPTION="old", lines=[{"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "10.00"}])
    before = talk.world.bills()
    changed = update(number, f"<DESCRIPTION>new</DESCRIPTION><APBILLITEMS>{LINE}</APBILLITEMS>")
    talk.unique = UNIQUE
    heard = talk.ask(create(bill()), changed, create(bill(vendor="V-999")), transaction=True)
    assert heard.statuses()[2:] == ["aborted"] * 3
    errors = [error.findtext("errorno") for error in heard.xml.find(".//result").iter("error")]
    assert errors == ["BL01001973", "XL03000009"]
    assert talk.world.bills() == before
    assert talk.ask(create(bill()), changed, transaction=True).statuses() == ["success"] * 4
    assert len(talk.world.bills()) == 2


def test_writing_needs_its_own_permission(talk: Talk) -> None:
    talk.world.add_user("SAMPLE", "reader", "pw", permissions={"APBILL": "read"})
    talk.login = ("reader", "SAMPLE", "pw")
    talk.sign_in()
    assert "API operation CREATE on objects of type apbill" in talk.ask(create(bill())).text


def test_foreign_bills_are_converted_line_by_line(talk: Talk) -> None:
    lines = [{"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "10.01"}, {"ACCOUNTNO": "4000-01-00", "TRX_AMOUNT": "0.99"}]
    number = talk.world.add_bill(CURRENCY="EUR", EXCHANGE_RATE="1.1", lines=lines)
    made = talk.world.bill(number)
    assert (made["TRX_TOTALENTERED"], made["TOTALENTERED"]) == ("11.00", "12.10")
    talk.world.change_bill(number, STATE="Paid")
    paid = talk.world.bill(number)
    assert (Decimal(paid["TOTALDUE"]), Decimal(paid["TRX_TOTALDUE"])) == (Decimal(0), Decimal(0))
    assert paid["TRX_TOTALPAID"] == "11.00"
    talk.world.change_bill(number, TRX_TOTALENTERED="12.00")
    assert talk.world.bill(number)["lines"][0]["TRX_AMOUNT"] == "11.01"


def test_purchasing_deletes_a_bill_and_brings_it_again(talk: Talk) -> None:
    number = talk.world.add_bill(RECORDID="PO-INV-1", MODULEKEY="9.PO", TRX_TOTALENTERED="10.00")
    again = talk.world.recreate_bill(number, DESCRIPTION="changed order")
    assert [bill["RECORDNO"] for bill in talk.world.bills()] == [again] != [number]
    made = talk.world.bill(again)
    assert (made["RECORDID"], made["TRX_TOTALENTERED"], made["DESCRIPTION"]) == ("PO-INV-1", "10.00", "changed order")
    deleted = talk.ask(query("AUDITHISTORY", "OBJECTKEY", where("equalto", "ACCESSMODE", "D")))
    assert deleted.column("OBJECTKEY") == [number]


def test_the_lines_of_a_bill_are_stamped_as_it_is(talk: Talk) -> None:
    number = talk.world.add_bill(WHENMODIFIED="11/01/2025 08:00:00", TRX_TOTALENTERED="5.00")
    made = talk.world.bill(number)
    assert made["AUWHENCREATED"] == made["lines"][0]["WHENMODIFIED"] == "11/01/2025 08:00:00"


def test_an_entity_changes_its_own_records_alone(talk: Talk) -> None:
    shared, own = talk.world.add_bill(), talk.world.add_bill(MEGAENTITYID="E200")
    talk.sign_in(locationid="E200")
    assert talk.ask(update(own, "<DESCRIPTION>mine</DESCRIPTION>")).errorno == ""
    assert "belongs to the top level" in talk.ask(update(shared, "<DESCRIPTION>not mine</DESCRIPTION>")).text
    talk.sign_in(locationid="E100")
    assert "was found" in talk.ask(f"<delete><object>APBILL</object><keys>{own}</keys></delete>").text
    made = talk.ask(create(bill())).data[0].findtext("RECORDNO")
    assert talk.world.bill(made)["MEGAENTITYID"] == "E100"

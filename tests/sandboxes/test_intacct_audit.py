"""The audit history of the Intacct sandbox: what leaves a trace in it, and how it is read."""

from collections.abc import Iterator

import pytest

from tests.sandboxes.test_intacct import Talk, query, where

BY_TIME_AND_ID = (
    "<orderby><order><field>ACCESSTIME</field><ascending/></order><order><field>ID</field><ascending/></order></orderby>"
)


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


def trail(talk: Talk, object_: str = "apbill", *modes: str) -> list[tuple[str, str]]:
    """(mode, key) of every entry, in order."""
    filter_ = where("equalto", "OBJECTTYPE", object_)
    if modes:
        filter_ = f"<and>{filter_}{where('in', 'ACCESSMODE', *modes)}</and>"
    heard = talk.ask(query("AUDITHISTORY", "ID ACCESSMODE OBJECTKEY", filter_, order=BY_TIME_AND_ID))
    ids = heard.column("ID")
    assert ids == sorted(ids)
    return list(zip(heard.column("ACCESSMODE"), heard.column("OBJECTKEY"), strict=True))


def test_a_bills_life_is_written_down_by_its_recordno(talk: Talk) -> None:
    bill = talk.world.add_bill(TRX_TOTALENTERED="10.00")
    talk.world.change_bill(bill, DESCRIPTION="changed")
    talk.world.delete_bill(bill)
    assert trail(talk) == [("C", bill), ("M", bill), ("D", bill)]
    assert trail(talk, "apbill", "D") == [("D", bill)]
    assert trail(talk, "APBILL") == []


def test_what_the_gateway_is_told_is_written_down_with_the_user(talk: Talk) -> None:
    line = "<APBILLITEM><ACCOUNTNO>6220-00-00</ACCOUNTNO><TRX_AMOUNT>1.00</TRX_AMOUNT><LOCATIONID>110</LOCATIONID></APBILLITEM>"
    header = "<VENDORID>V-011</VENDORID><WHENCREATED>11/20/2026</WHENCREATED><WHENDUE>12/20/2026</WHENDUE>"
    heard = talk.ask(f"<create><APBILL>{header}<APBILLITEMS>{line}</APBILLITEMS></APBILL></create>")
    bill = heard.data[0].findtext("RECORDNO")
    talk.ask(f"<update><APBILL><RECORDNO>{bill}</RECORDNO><ONHOLD>true</ONHOLD></APBILL></update>")
    talk.ask(f"<delete><object>APBILL</object><keys>{bill}</keys></delete>")
    assert trail(talk) == [("C", bill), ("M", bill), ("D", bill)]
    heard = talk.ask(query("AUDITHISTORY", "USERID SOURCE"))
    assert set(heard.column("USERID") + heard.column("SOURCE")) == {"xml_gateway", "api"}


def test_other_records_are_named_by_the_id_people_know(talk: Talk) -> None:
    vendor = talk.world.add_vendor(VENDORID="V-900", NAME="Ninth")
    talk.world.change_vendor("V-900", STATUS="inactive")
    talk.world.delete("VENDOR", vendor)
    assert trail(talk, "vendor") == [("C", "V-900"), ("M", "V-900"), ("D", "V-900")]


def test_payments_are_written_down_and_touched_bills_with_them(talk: Talk) -> None:
    bills = [talk.world.add_bill(TRX_TOTALENTERED="10.00") for _ in range(2)]
    loud, quiet = talk.world.pay(bills[0]), talk.world.pay(bills[1], touches_bill=False)
    talk.world.void(quiet, touches_bill=False)
    assert trail(talk, "appymt") == [("C", loud), ("C", quiet), ("M", quiet)]
    assert trail(talk, "apbill", "M") == [("M", bills[0])]
    assert trail(talk, "appymtdetail") == []


def test_a_changed_line_leaves_no_trace(talk: Talk) -> None:
    bill = talk.world.add_bill(TRX_TOTALENTERED="10.00")
    talk.world.change_line(talk.world.bill(bill)["lines"][0]["RECORDNO"], TRX_AMOUNT="12.00")
    assert trail(talk, "apbill", "M") == trail(talk, "apbillitem") == []


def test_a_bill_that_purchasing_brings_again_is_deleted_and_created(talk: Talk) -> None:
    bill = talk.world.add_bill(RECORDID="PO-INV-1", MODULEKEY="9.PO", TRX_TOTALENTERED="10.00")
    again = talk.world.recreate_bill(bill, DESCRIPTION="changed order")
    assert trail(talk)[1:] == [("D", bill), ("C", again)]
    made = talk.world.bill(again)
    assert (made["VENDORID"], made["RECORDID"], made["MODULEKEY"]) == ("V-011", "PO-INV-1", "9.PO")


def test_entries_of_one_second_are_paged_by_their_id(talk: Talk) -> None:
    stamp = talk.clock.now()
    talk.clock.now = lambda: stamp
    bills = [talk.world.add_bill() for _ in range(5)]
    for bill in bills:
        talk.world.delete_bill(bill)
    found: list[str] = []
    last = "0"
    while True:
        filter_ = f"<and>{where('equalto', 'ACCESSMODE', 'D')}{where('greaterthan', 'ID', last)}</and>"
        paging = "<pagesize>2</pagesize>"
        heard = talk.ask(query("AUDITHISTORY", "OBJECTKEY ID ACCESSTIME", filter_, order=BY_TIME_AND_ID, paging=paging))
        if heard.data.get("count") == "0":
            break
        found += heard.column("OBJECTKEY")
        last = heard.column("ID")[-1]
    assert found == bills


def test_an_undone_transaction_leaves_no_trace(talk: Talk) -> None:
    bill = talk.world.add_bill()
    delete = f"<delete><object>APBILL</object><keys>{bill}</keys></delete>"
    assert (
        talk.ask(delete, "<delete><object>APBILL</object><keys>1</keys></delete>", transaction=True).statuses()[-1] == "aborted"
    )
    assert trail(talk, "apbill", "D") == []


def test_the_history_fails_now_and_then(talk: Talk) -> None:
    talk.faults.arm("audithistory_error")
    assert talk.ask(query("APBILL", "RECORDNO")).errorno == ""
    heard = talk.ask(query("AUDITHISTORY", "ID"))
    assert (heard.errorno, heard.text) == ("DL02000001", "There was an error processing the request.")
    assert talk.ask(query("AUDITHISTORY", "ID")).errorno == ""


def test_without_the_right_to_it_the_history_answers_without_a_code(talk: Talk) -> None:
    talk.world.add_user("SAMPLE", "clerk", "pw", permissions={"APBILL": "read"})
    talk.login = ("clerk", "SAMPLE", "pw")
    talk.sign_in()
    heard = talk.ask(query("AUDITHISTORY", "ID"))
    assert heard.xml.find(".//error/errorno") is None
    assert "permission to view audit history" in heard.text

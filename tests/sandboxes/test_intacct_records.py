"""Dimensions, accounts, vendors, credits, reversals, attachments and sums in the Intacct sandbox."""

import random
from base64 import b64decode
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.sandboxes.test_intacct import SHOW_PRIVATE, Talk, query, where


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


def clerk(talk: Talk, **permissions: str) -> None:
    talk.world.add_user("SAMPLE", "clerk", "pw", permissions=permissions)
    talk.login = ("clerk", "SAMPLE", "pw")
    talk.sign_in()


def dimensions(talk: Talk) -> dict[str, str]:
    found = talk.ask("<getDimensions/>").xml.iter("dimension")
    return {one.findtext("objectName"): one.findtext("userDefinedDimension") for one in found}


@pytest.mark.parametrize(
    ("object_", "fields", "expected"),
    [
        ("EMPLOYEE", "EMPLOYEEID PERSONALINFO.CONTACTNAME DEPARTMENTTITLE", ("EMP-05", "Nora O'Dell", "Operations")),
        ("ITEM", "ITEMID NAME ITEMTYPE", ("I-300", "Welcome kit", "Kit")),
        ("CUSTOMER", "CUSTOMERID NAME STATUS", ("CU3", "Lakeside Clinic", "active")),
        ("PROJECT", "PROJECTID NAME CUSTOMERNAME", ("P3", "Trade fair Lyon", "Example University")),
        ("DEPARTMENT", "DEPARTMENTID TITLE STATUS", ("D400", "Administration", "active")),
    ],
)
def test_every_dimension_has_a_handful_of_records(talk: Talk, object_: str, fields: str, expected: tuple[str, ...]) -> None:
    heard = talk.ask(query(object_, fields, order=f"<orderby><order><field>{fields.split()[0]}</field></order></orderby>"))
    assert tuple(heard.column(name)[-1] for name in fields.split()) == expected
    assert dimensions(talk)[object_] == "false"


def test_the_chart_has_some_sixty_accounts_of_both_kinds(talk: Talk) -> None:
    heard = talk.ask(query("GLACCOUNT", "ACCOUNTNO ACCOUNTTYPE NORMALBALANCE TITLE"))
    numbers = heard.column("ACCOUNTNO")
    assert len(numbers) == len(set(numbers)) > 60
    assert {"4000-01-00", "6220-00-00"} <= set(numbers)
    assert set(heard.column("ACCOUNTTYPE")) == {"balancesheet", "incomestatement"}
    assert all(heard.column("TITLE"))


def test_lines_tell_the_names_of_their_item_and_employee(talk: Talk) -> None:
    line = {"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": "1.00", "ITEMID": "I-100", "EMPLOYEEID": "EMP-01"}
    talk.world.add_bill(lines=[line])
    heard = talk.ask(query("APBILLITEM", "ITEMNAME EMPLOYEENAME"))
    assert (heard.column("ITEMNAME"), heard.column("EMPLOYEENAME")) == (["Pallet rack, 3 m"], ["Ana Lindqvist"])


def test_a_plain_record_is_changed_stamped_and_cleared(talk: Talk) -> None:
    number = talk.world.add("CLASS", CLASSID="C9", NAME="Old", DESCRIPTION="to go", STATUS="active")
    before = talk.world.record("CLASS", number)
    talk.clock.advance(60)
    talk.world.change("CLASS", number, NAME="New", DESCRIPTION="")
    after = talk.world.record("CLASS", number)
    assert (after["NAME"], after["DESCRIPTION"], after["CLASSID"]) == ("New", "", "C9")
    assert after["WHENMODIFIED"] > before["WHENMODIFIED"]
    assert after["WHENCREATED"] == before["WHENCREATED"]
    for name in ("APBILL", "APPYMT"):
        with pytest.raises(ValueError, match="of its own"):
            talk.world.change(name, "1", DESCRIPTION="x")


def test_a_company_without_its_own_dimension_has_no_field_for_it(talk: Talk) -> None:
    assert "true" not in dimensions(talk).values()
    assert talk.ask(query("APBILLITEM", "GLDIMFUND")).errorno == "DL02000001"
    assert talk.ask(query("FUND", "id")).text == "Object definition FUND not found"


def test_a_dimension_of_ones_own_is_found_read_and_used(talk: Talk) -> None:
    ids = talk.world.add_dimension("FUND", "Fund", ["Building", "Scholarships"])
    assert dimensions(talk)["FUND"] == "true"
    heard = talk.ask(query("FUND", "id name", order="<orderby><order><field>id</field></order></orderby>"))
    assert dict(zip(heard.column("name"), map(int, heard.column("id")), strict=True)) == ids
    line = {"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": "1.00", "GLDIMFUND": ids["Building"]}
    talk.world.add_bill(lines=[line])
    assert talk.ask(query("APBILLITEM", "GLDIMFUND")).column("GLDIMFUND") == [str(ids["Building"])]
    fields = {field.findtext("ID"): field for field in talk.ask("<lookup><object>APBILLITEM</object></lookup>").xml.iter("Field")}
    assert fields["GLDIMFUND"].findtext("DATATYPE") == "INTEGER"
    older = "<readByQuery><object>FUND</object><fields>id,name</fields><query>name = 'Building'</query></readByQuery>"
    assert talk.ask(older).column("id") == [str(ids["Building"])]


def test_a_dimension_grows_and_takes_no_name_that_is_taken(talk: Talk) -> None:
    talk.world.add_dimension("FUND", values={20001: "One"})
    assert talk.world.add_dimension("FUND", values=["Two"]) == {"Two": 20002}
    with pytest.raises(ValueError, match="already"):
        talk.world.add_dimension("CLASS", values=["x"])


@pytest.mark.parametrize(("fund", "works"), [("10001", True), ("4711", False), ("General fund", False)])
def test_a_written_line_names_a_value_that_exists(talk: Talk, fund: str, works: bool) -> None:
    talk.world.reset(bills=0, fund=True)
    talk.sign_in()
    line = f"<ACCOUNTNO>6220-00-00</ACCOUNTNO><TRX_AMOUNT>1</TRX_AMOUNT><LOCATIONID>110</LOCATIONID><GLDIMFUND>{fund}</GLDIMFUND>"
    header = "<VENDORID>V-011</VENDORID><WHENCREATED>11/20/2026</WHENCREATED><WHENDUE>12/20/2026</WHENDUE>"
    made = f"<create><APBILL>{header}<APBILLITEMS><APBILLITEM>{line}</APBILLITEM></APBILLITEMS></APBILL></create>"
    assert (talk.ask(made).errorno == "") is works


def test_seeded_lines_carry_the_companys_own_dimension() -> None:
    talk = Talk()
    talk.world.reset(bills=40, fund=True)
    found = {line["GLDIMFUND"] for bill in talk.world.bills() for line in bill["lines"]}
    assert found == {"", "10001", "10002", "10003"}


def test_a_reversed_bill_stands_beside_its_opposite(talk: Talk) -> None:
    lines = [{"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": amount, "LOCATIONID": "100"} for amount in ("60.00", "40.10")]
    number = talk.world.add_bill(RECORDID="INV-7", lines=lines)
    reversal = talk.world.reverse_bill(number, WHENCREATED="11/25/2026")
    old, new = talk.world.bill(number), talk.world.bill(reversal)
    assert (old["STATE"], new["STATE"], new["RECORDTYPE"]) == ("Reversed", "Reversal", "pi")
    assert (old["TRX_TOTALENTERED"], new["TRX_TOTALENTERED"]) == ("100.10", "-100.10")
    assert Decimal(old["TRX_TOTALDUE"]) == Decimal(new["TRX_TOTALDUE"]) == 0
    assert [line["TRX_AMOUNT"] for line in new["lines"]] == ["-60.00", "-40.10"]
    assert (new["VENDORID"], new["RECORDID"], new["WHENCREATED"]) == ("V-011", "INV-7-REV", "11/25/2026")
    with pytest.raises(ValueError, match="cannot be reversed"):
        talk.world.reverse_bill(number)


def test_a_bill_that_is_being_paid_is_reversed_only_after_the_payment_is_void(talk: Talk) -> None:
    number = talk.world.add_bill(TRX_TOTALENTERED="10.00")
    payment = talk.world.pay(number, state="Draft")
    with pytest.raises(ValueError, match="void"):
        talk.world.reverse_bill(number)
    talk.world.void(payment)
    assert talk.world.bill(talk.world.reverse_bill(number))["TRX_TOTALENTERED"] == "-10.00"


def test_attached_files_are_read_by_their_id(talk: Talk) -> None:
    number = talk.world.add_bill()
    id_ = talk.world.attach(number, "invoice 1.scan.pdf", b"%PDF-1\x00\xff")
    assert talk.world.attach(number, "note", b"hello") == id_ == talk.world.bill(number)["SUPDOCID"]
    heard = talk.ask(f'<get object="supdoc" key="{id_}"/>')
    files = [{part.tag: part.text or "" for part in one} for one in heard.data.iter("attachment")]
    assert [(one["attachmentname"], one["attachmenttype"]) for one in files] == [("invoice 1.scan", "pdf"), ("note", "")]
    assert [b64decode(one["attachmentdata"]) for one in files] == [b"%PDF-1\x00\xff", b"hello"]
    assert heard.data.findtext("supdoc/supdocid") == id_


def test_attachments_are_listed_filtered_and_paged(talk: Talk) -> None:
    ids = [talk.world.attach(talk.world.add_bill(), f"{n}.pdf", b"x") for n in range(3)]
    heard = talk.ask('<get_list object="supdoc" start="1" maxitems="1"><fields><field>supdocid</field></fields></get_list>')
    listtype = heard.xml.find(".//result/listtype")
    assert (listtype.text, dict(listtype.attrib)) == ("supdoc", {"start": "1", "end": "1", "total": "3"})
    assert [[part.tag for part in one] for one in heard.data] == [["supdocid"]]
    one = f"<expression><field>supdocid</field><operator>=</operator><value>{ids[2]}</value></expression>"
    heard = talk.ask(f'<get_list object="supdoc"><filter>{one}</filter></get_list>')
    assert [found.findtext("supdocid") for found in heard.data] == [ids[2]]


def test_attachments_need_the_right_to_them(talk: Talk) -> None:
    id_ = talk.world.attach(talk.world.add_bill(), "1.pdf", b"x")
    assert talk.ask('<get object="supdoc" key="none"/>').errorno == "BL01001973"
    assert talk.ask('<get object="vendor" key="V-011"/>').errorno == "Query Failed"
    clerk(talk, APBILL="read")
    assert talk.ask(f'<get object="supdoc" key="{id_}"/>').errorno == "PL04000005"
    assert talk.ask('<get_list object="supdoc"/>').errorno == "PL04000005"
    clerk(talk, SUPDOC="read")
    assert talk.ask(f'<get object="supdoc" key="{id_}"/>').errorno == ""


def test_vendors_become_inactive_and_may_belong_to_one_entity(talk: Talk) -> None:
    talk.world.add_vendor(VENDORID="V-900", NAME="Only here", MEGAENTITYID="E200")
    talk.world.change_vendor("V-011", STATUS="inactive")
    ours = where("in", "VENDORID", "V-900", "V-011")
    assert talk.ask(query("VENDOR", "VENDORID", ours)).column("VENDORID") == ["V-011"]
    assert len(talk.ask(query("VENDOR", "VENDORID", ours, options=SHOW_PRIVATE)).data) == 2
    assert talk.ask(query("VENDOR", "VENDORID", where("equalto", "STATUS", "inactive"))).column("VENDORID") == ["V-011"]


def test_credits_are_kept_apart_from_bills(talk: Talk) -> None:
    number = talk.world.add_adjustment("-25.50", VENDORID="V-013", RECORDID="CM-1", CURRENCY="EUR", EXCHANGE_RATE="1.0842")
    heard = talk.ask(query("APADJUSTMENT", "RECORDNO RECORDTYPE VENDORNAME TRX_TOTALDUE TOTALDUE STATE"))
    assert [part.text for part in heard.data[0]] == [number, "pa", "O'Hara Ltd", "-25.50", "-27.65", "Posted"]
    assert talk.ask(query("APBILL", "RECORDNO")).data.get("count") == "0"


def test_any_record_may_arrive_late(talk: Talk) -> None:
    talk.world.add("ITEM", ITEMID="I-900", NAME="Late", hidden_for=60)
    asked = query("ITEM", "ITEMID", where("equalto", "ITEMID", "I-900"))
    assert talk.ask(asked).data.get("count") == "0"
    talk.clock.advance(61)
    assert talk.ask(asked).data.get("count") == "1"


@pytest.mark.parametrize("object_", ["EMPLOYEE", "ITEM", "APADJUSTMENT", "APPYMTDETAIL", "FUND"])
def test_every_object_asks_for_its_own_right(talk: Talk, object_: str) -> None:
    talk.world.add_dimension("FUND", values=["One"])
    clerk(talk, APBILL="read")
    assert talk.ask(query(object_, "id" if object_ == "FUND" else "RECORDNO")).errorno == "PL04000005"
    clerk(talk, **{object_: "read"})
    assert talk.ask(query(object_, "id" if object_ == "FUND" else "RECORDNO")).errorno == ""


def test_each_read_counts_as_one_transaction_and_each_deleted_record_too(talk: Talk) -> None:
    numbers = [talk.world.add_bill() for _ in range(3)]
    talk.world.attach(numbers[0], "1.pdf", b"x")
    before = talk.world.companies["SAMPLE"].n_transactions
    talk.ask(query("APPYMT", "RECORDNO"))
    talk.ask('<get_list object="supdoc"/>')
    talk.ask("<getDimensions/>")
    talk.ask('<get object="supdoc" key="none"/>')  # fails and does not count
    talk.ask(f"<delete><object>APBILL</object><keys>{','.join(numbers)}</keys></delete>")
    assert talk.world.companies["SAMPLE"].n_transactions - before == 6


def sums(talk: Talk, filter_: str) -> dict[str, tuple[int, Decimal]]:
    select = "<field>CURRENCY</field><count>RECORDNO</count><sum>TRX_TOTALDUE</sum>"
    heard = talk.ask(f"<query><object>APBILL</object><select>{select}</select>{filter_}{SHOW_PRIVATE}</query>")
    counts = map(int, heard.column("COUNT.RECORDNO"))
    amounts = map(Decimal, heard.column("SUM.TRX_TOTALDUE"))
    return dict(zip(heard.column("CURRENCY"), zip(counts, amounts, strict=True), strict=True))


def test_sums_by_currency_are_right_to_the_cent(talk: Talk) -> None:
    talk.world.seed(bills=2000)
    filter_ = (
        f"<filter><and>{where('greaterthan', 'TRX_TOTALDUE', '0')}{where('in', 'STATE', 'Posted', 'Selected')}</and></filter>"
    )
    expected: dict[str, tuple[int, Decimal]] = {}
    for bill in talk.world.bills():
        if Decimal(bill["TRX_TOTALDUE"]) > 0 and bill["STATE"] in ("Posted", "Selected"):
            n, total = expected.get(bill["CURRENCY"], (0, Decimal(0)))
            expected[bill["CURRENCY"]] = n + 1, total + Decimal(bill["TRX_TOTALDUE"])
    assert sums(talk, filter_) == expected
    assert len(expected) == 3


def test_any_payments_in_any_order_keep_bill_lines_and_rows_in_step(talk: Talk) -> None:
    dice = random.Random(5)
    lines = [{"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": amount} for amount in ("10.01", "0.02", "33.33")]
    bill = talk.world.add_bill(CURRENCY="EUR", EXCHANGE_RATE="1.0842", lines=lines)
    payments: list[str] = []
    for _ in range(40):
        now = talk.world.bill(bill)
        open_ = Decimal(now["TRX_TOTALDUE"]) - Decimal(now["TRX_TOTALSELECTED"])
        if payments and (open_ == 0 or dice.random() < 0.4):
            talk.world.change_payment(payments.pop(dice.randrange(len(payments))), STATE=dice.choice(("Posted", "Voided")))
        elif open_:
            amount = min(open_, Decimal(dice.randrange(1, 2000)).scaleb(-2))
            payments.append(talk.world.pay({bill: amount}, state=dice.choice(("Draft", "Posted"))))
        now = talk.world.bill(bill)
        for what in ("TRX_TOTALPAID", "TOTALPAID", "TRX_TOTALSELECTED", "TOTALSELECTED"):
            assert sum(Decimal(line[what]) for line in now["lines"]) == Decimal(now[what])
        assert Decimal(now["TOTALENTERED"]) == Decimal(now["TOTALPAID"]) + Decimal(now["TOTALDUE"])
        assert (now["STATE"] == "Paid") is (now["TRX_TOTALPAID"] == now["TRX_TOTALENTERED"])

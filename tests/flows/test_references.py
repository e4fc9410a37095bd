"""The whole first integration: vendors and bills that know each other, accounts by name, payments, deletions, people at work on the board."""

import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from integrations import connections
from integrations.models import Connection, Flow, Link, RecordOutcome, ReferenceEntry
from integrations.models.flow import FlowState
from integrations.sync import due, review, serve
from integrations.sync.endings import Ending
from tenants.audit import SYSTEM
from tests.flows.conftest import CONFIGURATION, Harbor

pytestmark = pytest.mark.database

MORE = """
"Vendor card" = { field = "VENDORID", values = "flow:vendors" }
"Needs review" = "ml.is_flagged"
"""
FLOWS = """
[[flows]]
name = "vendors"
kind = "intacct_monday.vendors"
source = "books"
target = "board"
place = "Vendors"
state = "active"

[flows.columns]
Name = "NAME"

[[flows]]
name = "accounts"
kind = "intacct_monday.gl_accounts"
source = "books"
state = "active"

[[flows]]
name = "dimensions"
kind = "intacct_monday.dimensions"
source = "books"
state = "active"
"""

Apply = Callable[..., None]


@pytest.fixture
def apply(harbor: Harbor, tmp_path: Path) -> Apply:
    """Make the organisation what the demo's file says, with more columns, options and flows."""

    def apply(columns: str = "", options: str = "", flows: str = "", replace: tuple[str, str] = ("", "")) -> None:
        text = (
            CONFIGURATION.read_text(encoding="utf-8").replace(*replace)
            if replace[0]
            else CONFIGURATION.read_text(encoding="utf-8")
        )
        text = text.rstrip() + "\n" + columns
        if options:
            text = text.replace("[flows.columns]", f"[flows.options]\n{options}\n\n[flows.columns]", 1)
        path = tmp_path / "harbor.toml"
        path.write_text(text + flows, encoding="utf-8")
        call_command("apply", str(path), stdout=io.StringIO())
        harbor.again()

    return apply


def serve_all(*names: str) -> None:
    """One after the other, each to its end."""
    for name in names:
        flow = Flow.objects.get(name=name)
        for _ in range(20):
            lease = due.claim_flow(flow.id)
            assert lease is not None
            if serve.serve(lease) is Ending.DONE:
                break
        flow.refresh_from_db()
        assert (flow.state, flow.waiting_said) == (FlowState.ACTIVE, ""), flow.state_said


def test_monday_case_30_a_bill_is_tied_to_its_vendors_item_and_other_links_are_kept(harbor: Harbor, apply: Apply) -> None:
    harbor.board.world.connect_boards("AP bills", "Vendor card", "Vendors", multiple=True)
    apply(columns=MORE, flows=FLOWS)
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-011", TRX_TOTALENTERED="10.00", lines=[{"TRX_AMOUNT": "10.00"}]
    )
    serve_all("vendors", "bills")
    vendor = Link.objects.get(flow__name="vendors", natural_key="V-011")
    item = harbor.item(recordno)
    assert harbor.board.world.links(item["id"], "Vendor card") == [vendor.target_id]
    other = next(each["id"] for each in harbor.board.world.board_items("Vendors") if each["id"] != vendor.target_id)
    harbor.board.world.set_value(item["id"], "Vendor card", [vendor.target_id, other])
    harbor.later(minutes=10)
    harbor.books.world.change_bill(recordno, VENDORID="V-012", VENDORNAME="Another")
    serve_all("bills")
    second = Link.objects.get(flow__name="vendors", natural_key="V-012")
    assert set(harbor.board.world.links(item["id"], "Vendor card")) == {second.target_id, other}


def test_a_bill_whose_vendor_comes_later_is_tied_then_and_nobody_has_to_do_anything(harbor: Harbor, apply: Apply) -> None:
    apply(columns=MORE, flows=FLOWS)
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-013", TRX_TOTALENTERED="10.00", lines=[{"TRX_AMOUNT": "10.00"}]
    )
    serve_all("bills")
    item = harbor.item(recordno)
    assert harbor.board.world.links(item["id"], "Vendor card") == []
    assert review.open_items(harbor.flow) == []
    serve_all("vendors", "bills")
    vendor = Link.objects.get(flow__name="vendors", natural_key="V-013")
    assert harbor.board.world.links(item["id"], "Vendor card") == [vendor.target_id]


def test_gl_accounts_and_dimensions_are_lists_that_columns_use_by_name(harbor: Harbor, apply: Apply) -> None:
    by_name = (
        '"GL account" = { field = "lines.ACCOUNTNO" }',
        '"GL account" = { field = "lines.ACCOUNTNO", values = "gl_accounts" }',
    )
    apply(replace=by_name, flows=FLOWS)
    serve_all("accounts", "dimensions")
    lists = set(ReferenceEntry.objects.values_list("list", flat=True))
    assert {"gl_accounts", "departments", "locations", "vendors"} <= lists
    account = ReferenceEntry.objects.filter(list="gl_accounts", is_active=True).earliest("code")
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-011", TRX_TOTALENTERED="10.00", lines=[{"TRX_AMOUNT": "10.00", "ACCOUNTNO": account.code}]
    )
    serve_all("bills")
    assert harbor.text(harbor.item(recordno), "GL account") == f"{account.code} {account.label}"


def test_an_unknown_account_is_flagged_looked_up_once_and_rewritten_once_it_is_mapped(harbor: Harbor, apply: Apply) -> None:
    by_name = (
        '"GL account" = { field = "lines.ACCOUNTNO" }',
        '"GL account" = { field = "lines.ACCOUNTNO", values = "gl_accounts" }',
    )
    apply(columns=MORE, replace=by_name, flows=FLOWS)
    serve_all("accounts")
    recordnos = [
        harbor.books.world.add_bill(
            RECORDID=f"B{i}", VENDORID="V-011", TRX_TOTALENTERED="1.00", lines=[{"TRX_AMOUNT": "1.00", "ACCOUNTNO": account}]
        )
        for i, account in enumerate(["9999-99-99", "9999-99-99", "6300-00-00"])
    ]
    harbor.forget_calls()
    serve_all("bills")
    assert harbor.calls("books").count("query GLACCOUNT") == 1
    item = harbor.item(recordnos[0])
    assert harbor.text(item, "GL account") == "9999-99-99"
    assert harbor.text(item, "Needs review")
    assert not harbor.text(harbor.item(recordnos[2]), "Needs review")
    [waiting] = review.open_items(harbor.flow)
    assert (waiting.value, waiting.records.count()) == ("9999-99-99", 2)
    review.resolve(harbor.flow, "gl_accounts", {"9999-99-99": "Suspense"}, by=SYSTEM)
    harbor.later(minutes=1)
    harbor.forget_calls()
    serve_all("bills")
    assert {each.external_id for each in RecordOutcome.objects.filter(run=harbor.run)} == set(recordnos[:2])
    item = harbor.item(recordnos[0])
    assert (harbor.text(item, "GL account"), harbor.text(item, "Needs review")) == ("Suspense", "")


def test_a_payment_reaches_the_bill_although_the_bill_itself_did_not_change(harbor: Harbor, apply: Apply) -> None:
    apply(columns='"PO number" = "payment.REFERENCE"\nApproval = "payment.STATE"\n')
    recordno = harbor.books.world.add_bill(
        RECORDID="B1",
        VENDORID="V-011",
        TRX_TOTALENTERED="100.00",
        TOTALENTERED="100.00",
        STATE="Posted",
        lines=[{"TRX_AMOUNT": "100.00"}],
    )
    harbor.finish()
    harbor.later(minutes=30)
    harbor.books.world.pay(recordno, reference="CHK-77", touches_bill=False)
    harbor.finish()
    item = harbor.item(recordno)
    assert (harbor.text(item, "PO number"), harbor.text(item, "Approval")) == ("CHK-77", "Paid")


def test_a_bill_deleted_in_the_books_is_marked_and_stays_on_the_board(harbor: Harbor, apply: Apply) -> None:
    apply(columns='"PO number" = "ml.books"\n')
    recordnos = harbor.books.world.seed(bills=3)["bills"]
    harbor.finish()
    harbor.later(hours=1)
    harbor.books.world.delete_bill(recordnos[1])
    harbor.finish()
    said = {recordno: harbor.text(harbor.item(recordno), "PO number") for recordno in recordnos}
    assert said == {recordnos[0]: "In the books", recordnos[1]: "Deleted in the books", recordnos[2]: "In the books"}


def test_intacct_case_26_a_purchasing_bill_made_anew_keeps_its_item(harbor: Harbor) -> None:
    recordno = harbor.books.world.add_bill(
        RECORDID="PO-7",
        VENDORID="V-011",
        MODULEKEY="9.PO",
        TRX_TOTALENTERED="10.00",
        TOTALENTERED="10.00",
        lines=[{"TRX_AMOUNT": "10.00"}],
    )
    harbor.finish()
    before = harbor.item(recordno)
    harbor.later(hours=1)
    again = harbor.books.world.recreate_bill(recordno, WHENDUE="12/31/2026")
    harbor.finish()
    [item] = harbor.items()
    assert item["id"] == before["id"]
    assert harbor.text(item, "Source ID") == f"intacct:SAMPLE:APBILL:{again}"
    assert harbor.text(item, "Due") == "2026-12-31"
    harbor.assert_agrees()


def test_a_reversed_bill_and_its_reversal_are_two_items_that_add_up_to_nothing(harbor: Harbor) -> None:
    recordno = harbor.books.world.add_bill(
        RECORDID="R1", VENDORID="V-011", TRX_TOTALENTERED="50.00", lines=[{"TRX_AMOUNT": "50.00"}]
    )
    harbor.finish()
    harbor.later(hours=1)
    harbor.books.world.reverse_bill(recordno)
    harbor.finish()
    assert sum(Decimal(harbor.text(item, "Amount")) for item in harbor.items()) == 0
    assert len(harbor.items()) == 2


def test_intacct_case_24_a_missing_right_stops_only_the_flow_that_needs_it(harbor: Harbor, apply: Apply) -> None:
    apply(flows=FLOWS)
    harbor.books.world.seed(bills=2)
    harbor.books.faults.arm("permission_denied", times=None, object="VENDOR")
    for name in ("vendors", "bills"):
        lease = due.claim_flow(Flow.objects.get(name=name).id)
        assert lease is not None
        serve.serve(lease)
    vendors = Flow.objects.get(name="vendors")
    assert vendors.state == FlowState.NEEDS_ATTENTION
    assert "VENDOR" in vendors.state_said or "Vendors" in vendors.state_said
    assert Flow.objects.get(name="bills").state == FlowState.ACTIVE
    harbor.assert_agrees()


def test_intacct_case_25_without_the_right_to_audit_history_keys_are_compared_weekly(harbor: Harbor, apply: Apply) -> None:
    apply(columns='"PO number" = "ml.books"\n')
    recordnos = harbor.books.world.seed(bills=3)["bills"]
    harbor.books.faults.arm("audithistory_denied", times=None)
    harbor.finish()
    harbor.later(hours=1)
    harbor.books.world.delete_bill(recordnos[0])
    harbor.finish()
    assert harbor.text(harbor.item(recordnos[0]), "PO number") == "In the books"
    assert "deletions_off" in Connection.objects.get(vendor="intacct").warnings
    harbor.later(days=8)
    harbor.finish()
    harbor.later(hours=4)
    harbor.finish()
    assert harbor.text(harbor.item(recordnos[0]), "PO number") == "Deleted in the books"


def test_intacct_case_27_bills_of_one_entity_alone_arrive_at_the_top_level(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=16)
    owners = {bill.get("MEGAENTITYID") for bill in harbor.books.world.bills()}
    assert len(owners) > 1
    harbor.finish()
    harbor.assert_agrees()


def test_bills_go_to_the_group_of_their_location_and_move_when_it_changes(harbor: Harbor, apply: Apply) -> None:
    board = harbor.flow.place
    apply(options=f'routes = [{{ field = "DESCRIPTION", is = ["urgent"], place = "{board}/paid" }}]')
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-011", DESCRIPTION="normal", TRX_TOTALENTERED="10.00", lines=[{"TRX_AMOUNT": "10.00"}]
    )
    harbor.finish()
    before = harbor.item(recordno)
    assert before["group"] == "topics"
    harbor.later(hours=1)
    harbor.books.world.change_bill(recordno, DESCRIPTION="urgent")
    harbor.finish()
    after = harbor.item(recordno)
    assert (after["id"], after["group"]) == (before["id"], "paid")


def test_monday_case_13_a_phone_number_that_is_none_does_not_cost_the_item(harbor: Harbor, apply: Apply) -> None:
    apply(columns='Phone = { field = "DESCRIPTION", transform = { do = "cut", length = 50 } }\n')
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-011", DESCRIPTION="555", TRX_TOTALENTERED="10.00", lines=[{"TRX_AMOUNT": "10.00"}]
    )
    harbor.finish()
    item = harbor.item(recordno)
    assert harbor.text(item, "Phone") == ""
    assert RecordOutcome.objects.get(external_id=recordno, what="created").said
    assert harbor.run.n_failed == 0


def test_a_first_load_by_upload_has_the_same_links_and_outcomes(harbor: Harbor, apply: Apply) -> None:
    apply(options="bulk_load = true", replace=('Document = "RECORD_URL"', ""))
    harbor.books.world.seed(bills=600)
    harbor.finish(wait=True)
    harbor.assert_agrees()
    assert len(harbor.calls("board")) < 40
    assert RecordOutcome.objects.filter(what="created").count() == 600
    assert set(Link.objects.values_list("state", flat=True)) == {"settled"}
    harbor.later(minutes=30)
    harbor.forget_calls()
    harbor.finish()
    assert harbor.calls("board") == []


def test_an_archived_item_is_not_made_again_until_somebody_asks(harbor: Harbor) -> None:
    [recordno] = harbor.books.world.seed(bills=1)["bills"]
    harbor.finish()
    harbor.board.world.archive_item(harbor.item(recordno)["id"])
    harbor.later(hours=1)
    harbor.books.world.change_bill(recordno, TRX_TOTALENTERED="5.55", TOTALENTERED="5.55")
    harbor.finish()
    assert harbor.items() == []
    assert Link.objects.get().state == "gone"


def test_a_renamed_column_does_no_harm(harbor: Harbor) -> None:
    harbor.board.world.rename_column("AP bills", "GL account", "Sachkonto")
    harbor.books.world.seed(bills=2)
    harbor.finish()
    harbor.assert_agrees()


def test_an_archived_board_stops_the_flow_with_its_name(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=2)
    harbor.board.world.archive_board("AP bills")
    harbor.serve()
    assert harbor.again().state == FlowState.NEEDS_ATTENTION
    assert "board" in harbor.flow.state_said
    assert connections.describe(Connection.objects.get(vendor="monday"))["health"] != "needs_attention"


def test_options_that_do_not_exist_are_refused_with_a_sentence(harbor: Harbor, apply: Apply) -> None:
    with pytest.raises(Exception, match="there is no option ‘delete’"):
        apply(options='delete = "yes"')


LINES = """
[[flows]]
name = "lines"
kind = "intacct_monday.bill_lines"
source = "books"
target = "board"
place = "AP bills"
state = "active"

[flows.columns]
Name = "ENTRYDESCRIPTION"
"""


def test_the_lines_of_a_bill_stand_below_its_item_once_each(harbor: Harbor, apply: Apply) -> None:
    apply(flows=LINES)
    lines = [{"TRX_AMOUNT": "4.00", "ENTRYDESCRIPTION": "Rope"}, {"TRX_AMOUNT": "6.00", "ENTRYDESCRIPTION": "Tar"}]
    recordno = harbor.books.world.add_bill(RECORDID="B1", VENDORID="V-011", TRX_TOTALENTERED="10.00", lines=lines)
    serve_all("lines")
    assert harbor.items() == []
    serve_all("bills", "lines")
    item = harbor.item(recordno)
    assert sorted(each["name"] for each in harbor.board.world.subitems(item["id"])) == ["Rope", "Tar"]
    harbor.later(hours=1)
    [first, _] = harbor.books.world.bill(recordno)["lines"]
    harbor.books.world.change_line(first["RECORDNO"], ENTRYDESCRIPTION="Hemp rope")
    serve_all("bills", "lines")
    assert sorted(each["name"] for each in harbor.board.world.subitems(item["id"])) == ["Hemp rope", "Tar"]
    harbor.forget_calls()
    serve_all("lines")
    assert harbor.calls("board") == []


def test_a_bills_documents_become_files_on_its_item_once_each(harbor: Harbor, apply: Apply) -> None:
    harbor.board.world.add_column("AP bills", "Files", "file")
    apply(options='attachments = "Files"')
    recordno = harbor.books.world.add_bill(
        RECORDID="B1", VENDORID="V-011", TRX_TOTALENTERED="10.00", lines=[{"TRX_AMOUNT": "10.00"}]
    )
    harbor.finish()
    item = harbor.item(recordno)
    assert harbor.board.world.files(item["id"], "Files") == {}
    harbor.later(hours=1)
    harbor.books.world.attach(recordno, "invoice.pdf", b"%PDF-1.7 made up")
    harbor.finish()
    assert harbor.board.world.files(item["id"], "Files") == {"invoice.pdf": b"%PDF-1.7 made up"}
    harbor.forget_calls()
    harbor.later(hours=1)
    harbor.finish()
    assert harbor.calls("board") == []

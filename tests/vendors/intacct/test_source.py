"""Everything that changed, once, in few requests, whatever moves meanwhile."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.errors import ContractBroken, RateLimited, VendorUnavailable
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct import VENDOR
from integrations.vendors.intacct.catalogue import APBILL
from integrations.vendors.intacct.kinds import Kind
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import FIELDS, HOST, Carried, Desk, Wire, answer, make_desk, page, result, scripted, signed_in

HEADERS = tuple(field for field in FIELDS if not field.startswith("lines."))
VENDORS = Kind(name="VENDOR", title="Vendor", plural="vendors", number="VENDORID", party="NAME", created="WHENCREATED")
POLL = "query APBILL,query APBILL,query APBILLITEM,query AUDITHISTORY"
Calls = Callable[[], list[str]]
Bills = Callable[..., IntacctSource]


@pytest.fixture
def bills(desk: Desk) -> Bills:
    """A new source each time, as each run has one."""
    return lambda fields=FIELDS: IntacctSource(desk.login, "APBILL", fields)


@pytest.fixture
def carried() -> Carried:
    return Carried()


def ids(records: Any) -> list[str]:
    return [each.external_id for each in records]


# -- How many requests ---------------------------------------------------------------------------------------------------------


def test_a_first_load_of_1000_bills_with_2500_lines_costs_two_requests_after_the_login(
    world: Any, bills: Bills, carried: Carried, calls: Calls
) -> None:
    numbers = world.seed(bills=500, lines_per_bill=2)["bills"] + world.seed(bills=500, lines_per_bill=3)["bills"]
    carried.poll(bills())
    assert calls()[3:] == ["query APBILL,query APBILL", "query APBILLITEM,query APBILLITEM"]
    assert sorted(ids(carried.records)) == sorted(numbers)
    assert sum(len(each.lines) for each in carried.records) == 2500


def test_a_poll_that_finds_nothing_costs_one_request(
    world: Any, bills: Bills, carried: Carried, calls: Calls, mounted: Mounted
) -> None:
    world.seed(bills=1000, lines_per_bill=3)
    carried.poll(bills())
    calls()
    for wait in (0, 300, 900, 1700):
        mounted.clock.advance(wait)
        assert carried.poll(bills()) == []
        assert [each for each in calls() if each.startswith("query")] == [POLL]


def test_a_poll_with_one_percent_changed_costs_two_requests(
    world: Any, bills: Bills, carried: Carried, calls: Calls, mounted: Mounted
) -> None:
    numbers = world.seed(bills=1000)["bills"]
    carried.poll(bills())
    mounted.clock.advance(900)
    for each in numbers[:10]:
        world.change_bill(each, DESCRIPTION="changed")
    calls()
    assert ids(carried.poll(bills())) == numbers[:10]
    assert calls() == [POLL, "query APBILLITEM"]


def test_without_line_fields_no_lines_are_asked_for(world: Any, bills: Bills, carried: Carried, calls: Calls) -> None:
    world.seed(bills=30)
    carried.poll(bills(HEADERS))
    carried.poll(bills(HEADERS))
    assert calls()[3:] == ["query APBILL,query APBILL", "query APBILL,query APBILL,query AUDITHISTORY"]
    assert {each.lines for each in carried.records} == {()}


def test_a_page_of_1000_bills_is_read_whole() -> None:
    keys = [each.key for each in APBILL.catalogue if "." not in each.key]
    examples = {each.key: each.example for each in APBILL.catalogue if not each.is_of_lines}
    rows = [{**examples, "RECORDNO": str(n), "WHENMODIFIED": "11/20/2026 09:00:00"} for n in range(1, 1001)]
    source = IntacctSource(make_desk(base_url="https://api.intacct.com/x").login, "APBILL", keys)
    with scripted(*signed_in(), (200, answer(page("APBILL", *rows), page("APBILL")))):
        (found,) = source.changed_since(None, lambda ids: {})
    assert len(found.records) == 1000 and not found.unreadable


# -- Nothing lost, nothing doubled ---------------------------------------------------------------------------------------------


def test_intacct_case_10_five_thousand_arrive_once_though_three_thousand_share_a_time(
    world: Any, bills: Bills, carried: Carried, calls: Calls
) -> None:
    numbers = world.seed(bills=1000, start="2026-11-20T08:00:00+00:00", over=3600)["bills"]
    numbers += world.seed(bills=3000, start="2026-11-20T09:15:02+00:00", same_stamp=True)["bills"]
    numbers += world.seed(bills=1000, start="2026-11-20T10:00:00+00:00", over=3600)["bills"]
    carried.poll(bills(HEADERS))
    assert sorted(ids(carried.records)) == sorted(numbers)
    assert len(calls()) == 3 + 5


def test_intacct_case_10_vendors_arrive_once_too(world: Any, desk: Desk, carried: Carried) -> None:
    world.reset(bills=0, empty_modified=True)
    before = len(world.companies["SAMPLE"].tables["VENDOR"].rows)
    for n in range(1200):
        world.add_vendor(VENDORID=f"X-{n}", NAME=f"Vendor {n}")
    carried.poll(IntacctSource(desk.login, VENDORS, ["NAME"]))
    assert len(set(ids(carried.records))) == len(carried.records) == before + 1200


@pytest.mark.parametrize("same_stamp", [False, True])
def test_intacct_case_11_rows_deleted_or_changed_between_pages_cost_no_other_row(
    world: Any, bills: Bills, carried: Carried, same_stamp: bool, mounted: Mounted
) -> None:
    numbers = world.seed(bills=2500, start="2026-11-20T08:00:00+00:00", over=3600, same_stamp=same_stamp)["bills"]
    pages = bills(HEADERS).changed_since(None, carried.known)
    carried.take(next(pages))
    gone = {numbers[5], numbers[1500]}
    for each in gone:
        world.delete_bill(each)
    changed = {numbers[7], numbers[1600]}
    for each in changed:
        world.change_bill(each, DESCRIPTION="changed meanwhile")
    for each in pages:
        carried.take(each)
    assert set(ids(carried.records)) == set(numbers) - {numbers[1500]}
    assert len(carried.records) == 2500  # one is missing, one was read again in its new place
    assert carried.versions[numbers[7]] > carried.versions[numbers[8]]
    assert carried.poll(bills(HEADERS)) == []


def test_intacct_case_12_what_was_never_modified_is_found(
    world: Any, bills: Bills, desk: Desk, carried: Carried, mounted: Mounted
) -> None:
    world.reset(bills=0, empty_modified=True)
    world.seed(bills=3)
    carried.poll(bills())
    vendors = Carried()
    vendors.poll(IntacctSource(desk.login, VENDORS, ["NAME"]))
    mounted.clock.advance(600)
    number = world.add_bill(VENDORID="V-011", RECORDID="NEW-1", lines=[{"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": "5.00"}])
    assert world.bill(number)["WHENMODIFIED"] == ""
    (found,) = carried.poll(bills())
    assert found.external_id == number and found.lines[0]["lines.TRX_AMOUNT"] == Decimal("5.00")
    world.add_vendor(VENDORID="X-1", NAME="Late Vendor")
    (vendor,) = vendors.poll(IntacctSource(desk.login, VENDORS, ["NAME"]))
    assert vendor.label == "Vendor X-1, Late Vendor"
    mounted.clock.advance(60)
    world.change_bill(number, DESCRIPTION="first change")
    assert ids(carried.poll(bills())) == [number]
    assert carried.poll(bills()) == []


def test_a_first_load_that_is_cut_anywhere_goes_on_from_its_page(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    numbers = world.seed(bills=2300, start="2026-11-20T08:00:00+00:00", over=3600, lines_per_bill=1)["bills"]
    n_cuts = 0
    for after in (1, 0, 3, 2, 1, 0):
        mounted.faults.arm("lost_reply", after=after, operation="query")
        try:
            carried.poll(bills())
        except VendorUnavailable:
            n_cuts += 1
        mounted.faults.clear()
    assert n_cuts >= 4
    carried.poll(bills())
    assert set(carried.versions) == set(numbers)
    assert {len(each.lines) for each in carried.records} == {1}


def test_a_cursor_in_the_middle_goes_on_strictly(world: Any, bills: Bills, carried: Carried, wire: Wire) -> None:
    numbers = world.seed(bills=1500, start="2026-11-20T08:00:00+00:00", same_stamp=True)["bills"]
    first = next(bills(HEADERS).changed_since(None, carried.known))
    assert first.cursor["more"] is True and len(first.records) == 1000
    (rest,) = bills(HEADERS).changed_since(first.cursor, carried.known)
    assert sorted(ids(first.records) + ids(rest.records)) == sorted(numbers)
    assert rest.cursor["more"] is False


def test_a_cursor_is_json(world: Any, bills: Bills) -> None:
    import json

    world.seed(bills=1500)
    for each in bills().changed_since(None, lambda ids: {}):
        assert json.loads(json.dumps(each.cursor)) == each.cursor


def test_an_empty_company_gives_one_empty_page(bills: Bills, carried: Carried) -> None:
    pages = list(bills().changed_since(None, carried.known))
    assert [each.records for each in pages] == [()]


def test_a_row_that_appears_three_minutes_late_is_found_by_the_next_poll(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    late = world.add_bill(VENDORID="V-011", RECORDID="LATE", hidden_for=180)
    mounted.clock.advance(60)
    world.add_bill(VENDORID="V-011", RECORDID="SEEN")
    assert late not in ids(carried.poll(bills()))
    mounted.clock.advance(300)
    assert ids(carried.poll(bills())) == [late]


@pytest.mark.parametrize("late_by", [30 * 60, 119 * 60, 179 * 60])
def test_a_row_that_appears_up_to_three_hours_late_is_found_by_a_look_back(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, late_by: int
) -> None:
    world.seed(bills=5)
    carried.poll(bills())
    late = world.add_bill(VENDORID="V-011", RECORDID="LATE", hidden_for=late_by)
    seen: list[str] = []
    for n in range(22):
        mounted.clock.advance(15 * 60)
        world.add_bill(VENDORID="V-011", RECORDID=f"B-{n}")
        seen += ids(carried.poll(bills()))
    assert seen.count(late) == 1 and len(seen) == 23


def test_a_large_import_is_not_read_again_for_ever(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, calls: Calls
) -> None:
    carried.poll(bills())
    mounted.clock.advance(600)
    world.seed(bills=2500, lines_per_bill=1)
    carried.poll(bills())
    assert len(carried.records) == 2500
    for _ in range(3):
        mounted.clock.advance(45 * 60)
        carried.poll(bills())
    calls()
    mounted.clock.advance(20 * 60)
    carried.poll(bills())
    assert [each for each in calls() if each.startswith("query")] == [POLL]
    assert len(carried.records) == 2500


# -- Lines ---------------------------------------------------------------------------------------------------------------------


def test_a_changed_line_is_found_though_its_header_was_not_touched(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, calls: Calls
) -> None:
    number = world.seed(bills=5, lines_per_bill=2)["bills"][2]
    carried.poll(bills())
    before = world.bill(number)["WHENMODIFIED"]
    for n in (6, 7):
        mounted.clock.advance(120)
        line = world.bill(number)["lines"][0]
        world.change_line(line["RECORDNO"], ACCOUNTNO="6500-00-00")
        calls()
        (found,) = carried.poll(bills())
        assert world.bill(number)["WHENMODIFIED"] == before
        assert found.external_id == number and found.lines[0]["lines.ACCOUNTNO"] == "6500-00-00"
        assert calls()[0] == POLL and len(carried.records) == n
        assert carried.poll(bills()) == [] and calls()[-1] == POLL


def test_lines_wait_while_bills_still_have_pages(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, calls: Calls
) -> None:
    carried.poll(bills())
    mounted.clock.advance(600)
    numbers = world.seed(bills=2500, lines_per_bill=1)["bills"]
    calls()
    assert sorted(ids(carried.poll(bills()))) == sorted(numbers)
    assert not [
        each for each in calls() if each.startswith("query APBILL,query APBILLITEM")
    ]  # no bill is read for its lines' sake


def test_a_line_changed_during_the_first_load_is_found_by_the_next_poll(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    number = world.seed(bills=1500, start="2026-11-20T08:00:00+00:00", over=3600, lines_per_bill=1)["bills"][0]
    pages = bills().changed_since(None, carried.known)
    carried.take(next(pages))
    mounted.clock.advance(5)
    world.change_line(world.bill(number)["lines"][0]["RECORDNO"], ACCOUNTNO="6500-00-00")
    for each in pages:
        carried.take(each)
    assert ids(carried.poll(bills())) == [number]


def test_a_full_reading_finds_a_changed_line_under_an_old_header(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    number = world.seed(bills=5, lines_per_bill=1)["bills"][3]
    carried.poll(bills())
    mounted.clock.advance(600)
    world.change_line(world.bill(number)["lines"][0]["RECORDNO"], ACCOUNTNO="6500-00-00")
    mounted.clock.advance(600)
    carried.cursor, carried.n_known = None, 0
    assert ids(carried.poll(bills())) == [number]
    assert carried.n_known == 4


def test_many_lines_are_read_to_the_last(world: Any, bills: Bills, carried: Carried, calls: Calls) -> None:
    world.seed(bills=600, lines_per_bill=8)
    carried.poll(bills())
    assert {len(each.lines) for each in carried.records} == {8}
    assert calls()[3:] == ["query APBILL,query APBILL", "query APBILLITEM,query APBILLITEM", "query APBILLITEM"]


def test_when_lines_cannot_be_listed_they_are_read_with_their_bills(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, desk: Desk, wire: Wire
) -> None:
    numbers = world.seed(bills=150, lines_per_bill=2)["bills"]
    carried.poll(bills())
    expected = {each.external_id: each.lines for each in carried.records}
    queried = Carried()
    refusal = "API operation 'READ_BY_QUERY' cannot be performed on objects of type APBILLITEM"
    refused = result(
        status="failure", errors=f"<error><errorno>Query Failed</errorno><description2>{refusal}</description2></error>"
    )

    def without_lines(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if b"<object>APBILLITEM</object>" in body:
            n = body.count(b"<function ")
            start_response("200 OK", [("Content-Type", "text/xml")])
            empty = page("APBILL")
            return [
                answer(
                    *([refused] * n if b"<object>APBILL<" not in body else [empty, empty, refused, page("AUDITHISTORY")])
                ).encode()
            ]
        environ["wsgi.input"] = io.BytesIO(body)
        return inner(environ, start_response)

    inner, wire.app = wire.app, without_lines
    queried.poll(bills())
    assert {each.external_id: each.lines for each in queried.records} == expected
    assert set(queried.versions) == set(numbers)
    mounted.clock.advance(60)
    world.change_bill(numbers[0], DESCRIPTION="x")
    assert ids(queried.poll(bills())) == [numbers[0]]
    assert {code for code, _ in desk.warned} == {"lines_not_listed"}


# -- Values --------------------------------------------------------------------------------------------------------------------


def test_intacct_case_13_moments_are_in_the_users_zone_both_ways(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, wire: Wire
) -> None:
    world.reset(bills=0, gmtoffset="-08:00")
    world.seed(bills=1, start="2026-11-21T01:00:00+00:00", same_stamp=True)
    (found,) = carried.poll(bills())
    assert found.values["WHENMODIFIED"] == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert found.version.startswith("2026-11-21T01:00:00Z|")
    carried.poll(bills())
    assert b"<value>11/20/2026 17:00:00</value>" in wire.bodies[-1] or b"<value>11/20/2026 14:00:00</value>" in wire.bodies[-1]
    assert b"11/21/2026 01:00:00" not in wire.bodies[-1]


@pytest.mark.parametrize("gmtoffset", ["-11:00", "+00:00", "+05:30", "+13:00"])
def test_intacct_case_15_a_due_date_stays_what_it_is_in_any_zone(world: Any, bills: Bills, gmtoffset: str) -> None:
    world.reset(bills=0, gmtoffset=gmtoffset)
    number = world.add_bill(VENDORID="V-011", RECORDID="B-1", WHENDUE="12/20/2026")
    assert bills().fetch([number]).records[0].values["WHENDUE"] == date(2026, 12, 20)


def test_intacct_case_16_dotted_names_lower_case_rows_and_empty_data_are_read() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    row = {
        "recordno": "7",
        "vendorid": "V-7",
        "name": "Acme &amp; Sons",
        "VENDOR.TERM.NAME": "N30",
        "whenmodified": "11/20/2026 09:15:02",
    }
    empty = result('<data listtype="vendor" count="0" totalcount="0" numremaining="0" resultId=""/>')
    with scripted(*signed_in(), (200, answer(page("vendor", row), empty))):
        (found,) = IntacctSource(desk.login, VENDORS, ["NAME", "VENDOR.TERM.NAME"]).changed_since(None, lambda ids: {})
    assert found.records[0].values == {"NAME": "Acme & Sons", "VENDOR.TERM.NAME": "N30"}
    assert found.records[0].label == "Vendor V-7, Acme & Sons"


def test_values_have_the_catalogues_types(world: Any, bills: Bills) -> None:
    line = {"ACCOUNTNO": "6200-01-00", "TRX_AMOUNT": "100.12", "ENTRYDESCRIPTION": "Paper 📄"}
    number = world.add_bill(
        VENDORID="V-011", RECORDID="INV-2041", WHENDUE="12/20/2026", CURRENCY="USD", lines=[line], DESCRIPTION="Müller 👍"
    )
    keys = [each.key for each in APBILL.catalogue]
    (found,) = bills(keys).fetch([number]).records
    assert found.values["TRX_TOTALENTERED"] == Decimal("100.12") and found.values["ONHOLD"] is False
    assert found.values["STATE"] == "Posted" and found.values["DESCRIPTION"] == "Müller 👍"
    assert found.values["RECORDNO"] == int(number) and found.values["WHENPAID"] is None
    assert isinstance(found.values["WHENMODIFIED"], datetime) and found.values["WHENMODIFIED"].tzinfo is UTC
    assert found.lines[0]["lines.ENTRYDESCRIPTION"] == "Paper 📄" and found.lines[0]["lines.LINE_NO"] == 1
    assert set(found.values) | set(found.lines[0]) == set(keys)
    assert found.label.startswith("Bill INV-2041, ")


def test_one_bill_that_cannot_be_read_leaves_its_neighbours_alone() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    rows = [
        {"RECORDNO": "1", "RECORDID": "A", "VENDORNAME": "V", "WHENMODIFIED": "11/20/2026 09:00:00", "TRX_TOTALDUE": "1.00"},
        {"RECORDNO": "2", "RECORDID": "B", "VENDORNAME": "V", "WHENMODIFIED": "11/20/2026 09:00:00", "TRX_TOTALDUE": "1,0x"},
        {"RECORDNO": "3", "RECORDID": "C", "VENDORNAME": "V", "WHENMODIFIED": "yesterday", "TRX_TOTALDUE": "1.00"},
    ]
    with scripted(*signed_in(), (200, answer(page("APBILL", *rows), page("APBILL")))):
        (found,) = IntacctSource(desk.login, "APBILL", ["TRX_TOTALDUE"]).changed_since(None, lambda ids: {})
    assert ids(found.records) == ["1"]
    assert [(each.external_id, each.label) for each in found.unreadable] == [("2", "Bill B, V"), ("3", "Bill C, V")]
    assert "Amount due: not an amount: “1,0x”" in found.unreadable[0].error.said
    assert found.cursor["streams"]["modified"] == {"at": "2026-11-20T09:00:00+00:00", "after": "2"}


def test_tax_rows_are_no_lines() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    header = {"RECORDNO": "1", "WHENMODIFIED": "11/20/2026 09:00:00"}

    def line(n: int, mark: str) -> dict[str, str]:
        return {
            "RECORDNO": str(n),
            "RECORDKEY": "1",
            "ACCOUNTNO": str(n),
            "LINEITEM": mark,
            "WHENMODIFIED": f"11/20/2026 09:00:0{n}",
        }

    def accounts(*marks: str) -> list[Any]:
        lines = page("APBILLITEM", *(line(n, mark) for n, mark in enumerate(marks)))
        with scripted(*([] if desk.memory.session else signed_in()), (200, answer(page("APBILL", header), lines))):
            return [
                each["lines.ACCOUNTNO"]
                for each in IntacctSource(desk.login, "APBILL", ["lines.ACCOUNTNO"]).fetch(["1"]).records[0].lines
            ]

    assert accounts("true", "false", "T") == ["0", "2"]
    assert accounts("", "") == ["0", "1"]
    assert accounts("false", "false") == ["0", "1"]  # where nothing is marked, the mark says nothing


def test_fields_that_the_company_does_not_have_are_left_out_with_a_warning(
    world: Any, bills: Bills, carried: Carried, desk: Desk, calls: Calls
) -> None:
    world.seed(bills=3)
    carried.poll(bills([*FIELDS, "NO_SUCH_FIELD", "lines.GLDIMNONE"]))
    assert len(carried.records) == 3
    assert carried.records[0].values["NO_SUCH_FIELD"] is None and carried.records[0].lines[0]["lines.GLDIMNONE"] is None
    assert [said.split(".")[0] for _, said in desk.warned] == [
        "This Sage Intacct company has no field NO_SUCH_FIELD",
        "This Sage Intacct company has no field GLDIMNONE",
    ]
    assert [each for each in calls() if each.startswith("lookup")] == ["lookup APBILL", "lookup APBILLITEM"]


def test_custom_fields_are_read(world: Any, bills: Bills) -> None:
    world.add_custom_field("APBILL", "MLC_STATUS")
    number = world.add_bill(VENDORID="V-011", RECORDID="B-1", MLC_STATUS="approved")
    assert bills(["MLC_STATUS", "VENDORNAME"]).fetch([number]).records[0].values["MLC_STATUS"] == "approved"


# -- By id, newest, several entities -------------------------------------------------------------------------------------------


def test_fetch_gives_what_still_exists_with_lines_in_one_request(world: Any, bills: Bills, calls: Calls) -> None:
    numbers = world.seed(bills=20, lines_per_bill=3)["bills"]
    world.delete_bill(numbers[4])
    found = bills().fetch([numbers[7], numbers[4], "99999999", "not a number", numbers[2], numbers[7]])
    assert ids(found.records) == [numbers[7], numbers[2]]
    assert {len(each.lines) for each in found.records} == {3}
    assert calls()[3:] == ["query APBILL,query APBILLITEM"]


def test_fetch_of_nothing_asks_nothing(bills: Bills, calls: Calls) -> None:
    assert bills().fetch([]).records == () and bills().fetch(["x"]).records == ()
    assert calls() == []


def test_fetch_of_more_than_a_thousand(world: Any, bills: Bills) -> None:
    numbers = world.seed(bills=1200, lines_per_bill=1)["bills"]
    assert ids(bills().fetch(numbers).records) == numbers


def test_newest_gives_the_last_ones_first_with_lines(world: Any, bills: Bills, calls: Calls) -> None:
    numbers = world.seed(bills=30, lines_per_bill=2)["bills"]
    found = bills().newest(4)
    assert ids(found.records) == numbers[:-5:-1]
    assert {len(each.lines) for each in found.records} == {2}
    assert len(calls()) == 3 + 2


def test_newest_of_an_empty_company_is_empty(bills: Bills) -> None:
    assert bills().newest(5).records == ()


def test_private_bills_are_read_at_the_top_level_only(
    world: Any, bills: Bills, carried: Carried, wire: Wire, mounted: Mounted
) -> None:
    world.reset(bills=0, private_every=2)
    world.seed(bills=10)
    assert len(carried.poll(bills())) == 10
    assert b"<showprivate>true</showprivate>" in wire.bodies[-1]
    entity = world.bills()[1]["MEGAENTITYID"] or world.bills()[0]["MEGAENTITYID"]
    desk = make_desk(now=mounted.clock.now, location_id=entity)
    IntacctSource(desk.login, "APBILL", FIELDS).newest(3)
    assert b"showprivate" not in wire.bodies[-1]


def test_the_identity_at_the_target() -> None:
    assert VENDOR.record_key is not None
    assert VENDOR.record_key(make_desk(location_id="E100").login, "APBILL", "42") == "intacct:SAMPLE:APBILL:42"


# -- Trouble on the way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["http_503", "rate_limited", "truncated", "invalid_session", "cut", "offline"])
def test_after_any_trouble_a_poll_ends_as_if_there_had_been_none(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, fault: str
) -> None:
    numbers = world.seed(bills=1500, lines_per_bill=2, start="2026-11-20T08:00:00+00:00", over=3600)["bills"]
    for after in (0, 1, 2, 3):
        mounted.faults.arm(fault, after=after, operation="query")
        try:
            carried.poll(bills())
        except (VendorUnavailable, RateLimited, ContractBroken) as error:
            mounted.clock.advance(error.retry_after.total_seconds() if isinstance(error, RateLimited) else 60)
        mounted.faults.clear()
    carried.poll(bills())
    assert set(carried.versions) == set(numbers)
    assert {len(each.lines) for each in carried.records} == {2}


def test_a_slow_vendor_gets_smaller_pages_and_nothing_is_lost(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    numbers = world.seed(bills=1500, lines_per_bill=3)["bills"]
    mounted.faults.arm("http_524", times=None, above=300)
    carried.poll(bills())
    assert sorted(ids(carried.records)) == sorted(numbers)
    assert {len(each.lines) for each in carried.records} == {3}


def test_a_vendor_that_ignores_the_filter_makes_no_endless_loop() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    same = answer(page("APBILL", {"RECORDNO": "1", "WHENMODIFIED": "11/20/2026 09:00:00"}, n_remaining=5), page("APBILL"))
    with (
        scripted(
            *signed_in(),
            (200, same),
            (200, answer(page("APBILL", {"RECORDNO": "1", "WHENMODIFIED": "11/20/2026 09:00:00"}, n_remaining=5))),
        ),
        pytest.raises(ContractBroken),
    ):
        list(IntacctSource(desk.login, "APBILL", ["RECORDID"]).changed_since(None, lambda ids: {}))


def test_intacct_case_30_our_own_filters_are_never_iso(
    world: Any, bills: Bills, carried: Carried, wire: Wire, mounted: Mounted
) -> None:
    world.seed(bills=1200)
    for _ in range(3):
        carried.poll(bills())
        mounted.clock.advance(2 * 3600)
    sent = b"".join(wire.bodies)
    assert b"<value>11/" in sent or b"<value>" in sent
    assert b"T0" not in b"".join(part.split(b"</value>")[0] for part in sent.split(b"<value>")[1:])


def test_ping_says_who_and_what_is_missing(world: Any, mounted: Mounted, desk: Desk, calls: Calls) -> None:
    ping = VENDOR.ping(desk.login)
    assert (ping.who, ping.company, ping.missing, ping.warnings) == ("xml_gateway", "SAMPLE", (), ())
    assert ping.facts["time_zone"] == "GMT+00:00"
    assert calls()[3:] == ["query APBILL,query APBILLITEM,query VENDOR"]
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions={"VENDOR": "read", "USERINFO": "read"}, gmtoffset="-05:00")
    ping = VENDOR.ping(make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw").login)
    assert ping.missing == ("Accounts Payable > Bills: List, View",)
    assert ping.facts["time_zone"] == "GMT-05:00"


def test_the_sandboxs_address_is_where_its_path_says() -> None:
    assert (HOST + VENDOR.sandbox_path).endswith("/intacct/ia/xml/xmlgw.phtml")
    assert timedelta(seconds=VENDOR.limits.total) < timedelta(seconds=60)

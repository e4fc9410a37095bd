"""What is there altogether: totals that Intacct computes, every header, every key, and which of some ids exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integrations.errors import ContractBroken, PermissionMissing, VendorUnavailable
from integrations.sandboxes.core import Mounted
from integrations.types import Total
from integrations.vendors.intacct import VENDOR
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import FIELDS, Carried, Desk, Wire, all_keys, answer, make_desk, page, scripted, signed_in

Calls = Callable[[], list[str]]
Bills = Callable[..., IntacctSource]
LINE = {"ACCOUNTNO": "6200-01-00", "LOCATIONID": "100"}


@pytest.fixture
def bills(desk: Desk) -> Bills:
    return lambda fields=("RECORDID", "TRX_TOTALENTERED", "CURRENCY"): IntacctSource(desk.login, "APBILL", fields)


def added_up(source: IntacctSource) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """The totals of ``everything``, as somebody who reconciles would add them up."""
    found: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for each in (record for part in source.everything() for record in part.records):
        amount = each.values["TRX_TOTALENTERED"] or Decimal(0)
        assert isinstance(amount, Decimal)
        key = ("credits" if amount < 0 else "bills", str(each.values["CURRENCY"] or ""))
        n, so_far = found[key]
        found[key] = (n + 1, so_far + amount)
    return found


def test_the_vendors_own_totals_are_those_of_everything(world: Any, bills: Bills, calls: Calls) -> None:
    world.reset(bills=60)
    world.add_adjustment("-50.00")  # no bill, and so no part of this
    found = bills().population()
    assert calls()[3:] == ["query APBILL,query APBILL,query APBILL"]
    assert {(each.kind, each.currency): (each.n, each.amount) for each in found.totals} == added_up(bills())
    assert sum(each.n for each in found.totals) == 60
    assert {each.kind for each in found.totals} == {"bills", "credits"}


def test_drafts_credits_and_currencies_are_counted_apart(world: Any, bills: Bills) -> None:
    for amount, fields in (("10.25", {}), ("5.00", {"CURRENCY": "EUR"}), ("-3.00", {}), ("1.75", {"STATE": "Draft"})):
        world.add_bill(
            VENDORID="V-011", RECORDID=f"B{amount}", lines=[{**LINE, "TRX_AMOUNT": amount}], **{"CURRENCY": "USD", **fields}
        )
    assert bills().population().totals == (
        Total(kind="bills", currency="EUR", n=1, amount=Decimal("5.00")),
        Total(kind="bills", currency="USD", n=2, amount=Decimal("12.00")),
        Total(kind="credits", currency="USD", n=1, amount=Decimal("-3.00")),
    )


def test_what_the_totals_cover_is_said_truly(world: Any, bills: Bills, mounted: Mounted) -> None:
    said = bills().population().said
    assert said == "all bills of all entities, every state, drafts included, as far as the user xml_gateway may see"
    login = make_desk(now=mounted.clock.now, location_id="E100").login
    assert IntacctSource(login, "APBILL", []).population().said.startswith("all bills as the entity E100 sees them, ")
    assert "vendors of all entities, inactive ones included" in IntacctSource(login, "VENDOR", []).population().said.replace(
        "as the entity E100 sees them", "of all entities"
    )


def test_an_empty_company_has_no_totals(bills: Bills) -> None:
    assert bills().population().totals == ()


@pytest.mark.parametrize("rows", [[], [{"CURRENCY": "USD", "COUNT.RECORDNO": "1", "SUM.TRX_TOTALENTERED": "1"}]])
def test_totals_that_do_not_fit_one_page_are_an_error(rows: list[dict[str, str]]) -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    body = answer(page("APBILL", *rows, n_remaining=1), page("APBILL"), page("APBILL"))
    with scripted(*signed_in(), (200, body)), pytest.raises(ContractBroken, match="only a part"):
        IntacctSource(desk.login, "APBILL", []).population()


def test_everything_has_headers_only_and_is_read_in_pages_of_2000(world: Any, desk: Desk, calls: Calls) -> None:
    numbers = world.seed(bills=4100, lines_per_bill=1)["bills"]
    source = IntacctSource(desk.login, "APBILL", [*FIELDS, "payment.PAID"])
    pages = list(source.everything())
    records = [each for page in pages for each in page.records]
    assert [len(each.records) for each in pages] == [2000, 2000, 100]
    assert sorted(each.external_id for each in records) == sorted(numbers)
    assert {each.lines for each in records} == {()} and not [key for key in records[0].values if "." in key]
    assert calls()[3:] == ["query APBILL"] * 3


def test_everything_is_complete_though_bills_come_and_go_meanwhile(world: Any, bills: Bills) -> None:
    numbers = world.seed(bills=4100, lines_per_bill=1)["bills"]
    pages = bills().everything()
    found = [each.external_id for each in next(pages).records]
    world.delete_bill(found[0])
    world.change_bill(numbers[-1], DESCRIPTION="changed")
    new = world.add_bill(VENDORID="V-011", RECORDID="NEW", lines=[{**LINE, "TRX_AMOUNT": "1.00"}])
    found += [each.external_id for page in pages for each in page.records]
    assert sorted(found) == sorted([*numbers, new])


def test_keys_are_the_numbers_alone(world: Any, bills: Bills, calls: Calls, wire: Wire) -> None:
    numbers = world.seed(bills=2100, lines_per_bill=1)["bills"]
    assert sorted(all_keys(bills())) == sorted(numbers)
    assert calls()[3:] == ["query APBILL"] * 2
    assert b"<select><field>RECORDNO</field></select>" in wire.bodies[-1]


def test_keys_that_are_not_complete_are_an_error(world: Any, bills: Bills, mounted: Mounted) -> None:
    world.seed(bills=2100, lines_per_bill=1)
    keys = bills().keys()
    next(iter(keys))
    mounted.faults.arm("http_503", times=None)
    with pytest.raises(VendorUnavailable):
        list(keys)


@pytest.mark.parametrize("rows", [[], [{"RECORDNO": "7"}]])
def test_a_page_of_keys_that_is_cut_short_does_not_look_like_the_end(rows: list[dict[str, str]]) -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    first = answer(page("APBILL", {"RECORDNO": "7"}, n_remaining=3))
    with scripted(*signed_in(), (200, first), (200, answer(page("APBILL", *rows, n_remaining=2)))), pytest.raises(ContractBroken):
        list(IntacctSource(desk.login, "APBILL", []).keys())


def test_which_of_these_exist(world: Any, bills: Bills, calls: Calls) -> None:
    numbers = world.seed(bills=1200, lines_per_bill=1)["bills"]
    world.delete_bill(numbers[1])
    assert bills().exists([*numbers, "99999999", "not a number", ""]) == set(numbers) - {numbers[1]}
    assert calls()[3:] == ["query APBILL,query APBILL"]
    assert bills().exists([]) == set() and calls() == []


# -- Vendors and accounts ------------------------------------------------------------------------------------------------------


def test_vendors_and_accounts_are_read_and_polled(world: Any, desk: Desk, mounted: Mounted, calls: Calls) -> None:
    for name, label in (("VENDOR", "Vendor V-011, "), ("GLACCOUNT", "GL account 2000-00-00, Accounts payable")):
        source = IntacctSource(desk.login, name, [each.key for each in VENDOR.catalogues[name]])
        carried = Carried()
        carried.poll(source)
        assert any(each.label.startswith(label) for each in carried.records)
        assert source.population().totals[0].n == len(carried.records)
        mounted.clock.advance(600)
        calls()
        assert carried.poll(source) == []
        assert calls() == [f"query {name},query {name},query AUDITHISTORY"]
    assert not desk.warned  # every field of the catalogues exists


def test_an_account_is_an_entry_of_the_list_of_accounts(desk: Desk) -> None:
    (found,) = IntacctSource(desk.login, "GLACCOUNT", ["ACCOUNTTYPE"]).newest(1).records
    assert found.values["LIST"] == "gl_accounts" and found.values["STATUS"] == "active"
    assert found.label == f"GL account {found.values['CODE']}, {found.values['NAME']}"


def test_no_bank_or_tax_number_can_be_chosen() -> None:
    keys = {each.key for name in VENDOR.catalogues for each in VENDOR.catalogues[name]}
    assert not [each for each in keys if "ACH" in each or "BANK" in each or "TAXID" in each]


def test_a_deleted_vendor_makes_all_keys_be_compared(world: Any, desk: Desk, mounted: Mounted) -> None:
    source, carried = IntacctSource(desk.login, "VENDOR", ["NAME"]), Carried()
    number = world.add_vendor(VENDORID="V-099", NAME="Short-lived")
    carried.poll(source)
    mounted.clock.advance(60)
    world.delete("VENDOR", number)
    assert carried.poll(source) == [] and "compare_keys_at" in carried.cursor
    assert set(carried.versions) - set(all_keys(source)) == {number}


def test_an_object_without_a_time_of_creation_is_read_whole_where_it_was_never_changed(
    world: Any, desk: Desk, mounted: Mounted, calls: Calls
) -> None:
    from integrations.vendors.intacct.kinds import Kind

    world.reset(bills=0, empty_modified=["DEPARTMENT"])
    kind = Kind(name="DEPARTMENT", title="Department", plural="departments", number="DEPARTMENTID", party="TITLE")
    carried = Carried()
    n = len(carried.poll(IntacctSource(desk.login, kind, ["TITLE"])))
    assert n > 2
    mounted.clock.advance(600)
    number = world.add("DEPARTMENT", DEPARTMENTID="D900", TITLE="New")
    assert [each.external_id for each in carried.poll(IntacctSource(desk.login, kind, ["TITLE"]))] == [number]
    world.change("DEPARTMENT", number, TITLE="Newer")
    (found,) = carried.poll(IntacctSource(desk.login, kind, ["TITLE"]))
    assert found.values["TITLE"] == "Newer"
    calls()
    assert carried.poll(IntacctSource(desk.login, kind, ["TITLE"])) == []
    assert calls() == ["query DEPARTMENT,query DEPARTMENT"]
    late = world.add("DEPARTMENT", DEPARTMENTID="D901", TITLE="Late", hidden_for=200)
    seen = world.add("DEPARTMENT", DEPARTMENTID="D902", TITLE="Seen")
    for each in (seen, late):
        assert [found.external_id for found in carried.poll(IntacctSource(desk.login, kind, ["TITLE"]))] == [each]
        mounted.clock.advance(300)


# -- Permissions and entities --------------------------------------------------------------------------------------------------


def test_intacct_case_24_vendors_that_may_not_be_read_stop_only_vendors(world: Any, mounted: Mounted) -> None:
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions={"APBILL": "read", "APBILLITEM": "read", "USERINFO": "read"})
    world.seed(bills=3)
    login = make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw").login
    with pytest.raises(PermissionMissing, match="may not read vendors") as raised:
        Carried().poll(IntacctSource(login, "VENDOR", ["NAME"]))
    assert raised.value.right == "Accounts Payable > Vendors: List, View"
    assert "VENDOR" in raised.value.operation and "PL04000005" in raised.value.detail
    assert len(Carried().poll(IntacctSource(login, "APBILL", FIELDS))) == 3


def test_intacct_case_27_private_bills_arrive_everywhere_and_an_entitys_session_is_apart(
    world: Any, mounted: Mounted, desk: Desk, bills: Bills, wire: Wire
) -> None:
    world.reset(bills=0, private_every=2)
    numbers = world.seed(bills=10)["bills"]
    assert sorted(each.external_id for each in Carried().poll(bills())) == sorted(numbers)
    assert sum(each.n for each in bills().population().totals) == 10
    assert sorted(all_keys(bills())) == sorted(numbers)
    assert bills().exists(numbers) == set(numbers)
    asked = [body for body in wire.bodies if b"<query>" in body and b"USERINFO" not in body]
    assert asked and all(body.count(b"<query>") == body.count(b"<showprivate>true</showprivate>") for body in asked)
    entity = make_desk(now=mounted.clock.now, location_id="E200")
    sent = len(wire.bodies)
    list(IntacctSource(entity.login, "APBILL", []).keys())
    assert b"showprivate" not in b"".join(wire.bodies[sent:])
    assert entity.memory.session and desk.memory.session
    assert entity.memory.session.token != desk.memory.session.token
    assert entity.memory.session.credentials != desk.memory.session.credentials

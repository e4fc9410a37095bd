"""Lists of codes: all of them as one source, and one by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.errors import ContractBroken, PermissionMissing
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct import VENDOR
from integrations.vendors.intacct.dimensions import DimensionsSource, reference
from tests.vendors.intacct.conftest import Carried, Desk, Wire, all_keys, answer, make_desk, page, result, scripted, signed_in

Calls = Callable[[], list[str]]
NAMES = {"departments", "locations", "classes", "projects", "customers", "vendors", "employees", "items"}
DAILY = [
    "getDimensions",
    "query DEPARTMENT,query LOCATION,query CLASS,query PROJECT",
    "query CUSTOMER,query VENDOR,query EMPLOYEE,query ITEM",
]


@pytest.fixture
def source(desk: Desk) -> DimensionsSource:
    return DimensionsSource(desk.login)


def refusal(code: str, text: str) -> str:
    return result(status="failure", errors=f"<error><errorno>{code}</errorno><description2>{text}</description2></error>")


def test_every_list_arrives_whole_in_three_requests(source: DimensionsSource, calls: Calls, desk: Desk, world: Any) -> None:
    carried = Carried()
    carried.poll(source)
    assert calls()[3:] == DAILY
    assert {each.values["LIST"] for each in carried.records} == NAMES
    assert carried.cursor == {} and desk.warned == []
    by_id = {each.external_id: each for each in carried.records}
    sales = by_id["DEPARTMENT/D100"]
    assert sales.label == "Department D100, Sales"
    assert sales.values == {"LIST": "departments", "CODE": "D100", "NAME": "Sales", "STATUS": "active", "PARENT": None}
    assert all(each.values["NAME"] and each.values["STATUS"] for each in carried.records)


def test_what_is_carried_just_so_is_known_and_a_new_name_is_not(source: DimensionsSource, world: Any) -> None:
    carried = Carried()
    carried.poll(source)
    n = len(carried.records)
    assert carried.poll(source) == [] and carried.n_known == n
    number = world.add("DEPARTMENT", DEPARTMENTID="D900", TITLE="New", PARENTID="D100")
    world.change("DEPARTMENT", number, STATUS="inactive")
    (found,) = carried.poll(source)
    assert (found.values["CODE"], found.values["STATUS"], found.values["PARENT"]) == ("D900", "inactive", "D100")
    world.change("DEPARTMENT", number, TITLE="Newer")
    assert [each.values["NAME"] for each in carried.poll(source)] == ["Newer"]


def test_a_dimension_of_the_companys_own_is_a_list_too(world: Any, source: DimensionsSource, calls: Calls) -> None:
    world.reset(bills=0, fund=True)
    carried = Carried()
    carried.poll(source)
    own = [each for each in carried.records if each.values["LIST"] == "fund"]
    assert own and all(each.external_id == f"FUND/{each.values['CODE']}" and each.values["NAME"] for each in own)
    assert [each for each in calls() if "FUND" in each] == ["lookup FUND", "query FUND"]


def test_long_lists_are_read_to_the_last(world: Any, source: DimensionsSource, calls: Calls) -> None:
    for n in range(4100):
        world.add("CUSTOMER", CUSTOMERID=f"X{n}", NAME=f"Customer {n}")
    found = [each for page in source.everything() for each in page.records if each.values["LIST"] == "customers"]
    assert len({each.external_id for each in found}) == len(found) == 4103
    assert calls()[-2:] == ["query CUSTOMER"] * 2


def test_a_list_that_may_not_be_read_is_left_out_with_a_warning(world: Any, mounted: Mounted) -> None:
    readable = ("DEPARTMENT", "LOCATION", "CLASS", "CUSTOMER", "EMPLOYEE", "ITEM", "VENDOR", "USERINFO")
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions=dict.fromkeys(readable, "read"))
    desk = make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw")
    source, carried = DimensionsSource(desk.login), Carried()
    carried.poll(source)
    assert {each.values["LIST"] for each in carried.records} == NAMES - {"projects"}
    ((code, said),) = desk.warned
    assert code == "list_skipped_projects" and "may not read projects" in said and "without names" in said
    assert "projects" not in {each.kind for each in source.population().totals}
    with pytest.raises(PermissionMissing, match="projects"):
        list(source.keys())  # or every project would look deleted


def test_when_no_list_may_be_read_that_is_an_error(world: Any, mounted: Mounted) -> None:
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions={"USERINFO": "read"})
    desk = make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw")
    with pytest.raises(PermissionMissing, match="departments"):
        Carried().poll(DimensionsSource(desk.login))


def test_a_field_that_an_object_does_not_have_costs_the_field_and_not_the_list() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    fields = "".join(f"<Field><ID>{each}</ID></Field>" for each in ("RECORDNO", "EMPLOYEEID", "STATUS"))
    known = result(f'<data><Type Name="EMPLOYEE"><Fields>{fields}</Fields></Type></data>', function="lookup")
    rows = page("EMPLOYEE", {"RECORDNO": "1", "EMPLOYEEID": "E-1", "STATUS": "T"})
    answers = (refusal("DL02000001", "There was an error processing the request."), known, rows)
    with scripted(*signed_in(), *((200, answer(each)) for each in answers)) as wire:
        (found,) = reference(desk.login, "employees")
    assert found.values == {"LIST": "employees", "CODE": "E-1", "NAME": None, "STATUS": "active", "PARENT": None}
    assert b"CONTACTNAME" not in wire.bodies[-1] and desk.warned == []


def test_a_list_that_ends_too_early_is_an_error() -> None:
    desk = make_desk(base_url="https://api.intacct.com/x")
    first = page("DEPARTMENT", {"RECORDNO": "7", "DEPARTMENTID": "D7"}, n_remaining=2)
    with scripted(*signed_in(), (200, answer(first)), (200, answer(page("DEPARTMENT", n_remaining=2)))):
        found = reference(desk.login, "departments")
        assert next(found).values["CODE"] == "D7"
        with pytest.raises(ContractBroken, match="only a part"):
            list(found)


def test_one_list_costs_one_call(desk: Desk, world: Any, calls: Calls) -> None:
    world.reset(bills=0, fund=True)
    assert VENDOR.reference is not None
    for name in sorted(NAMES):
        found = list(VENDOR.reference(desk.login, name))
        assert found and {each.values["LIST"] for each in found} == {name}
    assert [each for each in calls() if each.startswith("query")] == [f"query {each}" for each in (
        "CLASS", "CUSTOMER", "DEPARTMENT", "EMPLOYEE", "ITEM", "LOCATION", "PROJECT", "VENDOR",
    )]  # fmt: skip
    accounts = list(VENDOR.reference(desk.login, "gl_accounts"))
    assert {"LIST", "CODE", "NAME", "STATUS"} <= set(accounts[0].values) and accounts[0].label.startswith("GL account ")
    assert calls() == ["query GLACCOUNT"]
    assert {each.values["LIST"] for each in VENDOR.reference(desk.login, "fund")} == {"fund"}
    assert calls() == ["getDimensions", "lookup FUND", "query FUND"]


def test_a_list_that_there_is_not_has_no_codes(desk: Desk, calls: Calls) -> None:
    assert list(reference(desk.login, "cost_centers")) == []
    assert calls()[3:] == ["getDimensions"]


def test_codes_are_fetched_by_their_ids(source: DimensionsSource, world: Any, calls: Calls, wire: Wire) -> None:
    world.reset(bills=0, fund=True)
    wanted = ["DEPARTMENT/D100", "VENDOR/V-011", "DEPARTMENT/none", "VENDOR/", "NOTHING/1"]
    assert {each.external_id for each in source.fetch(wanted[:4]).records} == set(wanted[:2])
    assert calls()[3:] == ["query DEPARTMENT", "query VENDOR"]
    assert source.exists(["FUND/10001", *wanted]) == {"FUND/10001", *wanted[:2]}
    assert source.fetch([]).records == ()


def test_totals_are_counts(source: DimensionsSource, world: Any) -> None:
    found = {each.kind: each.n for each in source.population().totals}
    records = [each for page in source.everything() for each in page.records]
    assert found == {name: sum(each.values["LIST"] == name for each in records) for name in NAMES}
    assert sorted(all_keys(source)) == sorted(each.external_id for each in records)


def test_only_the_fields_that_were_asked_for(desk: Desk) -> None:
    (found,) = DimensionsSource(desk.login, ["CODE", "NAME"]).newest(1).records
    assert set(found.values) == {"CODE", "NAME"}

"""What we send: the vendor's own schemas accept every request, and nothing in it is illegal XML."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from integrations.errors import ContractBroken, VendorUnavailable
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct import VENDOR
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.envelope import Node, Sender, build, write
from integrations.vendors.intacct.errors import FunctionRefused
from integrations.vendors.intacct.objects import format_date, format_moment, format_value, parse_amount, parse_date, parse_moment
from integrations.vendors.intacct.query import AnyOf, Empty, Every, Is, NotEmpty, OneOf, Query
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import FIELDS, Carried, Desk, Wire, make_desk, scripted, signed_in

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "vendors" / "intacct"
with_schemas = pytest.mark.skipif(not SHARED.exists(), reason=f"the vendor's schemas are not at {SHARED}")

SENDER = Sender(id="s", password="p")
SESSION = Node("sessionid", "x")


@pytest.fixture(scope="module")
def api() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SHARED / "api.xsd"))


@pytest.fixture(scope="module")
def grammar() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SHARED / "query.xsd"))


NEWER = {"query", "lookup"}  # functions that are younger than the official schema


def check(body: bytes, api: etree.XMLSchema, grammar: etree.XMLSchema) -> list[str]:
    """Raise unless the schemas accept it; says the functions in it."""
    root = etree.fromstring(body)
    names = []
    for function in root.iter("function"):
        (child,) = function
        names.append(str(child.tag))
        if child.tag == "query":
            grammar.assertValid(etree.fromstring(etree.tostring(child)))
        if child.tag in NEWER:
            function.replace(child, etree.Element("getAPISession"))
    api.assertValid(root)
    return names


def everything(desk: Desk, mounted: Mounted) -> None:
    """Make the client send each kind of request that it can send."""
    world: Any = mounted.world
    world.reset(bills=0, fund=True)
    number = world.seed(bills=1100, lines_per_bill=2)["bills"][0]
    carried = Carried()
    source = IntacctSource(desk.login, "APBILL", [*FIELDS, "NO_SUCH_FIELD"])
    carried.poll(source)
    world.change_line(world.bill(number)["lines"][0]["RECORDNO"], ACCOUNTNO="6500-00-00")
    carried.poll(source)
    mounted.clock.advance(3 * 3600)
    carried.poll(source)
    source.newest(3)
    paid = IntacctSource(desk.login, "APBILL", ["payment.PAID"])
    carried.poll(paid)
    world.void(world.pay(number))
    world.delete_bill(world.bills()[-1]["RECORDNO"])
    carried.poll(paid)
    world.attach(number, "a.txt", b"a")
    paid.attachments(number)
    paid.population()
    list(paid.everything())
    list(paid.keys())
    paid.exists([number])
    for name in ("VENDOR", "GLACCOUNT", "DIMENSIONS"):
        others = VENDOR.source(desk.login, name, [each.key for each in VENDOR.catalogues[name]])  # type: ignore[misc]
        others.population()
        Carried().poll(others)
    list(VENDOR.reference(desk.login, "fund"))  # type: ignore[misc]
    VENDOR.ping(desk.login)
    client = Client(desk.login)
    client.read("APBILL", [number], "APBILLITEMS")
    client.write(Node("update", [Node("APBILL", [Node("RECORDNO", number), Node("ONHOLD", "true")])]), "stable-key")


@with_schemas
def test_the_schemas_accept_every_request(
    mounted: Mounted, desk: Desk, wire: Wire, api: etree.XMLSchema, grammar: etree.XMLSchema
) -> None:
    everything(desk, mounted)
    names = {name for body in wire.bodies for name in check(body, api, grammar)}
    asked = {"getAPISession", "readByName", "readUserFormatting", "query", "lookup", "read", "getDimensions", "get"}
    assert names == asked | {"update"}


@with_schemas
def test_the_schemas_accept_a_login_with_all_that_is_optional(api: etree.XMLSchema, grammar: etree.XMLSchema) -> None:
    desk = make_desk(base_url="https://api.intacct.com/x", client_id="CL", location_id="E100")
    with scripted(*signed_in()) as wire:
        Client(desk.login).session()
    assert check(wire.bodies[0], api, grammar) == ["getAPISession"]
    assert b"<clientid>CL</clientid><locationid>E100</locationid>" in wire.bodies[0]


def conditions() -> st.SearchStrategy[Any]:
    names = st.sampled_from(["RECORDNO", "WHENMODIFIED", "VENDOR.TERM.NAME"])
    values = st.one_of(
        st.text(max_size=8), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.booleans(), st.dates()
    )
    operators = [
        "equalto",
        "notequalto",
        "lessthan",
        "lessthanorequalto",
        "greaterthan",
        "greaterthanorequalto",
        "like",
        "notlike",
    ]
    leaves = st.one_of(
        st.builds(Is, st.sampled_from(operators), names, values),
        st.builds(OneOf, names, st.lists(values, min_size=1, max_size=4)),
        st.builds(Empty, names),
        st.builds(NotEmpty, names),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of([st.builds(kind, st.lists(inner, min_size=1, max_size=3)) for kind in (Every, AnyOf)]),
        max_leaves=6,
    )


@with_schemas
@given(where=conditions(), descending=st.booleans(), private=st.booleans(), size=st.integers(1, 2000))
def test_any_query_is_valid(where: Any, descending: bool, private: bool, size: int) -> None:
    grammar = etree.XMLSchema(etree.parse(SHARED / "query.xsd"))
    query = Query(object="X", fields=["A"], where=where, descending=descending, show_private=private, page_size=size)
    grammar.assertValid(etree.fromstring(write(query.node(UTC))[0]))


@pytest.mark.parametrize("size", [0, 2001, -1])
def test_a_page_size_that_would_be_refused_is_never_sent(size: int) -> None:
    with pytest.raises(ValueError, match="page"):
        Query(object="X", fields=["A"], page_size=size).node(UTC)


@pytest.mark.parametrize("values", [[], list(range(1001))])
def test_in_takes_one_to_a_thousand_values(values: list[int]) -> None:
    with pytest.raises(ValueError, match="1000"):
        Query(object="X", fields=["A"], where=OneOf("A", values)).node(UTC)


def test_an_empty_join_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="without conditions"):
        Query(object="X", fields=["A"], where=Every([])).node(UTC)


def test_reads_say_uniqueid_false_and_writes_true_under_their_stable_key(mounted: Mounted, desk: Desk, wire: Wire) -> None:
    everything(desk, mounted)
    *reads, change = wire.bodies
    orders = [
        [order.findtext("field") for order in each.iter("order")]
        for body in reads
        for each in etree.fromstring(body).iter("query")
    ]
    assert orders and all(not each or each[-1] in ("RECORDNO", "ID", "id") for each in orders)  # equal times need a tie-breaker
    assert b"<offset>" not in b"".join(reads)
    assert all(b"<uniqueid>false</uniqueid>" in each for each in reads)
    assert b"<uniqueid>true</uniqueid>" in change and b'<function controlid="stable-key">' in change
    assert all(b"<dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace>" in each for each in wire.bodies)
    ids = re.findall(rb"<controlid>([^<]+)</controlid>", b"".join(wire.bodies))
    assert len(set(ids)) == len(wire.bodies)


@pytest.mark.parametrize("controlid", ["", "x" * 257])
def test_a_write_needs_a_key(desk: Desk, controlid: str) -> None:
    with pytest.raises(ValueError, match="control id"):
        Client(desk.login).write(Node("update"), controlid)


def test_a_write_whose_session_had_ended_is_sent_again_under_the_same_key(
    mounted: Mounted, world: Any, desk: Desk, wire: Wire
) -> None:
    number = world.seed(bills=1)["bills"][0]
    client = Client(desk.login)
    client.session()
    world.expire_sessions()
    change = Node("update", [Node("APBILL", [Node("RECORDNO", number), Node("ONHOLD", "true")])])
    assert client.write(change, "k-1") == [{"RECORDNO": number}]
    assert [b'controlid="k-1"' in each for each in wire.bodies].count(True) == 2


def test_a_write_whose_answer_is_lost_is_not_sent_again(mounted: Mounted, world: Any, desk: Desk, wire: Wire) -> None:
    number = world.seed(bills=1)["bills"][0]
    mounted.faults.arm("lost_reply", operation="update")
    with pytest.raises(VendorUnavailable) as raised:
        Client(desk.login).write(Node("update", [Node("APBILL", [Node("RECORDNO", number), Node("ONHOLD", "true")])]), "k-1")
    assert raised.value.may_have_acted
    assert [b'controlid="k-1"' in each for each in wire.bodies].count(True) == 1


def test_intacct_case_17_illegal_characters_are_stripped_escaped_and_counted(
    mounted: Mounted, world: Any, desk: Desk, wire: Wire
) -> None:
    number = world.seed(bills=1)["bills"][0]
    dirty = "a\x07b & <c>\t\ud800\ufffe\r\n"
    change = Node("update", [Node("APBILL", [Node("RECORDNO", number), Node("DESCRIPTION", dirty), Node("ACTION", "Submit")])])
    with structlog.testing.capture_logs() as logs:
        Client(desk.login).write(change, "k-1")
    assert b"<DESCRIPTION>ab &amp; &lt;c&gt;\t&#13;\n</DESCRIPTION>" in wire.bodies[-1]
    assert [each["n_stripped"] for each in logs if each["event"] == "intacct_characters_stripped"] == [3]
    assert "ab & <c>" in world.bill(number)["DESCRIPTION"]


@given(text=st.text(alphabet=st.characters(), max_size=60), key=st.text(max_size=20))
def test_whatever_is_sent_is_well_formed_and_loses_only_what_is_illegal(text: str, key: str) -> None:
    body, n_stripped = build(SENDER, SESSION, [(key, Node("update", [Node("X", text)]))], unique=True)
    root = etree.fromstring(body)
    found = root.findtext(".//X") or ""
    controlid = root.find(".//function").get("controlid")  # type: ignore[union-attr]
    assert n_stripped == len(text) + len(key) - len(found) - len(controlid or "")
    legal = "".join(
        each
        for each in text
        if each in "\t\n\r" or (ord(each) >= 32 and not 0xD800 <= ord(each) <= 0xDFFF and each not in "\ufffe\uffff")
    )
    assert found == legal


def test_intacct_case_30_an_iso_filter_would_be_refused_and_ours_never_is_one(
    mounted: Mounted, desk: Desk, wire: Wire, world: Any
) -> None:
    everything(desk, mounted)
    stamps = [value for body in wire.bodies for value in _values_of(body, "WHENMODIFIED") | _values_of(body, "AUWHENCREATED")]
    assert stamps and all(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", each) for each in stamps)
    iso = Query(object="APBILL", fields=["RECORDNO"], where=Is("greaterthan", "WHENMODIFIED", "2026-11-20T00:00:00Z"))
    with pytest.raises(FunctionRefused) as raised:
        Client(desk.login).query(iso)
    assert isinstance(raised.value, ContractBroken) and "DL02000001" in raised.value.detail


def _values_of(body: bytes, field: str) -> set[str]:
    root = etree.fromstring(body)
    return {value.text or "" for name in root.iter("field") if name.text == field for value in name.itersiblings("value")}


# -- Values, both ways ---------------------------------------------------------------------------------------------------------

ZONES = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(2199, 1, 1)).map(lambda each: each.replace(microsecond=0, tzinfo=UTC))


@given(moment=MOMENTS, zone=ZONES)
def test_a_moment_survives_the_way_there_and_back(moment: datetime, zone: timezone) -> None:
    assert parse_moment(format_moment(moment, zone), zone) == moment


@given(day=st.dates(date(1900, 1, 1), date(2999, 1, 1)))
def test_a_date_survives_and_is_never_shifted(day: date) -> None:
    assert parse_date(format_date(day)) == parse_date(f"{format_date(day)} 23:59:59") == day


@given(amount=st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_an_amount_survives(amount: Decimal) -> None:
    assert parse_amount(format_value(amount, UTC)) == amount

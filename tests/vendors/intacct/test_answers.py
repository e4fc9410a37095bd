"""What we read: every documented answer, answers with illegal characters, and answers that want to hurt."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import (
    ContractBroken,
    CredentialsRejected,
    IntegrationError,
    PermissionMissing,
    RateLimited,
    RecordRejected,
    VendorUnavailable,
)
from integrations.vendors.intacct.catalogue import APBILL, STATE_LETTERS, STATES
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.envelope import Node, nested, parse, rows
from integrations.vendors.intacct.objects import (
    Unparsable,
    format_value,
    parse_amount,
    parse_boolean,
    parse_date,
    parse_integer,
    parse_label,
    parse_moment,
    parse_value,
    parse_zone,
    strip_illegal,
)
from integrations.vendors.intacct.query import Query
from integrations.vendors.intacct.safe_xml import BadXml, NotXml
from mappings.fields import Field, FieldType
from tests.vendors.intacct.conftest import answer, make_desk, page, result, scripted, signed_in

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "vendors" / "intacct" / "samples.json"
GATEWAY = "https://api.intacct.com/ia/xml/xmlgw.phtml"

MEANINGS: dict[str, type[IntegrationError] | None] = {
    "query_page_first": None,
    "query_page_last": None,
    "query_empty": None,
    "readByQuery_first": None,
    "readMore_last": None,
    "invalid_sender_gateway": CredentialsRejected,
    "invalid_sender_legacy": CredentialsRejected,
    "sender_not_authorized": PermissionMissing,
    "query_json": ContractBroken,
    "readMore_unknown_cursor": ContractBroken,
    "function_error_unknown_object": ContractBroken,
    "permission_error": PermissionMissing,
    "permission_error_audithistory": PermissionMissing,
    "transaction_aborted": ContractBroken,
    "malformed_xml": ContractBroken,
    "function_error_bad_field_or_date": ContractBroken,
    "rate_limited": RateLimited,
    "offline": VendorUnavailable,
}
WRITES: dict[str, type[IntegrationError] | None] = {
    "create_ok": None,
    "update_ok": None,
    "recall_bill": None,
    "create_already_exists": RecordRejected,
    "create_duplicate_uniqueid": ContractBroken,
}


def sample(name: str) -> tuple[int, str, dict[str, str]]:
    found = next(each for each in json.loads(SAMPLES.read_text())["samples"] if each["name"] == name)["response"]
    return found["http_status"], found["body"], {"Content-Type": found["content_type"]}


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the document's samples are not at {SAMPLES}")
@pytest.mark.parametrize("name", [*MEANINGS, *WRITES])
def test_every_documented_answer_has_its_meaning(name: str) -> None:
    desk = make_desk(base_url=GATEWAY)
    kind = {**MEANINGS, **WRITES}[name]
    with scripted(*signed_in(), sample(name)):
        client = Client(desk.login)

        def call() -> Any:
            return client.write(Node("x"), "k") if name in WRITES else client.query(Query(object="VENDOR", fields=["NAME"]))

        if kind is None:
            call()
        else:
            with pytest.raises(kind):
                call()


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the document's samples are not at {SAMPLES}")
def test_a_documented_page_is_read_as_it_stands() -> None:
    desk = make_desk(base_url=GATEWAY)
    with scripted(*signed_in(), sample("query_page_first")):
        (found,) = Client(desk.login).query(Query(object="VENDOR", fields=["NAME"]))
    assert [each["NAME"] for each in found.rows] == ["Acme & Sons", "O'Hara Ltd"] and found.n_remaining == 1


def test_results_are_matched_by_their_control_ids() -> None:
    desk = make_desk(base_url=GATEWAY)
    first, second = page("A", {"RECORDNO": "1"}), page("B", {"RECORDNO": "2"})
    swapped = answer("").replace(
        "</authentication>", "</authentication>" + second.replace("{n}", "f2") + first.replace("{n}", "f1")
    )
    with scripted(*signed_in(), (200, swapped)):
        found = Client(desk.login).query(Query(object="A", fields=["X"]), Query(object="B", fields=["X"]))
    assert [each.rows[0]["RECORDNO"] for each in found] == ["1", "2"]


def test_without_numremaining_a_full_page_means_more() -> None:
    desk = make_desk(base_url=GATEWAY)
    data = result("<data><A><RECORDNO>1</RECORDNO></A><A><RECORDNO>2</RECORDNO></A></data>")
    with scripted(*signed_in(), (200, answer(data)), (200, answer(data))):
        client = Client(desk.login)
        assert client.query(Query(object="A", fields=["X"], page_size=2))[0].n_remaining == 1
        assert client.query(Query(object="A", fields=["X"], page_size=3))[0].n_remaining == 0


def text_of(body: bytes) -> str:
    (row,) = rows(parse(body).outcomes[0].data)
    return row["A"]


def body(text: bytes) -> bytes:
    return answer(page("X", {"A": "@"})).encode().replace(b"@", text)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"a\x07b\x00\x1f\tc", "ab\tc"),
        (b"a&#7;b&#x1F;c&#9;d", "abc\td"),
        (b"a\xef\xbf\xbeb\xef\xbf\xbfc", "abc"),
        (b"a\xed\xa0\x80b\xed\xbf\xbf", "ab"),
        ("Müller 👍 日本".encode(), "Müller 👍 日本"),
        (b"&#128077;", "👍"),
        (b"O&#039;Hara &amp; &lt;b&gt;", "O'Hara & <b>"),
        (b"&amp;#039;", "&#039;"),  # only error texts are unescaped twice
    ],
)
def test_illegal_characters_in_an_answer_are_left_out(sent: bytes, read: str) -> None:
    assert text_of(body(sent)) == read


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_read(text: str) -> None:
    clean, _ = strip_illegal(text)
    assert text_of(body(escape(text).encode())) == clean.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE r [<!ENTITY a "b">]><response/>',
        b'<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE response SYSTEM "http://evil.example/x.dtd"><response/>',
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><response>&x;</response>',
        '<!DOCTYPE r [<!ENTITY a "b">]><response/>'.encode("utf-16"),
        b"<!-- " + b"x" * 5000 + b' --><!DOCTYPE response SYSTEM "r.dtd"><response/>',
        b"<response>&undefined;</response>",
        b"<response><control>",
        b"<response/><response/>",
        b"<response>" + b"<a>" * 100_000,
        b"\xff\xfe<response/>",
    ],
)
def test_what_wants_to_hurt_is_refused(content: bytes) -> None:
    with pytest.raises((BadXml, NotXml)):
        parse(content)


@pytest.mark.parametrize("before", ["", "<!-- " + "x" * 5000 + " -->"])
@pytest.mark.parametrize("doctype", ['<!DOCTYPE response SYSTEM "r.dtd">', '<!DOCTYPE response [<!ENTITY a "b">]>'])
def test_a_document_type_is_refused_before_an_answer_that_is_well_otherwise(before: str, doctype: str) -> None:
    head, rest = answer(page("X")).split("?>", 1)
    assert parse(f"{head}?>{before}{rest}".encode())
    with pytest.raises(BadXml, match="document type"):
        parse(f"{head}?>{before}{doctype}{rest}".encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(content: bytes) -> None:
    with pytest.raises((BadXml, NotXml)):
        parse(content)


def test_a_page_of_a_thousand_bills_is_parsed_whole() -> None:
    columns = [each.key for each in APBILL.catalogue if not each.is_of_lines]
    content = answer(page("APBILL", *(dict.fromkeys(columns, f"text {n}") for n in range(1000)))).encode()
    assert len(list(rows(parse(content).outcomes[0].data))) == 1000


def test_lists_inside_a_record_are_read_apart() -> None:
    lines = "<APBILLITEMS><apbillitem><LINE_NO>1</LINE_NO></apbillitem></APBILLITEMS>"
    data = f"<data><apbill><RECORDNO>1</RECORDNO>{lines}</apbill></data>"
    found = parse(answer(result(data)).encode()).outcomes[0].data
    assert list(nested(found, "APBILLITEMS")) == [[{"LINE_NO": "1"}]]


UTC8 = timezone(timedelta(hours=-8))


def test_amounts() -> None:
    assert [parse_amount(each) for each in ("-1234.50", "3797", ".5", "5.", "+1")] == [
        Decimal(x) for x in ("-1234.50", "3797", ".5", "5", "1")
    ]
    for bad in ("1,000.00", "1e3", "NaN", "Infinity", "", " 1", "\u0661", "0x1", "1_000"):
        with pytest.raises(Unparsable):
            parse_amount(bad)


def test_integers_may_carry_decimals() -> None:
    assert parse_integer("12.00") == 12 and isinstance(parse_integer("12.00"), int)
    assert parse_integer("12.5") == Decimal("12.5")


def test_dates_and_moments() -> None:
    assert parse_date("12/20/2026") == parse_date("12/20/2026 00:00:00") == date(2026, 12, 20)
    assert parse_moment("11/20/2026 17:00:00", UTC8) == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert parse_moment("11/20/2026", UTC8) == datetime(2026, 11, 20, 8, tzinfo=UTC)
    for bad in ("20.12.2026", "2026-12-20", "13/01/2026", "02/30/2026", "12/20/2026x", "", "12/20/26"):
        with pytest.raises(Unparsable):
            parse_date(bad)
    for bad in ("2026-11-20T00:00:00Z", "11/20/2026 24:00:00", "11/20/2026 05:00:00 PM", "01/01/0000"):
        with pytest.raises(Unparsable):
            parse_moment(bad, UTC)
    with pytest.raises(Unparsable):
        parse_moment("01/01/0001 00:00:00", timezone(timedelta(hours=13)))


def test_booleans_labels_and_zones() -> None:
    assert [parse_boolean(each) for each in ("true", "T", "false", "F", "True")] == [True, True, False, False, True]
    with pytest.raises(Unparsable):
        parse_boolean("maybe")
    assert [parse_label(each, STATES, STATE_LETTERS) for each in ("A", "PA", "partially approved", "Posted", "New One")] == [
        "Posted", "Partially Approved", "Partially Approved", "Posted", "New One",
    ]  # fmt: skip
    assert parse_zone("-08:00").utcoffset(None) == timedelta(hours=-8)
    assert parse_zone("GMT+5:30").utcoffset(None) == timedelta(hours=5, minutes=30)
    for bad in ("", "PST", "+99:00"):
        with pytest.raises(Unparsable):
            parse_zone(bad)


@pytest.mark.parametrize("kind", list(FieldType))
def test_empty_means_not_set(kind: FieldType) -> None:
    field = Field(key="X", label="X", type=kind)
    assert parse_value(field, "", UTC) is None and parse_value(field, "  ", UTC) is None


def test_values_of_filters() -> None:
    assert [format_value(each, UTC) for each in (True, Decimal("1.50"), date(2026, 1, 2), 7, "x")] == [
        "true",
        "1.50",
        "01/02/2026",
        "7",
        "x",
    ]


def test_the_catalogue_has_each_field_once_with_a_label_and_an_example() -> None:
    keys = [each.key for each in APBILL.catalogue]
    assert len(keys) == len(set(keys)) and all(each.label and each.example for each in APBILL.catalogue)
    for each in APBILL.catalogue:
        parse_value(each, each.example, UTC)

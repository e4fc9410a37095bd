"""Failures by name at the Intacct sandbox, and its limits."""

import gzip
import threading
import time
from collections.abc import Iterator

import pytest
from lxml import etree

from integrations.sandboxes.core import ConnectionCut, TooSlow
from integrations.sandboxes.intacct.faults import FAULTS
from tests.sandboxes.test_intacct import Talk, query, where

ASK = query("VENDOR", "RECORDNO")
CREATE = (
    "<create><APBILL><WHENCREATED>11/20/2026</WHENCREATED><VENDORID>V-011</VENDORID><WHENDUE>12/20/2026</WHENDUE><APBILLITEMS>"
    "<APBILLITEM><ACCOUNTNO>6220-00-00</ACCOUNTNO><TRX_AMOUNT>1.00</TRX_AMOUNT><LOCATIONID>110</LOCATIONID></APBILLITEM>"
    "</APBILLITEMS></APBILL></create>"
)


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    talk.sign_in()
    yield talk


@pytest.mark.parametrize(
    ("name", "status", "errorno"),
    [("rate_limited", 429, "GW-0010"), ("rate_limited_200", 200, "GW-0010"), ("edge_401", 401, "XMLGW_JPP0002")],
)
def test_the_gateway_in_front_may_answer_by_itself(talk: Talk, name: str, status: int, errorno: str) -> None:
    talk.faults.arm(name)
    heard = talk.ask(CREATE)
    assert (heard.status, heard.errorno, heard.statuses()) == (status, errorno, ["failure"])
    assert [child.tag for child in heard.xml.find("control")] == ["status"]
    assert talk.world.bills() == []
    assert talk.ask(ASK).errorno == ""


def test_a_slow_down_may_say_for_how_long(talk: Talk) -> None:
    talk.faults.arm("rate_limited", retry_after=7)
    assert talk.ask(ASK).headers["Retry-After"] == "7"


def test_an_expired_demo_has_an_empty_sender_in_its_answer(talk: Talk) -> None:
    talk.faults.arm("demo_expired")
    heard = talk.ask(ASK)
    assert (heard.errorno, heard.xml.findtext("control/senderid")) == ("PL04000055", "")


@pytest.mark.parametrize(("name", "status"), [("http_502", 502), ("http_503", 503), ("cdn_html", 520)])
def test_a_page_instead_of_xml_means_nothing_was_done(talk: Talk, name: str, status: int) -> None:
    talk.faults.arm(name)
    heard = talk.ask(CREATE)
    assert heard.status == status
    assert heard.headers["Content-Type"].startswith("text/html")
    assert talk.world.bills() == []


def test_a_524_comes_after_the_work_was_done(talk: Talk) -> None:
    talk.faults.arm("http_524")
    assert talk.ask(CREATE).status == 524
    assert len(talk.world.bills()) == 1


def test_a_524_for_large_pages_alone_is_helped_by_asking_for_less(talk: Talk) -> None:
    talk.faults.arm("http_524", times=None, above=500)
    assert talk.ask(query("VENDOR", "RECORDNO", paging="<pagesize>1000</pagesize>")).status == 524
    assert talk.ask(query("VENDOR", "RECORDNO", paging="<pagesize>500</pagesize>")).status == 200


def test_a_cut_line_may_hide_a_write(talk: Talk) -> None:
    talk.faults.arm("cut")
    talk.faults.arm("lost_reply")
    with pytest.raises(ConnectionCut):
        talk.ask(CREATE)
    assert talk.world.bills() == []
    with pytest.raises(ConnectionCut):
        talk.ask(CREATE)
    assert len(talk.world.bills()) == 1


def test_an_answer_may_come_too_late(talk: Talk) -> None:
    talk.faults.arm("slow", seconds=3)
    with pytest.raises(TooSlow) as slow:
        talk.ask(ASK)
    assert slow.value.seconds == 3


def test_a_fault_strikes_the_operation_it_names(talk: Talk) -> None:
    talk.faults.arm("offline", operation="query CLASS")
    talk.faults.arm("offline", operation="readMore")
    assert talk.ask(ASK).errorno == "" and talk.ask(ASK).statuses()[-1] == "success"
    assert talk.ask(query("CLASS", "RECORDNO")).text == "The Service is Temporarily Off-line"
    assert talk.ask("<readMore><resultId>x</resultId></readMore>").text == "The Service is Temporarily Off-line"


@pytest.mark.parametrize("name", ["truncated", "two_roots"])
def test_an_answer_may_not_parse(talk: Talk, name: str) -> None:
    talk.faults.arm(name)
    with pytest.raises(etree.XMLSyntaxError):
        _ = talk.ask(ASK).xml


def test_an_answer_may_carry_a_document_type(talk: Talk) -> None:
    talk.faults.arm("entity_bomb")
    bomb = talk.ask(ASK).body
    assert bomb.count(b"<!ENTITY") == 10 and b"&a9;" in bomb
    talk.faults.arm("dtd")
    assert b"<!DOCTYPE response SYSTEM" in talk.ask(ASK).body


def test_an_answer_may_be_huge_or_packed(talk: Talk) -> None:
    talk.faults.arm("huge")
    assert len(talk.ask(ASK).body) > 10 * 1024 * 1024
    talk.faults.arm("gzip")
    heard = talk.ask(ASK)
    assert heard.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(heard.body).startswith(b"<?xml")


def test_only_calls_with_a_session_can_meet_an_invalid_one(talk: Talk) -> None:
    talk.faults.arm("invalid_session")
    other = Talk(sandbox=talk.sandbox)
    assert other.sign_in().errorno == ""
    assert talk.ask(ASK).text.startswith("Invalid session")
    assert talk.ask(ASK).errorno == ""


def test_error_texts_may_be_escaped_twice_and_hold_tags(talk: Talk) -> None:
    talk.faults.arm("escaped_texts")
    heard = talk.ask(ASK)
    assert "&#039;O&#039;Hara&#039;" in heard.text
    assert "<b>not</b>" in heard.text


def test_permission_for_one_object_may_be_missing(talk: Talk) -> None:
    talk.faults.arm("permission_denied", times=None, object="VENDOR")
    assert talk.ask(ASK).errorno == "PL04000005"
    assert talk.ask(query("APBILL", "RECORDNO")).errorno == ""
    talk.faults.arm("audithistory_denied")
    assert talk.ask(query("AUDITHISTORY", "ID")).text == "You do not have permission to view audit history"


def test_getapisession_may_point_elsewhere_or_say_no_end(talk: Talk) -> None:
    talk.faults.arm("evil_endpoint")
    talk.faults.arm("no_sessiontimeout")
    heard = talk.sign_in()
    assert heard.xml.findtext(".//api/endpoint") == "https://evil.example/xml"
    assert heard.xml.find(".//sessiontimeout") is None
    assert talk.sign_in().xml.find(".//sessiontimeout") is not None


def test_every_fault_strikes_something(talk: Talk) -> None:
    for name in sorted(FAULTS - {"cut", "lost_reply", "slow"}):
        talk.faults.arm(name, times=None)
        plain = {"evil_endpoint": "<getAPISession/>", "audithistory_denied": query("AUDITHISTORY", "ID")}.get(name, ASK)
        heard = talk.ask(plain)
        talk.faults.clear()
        assert (heard.status, heard.body) != (200, talk.ask(plain).body), name


def test_more_is_told_about_an_error_when_asked_for(talk: Talk) -> None:
    body = talk.request(query("VENDOR", "NOSUCH"))
    more = b"</includewhitespace><showadditionalerrorinfo>true</showadditionalerrorinfo>"
    heard = talk.post(body.replace(b"</includewhitespace>", more), "/intacct/na12/ia/xml/xmlgw.phtml")
    assert heard.xml.find(".//error/additionalinfo/errorid") is not None


def at_once(talk: Talk, n: int) -> list[int]:
    """The statuses of ``n`` requests sent at the same time."""
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(talk.ask(ASK).status)) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def test_two_requests_of_a_company_are_served_at_once_and_the_third_waits(talk: Talk) -> None:
    talk.world.reset(bills=0, hold=0.03)
    talk.sign_in()
    began = time.monotonic()
    assert at_once(talk, 4) == [200] * 4
    assert time.monotonic() - began >= 2 * 0.03
    assert talk.world.n_in_flight_max == 4
    assert talk.world.state()["n_in_flight_max"] == {"sample_sender/SAMPLE": 4}


def test_a_request_that_waits_too_long_is_sent_away(talk: Talk) -> None:
    talk.world.reset(bills=0, hold=0.05, concurrency=1, waits_for=0.01)
    talk.sign_in()
    assert at_once(talk, 2) == [200, 429]
    talk.world.reset(bills=0, hold=0.05, concurrency=1, waits_for=0.01, limits=False)
    talk.sign_in()
    assert at_once(talk, 2) == [200, 200]


def test_too_many_calls_in_one_period_are_sent_away(talk: Talk) -> None:
    talk.world.reset(bills=0, rate=3, rate_for=60)
    talk.sign_in()
    assert [talk.ask(ASK).status for _ in range(3)] == [200, 200, 429]
    talk.clock.advance(61)
    assert talk.ask(ASK).status == 200


def test_transactions_are_counted_per_read_and_per_record_written(talk: Talk) -> None:
    assert talk.world.state()["n_transactions"] == {"SAMPLE": 0}
    talk.ask(ASK)
    talk.ask(query("VENDOR", "RECORDNO", where("equalto", "NOSUCH", "1")))
    talk.ask(CREATE.replace("<create>", "").replace("</create>", "").join(["<create>", "</create>"]))
    assert talk.world.state()["n_transactions"] == {"SAMPLE": 2}

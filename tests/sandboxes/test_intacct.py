"""Signing in at the Intacct sandbox: sessions, the three layers of an answer, and every way of being turned away."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from integrations.sandboxes.core import Sandbox
from integrations.sandboxes.intacct import IntacctWorld

LOGIN_HOST, SESSION_HOST = "/intacct/ia/xml/xmlgw.phtml", "/intacct/na12/ia/xml/xmlgw.phtml"
SHOW_PRIVATE = "<options><showprivate>true</showprivate></options>"
BY_STAMP = (
    "<orderby><order><field>WHENMODIFIED</field><ascending/></order><order><field>RECORDNO</field><ascending/></order></orderby>"
)


@dataclass(kw_only=True)
class Heard:
    """One answer, as a careful client would look at it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> Any:
        return etree.fromstring(self.body)

    @property
    def data(self) -> Any:
        return self.xml.find("operation/result/data")

    @property
    def errorno(self) -> str:
        return self.xml.findtext(".//error/errorno") or ""

    @property
    def text(self) -> str:
        return self.xml.findtext(".//error/description2") or ""

    def statuses(self) -> list[str]:
        return [found.text for found in self.xml.iter("status")]

    def column(self, name: str) -> list[str]:
        return [row.findtext(name) or "" for row in self.data]


@dataclass(kw_only=True)
class Talk:
    """Just enough of a client to say valid things to the gateway."""

    sandbox: Sandbox = field(default_factory=lambda: Sandbox({"intacct": IntacctWorld}))
    sender: tuple[str, str] = ("sample_sender", "sample-sender-pw")
    login: tuple[str, str, str] = ("xml_gateway", "SAMPLE", "sample-user-pw")
    session: str = ""
    unique: str = "<uniqueid>false</uniqueid>"

    @property
    def world(self) -> IntacctWorld:
        world = self.sandbox.mounted("intacct").world
        assert isinstance(world, IntacctWorld)
        return world

    @property
    def clock(self) -> Any:
        return self.sandbox.mounted("intacct").clock

    @property
    def faults(self) -> Any:
        return self.sandbox.mounted("intacct").faults

    def post(self, body: bytes, path: str = LOGIN_HOST, method: str = "POST", content_type: str = "application/xml") -> Heard:
        said: dict[str, Any] = {}
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "sandbox", "SERVER_PORT": "80"}
        environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type, "wsgi.input": io.BytesIO(body)}
        environ |= {"wsgi.url_scheme": "http", "HTTP_HOST": "sandbox"}
        start: Callable[..., Any] = lambda status, headers: said.update(status=int(status[:3]), headers=dict(headers))  # noqa: E731
        parts = self.sandbox(environ, start)
        return Heard(status=said["status"], headers=said["headers"], body=b"".join(parts))

    def request(
        self, *functions: str, locationid: str = "", clientid: str = "", transaction: bool = False, ids: tuple[str, ...] = ()
    ) -> bytes:
        user, company, password = self.login
        login = f"<login><userid>{user}</userid><companyid>{escape(company)}</companyid><password>{password}</password>"
        login += (f"<clientid>{clientid}</clientid>" if clientid else "") + f"<locationid>{locationid}</locationid></login>"
        authentication = f"<sessionid>{self.session}</sessionid>" if self.session else login
        names = ids or tuple(f"f{number}" for number in range(len(functions)))
        content = "".join(f'<function controlid="{id_}">{one}</function>' for id_, one in zip(names, functions, strict=True))
        control = f"<senderid>{self.sender[0]}</senderid><password>{self.sender[1]}</password><controlid>c-1</controlid>"
        control += f"{self.unique}<dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace>"
        attribute = ' transaction="true"' if transaction else ""
        operation = f"<authentication>{authentication}</authentication><content>{content}</content>"
        body = f"<request><control>{control}</control><operation{attribute}>{operation}</operation></request>"
        return body.encode()

    def ask(self, *functions: str, **more: Any) -> Heard:
        return self.post(self.request(*functions, **more), SESSION_HOST if self.session else LOGIN_HOST)

    def sign_in(self, **more: Any) -> Heard:
        self.session = ""
        heard = self.ask("<getAPISession/>", **more)
        self.session = heard.xml.findtext(".//api/sessionid") or ""
        return heard


def query(object_: str, fields: str, filter_: str = "", *, order: str = "", options: str = "", paging: str = "") -> str:
    """``fields`` split by blanks; the other parts as XML."""
    select = "".join(f"<field>{name}</field>" for name in fields.split())
    filter_ = f"<filter>{filter_}</filter>" if filter_ else ""
    return f"<query><object>{object_}</object><select>{select}</select>{filter_}{order}{options}{paging}</query>"


def where(how: str, path: str, *values: str) -> str:
    return f"<{how}><field>{path}</field>{''.join(f'<value>{escape(value)}</value>' for value in values)}</{how}>"


@pytest.fixture
def talk() -> Iterator[Talk]:
    yield Talk()


ONE_BILL = query("APBILL", "RECORDNO", paging="<pagesize>1</pagesize>")


def test_a_login_gives_a_session_that_works_at_its_own_endpoint(talk: Talk) -> None:
    heard = talk.sign_in()
    assert heard.headers["Content-Type"] == 'text/xml; encoding="UTF-8"'
    assert heard.xml.findtext(".//api/endpoint") == "http://sandbox/intacct/na12/ia/xml/xmlgw.phtml"
    assert talk.ask(ONE_BILL).statuses() == ["success"] * 3


def test_the_calls_are_listed_by_function_and_object(talk: Talk) -> None:
    talk.sign_in()
    talk.ask(ONE_BILL, query("APBILLITEM", "RECORDNO"))
    operations = [call["operation"] for call in talk.sandbox.mounted("intacct").calls]
    assert operations == ["getAPISession", "query APBILL,query APBILLITEM"]


def test_a_session_taken_to_the_login_host_is_invalid(talk: Talk) -> None:
    talk.sign_in()
    heard = talk.post(talk.request(ONE_BILL), LOGIN_HOST)
    assert (heard.status, heard.errorno) == (200, "XL03000006")
    assert heard.text == f"Invalid session {talk.session[0]}...."
    assert heard.xml.findtext("operation/authentication/companyid") == ""
    talk.world.reset(any_endpoint=True)
    talk.sign_in()
    assert talk.post(talk.request(ONE_BILL), LOGIN_HOST).statuses() == ["success"] * 3


def test_every_call_moves_the_end_of_the_session(talk: Talk) -> None:
    talk.world.reset(session_for=40)
    talk.sign_in()
    for _ in range(3):
        talk.clock.advance(39)
        assert talk.ask(ONE_BILL).errorno == ""
    talk.clock.advance(41)
    assert talk.ask(ONE_BILL).text.startswith("Invalid session")


def test_a_session_belongs_to_its_sender(talk: Talk) -> None:
    talk.sign_in()
    talk.world.add_sender("other_sender", "other-pw")
    talk.sender = ("other_sender", "other-pw")
    assert talk.ask(ONE_BILL).text.startswith("Invalid session")


def test_sessions_can_be_killed_early(talk: Talk) -> None:
    talk.sign_in()
    talk.world.expire_sessions()
    assert talk.ask(ONE_BILL).text.startswith("Invalid session")


def test_the_times_of_a_session_carry_the_offset_they_are_told_to(talk: Talk) -> None:
    talk.world.reset(timeoffset="-08:00", session_for=1800)
    authentication = talk.sign_in().xml.find("operation/authentication")
    assert authentication.findtext("sessiontimestamp").endswith("-08:00")
    assert authentication.findtext("sessiontimeout") > authentication.findtext("sessiontimestamp")


def test_an_entity_session_is_started_from_a_session_or_a_login(talk: Talk) -> None:
    talk.sign_in()
    heard = talk.ask("<getAPISession><locationid>E200</locationid></getAPISession>")
    assert heard.xml.findtext(".//api/locationid") == "E200"
    assert heard.xml.findtext(".//authentication/locationid") == ""
    assert heard.xml.findtext(".//api/sessionid") != talk.session
    assert talk.ask("<getAPISession><locationid>nowhere</locationid></getAPISession>").errorno == "Get API Session Failed"
    assert talk.sign_in(locationid="E100").xml.findtext(".//api/locationid") == "E100"
    assert talk.sign_in(locationid="nowhere").text == "Sign-in information is incorrect"


def test_a_console_slides_into_its_client(talk: Talk) -> None:
    talk.world.add_company("CLIENT", console="SAMPLE", bills=3)
    assert talk.sign_in(clientid="CLIENT").xml.findtext(".//authentication/companyid") == "CLIENT"
    assert talk.ask(query("APBILL", "RECORDNO", options=SHOW_PRIVATE)).data.get("totalcount") == "3"
    talk.login = ("xml_gateway", "SAMPLE|CLIENT|E100", "sample-user-pw")
    assert talk.sign_in().xml.findtext(".//api/locationid") == "E100"
    talk.login = ("xml_gateway", "SAMPLE", "sample-user-pw")
    assert talk.sign_in(clientid="SOMEBODY").text == "Sign-in information is incorrect"


@pytest.mark.parametrize(
    ("sender", "settings", "status", "errorno"),
    [
        (("sample_sender", "wrong"), {}, 400, "GW-0011"),
        (("nobody", "sample-sender-pw"), {}, 400, "GW-0011"),
        (("SAMPLE_SENDER", "sample-sender-pw"), {}, 400, "GW-0011"),
        (("sample_sender", "wrong"), {"sender_error": "legacy"}, 200, "XL03000006"),
    ],
)
def test_a_wrong_sender_is_refused_in_the_control_layer(
    talk: Talk, sender: tuple[str, str], settings: dict[str, str], status: int, errorno: str
) -> None:
    talk.world.reset(**settings)
    talk.sender = sender
    heard = talk.sign_in()
    assert (heard.status, heard.errorno, heard.statuses()) == (status, errorno, ["failure"])
    assert heard.xml.find("operation") is None
    assert (heard.xml.find("control/senderid") is None) is (status == 400)


def test_the_sender_is_checked_on_every_request(talk: Talk) -> None:
    talk.sign_in()
    talk.sender = ("sample_sender", "wrong")
    assert talk.ask(ONE_BILL).status == 400


@pytest.mark.parametrize("login", [("xml_gateway", "SAMPLE", "wrong"), ("nobody", "SAMPLE", "x"), ("xml_gateway", "NONE", "x")])
def test_a_wrong_user_or_company_is_refused_in_the_second_layer(talk: Talk, login: tuple[str, str, str]) -> None:
    talk.login = login
    heard = talk.sign_in()
    assert (heard.status, heard.errorno, heard.text) == (200, "XL03000006", "Sign-in information is incorrect")
    assert heard.statuses() == ["success", "failure"]
    assert heard.xml.find(".//result") is None


def test_an_unknown_company_may_also_be_stopped_by_the_gateway(talk: Talk) -> None:
    talk.world.reset(unknown_company="gateway")
    talk.login = ("xml_gateway", "NONE", "sample-user-pw")
    assert (talk.sign_in().status, talk.sign_in().errorno) == (400, "GW-0011")


def test_a_sender_the_company_did_not_authorise_is_told_so(talk: Talk) -> None:
    talk.world.add_sender("stranger", "pw", companies=())
    talk.sender = ("stranger", "pw")
    heard = talk.sign_in()
    assert heard.xml.findtext(".//error/description") == "Invalid Web Services Authorization"
    assert b"&#039;stranger&#039;" in heard.body
    assert heard.statuses() == ["success", "failure"]


def test_a_company_may_have_expired_or_not_be_subscribed(talk: Talk) -> None:
    talk.world.companies["SAMPLE"].is_subscribed = False
    assert "not authorized for XML transactions" in talk.sign_in().text
    talk.world.companies["SAMPLE"].has_expired = True
    heard = talk.sign_in()
    assert (heard.errorno, heard.xml.findtext("control/senderid")) == ("PL04000055", "")


def test_getapisession_must_come_alone(talk: Talk) -> None:
    heard = talk.ask("<getAPISession/>", ONE_BILL)
    assert heard.statuses() == ["success", "success", "failure", "failure"]
    assert heard.errorno == "Get API Session Failed"


def test_what_does_not_parse_is_told_with_line_and_column(talk: Talk) -> None:
    heard = talk.post(b"<request><control></request>")
    assert heard.errorno == "XL03000003"
    assert "Fatal Error 76: Opening and ending tag mismatch" in heard.text
    assert "Line: 1, column: " in heard.text
    assert talk.post(b"").errorno == "XL03000003"
    assert talk.post(b'{"json": true}').errorno == "XL03000003"


def test_control_characters_do_not_parse(talk: Talk) -> None:
    body = talk.request(query("VENDOR", "NAME", where("equalto", "NAME", "bell"))).replace(b"bell", b"be\x07ll")
    heard = talk.post(body)
    assert heard.errorno == "XL03000003"
    assert heard.xml.findtext("control/senderid") == "sample_sender"


@pytest.mark.parametrize(
    "doctype",
    [b"<!DOCTYPE request>", b'<!DOCTYPE request [<!ENTITY x SYSTEM "file:///etc/passwd">]>', b'<!DOCTYPE request SYSTEM "x">'],
)
def test_a_document_type_is_refused(talk: Talk, doctype: bytes) -> None:
    assert talk.post(doctype + talk.request(ONE_BILL)).errorno == "XL03000003"


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (b"<controlid>c-1</controlid>", b"<controlid></controlid>"),
        (b"<controlid>c-1</controlid>", b"<controlid>" + b"x" * 257 + b"</controlid>"),
        (b'controlid="f0"', b""),
        (b"<dtdversion>3.0</dtdversion>", b"<surprise/>"),
        (b"getAPISession", b"makeCoffee"),
        (b"<userid>xml_gateway</userid>", b""),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(talk: Talk, part: bytes, instead: bytes) -> None:
    body = talk.request("<getAPISession/>")
    assert part in body
    assert talk.post(body.replace(part, instead)).errorno == "XL03000003"


def test_the_order_inside_control_matters(talk: Talk) -> None:
    body = talk.request("<getAPISession/>")
    sender, password = b"<senderid>sample_sender</senderid>", b"<password>sample-sender-pw</password>"
    assert talk.post(body.replace(sender + password, password + sender)).errorno == "XL03000003"


def test_white_space_comes_unless_it_is_declined(talk: Talk) -> None:
    body = talk.request("<getAPISession/>").replace(b"<includewhitespace>false</includewhitespace>", b"")
    heard = talk.post(body)
    assert b"</control>\n<operation>" in heard.body
    assert b"<locationid></locationid>" in heard.body


def test_only_the_two_addresses_answer_and_only_to_post(talk: Talk) -> None:
    assert talk.post(b"", "/intacct/ia/xml/other").status == 404
    assert talk.post(b"", method="GET").status == 405


def test_a_request_must_call_itself_xml(talk: Talk) -> None:
    assert talk.post(talk.request("<getAPISession/>"), content_type="application/json").errorno == "XL03000003"
    assert talk.post(talk.request("<getAPISession/>"), content_type="text/xml; charset=utf-8").errorno == ""


def test_worlds_do_not_see_each_other(talk: Talk) -> None:
    heard = talk.post(talk.request("<getAPISession/>"), "/w/acme" + LOGIN_HOST)
    assert heard.xml.findtext(".//api/endpoint") == "http://sandbox/w/acme" + SESSION_HOST
    talk.session = heard.xml.findtext(".//api/sessionid")
    assert talk.ask(ONE_BILL).text.startswith("Invalid session")
    assert talk.post(talk.request(ONE_BILL), "/w/acme" + SESSION_HOST).errorno == ""


def test_the_state_lists_the_bills_for_comparing_sums(talk: Talk) -> None:
    talk.world.reset(bills=3)
    bills = talk.world.state()["bills"]
    assert [sorted(bill) for bill in bills] == [["currency", "recordno", "trx_totalentered"]] * 3


def test_a_setting_that_does_not_exist_is_refused(talk: Talk) -> None:
    with pytest.raises(TypeError):
        talk.world.reset(colour="blue")

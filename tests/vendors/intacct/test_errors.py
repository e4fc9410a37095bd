"""Every bad answer becomes one of our classes, says who acts next, and tells nobody a secret."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog

from integrations.errors import (
    ContractBroken,
    CredentialsRejected,
    IntegrationError,
    PermissionMissing,
    RateLimited,
    RecordRejected,
    SetupBroken,
    VendorUnavailable,
)
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.envelope import Node
from integrations.vendors.intacct.errors import FunctionRefused
from integrations.vendors.intacct.query import Query
from tests.vendors.intacct.conftest import Desk, answer, make_desk, result, scripted, signed_in

BILLS = Query(object="APBILL", fields=["RECORDNO"])
GATEWAY = "https://api.intacct.com/ia/xml/xmlgw.phtml"
Calls = Callable[[], list[str]]


def control_failure(errors: str) -> str:
    return f"<response><control><status>failure</status></control><errormessage>{errors}</errormessage></response>"


def error(code: str = "", text: str = "", *, description: str = "", correction: str = "") -> str:
    number = f"<errorno>{code}</errorno>" if code else ""
    parts = {"description": description, "description2": text, "correction": correction}
    return f"<error>{number}{''.join(f'<{name}>{said}</{name}>' for name, said in parts.items())}</error>"


def after_signing_in(*answers: tuple[Any, ...], write: bool = False) -> tuple[IntegrationError, Any]:
    """The error that these answers to a query (or a write) become, and the wire."""
    desk = make_desk(base_url=GATEWAY)
    with scripted(*signed_in(), *answers) as wire, pytest.raises(IntegrationError) as raised:
        client = Client(desk.login)
        _ = client.write(Node("update", [Node("APBILL")]), "k1") if write else client.query(BILLS)
    return raised.value, wire


def test_intacct_case_07_an_unauthorised_sender_is_told_where_to_add_it(world: Any, mounted: Mounted, calls: Calls) -> None:
    world.add_sender("mlc_sender", "mlc-sender-pw", companies=())
    desk = make_desk(now=mounted.clock.now, sender_id="mlc_sender", sender_password="mlc-sender-pw")
    with pytest.raises(PermissionMissing) as raised:
        Client(desk.login).query(BILLS)
    said = raised.value.said
    assert "add mlc_sender to the Web Services authorizations" in said and "Company > Setup > Company > Security" in said
    assert "The sender ID 'mlc_sender' is not authorized" in said and "&#039;" not in said
    assert raised.value.right == "Web Services authorization for mlc_sender"
    assert calls() == ["getAPISession"]


@pytest.mark.parametrize("sender_error", ["gateway", "legacy"])
def test_intacct_case_08_an_unknown_sender_is_a_matter_of_credentials_whatever_the_status(
    world: Any, mounted: Mounted, calls: Calls, sender_error: str
) -> None:
    world.reset(bills=0, sender_error=sender_error)
    desk = make_desk(now=mounted.clock.now, sender_password="wrong-sender-pw")
    with pytest.raises(CredentialsRejected) as raised:
        Client(desk.login).query(BILLS)
    assert "sender ID “sample_sender”" in raised.value.said
    assert calls() == ["getAPISession"]


def test_intacct_case_08_a_refusal_at_the_edge_likewise(mounted: Mounted, desk: Desk) -> None:
    mounted.faults.arm("edge_401")
    with pytest.raises(CredentialsRejected):
        Client(desk.login).query(BILLS)


@pytest.mark.parametrize("unknown", ["login", "gateway"])
def test_an_unknown_company_is_a_matter_of_credentials(world: Any, mounted: Mounted, unknown: str) -> None:
    world.reset(bills=0, unknown_company=unknown)
    with pytest.raises(CredentialsRejected):
        Client(make_desk(now=mounted.clock.now, company_id="NOBODY").login).query(BILLS)


@pytest.mark.parametrize("fault", ["rate_limited", "rate_limited_200"])
def test_intacct_case_09_two_refusals_make_two_growing_waits_then_it_goes_on(mounted: Mounted, desk: Desk, fault: str) -> None:
    client = Client(desk.login)
    client.query(BILLS)
    mounted.faults.arm(fault, times=2)
    waits: list[timedelta] = []
    while len(waits) < 5:
        try:
            client.query(BILLS)
            break
        except RateLimited as limited:
            waits.append(limited.retry_after)
            mounted.clock.advance(limited.retry_after.total_seconds())
    assert len(waits) == 2
    assert timedelta(seconds=30) <= waits[0] < timedelta(seconds=38) < timedelta(seconds=60) <= waits[1] < timedelta(seconds=76)
    mounted.faults.arm(fault)
    with pytest.raises(RateLimited) as again:
        client.query(BILLS)
    assert again.value.retry_after < timedelta(seconds=38)


def test_waits_differ_so_that_workers_do_not_come_back_together(mounted: Mounted, desk: Desk) -> None:
    mounted.faults.arm("rate_limited", times=None)
    waits = set()
    for _ in range(5):
        with pytest.raises(RateLimited) as raised:
            Client(desk.login).query(BILLS)
        waits.add(raised.value.retry_after)
    assert len(waits) > 1


def test_the_rate_limit_is_known_by_its_text_where_it_has_no_code() -> None:
    for text in ("API rate limit exceeded", "api rate limit exceeded for company"):
        raised, _ = after_signing_in((200, answer(result(status="failure", errors=error("", text)))))
        assert isinstance(raised, RateLimited)
    raised, _ = after_signing_in((429, control_failure(error("NEW", "too many"))))
    assert isinstance(raised, RateLimited)


def test_a_longer_retry_after_is_honoured() -> None:
    limited = control_failure(error("GW-0010", description="API rate limit exceeded [Request ID: AC47]"))
    raised, _ = after_signing_in((429, limited, {"Retry-After": "120"}))
    assert isinstance(raised, RateLimited) and raised.retry_after == timedelta(seconds=120)
    raised, _ = after_signing_in((429, "<html>slow down</html>", {"Retry-After": "90"}))
    assert isinstance(raised, RateLimited) and raised.retry_after == timedelta(seconds=90)


def test_a_missing_permission_names_the_right_and_the_support_id_goes_to_us(world: Any, mounted: Mounted) -> None:
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions={"VENDOR": "read", "USERINFO": "read"})
    desk = make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw")
    with pytest.raises(PermissionMissing) as raised:
        Client(desk.login).query(BILLS)
    assert raised.value.right == "Accounts Payable > Bills: List, View"
    assert "“poor”" in raised.value.said and "read bills" in raised.value.said
    assert "Support ID" not in raised.value.said


def test_a_support_id_is_decoded_and_kept_for_us() -> None:
    text = "You do not have permission for API operation READ on objects of type apbill [Support ID: 9Pv-AG%7Eaodus]"
    raised, _ = after_signing_in((200, answer(result(status="failure", errors=error("PL04000005", text)))))
    assert raised.request_id == "9Pv-AG~aodus"


def test_intacct_case_29_the_first_error_is_the_cause_never_the_rollback() -> None:
    cause = error("Query Failed", "Object definition VENDOR9 not found")
    rolled_back = error("XL03000009", "The entire transaction in this operation has been rolled back due to an error.")
    for errors in (cause + rolled_back, rolled_back + cause):
        raised, _ = after_signing_in((200, answer(result(status="aborted", errors=errors))))
        assert isinstance(raised, ContractBroken)
        assert "VENDOR9 not found" in raised.detail and "rolled back" not in raised.detail + raised.said


def test_a_business_error_of_a_write_is_shown_unescaped_without_tags(mounted: Mounted, world: Any, desk: Desk) -> None:
    recordno = world.add_bill(VENDORID="V-011", RECORDID="B-1")
    mounted.faults.arm("escaped_texts", operation="update")
    with pytest.raises(RecordRejected) as raised:
        Client(desk.login).write(Node("update", [Node("APBILL", [Node("RECORDNO", recordno)])]), "k1")
    assert "The vendor 'O'Hara' is not known & cannot be used." in raised.value.said


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("PL04000055", "This company is a demo company and has expired.", SetupBroken),
        ("GW-0003", "", VendorUnavailable),
        ("XL03000003", "XML Parse schema error: Fatal Error 76", ContractBroken),
        ("GW-0014", "XML content in a REST request", ContractBroken),
        ("XL03000006", "Incorrect Intacct XML Partner ID or password.", CredentialsRejected),
    ],
)
def test_failures_of_the_control_layer(code: str, text: str, kind: type[IntegrationError]) -> None:
    raised, _ = after_signing_in((200, control_failure(error(code, text))))
    assert type(raised) in (kind, FunctionRefused) and isinstance(raised, kind)


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        (error(text="The Service is Temporarily Off-line"), VendorUnavailable),
        (error("BL01001973", "x", correction="Please Try Again Later"), VendorUnavailable),
        (error(text="You do not have permission to view audit history"), PermissionMissing),
        (error("DL02000001", "There was an error processing the request."), ContractBroken),
        (error("WHAT-EVER", "Something new"), ContractBroken),
        ("", ContractBroken),
    ],
)
def test_failures_of_a_function(errors: str, kind: type[IntegrationError]) -> None:
    failed = answer(result(status="failure", errors=errors))
    unlisted = answer(result("<data><Type><Fields/></Type></data>", function="lookup"))
    raised, _ = after_signing_in((200, failed), (200, unlisted))
    assert isinstance(raised, kind)


def test_a_company_without_web_services_is_told_where_to_switch_them_on() -> None:
    desk = make_desk(base_url=GATEWAY)
    text = "This company is not authorized for XML transactions. Please subscribe to the XML Gateway."
    refused = answer(
        authentication="<authentication><status>failure</status></authentication>"
        + f"<errormessage>{error('', text)}</errormessage>"
    )
    with scripted((200, refused)), pytest.raises(PermissionMissing) as raised:
        Client(desk.login).query(BILLS)
    assert "Subscriptions" in raised.value.said


def test_an_entity_that_cannot_be_opened_is_named() -> None:
    refused = answer(result(status="failure", errors=error("Get API Session Failed", "Location E9 is not valid")))
    with scripted((200, refused)), pytest.raises(SetupBroken) as raised:
        Client(make_desk(base_url=GATEWAY, location_id="E9").login).query(BILLS)
    assert "“E9”" in raised.value.said and raised.value.what == "location_id"


@pytest.mark.parametrize("fault", ["http_502", "http_503", "cdn_html", "cut", "slow", "lost_reply", "offline"])
def test_an_outage_is_the_engines_to_wait_for(mounted: Mounted, desk: Desk, fault: str) -> None:
    client = Client(desk.login)
    client.query(BILLS)
    mounted.faults.arm(fault)
    with pytest.raises(VendorUnavailable) as raised:
        client.query(BILLS)
    assert "try again" in raised.value.said
    assert client.query(BILLS)


@pytest.mark.parametrize("fault", ["truncated", "two_roots", "entity_bomb", "dtd"])
def test_an_answer_that_is_not_what_it_should_be_is_ours_to_look_at(mounted: Mounted, desk: Desk, fault: str) -> None:
    client = Client(desk.login)
    client.query(BILLS)
    mounted.faults.arm(fault)
    with pytest.raises(ContractBroken) as raised:
        client.query(BILLS)
    assert len(raised.value.detail) <= 500
    assert client.query(BILLS)


def test_a_gzipped_answer_is_read(mounted: Mounted, desk: Desk) -> None:
    mounted.faults.arm("gzip", times=None)
    assert Client(desk.login).query(BILLS)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, "<html><body>Maintenance</body></html>", VendorUnavailable),
        (200, '<!DOCTYPE html>\n<html lang="en">', VendorUnavailable),
        (502, "bad gateway", VendorUnavailable),
        (500, control_failure(error("NEW", "inside")), VendorUnavailable),
        (503, "<a>&", VendorUnavailable),
        (404, "<html><body>Not found</body></html>", ContractBroken),
        (302, "", ContractBroken),
        (200, '{"error": "json"}', ContractBroken),
        (200, "<other/>", ContractBroken),
        (200, "<response/>", ContractBroken),
        (200, "", ContractBroken),
        (200, answer(), ContractBroken),
        (200, "<response>" + "<a>" * 5000 + "</a>" * 5000 + "</response>", ContractBroken),
    ],
)
def test_answers_without_the_gateways_form(status: int, body: str, kind: type[IntegrationError]) -> None:
    raised, _ = after_signing_in((status, body))
    assert isinstance(raised, kind)


def test_an_error_for_the_session_that_was_just_signed_in_does_not_blame_the_password() -> None:
    inactive = answer(
        authentication="<authentication><status>failure</status></authentication>"
        + f"<errormessage>{error('XL03000006', 'no')}</errormessage>"
    )
    raised, _ = after_signing_in((200, inactive))
    assert isinstance(raised, CredentialsRejected) and "no longer lets the user" in raised.said


def test_intacct_case_31_a_query_that_takes_too_long_is_asked_with_half_the_page(
    mounted: Mounted, world: Any, desk: Desk, wire: Any
) -> None:
    world.seed(bills=600)
    client = Client(desk.login)
    mounted.faults.arm("http_524", times=None, above=500)
    found = client.query(Query(object="APBILL", fields=["RECORDNO"], page_size=1000, show_private=True))
    assert len(found[0].rows) == 500 and found[0].n_remaining == 100
    sizes = [b"<pagesize>1000<" in body for body in wire.bodies if b"<query>" in body]
    assert sizes == [True, False] and b"<pagesize>500<" in wire.bodies[-1]
    client.query(Query(object="APBILL", fields=["RECORDNO"], page_size=1000, show_private=True))
    assert b"<pagesize>500<" in wire.bodies[-1]


def test_intacct_case_31_halving_ends_at_a_hundred(mounted: Mounted, desk: Desk, calls: Calls) -> None:
    mounted.faults.arm("http_524", times=None, operation="query")
    with pytest.raises(VendorUnavailable) as raised:
        Client(desk.login).query(BILLS)
    assert raised.value.status == 524
    assert calls()[3:] == ["query APBILL"] * 5  # 1000, 500, 250, 125, 100


def test_intacct_case_31_a_write_is_not_blindly_repeated(mounted: Mounted, world: Any, desk: Desk, calls: Calls) -> None:
    recordno = world.add_bill(VENDORID="V-011", RECORDID="B-1")
    mounted.faults.arm("http_524", operation="update")
    with pytest.raises(VendorUnavailable) as raised:
        Client(desk.login).write(Node("update", [Node("APBILL", [Node("RECORDNO", recordno), Node("ONHOLD", "true")])]), "k1")
    assert raised.value.may_have_acted
    assert [each for each in calls() if "update" in each] == ["update APBILL"]
    assert world.bill(recordno)["ONHOLD"] == "true"


def test_an_answer_that_is_too_large_is_asked_in_halves_then_given_up(mounted: Mounted, desk: Desk) -> None:
    client = Client(desk.login)
    mounted.faults.arm("huge", operation="query")
    assert client.query(BILLS)
    mounted.faults.arm("huge", times=None, operation="query")
    with pytest.raises(ContractBroken):
        client.query(BILLS)


CANARIES: dict[str, Any] = {"user_password": "canary-USER-<&>'-pw", "sender_password": "canary-SENDER-pw"}


@pytest.mark.parametrize(
    "body",
    [
        "garbage canary-USER-<&>'-pw and canary-USER-&lt;&amp;&gt;'-pw and canary-USER-&lt;&amp;&gt;&#039;-pw "
        "and canary-SENDER-pw and sess-1..",
        control_failure(error("NEW", "canary-USER-&lt;&amp;&gt;'-pw canary-SENDER-pw sess-1..")),
        answer(
            result(
                status="failure", errors=error("NEW", "canary-SENDER-pw sess-1..", description="canary-USER-&lt;&amp;&gt;'-pw")
            )
        ),
        answer(result(status="failure", errors=error("BL01001973", "canary-USER-&lt;&amp;&gt;'-pw sess-1.."))),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_no_secret_reaches_errors_logs_or_repr(
    body: str, write: bool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = make_desk(base_url=GATEWAY, **CANARIES)
    client = Client(desk.login)
    with structlog.testing.capture_logs() as logs, scripted(*signed_in(), (200, body)), pytest.raises(IntegrationError) as raised:
        _ = client.write(Node("update", [Node("APBILL")]), "k1") if write else client.query(BILLS)
    told = raised.value
    shown = [
        told.said,
        told.detail,
        repr(told),
        repr(client),
        repr(client.credentials),
        repr(desk.login),
        repr(logs),
        caplog.text,
    ]
    shown += ["".join(traceback.format_exception(told)), *capfd.readouterr()]
    for secret in (*CANARIES.values(), "canary", "sess-1.."):
        assert [each for each in shown if secret in each] == []


def test_the_body_of_a_request_is_never_logged(mounted: Mounted, desk: Desk) -> None:
    with structlog.testing.capture_logs() as logs:
        Client(desk.login).query(BILLS)
    assert logs and "pw" not in repr(logs)


def test_every_sentence_is_for_a_bookkeeper() -> None:
    """No excuses, no exclamation marks, no tags; every sentence ends."""
    bodies = [
        control_failure(error(code, text))
        for code, text in (
            ("GW-0011", ""),
            ("GW-0010", ""),
            ("PL04000055", ""),
            ("XL03000003", ""),
            ("", "subscribe to the XML Gateway"),
        )
    ]
    functions = [("PL04000005", "no objects of type apbill"), ("", "Temporarily Off-line"), ("BL1", "bad")]
    bodies += [answer(result(status="failure", errors=error(code, text))) for code, text in functions]
    for body in bodies:
        raised, _ = after_signing_in((200, body), write=True)
        assert (
            raised.said.endswith(".")
            and not set("!<>") & set(raised.said.replace(" > ", ""))
            and "sorry" not in raised.said.lower()
        )
        assert raised.vendor == "intacct" and raised.operation


def test_an_expired_demo_company_and_a_denied_object_are_the_customers(mounted: Mounted, desk: Desk) -> None:
    client = Client(desk.login)
    client.session()
    mounted.faults.arm("demo_expired")
    with pytest.raises(SetupBroken) as expired:
        client.query(BILLS)
    assert "“SAMPLE” is a demo company" in expired.value.said
    mounted.faults.arm("permission_denied", object="APBILLITEM")
    found = client.ask(BILLS, Query(object="APBILLITEM", fields=["RECORDNO"]))
    assert [type(each).__name__ for each in found] == ["Rows", "PermissionMissing"]
    mounted.faults.arm("audithistory_denied")
    with pytest.raises(PermissionMissing) as denied:
        client.query(Query(object="AUDITHISTORY", fields=["ID"]))
    assert denied.value.right == "Platform Services > Custom reports: View"

"""The Intacct sandbox beside the collected requests and answers: the same elements, codes and statuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.sandboxes.test_intacct import LOGIN_HOST, SESSION_HOST, Talk

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "vendors" / "intacct" / "samples.json"
if not SAMPLES.exists():
    pytest.skip(f"the samples are not here: {SAMPLES}", allow_module_level=True)
ALL: dict[str, dict[str, Any]] = {sample["name"]: sample for sample in json.loads(SAMPLES.read_text())["samples"]}
NOT_IMITATED = {"recall_bill": "recallApBill is not built yet"}


@pytest.fixture
def talk() -> Talk:
    """The world the samples were taken from."""
    talk = Talk()
    world = talk.world
    world.reset(bills=0)
    world.add_company("acme")
    world.add_sender("mlc_sender", "sender-pw", companies=["acme"])
    world.add_user("acme", "mlc_ws", "user-pw")
    world.add("LOCATIONENTITY", company="acme", LOCATIONID="E100", NAME="Entity")
    world.add("GLACCOUNT", company="acme", ACCOUNTNO="6220", TITLE="Postage")
    talk.sender, talk.login = ("mlc_sender", "sender-pw"), ("mlc_ws", "acme", "user-pw")
    talk.sign_in()
    return talk


def prepare(talk: Talk, name: str) -> dict[str, str]:
    """Bring the world to where the sample was taken; says which ids of the sample are called otherwise here."""
    world = talk.world
    vendors = world.companies["acme"].tables["VENDOR"]
    match name:
        case "invalid_sender_legacy":
            world.settings.sender_error = "legacy"
        case "sender_not_authorized":
            world.companies["acme"].senders.clear()
        case "query_empty":
            for row in list(vendors.rows.values()):
                vendors.put({**row, "WHENMODIFIED": 0})
        case "query_page_first" | "query_page_last" | "query_json":
            for number, row in enumerate(list(vendors.rows.values())):
                stamp = int(talk.clock.now().timestamp()) if number < 3 else 0
                vendors.put({**row, "WHENMODIFIED": stamp + 400 * 86400 if stamp else 0})
        case "permission_error":
            world.add_user("acme", "mlc_ws", "user-pw", permissions={})
            talk.sign_in()
        case "permission_error_audithistory":
            world.add_user("acme", "mlc_ws", "user-pw", permissions={"APBILL": "read"})
            talk.sign_in()
        case "create_duplicate_uniqueid":
            replay(talk, ALL["create_ok"]["request"], {})
        case "create_already_exists":
            pass  # P1 is in the small company
        case "update_ok":
            return {"3430": world.add_bill(company="acme")}
        case "rate_limited" | "offline":
            talk.faults.arm(name)
        case "read_user_formatting":
            return {"177": str(world.companies["acme"].users["mlc_ws"].recordno)}
        case "audit_deletes":
            world.delete_bill(world.add_bill(company="acme"), company="acme")
        case "readMore_last":
            first = replay(talk, ALL["readByQuery_first"]["request"], {})
            return {"7765623332ABC": etree.fromstring(first.body).find(".//data").get("resultId", "")}  # type: ignore[union-attr]
    return {}


def replay(talk: Talk, request: str, renamed: dict[str, str]) -> Any:
    request = request.replace("sess-AAAA1111..", talk.session)
    for theirs, ours in renamed.items():
        request = request.replace(theirs, ours)
    return talk.post(request.encode(), LOGIN_HOST if "<login>" in request else SESSION_HOST)


def shape(element: Any) -> Any:
    """Names and attribute names all the way down, with the texts that carry meaning; of alike rows only the first."""
    texts = ("status", "errorno", "function", "uniqueid", "dtdversion")
    value = element.text if element.tag in texts else ""
    inner: list[Any] = []
    for child in element:
        found = shape(child)
        if not (element.tag == "data" and inner and inner[-1][0] == found[0]):
            inner.append(found)
    return element.tag, sorted(element.attrib), value, inner


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_collected_request_gets_an_answer_of_the_same_shape(talk: Talk, name: str) -> None:
    if name in NOT_IMITATED:
        pytest.skip(NOT_IMITATED[name])
    sample = ALL[name]
    heard = replay(talk, sample["request"], prepare(talk, name))
    expected = sample["response"]
    assert (heard.status, heard.headers["Content-Type"]) == (expected["http_status"], expected["content_type"]), heard.body
    if expected["content_type"] == "application/json":
        assert list(json.loads(heard.body)[0]) == list(json.loads(expected["body"])[0])
        return
    assert shape(etree.fromstring(heard.body)) == shape(etree.fromstring(expected["body"].encode()))

"""A real client of Sage Intacct, never told that it talks to a sandbox, over a real socket."""

import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.sandboxes.test_intacct import Talk

sdk = pytest.importorskip("sageintacctsdk")


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    talk.world.reset(bills=0)
    yield talk


@pytest.fixture
def client(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Signed in at the login host, then brought to the session's own endpoint, as the vendor wants it."""
    from sageintacctsdk.apis.api_base import ApiBase

    with make_server("127.0.0.1", 0, talk.sandbox, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        base, original = f"http://127.0.0.1:{server.server_port}/intacct", ApiBase.__init__

        def redirected(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            self._ApiBase__api_url = base + "/ia/xml/xmlgw.phtml"

        monkeypatch.setattr(ApiBase, "__init__", redirected)
        client = sdk.SageIntacctSDK(
            sender_id="sample_sender",
            sender_password="sample-sender-pw",
            user_id="xml_gateway",
            company_id="SAMPLE",
            user_password="sample-user-pw",
            show_private=True,
        )
        for api in vars(client).values():
            if isinstance(api, ApiBase):
                api._ApiBase__api_url = client.api_base._ApiBase__api_url
        assert client.api_base._ApiBase__api_url == base + "/na12/ia/xml/xmlgw.phtml"
        yield client
        server.shutdown()


def test_the_client_counts_and_reads_vendors_and_bills(talk: Talk, client: Any) -> None:
    talk.world.seed(bills=30)
    assert client.vendors.count() == 16
    assert client.bills.count(None) == 30
    bills = client.bills.get_all()
    assert sorted(bill["RECORDNO"] for bill in bills) == [bill["RECORDNO"] for bill in talk.world.bills()]
    assert {vendor["VENDORID"] for vendor in client.vendors.get_all()} == {f"V-{number:03d}" for number in range(11, 27)}


def test_the_client_filters_by_either_language(talk: Talk, client: Any) -> None:
    number = talk.world.add_bill(VENDORID="V-013", STATE="Draft")
    found = client.bills.get_by_query(fields=["RECORDNO", "VENDORNAME"], and_filter=[("equalto", "STATE", "Draft")])
    assert found == [{"RECORDNO": number, "VENDORNAME": "O'Hara Ltd"}]
    assert client.bills.get("RECORDNO", number)["apbill"]["STATE"] == "Draft"
    assert client.vendors.get_lookup()["Type"]["@Name"] == "VENDOR"


def test_the_client_writes(talk: Talk, client: Any) -> None:
    number = talk.world.add_bill()
    client.bills.update_attachment(recordno=number, supdocid="A-1")
    assert talk.world.bill(number)["SUPDOCID"] == "A-1"
    client.bills.delete(number)
    assert talk.world.bills() == []


def test_the_client_knows_our_errors_by_their_class(talk: Talk, client: Any) -> None:
    from sageintacctsdk import exceptions

    talk.faults.arm("permission_denied")
    with pytest.raises(exceptions.NoPrivilegeError):
        client.vendors.count()
    talk.faults.arm("offline")
    with pytest.raises(exceptions.InternalServerError):
        client.vendors.count()
    talk.faults.arm("rate_limited_200")
    with pytest.raises(exceptions.InternalServerError):
        client.vendors.count()
    talk.world.expire_sessions()
    with pytest.raises(exceptions.InvalidTokenError):
        client.vendors.count()


def test_the_client_reads_dimensions_of_ones_own_and_attachments(talk: Talk, client: Any) -> None:
    talk.world.add_dimension("FUND", "Fund", ["Building", "Scholarships"])
    number = talk.world.add_bill()
    id_ = talk.world.attach(number, "invoice.pdf", b"hello")
    found = client.dimensions.get_all()
    assert {"objectName": "FUND", "userDefinedDimension": "true"}.items() <= found[-1].items()
    values = client.dimension_values.get_all("FUND")
    assert sorted(value["name"] for value in values) == ["Building", "Scholarships"]
    answer = client.attachments.get_attachment("supdocid", id_)
    assert answer["data"]["supdoc"]["attachments"]["attachment"]["attachmenttype"] == "pdf"


def test_the_client_reads_payments_and_employees(talk: Talk, client: Any) -> None:
    payment = talk.world.pay(talk.world.add_bill(TRX_TOTALENTERED="10.00"))
    assert client.ap_payments.count(None) == 1
    assert client.ap_payments.get("RECORDNO", payment)["appymt"]["TOTALPAID"] == "10.00"
    assert client.items.count() == 5

"""Files that hang on a bill: read, named, bounded."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from integrations.errors import PermissionMissing, RecordRejected
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct.attachments import LARGEST, LARGEST_ANSWER, Attachment, files
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import Desk, answer, make_desk, result, scripted, signed_in

Calls = Callable[[], list[str]]


@pytest.fixture
def bills(desk: Desk) -> IntacctSource:
    return IntacctSource(desk.login, "APBILL", ["RECORDID"])


def test_all_files_of_a_bill_come_in_two_requests(world: Any, bills: IntacctSource, calls: Calls) -> None:
    number, other = world.seed(bills=2)["bills"]
    world.attach(number, "invoice.pdf", b"%PDF-1.4")
    world.attach(number, "notes.txt", "Müller".encode())
    world.attach(number, "empty.xyzzy", b"")
    assert bills.attachments(number) == [
        Attachment("invoice.pdf", "application/pdf", b"%PDF-1.4"),
        Attachment("notes.txt", "text/plain", "Müller".encode()),
        Attachment("empty.xyzzy", "application/octet-stream", b""),
    ]
    assert calls()[3:] == ["query APBILL", "get SUPDOC"]
    assert bills.attachments(other) == [] and calls() == ["query APBILL"]
    assert bills.attachments("99999999") == [] and bills.attachments("x") == []


def test_a_file_larger_than_any_other_answer_is_read(world: Any, bills: IntacctSource) -> None:
    (number,) = world.seed(bills=1)["bills"]
    content = bytes(range(256)) * (11 * 4096)  # 11 MB: more than libxml2 lets one text have, and than our pages may weigh
    world.attach(number, "scan.tiff", content)
    (found,) = bills.attachments(number)
    assert found.content == content and found.content_type == "image/tiff"


def test_a_file_that_is_too_large_stays_where_it_is(world: Any, bills: IntacctSource) -> None:
    (number,) = world.seed(bills=1)["bills"]
    world.attach(number, "film.mp4", bytes(LARGEST))
    assert len(bills.attachments(number)[0].content) == LARGEST
    (number,) = world.seed(bills=1)["bills"]
    world.attach(number, "film.mp4", bytes(LARGEST + 1))
    with pytest.raises(RecordRejected, match=r"The file film\.mp4 .* is larger than 20 MB"):
        bills.attachments(number)


def test_files_that_are_too_large_together_stay_where_they_are(world: Any, bills: IntacctSource) -> None:
    (number,) = world.seed(bills=1)["bills"]
    for n in range(2):
        world.attach(number, f"scan{n}.tiff", bytes(LARGEST_ANSWER * 3 // 8 + 1024))
    with pytest.raises(RecordRejected, match="larger than 30 MB together"):
        bills.attachments(number)


def test_who_may_not_see_attachments_is_told_which_right_is_missing(world: Any, mounted: Mounted) -> None:
    (number,) = world.seed(bills=1)["bills"]
    world.attach(number, "a.txt", b"a")
    world.add_user("SAMPLE", "poor", "poor-user-pw", permissions={"APBILL": "read", "USERINFO": "read"})
    login = make_desk(now=mounted.clock.now, user_id="poor", user_password="poor-user-pw").login
    with pytest.raises(PermissionMissing, match="may not read attachments") as raised:
        IntacctSource(login, "APBILL", ["RECORDID"]).attachments(number)
    assert raised.value.right == "Company > Attachments: List, View"


def test_a_missing_right_is_known_by_its_code_too() -> None:
    refusal = "You do not have permission for API operation GET on objects of type supdoc"
    refused = result(
        status="failure",
        function="get",
        errors=f"<error><errorno>PL04000005</errorno><description2>{refusal}</description2></error>",
    )
    with pytest.raises(PermissionMissing, match="may not read attachments") as raised:
        told(refused)
    assert raised.value.right == "Company > Attachments: List, View"


def told(body: str) -> list[Attachment]:
    desk = make_desk(base_url="https://api.intacct.com/x")
    with scripted(*signed_in(), (200, answer(body))):
        return files(Client(desk.login), "ATT-1")


def supdoc(name: str, kind: str, data: str) -> str:
    parts = {"attachmentname": name, "attachmenttype": kind, "attachmentdata": data}
    file = "<attachment>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts.items()) + "</attachment>"
    return result(f'<data listtype="supdoc" count="1"><supdoc><attachments>{file}</attachments></supdoc></data>', function="get")


@pytest.mark.parametrize(
    ("name", "kind", "filename"),
    [
        ("scan", "pdf", "scan.pdf"),
        ("scan.PDF", "pdf", "scan.PDF"),
        ("../../etc/passwd", "", "_.._etc_passwd"),
        ("a\tb:c", "p/d\\f", "a_b_c.p_d_f"),
        ("", "", "attachment"),
        ("...", "pdf", "attachment.pdf"),
    ],
)
def test_a_filename_is_never_a_path(name: str, kind: str, filename: str) -> None:
    (found,) = told(supdoc(name, kind, base64.b64encode(b"x").decode()))
    assert found.filename == filename


def test_data_in_lines_is_read_and_garbage_is_refused() -> None:
    data = base64.encodebytes(b"x" * 200).decode()
    assert told(supdoc("a", "txt", data))[0].content == b"x" * 200
    with pytest.raises(RecordRejected, match=r"The file a\.txt .* cannot be read"):
        told(supdoc("a", "txt", "no base64!"))


def test_an_attachment_without_files_has_none(mounted: Mounted) -> None:
    assert told(result('<data listtype="supdoc" count="0"/>', function="get")) == []

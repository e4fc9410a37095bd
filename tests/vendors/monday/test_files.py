"""Files in a column of an item: there once, however often they are added."""

from __future__ import annotations

import pytest

from integrations.errors import PermissionMissing, VendorUnavailable
from integrations.types import Done

from .conftest import TOKEN, Desk


@pytest.fixture
def item(desk: Desk) -> str:
    desk.world.add_column(desk.board_id, "Scans", "file")
    (result,) = desk.carry(desk.target(), [desk.bill(1)])
    assert isinstance(result, Done)
    desk.forget_calls()
    return result.target_id


def test_a_file_arrives_byte_for_byte_and_is_not_sent_twice(desk: Desk, item: str) -> None:
    sent, column = desk.record(), desk.column("Scans")
    target = desk.target()
    sent.clear()
    content = b"%PDF-1.7\r\n--boundary\r\n\x00\xff" * 50
    asset = target.add_file(item, column, 'Bill "7"\r\n.pdf', content, key="scan-1")
    assert asset and list(desk.world.files(item, column).values()) == [content]
    assert [call.url for call in sent] == [desk.login.base_url, f"{desk.login.base_url}/file"]
    assert sent[1].headers["Idempotency-Key"] == "scan-1" and sent[1].headers["Authorization"] == TOKEN
    assert target.add_file(item, column, 'Bill "7"\r\n.pdf', content, key="scan-2") == asset and len(sent) == 3


def test_a_second_file_stands_beside_the_first(desk: Desk, item: str) -> None:
    target, column = desk.target(), desk.column("Scans")
    assets = {target.add_file(item, column, f"{n}.pdf", b"x", key=f"k{n}") for n in range(2)}
    assert len(assets) == 2 and set(desk.world.files(item, column)) == {"0.pdf", "1.pdf"}


def test_a_file_whose_answer_was_lost_is_found_by_its_name(desk: Desk, item: str) -> None:
    target, column = desk.target(), desk.column("Scans")
    desk.faults.arm("commit_then_drop", operation="add_file_to_column")
    with pytest.raises(VendorUnavailable):
        target.add_file(item, column, "7.pdf", b"x", key="k")
    assert target.add_file(item, column, "7.pdf", b"x", key="k") and len(desk.world.files(item, column)) == 1


def test_a_right_that_is_missing_is_named(desk: Desk, item: str) -> None:
    target, column = desk.target(), desk.column("Scans")
    desk.faults.arm("user_unauthorized", operation="add_file_to_column")
    with pytest.raises(PermissionMissing):
        target.add_file(item, column, "7.pdf", b"x", key="k")

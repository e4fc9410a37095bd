"""Answers that no document promises, from a stub that says them word for word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from integrations.errors import ContractBroken, IntegrationError, RateLimited, SetupBroken, VendorUnavailable
from integrations.http import Answer
from integrations.types import Batch, Done, NotWritten, Refused
from integrations.vendors.monday.client import MondayClient
from integrations.vendors.monday.target import MondayTarget

from .conftest import Desk


@dataclass
class Script:
    """Says the next answer, whatever is asked; once it has none left, the sandbox answers."""

    http: Any
    answers: list[Answer] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, body: Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Answer(status=status, headers=httpx.Headers(named), content=content))

    def send(self, method: str, url: str, **more: Any) -> Answer:
        self.asked.append(more)
        return self.answers.pop(0) if self.answers else self.http.send(method, url, **more)


@pytest.fixture
def script(desk: Desk) -> Script:
    return Script(desk.login.http)


@pytest.fixture
def target(desk: Desk, script: Script) -> MondayTarget:
    desk.target()
    made = MondayTarget(replace(desk.login, http=script), desk.board_id)  # type: ignore[arg-type]
    made.schema()
    script.asked.clear()
    return made


def batch_of(desk: Desk, target: MondayTarget, n: int) -> Batch:
    (batch,) = target.batches([desk.bill(number, Vendor="V") for number in range(n)])
    return batch


def wrong(code: str, *path: str, message: str = "m", **data: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, "error_data": data}, **({"path": list(path)} if path else {})}


def test_an_alias_that_failed_inside_the_vendor_leaves_the_batch_open_and_is_looked_up(
    desk: Desk, script: Script, target: MondayTarget
) -> None:
    batch = batch_of(desk, target, 2)
    half = {"data": {"r0": {"id": "111"}, "r1": None}, "errors": [wrong("INTERNAL_SERVER_ERROR", "r1")]}
    script.add(half)
    sent_at = desk.login.now()
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    script.add(half, Idempotency_Replayed="true")
    with pytest.raises(RateLimited) as caught:
        target.resolve(desk.sent(batch, "k", sent_at))
    assert caught.value.retry_after == timedelta(seconds=60)
    desk.wait(60)
    script.add(half, Idempotency_Replayed="true")
    results = target.resolve(desk.sent(batch, "k", sent_at))
    assert results == [Done(external_id="0", target_id="111"), NotWritten(external_id="1")]


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": {"r0": None}}, {"data": {"r0": {}}}])
def test_silence_about_a_write_is_no_success_and_no_refusal(
    desk: Desk, script: Script, target: MondayTarget, body: dict[str, Any]
) -> None:
    batch = batch_of(desk, target, 1)
    script.add(body)
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")


def test_parts_of_an_answer_with_a_failed_status_still_count(desk: Desk, script: Script, target: MondayTarget) -> None:
    batch = batch_of(desk, target, 2)
    script.add({"data": {"r0": {"id": "111"}, "r1": None}, "errors": [wrong("USER_UNAUTHORIZED", "r1")]}, status=403)
    assert target.write(batch, key="k") == [Done(external_id="0", target_id="111"), NotWritten(external_id="1")]


def test_an_unknown_code_beside_a_write_is_that_writes_alone(desk: Desk, script: Script, target: MondayTarget) -> None:
    batch = batch_of(desk, target, 2)
    errors = [wrong("BoardRuleViolation", "r1", message="Vendor must be approved", column_id=desk.column("Vendor"))]
    script.add({"data": {"r0": {"id": "111"}, "r1": None}, "errors": errors})
    first, second = target.write(batch, key="k")
    assert isinstance(first, Done) and isinstance(second, Refused)
    assert second.error.columns == (desk.column("Vendor"),) and "Vendor must be approved" in second.error.said


def test_a_refusal_without_a_place_is_everybodys(desk: Desk, script: Script, target: MondayTarget) -> None:
    batch = batch_of(desk, target, 2)
    script.add({"data": {"r0": None, "r1": None}, "errors": [wrong("ColumnValueException")]})
    assert [type(each) for each in target.write(batch, key="k")] == [Refused, Refused]


def test_a_create_that_misses_something_misses_its_group(desk: Desk, script: Script, target: MondayTarget) -> None:
    batch = batch_of(desk, target, 1)
    script.add({"data": {"r0": None}, "errors": [wrong("ResourceNotFoundException", "r0")]})
    with pytest.raises(SetupBroken) as caught:
        target.write(batch, key="k")
    assert caught.value.what == "group"


def test_a_complaint_about_the_cost_of_a_call_spoils_nothing(desk: Desk, script: Script, target: MondayTarget) -> None:
    batch = batch_of(desk, target, 1)
    script.add({"data": {"complexity": None, "r0": {"id": "111"}}, "errors": [wrong("INTERNAL_SERVER_ERROR", "complexity")]})
    assert target.write(batch, key="k") == [Done(external_id="0", target_id="111")]
    script.add({"data": {"complexity": None, "items": []}, "errors": [wrong("INTERNAL_SERVER_ERROR", "complexity")]})
    ((standing,),) = target.standing(["1"], ["name"])
    assert not standing.is_active


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b"", 200, VendorUnavailable),
        (b'{"data": {"boards": [', 200, VendorUnavailable),
        (b"<html>Be right back</html>", 200, VendorUnavailable),
        (b"\xff\xfe\x00", 200, VendorUnavailable),
        (b"[1, 2]", 200, VendorUnavailable),
        (b'{"data": {"boards": null}}', 200, ContractBroken),
        (b'{"data": {}}', 200, ContractBroken),
        (b"{}", 200, ContractBroken),
        (b"", 301, ContractBroken),
        (b"not found", 404, ContractBroken),
        (b"", 502, VendorUnavailable),
        (b"upstream request timeout", 504, VendorUnavailable),
        (b"slow down", 429, RateLimited),
        (b'{"data": {"boards": []}}', 200, SetupBroken),
    ],
)
def test_an_answer_of_any_shape_is_one_of_our_errors(
    script: Script, target: MondayTarget, content: bytes, status: int, kind: type[IntegrationError]
) -> None:
    script.add(content, status=status)
    with pytest.raises(kind):
        target.schema()
    assert len(script.asked) == 1


def test_hints_of_the_vendor_are_logged_once_per_document(desk: Desk, script: Script, caplog: Any) -> None:
    client = MondayClient(replace(desk.login, http=script))  # type: ignore[arg-type]
    hinted = {"data": {"boards": []}, "extensions": {"warnings": [{"message": "boards.old is deprecated"}]}}
    script.add(hinted)
    script.add(hinted)
    client.board("1")
    client.board("1")
    assert caplog.text.count("is deprecated") == 1


def test_the_key_of_a_call_is_sent_with_mutations_only(desk: Desk, script: Script, target: MondayTarget) -> None:
    target.write(batch_of(desk, target, 1), key="k-77")
    target.schema()
    assert [each["headers"].get("Idempotency-Key") for each in script.asked] == ["k-77", None]
    assert all(each["headers"]["Content-Type"] == "application/json" for each in script.asked)

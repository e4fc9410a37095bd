"""Logs as a production installation writes them: one JSON object a line, with the ids of flow and run, and no secret in any."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from integrations.models import Run
from mlconnector.logs import logging_config
from tests.configuration.files import COLUMNS, FILE, Office, refusal, run

CANARIES = {
    "ACME_SENDER_PASSWORD": "canary-sender-8f3a",
    "ACME_USER_PASSWORD": "canary-user-51bd<&>",
    "ACME_MONDAY_TOKEN": "canary-token-77e0",
}
FAULTS = [
    *(
        ("intacct", name)
        for name in ("cut", "slow", "http_503", "truncated", "dtd", "rate_limited", "edge_401", "escaped_texts", "evil_endpoint")
    ),
    *(
        ("monday", name)
        for name in ("server_error", "slow", "unauthorized", "html_page", "truncated", "string_errors", "column_value")
    ),
]


class Written:
    """What was logged, line by line."""

    def __init__(self, stream: StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    """Everything that is logged from here on, at every level, through the formatter of production."""
    formatter = dict(logging_config(as_json=True, level="DEBUG")["formatters"]["lines"])
    module, _, name = "structlog.stdlib.ProcessorFormatter".rpartition(".")
    formatter.pop("()")
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(getattr(importlib.import_module(module), name)(**formatter))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield Written(stream)
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def canaries(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A tenant whose secrets are marked, and are right: the sandboxes know them."""
    office.apply(FILE + COLUMNS)
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    intacct, monday = office.vendor("intacct").world, office.vendor("monday").world
    intacct.add_sender("sample_sender", CANARIES["ACME_SENDER_PASSWORD"])
    intacct.add_user("SAMPLE", "xml_gateway", CANARIES["ACME_USER_PASSWORD"])
    monday.world.tokens[CANARIES["ACME_MONDAY_TOKEN"]] = monday.world.tokens["sample-monday-token"]
    assert "connection books: set sender_password, user_password" in office.apply(FILE + COLUMNS)
    return office


def assert_no_canary(text: str) -> None:
    assert "canary" not in text
    assert "51bd" not in text


def test_lines_of_a_run_carry_the_ids_of_flow_and_run(canaries: Office, written: Written) -> None:
    run("run_flow", "acme/bills")

    with canaries.inside():
        run_id = str(Run.objects.get().id)
    calls = [line for line in written.lines if line["event"] == "vendor_call"]
    assert {line["flow"] for line in calls} == {str(canaries.flow().id)}
    assert {line["tenant"] for line in calls} == {str(canaries.tenant.id)}
    assert run_id in {line["run"] for line in calls}
    assert all(line["level"] and line["timestamp"] and line["logger"] for line in written.lines)
    assert_no_canary(written.text)


def test_the_ids_are_gone_when_the_run_is_over(canaries: Office, written: Written) -> None:
    run("run_flow", "acme/bills")

    run("ping", "acme/board")

    last = [line for line in written.lines if line["event"] == "vendor_call"][-1]
    assert not {"flow", "run", "tenant"} & last.keys()


@pytest.mark.parametrize(("vendor", "fault"), FAULTS)
def test_no_line_holds_a_secret_whatever_goes_wrong(canaries: Office, written: Written, vendor: str, fault: str) -> None:
    canaries.vendor("intacct").world.expire_sessions()
    canaries.vendor(vendor).faults.arm(fault, times=None)

    said = refusal("run_flow", "acme/bills")

    assert written.lines
    assert_no_canary(written.text + said.said + said.out)
    with canaries.inside():
        assert_no_canary(str(list(Run.objects.values_list("said", "detail"))))


def test_a_bug_is_logged_with_its_traceback_and_without_the_secret(canaries: Office, written: Written) -> None:
    log = logging.getLogger("anything")
    try:
        raise ValueError(f"user={CANARIES['ACME_USER_PASSWORD']}")
    except ValueError:
        log.exception("it broke with %s", CANARIES["ACME_MONDAY_TOKEN"])
    log.warning("header %r", {"Authorization": CANARIES["ACME_MONDAY_TOKEN"]}, extra={"token": CANARIES["ACME_MONDAY_TOKEN"]})

    assert "Traceback" in written.lines[-2]["exception"]
    assert "[hidden]" in written.text
    assert_no_canary(written.text)

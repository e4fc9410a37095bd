"""``--help`` of every verb, read aloud; and the two commands that serve until they are stopped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import load_command_class

from tests.configuration.files import refusal

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("apply", "export", "ping", "preview", "replay", "run_flow", "sandbox", "worker")


@contextmanager
def sandbox(*words: str) -> Iterator[tuple[str, str]]:
    """``manage.py sandbox`` on a free port: its first line, and the address in it."""
    command = [sys.executable, str(ROOT / "manage.py"), "sandbox", "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = re.match(r"(http://127\.0\.0\.1:\d+) serves ", line)
            assert found, line
            yield line, found[1]
        finally:
            process.terminate()


def ask(url: str) -> object:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


def test_the_sandboxes_answer_on_a_free_port_that_is_told() -> None:
    with sandbox() as (line, address):
        assert line.strip() == f"{address} serves intacct, monday. Stop with Ctrl-C."
        assert ask(f"{address}/_sandbox/intacct/calls") == []
        boards = ask(f"{address}/_sandbox/monday/state")
        assert isinstance(boards, dict)
        assert [board["name"] for board in boards["boards"]] == ["Vendors", "AP bills"]
        taken = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "sandbox", "--port", address.rpartition(":")[2]],
            capture_output=True,
            text=True,
            env=dict(os.environ),
            check=False,
        )
        assert taken.returncode != 0
        assert "cannot be served" in taken.stderr
        assert "Traceback" not in taken.stderr


def test_one_sandbox_can_be_served_alone() -> None:
    with sandbox("monday") as (line, address):
        assert "serves monday." in line
        assert ask(f"{address}/_sandbox/monday/calls") == []


def test_unknown_sandboxes_and_ports_are_refused() -> None:
    assert "invalid choice: 'asana' (choose from 'intacct', 'monday')" in refusal("sandbox", "asana").said
    assert "cannot be served" in refusal("sandbox", "--port", "70000").said


@pytest.mark.parametrize("queue", ["default", "Bulk", ""])
def test_a_worker_serves_no_queue_that_nobody_fills(queue: str) -> None:
    """A cluster of an unknown name would serve the default queue, silently."""
    assert "(choose from 'people', 'bulk')" in refusal("worker", queue).said


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_is_sentences_and_every_argument_is_explained(verb: str) -> None:
    command = load_command_class("integrations", verb)
    parser = command.create_parser("manage.py", verb)

    assert command.help[0].isupper()
    assert command.help.endswith(".")
    own = [action for action in parser._actions if action.dest not in _DJANGOS_OWN]
    assert all(action.help for action in own), [action.dest for action in own if not action.help]
    assert all(action.help == action.help.strip() and not action.help.endswith(".") for action in own if action.help)


@pytest.mark.parametrize("verb", ["apply", "ping", "preview", "replay", "run_flow"])
def test_every_verb_answers_as_json_on_request(verb: str) -> None:
    help_ = load_command_class("integrations", verb).create_parser("manage.py", verb).format_help()

    assert "--json" in help_
    assert "answer as JSON" in help_


_DJANGOS_OWN = {
    *("help", "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"),
}

"""Real processes: sandboxes on a port, a queue in the database, a worker that is killed without a warning."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.demo.processes import Processes, free_port
from tests.flows.conftest import CONFIGURATION, SECRETS

BILLS = 150
PATIENCE = 60.0


class Town:
    """An installation of its own in a folder, with the sandboxes beside it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url, self.database = f"http://127.0.0.1:{port}", folder / "ml-connector.sqlite3"
        environment = {"VAR_DIR": str(folder), "SANDBOX_URL": self.url, "LOG_LEVEL": "WARNING", "DATABASE_URL": "", **SECRETS}
        self.processes = Processes(folder, environment)
        self.processes.run("migrate", "--verbosity", "0")
        self.processes.manage("sandboxes", "sandbox", "--port", str(port))
        self.processes.wait_for("sandboxes", f"{self.url}/_sandbox/monday/state")
        self.processes.run("apply", str(CONFIGURATION))
        self.tenant = self.sql("SELECT id FROM tenants_tenant")[0][0]
        self.tenant = "-".join(self.tenant[i:j] for i, j in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))

    def sql(self, statement: str) -> list[Any]:
        with sqlite3.connect(self.database, timeout=20) as connection:
            return connection.execute(statement).fetchall()

    def door(self, vendor: str, verb: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_sandbox/{vendor}/{verb}?world={self.tenant}", data=data, timeout=20) as answer:
            return json.load(answer)

    def ring(self) -> None:
        self.processes.run("shell", "-v", "0", "-c", "from integrations.tasks import ring; ring()")

    def keys(self) -> list[str]:
        """The keys that stand on the board."""
        board = next(each for each in self.door("monday", "state")["boards"] if each["name"] == "AP bills")
        column = next(each["id"] for each in board["columns"] if each["title"] == "Source ID")
        return [item["columns"][column] for item in board["items"] if item["columns"].get(column)]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.processes.stop()


def until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(town: Town) -> None:
    town.door("intacct", "reset", {"bills": 0})
    town.door("intacct", "seed", {"bills": BILLS})
    town.door("monday", "faults", {"name": "latency", "times": None, "seconds": 0.1})
    worker = town.processes.manage("worker", "worker", "bulk")
    town.ring()
    until(lambda: len(town.keys()) >= 30, "the load begins")
    os.killpg(worker, signal.SIGKILL)
    n_before = len(town.keys())
    assert n_before < BILLS
    # Two and a half minutes later: the dead worker's lease has run out, and so has its turn at the board if it was in a call.
    town.sql("UPDATE integrations_due SET leased_until = '2020-01-01 00:00:00'")
    town.sql("UPDATE integrations_turn SET until = '2020-01-01 00:00:00'")
    town.processes.revive()
    town.ring()
    until(lambda: town.sql("SELECT state FROM integrations_run ORDER BY began_at DESC")[0][0] == "done", "the run ends")
    keys = town.keys()
    assert len(keys) == len(set(keys)) == BILLS
    assert town.sql("SELECT count(*) FROM integrations_attempt") == [(0,)]
    assert town.sql("SELECT count(*), count(DISTINCT external_id) FROM integrations_recordoutcome") == [(BILLS, BILLS)]


@pytest.mark.slow
def test_the_tick_goes_on_after_the_queue_was_emptied_by_hand(town: Town) -> None:
    town.door("intacct", "reset", {"bills": 5})
    town.sql("DELETE FROM django_q_ormq")
    for queue in ("people", "bulk"):
        town.processes.manage(queue, "worker", queue)
    until(lambda: len(town.keys()) == 5, "the tick finds the flow that is due")


def test_the_demo_can_be_asked_for_help() -> None:
    manage = Path(__file__).resolve().parents[2] / "manage.py"
    told = subprocess.run([sys.executable, str(manage), "demo", "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert "--once" in told.stdout

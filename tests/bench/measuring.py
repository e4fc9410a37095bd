"""Runs one measurement in a process of its own, on a database of its own: nothing that was measured before is in its memory."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.databases import Database

ROOT = Path(__file__).resolve().parents[2]
SANDBOX_IN_PROCESS = "http://sandbox.bench"


class MeasurementFailed(Exception):
    """A measurement did not come to its end; ``said`` are its last words."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"The measurement ‘{name}’ failed.")
        self.said = said


class Workshop:
    """Where sections have things measured."""

    def __init__(self, databases: Sequence[Database], *, is_full: bool) -> None:
        self.databases, self.is_full = databases, is_full

    def measure(self, name: str, *, database: Database | None = None, sandbox_url: str = "", **settings: Any) -> Any:
        """The figures of the measurement of this name (``child.MEASUREMENTS``)."""
        with (database or self.databases[0]).copied() as environment:
            return _figures(name, settings, {**environment, "SANDBOX_URL": sandbox_url or SANDBOX_IN_PROCESS})


def _figures(name: str, settings: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    command = [sys.executable, "-m", "tests.bench.child", name, json.dumps(settings)]
    done = subprocess.run(command, env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementFailed(name, done.stderr.strip()[-4000:])
    return json.loads(done.stdout.splitlines()[-1])

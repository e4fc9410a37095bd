"""The demo's processes: sandboxes, web and two clusters of workers, on free local ports, watched and ended together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
PATIENCE = 30.0  # seconds for a process to answer
FAREWELL = 10.0  # seconds for it to end by itself


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """Children of the demo, by name. A worker that dies is started again, as a service manager would."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self.environment = folder, {**os.environ, **environment}
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> int:
        """Start a child whose output goes to a file of its own; returns its process id."""
        self._commands[name] = command
        with self._log(name) as log:
            child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=self.environment, start_new_session=True)
        self._running[name] = child
        return child.pid

    def manage(self, name: str, *arguments: str) -> int:
        return self.start(name, [sys.executable, str(MANAGE), *arguments])

    def run(self, *arguments: str) -> str:
        """Run a management command to its end and return what it printed. Raises CalledProcessError with its last words."""
        done = subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout.strip()

    def wait_for(self, name: str, url: str) -> None:
        """Until the child answers."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._running[name].poll() is not None:
                break
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{name} did not start. Its last words:\n{self._last_words(name)}")

    def revive(self) -> list[str]:
        """Start again what has died; returns the names."""
        dead = [name for name, child in self._running.items() if child.poll() is not None]
        for name in dead:
            self.start(name, self._commands[name])
        return dead

    def stop(self) -> None:
        """End every child and its children: politely, then not."""
        for tell in (_ask_to_end, _kill_group):
            for child in self._running.values():
                tell(child)
            deadline = time.monotonic() + FAREWELL
            while time.monotonic() < deadline and [child for child in self._running.values() if child.poll() is None]:
                time.sleep(0.05)
        self._running.clear()

    def _log(self, name: str) -> IO[bytes]:
        return (self._folder / f"{name}.log").open("ab")

    def _last_words(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-2000:]


def _ask_to_end(child: subprocess.Popen[bytes]) -> None:
    """Only the leader is asked: a cluster of workers ends its own children in order."""
    child.terminate()


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        child.poll()

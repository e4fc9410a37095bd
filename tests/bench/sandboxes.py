"""Both sandboxes with a stopwatch, in this process or in one of their own: ``python -m tests.bench.sandboxes`` prints its address.

Beside the control door there is a bench door: ``POST /_bench/change?world=…&n=10`` changes so many bills, ``GET /_bench/bills`` tells
all of them without their lines, ``GET /_bench/lines`` counts those, ``GET /_bench/seconds`` tells how long the vendors worked so far.
"""

import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx

from integrations.sandboxes import VENDORS
from integrations.sandboxes.core import Answer, Sandbox, as_json

ROOT = Path(__file__).resolve().parents[2]


class TimedSandbox:
    """A WSGI app: the sandboxes, and how long they took."""

    def __init__(self) -> None:
        self._sandbox = Sandbox(VENDORS)
        self._seconds: dict[str, float] = defaultdict(float)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/_bench/"):
            answer = self._bench(path, parse_qs(environ.get("QUERY_STRING", "")))
            start_response("200 OK", [*answer.headers.items(), ("Content-Length", str(len(answer.body)))])
            return [answer.body]
        began = time.perf_counter()
        try:
            return self._sandbox(environ, start_response)
        finally:
            self._seconds["monday" if "/monday/" in path else "intacct"] += time.perf_counter() - began

    def _bench(self, path: str, asked: dict[str, list[str]]) -> Answer:
        if path == "/_bench/seconds":
            return as_json(self._seconds)
        world: Any = self._sandbox.mounted("intacct", asked["world"][0]).world
        if path == "/_bench/lines":
            return as_json(sum(len(bill["lines"]) for bill in world.bills()))
        if path == "/_bench/bills":
            return as_json([{**bill, "lines": None} for bill in world.bills()])
        for bill in world.bills()[: int(asked["n"][0])]:
            world.change_bill(bill["RECORDNO"], DESCRIPTION=f"Changed at {time.time()}", WHENDUE="12/31/2026")
        return as_json({"ok": True})


class Door:
    """Turns the knobs of one tenant's world, over a socket or within this process."""

    def __init__(self, url: str, world: str, *, app: TimedSandbox | None) -> None:
        transport = httpx.WSGITransport(app=app) if app else None
        self._client = httpx.Client(base_url=url, params={"world": world}, transport=transport, timeout=60, trust_env=False)

    def turn(self, vendor: str, verb: str, **settings: Any) -> Any:
        return self._client.post(f"/_sandbox/{vendor}/{verb}", json=settings).raise_for_status().json()

    def log(self, vendor: str) -> list[dict[str, Any]]:
        """The calls so far, in order: ``operation`` and ``status`` of each."""
        found: list[dict[str, Any]] = self._client.get(f"/_sandbox/{vendor}/calls").raise_for_status().json()
        return found

    def state(self, vendor: str) -> Any:
        return self._client.get(f"/_sandbox/{vendor}/state").raise_for_status().json()

    def change(self, n: int) -> None:
        self._client.post("/_bench/change", params={"n": n}).raise_for_status()

    def bills(self) -> list[dict[str, Any]]:
        """All bills in the books, without their lines."""
        found: list[dict[str, Any]] = self._client.get("/_bench/bills").raise_for_status().json()
        return found

    def n_lines(self) -> int:
        return int(self._client.get("/_bench/lines").raise_for_status().json())

    def seconds(self) -> dict[str, float]:
        found: dict[str, float] = self._client.get("/_bench/seconds").raise_for_status().json()
        return {"intacct": 0.0, "monday": 0.0, **found}


@contextmanager
def in_their_own_process() -> Iterator[str]:
    """The address of sandboxes that do not share memory with what is measured."""
    with Popen([sys.executable, "-m", "tests.bench.sandboxes"], cwd=ROOT, stdout=PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child.stdout.readline().strip()
        finally:
            child.terminate()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """The terminal stays quiet."""


def main() -> None:
    server = make_server("127.0.0.1", 0, TimedSandbox(), handler_class=_Quiet)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

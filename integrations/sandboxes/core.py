"""What every sandbox stands on: a WSGI app with worlds, a clock that can be moved, faults armed by name, and a control door.

Nothing of the product is imported here. One process serves all vendors: ``/intacct/…``, ``/monday/…``; a path that starts with
``/w/NAME/`` is answered by a world of that name, made (and seeded) on first use, so that tenants do not see each other's data.

The control door answers on loopback only, and never through a proxy, under ``/_sandbox/VENDOR/…`` (``?world=NAME`` for another
world than the default one):

====================  =====================================================================================================
``POST …/reset``      empty the world, disarm its faults, forget its calls, put its clock right; the body is passed to ``reset``
``POST …/seed``       ``{"n": 1000, …}``: put records in; the answer says which
``POST …/clock``      ``{"advance": 1860}``: move this world's clock forward by seconds
``POST …/faults``     ``{"name": "lost_reply", "times": 1, "after": 0, "operation": "create_item", …}``
``GET  …/calls``      every request received: operation, headers (the token masked), status (null: the line was cut)
``GET  …/state``      the world as plain JSON, for people and tests
====================  =====================================================================================================
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

DEFAULT_WORLD = "default"
MAX_BODY = 64 * 1024 * 1024
KEPT_CALLS = 20_000
KEPT_WORLDS = 200
UNUSED_AFTER = 15 * 60.0  # seconds without a request; a world in use never makes way for a new one


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request as a vendor's world sees it; ``path`` begins after the vendor's own prefix."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    base_url: str  # where this vendor's world was reached, e.g. http://127.0.0.1:9000/w/acme/intacct


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer. ``operation`` names it in the list of calls."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    operation: str = ""


class ConnectionCut(ConnectionAbortedError):
    """The line goes dead: the caller gets no answer, whatever was done before this was raised."""

    operation = ""  # set by the world on the way out, for the list of calls


class TooSlow(TimeoutError):
    """The answer comes after any caller's patience; over a real socket the line stays silent for ``seconds``."""

    operation = ""

    def __init__(self, seconds: float = 65.0) -> None:
        super().__init__(f"no answer within {seconds} s")
        self.seconds = seconds


class NoRoom(Exception):
    """All worlds are in use; one more would take one of them away from somebody."""


class Clock:
    """This world's time: the machine's, moved by what ``advance`` was told."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


@dataclass(kw_only=True)
class Fault:
    """A failure armed by name: skips ``after`` matching calls, then strikes ``times`` times (None: until reset)."""

    name: str
    times: int | None = 1
    after: int = 0
    operation: str = ""
    every: int = 0  # strike only each n-th matching call
    settings: dict[str, Any] = field(default_factory=dict)
    seen: int = 0

    def strikes(self) -> bool:
        self.seen += 1
        if self.seen <= self.after or self.times == 0:
            return False
        if self.every and self.seen % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that are armed in one world."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []

    def arm(
        self, name: str, *, times: int | None = 1, after: int = 0, operation: str = "", every: int = 0, **settings: Any
    ) -> None:
        self.armed.append(Fault(name=name, times=times, after=after, operation=operation, every=every, settings=settings))

    def take(self, *names: str, operation: str = "") -> Fault | None:
        """The first armed fault with one of these names that strikes this operation now, or None."""
        for fault in self.armed:
            if fault.name in names and fault.operation in ("", operation) and fault.strikes():
                return fault
        return None

    def clear(self) -> None:
        self.armed.clear()


class World(Protocol):
    """One vendor's world: what a vendor's ``app.py`` provides, made by calling its class with a Clock and Faults."""

    FAULTS: frozenset[str]  # every name that can be armed; the control door refuses others

    def reset(self, **settings: Any) -> None: ...
    def seed(self, **settings: Any) -> Any: ...
    def state(self) -> Any: ...
    def handle(self, request: Request) -> Answer: ...


@dataclass(kw_only=True)
class Mounted:
    """A world with what the core keeps for it."""

    world: World
    clock: Clock
    faults: Faults
    calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))
    used_at: float = 0.0


class Sandbox:
    """The WSGI app: ``Sandbox({"monday": MondayWorld, …})``.

    Tests reach a vendor's world without a socket: ``sandbox.mounted("monday").world``.
    """

    def __init__(self, vendors: Mapping[str, Callable[[Clock, Faults], World]]) -> None:
        self._vendors = vendors
        self._mounted: dict[tuple[str, str], Mounted] = {}
        self._lock = threading.Lock()

    def mounted(self, vendor: str, world: str = DEFAULT_WORLD) -> Mounted:
        """The world of this name, made on first use. Raises NoRoom when there are too many, all of them in use."""
        with self._lock:
            if (world, vendor) not in self._mounted:
                self._make_room(world)
                clock, faults = Clock(), Faults()
                self._mounted[world, vendor] = Mounted(world=self._vendors[vendor](clock, faults), clock=clock, faults=faults)
            found = self._mounted[world, vendor]
            found.used_at = time.monotonic()
            return found

    def _make_room(self, world: str) -> None:
        """Forget the world that has been unused for longest, at all vendors at once: its two sides belong together."""
        used: dict[str, float] = {}
        for (name, _), each in self._mounted.items():
            used[name] = max(used.get(name, 0.0), each.used_at)
        if world in used or len(used) < KEPT_WORLDS:
            return
        oldest = min(used.keys() - {DEFAULT_WORLD}, key=used.__getitem__)
        if time.monotonic() - used[oldest] < UNUSED_AFTER:
            raise NoRoom(f"All {KEPT_WORLDS} worlds of this sandbox are in use. Use one of them, or come back a little later.")
        for key in [key for key in self._mounted if key[0] == oldest]:
            del self._mounted[key]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except NoRoom as full:
            answer = as_json({"error": str(full)}, 503)
        headers = {"Content-Type": "application/json", **answer.headers, "Content-Length": str(len(answer.body))}
        start_response(f"{answer.status} {_phrase(answer.status)}", list(headers.items()))
        return [answer.body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        parts = environ.get("PATH_INFO", "/").split("/")[1:]
        if parts[0] == "_sandbox":
            return self._control(parts[1:], environ)
        world, prefix = DEFAULT_WORLD, ""
        if parts[0] == "w" and len(parts) > 2:
            world, prefix, parts = parts[1], f"/w/{parts[1]}", parts[2:]
        if parts[0] not in self._vendors:
            return as_json({"error": f"no such vendor here: {parts[0] or '(none)'}", "vendors": sorted(self._vendors)}, 404)
        mounted = self.mounted(parts[0], world)
        request = _request(environ, path="/" + "/".join(parts[1:]), mount=f"{prefix}/{parts[0]}")
        call: dict[str, Any] = {"at": mounted.clock.now().isoformat(), "method": request.method, "path": request.path}
        call |= {"headers": dict(request.headers), "operation": "", "status": None, "bytes_in": len(request.body)}
        mounted.calls.append(call)
        if slow := mounted.faults.take("latency"):
            time.sleep(float(slow.settings.get("seconds", 0.005)))
        try:
            answer = mounted.world.handle(request)
        except (ConnectionCut, TooSlow) as gone:
            call["operation"] = gone.operation
            raise
        call |= {"operation": answer.operation, "status": answer.status, "bytes_out": len(answer.body)}
        return answer

    def _control(self, parts: list[str], environ: WSGIEnvironment) -> Answer:
        if environ.get("REMOTE_ADDR", "127.0.0.1") not in ("127.0.0.1", "::1"):
            return as_json({"error": "the control door answers on loopback only"}, 403)
        # A proxy on this machine lends its own address to anybody.
        if environ.keys() & {"HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR"}:
            return as_json({"error": "the control door does not answer through a proxy"}, 403)
        if len(parts) != 2 or parts[0] not in self._vendors:
            return as_json({"error": "use /_sandbox/VENDOR/VERB", "vendors": sorted(self._vendors)}, 404)
        request = _request(environ, path="", mount="")
        mounted = self.mounted(parts[0], request.query.get("world", DEFAULT_WORLD))
        try:
            settings = json.loads(request.body or b"{}")
            return as_json(self._turn(mounted, request.method, parts[1], settings))
        except (TypeError, ValueError, LookupError) as error:
            return as_json({"error": str(error)}, 400)

    def _turn(self, mounted: Mounted, method: str, verb: str, settings: dict[str, Any]) -> Any:
        match method, verb:
            case "GET", "calls":
                return [{**call, "headers": _masked(call["headers"])} for call in mounted.calls]
            case "GET", "state":
                return mounted.world.state()
            case "POST", "reset":
                mounted.calls.clear()
                mounted.faults.clear()
                mounted.clock.offset = timedelta()
                mounted.world.reset(**settings)
                return {"ok": True}
            case "POST", "seed":
                return mounted.world.seed(**settings)
            case "POST", "clock":
                mounted.clock.advance(float(settings["advance"]))
                return {"now": mounted.clock.now().isoformat()}
            case "POST", "faults":
                known = mounted.world.FAULTS | {"latency"}
                if settings.get("name") not in known:
                    raise LookupError(f"no fault of that name; known: {', '.join(sorted(known))}")
                mounted.faults.arm(**settings)
                return {"armed": [fault.name for fault in mounted.faults.armed]}
        raise LookupError(f"{method} {verb}: not a verb of the control door")


def as_json(value: Any, status: int = 200) -> Answer:
    """An answer with a JSON body."""
    return Answer(status=status, body=json.dumps(value, default=str).encode(), headers={"Content-Type": "application/json"})


def _masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Even a made-up token is not shown: people paste real ones by mistake."""
    return {
        name: f"{value[:4]}…({len(value)})" if name in ("authorization", "cookie") else value for name, value in headers.items()
    }


def _request(environ: WSGIEnvironment, *, path: str, mount: str) -> Request:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY:
        raise ValueError("the request is too large")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query={name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).items()},
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
        base_url=f"{environ.get('wsgi.url_scheme', 'http')}://{host}{mount}",
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

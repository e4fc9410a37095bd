"""A connection without rows: sessions in memory, a real lock for the turn, and the sandbox's clock."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import httpx
import pytest

from integrations import http
from integrations.sandboxes.core import Mounted, Sandbox
from integrations.sandboxes.intacct import IntacctWorld
from integrations.types import Login, Page, Record, Session
from integrations.vendors.intacct import VENDOR

HOST = "http://sandbox.test/intacct"
SENDER_PASSWORD, USER_PASSWORD = "sample-sender-pw", "sample-user-pw"
FIELDS = (
    "RECORDID",
    "VENDORNAME",
    "STATE",
    "WHENDUE",
    "TRX_TOTALDUE",
    "CURRENCY",
    "WHENMODIFIED",
    "lines.ACCOUNTNO",
    "lines.TRX_AMOUNT",
)


@dataclass
class Memory:
    """One connection's stored session."""

    session: Session | None = field(default=None, repr=False)
    n_saved: int = 0

    def load(self) -> Session | None:
        return self.session

    def save(self, session: Session) -> None:
        self.session, self.n_saved = session, self.n_saved + 1

    def drop(self) -> None:
        self.session = None


class NoBudgets:
    def spend(self, kind: str, cost: int, *, limit: int, window: timedelta, said: str) -> None: ...
    def learn(
        self, kind: str, *, remaining: int | None = None, limit: int | None = None, resets_in: timedelta | None = None
    ) -> None: ...
    def exhaust(self, kind: str, *, until: timedelta, said: str) -> None: ...


class Turns:
    """One holder at a time for each name, as the database's rows would see to it."""

    def __init__(self) -> None:
        self.locks: dict[str, threading.Lock] = {}
        self.asked: list[str] = []

    def __call__(self, name: str) -> AbstractContextManager[Any]:
        self.asked.append(name)
        return self.locks.setdefault(name, threading.Lock())


class MountedHttp(http.Http):
    """Reaches whatever app is mounted at the time of the call, and never a network."""

    def __init__(self) -> None:
        """Nothing is kept."""

    def send(self, method: str, url: str, **what: Any) -> http.Answer:
        client = http.client_for(VENDOR.limits)
        assert isinstance(client._transport, httpx.WSGITransport), "no app is mounted"
        return http.Http(client, vendor=VENDOR.key, name=VENDOR.name, limits=VENDOR.limits).send(method, url, **what)


@dataclass
class Desk:
    """A connection, and what its code said, kept and sent."""

    login: Login
    memory: Memory
    turns: Turns
    warned: list[tuple[str, str]]


@dataclass
class Carried:
    """What an engine would carry: feeds ``known`` and remembers every page."""

    versions: dict[str, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    n_known: int = 0
    cursor: Any = None

    def known(self, ids: Sequence[str]) -> dict[str, str]:
        return {each: self.versions[each] for each in ids if each in self.versions}

    def take(self, page: Page) -> None:
        self.records += page.records
        self.versions |= {each.external_id: each.version for each in page.records}
        self.n_known += page.n_known
        self.cursor = page.cursor

    def poll(self, source: Any) -> list[Record]:
        """Read all that is new; says which records came."""
        before = len(self.records)
        for page in source.changed_since(self.cursor, self.known):
            self.take(page)
        return self.records[before:]


def make_desk(
    *,
    base_url: str = HOST + VENDOR.sandbox_path,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    turns: Turns | None = None,
    **changed: Any,
) -> Desk:
    """``user_password="wrong"`` and the like change what is signed in with."""
    memory, warned, turns = Memory(), [], turns or Turns()
    settings = {"company_id": "SAMPLE", "user_id": "xml_gateway", "sender_id": "sample_sender"}
    secrets = {"user_password": USER_PASSWORD, "sender_password": SENDER_PASSWORD}
    login = Login(
        connection_id="c-1",
        base_url=base_url,
        settings=settings | {key: value for key, value in changed.items() if "password" not in key},
        secrets=secrets | {key: value for key, value in changed.items() if "password" in key},
        http=MountedHttp(),
        sessions=memory,
        budgets=NoBudgets(),
        turn=turns,
        now=now,
        warn=lambda code, said: warned.append((code, said)),
    )
    return Desk(login=login, memory=memory, turns=turns, warned=warned)


@dataclass
class Wire:
    """Passes requests on to an app, and keeps their addresses and bodies."""

    app: Any
    urls: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.urls.append(f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{environ['PATH_INFO']}")
        self.bodies.append(body)
        return self.app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)


class Scripted:
    """Gives prepared answers, one after the other: (status, body) or (status, body, headers)."""

    def __init__(self, *answers: tuple[Any, ...]) -> None:
        self.answers = list(answers)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        status, body, *headers = self.answers.pop(0)
        kind = {"Content-Type": 'text/xml; encoding="UTF-8"', **(headers[0] if headers else {})}
        start_response(f"{status} X", list(kind.items()))
        return [body if isinstance(body, bytes) else body.encode()]


def all_keys(source: Any) -> list[str]:
    return list(chain.from_iterable(source.keys()))


NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
SIGNED = (
    "<authentication><status>success</status><userid>u</userid><companyid>c</companyid><locationid></locationid>"
    "<sessiontimestamp>2026-11-21T08:00:00+00:00</sessiontimestamp><sessiontimeout>2026-11-21T14:00:00+00:00</sessiontimeout>"
    "</authentication>"
)


def answer(*results: str, authentication: str = SIGNED) -> str:
    """An answer whose upper layers went well; ``{n}`` in a result is its function's control id."""
    numbered = "".join(each.replace("{n}", f"f{n}") for n, each in enumerate(results, 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><response><control><status>success</status><senderid>s</senderid>'
        f"<controlid>c</controlid><uniqueid>false</uniqueid><dtdversion>3.0</dtdversion></control><operation>{authentication}{numbered}</operation></response>"
    )


def result(data: str = "", *, status: str = "success", function: str = "query", errors: str = "") -> str:
    message = f"<errormessage>{errors}</errormessage>" if errors else ""
    return f"<result><status>{status}</status><function>{function}</function><controlid>{{n}}</controlid>{data}{message}</result>"


def page(name: str, *rows: dict[str, str], n_remaining: int = 0) -> str:
    """A page of ``query``."""
    inner = "".join(f"<{name}>" + "".join(f"<{key}>{text}</{key}>" for key, text in row.items()) + f"</{name}>" for row in rows)
    return result(
        f'<data listtype="{name}" totalcount="9" offset="0" count="{len(rows)}" numremaining="{n_remaining}">{inner}</data>'
    )


def opened(endpoint: str = "https://na12.intacct.com/ia/xml/xmlgw.phtml") -> str:
    """What getAPISession answers."""
    data = f"<data><api><sessionid>sess-1..</sessionid><endpoint>{endpoint}</endpoint><locationid></locationid></api></data>"
    return answer(result(data, function="getAPISession"))


USER = answer(result("<data><userinfo><RECORDNO>177</RECORDNO><LOGINID>u</LOGINID></userinfo></data>", function="readByName"))


def formatting(locale: str = "en_US", dateformat: str = "/mdY", gmtoffset: str = "+00:00", clock: str = "24") -> str:
    parts = {"recordno": "177", "locale": locale, "dateformat": dateformat, "gmtoffset": gmtoffset, "clock": clock}
    inner = "".join(f"<{key}>{text}</{key}>" for key, text in parts.items())
    return answer(result(f"<data><userformatting>{inner}</userformatting></data>", function="readUserFormatting"))


def signed_in(**preferences: str) -> list[tuple[int, str]]:
    """The three answers of a first sign-in."""
    return [(200, opened()), (200, USER), (200, formatting(**preferences))]


@contextmanager
def scripted(*answers: tuple[Any, ...]) -> Iterator[Wire]:
    wire = Wire(Scripted(*answers))
    with http.mounted(wire):
        yield wire


@pytest.fixture
def wire() -> Wire:
    return Wire(Sandbox({"intacct": IntacctWorld}))


@pytest.fixture
def sandbox(wire: Wire) -> Iterator[Sandbox]:
    with http.mounted(wire):
        yield wire.app


@pytest.fixture
def mounted(sandbox: Sandbox) -> Mounted:
    found = sandbox.mounted("intacct")
    found.world.reset(bills=0)
    return found


@pytest.fixture
def world(mounted: Mounted) -> Any:
    return mounted.world


@pytest.fixture
def desk(mounted: Mounted) -> Desk:
    return make_desk(now=mounted.clock.now)


@pytest.fixture
def calls(mounted: Mounted) -> Callable[[], list[str]]:
    """The operations received since this was last asked."""

    def since() -> list[str]:
        said = [call["operation"] for call in mounted.calls]
        mounted.calls.clear()
        return said

    return since

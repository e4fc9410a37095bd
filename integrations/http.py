"""The one module that names the HTTP library: time limits, size limits, no redirects, redacted logging, no call inside a transaction."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import httpcore
import httpx
import structlog
from django.db import connections

from integrations.errors import AnswerTooLarge, VendorUnavailable

log = structlog.get_logger(__name__)

Listener = Callable[[str, str], None]
_listener: ContextVar[Listener | None] = ContextVar("call_listener", default=None)
_deadline: ContextVar[float] = ContextVar("call_deadline", default=float("inf"))


@dataclass(frozen=True, kw_only=True)
class CallLimits:
    """How long and how large one call may be."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 55.0
    max_bytes: int = 8 * 1024 * 1024


class CallInsideTransaction(RuntimeError):
    """Our own bug: a vendor was about to be called while a transaction was open."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    content: bytes


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within this block every call is reported as (vendor, operation) before it is sent."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Http:
    """Sends requests to one vendor. ``client`` may be shared by all threads of a process."""

    def __init__(self, client: httpx.Client, *, vendor: str, name: str, limits: CallLimits) -> None:
        self._client, self._vendor, self._name, self._limits = client, vendor, name, limits

    def send(self, method: str, url: str, *, operation: str, headers: Mapping[str, str], content: bytes = b"") -> Answer:
        """Send one request and read its whole answer.

        Raises VendorUnavailable when no complete answer came in time, and AnswerTooLarge when it is larger than the vendor's limit.
        """
        refuse_inside_transaction(self._vendor, operation)
        if listener := _listener.get():
            listener(self._vendor, operation)
        began = time.monotonic()
        token = _deadline.set(began + self._limits.total)
        try:
            answer = self._exchange(method, url, headers, content, deadline=_deadline.get())
        except httpx.HTTPError as error:
            self._log(operation, began, outcome=type(error).__name__)
            raise self._unavailable(error, operation) from error
        finally:
            _deadline.reset(token)
        self._log(operation, began, outcome=answer.status)
        return answer

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], content: bytes, deadline: float) -> Answer:
        with self._client.stream(method, url, headers=dict(headers), content=content, follow_redirects=False) as response:
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > self._limits.max_bytes:
                    raise AnswerTooLarge(
                        f"{self._name} sent an answer larger than {self._limits.max_bytes // 1024 // 1024} MB. We are looking into it.",
                        vendor=self._vendor,
                        detail=f"more than {self._limits.max_bytes} bytes",
                    )
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the whole answer took too long")
                chunks.append(chunk)
            return Answer(status=response.status_code, headers=response.headers, content=b"".join(chunks))

    def _unavailable(self, error: httpx.HTTPError, operation: str) -> VendorUnavailable:
        never_arrived = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return VendorUnavailable(
            f"{self._name} did not answer. We try again by ourselves.",
            may_have_acted=not never_arrived,
            vendor=self._vendor,
            operation=operation,
            detail=type(error).__name__,
        )

    def _log(self, operation: str, began: float, outcome: Any) -> None:
        log.info(
            "vendor_call", vendor=self._vendor, operation=operation, outcome=outcome, ms=round((time.monotonic() - began) * 1000)
        )


def refuse_inside_transaction(vendor: str, operation: str) -> None:
    """Several vendors call us back while our own request is open, and an open transaction would hold locks all that time.

    Blocks that a test case opened around itself do not count.
    """
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise CallInsideTransaction(f"{vendor} {operation}: a call was attempted inside a transaction")


_clients: dict[tuple[float, float], httpx.Client] = {}
_clients_lock = threading.Lock()
_mounted: Any = None


def client_for(limits: CallLimits) -> httpx.Client:
    """The process's client for these limits: connections are kept alive and shared by its threads."""
    if _mounted is not None:
        return httpx.Client(transport=_WsgiTransport(_mounted), timeout=httpx.Timeout(limits.read, connect=limits.connect))
    with _clients_lock:
        key = (limits.connect, limits.read)
        if key not in _clients:
            timeout = httpx.Timeout(limits.read, connect=limits.connect)
            _clients[key] = httpx.Client(transport=_DeadlineTransport(), timeout=timeout, trust_env=False)
        return _clients[key]


@contextmanager
def mounted(app: Any) -> Iterator[None]:
    """Within this block every request of this process is answered by a WSGI app instead of a socket: the tests' seam."""
    global _mounted
    before, _mounted = _mounted, app
    try:
        yield
    finally:
        _mounted = before


class _DeadlineTransport(httpx.HTTPTransport):
    """A real socket whose every step ends at the call's deadline.

    The library's own time limits are for one step each: a server that drips its headers byte by byte would outlive them all.
    """

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_DeadlineBackend(),
        )


def _left(timeout: float | None, too_late: type[Exception]) -> float | None:
    """What a step may take. Zero would mean "do not wait" to a socket, so that a deadline that has passed is raised here."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise too_late("the whole exchange took too long")
    return left if timeout is None else min(timeout, left)


class _DeadlineBackend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _DeadlineStream(httpcore.NetworkStream):
    _SLICE = 64 * 1024  # a large body is sent in slices, between which the deadline is looked at

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), self._SLICE):
            self._stream.write(buffer[at : at + self._SLICE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _WsgiTransport(httpx.WSGITransport):
    """Turns the exceptions by which an app says "the line was cut" or "too slow" into what a real socket would raise."""

    def __init__(self, app: Any) -> None:
        super().__init__(app=app, raise_app_exceptions=True)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except ConnectionAbortedError as error:
            raise httpx.ReadError("the connection was cut", request=request) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time", request=request) from error

"""A call ends when its time is over, however alive the server keeps the line; told over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from integrations.errors import VendorUnavailable
from integrations.http import Answer, CallLimits, Http, client_for

LIMITS = CallLimits(connect=0.5, read=0.5, total=0.6)
DRIP = 0.1  # seconds between two bytes: each of them arrives well within the time for one read


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answers every connection with ``serve``, in threads that end with their connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(line: socket.socket) -> None:
        with line, suppress(OSError):
            serve(line)

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def drip(line: socket.socket, text: bytes) -> None:
    for i in range(len(text)):
        line.sendall(text[i : i + 1])
        time.sleep(DRIP)


def dripping_headers(line: socket.socket) -> None:
    line.recv(65_536)
    drip(line, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 50)


def dripping_body(line: socket.socket) -> None:
    line.recv(65_536)
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
    drip(line, b"x" * 50)


def reading_slowly(line: socket.socket) -> None:
    for _ in range(50):
        line.recv(20_000)
        time.sleep(DRIP)


def answering(line: socket.socket) -> None:
    while line.recv(65_536):
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def send(url: str, content: bytes = b"") -> Answer:
    http = Http(client_for(LIMITS), vendor="monday", name="Monday.com", limits=LIMITS)
    return http.send("POST", url, operation="me", headers={}, content=content)


@pytest.mark.parametrize(
    ("serve", "size"),
    [(dripping_headers, 0), (dripping_body, 0), (reading_slowly, 32 * 1024 * 1024)],
    ids=["headers", "body", "request"],
)
def test_a_server_that_drips_does_not_outlive_the_whole_calls_time(serve: Callable[[socket.socket], None], size: int) -> None:
    with server(serve) as url:
        began = time.monotonic()
        with pytest.raises(VendorUnavailable) as raised:
            send(url, b"x" * size)
        assert time.monotonic() - began < 1.2
    assert raised.value.may_have_acted


def test_each_call_over_a_kept_connection_has_its_own_time() -> None:
    with server(answering) as url:
        for _ in range(3):
            assert send(url).content == b"ok"
            time.sleep(0.3)

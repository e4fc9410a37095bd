"""Sandboxes on a port: a threading HTTP server that can also cut a line and keep silent."""

import socket
import time
from collections.abc import Callable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from integrations.sandboxes.core import Clock, Faults, Sandbox, TooSlow, World


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class _Handler(ServerHandler):
    """Exceptions by which a world says "the line is cut" end the connection without an answer."""

    def run(self, application: Any) -> None:
        try:
            self.setup_environ()
            self.result = application(self.environ, self.start_response)  # type: ignore[attr-defined]
            self.finish_response()
        except TooSlow as silence:
            time.sleep(silence.seconds)
            self._cut()
        except ConnectionError:
            self._cut()

    def _cut(self) -> None:
        """No answer, no farewell. Buffered output must not follow: the base class closes the files."""
        self.headers_sent = True


class _Request(WSGIRequestHandler):
    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            return
        handler = _Handler(self.rfile, self.wfile, self.get_stderr(), self.get_environ(), multithread=True)  # type: ignore[arg-type]
        handler.request_handler = self  # type: ignore[attr-defined]
        handler.run(self.server.get_app())  # type: ignore[attr-defined]

    def log_message(self, *args: Any) -> None:
        """The control door lists the calls; the terminal stays quiet."""

    def address_string(self) -> str:
        return str(self.client_address[0])  # never asks a name server


def serve(vendors: Mapping[str, Callable[[Clock, Faults], World]], *, host: str = "127.0.0.1", port: int = 0) -> WSGIServer:
    """A server that is listening; the caller runs ``serve_forever``."""
    server = _Server((host, port), _Request)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.set_app(Sandbox(vendors))
    return server

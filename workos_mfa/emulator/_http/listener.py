"""werkzeug's HTTP server with kept connections, broken connections for faults, and an immediate stop.

werkzeug by itself closes the connection after each response, and waits a while before it does. Clients of the API
keep their connections, so the handling of a request is written out here.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import re
import selectors
import socket
import struct
import threading
from typing import IO, cast

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

from workos_mfa._core.transport import Response
from workos_mfa.emulator._api.dispatcher import json_response
from workos_mfa.emulator._faults.fault import reason
from workos_mfa.emulator._http.app import CLOSING, WSGIApp, half_of, headers_of

# How much of a refused body is read: a client that is still sending would not read the response.
_MOST_DRAINED = 1024 * 1024
_LONGEST_DRAIN = 1.0
_NO_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 0.1
_REQUEST_LINE = re.compile(rb"[!#-'*+.0-9A-Z^-z|~-]+ [!-~\x80-\xff]+ HTTP/[0-9]\.[0-9]\r\n")
_FIELD = re.compile(rb"[!#-'*+.0-9A-Z^-z|~-]+:[\t -~\x80-\xff]*\r\n")
_RESET_AT_CLOSING = struct.pack("ii", 1, 0)

_log = logging.getLogger("workos_mfa.emulator")


class _MalformedError(Exception):
    """The head of a request breaks the rules of HTTP."""


class _Head:
    """The lines of a request's head, each checked against the rules of HTTP.

    Python's reader is less strict: it ends the head at a line that it can't read. A client and a server that disagree
    on a head disagree on where the next request begins.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def readline(self, limit: int, /) -> bytes:
        line = self._stream.readline(limit)
        if len(line) < limit and line != b"\r\n" and not _FIELD.fullmatch(line):
            raise _MalformedError
        return line


class Handler(WSGIRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rfile: io.BufferedIOBase

    def parse_request(self) -> bool:
        stream = self.rfile
        self.rfile = cast("io.BufferedIOBase", _Head(stream))
        try:
            if _REQUEST_LINE.fullmatch(self.raw_requestline):
                return super().parse_request()
        except _MalformedError:
            pass
        finally:
            self.rfile = stream
        self.command = ""
        self.send_error(400, "A line of its head is not valid HTTP.")
        return False

    def run_wsgi(self) -> None:
        """Respond to one request, and leave the connection ready for the next one."""
        length = self._body_length()
        if length is None:
            self.send_error(400, "The length of the request's body is not clear.")
            return
        hosts = len(self.headers.get_all("Host", []))
        if hosts > 1 or (not hosts and self.request_version != "HTTP/1.0"):
            self.send_error(400, "It must have one Host header.")
            return
        listener = cast("Listener", self.server)
        body = LimitedStream(cast("IO[bytes]", self.rfile), length)
        environ = {**self.make_environ(), CLOSING: listener.closing}
        is_chunked = "wsgi.input_terminated" in environ
        if not is_chunked:
            environ["wsgi.input"] = body
        try:
            response, is_cut = listener.wsgi_app.respond(environ)
        except ConnectionError:
            self._reset()
            return
        # Where the next request begins is not known after a chunked body, nor after one that was not read.
        unread = is_chunked or not body.is_exhausted
        is_last = unread or self.request_version != "HTTP/1.1" or listener.closing.is_set()
        self._send(response, is_cut=is_cut, is_last=is_last)
        if unread:
            self._drain()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not valid HTTP, with a JSON body as everywhere."""
        del explain
        text = f"The workos_mfa emulator can't read this request: {message or reason(code)}"
        response = json_response(code, {"code": "bad_request", "message": text})
        # Whatever version of HTTP it may be.
        self.request_version: str = self.protocol_version
        self._send(response, is_cut=False, is_last=True)
        self._drain()

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the emulator has its list of calls."""

    def _body_length(self) -> int | None:
        """The length of the body, 0 if it comes in chunks, None if it is not clear."""
        lengths = self.headers.get_all("Content-Length", [])
        codings = self.headers.get_all("Transfer-Encoding", [])
        if codings:
            is_clear = not lengths and self.request_version != "HTTP/1.0"
            return 0 if is_clear and [coding.lower() for coding in codings] == ["chunked"] else None
        if not lengths:
            return 0
        [length, *others] = lengths
        # More digits than these are longer than any body.
        return int(length) if not others and length.isdecimal() and length.isascii() and len(length) < 19 else None

    def _send(self, response: Response, *, is_cut: bool, is_last: bool) -> None:
        self.send_response_only(response.status, reason(response.status))
        for name, value in headers_of(response):
            self.send_header(name, value)
        if "date" not in response.headers:
            self.send_header("Date", self.date_time_string())
        if is_last:
            # This also makes the handler close the connection at the end.
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(half_of(response) if is_cut else response.body)
            self.close_connection = self.close_connection or is_cut

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSING)
        self.close_connection: bool = True

    def _drain(self) -> None:
        # Closing with unread bytes is a reset: a client that has not read the response yet would lose it.
        left = _MOST_DRAINED
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LONGEST_DRAIN)
            while left > 0:
                read = len(self.connection.recv(65536))
                left = left - read if read else 0


class Listener(ThreadedWSGIServer):
    """All connections, each in its own thread, and the thread that accepts them.

    :param sock: a socket that listens. The caller owns it, and may close it.
    """

    def __init__(self, app: WSGIApp, sock: socket.socket) -> None:
        self.wsgi_app = app
        self.closing: threading.Event = threading.Event()
        # Changed by the accepting thread alone, so that it needs no lock.
        self._connections: dict[threading.Thread, socket.socket] = {}
        host, port = sock.getsockname()[:2]
        super().__init__(host, port, app, Handler, fd=sock.fileno())
        self._wake, self._woken = socket.socketpair()
        self._accepting = threading.Thread(target=self._accept, name="workos-mfa emulator", daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Accept no more, end every connection, and return when all threads are gone."""
        self.closing.set()
        self._wake.close()
        self._accepting.join()
        for connection in self._connections.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        # A thread whose connection is closed already may still be on its way out.
        for thread in self._connections:
            thread.join()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve a connection in a thread of its own; close it if there can be no more threads."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self.shutdown_request(request)
            return
        alive = {other: line for other, line in self._connections.items() if other.is_alive()}
        self._connections = {**alive, thread: cast("socket.socket", request)}

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection; without a shutdown, which would be sent before a reset."""
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        del request
        _log.exception("the connection from %s failed", client_address)

    def _accept(self) -> None:
        with self._woken, self.socket, selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            selector.register(self.socket, selectors.EVENT_READ)
            while self._woken not in {key.fileobj for key, _ in selector.select()}:
                self._accept_one()

    def _accept_one(self) -> None:
        try:
            self.process_request(*self.get_request())
        except OSError as error:
            # A connection that is gone leaves the queue. One that there is no descriptor for stays in it, and would be
            # tried again at once, for ever.
            if error.errno in _NO_RESOURCES:
                self.closing.wait(_PAUSE)

"""One connection after another: werkzeug's server, made to keep connections, to break them, and to stop at once.

werkzeug by itself closes the connection after each answer, and waits a while before it does. Clients of the API
keep theirs, so what happens to one request is written out here.
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
from typing import BinaryIO, cast

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from workos_mfa._core.transport import Response
from workos_mfa.emulator._api.dispatcher import json_response
from workos_mfa.emulator._http.app import CLOSING, WSGIApp, headers_of, reason, whole_or_half

# Of a body that was refused so much is read, since a client that is still sending would not read the answer.
_MOST_READ_IN_VAIN = 1024 * 1024
_LONGEST_WAIT_IN_VAIN = 1.0
_NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 0.1
_REQUEST_LINE = re.compile(rb"[!#-'*+.0-9A-Z^-z|~-]+ [!-~\x80-\xff]+ HTTP/[0-9]\.[0-9]\r\n")
_FIELD = re.compile(rb"[!#-'*+.0-9A-Z^-z|~-]+:[\t -~\x80-\xff]*\r\n")
_RESET_AT_CLOSING = struct.pack("ii", 1, 0)

_log = logging.getLogger("workos_mfa.emulator")


class _MalformedError(Exception):
    """The head of a request breaks the rules that tell where it ends and what it says."""


class _Head:
    """The lines of a request's head, each held against the rules of HTTP.

    Python's reader is more forgiving than they are: it ends the head at a line that it can't read, and a client and
    a server that disagree on a head disagree on where the next request begins.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def readline(self, limit: int, /) -> bytes:
        """The next line, checked."""
        line = self._stream.readline(limit)
        if len(line) < limit and line != b"\r\n" and not _FIELD.fullmatch(line):
            raise _MalformedError
        return line


class _Body(io.RawIOBase):
    """The body of one request, which ends where it ends: behind it the next request begins."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self.left = length

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # wider than any caller
        data = self._stream.read(min(len(buffer), self.left))
        buffer[: len(data)] = data
        self.left -= len(data)
        return len(data)


class Handler(WSGIRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rfile: io.BufferedIOBase

    def parse_request(self) -> bool:
        """Read the head of one request; where it is not as HTTP has it, refuse the request."""
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
        self.send_error(400, "There is a line in its head that HTTP does not have.")
        return False

    def run_wsgi(self) -> None:
        """Answer one request, and leave the connection ready for the next one."""
        length = self._body_length()
        if length is None:
            self.send_error(400, "The length of the request's body is not clear.")
            return
        hosts = len(self.headers.get_all("Host", []))
        if hosts > 1 or (not hosts and self.request_version != "HTTP/1.0"):
            self.send_error(400, "It takes one header Host.")
            return
        environ = self.make_environ()
        listener = cast("Listener", self.server)
        environ[CLOSING] = listener.closing
        body = _Body(cast("BinaryIO", self.rfile), length)
        is_chunked = bool(environ.get("wsgi.input_terminated"))
        if not is_chunked:
            environ["wsgi.input"] = body
        try:
            response, content = whole_or_half(listener.door.answer(environ))
        except ConnectionError:
            self._break_off()
            return
        # Where the next request begins is not known after a chunked body, nor after one that was not read.
        unread = is_chunked or body.left > 0
        is_last = unread or self.request_version != "HTTP/1.1" or listener.closing.is_set()
        self._send(response, content, is_last=is_last)
        if unread:
            self._read_in_vain()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP, in JSON as everything else."""
        del explain
        text = f"The workos_mfa emulator can't read this request: {message or reason(code)}"
        response = json_response(code, {"code": "bad_request", "message": text}, {})
        # Whatever version of HTTP it may be.
        self.request_version: str = self.protocol_version
        self._send(response, response.body, is_last=True)
        self._read_in_vain()

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the emulator has its list of calls."""

    def _body_length(self) -> int | None:
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

    def _send(self, response: Response, content: bytes, *, is_last: bool) -> None:
        self.send_response_only(response.status, reason(response.status))
        for name, value in headers_of(response):
            self.send_header(name, value)
        if "date" not in response.headers:
            self.send_header("Date", self.date_time_string())
        if is_last:
            # This closes the connection too, once all is said.
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
            self.close_connection = self.close_connection or len(content) < len(response.body)

    def _break_off(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSING)
        self.close_connection: bool = True

    def _read_in_vain(self) -> None:
        # To close with bytes unread is a reset, which takes the answer from a client that has not read it yet.
        left = _MOST_READ_IN_VAIN
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LONGEST_WAIT_IN_VAIN)
            while left > 0:
                read = len(self.connection.recv(65536))
                left = left - read if read else 0


class Listener(ThreadedWSGIServer):
    """All connections, in a thread each, and the thread that accepts them.

    :param door: what answers.
    :param sock: a socket that listens; it stays the caller's, who may close it.
    """

    def __init__(self, door: WSGIApp, sock: socket.socket) -> None:
        self.door = door
        self.closing: threading.Event = threading.Event()
        self._lock = threading.Lock()
        self._open: set[object] = set()
        self._serving: set[threading.Thread] = set()
        host, port = sock.getsockname()[:2]
        super().__init__(host, port, door, Handler, fd=sock.fileno())
        self._wake, self._woken = socket.socketpair()
        self._accepting = threading.Thread(target=self._accept, name="workos-mfa emulator", daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Accept no more, end every connection, and return when all threads are gone."""
        with self._lock:
            is_first = not self.closing.is_set()
            self.closing.set()
        if is_first:
            self._wake.close()
        self._accepting.join()
        with self._lock:
            connections = list(self._open)
            threads = set(self._serving)
        for connection in connections:
            with contextlib.suppress(OSError):
                cast("socket.socket", connection).shutdown(socket.SHUT_RDWR)
        # A thread whose connection is closed already may still be on its way out.
        for thread in threads:
            thread.join()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve a connection in a thread of its own; close it where there can be no more threads."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open.add(request)
        try:
            thread.start()
        except RuntimeError:
            self.shutdown_request(request)
            return
        with self._lock:
            self._serving = {thread, *filter(threading.Thread.is_alive, self._serving)}

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection; without saying that it ends, which would go before a reset."""
        with self._lock:
            self._open.discard(request)
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Note what nobody foresaw, where the program's log is."""
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
            # One that is gone by now is not there any more. One that there is no descriptor for is, and would be
            # tried again and again without a pause.
            if error.errno in _NOTHING_LEFT:
                self.closing.wait(_PAUSE)

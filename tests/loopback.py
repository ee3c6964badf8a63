"""A server on loopback that does to a request whatever a test says, and remembers what arrived.

It speaks HTTP by hand, since the tests need responses that no HTTP library would give: cut, dripping,
reset, never there.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import attrs


@attrs.frozen
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        """The body, parsed."""
        return json.loads(self.body)


class Line:
    """The connection that a request came on, as a behaviour uses it."""

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self._sock = sock
        self._closing = closing
        self.is_open = True

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._sock.sendall(data)

    def respond(self, status: int, body: object = None, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole response, JSON unless the body is bytes."""
        self.send(http_response(status, body, headers))

    def send_below_tls(self, data: bytes) -> None:
        """Send bytes past TLS, which garbles the stream."""
        with socket.socket(fileno=os.dup(self._sock.fileno())) as below:
            below.sendall(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """Send a byte at a time, until all is sent, the other side is gone or the test is over."""
        for index in range(len(data)):
            self._sock.sendall(data[index : index + 1])
            if self._closing.wait(seconds):
                return

    def stall(self) -> None:
        """Say nothing until the test is over."""
        self._closing.wait(30)

    def tunnel_to(self, port: int) -> None:
        """Be a proxy that has a connection to a port here: carry bytes both ways until one side is done."""
        self.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as far:
            carry(self._sock, far)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection in an orderly way."""
        self.is_open = False

    def say_no_more(self) -> None:
        """Close this side of the connection, and see when the other side does."""
        socket.socket.shutdown(self._sock, socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection off: the other side gets a reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_open = False


Behaviour = Callable[[Received, Line], object]


def http_response(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a response."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content


def carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways, until one side is done; when the test is over, its server's side is."""
    sides = {one: other, other: one}
    while True:
        for side in select.select(list(sides), [], [])[0]:
            data = side.recv(65536)
            if not data:
                return
            sides[side].sendall(data)


class Server:
    """A loopback server with one behaviour at a time."""

    def __init__(self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._spawn(self._accept)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many connections the other side has not closed."""
        return sum(sock.fileno() != -1 for sock in self._open)

    def wait_for_hang_ups(self) -> None:
        """Wait until every connection so far is closed at this end.

        For the threads that close them: a socket is without a number a moment before it is closed.
        """
        _accepting, *serving_one = self._threads
        wait_until(lambda: not any(thread.is_alive() for thread in serving_one))

    def close(self) -> None:
        """Stop, and wait until every thread is gone."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            # The socket's own shutdown, below TLS: it wakes the thread that reads.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, target: Callable[..., object], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._spawn(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(self._secured(sock)) as line_sock:
            line_sock.settimeout(None)
            self._open.append(line_sock)
            line = Line(line_sock, self._closing)
            buffer = b""
            while line.is_open and not self._closing.is_set():
                request, buffer = self._read(line_sock, buffer)
                if request is None:
                    return
                self.received.append(request)
                self.behaviour(request, line)

    @staticmethod
    def _nobody() -> bytes:
        raise ConnectionResetError(
            "the client went in the middle of a request"
        )  # pragma: no cover - it has no reason to

    def _secured(self, sock: socket.socket) -> socket.socket:
        if self._tls is None:
            return sock
        try:
            sock.settimeout(5)
            return self._tls.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            raise

    def _read(self, sock: socket.socket, buffer: bytes) -> tuple[Received | None, bytes]:
        while b"\r\n\r\n" not in buffer:
            more = sock.recv(65536)
            if not more:
                return None, b""
            buffer += more
        head, _, rest = buffer.partition(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            rest += sock.recv(65536) or self._nobody()
        method, path, _ = request_line.split(" ")
        return Received(method, path, headers, rest[:length]), rest[length:]


@contextlib.contextmanager
def serving(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server for the length of a with block."""
    server = Server(behaviour, tls=tls)
    try:
        yield server
    finally:
        server.close()


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what another thread does, and fail if it does not."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.002)

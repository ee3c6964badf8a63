"""The server: a process of its own that gives every request the same response, and counts connections."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Generator
from typing import IO, cast

import attrs

_MOMENT = "2026-01-15T12:00:00.000Z"
_BODY = json.dumps(
    {
        "challenge": {
            "object": "authentication_challenge",
            "id": "auth_challenge_01FVYZWQTZQ5VB6BC5MPG2EYC5",
            "created_at": _MOMENT,
            "updated_at": _MOMENT,
            "expires_at": _MOMENT,
            "authentication_factor_id": "auth_factor_01FVYZ5QM8N98T9ME5BCB2BBMJ",
        },
        "valid": True,
    }
).encode()
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Thu, 15 Jan 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json; charset=utf-8\r\n"
    b"Connection: keep-alive\r\n"
    b"X-Request-ID: 0e9c8f6e-2b1c-4b0c-9b57-1a2b3c4d5e6f\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


@attrs.frozen
class Server:
    """The running server, seen from the process that measures."""

    url: str
    _process: subprocess.Popen[str]

    def new_connections(self) -> int:
        """How many connections were opened since this was asked last."""
        question, answer = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        question.write("\n")
        question.flush()
        return int(answer.readline())


@contextlib.contextmanager
def running() -> Generator[Server]:
    """A server for the length of a with block."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        port = int(cast("IO[str]", process.stdout).readline())
        try:
            yield Server(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


class _Serving:
    """All connections in one thread, so that the server takes as little of the processor as it can."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(sys.stdin, selectors.EVENT_READ, self._report)
        self._accepted = 0
        self._received: dict[socket.socket, bytes] = {}
        _say(self._listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                key.data(key.fileobj)

    def _accept(self, _: object) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(sock, selectors.EVENT_READ, self._respond)
        self._received[sock] = b""
        self._accepted += 1

    def _report(self, _: object) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            sys.exit()
        _say(self._accepted)
        self._accepted = 0

    def _respond(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(sock)
            del self._received[sock]
            sock.close()
            return
        received = self._received[sock] + data
        if _is_whole(received):
            sock.sendall(_RESPONSE)
            received = b""
        self._received[sock] = received


def _is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return len(body) >= (int(rest.partition(b"\r\n")[0]) if found else 0)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _Serving().serve()

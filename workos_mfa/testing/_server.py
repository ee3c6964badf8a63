"""The far side of the transport contract: a loopback server that does to each request what an answer says.

It writes its answers by hand, since no HTTP library gives an answer that drips, or is cut, or never comes.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Generator, Mapping
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Literal, cast

import attrs

_LONGEST_LINE = 65_536
_PADDING = 300
_BETWEEN_BYTES = 0.01
_LATE = 5.0


@attrs.frozen
class Answer:
    """What a server is to do with each request, in a test of the contract.

    :param status: the status to answer with.
    :param headers: headers to send.
    :param body: the body to send.
    :param trouble: in place of a whole answer: ``refused`` makes no connection; once the request has arrived, ``lost``
        breaks the connection off, ``cut`` does so in the body, ``late`` says nothing for longer than the request's
        timeout, and ``dripping_head`` and ``dripping_body`` send a byte at a time for longer than that.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes = b"{}"
    trouble: Literal["refused", "lost", "cut", "late", "dripping_head", "dripping_body"] | None = None


class MisbehavingServer(ThreadingTCPServer):
    """A server on loopback with one answer for all.

    :param answer: what it does with each request.
    :ivar base_url: where it is.
    :ivar seen: method and path of each request that reached it, in order.
    :ivar closing: set when it is to stop.
    """

    request_queue_size = 128

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: list[tuple[str, str]] = []
        self.closing: threading.Event = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base_url: str = f"http://127.0.0.1:{self.server_address[1]}"

    # The base class sends an orderly end first, which would come before a reset.
    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection."""
        self.close_request(request)


@contextlib.contextmanager
def serving(answer: Answer) -> Generator[MisbehavingServer, None, None]:
    """A server for the length of a with block; nobody listens there if connections are to be refused."""
    with MisbehavingServer(answer) as server:
        if answer.trouble == "refused":
            server.socket.close()
            yield server
            return
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


class _Handler(StreamRequestHandler):
    timeout = _LATE  # for a connection on which nothing comes

    def handle(self) -> None:
        """Read a request and do what the answer says. The connection ends with it."""
        # The other side may go at any moment, and what is no request gets no answer.
        with contextlib.suppress(OSError, ValueError):
            method, path, _ = self._line().split(" ")
            answer = self._server.answer
            if not self._has_json() and method == "POST":
                answer = Answer(415, body=b"a POST needs a JSON object, and a Content-Type that says so")
            self._server.seen.append((method, path))
            self._give(answer)

    @property
    def _server(self) -> MisbehavingServer:
        return cast("MisbehavingServer", self.server)

    def _has_json(self) -> bool:
        headers: dict[str, str] = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        with contextlib.suppress(ValueError):
            return headers.get("content-type", "").startswith("application/json") and isinstance(json.loads(body), dict)
        return False

    def _line(self) -> str:
        return self.rfile.readline(_LONGEST_LINE).decode("latin-1").rstrip("\r\n")

    def _give(self, answer: Answer) -> None:
        if answer.trouble == "late":
            self._server.closing.wait(_LATE)
        elif answer.trouble == "lost":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif answer.trouble == "cut":
            self.wfile.write(_head(answer) + answer.body[:-1])
        elif answer.trouble == "dripping_head":
            self._drip(_head(answer, f"X-Padding: {'x' * _PADDING}\r\n") + answer.body)
        elif answer.trouble == "dripping_body":
            long = Answer(answer.status, answer.headers, answer.body + b" " * _PADDING)
            self.wfile.write(_head(long))
            self._drip(long.body)
        else:
            self.wfile.write(_head(answer) + answer.body)

    def _drip(self, data: bytes) -> None:
        for index in range(len(data)):
            self.wfile.write(data[index : index + 1])
            self._server.closing.wait(_BETWEEN_BYTES)


def _head(answer: Answer, padding: str = "") -> bytes:
    length = "" if answer.status == 204 else f"Content-Length: {len(answer.body)}\r\n"
    headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    fixed = f"Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n{length}"
    return f"HTTP/1.1 {answer.status} Whatever\r\n{fixed}{headers}{padding}\r\n".encode()

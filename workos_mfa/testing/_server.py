"""The server of the transport contract: on loopback, with one response or one fault for all requests.

It writes its responses by hand, since no HTTP library sends one slowly, cuts it, or never sends it.
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
_LONG = 250  # bytes that drip for longer than the contract waits
_BETWEEN_BYTES = 0.01
_LATE = 5.0


@attrs.frozen
class ServerResponse:
    """What the server of the contract does with each request.

    :param status: the status to send.
    :param headers: headers to send.
    :param body: the body to send.
    :param fault: what goes wrong; None if nothing does. The names are those of the emulator's faults, where it has
        the same one. ``refuse_connection``: nobody listens. The others come after the request has arrived.
        ``lose_response`` resets the connection. ``cut_body`` closes it within the body. ``delay`` sends nothing for
        longer than the request's timeout. ``drip_head`` and ``drip_body`` send a byte at a time for longer than that.
    """

    __module__ = "workos_mfa.testing"

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes = b"{}"
    fault: Literal["refuse_connection", "lose_response", "cut_body", "delay", "drip_head", "drip_body"] | None = None


_NO_JSON = ServerResponse(415, body=b"a POST needs a JSON object, and a Content-Type that says so")


class MisbehavingServer(ThreadingTCPServer):
    """A loopback server that treats all requests alike, and notes method and path of each."""

    request_queue_size = 128

    def __init__(self, response: ServerResponse) -> None:
        self.response = response
        self.seen: list[tuple[str, str]] = []
        self.closing: threading.Event = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base_url: str = f"http://127.0.0.1:{self.server_address[1]}"

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        # The base class ends the connection in an orderly way first, and then there is no reset.
        self.close_request(request)


@contextlib.contextmanager
def serving(response: ServerResponse) -> Generator[MisbehavingServer, None, None]:
    """Run the server during a with block. With ``refuse_connection`` nobody listens at its address."""
    with MisbehavingServer(response) as server:
        if response.fault == "refuse_connection":
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
    timeout = _LATE  # for a client that sends nothing

    def handle(self) -> None:
        # The client may close at any moment. What is not a request gets no response.
        with contextlib.suppress(OSError, ValueError):
            method, path, _ = self._line().split(" ")
            has_json = self._has_json()
            self._server.seen.append((method, path))
            self._respond(self._server.response if has_json or method != "POST" else _NO_JSON)

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

    def _respond(self, response: ServerResponse) -> None:
        if response.fault == "delay":
            self._server.closing.wait(_LATE)
        elif response.fault == "lose_response":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif response.fault == "cut_body":
            self.wfile.write(_head(response) + response.body[:-1])
        elif response.fault == "drip_head":
            padding = "x" * (_LONG - len(_head(response)))
            self._drip(_head(response, f"X-Padding: {padding}\r\n") + response.body)
        elif response.fault == "drip_body":
            long = ServerResponse(response.status, response.headers, response.body + b" " * _LONG)
            self.wfile.write(_head(long))
            self._drip(long.body)
        else:
            self.wfile.write(_head(response) + response.body)

    def _drip(self, data: bytes) -> None:
        for index in range(len(data)):
            self.wfile.write(data[index : index + 1])
            self._server.closing.wait(_BETWEEN_BYTES)


def _head(response: ServerResponse, padding: str = "") -> bytes:
    length = "" if response.status == 204 else f"Content-Length: {len(response.body)}\r\n"
    headers = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    fixed = f"Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n{length}"
    return f"HTTP/1.1 {response.status} Reason\r\n{fixed}{headers}{padding}\r\n".encode()

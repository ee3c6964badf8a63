"""A client that sends what a test says, right or wrong, and keeps its connection."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping

from tests.emulator.caller import Reply


class Client:
    """One connection."""

    def __init__(self, base_url: str, key: str | None) -> None:
        self.address = base_url.removeprefix("http://")
        self.key = key
        self._connection = http.client.HTTPConnection(self.address, timeout=10)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def socket(self) -> socket.socket | None:
        """The connection's socket; None before the first request and after the server has closed it."""
        found: socket.socket | None = self._connection.sock
        return found

    def send(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Make a request; a body that is not bytes is sent as JSON."""
        sent: dict[str, str] = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, path, content, {**sent, **(headers or {})})
        response = self._connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def get(self, path: str) -> Reply:
        """Make a GET."""
        return self.send("GET", path)

    def post(self, path: str, body: object = None) -> Reply:
        """Make a POST."""
        return self.send("POST", path, body)

    def delete(self, path: str) -> Reply:
        """Make a DELETE."""
        return self.send("DELETE", path)


def raw(base_url: str, data: bytes) -> bytes:
    """Send these bytes, and give everything that comes back until the server closes the connection."""
    host, _, port = base_url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(data)
        return b"".join(iter(lambda: line.recv(65536), b""))

"""The doors of one emulator, and a caller that goes through one of them and looks at every answer."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.emulator.caller import Answer, Caller
from tests.emulator_http import shapes
from workos_mfa import RequestsTransport, Transport, Urllib3Transport
from workos_mfa._core.transport import Request, Response
from workos_mfa.emulator import Emulator, EmulatorServer

IN_PROCESS = "in process"
DOORS = (IN_PROCESS, "requests", "urllib3")


def transport_through(door: str, emulator: Emulator, server: EmulatorServer) -> Transport:
    """A transport that goes through a door."""
    if door == IN_PROCESS:
        return emulator
    kind = RequestsTransport if door == "requests" else Urllib3Transport
    return kind(server.api_key, base_url=server.base_url)


class CallerThrough(Caller):
    """A caller that checks what every answer looks like, whatever a test looks at."""

    def __init__(self, emulator: Emulator, transport: Transport) -> None:
        super().__init__(emulator)
        self._transport = transport

    def send(
        self,
        method: str,
        path: str,
        json_body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make any call."""
        path = path.replace(" ", "%20")
        response = self._transport.send(Request("any", method, path, path, json=json_body, query=query or {}))
        shown = json.loads(response.body) if response.body else None
        assert shapes.problem(method, path, response.status, shown) is None
        # When it was sent is HTTP's own business, and has no counterpart in process.
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        assert ("date" in response.headers) is not isinstance(self._transport, Emulator)
        return Answer(response.status, shown, Response(response.status, headers, response.body))

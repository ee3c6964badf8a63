"""A caller that sends through a transport, and checks the shape of every response."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.emulator import shapes
from tests.emulator.caller import Answer, Caller
from workos_mfa import Transport
from workos_mfa._core.transport import Request, Response
from workos_mfa.emulator import Emulator


class CheckingCaller(Caller):
    """A caller that checks every response against the description of the API."""

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
        # A response in process has no date.
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        assert ("date" in response.headers) is not isinstance(self._transport, Emulator)
        return Answer(response.status, shown, Response(response.status, headers, response.body))

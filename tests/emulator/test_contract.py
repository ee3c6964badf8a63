"""The emulator in process keeps the contract that every transport is held to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import attrs

from workos_mfa.emulator import Emulator
from workos_mfa.testing import ServerResponse, TransportContract

FAULTS: Mapping[str, Mapping[str, object]] = {
    "refuse_connection": {"fault": "refuse_connection"},
    "lose_response": {"fault": "lose_response"},
    "cut_body": {"fault": "cut_body"},
    # Nothing drips where nothing is sent: it is late.
    **{fault: {"fault": "delay", "seconds": 60} for fault in ("delay", "drip_head", "drip_body")},
}


@attrs.frozen
class Connection:
    """An emulator as a transport."""

    transport: Emulator

    @property
    def seen(self) -> list[tuple[str, str]]:
        """The calls that it lists."""
        return [
            (call.method, f"{call.path}?{urlencode(call.query)}" if call.query else call.path)
            for call in self.transport.calls
        ]


class TestInProcess(TransportContract):
    """The emulator, with a fault for each thing that the contract's server is to do."""

    @contextlib.contextmanager
    def connected(self, response: ServerResponse) -> Iterator[Connection]:
        """An emulator that answers like this."""
        emulator = Emulator()
        emulator.clock.freeze()
        body = response.body.decode() if response.body else None
        if response.fault is None:
            emulator.faults.respond(response.status, body, headers=response.headers, count=None)
        else:
            emulator.faults.from_json({**FAULTS[response.fault], "count": None})
        yield Connection(emulator)

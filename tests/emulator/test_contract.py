"""The emulator in process keeps the contract that every transport is held to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import attrs

from workos_mfa.emulator import Emulator
from workos_mfa.testing import Answer, TransportContract

FAULTS: Mapping[str, Mapping[str, object]] = {
    "refused": {"fault": "refuse_connection"},
    "lost": {"fault": "lose_response"},
    "cut": {"fault": "cut_body"},
    # Nothing drips where nothing is sent: it is late.
    **{trouble: {"fault": "delay", "seconds": 60} for trouble in ("late", "dripping_head", "dripping_body")},
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
    def connected(self, answer: Answer) -> Iterator[Connection]:
        """An emulator that answers like this."""
        emulator = Emulator()
        emulator.clock.freeze()
        body = answer.body.decode() if answer.body else None
        if answer.trouble is None:
            emulator.faults.respond(answer.status, body, headers=answer.headers, count=None)
        else:
            emulator.faults.from_json({**FAULTS[answer.trouble], "count": None})
        yield Connection(emulator)

"""The emulator in process keeps the contract that every transport is held to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlencode

import attrs

from workos_mfa.emulator import Emulator
from workos_mfa.testing import Answer, TransportContract


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
        if answer.trouble == "lost":
            emulator.faults.lose_reply(count=None)
        elif answer.trouble == "late":
            emulator.faults.delay(60, count=None)
        else:
            body = answer.body.decode() if answer.body else None
            emulator.faults.answer(answer.status, body, headers=answer.headers, count=None)
        yield Connection(emulator)

"""The emulator in process keeps the contract that every transport is held to, and the client works with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Literal
from urllib.parse import urlencode

import attrs
import pytest

from workos_mfa import MFA, Transport
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
    """A transport before an emulator."""

    transport: Transport
    emulator: Emulator

    @property
    def seen(self) -> list[tuple[str, str]]:
        """The calls that the emulator lists."""
        return [
            (call.method, f"{call.path}?{urlencode(call.query)}" if call.query else call.path)
            for call in self.emulator.calls
        ]


def emulator_for(response: ServerResponse, faults: Mapping[str, Mapping[str, object]]) -> Emulator:
    """An emulator whose every response is this one, or goes wrong like this."""
    emulator = Emulator()
    body = response.body.decode() if response.body and response.status != 204 else None
    if response.fault is None:
        emulator.faults.respond(response.status, body, headers=response.headers, count=None)
    else:
        emulator.faults.from_json({**faults[response.fault], "count": None})
    return emulator


class TestInProcess(TransportContract):
    """The emulator, with a fault for each thing that the contract's server is to do."""

    @contextlib.contextmanager
    def connected(self, response: ServerResponse) -> Iterator[Connection]:
        """An emulator that answers like this."""
        emulator = emulator_for(response, FAULTS)
        emulator.clock.freeze()
        yield Connection(emulator, emulator)


@pytest.mark.parametrize("list_order", ["normal", "desc"])
@pytest.mark.parametrize("order", ["normal", "desc", "asc"])
def test_the_client_lists_all(list_order: Literal["normal", "desc"], order: Literal["normal", "desc", "asc"]) -> None:
    """The client, which reads the API by itself, finds all factors under each order, whatever the API's own is."""
    mfa = MFA(transport=Emulator(list_order=list_order))
    made = [mfa.enroll_factor(type="generic_otp", user_id="user_1").id for _ in range(25)]
    listed = [factor.id for factor in mfa.list_user_auth_factors("user_1", order=order).auto_paging_iter()]
    assert listed == (made if order == "asc" else made[::-1])
    assert [factor.id for factor in mfa.list_user_auth_factors("user_1").auto_paging_iter()] == made[::-1]

"""An emulator for each test, its server, a client, and a caller over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.emulator.caller import NOW, Caller
from tests.emulator.http.client import Client
from workos_mfa import RequestsTransport
from workos_mfa.emulator import Emulator, EmulatorServer


@pytest.fixture
def emulator() -> Emulator:
    """An emulator whose clock stands still."""
    return Emulator(now=NOW)


@pytest.fixture
def server(emulator: Emulator) -> Iterator[EmulatorServer]:
    """The emulator at an address of its own."""
    with emulator.serve() as running:
        yield running


@pytest.fixture
def client(server: EmulatorServer) -> Iterator[Client]:
    """A client with the key."""
    with contextlib.closing(Client(server.base_url, server.api_key)) as connected:
        yield connected


@pytest.fixture
def caller_with() -> Iterator[Callable[..., Caller]]:
    """Make a caller, over HTTP, of an emulator with some settings."""
    with contextlib.ExitStack() as stack:

        def make(**settings: Any) -> Caller:
            emulator = Emulator(now=NOW, **settings)
            server = stack.enter_context(emulator.serve())
            transport = RequestsTransport(server.api_key, base_url=server.base_url)
            stack.callback(transport.close)
            return Caller(emulator, transport)

        yield make


@pytest.fixture
def caller(caller_with: Callable[..., Caller]) -> Caller:
    """A caller of an emulator as it is without settings."""
    return caller_with()

"""The time limit holds however a response, or a connection, spreads its slowness.

That the errors are right is in the fault table; here a clock outside of the package is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.loopback import Line, Received, Server, http_response
from tests.transports.api import FACTOR, FACTOR_ID, Connect
from tests.transports.stages import (
    Setting,
    World,
    connecting_hangs,
    resolve,
    stall,
    stall_in_the_tunnel,
    through_a_proxy,
    tls_never_begins,
    tunnel,
)
from workos_mfa import MFA, ConnectError, ConnectTimeoutError, RetryingTransport, TransportTimeoutError

LIMIT = 0.3
MARGIN = 2.0  # far less than what the slow responses would take, far more than a busy machine does


@contextmanager
def takes(seconds: float, margin: float = MARGIN) -> Iterator[None]:
    """What is done here is over when the time is up, and not before."""
    started = time.monotonic()
    yield
    assert seconds * 0.9 < time.monotonic() - started < seconds + margin


def drip_headers(_: Received, line: Line) -> None:
    """Send the headers a byte at a time, each well within a socket's timeout."""
    line.drip(http_response(200, FACTOR, {"X-Padding": "x" * 200}), 0.02)


def drip_body(_: Received, line: Line) -> None:
    """Send the headers at once and the body a byte at a time."""
    head, separator, body = http_response(200, FACTOR).partition(b"\r\n\r\n")
    line.send(head + separator)
    line.drip(body * 2, 0.02)


def drip_interim_responses(_: Received, line: Line) -> None:
    """Send interim responses without end."""
    line.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, 0.002)


@pytest.mark.parametrize("behaviour", [drip_headers, drip_body, drip_interim_responses])
def test_a_dripping_response(behaviour: Callable[[Received, Line], None], server: Server, connect: Connect) -> None:
    """A response that drips is cut off when the attempt's time is up."""
    server.behaviour = behaviour
    mfa = MFA(transport=connect(server), timeout=LIMIT)
    with takes(LIMIT), pytest.raises(TransportTimeoutError, match=r"within 0\.3 s"):
        mfa.get_factor("auth_factor_1")


def test_the_deadline_covers_all_attempts(server: Server, connect: Connect) -> None:
    """Attempts and waits together end at the deadline, or before a wait that would go over it."""
    server.behaviour = drip_body
    mfa = MFA(transport=RetryingTransport(connect(server)), timeout=LIMIT, deadline=LIMIT * 2)
    started = time.monotonic()
    with pytest.raises(TransportTimeoutError) as caught:
        mfa.get_factor("auth_factor_1")
    assert time.monotonic() - started < LIMIT * 2 + MARGIN
    assert len(caught.value.attempts) >= 2


def test_a_slow_response_within_the_limit(server: Server, mfa: MFA) -> None:
    """Slowness alone is no error, and the connection that bore it is used again."""
    server.behaviour = lambda _, line: line.drip(http_response(200, FACTOR), 0.0005)
    assert mfa.get_factor(FACTOR_ID) == mfa.get_factor(FACTOR_ID)
    assert server.connections == 1


@pytest.mark.parametrize("setting", [connecting_hangs, tls_never_begins, through_a_proxy(stall_in_the_tunnel)])
def test_what_hangs_before_the_request(setting: Setting, world: World, connect: Connect) -> None:
    """Connecting, and TLS in a proxy's tunnel too, end when the attempt's time is up, and nothing was sent."""
    with setting(world) as stage:
        mfa = MFA(transport=connect(stage.url), timeout=LIMIT)
        with takes(LIMIT), pytest.raises(ConnectTimeoutError, match="Nothing was sent") as caught:
            mfa.challenge_factor("auth_factor_1")
    assert not caught.value.outcome_unknown


def test_the_first_of_two_addresses_hangs(world: World, connect: Connect) -> None:
    """Each address gets its share of the time: one that hangs does not use up the next one's."""
    with connecting_hangs(world) as stage:
        stage.server.behaviour = stall
        resolve(world, "localhost", "127.0.0.2", "127.0.0.1")
        mfa = MFA(transport=connect(stage.url), timeout=LIMIT)
        with takes(LIMIT), pytest.raises(TransportTimeoutError) as caught:
            mfa.get_factor("auth_factor_1")
        assert not isinstance(caught.value, ConnectError)
        assert len(stage.server.received) == 1


def test_a_slow_proxy(world: World, connect: Connect) -> None:
    """The time that a proxy takes for its tunnel is part of the attempt's."""

    def tunnel_late(request: Received, line: Line) -> None:
        time.sleep(0.8)
        tunnel(request, line)

    with through_a_proxy(tunnel_late, stall)(world) as stage:
        mfa = MFA(transport=connect(stage.url), timeout=1)
        with takes(1, margin=0.6), pytest.raises(TransportTimeoutError):
            mfa.challenge_factor("auth_factor_1")


@pytest.mark.parametrize(
    ("found", "reason"), [(UnicodeError("label too long"), "Nothing was sent"), ([], "no connection to localhost")]
)
def test_a_name_without_an_address(
    found: list[object] | Exception, reason: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that the system's resolver can't read, or that stands for nothing, is a connection that was not made."""

    def getaddrinfo(*_: object) -> list[object]:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    with pytest.raises(ConnectError, match=reason):
        MFA(transport=connect("http://localhost:9")).get_factor("auth_factor_1")

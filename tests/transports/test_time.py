"""The time limit is a wall: it holds however an answer, or a connection, spreads its slowness."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.loopback import Line, Received, Server, http_answer
from tests.transports.api import FACTOR, FACTOR_ID, KEY, TransportFactory
from tests.transports.faults import Setting, World, stall_in_the_tunnel, through_a_proxy, tls_never_begins
from workos_mfa import MFA, ConnectError, ConnectTimeoutError, RetryingTransport, Transport, TransportTimeoutError

LIMIT = 0.3
MARGIN = 2.0  # far less than what the slow answers would take, far more than a busy machine does


def drip_headers(_: Received, line: Line) -> None:
    """Send the headers a byte at a time, each well within a socket's timeout."""
    line.drip(http_answer(200, FACTOR, {"X-Padding": "x" * 200}), 0.02)


def drip_body(_: Received, line: Line) -> None:
    """Send the headers at once and the body a byte at a time."""
    head, separator, body = http_answer(200, FACTOR).partition(b"\r\n\r\n")
    line.send(head + separator)
    line.drip(body * 2, 0.02)


def drip_interim_answers(_: Received, line: Line) -> None:
    """Send interim answers without end."""
    line.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, 0.002)


@pytest.mark.parametrize("behaviour", [drip_headers, drip_body, drip_interim_answers])
def test_a_dripping_answer(
    behaviour: Callable[[Received, Line], None], server: Server, connect: Callable[[Server], Transport]
) -> None:
    """An answer that drips is cut off when the attempt's time is up."""
    server.behaviour = behaviour
    mfa = MFA(transport=connect(server), timeout=LIMIT)
    started = time.monotonic()
    with pytest.raises(TransportTimeoutError, match=r"within 0\.3 s"):
        mfa.get_factor("auth_factor_1")
    assert LIMIT * 0.9 < time.monotonic() - started < LIMIT + MARGIN


def test_the_deadline_covers_all_attempts(server: Server, connect: Callable[[Server], Transport]) -> None:
    """Attempts and waits together end at the deadline."""
    server.behaviour = drip_body
    mfa = MFA(transport=RetryingTransport(connect(server)), timeout=LIMIT, deadline=LIMIT * 2)
    started = time.monotonic()
    with pytest.raises(TransportTimeoutError) as caught:
        mfa.get_factor("auth_factor_1")
    assert time.monotonic() - started < LIMIT * 2 + MARGIN
    assert len(caught.value.attempts) >= 2


def test_a_slow_answer_within_the_limit(server: Server, connect: Callable[[Server], Transport]) -> None:
    """Slowness alone is no error, and the connection that bore it is used again."""
    server.behaviour = lambda _, line: line.drip(http_answer(200, FACTOR), 0.0005)
    mfa = MFA(transport=connect(server), timeout=5)
    assert mfa.get_factor(FACTOR_ID) == mfa.get_factor(FACTOR_ID)
    assert server.connections == 1


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full, so that connecting to it hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_a_hanging_connection(full_port: int, transport_class: TransportFactory) -> None:
    """Connecting ends when the attempt's time is up, and nothing was sent."""
    mfa = MFA(transport=transport_class(KEY, base_url=f"http://127.0.0.1:{full_port}"), timeout=LIMIT)
    started = time.monotonic()
    with pytest.raises(ConnectTimeoutError, match="Nothing was sent") as caught:
        mfa.challenge_factor("auth_factor_1")
    assert time.monotonic() - started < LIMIT + MARGIN
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("setting", [tls_never_begins, through_a_proxy(stall_in_the_tunnel)])
def test_a_hanging_handshake(
    setting: Setting, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The time for TLS ends with the attempt's, in a proxy's tunnel too."""
    with setting(World(monkeypatch, tmp_path)) as stage:
        mfa = MFA(transport=transport_class(KEY, base_url=stage.url), timeout=LIMIT)
        started = time.monotonic()
        with pytest.raises(ConnectTimeoutError, match="Nothing was sent"):
            mfa.challenge_factor("auth_factor_1")
        assert time.monotonic() - started < LIMIT + MARGIN


def resolving_to(*addresses: str) -> Callable[..., list[tuple[object, ...]]]:
    """A name resolution that gives these addresses."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: int) -> list[tuple[object, ...]]:
        if host != "localhost":
            return list(resolve(host, port, *args))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


def test_the_first_of_two_addresses_hangs(
    full_port: int, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each address gets its share of the time: one that hangs does not use up the next one's."""
    monkeypatch.setattr("workos_mfa._transports.deadline.socket.getaddrinfo", resolving_to("127.0.0.1", "127.0.0.2"))
    with socket.create_server(("127.0.0.2", full_port)):
        mfa = MFA(transport=transport_class(KEY, base_url=f"http://localhost:{full_port}"), timeout=LIMIT)
        started = time.monotonic()
        with pytest.raises(TransportTimeoutError) as caught:
            mfa.get_factor("auth_factor_1")
    assert not isinstance(caught.value, ConnectError)
    assert LIMIT * 0.9 < time.monotonic() - started < LIMIT + MARGIN


def test_a_name_that_can_not_be_looked_up(transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the system's resolver can't even read is a connection that was not made."""

    def refuse(*_: object) -> None:
        raise UnicodeError("label too long")

    monkeypatch.setattr("workos_mfa._transports.deadline.socket.getaddrinfo", refuse)
    with pytest.raises(ConnectError, match="Nothing was sent"):
        MFA(transport=transport_class(KEY, base_url="http://localhost:9")).get_factor("auth_factor_1")


def test_a_host_without_an_address(transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that resolves to nothing is a connection that was not made."""
    monkeypatch.setattr("workos_mfa._transports.deadline.socket.getaddrinfo", resolving_to())
    with pytest.raises(ConnectError, match="no connection to localhost"):
        MFA(transport=transport_class(KEY, base_url="http://localhost:9")).get_factor("auth_factor_1")

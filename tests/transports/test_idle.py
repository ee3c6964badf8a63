"""Idle connections: kept while a person types a code, and closed when nobody will take them again."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable

import pytest
import requests
from urllib3.connection import HTTPConnection

from tests.loopback import Line, Received, Server, wait_until
from tests.race import race
from tests.transports.api import KEY, Connect, TransportFactory, respond_and_hang_up, respond_rightly
from workos_mfa import MFA, InvalidInputError, RequestsTransport
from workos_mfa._transports.deadline import _IdleConnections

CROWD = 12
Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let so many seconds pass on the clock by which connections are idle."""
    passed = 0.0
    now = time.monotonic

    def later(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        monkeypatch.setattr("time.monotonic", lambda: now() + passed)

    return later


def verify(mfa: MFA) -> None:
    """Make a call."""
    assert mfa.verify_challenge("auth_challenge_1", code="123456")


@pytest.mark.parametrize(("given", "max_idle"), [({}, 120), ({"max_idle": 2.5}, 2.5), ({"max_idle": 400}, 400)])
def test_the_longest_idle_time(
    given: dict[str, float], max_idle: float, server: Server, connect: Connect, later: Later
) -> None:
    """A connection that rested for longer is not used again, one that rested less is."""
    mfa = MFA(transport=connect(server, **given))
    for seconds, connections in ((0, 1), (max_idle - 0.5, 1), (max_idle - 0.5, 1), (max_idle + 0.5, 2)):
        later(seconds)
        verify(mfa)
        assert server.connections == connections


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        *((value, InvalidInputError, "must be more than zero seconds") for value in (0, -1, float("nan"), 86_401)),
        *((value, TypeError, "must be a number of seconds") for value in ("120", True)),
    ],
)
def test_a_wrong_max_idle(value: object, error: type[Exception], text: str, transport_class: TransportFactory) -> None:
    """It is checked as other lengths of time are."""
    with pytest.raises(error, match=f"max_idle {text}") as caught:
        transport_class(KEY, max_idle=value)
    assert getattr(caught.value, "parameter", "max_idle") == "max_idle"


def test_max_idle_beside_a_session() -> None:
    """What a session of the user's would leave unused is refused."""
    with requests.Session() as session, pytest.raises(TypeError, match="max_idle goes with the transport's own"):
        RequestsTransport(KEY, session=session, max_idle=120)


def crowd(server: Server, mfa: MFA) -> list[Line]:
    """Leave as many idle connections as there are threads at once, the oldest first."""
    lines: list[Line] = []
    all_are_there = threading.Barrier(CROWD)

    def respond_together(request: Received, line: Line) -> None:
        all_are_there.wait()
        lines.append(line)
        respond_rightly(request, line)

    server.behaviour = respond_together
    race(lambda _: verify(mfa), CROWD)
    server.behaviour = respond_rightly
    assert server.open_connections == server.connections == CROWD
    return lines


def test_connections_that_nobody_takes_again(server: Server, mfa: MFA, later: Later) -> None:
    """After a burst, those that have rested for too long are closed by the next call, whoever makes it."""
    crowd(server, mfa)
    later(110)
    verify(mfa)
    assert server.open_connections == CROWD
    later(11)
    verify(mfa)
    wait_until(lambda: server.open_connections == 1)
    assert server.connections == CROWD


@pytest.mark.parametrize(("which", "seconds"), [(slice(None), 0), (slice(1, None, 2), 1.1)], ids=["all", "some"])
def test_connections_that_the_server_closed(
    which: slice, seconds: float, server: Server, mfa: MFA, later: Later
) -> None:
    """If all are, the next call closes them; if it is only some, whichever, a call of a second later does."""
    closed = crowd(server, mfa)[which]
    for line in closed:
        line.say_no_more()
    later(seconds)
    verify(mfa)
    wait_until(lambda: server.open_connections == server.connections - len(closed))
    assert server.connections <= CROWD + 1


def test_a_connection_closed_while_idle(server: Server, mfa: MFA) -> None:
    """A connection that the server closed between two calls costs nothing: the next call opens another."""
    server.behaviour = respond_and_hang_up
    for _ in range(3):
        verify(mfa)
        server.wait_for_hang_ups()
    assert server.connections == len(server.received) == 3


def test_while_it_is_looked_at_a_connection_is_nobody_elses() -> None:
    """One that another thread takes meanwhile is left alone, and those that stay keep their order."""
    idle = _IdleConnections(0)
    oldest, taken, dead, newest = (HTTPConnection("localhost") for _ in range(4))
    dead.sock = socket.socket()
    for connection in (oldest, taken, dead, newest):
        idle.put(connection)
    looked_at: list[HTTPConnection] = []

    def is_dead(connection: HTTPConnection) -> bool:
        looked_at.append(connection)
        if connection is dead:
            assert idle.get() is taken
        return connection is dead

    idle.close(is_dead)
    assert looked_at == [newest, dead, oldest]
    assert dead.sock is None
    # The one used last comes first, and nobody waits: not for one, and not for a lock.
    assert (idle.qsize(), idle.empty()) == (2, False)
    assert [idle.get(block=False, timeout=None), idle.get()] == [newest, oldest]
    assert (idle.qsize(), idle.empty()) == (0, True)
    with pytest.raises(queue.Empty):
        idle.get()
    assert not [value for value in vars(idle).values() if hasattr(value, "acquire")]


@pytest.mark.parametrize("signalled", [TimeoutError, ValueError, KeyboardInterrupt])
def test_a_signal_that_strikes_while_it_looks(signalled: type[BaseException]) -> None:
    """What a signal handler raises is not lost: it may be a worker's time limit."""
    idle = _IdleConnections(0)
    idle.put(HTTPConnection("localhost"))

    def strike(_: object) -> bool:
        raise signalled

    with pytest.raises(signalled):
        idle.close(strike)


def test_tcp_keep_alive(mfa: MFA, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection is kept alive by the system, lest a firewall on the way forgets it while a person types."""
    sockets: list[socket.socket] = []
    as_usual = socket.socket.connect

    def note(sock: socket.socket, address: tuple[str, int]) -> None:
        sockets.append(sock)
        as_usual(sock, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    verify(mfa)
    (sock,) = sockets
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    # macOS has another name for it.
    assert sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 0x10)) == 30

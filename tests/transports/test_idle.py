"""Idle connections: kept while a person types a code, and closed when nobody will take them again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest
import requests
from urllib3.connection import HTTPConnection

from tests.loopback import Line, Received, Server, wait_until
from tests.race import race
from tests.transports.api import KEY, TransportFactory, answer_rightly
from workos_mfa import MFA, InvalidInputError, RequestsTransport, Transport
from workos_mfa._transports.deadline import _IdleConnections

Connect = Callable[[Server], Transport]
CROWD = 12


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass on the clock by which connections are idle."""
    passed = 0.0
    now = time.monotonic

    def later(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        monkeypatch.setattr("workos_mfa._transports.deadline.time.monotonic", lambda: now() + passed)

    return later


def verify(mfa: MFA) -> None:
    """Make a call."""
    assert mfa.verify_challenge("auth_challenge_1", code="123456")


@pytest.mark.parametrize(("given", "max_idle"), [({}, 120), ({"max_idle": 2.5}, 2.5), ({"max_idle": 400}, 400)])
def test_the_longest_rest(
    given: dict[str, float],
    max_idle: float,
    server: Server,
    transport_class: TransportFactory,
    later: Callable[[float], None],
) -> None:
    """A connection that rested for longer is not used again, one that rested less is."""
    transport = transport_class(KEY, base_url=server.url, **given)
    mfa = MFA(transport=transport)
    for seconds, connections in ((0, 1), (max_idle - 0.5, 1), (max_idle - 0.5, 1), (max_idle + 0.5, 2)):
        later(seconds)
        verify(mfa)
        assert server.connections == connections
    transport.close()


@pytest.mark.parametrize("value", [0, -1, float("nan"), 86_401])
def test_a_rest_that_is_none(value: float, transport_class: TransportFactory) -> None:
    """It is checked as other lengths of time are."""
    with pytest.raises(InvalidInputError, match="max_idle must be more than zero seconds") as caught:
        transport_class(KEY, max_idle=value)
    assert caught.value.parameter == "max_idle"


@pytest.mark.parametrize("value", ["120", True])
def test_a_rest_of_the_wrong_type(value: object, transport_class: TransportFactory) -> None:
    """A text is not a number of seconds."""
    with pytest.raises(TypeError, match="max_idle must be a number of seconds"):
        transport_class(KEY, max_idle=value)


def test_a_rest_beside_a_session() -> None:
    """What a session of the user's would leave unused is refused."""
    with requests.Session() as session, pytest.raises(TypeError, match="max_idle goes with the transport's own"):
        RequestsTransport(KEY, session=session, max_idle=120)


def crowd(server: Server, mfa: MFA) -> list[Line]:
    """Leave as many idle connections as there are threads at once, the oldest first."""
    lines: list[Line] = []
    all_are_there = threading.Barrier(CROWD)

    def answer_together(request: Received, line: Line) -> None:
        all_are_there.wait()
        lines.append(line)
        answer_rightly(request, line)

    server.behaviour = answer_together
    race(lambda _: verify(mfa), CROWD)
    server.behaviour = answer_rightly
    assert server.open_connections == server.connections == CROWD
    return lines


def test_connections_that_nobody_takes_again(server: Server, connect: Connect, later: Callable[[float], None]) -> None:
    """After a burst, those that have rested for too long are closed by the next call, whoever makes it."""
    mfa = MFA(transport=connect(server))
    crowd(server, mfa)
    later(110)
    verify(mfa)
    assert server.open_connections == CROWD
    later(11)
    verify(mfa)
    wait_until(lambda: server.open_connections == 1)
    assert server.connections == CROWD


def test_connections_that_the_server_closed(server: Server, connect: Connect) -> None:
    """When a server has closed all of them, the next call closes them too, and is made on a new one."""
    mfa = MFA(transport=connect(server))
    for line in crowd(server, mfa):
        line.say_no_more()
    verify(mfa)
    wait_until(lambda: server.open_connections == 1)
    assert server.connections == CROWD + 1


def test_connections_that_the_server_closed_in_between(
    server: Server, connect: Connect, later: Callable[[float], None]
) -> None:
    """Where it has closed some, whichever they are, a call of a second later closes them."""
    mfa = MFA(transport=connect(server))
    closed = crowd(server, mfa)[1::2]
    for line in closed:
        line.say_no_more()
    later(1.1)
    verify(mfa)
    wait_until(lambda: server.open_connections == server.connections - len(closed))


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
    assert [idle.get(), idle.get()] == [newest, oldest]
    assert idle.empty()


@pytest.mark.parametrize("signalled", [TimeoutError, ValueError, KeyboardInterrupt])
def test_a_signal_that_strikes_while_it_looks(signalled: type[BaseException]) -> None:
    """What a signal handler raises is not lost: it may be a worker's time limit."""
    idle = _IdleConnections(0)
    idle.put(HTTPConnection("localhost"))

    def strike(_: object) -> bool:
        raise signalled

    with pytest.raises(signalled):
        idle.close(strike)


def test_a_connection_closed_while_idle(server: Server, connect: Connect) -> None:
    """A connection that the server closed between two calls costs nothing: the next call opens another."""
    mfa = MFA(transport=connect(server))

    def answer_and_close(request: Received, line: Line) -> None:
        answer_rightly(request, line)
        line.hang_up()

    server.behaviour = answer_and_close
    for _ in range(3):
        verify(mfa)
        time.sleep(0.05)
    assert server.connections == 3


def test_signs_of_life(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection is kept alive by the system, lest a firewall on the way forgets it while a person types."""
    sockets: list[socket.socket] = []
    as_usual = socket.socket.connect

    def note(sock: socket.socket, address: tuple[str, int]) -> None:
        sockets.append(sock)
        as_usual(sock, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    transport = connect(server)
    verify(MFA(transport=transport))
    (sock,) = sockets
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    # macOS has another name for it.
    assert sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 0x10)) == 30

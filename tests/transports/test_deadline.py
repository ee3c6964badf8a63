"""The deadline of an attempt, and the time of idle connections, on a clock that moves only as it is told."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3 import PoolManager, connectionpool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from tests.loopback import Server
from tests.transports.stages import World, resolve
from workos_mfa._transports.deadline import NothingSentError, use_deadline_pools
from workos_mfa._transports.response import DeadlineResponse, _DeadlineReader

MAX_IDLE = 120.0
AT_FIRST = 0.5


class Clock:
    """Stands still."""

    now = AT_FIRST


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the connections."""
    clock = Clock()
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def pool(server: Server) -> Iterator[Any]:
    """A pool of connections to the server."""
    manager = PoolManager(maxsize=0)
    use_deadline_pools(manager, MAX_IDLE)
    yield manager.connection_from_url(server.url)
    manager.clear()


def connection_of(pool: Any, seconds: float) -> Any:
    """A connection that is not open yet, and has so many seconds for that."""
    connection = pool._new_conn()
    connection.timeout = seconds
    return connection


Tried = list[tuple[str, float | None]]


@pytest.fixture
def tried(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Tried:
    """The addresses that are tried, with the seconds that each has; all but 127.0.0.1 hang, and each takes three."""
    tried: Tried = []
    as_usual = socket.socket.connect

    def connect(sock: socket.socket, address: tuple[str, int]) -> None:
        tried.append((address[0], sock.gettimeout()))
        clock.now += 3
        if address[0] != "127.0.0.1":
            raise TimeoutError(f"{address[0]} hangs")
        sock.settimeout(5)  # for the connection as it is: this machine's own clock moves on
        as_usual(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def test_each_address_has_its_share(pool: Any, tried: Tried, world: World) -> None:
    """Of what the others left; what the last one leaves is for TLS."""
    resolve(world, "localhost", "127.0.0.2", "127.0.0.3", "127.0.0.1")
    connection = connection_of(pool, 12)
    connection.connect()
    assert tried == [("127.0.0.2", 12 / 3), ("127.0.0.3", 9 / 2), ("127.0.0.1", 6)]
    assert connection.sock.gettimeout() == 3
    connection.close()


def test_an_address_that_comes_too_late(pool: Any, tried: Tried, world: World) -> None:
    """It has a moment: no time at all would be a socket that does not wait."""
    resolve(world, "localhost", "127.0.0.2", "127.0.0.1")
    connection = connection_of(pool, 2.5)
    connection.connect()
    assert tried == [("127.0.0.2", 2.5 / 2), ("127.0.0.1", 0.001)]
    assert connection.sock.gettimeout() == 0.001
    connection.close()


@pytest.mark.parametrize(
    ("why", "kind"), [(TimeoutError("it hangs"), ConnectTimeoutError), (OSError("no route"), NewConnectionError)]
)
def test_no_address_accepts(why: OSError, kind: type[HTTPError], pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent; the reason is the system's, and a time-out is one."""

    def connect(*_: object) -> None:
        raise why

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(NothingSentError) as caught:
        connection_of(pool, 10).connect()
    cause = caught.value.__cause__
    assert type(cause) is kind
    assert str(why) in str(cause)
    assert cause.__cause__ is why


@pytest.mark.parametrize(
    ("found", "kind", "text"),
    [
        ([], NewConnectionError, ": the host has no address"),
        (UnicodeError("label too long"), NewConnectionError, ": the host's name can't be looked up"),
        (socket.gaierror(socket.EAI_NONAME, "not known"), NameResolutionError, "not known)"),
    ],
)
def test_a_host_without_an_address(
    found: list[object] | Exception, kind: type[HTTPError], text: str, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent, and it is said why."""

    def getaddrinfo(*_: object) -> list[object]:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    with pytest.raises(NothingSentError) as caught:
        connection_of(pool, 10).connect()
    assert type(caught.value.__cause__) is kind
    assert str(caught.value.__cause__).endswith(text)


def test_who_audits_hears_of_a_connection(pool: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of http.client's own."""
    heard: list[tuple[object, ...]] = []
    monkeypatch.setattr("sys.audit", lambda *event: heard.append(event))
    connection = connection_of(pool, 10)
    connection.connect()
    assert heard == [("http.client.connect", connection, "localhost", server.port)]
    connection.close()


def test_a_connection_that_opens_again(pool: Any) -> None:
    """It has rested for no time, and nothing that it was to send is left."""
    connection = connection_of(pool, 10)
    connection.idle_since, connection._head = 1.0, b"POST / HTTP/1.1\r\n"
    connection.connect()
    assert connection.idle_since is None
    assert connection._head == b""
    connection.close()


def fill(pool: Any) -> list[Any]:
    """Three idle connections, the oldest first."""
    connections = [connection_of(pool, 10) for _ in range(3)]
    for connection in connections:
        connection.connect()
        pool._put_conn(connection)
    return connections


def test_idle_connections_are_looked_at_once_a_second(pool: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever takes one; that one is looked at each time."""
    looked_at: list[Any] = []

    def is_dropped(connection: Any) -> bool:
        looked_at.append(connection)
        return False

    oldest, older, newest = fill(pool)
    monkeypatch.setattr(connectionpool, "is_connection_dropped", is_dropped)
    pool._next_look = type(pool)._next_look
    for now, seen in (
        (AT_FIRST, [newest, older, oldest]),
        (AT_FIRST + 1, [newest]),
        (AT_FIRST + 1.25, [newest, older, oldest]),
        (AT_FIRST + 2.25, [newest]),
    ):
        clock.now = now
        looked_at.clear()
        assert pool._get_conn() is newest
        assert looked_at == seen
        pool._put_conn(newest)


def test_a_dead_connection_is_not_the_only_one(pool: Any, clock: Clock) -> None:
    """Where the newest has rested too long, the others have as well, and all are closed at once."""
    connections = fill(pool)
    clock.now += MAX_IDLE
    pool._close_dead()
    assert all(connection.sock for connection in connections)
    clock.now += 0.5
    assert pool._get_conn() is connections[-1]
    assert not any(connection.sock for connection in connections)
    assert pool.pool.empty()


@pytest.mark.usefixtures("clock")
def test_a_live_connection_stays_open(pool: Any) -> None:
    """When it is taken, and when a broken one is put beside it, which urllib3 calls None."""
    *_, newest = fill(pool)
    pool._put_conn(None)
    assert pool.pool.qsize() == 3
    assert pool._get_conn() is newest
    assert newest.sock is not None
    newest.close()


@pytest.mark.parametrize(
    ("connection", "is_spent"),
    [
        (SimpleNamespace(sock=SimpleNamespace(pending=lambda: 1)), True),
        (SimpleNamespace(sock=SimpleNamespace(pending=lambda: 0)), False),
        (SimpleNamespace(sock=SimpleNamespace()), False),
        (SimpleNamespace(idle_since=AT_FIRST - MAX_IDLE), False),
        (SimpleNamespace(idle_since=AT_FIRST - MAX_IDLE - 0.5), True),
        (SimpleNamespace(idle_since=None), False),
    ],
)
@pytest.mark.usefixtures("clock")
def test_what_is_spent(connection: object, is_spent: bool, pool: Any) -> None:  # noqa: FBT001 - a case's
    """A connection that rested too long, or on which more came than was asked for."""
    assert pool._is_spent(connection) is is_spent


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The ends of a connection: the client's and the server's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


def response_on(sock: socket.socket) -> DeadlineResponse:
    """A response that has three seconds."""
    return DeadlineResponse(AT_FIRST + 3, sock.close, sock)


def test_each_read_has_what_is_left(clock: Clock, ends: Ends) -> None:
    """And none is made where nothing is left, even if there is something to read."""
    ours, theirs = ends
    reader = _DeadlineReader(ours, AT_FIRST + 3)
    theirs.sendall(b"abc")
    for passed, left, byte in ((0, 3, b"a"), (2.25, 0.75, b"b")):
        clock.now = AT_FIRST + passed
        assert reader.read(1) == byte
        assert ours.gettimeout() == left
    clock.now = AT_FIRST + 3
    with pytest.raises(TimeoutError, match=r"^timed out$"):
        reader.read(1)
    reader.close()


@pytest.mark.usefixtures("clock")
def test_a_reader_knows_the_end(ends: Ends) -> None:
    """The end is where nothing comes, however little came before; after what is enough it reads no more."""
    ours, theirs = ends
    reader = _DeadlineReader(ours, AT_FIRST + 3)
    assert reader.has_ended is False
    theirs.sendall(b"ab")
    assert (reader.read(1), reader.has_ended) == (b"a", False)
    reader.is_enough = True
    assert (reader.read(1), reader.has_ended) == (None, False)
    reader.is_enough = False
    theirs.close()
    assert (reader.read(1), reader.has_ended) == (b"b", False)
    assert (reader.read(1), reader.has_ended) == (b"", True)
    reader.close()
    assert reader.closed


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


@pytest.mark.parametrize("head", [HEAD, HEAD[:-2], HEAD + b"no header\r\n\r\n", b"HTTP/1.1 204 No Content\r\n"])
@pytest.mark.usefixtures("clock")
def test_half_a_head(head: bytes, ends: Ends) -> None:
    """A head without its last line, or with one that is none, is no head."""
    ours, theirs = ends
    theirs.sendall(head)
    theirs.close()
    with (
        response_on(ours) as response,
        pytest.raises(http.client.HTTPException, match=r"^the head is cut off or malformed$"),
    ):
        response.begin()


@pytest.mark.parametrize(
    ("more", "is_last"), [(b"", False), (b"Transfer-Encoding: identity\r\n", True), (b"Connection: close\r\n", True)]
)
@pytest.mark.usefixtures("clock")
def test_a_whole_head(more: bytes, is_last: bool, ends: Ends) -> None:  # noqa: FBT001 - a case's
    """Its connection is closed where it says so, or where readers could see the end in different places."""
    ours, theirs = ends
    theirs.sendall(HEAD + more + b"\r\n{}")
    with response_on(ours) as response:
        response.begin()
        assert response.will_close is is_last
        assert response.read() == b"{}"

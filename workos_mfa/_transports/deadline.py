"""Connections that keep to the clock: shared by the transports that open sockets.

A socket's timeout is the longest silence, not the longest wait: a server that drips a byte a second
never trips it. Here the time of one attempt is a wall: for connecting (with all addresses of a host),
a proxy's tunnel, TLS, the headers and the body. What new connections connect and read with is set on
each of them, and the pools' ``ConnectionCls`` is left alone, since vcrpy and others replace that.
"""

# It reaches into urllib3's connections, whose types do not say what they connect and read with.
# pyright: reportUnknownMemberType=false, reportPrivateUsage=false, reportAttributeAccessIssue=false

from __future__ import annotations

import collections
import functools
import http.client
import queue
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from urllib3 import connectionpool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import Timeout
from urllib3.util.connection import allowed_gai_family, create_connection

from workos_mfa._transports.response import TimedResponse

if TYPE_CHECKING:
    from urllib3.poolmanager import PoolManager

DEFAULT_MAX_IDLE = 120.0
"""Seconds for which an idle connection is kept: a person has typed the code by then, and the edge in front of WorkOS,
which keeps one for 400, has not closed it."""

_LEAST_TIME = 0.001
_LOOK_EVERY = 1.0

# What is idle for as long as a person types is dropped in silence by some firewalls, unless there is a sign of life.
_KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), 30)
        for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE")  # Linux and Windows; macOS
        if hasattr(socket, name)
    ),
]
_LENGTH = b"\r\nContent-Length: "


class NothingSentError(HTTPError):
    """No connection came about, for the reason that is its cause.

    One of ours each time, rather than a mark on the exception that came: a signal handler's may be one object for
    ever, and would still say so when it ends a later call that had been sent.
    """


class _Conduct:
    """How one connection opens, with all that has to happen before the first byte is sent, and how it sends."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._ends = 0.0
        self._is_new = False
        self._head = b""

    def connect(self) -> None:
        """Connect.

        :raises NothingSentError: if there is no connection.
        """
        self._ends = time.monotonic() + self._connection.timeout
        self._is_new = True
        self._head = b""
        try:
            type(self._connection).connect(self._connection)
        except (OSError, HTTPError, http.client.HTTPException) as error:
            raise NothingSentError from error

    def dial(self) -> socket.socket:
        """A socket to the first address that takes it; each address gets its share of the time."""
        connection = self._connection
        failure: HTTPError = NewConnectionError(connection, "the host has no address")
        addresses = self._addresses()
        for position, address in enumerate(addresses):
            share = self._left() / (len(addresses) - position)
            try:
                sock = create_connection(
                    (address, connection.port),
                    share,
                    source_address=connection.source_address,
                    socket_options=connection.socket_options,
                )
            except TimeoutError as error:
                failure = ConnectTimeoutError(connection, "timed out")
                failure.__cause__ = error
            except OSError as error:
                failure = NewConnectionError(connection, str(error))
                failure.__cause__ = error
            else:
                sys.audit("http.client.connect", connection, connection.host, connection.port)
                sock.settimeout(self._left())
                return sock
        raise failure

    def tunnel(self) -> None:
        """Pass through the proxy, and leave TLS what the proxy left of the time."""
        answers: list[TimedResponse] = []

        def noted(*args: Any, **kwargs: Any) -> TimedResponse:
            answers.append(TimedResponse(self._ends, self._connection.close, *args, **kwargs))
            return answers[-1]

        self._connection.response_class = noted
        try:
            type(self._connection)._tunnel(self._connection)
        finally:
            self._connection.response_class = self.response
            # Older versions leave the proxy's answer open, and with it the socket of a tunnel that is refused.
            for answer in answers:
                answer.close()
        if self._connection.sock is None:
            raise OSError("the proxy sent more than its answer")
        self._connection.sock.settimeout(self._left())

    def response(self, sock: socket.socket, *args: Any, **kwargs: Any) -> TimedResponse:
        """The answer, within the time that the pool leaves for it, and that connecting has left of the attempt's."""
        ends = time.monotonic() + cast("float", sock.gettimeout())
        # urllib3 does not count the time that a proxy's tunnel took.
        ends = min(ends, self._ends) if self._is_new else ends
        self._is_new = False
        return TimedResponse(ends, self._connection.close, sock, *args, **kwargs)

    def send(self, data: bytes) -> None:
        """Send head and body together, in one packet and one system call where http.client makes two.

        A head that announces a body is kept until the body comes, which it does next.
        """
        if not self._head and _announces_body(data):
            self._head = data
            return
        head, self._head = self._head, b""
        type(self._connection).send(self._connection, head + data)

    def _addresses(self) -> list[str]:
        connection = self._connection
        try:
            found = socket.getaddrinfo(connection.host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
        except UnicodeError:
            raise NewConnectionError(connection, "the host's name can't be looked up") from None
        except socket.gaierror as error:
            raise NameResolutionError(connection.host, connection, error) from error
        return [str(address[0]) for *_, address in found]

    def _left(self) -> float:
        return max(self._ends - time.monotonic(), _LEAST_TIME)


def _announces_body(data: bytes) -> bool:
    return data.endswith(b"\r\n\r\n") and _LENGTH in data and _LENGTH + b"0\r\n" not in data


class _Connections:
    """The idle connections of a pool, last in, first out, without a lock.

    urllib3's queue has one, and an exception out of a signal handler at the wrong moment leaves it locked: every
    later call would wait for ever.
    """

    def __init__(self, _size: int) -> None:
        self._idle: collections.deque[Any] = collections.deque()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - as queue has it
        """The connection that was used last; there is no waiting for one."""
        del block, timeout
        try:
            return self._idle.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: Any, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as queue has it
        """Keep a connection."""
        del block
        self._idle.append(connection)

    def qsize(self) -> int:
        """How many there are."""
        return len(self._idle)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._idle

    def close(self, is_dead: Callable[[Any], bool]) -> None:
        """Close those that are dead; one that another thread has taken meanwhile is that thread's."""
        # The newest first, so that those that stay keep their order.
        for connection in reversed(self._idle.copy()):
            try:
                self._idle.remove(connection)
            except ValueError:
                continue
            # While it is looked at nobody else has it, so that what is raised here is a signal handler's alone.
            if is_dead(connection):
                connection.close()
            else:
                self._idle.appendleft(connection)


class _Timed:
    """What a pool of urllib3's gets: timed connections, none of them kept for longer than it may be idle."""

    QueueCls = _Connections
    max_idle: float

    _next_look = 0.0

    def _new_conn(self) -> Any:
        connection = cast("Any", super()._new_conn())  # type: ignore[misc]
        kind = cast("Any", type(connection))
        # A stub's connection, such as vcrpy's, has no socket to be timed.
        if _is_of_urllib3(kind.connect):
            connection.socket_options = [*connection.socket_options, *_KEEP_ALIVE]
            conduct = _Conduct(connection)
            connection.connect = conduct.connect
            connection._tunnel = conduct.tunnel
            connection.send = conduct.send
            connection.response_class = conduct.response
            # Of its own, since http.client's may be set for all: it would print the key, the codes and the secrets.
            connection.debuglevel = 0
            # A SOCKS proxy's connection dials in its own way.
            if _is_of_urllib3(kind._new_conn):
                connection._new_conn = conduct.dial
        return connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = cast("Any", super()._get_conn(timeout))  # type: ignore[misc]
        # urllib3 has closed it by now if the server had.
        is_dead = connection.sock is None or self._is_spent(connection)
        if is_dead:
            connection.close()
        if is_dead or time.monotonic() > self._next_look:
            self._close_dead()
        return connection

    def _put_conn(self, conn: Any) -> None:
        # urllib3 puts None where a connection broke, to keep count; a pool without a size has no count.
        if conn is not None:
            conn.idle_since = time.monotonic()
            super()._put_conn(conn)  # type: ignore[misc]

    def _close_dead(self) -> None:
        """Close what nobody may ever take again: there is no thread that would do it in time."""
        self._next_look = time.monotonic() + _LOOK_EVERY
        idle = cast("_Connections", vars(self)["pool"])
        # What stands in for this function knows the connections that stand in for urllib3's.
        is_dropped: Callable[[Any], bool] = vars(connectionpool)["is_connection_dropped"]
        idle.close(lambda connection: is_dropped(connection) or self._is_spent(connection))

    def _is_spent(self, connection: Any) -> bool:
        idle_since: float | None = getattr(connection, "idle_since", None)
        is_too_old = idle_since is not None and time.monotonic() - idle_since > self.max_idle
        return is_too_old or _has_leftovers(connection)


def _has_leftovers(connection: Any) -> bool:
    # Bytes that TLS has taken from the socket already, where urllib3's look at the socket does not see them.
    pending: Callable[[], int] | None = getattr(getattr(connection, "sock", None), "pending", None)
    return pending is not None and pending() > 0


# By name: what stands in for a class while this is loaded would be taken for the class ever after.
def _is_of_urllib3(method: Callable[..., object]) -> bool:
    return method.__module__ == "urllib3.connection"


def keep_time(manager: PoolManager, max_idle: float) -> None:
    """Make the pools of a manager, a proxy's or a SOCKS proxy's too, keep to the clock."""
    classes: dict[str, Any] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: kind if issubclass(kind, _Timed) else _timed_class(kind, max_idle) for scheme, kind in classes.items()
    }


@functools.lru_cache(maxsize=16)
def _timed_class(kind: type[object], max_idle: float) -> Any:
    return type(f"Timed{kind.__name__}", (_Timed, kind), {"__doc__": _Timed.__doc__, "max_idle": max_idle})


@functools.lru_cache(maxsize=16)
def time_limit(seconds: float) -> Timeout:
    """What urllib3 takes for the wall time of an attempt; it makes a copy of its own for each."""
    return Timeout(total=seconds)

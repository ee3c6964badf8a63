"""Connections, and pools of them, that keep the deadline of an attempt.

A socket's timeout limits one read, and not the whole wait: a server that sends a byte a second never exceeds it. Here
connecting (to all addresses of a host), a proxy's tunnel, TLS, the headers and the body share the time of the attempt.

The classes stand in front of whatever class urllib3 has at the moment, so that what vcrpy and others put in its place
stays in use.
"""

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
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.util import Timeout
from urllib3.util.connection import allowed_gai_family, create_connection

from workos_mfa._transports.response import DeadlineResponse

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection as _Connection
    from urllib3.connectionpool import HTTPConnectionPool as _Pool
    from urllib3.poolmanager import PoolManager
else:
    _Connection = _Pool = object  # what they stand in front of is known at run time

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


class DeadlineConnection(_Connection):
    """A connection that opens, a proxy's tunnel and TLS included, and reads a response before a deadline."""

    # http.client's own may be set for all connections: it would print the key, the codes and the secrets.
    debuglevel = 0
    idle_since: float | None = None

    _ends = 0.0
    _head = b""
    _proxy_responses: list[DeadlineResponse] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.socket_options = [*(self.socket_options or ()), *_KEEP_ALIVE]

    def connect(self) -> None:
        self._ends = time.monotonic() + cast("float", self.timeout)
        self.idle_since = None
        self._head = b""
        try:
            super().connect()
        except (OSError, HTTPError, http.client.HTTPException) as error:
            raise NothingSentError from error

    def send(self, data: Any) -> None:
        """Send head and body together, in one packet and one system call where http.client makes two.

        A head that announces a body is kept until the body comes, which it does next.
        """
        if not self._head and _announces_body(data):
            self._head = data
            return
        head, self._head = self._head, b""
        super().send(head + data)

    def response_class(  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        self, sock: socket.socket, *args: Any, **kwargs: Any
    ) -> DeadlineResponse:
        """The response, within the time that the pool leaves for it, and that connecting has left of the attempt's."""
        ends = time.monotonic() + cast("float", sock.gettimeout())
        if self.idle_since is None:  # urllib3 does not count the time that a proxy's tunnel took
            ends = min(ends, self._ends)
        response = DeadlineResponse(ends, self.close, sock, *args, **kwargs)
        if self._proxy_responses is not None:
            self._proxy_responses.append(response)
        return response

    def _new_conn(self) -> socket.socket:
        """A socket to the first address that accepts; each address gets its share of the time."""
        if not _is_of_urllib3(super()._new_conn):
            return super()._new_conn()  # a SOCKS proxy's connection has its own way
        failure: HTTPError = NewConnectionError(self, "the host has no address")
        addresses = self._addresses()
        for position, address in enumerate(addresses):
            share = self._left() / (len(addresses) - position)
            try:
                sock = create_connection((address, self.port), share, self.source_address, self.socket_options)
            except OSError as error:
                kind = ConnectTimeoutError if isinstance(error, TimeoutError) else NewConnectionError
                failure = kind(self, str(error))
                failure.__cause__ = error
            else:
                sys.audit("http.client.connect", self, self.host, self.port)
                sock.settimeout(self._left())
                return sock
        raise failure

    def _tunnel(self) -> None:
        """Pass through the proxy, and leave TLS what the proxy left of the time."""
        self._proxy_responses = []
        try:
            super()._tunnel()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        finally:
            # Older versions leave the proxy's response open, and with it the socket of a tunnel that is refused.
            for response in self._proxy_responses:
                response.close()
            self._proxy_responses = None
        if self.sock is None:
            raise OSError("the proxy sent more than its response")
        self.sock.settimeout(self._left())

    def _addresses(self) -> list[str]:
        try:
            found = socket.getaddrinfo(self.host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except UnicodeError:
            raise NewConnectionError(self, "the host's name can't be looked up") from None
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        return [str(address[0]) for *_, address in found]

    def _left(self) -> float:
        return max(self._ends - time.monotonic(), _LEAST_TIME)


def _announces_body(data: bytes) -> bool:
    return data.endswith(b"\r\n\r\n") and _LENGTH in data and _LENGTH + b"0\r\n" not in data


class _IdleConnections:
    """The idle connections of a pool, last in, first out, without a lock.

    urllib3's queue has one, and an exception out of a signal handler at the wrong moment leaves it locked: every
    later call would wait for ever.
    """

    def __init__(self, _size: int) -> None:
        self._idle: collections.deque[Any] = collections.deque()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - as queue has it
        # The connection that was used last. There is no waiting for one.
        del block, timeout
        try:
            return self._idle.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: Any, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as queue has it
        del block
        self._idle.append(connection)

    def qsize(self) -> int:
        return len(self._idle)

    def empty(self) -> bool:
        return not self._idle

    def close(self, is_dead: Callable[[Any], bool]) -> None:
        # The newest first, so that those that stay keep their order.
        for connection in reversed(self._idle.copy()):
            try:
                self._idle.remove(connection)
            except ValueError:
                continue  # another thread has taken it meanwhile
            # While it is looked at nobody else has it, so that what is raised here is a signal handler's alone.
            if is_dead(connection):
                connection.close()
            else:
                self._idle.appendleft(connection)


class DeadlinePool(_Pool):
    """A pool of deadline connections, none of them kept for longer than it may be idle."""

    QueueCls: Any = _IdleConnections
    max_idle: float

    _next_look = 0.0

    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override] # noqa: N802 - as urllib3 has it
        """The class that urllib3 has at the moment, with the deadline in front.

        A stub's class, such as vcrpy's, has no socket to keep the time of, and is used as it is.
        """
        kind: Any = super().ConnectionCls
        return _in_front_of(kind, DeadlineConnection) if _is_of_urllib3(kind.connect) else kind

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
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
            super()._put_conn(conn)

    def _close_dead(self) -> None:
        """Close what nobody may ever take again: there is no thread that would do it in time."""
        self._next_look = time.monotonic() + _LOOK_EVERY
        idle = cast("_IdleConnections", self.pool)
        # What stands in for this function knows the connections that stand in for urllib3's.
        is_dropped: Callable[[Any], bool] = vars(connectionpool)["is_connection_dropped"]
        idle.close(lambda connection: is_dropped(connection) or self._is_spent(connection))

    def _is_spent(self, connection: Any) -> bool:
        idle_since: float | None = getattr(connection, "idle_since", None)
        if idle_since is not None and time.monotonic() - idle_since > self.max_idle:
            return True
        # Bytes that TLS has taken from the socket already, where urllib3's look at the socket does not see them.
        pending: Callable[[], int] | None = getattr(getattr(connection, "sock", None), "pending", None)
        return pending is not None and pending() > 0


# By name: what stands in for a class while this is loaded would be taken for the class ever after.
def _is_of_urllib3(method: Callable[..., object]) -> bool:
    return method.__module__ == "urllib3.connection"


def use_deadline_pools(manager: PoolManager, max_idle: float) -> None:
    """Let a manager, a proxy's or a SOCKS proxy's too, make pools that keep deadlines."""
    classes: dict[str, Any] = manager.pool_classes_by_scheme
    timed: dict[str, Any] = {
        scheme: kind if issubclass(kind, DeadlinePool) else _in_front_of(kind, DeadlinePool, max_idle=max_idle)
        for scheme, kind in classes.items()
    }
    manager.pool_classes_by_scheme = timed


@functools.lru_cache(maxsize=32)
def _in_front_of(kind: type[object], front: type[object], **attributes: object) -> Any:
    return type(f"Deadline{kind.__name__}", (front, kind), attributes)


@functools.lru_cache(maxsize=16)
def time_limit(seconds: float) -> Timeout:
    """What urllib3 takes for the wall time of an attempt; it makes a copy of its own for each."""
    return Timeout(total=seconds)

"""The tests that every transport has to pass: :class:`workos_mfa.testing.TransportContract`, to be subclassed.

They need neither pytest nor unittest: a broken promise is an AssertionError. The server with the faults comes along.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

import attrs

from workos_mfa._core.errors import TransportError, TransportTimeoutError
from workos_mfa._core.transport import MAX_BODY, Options, Request, Response, Transport
from workos_mfa.testing._server import ServerResponse, serving

_GET = Request(
    operation="contract",
    method="GET",
    path="/auth/factors/auth_factor_1",
    route="/auth/factors/{id}",
    options=Options(timeout=10.0),
)
_DELETE = attrs.evolve(_GET, method="DELETE")
_POST = attrs.evolve(_GET, method="POST", json={})
_CODE = "424242-sentinel"
_TIMEOUT = 0.5  # many times what a byte that drips takes, also on a busy machine
_MARGIN = 1.5  # less than a slow response takes, more than a busy machine is late by


class Connected(Protocol):
    """A transport under test, with the server behind it."""

    @property
    def transport(self) -> Transport:
        """The transport."""
        ...

    @property
    def seen(self) -> Sequence[tuple[str, str]]:
        """Method and path of each request that reached the server, in order; the path with its query."""
        ...


Connected.__module__ = "workos_mfa.testing"  # inside of it, this would be a member of the protocol


@attrs.frozen
class _Connection:
    transport: Transport
    seen: Sequence[tuple[str, str]]


class TransportContract:
    """What every transport promises, as tests. Subclass it to test yours.

    ::

        class TestMyTransport(TransportContract):
            def transport(self, base_url):
                return MyTransport("sk_test_contract", base_url=base_url)

    The suite starts the server at the base URL. The server is on loopback, speaks plain http, and refuses a POST
    without a JSON object and the content type ``application/json``. A transport that opens no connection has no base
    URL: override :meth:`connected` instead.

    :cvar not_kept: the promises that a transport does not keep: the name of the test, and the reason. Such a test must
        fail, and is reported as skipped with the reason. If it passes, that is an error: remove the entry.
    """

    __module__ = "workos_mfa.testing"

    not_kept: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, why in cls.not_kept.items():
            promise = getattr(TransportContract, name, None)
            if promise is None:
                raise TypeError(
                    f"not_kept: the contract has no {name}; its tests are its methods that begin with test_"
                )
            setattr(cls, name, _not_kept(promise, why))

    def transport(self, base_url: str) -> Transport:
        """Make a transport for this base URL. It is closed at the end of the test."""
        raise NotImplementedError("a subclass of TransportContract gives its transport for a base URL")

    def connected(self, response: ServerResponse) -> AbstractContextManager[Connected]:
        """A context manager that gives the transport, connected to a server with this response."""
        return self._connected_to_server(response)

    @contextlib.contextmanager
    def _connected_to_server(self, response: ServerResponse) -> Generator[Connected, None, None]:
        with serving(response) as server:
            transport = self.transport(server.base_url)
            try:
                yield _Connection(transport, server.seen)
            finally:
                transport.close()

    def test_it_returns_the_response(self) -> None:
        """Status, headers and body come back as the server sent them."""
        sent = ServerResponse(201, {"X-Request-Id": "a request's id"}, b'{"id": "auth_factor_1"}')
        with self.connected(sent) as connected:
            response = connected.transport.send(attrs.evolve(_POST, json={"type": "generic_otp"}))
        assert (response.status, response.body) == (sent.status, sent.body), f"{response.status} {response.body!r}"
        assert response.headers.get("x-request-id") == "a request's id"

    def test_it_sends_the_request(self) -> None:
        """Method, encoded path and query reach the server as the request has them."""
        with self.connected(ServerResponse()) as connected:
            connected.transport.send(attrs.evolve(_GET, path="/auth/factors/a%2Fb%20c", query={"limit": "2"}))
            assert list(connected.seen) == [("GET", "/auth/factors/a%2Fb%20c?limit=2")]

    def test_an_error_status_is_a_response(self) -> None:
        """A 4xx or 5xx is returned. It is not raised, and the request is not repeated."""
        for status in (400, 401, 404, 422, 429, 500, 503):
            with self.connected(ServerResponse(status, {"Retry-After": "0"})) as connected:
                assert connected.transport.send(_GET).status == status
                assert len(connected.seen) == 1

    def test_a_response_may_be_empty(self) -> None:
        """A 204 has no body."""
        with self.connected(ServerResponse(204, body=b"")) as connected:
            assert connected.transport.send(_DELETE).body == b""

    def test_it_follows_no_redirect(self) -> None:
        """A redirect is returned, and its target is not requested."""
        with self.connected(ServerResponse(307, {"Location": "/auth/factors/elsewhere"})) as connected:
            assert connected.transport.send(_POST).status == 307
            assert len(connected.seen) == 1

    def test_it_limits_the_body(self) -> None:
        """Of a body over the limit, the limit and one byte come back."""
        with self.connected(ServerResponse(body=b" " * (MAX_BODY + 1000))) as connected:
            assert len(connected.transport.send(_GET).body) == MAX_BODY + 1

    def test_no_connection_is_a_clear_error(self) -> None:
        """If nobody listens, the error says that nothing was sent."""
        with self.connected(ServerResponse(fault="refuse_connection")) as connected:
            assert not _error_of(connected.transport, _POST).outcome_unknown

    def test_a_lost_response_is_an_unclear_error(self) -> None:
        """If the connection breaks after the request has arrived, the outcome is unknown, and nothing is repeated."""
        self._is_unclear(ServerResponse(fault="lose_response"))

    def test_a_cut_body_is_an_unclear_error(self) -> None:
        """If the connection breaks within the body, the outcome is unknown, and nothing is repeated."""
        self._is_unclear(ServerResponse(fault="cut_body"))

    def test_a_late_response_is_an_unclear_error(self) -> None:
        """If no response comes within the timeout, the outcome is unknown, and nothing is repeated."""
        self._ends_in_time(ServerResponse(fault="delay"))

    def test_a_dripping_head_ends_in_time(self) -> None:
        """The timeout is for the whole response, even if its head comes a byte at a time."""
        self._ends_in_time(ServerResponse(fault="drip_head"))

    def test_a_dripping_body_ends_in_time(self) -> None:
        """The timeout is for the whole response, even if its body comes a byte at a time."""
        self._ends_in_time(ServerResponse(fault="drip_body"))

    def _is_unclear(self, response: ServerResponse, timeout: float = 10.0) -> TransportError:
        with self.connected(response) as connected:
            started = time.monotonic()
            error = _error_of(connected.transport, attrs.evolve(_POST, options=Options(timeout=timeout)))
            assert time.monotonic() - started < timeout + _MARGIN, "the error came long after the timeout"
            assert error.outcome_unknown
            assert len(connected.seen) == 1
        return error

    def _ends_in_time(self, response: ServerResponse) -> None:
        assert isinstance(self._is_unclear(response, _TIMEOUT), TransportTimeoutError)

    def test_an_error_does_not_show_the_body(self) -> None:
        """No code is in the error, in its cause or context, or in a local variable below the caller."""
        with self.connected(ServerResponse(fault="lose_response")) as connected:
            error = _error_of(connected.transport, attrs.evolve(_POST, json={"code": _CODE}))
        assert not [text for text in _shown_by(error) if _CODE in text]

    def test_many_threads_may_use_it(self) -> None:
        """Sixteen threads get sixteen responses at once, and the server sees sixteen requests."""
        responses: list[Response] = []
        with self.connected(ServerResponse()) as connected:
            threads = [
                threading.Thread(target=lambda: responses.append(connected.transport.send(_GET))) for _ in range(16)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(connected.seen) == 16
        assert [response.status for response in responses] == [200] * 16

    def test_it_may_be_closed_twice(self) -> None:
        """A second close is not an error."""
        with self.connected(ServerResponse()) as connected:
            connected.transport.close()
            connected.transport.close()


def _not_kept(promise: Callable[[TransportContract], None], why: str) -> Callable[[TransportContract], None]:
    @functools.wraps(promise)
    def expect_failure(self: TransportContract) -> None:
        # It is slow to import. Its SkipTest means a skip to pytest too.
        from unittest import SkipTest

        try:
            promise(self)
        except AssertionError:
            reason = f"not kept: {why}"
        else:
            raise AssertionError(f"it is kept: take {promise.__name__} out of not_kept")
        raise SkipTest(reason)

    return expect_failure


def _error_of(transport: Transport, request: Request) -> TransportError:
    try:
        transport.send(request)
    except TransportError as error:
        return error
    raise AssertionError("the transport returned a response, and the server had sent none")


def _shown_by(error: BaseException) -> Iterator[str]:
    """What logs and crash reporters show: the reprs, and the local variables of the frames below the caller."""
    yield repr(error)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is not _error_of.__code__:
            yield from map(repr, trace.tb_frame.f_locals.values())
        trace = trace.tb_next
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from _shown_by(other)

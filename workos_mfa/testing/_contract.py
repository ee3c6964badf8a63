"""What every transport promises, as a suite to subclass: :class:`workos_mfa.testing.TransportContract`.

It needs neither pytest nor unittest: a broken promise is an AssertionError. A transport is judged by what it makes of
trouble, so the server that makes the trouble comes with the suite.
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
from workos_mfa.testing._server import Answer, serving

_CODE = "424242-sentinel"
_TIMEOUT = 0.2
_MARGIN = 1.5  # less than what a drip takes, more than a busy machine does


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


@attrs.frozen
class _Connection:
    transport: Transport
    seen: Sequence[tuple[str, str]]


class TransportContract:
    """What every transport promises, as tests to be subclassed.

    ::

        class TestMyTransport(TransportContract):
            def transport(self, base_url):
                return MyTransport("sk_test_contract", base_url=base_url)

    That is all: the server at the base URL comes along. It is on loopback, speaks plain http, and wants every POST to
    have a JSON object, announced as ``application/json``. A transport that has no base URL, since it opens no
    connection, overrides :meth:`connected` instead.

    :cvar not_kept: promises that a transport does not keep, by the test's name, each with the reason. Such a test must
        fail, and is then reported as skipped with that reason; if it passes, it says so, and the entry has to go.
    """

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
        """A new transport for this base URL. It is closed when the test is over."""
        raise NotImplementedError("a subclass of TransportContract gives its transport for a base URL")

    def connected(self, answer: Answer) -> AbstractContextManager[Connected]:
        """The transport, before a server that answers like this."""
        return self._before_a_server(answer)

    @contextlib.contextmanager
    def _before_a_server(self, answer: Answer) -> Generator[Connected, None, None]:
        with serving(answer) as server:
            transport = self.transport(server.base_url)
            try:
                yield _Connection(transport, server.seen)
            finally:
                transport.close()

    def test_it_returns_the_answer(self) -> None:
        """Status, headers and body come back as the server sent them."""
        answer = Answer(201, {"X-Request-Id": "a request's id"}, b'{"id": "auth_factor_1"}')
        with self.connected(answer) as connected:
            response = connected.transport.send(_request("POST", json={"type": "generic_otp"}))
        assert (response.status, response.body) == (answer.status, answer.body), f"{response.status} {response.body!r}"
        assert response.headers.get("x-request-id") == "a request's id"

    def test_it_asks_what_it_was_told_to(self) -> None:
        """Method, encoded path and query reach the server as they stand in the request."""
        with self.connected(Answer()) as connected:
            connected.transport.send(_request("GET", path="/auth/factors/a%2Fb%20c", query={"limit": "2"}))
            assert list(connected.seen) == [("GET", "/auth/factors/a%2Fb%20c?limit=2")]

    def test_an_error_status_is_an_answer(self) -> None:
        """A 4xx or 5xx is returned, not raised, and is not tried again."""
        for status in (400, 401, 404, 422, 429, 500, 503):
            with self.connected(Answer(status, {"Retry-After": "0"})) as connected:
                assert connected.transport.send(_request("GET")).status == status
                assert len(connected.seen) == 1

    def test_an_answer_may_be_empty(self) -> None:
        """A 204 has no body."""
        with self.connected(Answer(204, body=b"")) as connected:
            assert connected.transport.send(_request("DELETE")).body == b""

    def test_it_follows_no_redirect(self) -> None:
        """A redirect is returned as it is, and where it leads nobody asks."""
        with self.connected(Answer(307, {"Location": "/auth/factors/elsewhere"})) as connected:
            assert connected.transport.send(_request("POST", json={})).status == 307
            assert len(connected.seen) == 1

    def test_it_does_not_read_without_end(self) -> None:
        """Of a body over the limit, one byte over it at the most comes back."""
        with self.connected(Answer(body=b" " * (MAX_BODY + 1000))) as connected:
            assert len(connected.transport.send(_request("GET")).body) == MAX_BODY + 1

    def test_no_connection_is_a_clear_error(self) -> None:
        """Where nobody listens, the error says that nothing was sent."""
        with self.connected(Answer(trouble="refused")) as connected:
            assert not _error_of(connected.transport, _request("POST", json={})).outcome_unknown

    def test_a_lost_answer_is_an_unclear_error(self) -> None:
        """Where the connection breaks after the request arrived, the error says so, and nothing is repeated."""
        self._is_unclear(Answer(trouble="lost"))

    def test_a_cut_body_is_an_unclear_error(self) -> None:
        """Where the connection breaks in the body, the error says so: half an answer is none."""
        self._is_unclear(Answer(trouble="cut"))

    def test_a_late_answer_is_an_unclear_error(self) -> None:
        """Where no answer comes within the request's timeout, the error says so, and nothing is repeated."""
        self._ends_in_time(Answer(trouble="late"))

    def test_a_dripping_head_ends_in_time(self) -> None:
        """The timeout is that of the whole answer, however short the silence between two bytes of its head."""
        self._ends_in_time(Answer(trouble="dripping_head"))

    def test_a_dripping_body_ends_in_time(self) -> None:
        """The timeout is that of the whole answer, however short the silence between two bytes of its body."""
        self._ends_in_time(Answer(trouble="dripping_body"))

    def _is_unclear(self, answer: Answer, timeout: float = 10.0) -> TransportError:
        with self.connected(answer) as connected:
            started = time.monotonic()
            error = _error_of(connected.transport, _request("POST", json={}, options=Options(timeout=timeout)))
            assert time.monotonic() - started < timeout + _MARGIN, "the error came long after the timeout"
            assert error.outcome_unknown
            assert len(connected.seen) == 1
        return error

    def _ends_in_time(self, answer: Answer) -> None:
        assert isinstance(self._is_unclear(answer, _TIMEOUT), TransportTimeoutError)

    def test_an_error_shows_nothing_that_was_sent(self) -> None:
        """Neither the error, nor what it was made from, nor a frame below the caller shows a code."""
        with self.connected(Answer(trouble="lost")) as connected:
            error = _error_of(connected.transport, _request("POST", json={"code": _CODE}))
        assert not [text for text in _shown_by(error) if _CODE in text]

    def test_many_threads_may_use_it(self) -> None:
        """Sixteen threads at once get sixteen answers, and the server sees sixteen requests."""
        answers: list[Response] = []
        with self.connected(Answer()) as connected:
            threads = [
                threading.Thread(target=lambda: answers.append(connected.transport.send(_request("GET"))))
                for _ in range(16)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(connected.seen) == 16
        assert [answer.status for answer in answers] == [200] * 16

    def test_it_may_be_closed_twice(self) -> None:
        """Closing is not an error, however often it is done."""
        with self.connected(Answer()) as connected:
            connected.transport.close()
            connected.transport.close()


def _not_kept(promise: Callable[[TransportContract], None], why: str) -> Callable[[TransportContract], None]:
    @functools.wraps(promise)
    def is_not_kept(self: TransportContract) -> None:
        # Slow to load; pytest and unittest both take its exception for a skip.
        from unittest import SkipTest

        try:
            promise(self)
        except AssertionError:
            reason = f"not kept: {why}"
        else:
            raise AssertionError(f"it is kept: take {promise.__name__} out of not_kept")
        raise SkipTest(reason)

    return is_not_kept


def _request(
    method: str,
    *,
    path: str = "/auth/factors/auth_factor_1",
    query: Mapping[str, str] | None = None,
    json: Mapping[str, object] | None = None,
    options: Options | None = None,
) -> Request:
    return Request(
        operation="contract",
        method=method,
        path=path,
        route="/auth/factors/{id}",
        query=query or {},
        json=json,
        options=options or Options(timeout=10.0),
    )


def _error_of(transport: Transport, request: Request) -> TransportError:
    try:
        transport.send(request)
    except TransportError as error:
        return error
    raise AssertionError("the transport returned an answer where none came")


def _shown_by(error: BaseException) -> Iterator[str]:
    """What logs and crash reporters show: the texts, and the locals of all frames below the one that called."""
    yield repr(error)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is not _error_of.__code__:
            yield from map(repr, trace.tb_frame.f_locals.values())
        trace = trace.tb_next
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from _shown_by(other)

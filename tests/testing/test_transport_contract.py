# ruff: noqa: D103 - the name of each breach says what is wrong
"""The contract suite: a transport that keeps the contract passes, and one that breaks it fails the test for it."""

from __future__ import annotations

import contextlib
import json
import threading
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar
from urllib.parse import urlencode

import attrs
import pytest

from workos_mfa import (
    MAX_BODY,
    ConnectError,
    ConnectionLostError,
    Request,
    Response,
    Transport,
    TransportError,
    TransportTimeoutError,
)
from workos_mfa.testing import ServerResponse, TransportContract


class InMemory:
    """A transport with no server behind it, only a response. It keeps the contract, but for its breach."""

    def __init__(self, response: ServerResponse, breach: Breach | None = None) -> None:
        self.response = response
        self.breach = breach
        self.thread = threading.current_thread()
        self.is_closed = False
        self.seen: list[tuple[str, str]] = []

    @property
    def transport(self) -> Transport:
        """This one."""
        return self

    def send(self, request: Request, /) -> Response:
        """Do as the response says, or as the breach does."""
        return self.breach(self, request) if self.breach else self.exchange(request)

    def exchange(self, request: Request) -> Response:
        """Do as the response says."""
        self.arrive(request)
        if self.response.fault in {"lose_response", "cut_body"}:
            raise ConnectionLostError("the connection broke")
        if self.response.fault is not None:
            raise TransportTimeoutError("no response came in time")
        return Response(self.response.status, self.response.headers, self.response.body[: MAX_BODY + 1])

    def arrive(self, request: Request) -> None:
        """Let the server see the request, if there is one."""
        if self.response.fault == "refuse_connection":
            raise ConnectError("nobody listens. Nothing was sent")
        query = f"?{urlencode(request.query)}" if request.query else ""
        self.seen.append((request.method, request.path + query))

    def close(self) -> None:
        """Mind being closed twice, if that is the breach."""
        assert not (self.is_closed and self.breach is minds_a_second_close), "it is closed already"
        self.is_closed = True


Breach = Callable[[InMemory, Request], Response]
BREACHES: dict[Breach, set[str]] = {}
SLOW = ["a_dripping_body_ends_in_time", "a_dripping_head_ends_in_time", "a_late_response_is_an_unclear_error"]
UNCLEAR = [*SLOW, "a_cut_body_is_an_unclear_error", "a_lost_response_is_an_unclear_error"]


def breaks(*tests: str) -> Callable[[Breach], Breach]:
    """A breach of the contract, and the tests that fail with it; ``test_`` is left out of their names."""

    def add(breach: Breach) -> Breach:
        BREACHES[breach] = {f"test_{name}" for name in tests}
        return breach

    return add


@breaks("an_error_status_is_a_response", "it_follows_no_redirect", "it_returns_the_response")
def takes_every_success_for_the_same(connected: InMemory, request: Request) -> Response:
    return attrs.evolve(connected.exchange(request), status=200)


@breaks("it_returns_the_response")
def invents_a_header(connected: InMemory, request: Request) -> Response:
    response = connected.exchange(request)
    return attrs.evolve(response, headers={**response.headers, "x-request-id": "another"})


@breaks("a_response_may_be_empty", "it_limits_the_body", "it_returns_the_response")
def changes_the_body(connected: InMemory, request: Request) -> Response:
    return attrs.evolve(connected.exchange(request), body=b"{}")


@breaks("it_sends_the_request")
def decodes_the_path(connected: InMemory, request: Request) -> Response:
    return connected.exchange(attrs.evolve(request, path=request.path.replace("%2F", "/")))


@breaks("it_sends_the_request")
def forgets_the_query(connected: InMemory, request: Request) -> Response:
    return connected.exchange(attrs.evolve(request, query={}))


@breaks("it_sends_the_request")
def posts_everything(connected: InMemory, request: Request) -> Response:
    return connected.exchange(attrs.evolve(request, method="POST"))


@breaks("an_error_status_is_a_response")
def raises_for_an_error_status(connected: InMemory, request: Request) -> Response:
    response = connected.exchange(request)
    assert response.status < 400, "an error status was raised"
    return response


@breaks(
    *UNCLEAR,
    "an_error_status_is_a_response",
    "it_follows_no_redirect",
    "it_sends_the_request",
    "many_threads_may_use_it",
)
def repeats_by_itself(connected: InMemory, request: Request) -> Response:
    connected.arrive(request)
    return connected.exchange(request)


@breaks("a_response_may_be_empty")
def invents_a_body(connected: InMemory, request: Request) -> Response:
    response = connected.exchange(request)
    return attrs.evolve(response, body=response.body or b"{}")


@breaks("it_follows_no_redirect")
def follows_a_redirect(connected: InMemory, request: Request) -> Response:
    response = connected.exchange(request)
    if response.status != 307:
        return response
    connected.arrive(request)
    return attrs.evolve(response, status=200)


@breaks("it_follows_no_redirect")
def returns_a_redirect_and_follows_it_too(connected: InMemory, request: Request) -> Response:
    response = connected.exchange(request)
    if response.status == 307:
        connected.arrive(request)
    return response


@breaks("it_limits_the_body")
def reads_a_body_without_end(connected: InMemory, request: Request) -> Response:
    return attrs.evolve(connected.exchange(request), body=connected.response.body)


@breaks("it_limits_the_body")
def cuts_a_body_where_nobody_can_see_it(connected: InMemory, request: Request) -> Response:
    return attrs.evolve(connected.exchange(request), body=connected.response.body[:MAX_BODY])


@breaks(*UNCLEAR)
def says_of_every_failure_that_nothing_was_sent(connected: InMemory, request: Request) -> Response:
    try:
        return connected.exchange(request)
    except TransportError as error:
        error.outcome_unknown = False
        raise


@breaks("no_connection_is_a_clear_error")
def says_of_every_failure_that_it_may_be_done(connected: InMemory, request: Request) -> Response:
    try:
        return connected.exchange(request)
    except ConnectError as error:
        error.outcome_unknown = True
        raise


@breaks("a_cut_body_is_an_unclear_error")
def returns_a_cut_body(connected: InMemory, request: Request) -> Response:
    return Response(200, body=b"{") if connected.response.fault == "cut_body" else connected.exchange(request)


@breaks("a_dripping_body_ends_in_time", "a_dripping_head_ends_in_time")
def waits_for_the_last_byte(connected: InMemory, request: Request) -> Response:
    is_slow = str(connected.response.fault).startswith("drip")
    return Response(200) if is_slow else connected.exchange(request)


@breaks(*UNCLEAR, "an_error_does_not_show_the_body", "no_connection_is_a_clear_error")
def makes_up_a_response(connected: InMemory, request: Request) -> Response:
    return Response(502) if connected.response.fault else connected.exchange(request)


@breaks(*UNCLEAR)
def repeats_after_a_failure(connected: InMemory, request: Request) -> Response:
    if connected.response.fault:
        connected.arrive(request)
    return connected.exchange(request)


@breaks(*SLOW)
def has_one_error_for_all_failures(connected: InMemory, request: Request) -> Response:
    try:
        return connected.exchange(request)
    except TransportTimeoutError:
        raise ConnectionLostError("something was the matter") from None


@breaks("an_error_does_not_show_the_body")
def shows_the_body_in_its_error(connected: InMemory, request: Request) -> Response:
    try:
        return connected.exchange(request)
    except ConnectionLostError:
        raise ConnectionLostError(f"lost: {request.json}") from None


@breaks("an_error_does_not_show_the_body")
def shows_the_body_in_a_frame(connected: InMemory, request: Request) -> Response:
    body = json.dumps(dict(request.json or {}))
    response = connected.exchange(request)
    assert body
    return response


@breaks("an_error_does_not_show_the_body")
def shows_the_body_in_its_cause(connected: InMemory, request: Request) -> Response:
    try:
        return connected.exchange(request)
    except ConnectionLostError:
        raise ConnectionLostError("lost") from ValueError(str(request.json))


@breaks("an_error_does_not_show_the_body")
def shows_the_body_in_a_frame_of_its_context(connected: InMemory, request: Request) -> Response:
    try:
        return shows_the_body_in_a_frame(connected, request)
    except ConnectionLostError:
        raise ConnectionLostError("lost") from None


@breaks("many_threads_may_use_it")
def is_for_the_thread_that_made_it(connected: InMemory, request: Request) -> Response:
    if threading.current_thread() is connected.thread:
        return connected.exchange(request)
    return Response(200)


@breaks("many_threads_may_use_it")
def gives_a_response_to_one_thread(connected: InMemory, request: Request) -> Response:
    response = connected.exchange(request)
    return response if len(connected.seen) == 1 else Response(503)


@breaks("it_may_be_closed_twice")
def minds_a_second_close(connected: InMemory, request: Request) -> Response:
    return connected.exchange(request)


def contract_of(breach: Breach | None) -> TransportContract:
    """The contract over a transport with such a breach."""

    class Contract(TransportContract):
        @contextlib.contextmanager
        def connected(self, response: ServerResponse) -> Iterator[InMemory]:
            yield InMemory(response, breach)

    return Contract()


def fails(breach: Breach | None, test: str) -> bool:
    """Whether a test of the contract fails over such a transport."""
    try:
        getattr(contract_of(breach), test)()
    except AssertionError:
        return True
    return False


CONTRACT_TESTS = {name for name in dir(TransportContract) if name.startswith("test_")}


@pytest.mark.parametrize("breach", [None, *BREACHES])
def test_a_breach_is_found(breach: Breach | None) -> None:
    """Exactly the tests fail that are there for it; without a breach none."""
    expected = BREACHES[breach] if breach else set[str]()
    assert {test for test in CONTRACT_TESTS if fails(breach, test)} == expected


def test_every_test_of_the_contract_finds_a_breach() -> None:
    """None of them passes whatever a transport does."""
    assert set().union(*BREACHES.values()) == CONTRACT_TESTS


@pytest.mark.parametrize("test", sorted(name for name in CONTRACT_TESTS if name.endswith(("_error", "_in_time"))))
def test_what_fails_late_fails_the_contract(test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is right, and comes after the time is up, is a breach as well."""
    monkeypatch.setattr("workos_mfa.testing._contract._MARGIN", -11)
    assert fails(None, test) is (test != "test_no_connection_is_a_clear_error")


def test_what_is_not_kept_is_said() -> None:
    """A promise that a transport does not keep is skipped with its reason, and the others are held to as before."""

    class Contract(TransportContract):
        not_kept: ClassVar[Mapping[str, str]] = {"test_a_dripping_head_ends_in_time": "it has no clock"}

        @contextlib.contextmanager
        def connected(self, response: ServerResponse) -> Iterator[InMemory]:
            yield InMemory(response, waits_for_the_last_byte)

    with pytest.raises(unittest.SkipTest, match=r"^not kept: it has no clock$"):
        Contract().test_a_dripping_head_ends_in_time()
    with pytest.raises(AssertionError):
        Contract().test_a_dripping_body_ends_in_time()
    Contract().test_a_late_response_is_an_unclear_error()


def test_what_is_kept_after_all_is_said_too() -> None:
    """An entry that has become wrong does not hide the next breach."""

    class Contract(TransportContract):
        not_kept: ClassVar[Mapping[str, str]] = {"test_it_may_be_closed_twice": "it minds"}

        @contextlib.contextmanager
        def connected(self, response: ServerResponse) -> Iterator[InMemory]:
            yield InMemory(response)

    with pytest.raises(AssertionError, match=r"^it is kept: take test_it_may_be_closed_twice out of not_kept$"):
        Contract().test_it_may_be_closed_twice()


def test_a_promise_that_there_is_not() -> None:
    """A misspelt name is found when the class is made."""
    with pytest.raises(TypeError, match=r"^not_kept: the contract has no test_it_drips"):
        type("Contract", (TransportContract,), {"not_kept": {"test_it_drips": "a misspelt name"}})


def test_a_contract_without_a_transport_says_what_is_missing() -> None:
    """Whoever subclasses it reads this first."""
    with pytest.raises(NotImplementedError, match="a subclass of TransportContract gives its transport"):
        TransportContract().test_it_may_be_closed_twice()

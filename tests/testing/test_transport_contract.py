# ruff: noqa: D102 - the class of each broken transport says what is wrong
"""The contract suite: a transport that keeps the contract passes, and one that breaks it fails the test for it."""

from __future__ import annotations

import contextlib
import inspect
import json
import threading
import unittest
from collections.abc import Iterator, Mapping, Sequence
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
from workos_mfa.testing import (
    ServerResponse,
    TransportContract,
)


class InMemory:
    """A transport with no server behind it, only a response. It keeps the contract."""

    def __init__(self, response: ServerResponse) -> None:
        self.response = response
        self.seen: Sequence[tuple[str, str]] = []

    @property
    def transport(self) -> Transport:
        """This one."""
        return self

    def send(self, request: Request, /) -> Response:
        """Do as the response says."""
        self.arrive(request)
        return self.outcome()

    def arrive(self, request: Request) -> None:
        """Let the server see the request, if there is one."""
        if self.response.fault == "refuse_connection":
            raise ConnectError("nobody listens. Nothing was sent")
        query = f"?{urlencode(request.query)}" if request.query else ""
        self.seen = [*self.seen, (request.method, request.path + query)]

    def outcome(self) -> Response:
        """What the server does."""
        if self.response.fault in {"lose_response", "cut_body"}:
            raise ConnectionLostError("the connection broke")
        if self.response.fault is not None:
            raise TransportTimeoutError("no response came in time")
        return Response(self.response.status, self.response.headers, self.response.body[: MAX_BODY + 1])

    def close(self) -> None:
        """Nothing is held."""


class TestInMemory(TransportContract):
    """A transport that keeps the contract passes all of it."""

    @contextlib.contextmanager
    def connected(self, response: ServerResponse) -> Iterator[InMemory]:
        """A new one for each test."""
        yield InMemory(response)


class WrongStatus(InMemory):
    """It takes every success for the same."""

    def outcome(self) -> Response:
        return attrs.evolve(super().outcome(), status=200)


class WrongHeaders(InMemory):
    """It gives every response an id of its own."""

    def outcome(self) -> Response:
        response = super().outcome()
        return attrs.evolve(response, headers={**response.headers, "x-request-id": "another"})


class WrongBody(InMemory):
    """It reads the body into something nicer."""

    def outcome(self) -> Response:
        return attrs.evolve(super().outcome(), body=b"{}")


class DecodedPath(InMemory):
    """It takes the path for one that is not encoded yet."""

    def arrive(self, request: Request) -> None:
        super().arrive(attrs.evolve(request, path=request.path.replace("%2F", "/")))


class WithoutQuery(InMemory):
    """It forgets the query."""

    def arrive(self, request: Request) -> None:
        super().arrive(attrs.evolve(request, query={}))


class WrongMethod(InMemory):
    """It posts everything."""

    def arrive(self, request: Request) -> None:
        super().arrive(attrs.evolve(request, method="POST"))


class RaisingForStatus(InMemory):
    """It raises for an error status."""

    def outcome(self) -> Response:
        response = super().outcome()
        if response.status >= 400:
            raise AssertionError("an error status was raised")
        return response


class Repeating(InMemory):
    """It tries again by itself."""

    def send(self, request: Request, /) -> Response:
        self.arrive(request)
        return super().send(request)


class InventingABody(InMemory):
    """It has a body for every response."""

    def outcome(self) -> Response:
        response = super().outcome()
        return attrs.evolve(response, body=response.body or b"{}")


class Following(InMemory):
    """It follows a redirect."""

    def send(self, request: Request, /) -> Response:
        response = super().send(request)
        if response.status == 307:
            self.arrive(request)
            return attrs.evolve(response, status=200)
        return response


class AskingWhereARedirectLeads(InMemory):
    """It returns the redirect, and follows it as well."""

    def send(self, request: Request, /) -> Response:
        response = super().send(request)
        if response.status == 307:
            self.arrive(request)
        return response


class ReadingWithoutEnd(InMemory):
    """It reads all there is."""

    def outcome(self) -> Response:
        return attrs.evolve(super().outcome(), body=self.response.body)


class ReadingTooLittle(InMemory):
    """It cuts the body where nobody can see that it was cut."""

    def outcome(self) -> Response:
        return attrs.evolve(super().outcome(), body=self.response.body[:MAX_BODY])


class CallingItClear(InMemory):
    """It says of every failure that nothing was sent."""

    def outcome(self) -> Response:
        try:
            return super().outcome()
        except TransportError as error:
            error.outcome_unknown = False
            raise


class CallingItUnclear(InMemory):
    """It says of every failure that something may have been done."""

    def send(self, request: Request, /) -> Response:
        try:
            return super().send(request)
        except ConnectError as error:
            error.outcome_unknown = True
            raise


class ReturningACutBody(InMemory):
    """It returns the part of a body that came."""

    def outcome(self) -> Response:
        return Response(200, body=b"{") if self.response.fault == "cut_body" else super().outcome()


class WaitingForTheLastByte(InMemory):
    """It waits for a slow response to end."""

    def outcome(self) -> Response:
        return Response(200) if str(self.response.fault).startswith("drip") else super().outcome()


class MakingUpAResponse(InMemory):
    """It returns a 502 if no response came."""

    def outcome(self) -> Response:
        return Response(502) if self.response.fault else super().outcome()


class RepeatingAfterAFailure(InMemory):
    """It repeats the request if no response came."""

    def send(self, request: Request, /) -> Response:
        if self.response.fault:
            self.arrive(request)
        return super().send(request)


class CallingItLost(InMemory):
    """It has one error for all failures."""

    def outcome(self) -> Response:
        if self.response.fault:
            raise ConnectionLostError("something was the matter")
        return super().outcome()


class ShowingTheBodyInItsText(InMemory):
    """Its error says what was sent."""

    def send(self, request: Request, /) -> Response:
        if self.response.fault:
            raise ConnectionLostError(f"lost: {request.json}")
        return super().send(request)


class ShowingTheBodyInAFrame(InMemory):
    """It holds what was sent in a local variable."""

    def send(self, request: Request, /) -> Response:
        body = json.dumps(dict(request.json or {}))
        response = super().send(request)
        assert body
        return response


class ShowingTheBodyInItsCause(InMemory):
    """Its error was made from one that says what was sent."""

    def send(self, request: Request, /) -> Response:
        if self.response.fault:
            raise ConnectionLostError("lost") from ValueError(str(request.json))
        return super().send(request)


class ShowingTheBodyInAFrameOfItsContext(InMemory):
    """Its error was made from one that has passed through a frame with what was sent."""

    def send(self, request: Request, /) -> Response:
        try:
            return self.send_below(request, json.dumps(dict(request.json or {})))
        except ConnectionLostError:
            raise ConnectionLostError("lost") from None

    def send_below(self, request: Request, body: str) -> Response:
        assert body
        return super().send(request)


class ForOneThread(InMemory):
    """It may be used by the thread that made it."""

    def __init__(self, response: ServerResponse) -> None:
        super().__init__(response)
        self.thread = threading.current_thread()

    def arrive(self, request: Request) -> None:
        if threading.current_thread() is self.thread:
            super().arrive(request)


class AnsweringOneThread(InMemory):
    """The server sees all requests, and one of them is answered as it should be."""

    def outcome(self) -> Response:
        return super().outcome() if len(self.seen) == 1 else Response(503)


class ClosingOnce(InMemory):
    """It minds being closed twice."""

    is_open = True

    def close(self) -> None:
        assert self.is_open, "it is closed already"
        self.is_open = False


BREACHES: list[tuple[type[InMemory], str]] = [
    (WrongStatus, "test_it_returns_the_response"),
    (WrongHeaders, "test_it_returns_the_response"),
    (WrongBody, "test_it_returns_the_response"),
    (DecodedPath, "test_it_sends_the_request"),
    (WithoutQuery, "test_it_sends_the_request"),
    (WrongMethod, "test_it_sends_the_request"),
    (RaisingForStatus, "test_an_error_status_is_a_response"),
    (Repeating, "test_an_error_status_is_a_response"),
    (WrongStatus, "test_an_error_status_is_a_response"),
    (InventingABody, "test_a_response_may_be_empty"),
    (Following, "test_it_follows_no_redirect"),
    (AskingWhereARedirectLeads, "test_it_follows_no_redirect"),
    (ReadingWithoutEnd, "test_it_limits_the_body"),
    (ReadingTooLittle, "test_it_limits_the_body"),
    (CallingItClear, "test_a_lost_response_is_an_unclear_error"),
    (MakingUpAResponse, "test_a_lost_response_is_an_unclear_error"),
    (RepeatingAfterAFailure, "test_a_lost_response_is_an_unclear_error"),
    (CallingItUnclear, "test_no_connection_is_a_clear_error"),
    (CallingItClear, "test_a_cut_body_is_an_unclear_error"),
    (ReturningACutBody, "test_a_cut_body_is_an_unclear_error"),
    (MakingUpAResponse, "test_a_cut_body_is_an_unclear_error"),
    (WaitingForTheLastByte, "test_a_dripping_head_ends_in_time"),
    (WaitingForTheLastByte, "test_a_dripping_body_ends_in_time"),
    (CallingItLost, "test_a_dripping_head_ends_in_time"),
    (CallingItLost, "test_a_dripping_body_ends_in_time"),
    (CallingItClear, "test_a_late_response_is_an_unclear_error"),
    (CallingItLost, "test_a_late_response_is_an_unclear_error"),
    (MakingUpAResponse, "test_a_late_response_is_an_unclear_error"),
    (RepeatingAfterAFailure, "test_a_late_response_is_an_unclear_error"),
    (ShowingTheBodyInItsText, "test_an_error_does_not_show_the_body"),
    (ShowingTheBodyInAFrame, "test_an_error_does_not_show_the_body"),
    (ShowingTheBodyInItsCause, "test_an_error_does_not_show_the_body"),
    (ShowingTheBodyInAFrameOfItsContext, "test_an_error_does_not_show_the_body"),
    (ForOneThread, "test_many_threads_may_use_it"),
    (AnsweringOneThread, "test_many_threads_may_use_it"),
    (ClosingOnce, "test_it_may_be_closed_twice"),
]


def contract_of(kind: type[InMemory]) -> TransportContract:
    """The contract over such a transport."""

    class Contract(TransportContract):
        @contextlib.contextmanager
        def connected(self, response: ServerResponse) -> Iterator[InMemory]:
            yield kind(response)

    return Contract()


def fails(kind: type[InMemory], test: str) -> bool:
    """Whether a test of the contract fails over such a transport."""
    try:
        getattr(contract_of(kind), test)()
    except AssertionError:
        return True
    return False


CONTRACT_TESTS = [name for name, _ in inspect.getmembers(TransportContract) if name.startswith("test_")]


@pytest.mark.parametrize(("kind", "test"), BREACHES, ids=lambda value: str(getattr(value, "__name__", value)))
def test_the_contract_has_teeth(kind: type[InMemory], test: str) -> None:
    """Each breach is found by the test that is there for it."""
    assert fails(kind, test)


@pytest.mark.parametrize("kind", dict.fromkeys(kind for kind, _ in BREACHES))
def test_each_breach_is_one_breach(kind: type[InMemory]) -> None:
    """What such a transport does right passes, so that the test which fails is the one that names the fault."""
    failed = [test for test in CONTRACT_TESTS if fails(kind, test)]
    assert set(failed) >= {test for each, test in BREACHES if each is kind}
    assert len(failed) < len(CONTRACT_TESTS) - 3


def test_every_test_of_the_contract_has_a_breach() -> None:
    """None of them passes whatever a transport does."""
    assert {test for _, test in BREACHES} == set(CONTRACT_TESTS)


@pytest.mark.parametrize("test", [name for name in CONTRACT_TESTS if name.endswith(("_error", "_in_time"))])
def test_what_fails_late_fails_the_contract(test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is right, and comes after the time is up, is a breach as well."""
    monkeypatch.setattr("workos_mfa.testing._contract._MARGIN", -11)
    assert fails(InMemory, test) is (test != "test_no_connection_is_a_clear_error")


def test_what_is_not_kept_is_said() -> None:
    """A promise that a transport does not keep is skipped with its reason, and the others are held to as before."""

    class Contract(TransportContract):
        not_kept: ClassVar[Mapping[str, str]] = {"test_a_dripping_head_ends_in_time": "it has no clock"}

        @contextlib.contextmanager
        def connected(self, response: ServerResponse) -> Iterator[InMemory]:
            yield WaitingForTheLastByte(response)

    with pytest.raises(unittest.SkipTest, match=r"^not kept: it has no clock$"):
        Contract().test_a_dripping_head_ends_in_time()
    with pytest.raises(AssertionError):
        Contract().test_a_dripping_body_ends_in_time()
    Contract().test_a_late_response_is_an_unclear_error()


def test_what_is_kept_after_all_is_said_too() -> None:
    """An entry that has become wrong does not hide the next breach."""

    class Contract(TestInMemory):
        not_kept: ClassVar[Mapping[str, str]] = {"test_it_may_be_closed_twice": "it minds"}

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

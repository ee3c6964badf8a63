# ruff: noqa: D102 - what a method of a bad transport does wrong is said by its class
"""What ``workos_mfa.testing`` gives to other people's tests, and that its contract has teeth."""

from __future__ import annotations

import base64
import contextlib
import inspect
import json
import struct
import threading
import unittest
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import ClassVar
from urllib.parse import urlencode

import attrs
import pytest

from workos_mfa import (
    MAX_BODY,
    MFA,
    Challenge,
    ConnectError,
    ConnectionLostError,
    Factor,
    Page,
    Request,
    Response,
    SMSFactor,
    TOTPFactor,
    Transport,
    TransportError,
    TransportTimeoutError,
    UserEnrollment,
    testing,
)
from workos_mfa.testing import (
    Answer,
    StubTransport,
    TransportContract,
    json_response,
    make_challenge,
    make_factor,
    make_sms_factor,
    make_totp_factor,
    make_verification,
)

# The stub transport.


def test_a_stub_remembers_what_it_was_asked() -> None:
    """The requests themselves, in their order."""
    stub = StubTransport(lambda request: Response(204 if request.method == "DELETE" else 404))
    first, second = Request("a", "DELETE", "/a", "/a"), Request("b", "GET", "/b", "/b")
    assert [stub.send(first).status, stub.send(second).status] == [204, 404]
    assert stub.requests[0] is first
    assert stub.requests[1] is second


def test_a_stub_remembers_a_request_that_failed() -> None:
    """It was asked all the same."""

    def failing(_: Request) -> Response:
        raise ConnectError("refused")

    stub = StubTransport(failing)
    with pytest.raises(ConnectError):
        stub.send(Request("a", "GET", "/a", "/a"))
    assert len(stub.requests) == 1


def test_a_stub_knows_if_it_was_closed() -> None:
    """For tests of who closes what."""
    stub = StubTransport(lambda _: Response(200))
    assert stub.closed is False
    stub.close()
    assert stub.closed is True


def test_a_stub_is_a_transport_for_the_type_checker() -> None:
    """This assignment is the test."""
    transport: Transport = StubTransport(lambda _: Response(200))
    assert transport.send(Request("a", "GET", "/a", "/a")).status == 200


def test_a_json_response_is_what_the_api_sends() -> None:
    """Status, body and content type; and headers of the test's own, which win."""
    response = json_response(201, {"valid": True, "name": "é"}, {"X-Request-Id": "req_1"})
    assert response.status == 201
    assert json.loads(response.body) == {"valid": True, "name": "é"}
    assert response.headers == {"content-type": "application/json; charset=utf-8", "x-request-id": "req_1"}
    assert json_response(200, [], {"content-type": "text/html"}).headers["content-type"] == "text/html"
    assert json_response(200, None).body == b"null"


def test_a_json_response_takes_what_a_call_returns() -> None:
    """As the API sends it, secrets included; alone, or within JSON that a test makes by hand."""
    factor = make_totp_factor(secret="SENTINEL")
    sent = json.loads(json_response(201, {"data": [factor, factor.totp]}).body)
    assert sent == {"data": [factor.to_dict(secrets=True), factor.totp.to_dict(secrets=True)]}
    assert sent["data"][0]["totp"]["secret"] == "SENTINEL"
    for value in (object(), factor.created_at, b"SENTINEL"):
        with pytest.raises(TypeError, match=r"^a (object|datetime|bytes) is not JSON, and no object that a call"):
            json_response(200, {"a": value})


# The factories.


def answered(model: object) -> MFA:
    """A client of an API that answers with the model."""
    return MFA(transport=StubTransport(lambda _: json_response(200, model)))


@pytest.mark.parametrize(
    ("model", "call"),
    [
        (make_factor(), lambda mfa: mfa.get_factor(make_factor().id)),
        (
            make_factor(id="auth_factor_2", type="webauthn", user_id="user_1"),
            lambda mfa: mfa.get_factor("auth_factor_2"),
        ),
        (make_totp_factor(), lambda mfa: mfa.enroll_factor(type="totp", issuer="i", user="u")),
        (
            make_totp_factor(id="auth_factor_2", issuer="Bar", user="grace", secret="ABC234", user_id="user_1"),
            lambda mfa: mfa.enroll_factor(type="totp", issuer="i", user="u"),
        ),
        (make_sms_factor(), lambda mfa: mfa.enroll_factor(type="sms", phone_number="+15005550006")),
        (
            make_sms_factor(id="auth_factor_2", phone_number="+4915112345678", user_id="user_1"),
            lambda mfa: mfa.enroll_factor(type="sms", phone_number="+15005550006"),
        ),
        (make_challenge(), lambda mfa: mfa.challenge_factor(make_factor().id)),
        (
            make_challenge(id="c", authentication_factor_id="f", expires_at=None, code="123456"),
            lambda mfa: mfa.challenge_factor("f"),
        ),
        (make_verification(), lambda mfa: mfa.verify_challenge(make_challenge().id, code="1")),
        (make_verification(valid=False), lambda mfa: mfa.verify_challenge(make_challenge().id, code="1")),
        (
            make_verification(challenge=make_challenge(code="123456")),
            lambda mfa: mfa.verify_challenge(make_challenge().id, code="1"),
        ),
        (
            UserEnrollment(factor=make_totp_factor(user_id="user_1"), challenge=make_challenge()),
            lambda mfa: mfa.create_user_auth_factor("user_1"),
        ),
        (
            Page(items=(make_factor(), make_factor(id="auth_factor_2")), after="auth_factor_2"),
            lambda mfa: mfa.list_user_auth_factors("user_1"),
        ),
        (Page[Factor](items=(), before="auth_factor_2"), lambda mfa: mfa.list_user_auth_factors("user_1")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_factory_makes_the_api_could_have_sent(model: object, call: Callable[[MFA], object]) -> None:
    """Sent as JSON and read back, it is the same object: an app's test sees nothing that can't be."""
    read = call(answered(model))
    assert read == model
    assert type(read) is type(model)


def test_the_factories_need_no_argument() -> None:
    """Every field has a value that a test need not care about, and ids that go together."""
    factor, totp, sms, challenge = make_factor(), make_totp_factor(), make_sms_factor(), make_challenge()
    assert (type(factor), type(totp), type(sms), type(challenge)) == (Factor, TOTPFactor, SMSFactor, Challenge)
    assert (factor.type, totp.type, sms.type) == ("generic_otp", "totp", "sms")
    assert factor.id == totp.id == sms.id == challenge.authentication_factor_id
    assert factor.id.startswith("auth_factor_")
    assert challenge.id.startswith("auth_challenge_")
    assert (factor.user_id, factor.totp, factor.sms, challenge.code) == (None, None, None, None)
    assert challenge.expires_at == datetime(2026, 1, 15, 12, 10, tzinfo=timezone.utc)
    assert make_verification().challenge == challenge
    assert make_verification().valid is True
    assert totp.totp.uri == ("otpauth://totp/Foo Corp:alan.turing@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Foo Corp")


def test_the_factories_take_what_a_test_cares_about() -> None:
    """Each argument lands in its field."""
    totp = make_totp_factor(issuer="Bar", user="grace", secret="ABC234")
    assert (totp.totp.issuer, totp.totp.user, totp.totp.secret) == ("Bar", "grace", "ABC234")
    assert "ABC234" in totp.totp.uri
    assert make_sms_factor(phone_number="+4915112345678").sms.phone_number == "+4915112345678"
    assert make_challenge(code="123456").code == "123456"
    challenge = make_challenge(id="c")
    assert make_verification(challenge=challenge).challenge is challenge


def test_the_qr_code_is_a_png_of_one_pixel() -> None:
    """An app that writes it into a page, or reads it with an image library, gets a valid image."""
    head, _, data = make_totp_factor().totp.qr_code.partition(",")
    assert head == "data:image/png;base64"
    png = base64.b64decode(data, validate=True)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: list[tuple[bytes, bytes]] = []
    position = 8
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        kind, content = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", png, position + 8 + length) == (zlib.crc32(kind + content),)
        chunks.append((kind, content))
        position += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, color, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (width, height, depth, color, rest) == (1, 1, 8, 0, [0, 0, 0])
    assert len(zlib.decompress(chunks[1][1])) == 2


def test_all_that_is_offered_is_there() -> None:
    """A name that ``import *`` promises."""
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []


# The contract: a transport that keeps it passes, and one that breaks it fails the test for it.


class InMemory:
    """A transport before a server that is no more than its answer; it keeps the contract."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: Sequence[tuple[str, str]] = []

    @property
    def transport(self) -> Transport:
        """This one."""
        return self

    def send(self, request: Request, /) -> Response:
        """Do as the answer says."""
        self.arrive(request)
        return self.outcome()

    def arrive(self, request: Request) -> None:
        """Let the server see the request, if there is one."""
        if self.answer.trouble == "refused":
            raise ConnectError("nobody listens. Nothing was sent")
        query = f"?{urlencode(request.query)}" if request.query else ""
        self.seen = [*self.seen, (request.method, request.path + query)]

    def outcome(self) -> Response:
        """What the server does."""
        if self.answer.trouble in {"lost", "cut"}:
            raise ConnectionLostError("the connection broke")
        if self.answer.trouble is not None:
            raise TransportTimeoutError("no answer came in time")
        return Response(self.answer.status, self.answer.headers, self.answer.body[: MAX_BODY + 1])

    def close(self) -> None:
        """Nothing is held."""


class TestInMemory(TransportContract):
    """A transport that keeps the contract passes all of it."""

    @contextlib.contextmanager
    def connected(self, answer: Answer) -> Iterator[InMemory]:
        """A new one for each test."""
        yield InMemory(answer)


class WrongStatus(InMemory):
    """It takes every success for the same."""

    def outcome(self) -> Response:
        return attrs.evolve(super().outcome(), status=200)


class WrongHeaders(InMemory):
    """It gives every answer an id of its own."""

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
    """It has a body for every answer."""

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
        return attrs.evolve(super().outcome(), body=self.answer.body)


class ReadingTooLittle(InMemory):
    """It cuts the body where nobody can see that it was cut."""

    def outcome(self) -> Response:
        return attrs.evolve(super().outcome(), body=self.answer.body[:MAX_BODY])


class CallingItClear(InMemory):
    """It says of every trouble that nothing was sent."""

    def outcome(self) -> Response:
        try:
            return super().outcome()
        except TransportError as error:
            error.outcome_unknown = False
            raise


class CallingItUnclear(InMemory):
    """It says of every trouble that something may have been done."""

    def send(self, request: Request, /) -> Response:
        try:
            return super().send(request)
        except ConnectError as error:
            error.outcome_unknown = True
            raise


class TakingHalfAnAnswer(InMemory):
    """It makes do with what came of a body."""

    def outcome(self) -> Response:
        return Response(200, body=b"{") if self.answer.trouble == "cut" else super().outcome()


class WaitingForTheLastByte(InMemory):
    """It has patience with an answer that drips."""

    def outcome(self) -> Response:
        return Response(200) if str(self.answer.trouble).startswith("dripping") else super().outcome()


class TakingTroubleForAnAnswer(InMemory):
    """It makes an answer out of none."""

    def outcome(self) -> Response:
        return Response(502) if self.answer.trouble else super().outcome()


class RepeatingInTrouble(InMemory):
    """It tries again where the answer did not come."""

    def send(self, request: Request, /) -> Response:
        if self.answer.trouble:
            self.arrive(request)
        return super().send(request)


class CallingItLost(InMemory):
    """It has one error for all trouble."""

    def outcome(self) -> Response:
        if self.answer.trouble:
            raise ConnectionLostError("something was the matter")
        return super().outcome()


class ShowingTheBodyInItsText(InMemory):
    """Its error says what was sent."""

    def send(self, request: Request, /) -> Response:
        if self.answer.trouble:
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
        if self.answer.trouble:
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

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
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
    (WrongStatus, "test_it_returns_the_answer"),
    (WrongHeaders, "test_it_returns_the_answer"),
    (WrongBody, "test_it_returns_the_answer"),
    (DecodedPath, "test_it_asks_what_it_was_told_to"),
    (WithoutQuery, "test_it_asks_what_it_was_told_to"),
    (WrongMethod, "test_it_asks_what_it_was_told_to"),
    (RaisingForStatus, "test_an_error_status_is_an_answer"),
    (Repeating, "test_an_error_status_is_an_answer"),
    (WrongStatus, "test_an_error_status_is_an_answer"),
    (InventingABody, "test_an_answer_may_be_empty"),
    (Following, "test_it_follows_no_redirect"),
    (AskingWhereARedirectLeads, "test_it_follows_no_redirect"),
    (ReadingWithoutEnd, "test_it_does_not_read_without_end"),
    (ReadingTooLittle, "test_it_does_not_read_without_end"),
    (CallingItClear, "test_a_lost_answer_is_an_unclear_error"),
    (TakingTroubleForAnAnswer, "test_a_lost_answer_is_an_unclear_error"),
    (RepeatingInTrouble, "test_a_lost_answer_is_an_unclear_error"),
    (CallingItUnclear, "test_no_connection_is_a_clear_error"),
    (CallingItClear, "test_a_cut_body_is_an_unclear_error"),
    (TakingHalfAnAnswer, "test_a_cut_body_is_an_unclear_error"),
    (TakingTroubleForAnAnswer, "test_a_cut_body_is_an_unclear_error"),
    (WaitingForTheLastByte, "test_a_dripping_head_ends_in_time"),
    (WaitingForTheLastByte, "test_a_dripping_body_ends_in_time"),
    (CallingItLost, "test_a_dripping_head_ends_in_time"),
    (CallingItLost, "test_a_dripping_body_ends_in_time"),
    (CallingItClear, "test_a_late_answer_is_an_unclear_error"),
    (CallingItLost, "test_a_late_answer_is_an_unclear_error"),
    (TakingTroubleForAnAnswer, "test_a_late_answer_is_an_unclear_error"),
    (RepeatingInTrouble, "test_a_late_answer_is_an_unclear_error"),
    (ShowingTheBodyInItsText, "test_an_error_shows_nothing_that_was_sent"),
    (ShowingTheBodyInAFrame, "test_an_error_shows_nothing_that_was_sent"),
    (ShowingTheBodyInItsCause, "test_an_error_shows_nothing_that_was_sent"),
    (ShowingTheBodyInAFrameOfItsContext, "test_an_error_shows_nothing_that_was_sent"),
    (ForOneThread, "test_many_threads_may_use_it"),
    (AnsweringOneThread, "test_many_threads_may_use_it"),
    (ClosingOnce, "test_it_may_be_closed_twice"),
]


def contract_of(kind: type[InMemory]) -> TransportContract:
    """The contract over such a transport."""

    class Contract(TransportContract):
        @contextlib.contextmanager
        def connected(self, answer: Answer) -> Iterator[InMemory]:
            yield kind(answer)

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
        def connected(self, answer: Answer) -> Iterator[InMemory]:
            yield WaitingForTheLastByte(answer)

    with pytest.raises(unittest.SkipTest, match=r"^not kept: it has no clock$"):
        Contract().test_a_dripping_head_ends_in_time()
    with pytest.raises(AssertionError):
        Contract().test_a_dripping_body_ends_in_time()
    Contract().test_a_late_answer_is_an_unclear_error()


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

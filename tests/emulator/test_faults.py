"""Every fault in process, as a client with retries meets it: what acts is not repeated, what is safe is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.emulator.caller import NOW, PHONE
from tests.leaks import shows
from workos_mfa import (
    MFA,
    ChallengeAlreadyVerifiedError,
    ConnectError,
    ConnectionLostError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    RetryingTransport,
    ServerError,
    TransportTimeoutError,
    UnexpectedResponseError,
)
from workos_mfa._core.errors import APIError, AuthenticationError, AuthorizationError, ConflictError, TransportError
from workos_mfa._core.transport import Request
from workos_mfa.emulator import Emulator


@pytest.fixture
def emulator() -> Emulator:
    """An emulator whose clock stands still."""
    return Emulator(now=NOW)


@pytest.fixture
def mfa(emulator: Emulator) -> MFA:
    """A client with retries, whose waits move the emulator's clock."""
    return MFA(transport=RetryingTransport(emulator, sleep=emulator.clock.advance))


CALLS: dict[str, Callable[[MFA, str], object]] = {
    # What acts, what is safe, and what may be repeated.
    "challenge_factor": lambda mfa, factor_id: mfa.challenge_factor(factor_id),
    "get_factor": lambda mfa, factor_id: mfa.get_factor(factor_id),
    "delete_factor": lambda mfa, factor_id: mfa.delete_factor(factor_id),
}
LATE = r"late\. .*\. Challenge again: two"


@pytest.mark.parametrize(
    ("name", "fault", "seen", "messages", "seconds"),
    [
        ("challenge_factor", {"fault": "refuse_connection", "count": 2}, [None, None, 201], 1, None),
        ("get_factor", {"fault": "lose_request"}, [None, 200], 0, None),
        ("get_factor", {"fault": "lose_response"}, [200, 200], 0, None),
        ("delete_factor", {"fault": "lose_response", "method": "DELETE"}, [204, 404], 0, None),
        ("get_factor", {"fault": "cut_body"}, [200, 200], 0, None),
        ("challenge_factor", {"fault": "delay", "seconds": 3.5}, [201], 1, 3.5),
        ("get_factor", {"fault": "respond_html"}, [502, 200], 0, None),
        ("challenge_factor", {"fault": "respond", "status": 429, "retry_after": 2}, [429, 201], 1, 2),
        ("challenge_factor", {"fault": "rate_limit", "calls": 0, "seconds": 5, "count": 2}, [429, 429, 201], 1, 10),
    ],
)
def test_a_fault_that_is_got_over(
    emulator: Emulator,
    mfa: MFA,
    name: str,
    fault: dict[str, object],
    seen: list[int | None],
    messages: int,
    seconds: float | None,
) -> None:
    """What is safe to repeat is repeated, what acts only where it was not acted on; and waits move the clock."""
    factor = mfa.enroll_factor(type="sms", phone_number=PHONE)
    emulator.faults.from_json({"operation": name, **fault})
    CALLS[name](mfa, factor.id)
    assert [call.status for call in emulator.calls[1:]] == seen
    struck = [call.fault for call in emulator.calls[1:]]
    assert struck[-1] == (fault["fault"] if len(seen) == 1 else None)
    assert all(struck[:-1])
    assert len(emulator.outbox) == messages
    passed = (emulator.clock.now() - NOW).total_seconds()
    assert seconds is None or seconds <= passed < seconds + 2
    emulator.faults.assert_all_used()


@pytest.mark.parametrize(
    ("fault", "error", "words", "status", "messages"),
    [
        (
            {"fault": "lose_response"},
            ConnectionLostError,
            r"after the call was acted on.*\. Challenge again: two",
            201,
            1,
        ),
        ({"fault": "lose_request"}, ConnectionLostError, "before the call was acted on", None, 0),
        ({"fault": "cut_body"}, ConnectionLostError, "within the body", 201, 1),
        ({"fault": "delay", "seconds": 10}, TransportTimeoutError, LATE, 201, 1),
        ({"fault": "respond_html", "status": 504}, ServerError, "504", 504, 0),
        ({"fault": "respond_broken_json", "status": 201}, UnexpectedResponseError, "JSON", 201, 0),
    ],
)
def test_a_fault_that_leaves_it_unclear(
    emulator: Emulator,
    mfa: MFA,
    fault: dict[str, object],
    error: type[MFAError],
    words: str,
    status: int | None,
    messages: int,
) -> None:
    """What acts is not sent a second time where it may have been acted on, and the error says so."""
    factor = mfa.enroll_factor(type="sms", phone_number=PHONE)
    emulator.faults.from_json({"operation": "challenge_factor", **fault})
    with pytest.raises(error, match=words) as caught:
        mfa.challenge_factor(factor.id)
    assert caught.value.outcome_unknown
    assert len(caught.value.attempts) == 1
    assert [call.status for call in emulator.calls] == [201, status]
    assert emulator.calls[-1].fault == str(fault["fault"]).replace("respond_html", "respond").replace(
        "_broken_json", ""
    )
    assert len(emulator.outbox) == messages
    emulator.faults.assert_all_used()


def test_a_connection_that_stays_refused_is_clear(emulator: Emulator, mfa: MFA) -> None:
    """A call that never had a connection is known not to have been done."""
    emulator.faults.refuse_connection(count=None)
    with pytest.raises(ConnectError) as caught:
        mfa.enroll_factor(type="generic_otp")
    assert not caught.value.outcome_unknown
    assert len(caught.value.attempts) == 3


def test_a_lost_response_of_a_verification_uses_the_code_up(emulator: Emulator, mfa: MFA) -> None:
    """A right code whose response was lost counts, is not sent again, and asks for a new challenge."""
    challenge = mfa.challenge_factor(mfa.enroll_factor(type="generic_otp").id)
    emulator.faults.lose_response(operation="verify_challenge")
    with pytest.raises(ConnectionLostError) as caught:
        mfa.verify_challenge(challenge.id, code=challenge.code or "")
    assert caught.value.outcome_unknown
    assert caught.value.needs_new_challenge
    assert [(call.operation, call.status) for call in emulator.calls][-1] == ("verify_challenge", 201)
    with pytest.raises(ChallengeAlreadyVerifiedError):
        mfa.verify_challenge(challenge.id, code=challenge.code or "")


def test_a_delay_of_a_calls_own_timeout_is_one(emulator: Emulator, mfa: MFA) -> None:
    """A response as late as the call's timeout is a timeout, and no more time passes than that."""
    emulator.faults.delay(3.5)
    with pytest.raises(TransportTimeoutError):
        mfa.with_options(timeout=2.0).enroll_factor(type="generic_otp")
    assert (emulator.clock.now() - NOW).total_seconds() == 2


def test_a_delay_with_a_running_clock_is_waited_for() -> None:
    """Where the clock runs, a delay takes as long as it says."""
    emulator = Emulator()
    emulator.faults.delay(0.005)
    began = time.monotonic()
    MFA(transport=emulator).enroll_factor(type="generic_otp")
    assert time.monotonic() - began >= 0.005


def test_delays_go_together_with_another_fault(emulator: Emulator, mfa: MFA) -> None:
    """Two delays and a response strike one call: the response comes, and the time of both has passed."""
    emulator.faults.delay(1)
    emulator.faults.delay(2)
    emulator.faults.respond(403)
    with pytest.raises(AuthorizationError):
        mfa.enroll_factor(type="generic_otp")
    assert (emulator.clock.now() - NOW).total_seconds() == 3
    assert not list(emulator.faults)


@pytest.mark.parametrize(
    ("status", "expected", "message"),
    [
        (401, AuthenticationError, "Unauthorized"),
        (403, AuthorizationError, "Forbidden"),
        (409, ConflictError, "Conflict"),
        (418, APIError, "I'm a Teapot|I'm a teapot"),
        (429, RateLimitExceededError, "Too many requests."),
        (499, APIError, "Status 499"),
        (503, ServerError, "Service Unavailable"),
    ],
)
def test_a_status_has_the_body_that_the_api_has(
    emulator: Emulator, mfa: MFA, status: int, expected: type[APIError], message: str
) -> None:
    """A status alone brings the body that goes with it, and nothing is done."""
    emulator.faults.respond(status, operation="enroll_factor")
    with pytest.raises(expected, match=message) as caught:
        mfa.enroll_factor(type="generic_otp", user_id="user_1")
    assert type(caught.value) is expected
    assert caught.value.request_id == emulator.calls[0].request_id
    assert not mfa.list_user_auth_factors(user_id="user_1").items


def test_a_body_and_headers_are_sent(emulator: Emulator, mfa: MFA) -> None:
    """A response carries the body and the headers that were asked for."""
    body = {"code": "sms_challenge_quota_reached", "message": "No more."}
    emulator.faults.respond(429, body, headers={"x-request-id": "req_1"}, retry_after=60)
    body.clear()
    with pytest.raises(RateLimitExceededError, match=r"No more.*req_1") as caught:
        mfa.enroll_factor(type="generic_otp")
    assert (caught.value.retry_after, caught.value.code) == (60.0, "sms_challenge_quota_reached")
    assert emulator.calls[0].error_code == "sms_challenge_quota_reached"


def test_a_text_is_the_body_as_it_is(emulator: Emulator, mfa: MFA) -> None:
    """A string is no JSON, and an empty one is a response without a body."""
    emulator.faults.respond(429, "Ratelimited")
    with pytest.raises(RateLimitExceededError):
        mfa.enroll_factor(type="generic_otp")
    emulator.faults.respond(200, "", method="GET")
    with pytest.raises(UnexpectedResponseError):
        mfa.get_factor("auth_factor_1")


def test_a_body_may_be_any_json(emulator: Emulator, mfa: MFA) -> None:
    """A list, or a code that is no string, is sent like any other JSON."""
    for body in ([1, 2], {"code": 7}):
        emulator.faults.respond(422, body)
        with pytest.raises(APIError):
            mfa.enroll_factor(type="generic_otp")
    assert [call.error_code for call in emulator.calls] == [None, None]


def test_only_an_error_has_an_error_code(emulator: Emulator, mfa: MFA) -> None:
    """A success whose body has a ``code`` is none."""
    emulator.faults.respond(200, {"code": "123456"})
    with pytest.raises(UnexpectedResponseError):
        mfa.get_factor("auth_factor_1")
    assert emulator.calls[0].error_code is None


def test_no_content_has_no_body(emulator: Emulator, mfa: MFA) -> None:
    """A deletion can be answered without being done."""
    factor = mfa.enroll_factor(type="generic_otp")
    emulator.faults.respond(204, operation="delete_factor")
    mfa.delete_factor(factor.id)
    assert mfa.get_factor(factor.id).id == factor.id


def test_a_rate_limit_by_the_emulators_clock(emulator: Emulator) -> None:
    """So many calls go through in a while; who waits as long as the response says gets through."""
    mfa = MFA(transport=emulator)
    fault = emulator.faults.rate_limit(2, 10.5, operation="enroll_factor")
    with pytest.raises(NotFoundError):
        mfa.get_factor("auth_factor_1")
    for _ in range(2):
        mfa.enroll_factor(type="generic_otp")
        emulator.clock.advance(1)
    with pytest.raises(RateLimitExceededError, match="429 rate_limit_exceeded: Too many requests") as caught:
        mfa.enroll_factor(type="generic_otp")
    assert caught.value.retry_after == 9
    emulator.clock.advance(caught.value.retry_after)
    mfa.enroll_factor(type="generic_otp")
    assert (fault.used, len(emulator.faults)) == (1, 1)


def test_a_rate_limit_survives_a_clock_that_goes_back(emulator: Emulator) -> None:
    """A clock that is set back begins a new window, rather than one that lasts for ever."""
    mfa = MFA(transport=emulator)
    emulator.faults.rate_limit(1, 10)
    mfa.enroll_factor(type="generic_otp")
    emulator.clock.set(NOW.replace(year=2025))
    mfa.enroll_factor(type="generic_otp")
    with pytest.raises(RateLimitExceededError) as caught:
        mfa.enroll_factor(type="generic_otp")
    assert caught.value.retry_after == 10


def test_faults_strike_routes_that_there_are_not(emulator: Emulator, mfa: MFA) -> None:
    """A fault by path strikes whatever is asked there; one by operation needs a call that is known."""
    emulator.faults.respond(404, operation="get_factor", count=None)
    emulator.faults.respond(503, path="/nowhere")
    assert emulator.send(Request("x", "GET", "/nowhere", "/nowhere")).status == 503
    assert emulator.send(Request("x", "GET", "/nowhere", "/nowhere")).status == 501
    with pytest.raises(NotFoundError):
        mfa.get_factor("auth_factor_1")


@pytest.mark.parametrize("kind", ["refuse_connection", "lose_request", "lose_response", "cut_body", "delay"])
def test_no_frame_shows_a_code(emulator: Emulator, kind: str) -> None:
    """Whatever is raised, no frame below the caller's own, no text and no cause shows the code that was sent."""
    mfa = MFA(transport=emulator)
    challenge = mfa.challenge_factor(mfa.enroll_factor(type="generic_otp").id)
    emulator.faults.from_json({"fault": kind, "seconds": 60} if kind == "delay" else {"fault": kind})
    with pytest.raises(TransportError) as caught:
        mfa.verify_challenge(challenge.id, code=challenge.code or "")
    assert shows(caught.value, challenge.code or "") == []


def test_reset_takes_the_faults_away(emulator: Emulator, mfa: MFA) -> None:
    """After a reset nothing goes wrong that is not meant to."""
    emulator.faults.refuse_connection(count=None)
    emulator.reset()
    assert mfa.enroll_factor(type="generic_otp")
    assert not emulator.faults.unused()

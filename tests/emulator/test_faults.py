"""Every fault in process, as a client with retries meets it: what acts is not repeated, what is safe is."""

from __future__ import annotations

import time
import traceback

import pytest

from tests.emulator.caller import NOW
from workos_mfa import (
    MFA,
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
from workos_mfa.emulator import Emulator


@pytest.fixture
def emulator() -> Emulator:
    """An emulator whose clock stands still."""
    return Emulator(now=NOW)


@pytest.fixture
def mfa(emulator: Emulator) -> MFA:
    """A client with retries, whose waits move the emulator's clock."""
    return MFA(transport=RetryingTransport(emulator, sleep=emulator.clock.advance))


def _faults_of_calls(emulator: Emulator) -> list[str | None]:
    return [call.fault for call in emulator.calls]


def test_a_lost_reply_of_a_text_message_sends_one(emulator: Emulator, mfa: MFA) -> None:
    """A challenge whose reply was lost is made once, is not repeated, and is said to be unclear."""
    factor = mfa.enroll_factor(type="sms", phone_number="+15005550006")
    emulator.faults.lose_response(operation="challenge_factor")
    with pytest.raises(ConnectionLostError, match=r"after the call was acted on.*\. Challenge again: two") as caught:
        mfa.challenge_factor(factor.id)
    assert caught.value.outcome_unknown
    assert len(emulator.outbox) == 1
    assert len(caught.value.attempts) == 1
    emulator.faults.assert_all_used()


def test_a_lost_reply_of_a_verification_uses_the_code_up(emulator: Emulator, mfa: MFA) -> None:
    """A right code whose reply was lost counts, is not sent again, and asks for a new challenge."""
    challenge = mfa.challenge_factor(mfa.enroll_factor(type="generic_otp").id)
    emulator.faults.lose_response(operation="verify_challenge")
    with pytest.raises(ConnectionLostError) as caught:
        mfa.verify_challenge(challenge.id, code=challenge.code or "")
    assert caught.value.outcome_unknown
    assert caught.value.needs_new_challenge
    assert [(call.operation, call.status) for call in emulator.calls][-1] == ("verify_challenge", 201)
    assert emulator._store.challenges[challenge.id].verified


def test_a_lost_reply_of_an_enrolment_leaves_one_factor(emulator: Emulator, mfa: MFA) -> None:
    """An enrolment whose reply was lost makes one factor, not one for each attempt."""
    emulator.faults.lose_response(operation="enroll_factor", count=None)
    with pytest.raises(ConnectionLostError):
        mfa.enroll_factor(type="generic_otp", user_id="user_1")
    assert len(mfa.list_user_auth_factors(user_id="user_1")) == 1


def test_a_lost_reply_of_a_delete_recovers(emulator: Emulator, mfa: MFA) -> None:
    """A delete whose reply was lost is repeated, and the 404 that comes then means that it has worked."""
    factor = mfa.enroll_factor(type="generic_otp")
    fault = emulator.faults.lose_response(method="DELETE")
    mfa.delete_factor(factor.id)
    assert fault.used == 1
    assert [(call.status, call.fault) for call in emulator.calls][1:] == [(204, "lose_response"), (404, None)]
    with pytest.raises(NotFoundError):
        mfa.get_factor(factor.id)


def test_a_lost_request_is_not_acted_on(emulator: Emulator, mfa: MFA) -> None:
    """A request that was lost did nothing, which the client can't know: the same error as for a lost reply."""
    factor = mfa.enroll_factor(type="sms", phone_number="+15005550006")
    emulator.faults.lose_request(operation="challenge_factor")
    with pytest.raises(ConnectionLostError, match="before the call was acted on") as caught:
        mfa.challenge_factor(factor.id)
    assert caught.value.outcome_unknown
    assert not emulator.outbox
    assert (emulator.calls[-1].status, emulator.calls[-1].fault) == (None, "lose_request")


def test_a_refused_connection_is_tried_again(emulator: Emulator, mfa: MFA) -> None:
    """Where no connection was made nothing was sent, so even a text message is tried again: one is sent."""
    factor = mfa.enroll_factor(type="sms", phone_number="+15005550006")
    emulator.faults.refuse_connection(operation="challenge_factor", count=2)
    mfa.challenge_factor(factor.id)
    assert len(emulator.outbox) == 1
    assert _faults_of_calls(emulator)[1:] == ["refuse_connection", "refuse_connection", None]


def test_a_connection_that_stays_refused_is_clear(emulator: Emulator, mfa: MFA) -> None:
    """A call that never had a connection is known not to have been done."""
    emulator.faults.refuse_connection(count=None)
    with pytest.raises(ConnectError) as caught:
        mfa.enroll_factor(type="generic_otp")
    assert not caught.value.outcome_unknown
    assert len(caught.value.attempts) == 3


def test_a_cut_body_was_acted_on(emulator: Emulator, mfa: MFA) -> None:
    """An answer that ends too early is unclear for what acts, and tried again for what is safe."""
    factor = mfa.enroll_factor(type="generic_otp", user_id="user_1")
    emulator.faults.cut_body(operation="get_factor")
    assert mfa.get_factor(factor.id).id == factor.id
    emulator.faults.cut_body(operation="enroll_factor")
    with pytest.raises(ConnectionLostError, match="within the body") as caught:
        mfa.enroll_factor(type="generic_otp", user_id="user_1")
    assert caught.value.outcome_unknown
    assert len(mfa.list_user_auth_factors(user_id="user_1")) == 2


def test_a_delay_below_the_timeout_only_takes_time(emulator: Emulator, mfa: MFA) -> None:
    """An answer that is late, but not too late, is an answer; the clock shows how long it took."""
    emulator.faults.delay(3.5)
    assert mfa.enroll_factor(type="generic_otp").id
    assert (emulator.clock.now() - NOW).total_seconds() == 3.5
    assert emulator.calls[0].fault == "delay"


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 10.0), (2.0, 2.0)])
def test_a_delay_of_the_timeout_is_one(emulator: Emulator, mfa: MFA, timeout: float | None, seconds: float) -> None:
    """An answer later than the call's timeout is a timeout, after the call was acted on and the time has passed."""
    factor = mfa.enroll_factor(type="sms", phone_number="+15005550006")
    emulator.faults.delay(seconds, operation="challenge_factor")
    with pytest.raises(TransportTimeoutError, match=r"late\. .*\. Challenge again: two") as caught:
        mfa.with_options(timeout=timeout).challenge_factor(factor.id)
    assert caught.value.outcome_unknown
    assert len(emulator.outbox) == 1
    assert (emulator.clock.now() - NOW).total_seconds() == seconds


def test_a_delay_with_a_running_clock_is_waited_for() -> None:
    """Where the clock runs, a delay takes as long as it says."""
    emulator = Emulator()
    emulator.faults.delay(0.005)
    began = time.monotonic()
    MFA(transport=emulator).enroll_factor(type="generic_otp")
    assert time.monotonic() - began >= 0.005


def test_delays_go_together_with_another_fault(emulator: Emulator, mfa: MFA) -> None:
    """Two delays and an answer strike one call: the answer comes, and the time of both has passed."""
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
def test_a_status_is_answered_with_what_the_api_says(
    emulator: Emulator, mfa: MFA, status: int, expected: type[APIError], message: str
) -> None:
    """A status alone brings the body that goes with it, and nothing is done."""
    emulator.faults.respond(status, operation="enroll_factor")
    with pytest.raises(expected, match=message) as caught:
        mfa.enroll_factor(type="generic_otp", user_id="user_1")
    assert type(caught.value) is expected
    assert caught.value.request_id == emulator.calls[0].request_id
    assert not mfa.list_user_auth_factors(user_id="user_1").items


def test_a_body_and_headers_are_answered(emulator: Emulator, mfa: MFA) -> None:
    """An answer carries the body and the headers that were asked for."""
    body = {"code": "sms_challenge_quota_reached", "message": "No more."}
    emulator.faults.respond(429, body, headers={"x-request-id": "req_1"}, retry_after=60)
    body.clear()
    with pytest.raises(RateLimitExceededError, match=r"No more.*req_1") as caught:
        mfa.enroll_factor(type="generic_otp")
    assert (caught.value.retry_after, caught.value.code) == (60.0, "sms_challenge_quota_reached")
    assert emulator.calls[0].error_code == "sms_challenge_quota_reached"


def test_a_text_is_answered_as_it_is(emulator: Emulator, mfa: MFA) -> None:
    """A string is no JSON, and an empty one is an answer without a body."""
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


def test_no_content_has_no_body(emulator: Emulator, mfa: MFA) -> None:
    """A deletion can be answered without being done."""
    factor = mfa.enroll_factor(type="generic_otp")
    emulator.faults.respond(204, operation="delete_factor")
    mfa.delete_factor(factor.id)
    assert mfa.get_factor(factor.id).id == factor.id


def test_a_retry_after_is_waited_for(emulator: Emulator, mfa: MFA) -> None:
    """A 429 that says when to come back is repeated then, even for what acts, since nothing was done."""
    emulator.faults.respond(429, retry_after=2)
    mfa.enroll_factor(type="generic_otp")
    assert (emulator.clock.now() - NOW).total_seconds() >= 2
    assert [call.status for call in emulator.calls] == [429, 201]


def test_html_of_a_proxy(emulator: Emulator, mfa: MFA) -> None:
    """A page of HTML is a server's error: repeated for what is safe, unclear for what acts."""
    factor = mfa.enroll_factor(type="generic_otp")
    emulator.faults.respond_html(operation="get_factor")
    assert mfa.get_factor(factor.id).id == factor.id
    emulator.faults.respond_html(504, operation="challenge_factor")
    with pytest.raises(ServerError) as caught:
        mfa.challenge_factor(factor.id)
    assert caught.value.outcome_unknown
    assert (caught.value.status_code, len(caught.value.attempts)) == (504, 1)


def test_broken_json(emulator: Emulator, mfa: MFA) -> None:
    """An answer of the right status that is no JSON is unclear for what acts."""
    emulator.faults.respond_broken_json(201)
    with pytest.raises(UnexpectedResponseError) as caught:
        mfa.enroll_factor(type="generic_otp")
    assert caught.value.outcome_unknown


def test_a_rate_limit_by_the_emulators_clock(emulator: Emulator) -> None:
    """So many calls go through in a while; who waits as long as the answer says gets through."""
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


def test_a_rate_limit_of_none_closes_the_door(emulator: Emulator, mfa: MFA) -> None:
    """With no call allowed, each is refused, and ``count`` says when that ends."""
    emulator.faults.rate_limit(0, 5, count=2)
    mfa.enroll_factor(type="generic_otp")
    assert [call.status for call in emulator.calls] == [429, 429, 201]
    assert (emulator.clock.now() - NOW).total_seconds() >= 10


def test_faults_strike_routes_that_there_are_not(emulator: Emulator, mfa: MFA) -> None:
    """A fault by path strikes whatever is asked there; one by operation needs a call that is known."""
    emulator.faults.respond(404, operation="get_factor", count=None)
    emulator.faults.respond(503, path="/nowhere")
    from workos_mfa._core.transport import Request

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
    shown = [repr(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)]
    frames = list(traceback.walk_tb(caught.value.__traceback__))[1:]
    shown += [repr(value) for frame, _ in frames for value in frame.f_locals.values()]
    assert frames
    assert not [text for text in shown if (challenge.code or "") in text]


def test_reset_takes_the_faults_away(emulator: Emulator, mfa: MFA) -> None:
    """After a reset nothing goes wrong that is not meant to."""
    emulator.faults.refuse_connection(count=None)
    emulator.reset()
    assert mfa.enroll_factor(type="generic_otp")
    assert not emulator.faults.unused()


def test_every_error_is_one_of_ours(emulator: Emulator) -> None:
    """Of all the faults there is none that an app would meet as anything but an MFAError."""
    mfa = MFA(transport=emulator)
    make = emulator.faults
    for fault in (make.refuse_connection, make.lose_request, make.lose_response, make.cut_body, make.respond_html):
        fault()
        with pytest.raises(MFAError):
            mfa.enroll_factor(type="generic_otp")

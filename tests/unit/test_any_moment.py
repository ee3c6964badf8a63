"""A time limit that comes at any moment of a call, as a worker's does, finds no frame that shows a secret.

A signal handler's exception may be raised between any two instructions. So the call is made once for each of them, and
stopped there. What has to be let through are the instructions that take the arguments over, for which they have to be
somewhere; from the moment at which the request is made, nothing may show.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import attrs
import pytest

from tests.leaks import shows
from tests.operations import CHALLENGE, CHALLENGE_ID, ENROLLED_TOTP_FACTOR, FACTOR_ID, USER_ENROLLMENT, USER_ID
from workos_mfa import MFA, APIError, Request, Response, RetryPolicy
from workos_mfa._transports.retry import RetryingTransport
from workos_mfa.testing import StubTransport, json_response

SENTINEL = "SENTINEL"

CHALLENGED = {**CHALLENGE, "code": SENTINEL}
ENROLLED = {
    **ENROLLED_TOTP_FACTOR,
    "totp": {"issuer": None, "user": None, "secret": SENTINEL, "qr_code": SENTINEL, "uri": SENTINEL},
}


@attrs.frozen
class Call:
    """One call.

    :param make: makes it.
    :param sent: the secret it sends, which each answer repeats in the request's id.
    :param answer: the answer that holds the secrets it is answered with.
    """

    make: Callable[[MFA], object]
    sent: str
    answer: object

    @property
    def headers(self) -> dict[str, str]:
        """Headers of each answer."""
        return {"X-Request-Id": self.sent or "req_1"}


CALLS = {
    "verify": Call(
        lambda mfa: mfa.verify_challenge(CHALLENGE_ID, code=SENTINEL, expected_factor_id=FACTOR_ID),
        SENTINEL,
        {"challenge": CHALLENGED, "valid": True},
    ),
    "create": Call(
        lambda mfa: mfa.create_user_auth_factor(USER_ID, secret=SENTINEL),
        SENTINEL,
        {**USER_ENROLLMENT, "authentication_factor": ENROLLED, "authentication_challenge": CHALLENGED},
    ),
    "enroll": Call(
        lambda mfa: mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com"), "", ENROLLED
    ),
    "challenge": Call(lambda mfa: mfa.challenge_factor(FACTOR_ID), "", CHALLENGED),
}


class TimeLimit(BaseException):
    """Such as a worker's soft time limit."""


class Stopwatch:
    """Stops a call at one of its moments, counted from where its request is handed to the transport."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self._is_sent = False

    # Under the watch there is no measuring of coverage, which works as the watch does.
    def __call__(self, frame: FrameType, event: str, _: object) -> Stopwatch | None:  # pragma: no cover
        """What Python calls before each instruction."""
        if not frame.f_globals["__name__"].startswith("workos_mfa"):
            return None
        frame.f_trace_opcodes = True
        self._is_sent = self._is_sent or frame.f_code is RetryingTransport.send.__code__
        if self._is_sent and event == "opcode":
            self.left -= 1
            if self.left == 0:
                raise TimeLimit
        return self


def stopped_at_each_moment(call: Call, answers: list[Response]) -> Iterator[BaseException]:
    """What surfaces from the call, for one moment after the other."""
    moment = 0
    while True:
        moment += 1
        watch = Stopwatch(moment)
        stub = StubTransport(functools.partial(_next, iter(answers)))
        error = error_of(call, MFA(transport=stub, retry=RetryPolicy(backoff=0), deadline=10), watch)
        if watch.left > 0:
            assert moment > 500, "this can't have been a whole call"
            return
        assert isinstance(error, TimeLimit)
        yield error


def _next(answers: Iterator[Response], _: Request) -> Response:  # pragma: no cover - under the watch
    return next(answers)


def error_of(call: Call, mfa: MFA, watch: Stopwatch) -> BaseException | None:
    """What surfaces from the call under a watch, if anything does."""
    before = sys.gettrace()
    # Python 3.12 looks for a frame that wants this while the watch is set, and not again.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(watch)
    try:
        call.make(mfa)
    except (TimeLimit, APIError) as error:
        return error
    finally:
        sys.settrace(before)
    return None


@pytest.mark.parametrize("name", CALLS)
def test_a_time_limit_at_any_moment_shows_nothing(name: str) -> None:
    """Of two attempts, the second with less time and the answer that was hoped for."""
    call = CALLS[name]
    said = {"message": f"{call.sent} came too soon", "code": call.sent, "retry_after": 0}
    not_yet = json_response(429, said, call.headers)
    stop_everywhere(call, [not_yet, json_response(201, call.answer, call.headers)])


def test_a_time_limit_while_an_error_is_read_shows_nothing() -> None:
    """Not even where the time limit comes while another exception is being cut off from its frames."""
    call = CALLS["verify"]
    said = {"message": call.sent, "code": call.sent, "retry_after": call.sent}
    stop_everywhere(call, [json_response(429, said, call.headers)])


def stop_everywhere(call: Call, answers: list[Response]) -> None:
    """Make the call once for each of its moments."""
    for error in stopped_at_each_moment(call, answers):
        assert not shows(error, SENTINEL)

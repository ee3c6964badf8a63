"""A time limit that comes at any moment of a call, as a worker's does, finds no frame that shows a secret.

A signal handler's exception may be raised between any two instructions. So the call is made once for each of them, and
stopped there. It begins with the first line of the method: before, the arguments are taken over, for which they have to
be somewhere.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import attrs
import pytest

from tests.leaks import shows
from tests.operations import CHALLENGE, CHALLENGE_ID, ENROLLED_TOTP_FACTOR, FACTOR_ID, USER_ENROLLMENT, USER_ID
from workos_mfa import MFA, APIError, Request, Response, RetryPolicy
from workos_mfa._core.redaction import hide_locals
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
    :param sent: the secret it sends, which each response repeats in the request's id.
    :param body: of the response that it hopes for, with the secrets in it.
    :param is_refused: whether a first attempt is refused. One call is enough for that: the attempts of all are alike,
        and the time that it takes grows with the square of the moments.
    """

    make: Callable[[MFA], object]
    sent: str
    body: object
    is_refused: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Headers of each response."""
        return {"X-Request-Id": self.sent or "req_1"}


CALLS = {
    "verify": Call(
        lambda mfa: mfa.verify_challenge(CHALLENGE_ID, code=SENTINEL, expected_factor_id=FACTOR_ID),
        SENTINEL,
        {"challenge": CHALLENGED, "valid": True},
        is_refused=True,
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
    """Stops a call at one of its moments."""

    def __init__(self, moment: int) -> None:
        self.has_struck = False
        self._left = moment
        self._has_begun = False

    # Under the watch there is no measuring of coverage, which works as the watch does.
    def __call__(self, frame: FrameType, event: str, _: object) -> Stopwatch | None:  # pragma: no cover
        """What Python calls before each instruction."""
        if event == "opcode":
            self._left -= self._has_begun
            if self._left <= 0 and not _is_between(frame):
                self.has_struck = True
                raise TimeLimit
            return self
        module = frame.f_globals["__name__"]
        if not module.startswith("workos_mfa"):
            return None
        frame.f_trace_opcodes = True
        self._has_begun = self._has_begun or (event == "line" and module != hide_locals.__module__)
        return self


def _is_between(frame: FrameType) -> bool:  # pragma: no cover - under the watch
    """Whether Python is about to note which exception is handled, or that it no longer is.

    No signal handler runs there, and what is raised there all the same would leave a wrong note to the next test.
    """
    code, at = frame.f_code.co_code, frame.f_lasti
    name = dis.opname[code[at]]
    return name in {"PUSH_EXC_INFO", "POP_EXCEPT", "RERAISE"} or (
        name == "COPY" and dis.opname[code[at + 2]] == "POP_EXCEPT"
    )


def _next(responses: Iterator[Response], _: Request) -> Response:  # pragma: no cover - under the watch
    return next(responses)


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
    """Up to the response that was hoped for; where the first attempt is refused, the second has less time."""
    call = CALLS[name]
    said = {"message": f"{call.sent} came too soon", "code": call.sent, "retry_after": 0}
    refusals = [json_response(429, said, call.headers)] * call.is_refused
    stop_everywhere(call, [*refusals, json_response(201, call.body, call.headers)])


def test_a_time_limit_while_an_error_is_read_shows_nothing() -> None:
    """Not even where the time limit comes while the frames of another exception are emptied."""
    call = CALLS["verify"]
    said = {"message": call.sent, "code": call.sent, "retry_after": call.sent}
    stop_everywhere(call, [json_response(429, said, call.headers)])


def stop_everywhere(call: Call, responses: list[Response]) -> None:
    """Make the call once for each of its moments, and at last to its end."""
    sent: list[int] = []
    watch = None
    while watch is None or watch.has_struck:
        watch = Stopwatch(len(sent) + 1)
        stub = StubTransport(functools.partial(_next, iter(responses)))
        error = error_of(call, MFA(transport=stub, retry=RetryPolicy(backoff=0), deadline=10), watch)
        sent.append(len(stub.requests))
        assert isinstance(error, TimeLimit) is watch.has_struck
        assert sys.exc_info()[1] is None, "Python's own record of what is handled is damaged"
        assert error is None or not shows(error, SENTINEL)
    assert {*sent} == {*range(len(responses) + 1)}, "it was not stopped before and after each attempt"

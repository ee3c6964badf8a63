"""Threads that race lose nothing and gain nothing: attempts are counted, a code is accepted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.emulator.caller import Caller
from tests.race import THREADS, race


def test_wrong_codes_are_counted_exactly(caller_with: Callable[..., Caller]) -> None:
    """Of 32 wrong codes exactly the allowed number is answered false."""
    caller = caller_with(max_wrong_codes=7)
    challenge = caller.challenge(caller.generic()).json
    statuses = Counter(race(lambda _: caller.wrong(challenge).status))
    assert statuses == {201: 7, 400: THREADS - 7}


def test_a_right_code_is_accepted_once(caller: Caller) -> None:
    """Of 32 threads with the right code one is told so."""
    challenge = caller.challenge(caller.generic()).json
    answers = race(lambda _: caller.verify(challenge, challenge["code"]))
    assert Counter(answer.status for answer in answers) == {201: 1, 422: THREADS - 1}


@pytest.mark.parametrize("reply", ["invalid", "refused"])
def test_a_totp_code_is_accepted_once_in_any_challenge(caller_with: Callable[..., Caller], reply: str) -> None:
    """32 challenges of one factor share one code: it opens one of them."""
    caller = caller_with(reused_totp_code=reply)
    factor = caller.totp()
    challenges = [caller.challenge(factor).json for _ in range(THREADS)]
    code = caller.emulator.totp_code(factor["id"])
    answers = race(lambda number: caller.verify(challenges[number], code))
    assert Counter(answer.json.get("valid") for answer in answers)[True] == 1


def test_limits_hold(caller_with: Callable[..., Caller]) -> None:
    """Limits of messages and of factors are not passed by threads that start at once."""
    caller = caller_with(sms_rate_limit=3, max_factors_per_user=5)
    factor = caller.sms()
    assert Counter(race(lambda _: caller.challenge(factor).status)) == {201: 3, 429: THREADS - 3}
    assert len(caller.emulator.outbox) == 3
    statuses = Counter(race(lambda _: caller.enroll(type="generic_otp", user_id="user_1").status))
    assert statuses == {201: 5, 422: THREADS - 5}


def test_a_factor_is_deleted_once(caller: Caller) -> None:
    """One of 32 deletions finds the factor."""
    factor = caller.totp(user_id="user_1")
    assert Counter(race(lambda _: caller.delete(factor["id"]).status)) == {204: 1, 404: THREADS - 1}


def test_everything_at_once(caller: Caller) -> None:
    """Calls, readings, clock moves and resets in parallel raise nothing and lose no call."""

    def work(number: int) -> int:
        made = caller.enroll(type="sms", phone_number="+15005550006", user_id="user_1").json
        challenge = caller.challenge(made)
        caller.emulator.clock.advance(1)
        if number == THREADS // 2:
            caller.emulator.reset()
        return len(list(caller.emulator.outbox)) + len(repr(caller.emulator)) + challenge.status

    assert all(race(work))
    ids = [call.request_id for call in caller.emulator.calls]
    assert len(ids) == len(set(ids))

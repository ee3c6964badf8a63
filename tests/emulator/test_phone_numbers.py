"""Phone numbers with a behaviour of their own do what the table of them says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.emulator.caller import Caller
from workos_mfa.emulator import (
    FIXED_CODE,
    FIXED_CODE_NUMBER,
    INVALID_NUMBER,
    ORDINARY_NUMBER,
    QUOTA_REACHED_NUMBER,
    RATE_LIMITED_NUMBER,
    Emulator,
)


@pytest.mark.parametrize("number", [FIXED_CODE_NUMBER, "+19175550199", "2015550142", "12015550142"])
def test_a_fixed_code(caller: Caller, number: str) -> None:
    """The code of a number of fiction is always the same, in the text message too, and is checked like any other."""
    factor = caller.sms(number)
    for _ in range(2):
        challenge = caller.challenge(factor).json
        assert caller.emulator.outbox.latest(challenge_id=challenge["id"]).text == "Your one-time code is 424242."
        assert caller.verify(challenge, "424243").json["valid"] is False
        assert caller.verify(challenge, FIXED_CODE).json["valid"] is True
        assert caller.verify(challenge, FIXED_CODE).status == 422


SPECIAL = {INVALID_NUMBER, RATE_LIMITED_NUMBER, QUOTA_REACHED_NUMBER}


@settings(deadline=None)
@given(st.from_regex(r"\+1[2-9][0-9]{2}5550[0-9]{3}", fullmatch=True).filter(lambda number: number not in SPECIAL))
@example(ORDINARY_NUMBER)
def test_only_the_numbers_of_fiction_have_one(number: str) -> None:
    """Of all area codes, 555 0100 to 555 0199 have the fixed code, and no other number."""
    caller = Caller(Emulator(random_seed=7))
    caller.challenge(caller.sms(number))
    is_fixed = caller.emulator.outbox[0].code == FIXED_CODE
    assert is_fixed is (100 <= int(number[-3:]) <= 199)


@pytest.mark.parametrize("number", [INVALID_NUMBER, "5005550001", "15005550001"])
def test_an_invalid_number(caller: Caller, number: str) -> None:
    """The number that is always invalid can't be enrolled, however it is written."""
    response = caller.enroll(type="sms", phone_number=number)
    assert response.seen == (422, {"message": f"Phone number is invalid: '{number}'", "code": "invalid_phone_number"})


@pytest.mark.parametrize(
    ("number", "code"),
    [(RATE_LIMITED_NUMBER, "sms_challenge_rate_limited"), (QUOTA_REACHED_NUMBER, "sms_challenge_quota_reached")],
)
def test_numbers_that_are_throttled(caller_with: Callable[..., Caller], number: str, code: str) -> None:
    """A challenge of these numbers is refused as the API refuses one too many, and no message is sent."""
    caller = caller_with(retry_after=30)
    response = caller.challenge(caller.sms(number))
    assert response.seen == (429, {"code": code, "message": "Request could not be processed."})
    assert response.headers["retry-after"] == "30"
    assert not caller.emulator.outbox

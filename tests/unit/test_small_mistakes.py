"""Small mistakes that no other test would notice: each of these was a mutant that survived."""

from __future__ import annotations

import json

import pytest

from workos_mfa import (
    APIError,
    AuthorizationError,
    ConfigurationError,
    ConnectError,
    Options,
    Request,
    Response,
    RetryingTransport,
    RetryPolicy,
)
from workos_mfa._client import parsing
from workos_mfa._core.errors import is_known_code, leaves_outcome_unknown
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import totp
from workos_mfa.testing import StubTransport, json_response

from .seven_calls import SMS_FACTOR


class Patience:
    """Waiting that a test looks at: it may take longer than it was asked to."""

    def __init__(self, oversleeps: float = 0.0) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        self._oversleeps = oversleeps

    def clock(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.waits.append(seconds)
        self.now += seconds + self._oversleeps


def attempts_of(patience: Patience, answer: Response, policy: RetryPolicy) -> int:
    """How many attempts a get with ten seconds makes, if every random wait is as long as it may be."""
    stub = StubTransport(lambda _: answer)
    transport = RetryingTransport(
        stub, policy, clock=patience.clock, sleep=patience.sleep, uniform=lambda _, longest: longest
    )
    transport.send(Request("get_factor", "GET", "/", "/", replay="safe", options=Options(deadline=10.0)))
    return len(stub.requests)


def test_a_wait_that_takes_all_that_is_left_is_not_begun() -> None:
    """There would be no time for an attempt after it."""
    patience = Patience()
    assert attempts_of(patience, Response(503), RetryPolicy(backoff=10.0, max_backoff=10.0)) == 1
    assert patience.waits == []


def test_a_random_wait_that_takes_all_that_is_left_gives_way_to_the_one_asked_for() -> None:
    """The server's wait is a floor, and where the random one above it doesn't fit it is enough."""
    patience = Patience()
    answer = Response(503, {"Retry-After": "4"})
    assert attempts_of(patience, answer, RetryPolicy(max_attempts=2, backoff=10.0, max_backoff=10.0)) == 2
    assert patience.waits == [4.0]


def test_a_wait_that_took_all_that_was_left_is_the_end() -> None:
    """An attempt with no time is not made."""
    patience = Patience(oversleeps=9.0)
    assert attempts_of(patience, Response(503), RetryPolicy(backoff=1.0)) == 1
    assert patience.waits == [1.0]


def test_what_is_refused_says_what_to_do() -> None:
    """The whole texts: an error of somebody who makes a client is read by a person."""
    stub = StubTransport(lambda _: Response(204))
    with pytest.raises(ConfigurationError, match=r"^this transport repeats already, and repetitions would multiply: "):
        RetryingTransport(RetryingTransport(stub))
    with pytest.raises(TypeError, match=r"^the policy must be a RetryPolicy, such as RetryPolicy\(max_attempts=5\)$"):
        RetryingTransport(stub, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^on_attempt must be a function that takes an Attempt$"):
        RetryingTransport(stub, on_attempt=3)  # type: ignore[arg-type]


def test_details_are_cut() -> None:
    """A list of problems takes no more than a thousand characters of the text."""
    error = APIError("no", status_code=422, errors=({"message": "y" * 2000},))
    assert str(error) == f"422: no. {'y' * 999}…"


def test_what_an_error_says() -> None:
    """Its advice, its attempt's outcome, and the codes that are no echo."""
    assert str(AuthorizationError("no", status_code=403)) == "403: no. Check what the API key is allowed to do."
    assert ConnectError("no").attempt_outcome_unknown is False
    assert ConnectError("no", outcome_unknown=True).attempt_outcome_unknown is True
    assert is_known_code("entity_not_found")
    assert not is_known_code("421337")
    assert [leaves_outcome_unknown(status) for status in (199, 200, 299, 300, 399, 400, 408, 499, 500)] == [
        True, False, False, True, True, False, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"object": 7}', "$.object is not a text"),
        (
            b'{"object": "x", "id": "x", "type": "x", "created_at": 7}',
            "$.created_at is not a date and time with its offset",
        ),
        (json.dumps({**SMS_FACTOR, "user_id": 7}).encode(), "$.user_id is not a text or null"),
        (json.dumps({**SMS_FACTOR, "sms": 7}).encode(), "$.sms is not an object"),
    ],
)
def test_what_a_malformed_factor_says(body: bytes, said: str) -> None:
    """The place, and what the API promises to stand there."""
    with pytest.raises(parsing.ParseError) as caught:
        parsing.factor(body)
    assert str(caught.value) == said


def test_what_a_malformed_page_says() -> None:
    """The same of a list."""
    with pytest.raises(parsing.ParseError, match=r"^\$\.data is not a list$"):
        parsing.factor_page(b'{"list_metadata": {}, "data": {}}')


def test_a_factor_that_is_got_has_its_phone_number() -> None:
    """And not only one that is enrolled."""
    factor = parsing.factor(json_response(200, {**SMS_FACTOR, "created_at": "2022-03-28T15:21:00.123456789Z"}).body)
    assert factor.sms is not None
    assert factor.sms.phone_number == "+55555555555"
    assert factor.created_at.microsecond == 123456


def test_the_fields_that_a_parser_holds_are_not_shown() -> None:
    """They stand in its frames, where a crash reporter looks."""
    assert "SENTINEL" not in repr(parsing._JSONObject({"secret": "SENTINEL"}, "$"))


class AllOnes(Randomness):
    """Randomness that throws ones only."""

    def bits(self, count: int) -> int:
        """So many of them."""
        return (1 << count) - 1


def test_all_of_a_new_secret_is_random() -> None:
    """From its first bit to its 160th."""
    assert totp.new_secret(AllOnes()) == "7" * 32


@pytest.mark.parametrize("length", range(40))
def test_what_is_a_secret(length: int) -> None:
    """Base32 of 80 bits or more, of a length that bytes can have; padding does not matter, and case does."""
    text = "A2" * 20
    is_one = length >= 16 and length % 8 in {0, 2, 4, 5, 7}
    expected = text[:length] if is_one else None
    assert totp.bare_secret(text[:length]) == expected
    assert totp.bare_secret(text[:length] + "=" * (-length % 8)) == expected
    assert totp.bare_secret(text[:length].lower()) is None
    assert totp.bare_secret(f"{text[:length]}1") is None
    assert totp.bare_secret(f"1{text[:length]}") is None
    assert totp.bare_secret(f"{text[:length]}=======") is None


def test_padding_alone_is_stripped() -> None:
    """A secret may end in any letter of Base32, an X too."""
    for letter in "XA7":
        secret = "A" * 15 + letter
        assert totp.bare_secret(secret) == secret
        assert totp.secret_of(totp.key_of(secret)) == secret

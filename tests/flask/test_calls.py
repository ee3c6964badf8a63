"""The calls to WorkOS: what each of their outcomes means for the person at the keyboard."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from workos_mfa import MFA, Emulator
from workos_mfa.flask._second_factor import workos_calls
from workos_mfa.flask._second_factor.document import KnownFactor
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.testing import StubTransport

NUMBER = "+15005550006"
OK = ("", 0)
UNREACHABLE = ("unreachable", 60)

Break = Callable[[Emulator], object]

# What is the same for all calls: nothing was done, or it is known that it was not.
OUT_OF_REACH: dict[str, Break] = {
    "no connection": lambda emulator: emulator.faults.refuse_connection(count=None),
    "a key that is not accepted": lambda emulator: emulator.faults.respond(401, count=None),
    "a key that may not": lambda emulator: emulator.faults.respond(403, count=None),
    "a request that is refused": lambda emulator: emulator.faults.respond(400, count=None),
    "a conflict": lambda emulator: emulator.faults.respond(409, count=None),
    "a page of a proxy": lambda emulator: emulator.faults.respond_html(413, count=None),
}
# Nobody knows whether it was done.
UNKNOWN: dict[str, Break] = {
    "the request is lost": lambda emulator: emulator.faults.lose_request(count=None),
    "the response is lost": lambda emulator: emulator.faults.lose_response(count=None),
    "the response is cut": lambda emulator: emulator.faults.cut_body(count=None),
    "the response is late": lambda emulator: emulator.faults.delay(1000, count=None),
    "the response is no JSON": lambda emulator: emulator.faults.respond_broken_json(count=None),
    "a response of something else": lambda emulator: emulator.faults.respond(200, {"object": "user"}, count=None),
    "a redirect": lambda emulator: emulator.faults.respond(307, headers={"Location": "/"}, count=None),
    "the server fails": lambda emulator: emulator.faults.respond(500, count=None),
    "a gateway fails": lambda emulator: emulator.faults.respond_html(502, count=None),
    "it is down for maintenance": lambda emulator: emulator.faults.respond(503, retry_after=0, count=None),
}
LIMITED: dict[str, tuple[Break, tuple[str, int]]] = {
    "too many calls": (lambda emulator: emulator.faults.respond(429, count=None), ("rate_limited", 60)),
    "for half a minute": (
        lambda emulator: emulator.faults.respond(429, retry_after=30.2, count=None),
        ("rate_limited", 31),
    ),
    "for no time": (lambda emulator: emulator.faults.respond(429, retry_after=0, count=None), ("rate_limited", 1)),
}


@pytest.fixture
def emulator() -> Emulator:
    """An API whose clock stands still."""
    return Emulator(now=datetime(2026, 1, 1, tzinfo=timezone.utc), max_wrong_codes=3)


@pytest.fixture
def mfa(emulator: Emulator) -> MFA:
    """A client that tries once, so that no test waits for a second attempt."""
    return MFA(transport=emulator).with_options(max_attempts=1)


def totp(mfa: MFA) -> KnownFactor:
    """An authenticator app."""
    return KnownFactor(id=mfa.enroll_factor(type="totp", issuer="Foo Corp", user="ada").id, type="totp")


def sms(mfa: MFA) -> KnownFactor:
    """A phone."""
    return KnownFactor(id=mfa.enroll_factor(type="sms", phone_number=NUMBER).id, type="sms")


def refusal(call: Callable[[], object]) -> tuple[str, int]:
    """Reason and wait of a call that is refused; an empty reason if it is not."""
    try:
        call()
    except Refused as refused:
        return refused.reason, refused.wait
    return OK


def api_error(status: int, code: str) -> Break:
    """The API responds with this error."""
    return lambda emulator: emulator.faults.respond(status, {"code": code, "message": "no"}, count=None)


# Challenges

CHALLENGES: dict[str, tuple[Break, tuple[str, int], tuple[str, int]]] = {
    # what is broken, and what comes of it for an authenticator app and for a phone
    "nothing": (lambda _: None, OK, OK),
    **{name: (broken, UNREACHABLE, UNREACHABLE) for name, broken in OUT_OF_REACH.items()},
    **{name: (broken, UNREACHABLE, ("message_unclear", 0)) for name, broken in UNKNOWN.items()},
    **{name: (broken, expected, expected) for name, (broken, expected) in LIMITED.items()},
    "an unknown factor": (api_error(404, "entity_not_found"), ("factor_unknown", 0), ("factor_unknown", 0)),
    "messages to this number": (
        api_error(429, "sms_challenge_rate_limited"),
        ("rate_limited", 60),
        ("rate_limited", 60),
    ),
    "all messages": (
        api_error(429, "sms_challenge_quota_reached"),
        ("messages_used_up", 0),
        ("messages_used_up", 0),
    ),
}


@pytest.mark.parametrize(("broken", "of_an_app", "of_a_phone"), CHALLENGES.values(), ids=CHALLENGES)
def test_a_challenge(
    emulator: Emulator, mfa: MFA, broken: Break, of_an_app: tuple[str, int], of_a_phone: tuple[str, int]
) -> None:
    """An unclear one matters where a message may have been sent; a factor that WorkOS does not know still counts."""
    factors = totp(mfa), sms(mfa)
    broken(emulator)
    outcomes = [refusal(lambda each=each: workos_calls.challenge(mfa, each, "{{code}}")) for each in factors]  # type: ignore[misc]
    assert outcomes == [of_an_app, of_a_phone]


def test_a_message_has_the_text_of_the_app(emulator: Emulator, mfa: MFA) -> None:
    """Only a phone gets one, and its code is right for the challenge."""
    workos_calls.challenge(mfa, totp(mfa), "Foo: {{code}}")
    assert len(emulator.outbox) == 0
    phone = sms(mfa)
    challenge_id = workos_calls.challenge(mfa, phone, "Foo: {{code}}")
    message = emulator.outbox[-1]
    assert message.text == f"Foo: {message.code}"
    workos_calls.verify(mfa, phone, challenge_id, message.code)


def test_an_authenticator_app_gets_no_message(emulator: Emulator) -> None:
    """The request has no text for one, which WorkOS might refuse."""
    transport = StubTransport(emulator.send)
    mfa = MFA(transport=transport)
    workos_calls.challenge(mfa, totp(mfa), "Foo: {{code}}")
    workos_calls.challenge(mfa, sms(mfa), "Foo: {{code}}")
    bodies = [request.json for request in transport.requests if request.operation == "challenge_factor"]
    assert bodies == [{}, {"sms_template": "Foo: {{code}}"}]


LOGGED: dict[str, tuple[Break, str]] = {
    "a factor is lost": (lambda emulator: emulator.reset(), "WorkOS does not know the factor auth_factor_"),
    "all messages": (api_error(429, "sms_challenge_quota_reached"), "WorkOS sends no more text messages: 429"),
}


@pytest.mark.parametrize(("broken", "logged"), LOGGED.values(), ids=LOGGED)
def test_what_the_person_cant_help_is_logged(
    emulator: Emulator, mfa: MFA, broken: Break, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else has to see to it."""
    factor = sms(mfa)
    broken(emulator)
    refusal(lambda: workos_calls.challenge(mfa, factor, "{{code}}"))
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [message.startswith(logged) for message in messages] == [True]


# Verification


class Attempt:
    """A challenge that waits for its code."""

    def __init__(self, emulator: Emulator, mfa: MFA, kind: str) -> None:
        self.emulator = emulator
        self.mfa = mfa
        self.factor = totp(mfa) if kind == "totp" else sms(mfa)
        self.challenge_id = workos_calls.challenge(mfa, self.factor, "{{code}}")
        self.right_code = emulator.totp_code(self.factor.id) if kind == "totp" else emulator.outbox[-1].code
        self.wrong_code = emulator.wrong_code(self.factor.id)

    def verify(self, code: str) -> tuple[str, int]:
        """What comes of a code."""
        return refusal(lambda: workos_calls.verify(self.mfa, self.factor, self.challenge_id, code))


def lock(attempt: Attempt) -> None:
    """Give wrong codes until there were too many."""
    for _ in range(3):
        attempt.verify(attempt.wrong_code)


def at(broken: Break) -> Callable[[Attempt], object]:
    """Break the API for an attempt."""
    return lambda attempt: broken(attempt.emulator)


VERIFICATIONS: dict[str, tuple[Callable[[Attempt], object], tuple[str, int], bool]] = {
    # what happens before the right code, what comes of it, and whether there has to be another challenge
    "nothing": (lambda _: None, OK, False),
    "the time is over": (lambda attempt: attempt.emulator.clock.advance(3600), ("challenge_expired", 0), True),
    "the code was used": (lambda attempt: attempt.verify(attempt.right_code), ("challenge_used", 0), True),
    "too many wrong ones": (lock, ("challenge_locked", 0), True),
    "no such challenge": (lambda attempt: attempt.emulator.reset(), ("challenge_unknown", 0), True),
    **{name: (at(broken), UNREACHABLE, False) for name, broken in OUT_OF_REACH.items()},
    **{name: (at(broken), ("outcome_unknown", 0), True) for name, broken in UNKNOWN.items()},
    **{name: (at(broken), expected, False) for name, (broken, expected) in LIMITED.items()},
}


@pytest.mark.parametrize("kind", ["totp", "sms"])
@pytest.mark.parametrize(("before", "expected", "is_over"), VERIFICATIONS.values(), ids=VERIFICATIONS)
def test_a_right_code(
    emulator: Emulator,
    mfa: MFA,
    kind: str,
    before: Callable[[Attempt], object],
    expected: tuple[str, int],
    is_over: bool,  # noqa: FBT001 - from a table
) -> None:
    """It is right only if the API says so, and whatever else it says is told."""
    attempt = Attempt(emulator, mfa, kind)
    before(attempt)
    reason, wait = attempt.verify(attempt.right_code)
    assert (reason, wait) == expected
    assert workos_calls.needs_new_challenge(Refused(reason, wait)) is is_over


@pytest.mark.parametrize("kind", ["totp", "sms"])
def test_a_wrong_code(emulator: Emulator, mfa: MFA, kind: str) -> None:
    """The person is told what to look at, and may try again with the same challenge."""
    attempt = Attempt(emulator, mfa, kind)
    assert attempt.verify(attempt.wrong_code) == (f"{kind}_code_wrong", 0)
    assert not workos_calls.needs_new_challenge(Refused(f"{kind}_code_wrong"))
    assert attempt.verify(attempt.right_code) == OK


def test_a_challenge_of_another_factor(emulator: Emulator, mfa: MFA, caplog: pytest.LogCaptureFixture) -> None:
    """A code that is right for somebody else's factor opens nothing, and it is logged: it can't be by chance."""
    victims, attackers = Attempt(emulator, mfa, "totp"), Attempt(emulator, mfa, "totp")
    victims.challenge_id = attackers.challenge_id
    assert victims.verify(attackers.right_code) == ("challenge_mismatch", 0)
    assert workos_calls.needs_new_challenge(Refused("challenge_mismatch"))
    assert f"a challenge of another factor than {victims.factor.id} came up" in caplog.text


# Enrolments

ENROLMENTS: dict[str, tuple[Break, tuple[str, int]]] = {
    "nothing": (lambda _: None, OK),
    **{name: (broken, UNREACHABLE) for name, broken in {**OUT_OF_REACH, **UNKNOWN}.items()},
    **LIMITED,
}


@pytest.mark.parametrize(("broken", "expected"), ENROLMENTS.values(), ids=ENROLMENTS)
def test_an_enrolment(emulator: Emulator, mfa: MFA, broken: Break, expected: tuple[str, int]) -> None:
    """Where it is not clear whether there is a factor, there is none that counts, and the person tries again."""
    broken(emulator)
    assert refusal(lambda: workos_calls.enroll_totp(mfa, "Foo Corp", "ada")) == expected
    assert refusal(lambda: workos_calls.enroll_sms(mfa, NUMBER)) == expected


def test_what_is_enrolled(mfa: MFA) -> None:
    """An authenticator app shows who it is for; a phone has the number."""
    app = workos_calls.enroll_totp(mfa, "Foo Corp", "ada@example.com")
    assert (app.totp.issuer, app.totp.user) == ("Foo Corp", "ada@example.com")
    assert workos_calls.enroll_sms(mfa, NUMBER).sms.phone_number == NUMBER


@pytest.mark.parametrize("number", ["", "+1", "a number", "+1500555000\n6", "+15005550001"])
def test_a_number_that_is_refused(mfa: MFA, emulator: Emulator, number: str) -> None:
    """By us or by the API, it is the person who can do something about it."""
    if number == "+15005550001":
        emulator.faults.respond(422, {"code": "invalid_phone_number", "message": "no"})
    assert refusal(lambda: workos_calls.enroll_sms(mfa, number)) == ("number_refused", 0)


# Deletions

DELETIONS: dict[str, tuple[Break, bool]] = {
    "nothing": (lambda _: None, True),
    "it is gone already": (lambda emulator: emulator.reset(), True),
    **{name: (broken, False) for name, broken in {**OUT_OF_REACH, **UNKNOWN}.items()},
    **{name: (broken, False) for name, (broken, _) in LIMITED.items()},
    # what a success says does not matter
    **{name: (UNKNOWN[name], True) for name in ("the response is no JSON", "a response of something else")},
}


@pytest.mark.parametrize(("broken", "is_gone"), DELETIONS.values(), ids=DELETIONS)
def test_a_deletion(
    emulator: Emulator,
    mfa: MFA,
    broken: Break,
    is_gone: bool,  # noqa: FBT001 - from a table
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is kept waiting for it: what is still to be deleted is logged, and tried again another time."""
    factor = totp(mfa)
    broken(emulator)
    assert workos_calls.delete(mfa, factor.id) is is_gone
    assert (f"the factor {factor.id} is still to be deleted" in caplog.text) is not is_gone


# Logs


def test_what_is_out_of_reach_is_logged(emulator: Emulator, mfa: MFA, caplog: pytest.LogCaptureFixture) -> None:
    """With the error that says what to do, and without the code and the number."""
    attempt = Attempt(emulator, mfa, "sms")
    emulator.faults.respond(401, count=None)
    assert attempt.verify("424242") == UNREACHABLE
    assert refusal(lambda: workos_calls.enroll_sms(mfa, NUMBER)) == UNREACHABLE
    assert [record.levelno for record in caplog.records if record.name == "workos_mfa.flask"] == [logging.ERROR] * 2
    assert "WorkOS is out of reach: AuthenticationError: 401" in caplog.text
    assert "424242" not in caplog.text
    assert NUMBER not in caplog.text

"""Each question, when one response is odd: it is void or says what no setting describes, and never guesses."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TypeAlias

import attrs
import pytest

from tests.calibration.strange import edited, reply
from tests.calibration.world import EVERYTHING, PHONE, USER, world
from workos_mfa import Emulator, Request, Response
from workos_mfa._calibration import account
from workos_mfa._calibration.account import MOST_LOCKS, Account, OddError
from workos_mfa._calibration.factor_journal import Journal
from workos_mfa._calibration.question import Found, Question, Value, ask
from workos_mfa._calibration.slow_questions import ask_together
from workos_mfa._calibration.wire import StoppedError, VoidError, Wire

Bend: TypeAlias = Callable[["Bent", Request, Response], Response]
Bends: TypeAlias = Mapping[tuple[str, int], Bend]

FOUND: Mapping[str, Value] = {
    "max_wrong_codes": 5,
    "malformed_code": "invalid",
    "totp_window_back": 1,
    "totp_window_ahead": 1,
    "reused_totp_code": "invalid",
    "max_factors_per_user": None,
}
ENROLL, CHALLENGE, VERIFY, GET, CREATE, LIST = (
    *("enroll_factor", "challenge_factor", "verify_challenge", "get_factor", "create_user_auth_factor"),
    "list_user_auth_factors",
)


@attrs.define
class Bent:
    """An emulator of which some calls get another response, by their number among those of an operation."""

    emulator: Emulator
    bends: Bends
    counts: Counter[str] = attrs.field(factory=Counter[str])

    def send(self, request: Request, /) -> Response:
        """Make a call."""
        response = self.emulator.send(request)
        self.counts[request.operation] += 1
        bend = self.bends.get((request.operation, self.counts[request.operation]))
        return bend(self, request, response) if bend else response

    def close(self) -> None:
        """Nothing."""


def account_with(bends: Bends, kind: type[Bent] = Bent) -> Account:
    """An account some of whose responses are bent."""
    made = world({})
    clock = made.emulator.clock
    wire = Wire(kind(made.emulator, bends), clock=lambda: clock.now().timestamp(), sleep=clock.advance)
    return Account(wire, Journal(None), user_id=USER, phone=PHONE)


def question(name: str, message: str = "") -> Question:
    """A question by its name, with a person who reads this message."""
    [found] = [each for each in EVERYTHING.questions(lambda _: message) if each.name == name]
    return found


def always(response: Response) -> Bend:
    """This response."""
    return lambda _bent, _request, _response: response


def gone(entity_id: str = "") -> Bend:
    """A 404 that names an id: that in the path, or another one."""
    words = {"code": "entity_not_found", "message": "no"}
    return lambda _bent, request, _: reply(404, **words, entity_id=entity_id or request.path.rpartition("/")[2])


def changed(**values: object) -> Bend:
    """The response, with other values."""
    return lambda _bent, _request, response: edited(response, lambda body: body.update(values))


def without_code(_bent: Bent, _request: Request, response: Response) -> Response:
    """A challenge without its code."""
    return edited(response, lambda body: body.pop("code"))


def a_step_later(bent: Bent, _request: Request, response: Response) -> Response:
    """A response that comes late."""
    bent.emulator.clock.advance(31)
    return response


def half_a_uri(_bent: Bent, _request: Request, response: Response) -> Response:
    """An enrolment whose URI names the digits and no period."""
    return edited(response, lambda body: body["totp"].update(uri=body["totp"]["uri"] + "&digits=6"))


def without_issuer(_bent: Bent, _request: Request, response: Response) -> Response:
    """A user's factor without an issuer."""
    return edited(response, lambda body: body["authentication_factor"]["totp"].update(issuer=""))


ODD = always(reply(409, code="odd", message="no"))
QUOTA = always(reply(429, code="sms_challenge_quota_reached", message="no"))
LATE = always(Response(429, {"retry-after": "1.5"}, reply(429, code="sms_challenge_rate_limited").body))
MOVING = always(reply(422, code="odd", errors=[{"\x1b[2J": 1, "plain": 1}]))
WRONG = changed(valid=False)
EMPTY = changed(data=[])
NUMBER = reply(201, id="auth_factor_x", sms={"phone_number": "+12025550123"})


def several(operation: str, first: int, last: int, bend: Bend) -> Bends:
    """The same for a row of calls."""
    return {(operation, number): bend for number in range(first, last + 1)}


@pytest.mark.parametrize(
    ("name", "bends", "said"),
    [
        ("wrong codes, generic_otp", {(CHALLENGE, 1): ODD}, "a challenge gets 409 odd"),
        ("wrong codes, generic_otp", {(VERIFY, 2): ODD}, "wrong code number 2 is 409 odd"),
        ("wrong codes, generic_otp", several(GET, 1, 6, gone()), "does not appear"),
        ("wrong codes, generic_otp", {(GET, 1): ODD}, "a response to a get"),
        ("wrong codes counted", {(VERIFY, 7): ODD}, "a wrong code for another one is 409 odd"),
        ("right code", {(VERIFY, 1): ODD}, "locked after 5 wrong codes, and another one was not"),
        ("right code", {(VERIFY, 7): ODD}, "its right code is 409 odd"),
        ("malformed code counted", {(VERIFY, 1): ODD}, "is invalid, and then 409 odd"),
        ("malformed code counted", {(VERIFY, 6): ODD}, "after malformed codes, a wrong one is 409 odd"),
        ("window back", {(VERIFY, 1): ODD}, "the code of the present step is 409 odd"),
        ("window back", {(VERIFY, 1): WRONG}, "the code of the present step is invalid"),
        ("window ahead", {(VERIFY, 2): ODD}, "the code of 1 steps after it is 409 odd"),
        ("used code", {(VERIFY, 1): WRONG}, "the code of the present step is invalid"),
        ("used code", {(VERIFY, 1): a_step_later}, "the step of the TOTP code ended"),
        ("older code", {(VERIFY, 1): WRONG}, "the code of 1 steps after it is invalid"),
        ("older code", {(VERIFY, 2): ODD}, "an older step than one that was accepted is 409 odd"),
        ("uri", {(ENROLL, 1): half_a_uri}, "only digits=6"),
        ("newer challenge", {(CHALLENGE, 1): without_code}, "has no code"),
        ("newer challenge", {(VERIFY, 1): ODD}, "the older challenge is 409 odd"),
        ("newer challenge", {(VERIFY, 2): WRONG}, "the right code of the newer challenge is invalid"),
        ("newer challenge", {(VERIFY, 1): gone("auth_challenge_other")}, "names none of our ids"),
        ("deleted factor", {("delete_factor", 1): ODD}, "can't be deleted"),
        ("template", {(CHALLENGE, 1): ODD}, "a template for a TOTP factor gets 409 odd"),
        ("number as code", {(VERIFY, 1): ODD}, "the right code as a number is 409 odd"),
        ("number as code", {(VERIFY, 1): always(reply(201, valid="yes"))}, "without valid"),
        ("unknown property", {(ENROLL, 2): ODD}, "an unknown property is 409 odd or ignored"),
        ("validation errors", {(ENROLL, 1): ODD}, "409 odd with no list"),
        ("validation errors", {(ENROLL, 1): MOVING}, "is 422 odd with plain or by_field"),
        ("validation errors of users", {(CREATE, 1): gone(USER)}, "an unknown user is refused first"),
        ("phone numbers", {(ENROLL, 1): ODD}, "a phone number gets 409 odd"),
        ("phone numbers", {(ENROLL, 1): changed(sms={"phone_number": "2025550123"})}, "not shown in the form"),
        ("phone numbers", {(ENROLL, 1): always(reply(422, code="invalid_phone_number"))}, "of the USA is refused"),
        ("phone numbers", {(ENROLL, 5): always(NUMBER)}, "some punctuation"),
        ("routes of 2022", {("route_of_2022", 1): always(Response(404, {}, b"<html>"))}, "can't be used: 404"),
        ("idempotency key", {(ENROLL, 1): always(reply(201, object="x"))}, "without an id"),
        ("unverified factors", {(LIST, 1): changed(data=None)}, "a list gets 200"),
        ("unverified factors", several(LIST, 2, 13, EMPTY), "not even after a right code"),
        ("enrolled factors", {(VERIFY, 1): WRONG}, "the first code of a factor is invalid"),
        ("team name", {(CREATE, 1): without_issuer}, "has no issuer"),
        ("most factors", {(CREATE, 1): ODD}, "an enrolment gets 409 odd"),
        ("list order", several(LIST, 2, 7, EMPTY), "is not in its user's list"),
        ("list order", {(LIST, 9): EMPTY}, "the cursor does not lead to the rest"),
        ("template without a code", {(ENROLL, 1): ODD}, "enrolling the number gets 409 odd"),
        ("template without a code", {(CHALLENGE, 1): ODD}, "a template without a code gets 409 odd"),
        ("text of a message", {}, "the text has no code"),
        ("text of a message", {(CHALLENGE, 1): QUOTA}, "a message gets 429 sms_challenge_quota_reached"),
        ("rate limit of messages", {(CHALLENGE, 3): QUOTA}, "after 2 messages, another gets 429 sms_challenge_quota"),
        ("rate limit of messages", {(CHALLENGE, 2): LATE}, "Retry-After is no whole number"),
    ],
)
def test_an_odd_response(name: str, bends: Bends, said: str) -> None:
    """The sample ends with what is odd, in a sentence."""
    sample = question(name, "no code").sample
    assert sample is not None
    with pytest.raises((OddError, VoidError), match=said):
        sample(account_with(bends), FOUND)


class WithSlashes(Bent):
    """An API whose ids have a slash."""

    def send(self, request: Request, /) -> Response:
        """Make a call; where a path is not encoded, the emulator knows no such route."""
        path = request.path.replace("auth_factor%2F", "auth_factor_")
        response = super().send(attrs.evolve(request, path=path))
        return attrs.evolve(response, body=response.body.replace(b"auth_factor_", b"auth_factor/"))


@pytest.mark.parametrize("name", ["unknown property", "template without a code"])
def test_an_id_stays_one_segment(name: str) -> None:
    """An id is encoded in a path that a question makes itself, whatever a server puts into it."""
    asked = account_with({}, WithSlashes)
    sample = question(name).sample
    assert sample is not None
    assert not sample(asked, FOUND).odd


def test_two_steps_with_one_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A factor on which two steps look alike is of no use for the window."""
    monkeypatch.setattr(account, "code_for", lambda _key, _step: "123456")
    sample = question("window back").sample
    assert sample is not None
    with pytest.raises(VoidError, match="two steps have the same code"):
        sample(account_with({}), FOUND)


def test_wrong_codes_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong code is neither that of a challenge nor that of a step near, and each is another one."""
    asked = account_with({})
    challenge = asked.challenge(asked.enroll("generic_otp"))
    monkeypatch.setattr(account, "code_for", lambda _key, _step: "007919")
    monkeypatch.setattr(secrets, "randbelow", lambda _: int(asked.code_of(challenge)))
    subject = asked.enroll("totp")
    codes = [*islice(asked.wrong_codes(subject, challenge), 1000)]
    assert asked.code_of(challenge) not in codes
    assert len({*codes}) == 1000
    monkeypatch.setattr(secrets, "randbelow", lambda _: 0)
    assert [*islice(asked.wrong_codes(subject, challenge), 2)] == ["000000", "015838"]


def test_the_code_of_a_text_is_tried() -> None:
    """A text whose six digits are not the code is not taken for the message."""
    sample = question("text of a message", "Your number is 123456").sample
    assert sample is not None
    with pytest.raises(OddError, match="the code of the text is invalid"):
        sample(account_with({(VERIFY, 1): WRONG}), FOUND)


def test_what_may_be_hidden_is_not_counted() -> None:
    """A factor that a user may have, though nobody knows of it, would make the greatest number a wrong one."""
    asked = account_with({})
    asked.journal.begin("99", "x-user-99")
    sample = question("most factors").sample
    assert sample is not None
    with pytest.raises(VoidError, match="a factor that nobody knows of"):
        sample(asked, FOUND)
    assert asked.journal.unknown == ["x-user-99"]
    listed: Found = {**FOUND, "unverified_factors_listed": True, "enrolled_factors_listed": True}
    assert sample(asked, listed).is_bound
    assert asked.journal.unknown == []


def test_a_run_has_a_limited_number_of_locks() -> None:
    """Once it is reached, a question that locks is open."""
    asked = account_with({})
    asked.tally.locks = MOST_LOCKS
    verdict = ask(question("right code"), asked, FOUND)
    assert verdict.open_because == "as many challenges as a run may lock are locked already"


def test_a_canary_that_meets_something_odd() -> None:
    """If a fresh factor does not work as it should after a lock, that is the end."""
    with pytest.raises(StoppedError, match="no longer works: a challenge gets 409 odd"):
        ask(question("right code"), account_with({(CHALLENGE, 2): ODD}), FOUND)


def test_a_slow_question_looks_in_time() -> None:
    """A moment that has passed is not taken for the right one, and what is odd afterwards is said."""
    for seconds, bends, said in ((14, {}, "the moment to look"), (10, {(VERIFY, 7): ODD}, "a wrong code is 409 odd")):
        asked = account_with(bends)
        sample = question("end of a lock").slow_sample
        assert sample is not None
        waiting = sample(asked, FOUND)
        asked.wire.wait(next(waiting) - asked.wire.now() - 10 + seconds)
        with pytest.raises((OddError, VoidError), match=said):
            next(waiting)


def test_odd_answers_of_slow_questions() -> None:
    """Two equal odd answers of a slow question leave it open, with what was odd."""
    bends = several(VERIFY, 1, 9, ODD)
    [verdict] = ask_together([question("end of a TOTP challenge")], account_with(bends), FOUND)
    assert verdict.open_because == "no setting describes it: after ten minutes, the right code is 409 odd"

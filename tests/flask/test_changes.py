"""The rules: what may become of an account's document, and what may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from workos_mfa.flask._second_factor import changes
from workos_mfa.flask._second_factor.document import (
    Document,
    Enrolment,
    KnownFactor,
    Permit,
    Session,
    SupportCode,
    UsedCode,
)
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Step

NOW = 1_000_000.0
MINUTES = 60
HOURS = 3600
TOKEN = "browser.token"
OTHER = "another.token"

APP = KnownFactor(id="auth_factor_app", type="totp")
PHONE = KnownFactor(id="auth_factor_phone", type="sms", digits="06")
NEW = KnownFactor(id="auth_factor_new", type="totp")
WAITING = Enrolment(factor=NEW, step="the new one's")


def session(token: str = TOKEN, **fields: Any) -> Session:
    """A browser that has signed in an hour ago."""
    given = {"since": NOW - HOURS, "password": NOW - HOURS, "proved": NOW - HOURS, **fields}
    return Session(id=token.partition(".")[0], token=changes.token_hash(token), **given)


def begun_now() -> Session:
    """A browser that signs in now, and has no token yet."""
    return Session(token="", since=NOW, password=NOW)


def document(*factors: KnownFactor, **fields: Any) -> Document:
    """A document of these factors, with a browser that is signed in, and another one."""
    given = {"generation": "now", "sessions": (session(), session(OTHER)), "recovery_codes": ("a", "b"), **fields}
    return Document(factors=factors, **given)


def step(purpose: Any = "confirm", factor: KnownFactor | None = APP, **fields: Any) -> Step:
    """A step that has begun a minute ago, for which a factor has to give a code."""
    given = {"generation": "now", "at": NOW - MINUTES, "next": "/", **fields}
    return Step(purpose=purpose, account_id="ada", factor_id=None if factor is None else factor.id, **given)


def enrolling(purpose: Any = "add", **fields: Any) -> Step:
    """A step for which the new factor has to give its first code."""
    return step(purpose, NEW, enrolling=True, **{"id": WAITING.step, **fields})


def permit(change: str, seconds: float = 60.0, target: str | None = None) -> tuple[Session, Session]:
    """The sessions of a document whose browser may make a change for a while."""
    return session(permit=Permit(change=change, until=NOW + seconds, target=target)), session(OTHER)


def accept(
    given: Document, of: Step, token: str | None = TOKEN, *, mac: str = "mac", mandatory: bool = False
) -> tuple[Document, str]:
    """Accept a right code now."""
    return changes.accept_code(given, of, token, mac, NOW, mandatory=mandatory)


def reason(call: Callable[[], object]) -> str:
    """Why a call is refused; empty if it is not."""
    try:
        call()
    except Refused as refused:
        return refused.reason
    return ""


def is_live(given: Document, token: str | None, now: float = NOW) -> bool:
    """Whether a browser with this token is signed in."""
    return changes.session_of(given, token, now) is not None


def own(given: Document, token: str) -> Session:
    """The session of this token."""
    return changes.live_session(given, token, NOW)


# Sessions


@pytest.mark.parametrize(
    ("token", "age", "live"),
    [
        (TOKEN, 0, True),
        (TOKEN, 12 * HOURS - 1, True),
        (TOKEN, 12 * HOURS, False),
        (TOKEN, -1, True),  # by the clock of another server
        (OTHER, 0, False),
        ("", 0, False),
        (None, 0, False),
    ],
)
def test_a_session_is_live(token: str | None, age: float, live: bool) -> None:  # noqa: FBT001 - from a table
    """By its token, for twelve hours."""
    given = document(APP, sessions=(session(since=NOW - age),))
    assert is_live(given, token) is live
    assert reason(lambda: changes.live_session(given, token, NOW)) == ("" if live else "signed_out")


def test_a_token_is_not_kept() -> None:
    """The document has its hash, so who reads the database has no session."""
    after, token = changes.start_session(Document(), begun_now(), NOW)
    assert token not in repr(after)
    assert not is_live(after, after.sessions[0].token)
    assert is_live(after, token)


def test_no_two_tokens_are_the_same() -> None:
    """Nobody guesses one."""
    begun = [changes.start_session(Document(), begun_now(), NOW) for _ in range(100)]
    renewed = [changes.renew_session(given, given.sessions[0], NOW)[1] for given, _ in begun]
    secrets = {token.partition(".")[2] for token in [*renewed, *(token for _, token in begun)]}
    assert len(secrets) == 200
    assert set(map(len, secrets)) == {43}  # of 32 bytes
    assert len({given.sessions[0].id for given, _ in begun}) == 100


def test_twenty_sessions_at_most() -> None:
    """The oldest goes where there are more; and those that have ended go in any case."""
    given = Document()
    tokens: list[str] = []
    for number in range(22):
        new = Session(token="", since=NOW + number, password=NOW)
        given, token = changes.start_session(given, new, NOW + number)
        tokens.append(token)
    assert [is_live(given, token) for token in tokens] == [False] * 2 + [True] * 20
    later = NOW + 12 * HOURS + 10
    given, _ = changes.start_session(given, Session(token="", since=later, password=later), later)
    assert [each.since - NOW for each in given.sessions] == [*range(11, 22), later - NOW]


def test_twenty_sessions_stay() -> None:
    """The twentieth ends no other one."""
    given = Document()
    for _ in range(20):
        given, _ = changes.start_session(given, begun_now(), NOW)
    assert len(given.sessions) == 20


@pytest.mark.parametrize(
    ("token", "left"),
    [
        (TOKEN, [OTHER]),
        ("browser.token of before", [OTHER]),  # which was renewed since
        ("browser", [OTHER]),
        ("unknown.token", [TOKEN, OTHER]),
        ("", [TOKEN, OTHER]),
    ],
)
def test_one_session_ends(token: str, left: list[str]) -> None:
    """Signing out ends this session, with whatever copy of a token that it has or had, and leaves the others."""
    after = changes.end_session(document(APP), token)
    assert [each for each in (TOKEN, OTHER) if is_live(after, each)] == left


def test_a_session_gets_another_token() -> None:
    """The one before is worth nothing from then on, and the others stay."""
    given = document(APP)
    after, token = changes.renew_session(given, own(given, TOKEN), NOW)
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, True, True]
    assert attrs.evolve(own(after, token), token="") == attrs.evolve(own(given, TOKEN), token="")
    assert not is_live(changes.end_session(after, TOKEN), token)


def test_a_new_generation() -> None:
    """It ends all sessions and the enrolment that waits; factors and recovery codes stay."""
    given = document(APP, enrolment=WAITING)
    after = changes.new_generation(given)
    assert after.generation != given.generation
    assert after.sessions == ()
    assert after.enrolment is None
    assert after.to_delete == (NEW.id,)
    assert (after.factors, after.recovery_codes) == (given.factors, given.recovery_codes)


# Steps

STEPS = {
    "a factor": (document(APP), step(), ""),
    "its last second": (document(APP), step(at=NOW - 600 + 1), ""),
    "its time is over": (document(APP), step(at=NOW - 600), "step_over"),
    "by a clock that is ahead": (document(APP), step(at=NOW + 5), ""),
    "of a generation before": (document(APP), step(generation="before"), "changed_meanwhile"),
    "the factor is gone": (document(PHONE), step(), "changed_meanwhile"),
    "it only waits for its first code": (document(PHONE, enrolment=WAITING), step("confirm", NEW), "changed_meanwhile"),
    "no factor yet": (document(), step("sign_in", None), ""),
    "no factor yet, and there is one": (document(APP), step("sign_in", None), "changed_meanwhile"),
    "a new factor": (document(APP, enrolment=WAITING), enrolling(), ""),
    "a new factor of a generation before": (
        document(enrolment=WAITING),
        enrolling(generation="0"),
        "changed_meanwhile",
    ),
    "a new factor, too late": (document(enrolment=WAITING), enrolling(at=NOW - 600), "step_over"),
    "no new factor": (document(APP), enrolling(), "enrolment_replaced"),
    "another browser's new factor": (document(APP, enrolment=WAITING), enrolling(id="mine"), "enrolment_replaced"),
    "another new factor": (
        document(APP, enrolment=attrs.evolve(WAITING, factor=PHONE)),
        enrolling(),
        "enrolment_replaced",
    ),
}


@pytest.mark.parametrize(("given", "of", "refused"), STEPS.values(), ids=STEPS)
def test_a_step_goes_on(given: Document, of: Step, refused: str) -> None:
    """Within its ten minutes, as long as nothing has changed that it is about."""
    assert reason(lambda: changes.check_step(given, of, NOW)) == refused


@pytest.mark.parametrize(
    ("given", "of", "factor"),
    [
        (document(APP, PHONE), step("confirm", PHONE), PHONE),
        (document(PHONE), step("confirm", APP), None),
        (document(), step("sign_in", None), None),
        (document(APP, enrolment=WAITING), enrolling(), NEW),
        (document(APP, enrolment=WAITING), enrolling(id="mine"), None),
        (document(APP), enrolling(), None),
    ],
)
def test_the_factor_of_a_step(given: Document, of: Step, factor: KnownFactor | None) -> None:
    """The code has to come from the step's factor: one that counts, or the new one of this very step."""
    assert changes.factor_of(given, of) == factor


# Codes that were used


@pytest.mark.parametrize(
    ("mac", "age", "refused"),
    [
        ("mac", 0, "code_used"),
        ("mac", 119, "code_used"),
        ("mac", -119, "code_used"),  # by the clock of another server
        ("mac", 120, ""),
        ("another", 0, ""),
    ],
)
def test_an_accepted_code_is_refused_for_two_minutes(mac: str, age: float, refused: str) -> None:
    """Nobody knows whether WorkOS would."""
    given = Document(used_codes=(UsedCode(hmac="mac", at=NOW - age),))
    assert reason(lambda: changes.check_unused(given, mac, NOW)) == refused
    assert reason(lambda: changes.use_code(given, mac, NOW)) == refused


def test_used_codes_are_kept_for_two_minutes() -> None:
    """No longer, so the document does not grow."""
    given = Document(used_codes=tuple(UsedCode(hmac=str(age), at=NOW - age) for age in (500, 120, 119, 1)))
    after = changes.use_code(given, "mac", NOW)
    assert [used.hmac for used in after.used_codes] == ["119", "1", "mac"]
    assert after.used_codes[-1].at == NOW


# Enrolments

HALF = step("sign_in", None)
LATELY = (session(password=NOW - 600 + 1, proved=None),)
ENROLMENTS: dict[str, tuple[Document, Step | None, str | None, str]] = {
    "the first, lately signed in": (document(sessions=LATELY), None, TOKEN, ""),
    "the first, a password of long ago": (
        document(sessions=(session(password=NOW - 600),)),
        None,
        TOKEN,
        "password_needed",
    ),
    "the first, by a clock that is ahead": (document(sessions=(session(password=NOW + 5),)), None, TOKEN, ""),
    "one more, lately signed in": (document(APP, sessions=LATELY), None, TOKEN, "code_needed"),
    "one more, a code for something else": (
        document(APP, sessions=permit("recovery_codes")),
        None,
        TOKEN,
        "code_needed",
    ),
    "one more, a code for this": (document(APP, sessions=permit("add")), None, TOKEN, ""),
    "one more, a code of long ago": (document(APP, sessions=permit("add", 0)), None, TOKEN, "code_needed"),
    "one more, somebody else's code": (document(APP, sessions=permit("add")), None, OTHER, "code_needed"),
    "after a recovery code, which is lost": (document(APP, sessions=permit("replace")), None, TOKEN, "code_needed"),
    "in place of the lost one": (document(APP, sessions=permit("replace", 60, APP.id)), None, TOKEN, ""),
    "in place of it, too late": (document(APP, sessions=permit("replace", 0, APP.id)), None, TOKEN, "code_needed"),
    "signed out": (document(), None, None, "signed_out"),
    "an ended session": (document(sessions=(session(since=NOW - 12 * HOURS),)), None, TOKEN, "signed_out"),
    "half signed in": (document(), HALF, None, ""),
    "half signed in, again": (document(enrolment=WAITING), enrolling("sign_in"), None, ""),
    "half signed in, too late": (document(), attrs.evolve(HALF, at=NOW - 600), None, "step_over"),
    "half signed in, changed": (document(), attrs.evolve(HALF, generation="before"), None, "changed_meanwhile"),
    "half signed in, with a factor": (document(APP), step("sign_in"), None, "code_needed"),
    "half signed in, as if without": (document(APP), HALF, None, "changed_meanwhile"),
    "half signed in, with a token too": (document(APP, sessions=permit("add")), step("sign_in"), TOKEN, "code_needed"),
    "on the way to another page": (document(APP), step("confirm"), TOKEN, "code_needed"),
}


@pytest.mark.parametrize(("given", "of", "token", "refused"), ENROLMENTS.values(), ids=ENROLMENTS)
def test_who_may_enroll(given: Document, of: Step | None, token: str | None, refused: str) -> None:
    """The first factor needs a password of the last ten minutes, each other one a code for this very change."""
    assert reason(lambda: changes.check_may_enroll(given, of, token, NOW)) == refused


def test_the_permit_that_is_used() -> None:
    """It says which factor the new one replaces; there is none for the first factor."""
    given = document(APP, sessions=permit("replace", 60, APP.id))
    assert changes.check_may_enroll(given, None, TOKEN, NOW) == given.sessions[0].permit
    assert changes.check_may_enroll(document(sessions=LATELY), None, TOKEN, NOW) is None


BEGUN: dict[str, tuple[Document, Step, str | None, str]] = {
    "the first": (document(sessions=LATELY), enrolling(), TOKEN, ""),
    "one more": (document(APP, sessions=permit("add")), enrolling(), TOKEN, ""),
    "one more, without a code": (document(APP), enrolling(), TOKEN, "code_needed"),
    "half signed in": (document(), enrolling("sign_in"), None, ""),
    "half signed in, too late": (document(), enrolling("sign_in", at=NOW - 600), None, "step_over"),
    "half signed in, and there is a factor now": (document(APP), enrolling("sign_in"), None, "changed_meanwhile"),
    "changed meanwhile": (document(sessions=LATELY), enrolling(generation="before"), TOKEN, "changed_meanwhile"),
    "signed out meanwhile": (document(sessions=()), enrolling(), TOKEN, "signed_out"),
}


@pytest.mark.parametrize(("given", "of", "token", "refused"), BEGUN.values(), ids=BEGUN)
def test_an_enrolment_begins(given: Document, of: Step, token: str | None, refused: str) -> None:
    """It is decided again when WorkOS has enrolled: what has changed meanwhile counts."""
    assert reason(lambda: changes.begin_enrolment(given, NEW, of, token, NOW)) == refused


def test_a_new_factor_does_not_count_yet() -> None:
    """It waits for its first code, in place of the one that has waited before, which is to be deleted."""
    before = Enrolment(factor=PHONE, step="another")
    given = document(sessions=LATELY, enrolment=before, to_delete=("auth_factor_old",))
    after = changes.begin_enrolment(given, NEW, enrolling(), TOKEN, NOW)
    assert after == attrs.evolve(given, enrolment=WAITING, to_delete=("auth_factor_old", PHONE.id))
    assert changes.abandon_enrolment(document(APP)) == document(APP)


# A right code


def test_a_code_signs_in() -> None:
    """There is one session more, which knows when the password and the code were given, and may change nothing."""
    given = document(APP)
    after, token = accept(given, step("sign_in"), None)
    expected = session(token, since=NOW, password=NOW - MINUTES, proved=NOW)
    assert after == attrs.evolve(
        given, sessions=(*given.sessions, expected), used_codes=(UsedCode(hmac="mac", at=NOW),)
    )


def test_a_code_confirms() -> None:
    """The session has proved a code now, under another token; what it may change stays as it was."""
    given = document(APP, sessions=permit("recovery_codes"))
    after, token = accept(given, step("confirm"))
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, True, True]
    before = own(given, TOKEN)
    assert own(after, token) == attrs.evolve(before, token=changes.token_hash(token), proved=NOW)
    assert (after.generation, after.factors) == (given.generation, given.factors)


@pytest.mark.parametrize("purpose", ["add", "recovery_codes"])
def test_a_code_allows_one_change(purpose: str) -> None:
    """The one that it was asked for, for ten minutes, under another token, and in no other session."""
    given = document(APP, sessions=permit("replace", 60, APP.id))
    after, token = accept(given, step(purpose))
    assert own(after, token).permit == Permit(change=purpose, until=NOW + 600)
    assert own(after, token).proved == NOW
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, True, True]
    assert own(after, OTHER) == own(given, OTHER)


@pytest.mark.parametrize("purpose", ["sign_in", "confirm", "add", "remove", "recovery_codes"])
def test_a_code_is_accepted_once(purpose: str) -> None:
    """Whatever it is for the second time, in another browser too."""
    given = document(APP, PHONE)
    after, token = accept(given, step("confirm"))
    assert reason(lambda: accept(after, step(purpose, target=PHONE.id), token)) == "code_used"


@pytest.mark.parametrize("purpose", ["confirm", "add", "remove", "recovery_codes"])
@pytest.mark.parametrize("token", [None, "a token that has ended"])
def test_a_code_without_a_session(purpose: str, token: str | None) -> None:
    """Only who is signed in confirms or changes anything."""
    given = document(APP, PHONE)
    assert reason(lambda: accept(given, step(purpose, target=PHONE.id), token)) == "signed_out"


@pytest.mark.parametrize("purpose", ["sign_in", "confirm", "add", "remove", "recovery_codes"])
def test_a_code_for_what_has_changed(purpose: str) -> None:
    """A step of another generation, or one that is over, is worth nothing."""
    given = document(APP, PHONE)
    assert reason(lambda: accept(given, step(purpose, generation="before"))) == "changed_meanwhile"
    assert reason(lambda: accept(given, step(purpose, at=NOW - 600))) == "step_over"


def test_a_sign_in_without_a_factor() -> None:
    """Who must add one does not get in without its first code, whatever was called right."""
    assert reason(lambda: accept(document(), HALF, None)) == "enroll_first"


# The first code of a new factor


def test_the_first_factor() -> None:
    """It counts from now on, all other sessions end, and this one may make recovery codes at once."""
    given = document(sessions=(*LATELY, session(OTHER)), enrolment=WAITING, recovery_codes=())
    after, token = accept(given, enrolling())
    assert after.factors == (NEW,)
    assert (after.enrolment, after.to_delete) == (None, ())
    assert after.generation != given.generation
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, False, True]
    assert own(after, token).proved == NOW
    assert own(after, token).password == LATELY[0].password
    assert own(after, token).permit == Permit(change="recovery_codes", until=NOW + 600)


def test_the_first_factor_of_who_must_have_one() -> None:
    """Who is half signed in gets in with its first code; sessions that came in before it end."""
    given = document(enrolment=WAITING, recovery_codes=())
    after, token = accept(given, enrolling("sign_in"), None)
    assert after.factors == (NEW,)
    assert after.generation != given.generation
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, False, True]
    expected = session(
        token,
        since=NOW,
        password=NOW - MINUTES,
        proved=NOW,
        permit=Permit(change="recovery_codes", until=NOW + 600),
    )
    assert after.sessions == (expected,)


def test_one_more_factor() -> None:
    """The code was for one: the next one needs another. The recovery codes that are left stay."""
    given = document(APP, enrolment=WAITING, sessions=permit("add"))
    after, token = accept(given, enrolling())
    assert after.factors == (APP, NEW)
    assert after.recovery_codes == ("a", "b")
    assert after.to_delete == ()
    assert own(after, token).permit is None
    assert [is_live(after, each) for each in (TOKEN, OTHER)] == [False, False]
    assert after.generation != given.generation


def test_a_new_factor_in_place_of_a_lost_one() -> None:
    """The lost one does not count any more, and who has its recovery codes has nothing."""
    given = document(
        APP,
        PHONE,
        enrolment=WAITING,
        sessions=permit("replace", 60, PHONE.id),
        support_code=SupportCode(hash="c", until=NOW + 60),
        to_delete=("auth_factor_old",),
    )
    after, token = accept(given, enrolling())
    assert after.factors == (APP, NEW)
    assert after.to_delete == ("auth_factor_old", PHONE.id)
    assert (after.recovery_codes, after.support_code) == ((), None)
    assert own(after, token).permit == Permit(change="recovery_codes", until=NOW + 600)
    assert is_live(after, OTHER) is False
    assert after.generation != given.generation


FIRST_CODES = {
    "the permit is over": (document(APP, enrolment=WAITING, sessions=permit("add", 0)), TOKEN, "code_needed"),
    "there never was one": (document(APP, enrolment=WAITING), TOKEN, "code_needed"),
    "the password was given too long ago": (document(enrolment=WAITING), TOKEN, "password_needed"),
    "signed out": (document(APP, enrolment=WAITING), None, "signed_out"),
    "the lost factor is gone": (
        document(APP, enrolment=WAITING, sessions=permit("replace", 60, PHONE.id)),
        TOKEN,
        "changed_meanwhile",
    ),
    "no new factor": (document(APP, sessions=permit("add")), TOKEN, "enrolment_replaced"),
}


@pytest.mark.parametrize(("given", "token", "refused"), FIRST_CODES.values(), ids=FIRST_CODES)
def test_a_first_code_is_not_enough(given: Document, token: str | None, refused: str) -> None:
    """Whether a factor may be added is decided again with its first code."""
    assert reason(lambda: accept(given, enrolling(), token)) == refused


def test_a_new_factor_gives_no_other_code() -> None:
    """Before it counts, nobody signs in or changes anything with it."""
    given = document(APP, enrolment=WAITING)
    for purpose in ("sign_in", "confirm", "add", "remove", "recovery_codes"):
        of = step(purpose, NEW, target=APP.id)
        assert reason(lambda of=of: accept(given, of)) == "changed_meanwhile"  # type: ignore[misc]


# Removal

REMOVALS = {
    "one of two": (document(APP, PHONE), APP.id, False, ""),
    "one of two of who must have one": (document(APP, PHONE), PHONE.id, True, ""),
    "the last one": (document(APP), APP.id, False, ""),
    "the last one of who must have one": (document(APP), APP.id, True, "last_factor"),
    "one that is gone": (document(APP), PHONE.id, False, "changed_meanwhile"),
    "none": (document(APP), None, False, "changed_meanwhile"),
    "one that waits for its first code": (document(APP, enrolment=WAITING), NEW.id, False, "changed_meanwhile"),
}


@pytest.mark.parametrize(("given", "target", "mandatory", "refused"), REMOVALS.values(), ids=REMOVALS)
def test_what_may_be_removed(given: Document, target: str | None, mandatory: bool, refused: str) -> None:  # noqa: FBT001
    """The one that the code was asked for, unless an account that must have a factor would have none."""
    assert reason(lambda: accept(given, step("remove", target=target), mandatory=mandatory)) == refused


def test_a_factor_is_removed() -> None:
    """It does not count any more, and all other sessions end; the recovery codes stay for the factors that are left."""
    given = document(APP, PHONE, sessions=permit("recovery_codes"), to_delete=("auth_factor_old",))
    after, token = accept(given, step("remove", target=PHONE.id))
    assert after.factors == (APP,)
    assert after.to_delete == ("auth_factor_old", PHONE.id)
    assert after.recovery_codes == ("a", "b")
    assert after.generation != given.generation
    assert [is_live(after, each) for each in (TOKEN, OTHER)] == [False, False]
    assert (own(after, token).permit, own(after, token).proved) == (None, NOW)


def test_the_last_factor_is_removed() -> None:
    """No code is left that would open the account once there is a factor again."""
    given = document(APP, support_code=SupportCode(hash="c", until=NOW + 60))
    after, _ = accept(given, step("remove", target=APP.id))
    assert (after.factors, after.recovery_codes, after.support_code) == ((), (), None)


# Recovery codes


def recover(given: Document, of: Step, token: str | None = None, code: str = "a") -> tuple[Document, str]:
    """Give a recovery code now."""
    return changes.accept_recovery_code(given, of, token, code, NOW)


RECOVERIES: dict[str, tuple[Document, Step, str | None, str, str]] = {
    "to sign in": (document(APP), step("sign_in"), None, "a", ""),
    "to confirm": (document(APP), step("confirm"), TOKEN, "b", ""),
    "to confirm, signed out": (document(APP), step("confirm"), None, "a", "signed_out"),
    "to add": (document(APP), step("add"), TOKEN, "a", "code_needed"),
    "to remove": (document(APP), step("remove", target=APP.id), TOKEN, "a", "code_needed"),
    "to make new ones": (document(APP), step("recovery_codes"), TOKEN, "a", "code_needed"),
    "for a new factor": (document(enrolment=WAITING), enrolling("sign_in"), None, "a", "code_needed"),
    "in place of the first factor": (document(), HALF, None, "a", "code_needed"),
    "a wrong one": (document(APP), step("sign_in"), None, "c", "recovery_code_wrong"),
    "where there is none": (document(APP, recovery_codes=()), step("sign_in"), None, "a", "recovery_code_wrong"),
    "too late": (document(APP), step("sign_in", at=NOW - 600), None, "a", "step_over"),
    "of a generation before": (document(APP), step("sign_in", generation="0"), None, "a", "changed_meanwhile"),
}


@pytest.mark.parametrize(("given", "of", "token", "code", "refused"), RECOVERIES.values(), ids=RECOVERIES)
def test_what_a_recovery_code_is_for(given: Document, of: Step, token: str | None, code: str, refused: str) -> None:
    """To sign in and to confirm, and for no change of factors."""
    assert reason(lambda: recover(given, of, token, code)) == refused


def test_a_recovery_code_signs_in() -> None:
    """It is used up, and its session may replace one factor as long as it lasts."""
    given = document(APP)
    after, token = recover(given, step("sign_in"))
    assert after.recovery_codes == ("b",)
    assert own(after, token) == session(
        token,
        since=NOW,
        password=NOW - MINUTES,
        proved=NOW,
        permit=Permit(change="replace", until=NOW + 12 * HOURS),
    )
    assert after.sessions[:2] == given.sessions
    assert reason(lambda: recover(after, step("sign_in"))) == "recovery_code_wrong"


def test_a_recovery_code_confirms() -> None:
    """The session gets another token, and may replace one factor until it ends."""
    after, token = recover(document(APP), step("confirm"), TOKEN)
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, True, True]
    assert own(after, token).proved == NOW
    assert own(after, token).permit == Permit(change="replace", until=NOW + 11 * HOURS)


def test_a_code_of_the_support() -> None:
    """It works once, beside the others, which it does not use up."""
    given = changes.issue_support_code(document(APP), "c", NOW)
    after, _ = recover(given, step("sign_in"), None, "c")
    assert (after.support_code, after.recovery_codes) == (None, ("a", "b"))
    assert reason(lambda: recover(after, step("sign_in"), None, "c")) == "recovery_code_wrong"
    assert recover(given, step("sign_in"), None, "a")[0].support_code == given.support_code


@pytest.mark.parametrize(("age", "refused"), [(24 * HOURS - 1, ""), (24 * HOURS, "recovery_code_wrong")])
def test_a_code_of_the_support_ends(age: float, refused: str) -> None:
    """After a day."""
    given = changes.issue_support_code(document(APP), "c", NOW - age)
    assert reason(lambda: recover(given, step("sign_in"), None, "c")) == refused


def test_the_support_issues_one_code() -> None:
    """The next one takes its place, and where no code is asked for there is none."""
    given = changes.issue_support_code(document(APP), "c", NOW)
    after = changes.issue_support_code(given, "d", NOW)
    assert after == attrs.evolve(given, support_code=SupportCode(hash="d", until=NOW + 24 * HOURS))
    assert reason(lambda: changes.issue_support_code(document(), "c", NOW)) == "no_factor"


CHOICES: dict[str, tuple[Document, str | None, str, str]] = {
    "a factor": (document(APP, sessions=permit("replace")), TOKEN, APP.id, ""),
    "another one than before": (document(APP, PHONE, sessions=permit("replace", 60, PHONE.id)), TOKEN, APP.id, ""),
    "one that is gone": (document(APP, sessions=permit("replace")), TOKEN, PHONE.id, "changed_meanwhile"),
    "without a recovery code": (document(APP), TOKEN, APP.id, "code_needed"),
    "after a code for something else": (document(APP, sessions=permit("add")), TOKEN, APP.id, "code_needed"),
    "too late": (document(APP, sessions=permit("replace", 0)), TOKEN, APP.id, "code_needed"),
    "in another session": (document(APP, sessions=permit("replace")), OTHER, APP.id, "code_needed"),
    "signed out": (document(APP, sessions=permit("replace")), None, APP.id, "signed_out"),
}


@pytest.mark.parametrize(("given", "token", "factor_id", "refused"), CHOICES.values(), ids=CHOICES)
def test_which_factor_is_lost(given: Document, token: str | None, factor_id: str, refused: str) -> None:
    """It is said in the session that has given the recovery code, as long as that may replace one."""
    assert reason(lambda: changes.choose_replaced(given, token, factor_id, NOW)) == refused


def test_a_recovery_code_replaces_one_factor() -> None:
    """From the code on to the new factor; a second one needs another code."""
    given, token = recover(document(APP, PHONE), step("sign_in"))
    given, renewed = changes.choose_replaced(given, token, APP.id, NOW)
    assert not is_live(given, token)
    given = changes.begin_enrolment(given, NEW, enrolling(), renewed, NOW)
    given, token = accept(given, enrolling(), renewed)
    assert given.factors == (PHONE, NEW)
    assert reason(lambda: changes.choose_replaced(given, token, PHONE.id, NOW)) == "code_needed"
    assert reason(lambda: changes.check_may_enroll(given, None, token, NOW)) == "code_needed"


SETS: dict[str, tuple[Document, str | None, str]] = {
    "after a code": (document(APP, sessions=permit("recovery_codes")), TOKEN, ""),
    "too late": (document(APP, sessions=permit("recovery_codes", 0)), TOKEN, "code_needed"),
    "without a code": (document(APP), TOKEN, "code_needed"),
    "after a code for something else": (document(APP, sessions=permit("add")), TOKEN, "code_needed"),
    "after a recovery code": (document(APP, sessions=permit("replace", 60, APP.id)), TOKEN, "code_needed"),
    "without a factor": (document(sessions=permit("recovery_codes")), TOKEN, "code_needed"),
    "in another session": (document(APP, sessions=permit("recovery_codes")), OTHER, "code_needed"),
    "signed out": (document(APP, sessions=permit("recovery_codes")), None, "signed_out"),
}


@pytest.mark.parametrize(("given", "token", "refused"), SETS.values(), ids=SETS)
def test_who_gets_recovery_codes(given: Document, token: str | None, refused: str) -> None:
    """Who has given a code for them, in this session."""
    assert reason(lambda: changes.replace_recovery_codes(given, token, ("c",), NOW)) == refused


def test_a_new_set_of_recovery_codes() -> None:
    """The old ones are worth nothing, and one code is good for one set."""
    given = document(APP, sessions=permit("recovery_codes"))
    after, token = changes.replace_recovery_codes(given, TOKEN, ("c", "d"), NOW)
    assert after.recovery_codes == ("c", "d")
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, True, True]
    assert reason(lambda: changes.replace_recovery_codes(after, token, ("e",), NOW)) == "code_needed"


# The password, and the end


@pytest.mark.parametrize("token", [None, "a token that has ended"])
def test_somebody_else_has_changed_the_password(token: str | None) -> None:
    """All sessions end, and all that is under way; factors and recovery codes stay."""
    given = document(APP, enrolment=WAITING)
    after, renewed = changes.change_password(given, token, NOW)
    assert renewed is None
    assert after.sessions == ()
    assert after.generation != given.generation
    assert (after.enrolment, after.to_delete) == (None, (NEW.id,))
    assert (after.factors, after.recovery_codes) == (given.factors, given.recovery_codes)


@pytest.mark.parametrize(("change", "stays"), [("add", False), ("recovery_codes", False), ("replace", True)])
def test_this_browser_has_changed_the_password(change: str, stays: bool) -> None:  # noqa: FBT001 - from a table
    """Its session goes on under another token, with the new password. Of what it might change, it still may replace a
    factor: who has lost one may change the password first.
    """
    given = document(APP, sessions=permit(change))
    after, token = changes.change_password(given, TOKEN, NOW)
    assert token is not None
    assert [is_live(after, each) for each in (TOKEN, OTHER, token)] == [False, False, True]
    permitted = given.sessions[0].permit if stays else None
    expected = attrs.evolve(given.sessions[0], token=changes.token_hash(token), password=NOW, permit=permitted)
    assert after.sessions == (expected,)
    assert after.generation != given.generation


def test_an_account_is_forgotten() -> None:
    """Nothing is left but the ids that are still to be deleted."""
    given = document(
        APP,
        PHONE,
        enrolment=WAITING,
        support_code=SupportCode(hash="c", until=NOW),
        used_codes=(UsedCode(hmac="mac", at=NOW),),
        to_delete=("auth_factor_old",),
    )
    after = changes.forget(given)
    assert sorted(after.to_delete) == sorted(["auth_factor_old", NEW.id, APP.id, PHONE.id])
    assert after == Document(generation=after.generation, to_delete=after.to_delete)
    assert after.generation != given.generation
    assert changes.forget_deleted(after, {APP.id, NEW.id, "another"}).to_delete == ("auth_factor_old", PHONE.id)


def test_what_could_not_be_deleted_comes_last() -> None:
    """Next time the others have their turn first; the order is the same otherwise."""
    given = document(to_delete=("1", "2", "3", "4"))
    assert changes.forget_deleted(given, {"1"}, {"2", "another"}).to_delete == ("3", "4", "2")

"""The rules, each switched off by a small patch, and what eve and ada do then that must not be possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.flask.model_people import People
from tests.flask.model_site import PREFIX
from workos_mfa.flask import _factor_views, _required
from workos_mfa.flask._second_factor import changes
from workos_mfa.flask._second_factor.document import Document, Permit, new_random
from workos_mfa.flask._second_factor.steps import Step

Patch = Callable[[pytest.MonkeyPatch], object]


@attrs.frozen(kw_only=True)
class Rule:
    """A rule that can be switched off.

    :param text: the rule.
    :param off: switches it off.
    :param scenario: what leads to a violation without it.
    :param finds: what the violation says.
    :param by_chance: whether a random search of a second or two finds a violation as well.
    """

    text: str
    off: Patch
    scenario: Callable[[People], object]
    finds: str
    by_chance: bool = False


def _replaced(name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(changes, name, value)


_NEVER = 10**9

# The patches

_accept_code, _check_step, _check_may_enroll = changes.accept_code, changes.check_step, changes.check_may_enroll
_without_recovery_code, _required_check = changes._without_recovery_code, _required.check


def _of_now(document: Document, step: Step) -> Step:
    return attrs.evolve(step, generation=document.generation)


def _keep_sessions(document: Document) -> Document:
    return attrs.evolve(changes.abandon_enrolment(document), generation=new_random())


def _end_one_token(document: Document, token: str) -> Document:
    ended = changes.token_hash(token)
    return attrs.evolve(document, sessions=tuple(each for each in document.sessions if each.token != ended))


def _check_any_generation(document: Document, step: Step, now: float) -> None:
    _check_step(document, _of_now(document, step), now)


def _accept_without_a_look(document: Document, step: Step, *rest: Any, **more: Any) -> Any:
    return _accept_code(document, _of_now(document, step), *rest, **more)


def _enroll_with_any_permit(document: Document, step: Step | None, token: str | None, now: float) -> Permit | None:
    session = changes.session_of(document, token, now)
    if session is not None and session.permit is not None:
        return session.permit
    return _check_may_enroll(document, step, token, now)


def _enroll_after_any_code(document: Document, step: Step | None, token: str | None, now: float) -> Permit | None:
    session = changes.session_of(document, token, now)
    if session is not None and session.proved is not None and now - session.proved < 600:
        return None
    return _check_may_enroll(document, step, token, now)


def _enroll_when_signed_in(document: Document, step: Step | None, token: str | None, now: float) -> None:  # noqa: ARG001
    changes.live_session(document, token, now)


def _keep_recovery_code(document: Document, code: str, now: float) -> Document:
    _without_recovery_code(document, code, now)
    return document


def _replace_anything(document: Document, token: str | None, factor_id: str, now: float) -> tuple[Document, str]:
    session = changes.live_session(document, token, now)
    permit = Permit(change="replace", until=now + 600, target=factor_id)
    return changes.renew_session(document, attrs.evolve(session, permit=permit), now)


def _without_permits_for_recovery_codes(patch: pytest.MonkeyPatch) -> None:
    always = Permit(change="recovery_codes", until=_NEVER * 10)
    patch.setattr(_factor_views, "_permit", lambda _: always)
    patch.setattr(changes, "replace_recovery_codes", _make_recovery_codes)


def _make_recovery_codes(
    document: Document, token: str | None, codes: tuple[str, ...], now: float
) -> tuple[Document, str]:
    session = changes.live_session(document, token, now)
    return changes.renew_session(attrs.evolve(document, recovery_codes=codes), session, now)


# What happens then


def _eve_stays(people: People) -> None:
    people.sign_in(people.attic)
    people.enroll(people.desk)
    people.attic.get("/members")


def _eve_answers_with_an_old_password(people: People) -> None:
    _eve_waits_for_a_code(people)
    people.reset_password()
    people.phish()
    people.answer(people.attic)


def _eve_is_faster_than_a_new_password(people: People) -> None:
    _eve_waits_for_a_code(people)
    people.phish()
    people.site.store.meanwhile = people.reset_password
    people.answer(people.attic)


def _eve_answers_late(people: People) -> None:
    _eve_waits_for_a_code(people)
    people.wait(601)
    people.phish()
    people.answer(people.attic)


def _eve_waits_for_a_code(people: People) -> None:
    people.enroll(people.desk)
    people.wait(150)
    people.attic.post("/login", account="ada", password=people.eve.passwords["ada"])


def _eve_is_in(people: People) -> None:
    _eve_waits_for_a_code(people)
    people.phish()
    people.answer(people.attic)


def _eve_keeps_what_she_has(people: People) -> None:
    _eve_is_in(people)
    people.reset_password()
    people.attic.get("/members")


def _eve_repeats_a_code(people: People) -> None:
    people.enroll(people.desk)
    people.wait(150)
    people.sign_in(people.shared)
    people.sign_in(people.attic)


def _eve_adds_a_factor_with_a_password(people: People) -> None:
    _eve_waits_for_a_code(people)
    people.attic.get(f"{PREFIX}/new")
    people.enroll_here(people.attic)


def _eve_adds_a_factor_with_a_phished_code(people: People) -> None:
    _eve_is_in(people)
    people.attic.get(f"{PREFIX}/new")
    people.enroll_here(people.attic)


def _eve_replaces_with_a_phished_code(people: People) -> None:
    _eve_is_in(people)
    people.attic.get(f"{PREFIX}/")
    form = people.attic.form("/remove")
    assert form is not None
    people.attic.send(attrs.evolve(form, path=f"{PREFIX}/replace"))
    people.enroll_here(people.attic)


def _eve_takes_an_old_cookie(people: People) -> None:
    people.enroll(people.shared)
    people.keep()
    people.sign_out(people.shared)
    people.put_back(0)
    people.attic.get("/members")


def _ada_signs_out_with_an_old_cookie(people: People) -> None:
    people.enroll(people.shared)
    people.keep()
    people.wait(301)
    people.shared.get("/payouts")
    people.answer(people.shared)
    people.put_back(0)
    people.sign_out(people.attic)
    people.shared.get("/members")


def _eve_takes_a_cookie_from_before_a_code(people: People) -> None:
    people.enroll(people.shared)
    people.keep()
    people.wait(301)
    people.shared.get("/payouts")
    people.answer(people.shared)
    people.put_back(0)
    people.attic.get("/members")


def _ada_uses_another_permit(people: People) -> None:
    people.enroll(people.desk)
    people.at_home(people.desk)
    people.desk.send(people.desk.form("/recovery-codes"))
    people.answer(people.desk)
    people.desk.get(f"{PREFIX}/new")
    people.enroll_here(people.desk)


def _eve_repeats_a_recovery_code(people: People) -> None:
    people.enroll(people.desk)
    people.recover(people.desk)
    people.recover(people.attic)


def _ada_uses_an_old_support_code(people: People) -> None:
    people.enroll(people.desk)
    people.support()
    people.wait(25 * 3600)
    people.recover(people.desk)


def _ada_stays_for_a_day(people: People) -> None:
    people.enroll(people.desk)
    people.wait(12 * 3600)
    people.desk.get("/members")


def _ada_enrolls_long_after_the_password(people: People) -> None:
    people.sign_in(people.desk)
    people.wait(601)
    people.desk.get(f"{PREFIX}/new")
    people.enroll_here(people.desk)


def _ada_has_no_factor(people: People) -> None:
    people.sign_in(people.desk)
    people.desk.get("/private")


def _eve_makes_recovery_codes(people: People) -> None:
    _eve_is_in(people)
    people.attic.get(f"{PREFIX}/")
    people.attic.send(people.attic.form("/recovery-codes"))


def _ada_comes_late(people: People) -> None:
    people.enroll(people.desk)
    people.wait(301)
    people.desk.get("/payouts")


RULES = (
    Rule(
        text="a change of factors ends all other sessions",
        off=_replaced("new_generation", _keep_sessions),
        scenario=_eve_stays,
        finds="not signed in has seen the member page of ada",
        by_chance=True,
    ),
    Rule(
        text="a new password ends all that is under way",
        off=_replaced("check_step", _check_any_generation),
        scenario=_eve_answers_with_an_old_password,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="what a code was right for is decided again when it is saved",
        off=_replaced("accept_code", _accept_without_a_look),
        scenario=_eve_is_faster_than_a_new_password,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a new password ends all sessions",
        off=_replaced("change_password", lambda document, *_: (document, None)),
        scenario=_eve_keeps_what_she_has,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a step has ten minutes",
        off=lambda patch: patch.setattr(Step, "is_over", lambda *_: False),
        scenario=_eve_answers_late,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="an accepted code is refused again",
        off=_replaced("check_unused", lambda *_: None),
        scenario=_eve_repeats_a_code,
        finds="not signed in has seen the member page of ada",
        by_chance=True,
    ),
    Rule(
        text="a factor is added by who may",
        off=_replaced("check_may_enroll", lambda *_: None),
        scenario=_eve_adds_a_factor_with_a_password,
        finds="a factor of ada was added without a code for that",
        by_chance=True,
    ),
    Rule(
        text="a factor is added after a code for that, and not after any of the last ten minutes",
        off=_replaced("check_may_enroll", _enroll_after_any_code),
        scenario=_eve_adds_a_factor_with_a_phished_code,
        finds="a factor of ada was added without a code for that",
        by_chance=True,
    ),
    Rule(
        text="a permit is for one change",
        off=_replaced("check_may_enroll", _enroll_with_any_permit),
        scenario=_ada_uses_another_permit,
        finds="a factor of ada was added without a code for that",
    ),
    Rule(
        text="the first factor needs a password of the last ten minutes",
        off=_replaced("LIFETIME", _NEVER),
        scenario=_ada_enrolls_long_after_the_password,
        finds="a factor of ada was added without a code for that",
    ),
    Rule(
        text="a factor is replaced after a recovery code only",
        off=_replaced("choose_replaced", _replace_anything),
        scenario=_eve_replaces_with_a_phished_code,
        finds="a factor of ada was added without a code for that",
    ),
    Rule(
        text="a sign-out ends all copies of a cookie",
        off=_replaced("end_session", lambda document, _: document),
        scenario=_eve_takes_an_old_cookie,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a sign-out with an older copy of a cookie ends what the session became",
        off=_replaced("end_session", _end_one_token),
        scenario=_ada_signs_out_with_an_old_cookie,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="after a code there is another token",
        off=_replaced("renew_session", changes.start_session),
        scenario=_eve_takes_a_cookie_from_before_a_code,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a recovery code works once",
        off=_replaced("_without_recovery_code", _keep_recovery_code),
        scenario=_eve_repeats_a_recovery_code,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a code of the support works for a day",
        off=_replaced("_SUPPORT_CODE_LIFETIME", _NEVER),
        scenario=_ada_uses_an_old_support_code,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a session ends after twelve hours",
        off=_replaced("SESSION_LIFETIME", _NEVER),
        scenario=_ada_stays_for_a_day,
        finds="not signed in has seen the member page of ada",
    ),
    Rule(
        text="a page may want a factor",
        off=lambda patch: patch.setattr(_required, "check", lambda *_: None),
        scenario=_ada_has_no_factor,
        finds="a browser that has proved no factor has seen the private page of ada",
    ),
    Rule(
        text="recovery codes need a code",
        off=_without_permits_for_recovery_codes,
        scenario=_eve_makes_recovery_codes,
        finds="a browser has got recovery codes of ada without a code for them",
    ),
    Rule(
        text="a page may want a code of late",
        off=lambda patch: patch.setattr(_required, "check", lambda *_: _required_check(None, 0)),
        scenario=_ada_comes_late,
        finds="has seen the payouts page of ada too long after its code",
    ),
)
"""The rules that the machine, and the scenarios, must miss."""


def old_example(patch: pytest.MonkeyPatch) -> None:
    """The rules that the example had before there was this extension."""
    patch.setattr(changes, "new_generation", _keep_sessions)
    patch.setattr(changes, "check_may_enroll", _enroll_when_signed_in)


def take_over(people: People) -> None:
    """Eve has signed in before ada enrolled: she adds a factor of her own without a code, and removes ada's with it."""
    people.sign_in(people.attic)
    people.enroll(people.desk)
    people.attic.get(f"{PREFIX}/new")
    people.enroll_here(people.attic)
    people.remove(people.attic)
    people.attic.get("/private")

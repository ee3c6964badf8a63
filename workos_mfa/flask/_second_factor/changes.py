"""The rules: what may become of an account's document, and what may not.

Each function gives a new document, or raises :class:`Refused`. They are called within the store's swap, on the document
as it is at that moment, so what was decided on an older one is decided again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Set as AbstractSet

import attrs

from workos_mfa.flask._second_factor.document import (
    Document,
    Enrolment,
    KnownFactor,
    Permit,
    Session,
    SupportCode,
    UsedCode,
    new_random,
)
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import LIFETIME, Step

SESSION_LIFETIME = 12 * 3600
"""Seconds after which a session ends, however much it is used."""

_MOST_SESSIONS = 20
_USED_FOR = 120
_SUPPORT_CODE_LIFETIME = 24 * 3600


def token_hash(token: str) -> str:
    """What is kept of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_of(document: Document, token: str | None, now: float) -> Session | None:
    """The session that has this token, if it has not ended."""
    if token is None:
        return None
    wanted = token_hash(token)
    found = [session for session in document.sessions if hmac.compare_digest(session.token, wanted)]
    return found[0] if found and now - found[0].since < SESSION_LIFETIME else None


def live_session(document: Document, token: str | None, now: float) -> Session:
    """The session that has this token.

    :raises Refused: if there is none, or it has ended.
    """
    session = session_of(document, token, now)
    if session is None:
        raise Refused("signed_out")
    return session


def start_session(document: Document, session: Session, now: float) -> tuple[Document, str]:
    """Add a session; give the token that its browser gets. Those that have ended, and the oldest above 20, go."""
    # The token begins with what stays the same when it is renewed, so that any copy of it can end the session.
    lasting = session.id or new_random()
    token = f"{lasting}.{secrets.token_urlsafe(32)}"
    session = attrs.evolve(session, id=lasting, token=token_hash(token))
    live = [each for each in document.sessions if now - each.since < SESSION_LIFETIME]
    return attrs.evolve(document, sessions=(*live[1 - _MOST_SESSIONS :], session)), token


def end_session(document: Document, token: str) -> Document:
    """Remove the session that has this token, or has had it."""
    ended = token.partition(".")[0]
    return attrs.evolve(document, sessions=tuple(each for each in document.sessions if each.id != ended))


def renew_session(document: Document, session: Session, now: float) -> tuple[Document, str]:
    """Give a session a new token, in place of the one that it had."""
    others = tuple(each for each in document.sessions if each.id != session.id)
    return start_session(attrs.evolve(document, sessions=others), session, now)


def new_generation(document: Document) -> Document:
    """End all sessions, steps and enrolments: the factors or the password have changed."""
    document = abandon_enrolment(document)
    return attrs.evolve(document, generation=new_random(), sessions=())


def check_step(document: Document, step: Step, now: float) -> None:
    """Check that a step is still what it was.

    :raises Refused: if its time is over, the factors have changed since, or its factor is not there any more.
    """
    if step.is_over(now):
        raise Refused("step_over")
    if step.generation != document.generation:
        raise Refused("changed_meanwhile")
    if step.enrolling:
        enrolment = document.enrolment
        if enrolment is None or (enrolment.step, enrolment.factor.id) != (step.id, step.factor_id):
            raise Refused("enrolment_replaced")
    elif step.factor_id is None:
        if document.factors:
            raise Refused("changed_meanwhile")
    elif document.factor(step.factor_id) is None:
        raise Refused("changed_meanwhile")


def factor_of(document: Document, step: Step) -> KnownFactor | None:
    """The factor that the step's code has to come from: one that counts, or the new one."""
    if step.enrolling:
        enrolment = document.enrolment
        return enrolment.factor if enrolment is not None and enrolment.step == step.id else None
    return document.factor(step.factor_id)


def check_unused(document: Document, mac: str, now: float) -> None:
    """Check that a code was not accepted in the last two minutes.

    :param mac: the code's HMAC.
    :raises Refused: if it was.
    """
    if any(hmac.compare_digest(used.hmac, mac) and abs(now - used.at) < _USED_FOR for used in document.used_codes):
        raise Refused("code_used")


def use_code(document: Document, mac: str, now: float) -> Document:
    """Note that a code was accepted.

    :raises Refused: if it was accepted before.
    """
    check_unused(document, mac, now)
    lately = tuple(used for used in document.used_codes if abs(now - used.at) < _USED_FOR)
    return attrs.evolve(document, used_codes=(*lately, UsedCode(hmac=mac, at=now)))


def check_may_enroll(document: Document, step: Step | None, token: str | None, now: float) -> Permit | None:
    """Check that a factor may be enrolled: by whom has just given the password if it is the first one, else by whom has
    a permit, which is given.

    :param step: the half-signed-in state, for an account that must have a factor; else None.
    :raises Refused: if it may not.
    """
    if step is not None and step.purpose == "sign_in":
        check_step(document, step, now)
        if document.factors:
            raise Refused("code_needed")
        return None
    session = live_session(document, token, now)
    permit = session.permit
    if permit is not None and now < permit.until and (permit.change == "add" or permit.target is not None):
        return permit
    if document.factors:
        raise Refused("code_needed")
    if now - session.password >= LIFETIME:
        raise Refused("password_needed")
    return None


def abandon_enrolment(document: Document) -> Document:
    """Forget the factor that waits for its first code; it is to be deleted."""
    if document.enrolment is None:
        return document
    return attrs.evolve(document, enrolment=None, to_delete=(*document.to_delete, document.enrolment.factor.id))


def begin_enrolment(document: Document, factor: KnownFactor, step: Step, token: str | None, now: float) -> Document:
    """Note a factor that was enrolled and waits for its first code, in place of the one before.

    :raises Refused: if no factor may be enrolled.
    """
    if step.generation != document.generation:
        raise Refused("changed_meanwhile")
    check_may_enroll(document, _half(step), token, now)
    return attrs.evolve(abandon_enrolment(document), enrolment=Enrolment(factor=factor, step=step.id))


def _half(step: Step) -> Step | None:
    # Before it has a factor of its own; by then it waits for the first code of one.
    return attrs.evolve(step, factor_id=None, enrolling=False) if step.purpose == "sign_in" else None


def accept_code(
    document: Document, step: Step, token: str | None, mac: str, now: float, *, mandatory: bool
) -> tuple[Document, str]:
    """A right code was given: do what it was asked for.

    :param step: what it was asked for.
    :param token: that of the browser, if it is signed in.
    :param mac: the code's HMAC.
    :param mandatory: whether this account must have a factor.
    :returns: the new document, and the browser's new token.
    :raises Refused: if it can't be done any more.
    """
    check_step(document, step, now)
    if factor_of(document, step) is None:
        raise Refused("enroll_first")
    document = use_code(document, mac, now)
    if step.purpose == "sign_in":
        session = Session(token="", since=now, password=step.at, proved=now)
        if step.enrolling:
            return _confirm_enrolment(document, session, None, now)
        return start_session(document, session, now)
    session = attrs.evolve(live_session(document, token, now), proved=now)
    if step.enrolling:
        permit = check_may_enroll(document, None, token, now)
        return _confirm_enrolment(document, session, permit, now)
    if step.purpose == "remove":
        if len(document.factors) == 1 and mandatory:
            raise Refused("last_factor")
        document = new_generation(_without_factor(document, step.target))
        return start_session(document, attrs.evolve(session, permit=None), now)
    if step.purpose in {"add", "recovery_codes"}:
        session = attrs.evolve(session, permit=Permit(change=step.purpose, until=now + LIFETIME))
    return renew_session(document, session, now)


def _confirm_enrolment(document: Document, session: Session, permit: Permit | None, now: float) -> tuple[Document, str]:
    assert document.enrolment is not None  # check_step has looked
    document = attrs.evolve(document, factors=(*document.factors, document.enrolment.factor), enrolment=None)
    if permit is not None and permit.change == "replace":
        # Who lost a factor may have lost the codes with it, or never had those of whoever took the account over.
        document = attrs.evolve(_without_factor(document, permit.target), recovery_codes=(), support_code=None)
    codes_wanted = Permit(change="recovery_codes", until=now + LIFETIME) if not document.recovery_codes else None
    return start_session(new_generation(document), attrs.evolve(session, permit=codes_wanted), now)


def _without_factor(document: Document, factor_id: str | None) -> Document:
    factor = document.factor(factor_id)
    if factor is None:
        raise Refused("changed_meanwhile")
    left = tuple(each for each in document.factors if each != factor)
    document = attrs.evolve(document, factors=left, to_delete=(*document.to_delete, factor.id))
    return document if left else attrs.evolve(document, recovery_codes=(), support_code=None)


def accept_recovery_code(
    document: Document, step: Step, token: str | None, code: str, now: float
) -> tuple[Document, str]:
    """A recovery code was given in place of a code: use it up, and allow one replacement of a factor.

    :param code: its hash.
    :returns: the new document, and the browser's new token.
    :raises Refused: if there is no such code, or it can't be used for this.
    """
    check_step(document, step, now)
    if step.purpose not in {"sign_in", "confirm"} or step.enrolling or step.factor_id is None:
        raise Refused("code_needed")
    document = _without_recovery_code(document, code, now)
    if step.purpose == "sign_in":
        session = Session(token="", since=now, password=step.at)
    else:
        session = live_session(document, token, now)
    permit = Permit(change="replace", until=session.since + SESSION_LIFETIME)
    return renew_session(document, attrs.evolve(session, proved=now, permit=permit), now)


def _without_recovery_code(document: Document, code: str, now: float) -> Document:
    support = document.support_code
    if support is not None and hmac.compare_digest(support.hash, code) and now < support.until:
        return attrs.evolve(document, support_code=None)
    left = tuple(each for each in document.recovery_codes if not hmac.compare_digest(each, code))
    if left == document.recovery_codes:
        raise Refused("recovery_code_wrong")
    return attrs.evolve(document, recovery_codes=left)


def choose_replaced(document: Document, token: str | None, factor_id: str, now: float) -> tuple[Document, str]:
    """Say which factor is lost, and will be replaced by the next one that is enrolled.

    :returns: the new document, and the browser's new token.
    :raises Refused: if the session may not replace one, or there is no such factor.
    """
    session = live_session(document, token, now)
    permit = session.permit
    if permit is None or permit.change != "replace" or now >= permit.until:
        raise Refused("code_needed")
    if document.factor(factor_id) is None:
        raise Refused("changed_meanwhile")
    return renew_session(document, attrs.evolve(session, permit=attrs.evolve(permit, target=factor_id)), now)


def replace_recovery_codes(
    document: Document, token: str | None, codes: tuple[str, ...], now: float
) -> tuple[Document, str]:
    """Put a new set of recovery codes in place of what is left of the old one.

    :param codes: their hashes.
    :returns: the new document, and the browser's new token.
    :raises Refused: if no code was given for this.
    """
    session = live_session(document, token, now)
    permit = session.permit
    if permit is None or permit.change != "recovery_codes" or now >= permit.until or not document.factors:
        raise Refused("code_needed")
    document = attrs.evolve(document, recovery_codes=codes)
    return renew_session(document, attrs.evolve(session, permit=None), now)


def issue_support_code(document: Document, code: str, now: float) -> Document:
    """Note the hash of a code that support staff gives to a person; it is the only one, and ends after a day.

    :raises Refused: if the account has no factor, and so no code is asked for.
    """
    if not document.factors:
        raise Refused("no_factor")
    return attrs.evolve(document, support_code=SupportCode(hash=code, until=now + _SUPPORT_CODE_LIFETIME))


def change_password(document: Document, token: str | None, now: float) -> tuple[Document, str | None]:
    """The password has changed: end all sessions but the one that changed it, and all that is under way.

    :returns: the new document, and the new token of the browser, if it is signed in.
    """
    session = session_of(document, token, now)
    document = new_generation(document)
    if session is None:
        return document, None
    # Who has lost a factor, and changes the password first, may still replace it.
    permit = session.permit if session.permit is not None and session.permit.change == "replace" else None
    return start_session(document, attrs.evolve(session, password=now, permit=permit), now)


def forget(document: Document) -> Document:
    """Remove all factors, codes and sessions; what is to be deleted at WorkOS is kept until it is."""
    ids = tuple(factor.id for factor in document.factors)
    gone = abandon_enrolment(document)
    return Document(to_delete=(*gone.to_delete, *ids))


def forget_deleted(document: Document, deleted: AbstractSet[str], failed: AbstractSet[str] = frozenset()) -> Document:
    """Drop the ids of factors that are deleted at WorkOS; those that could not be deleted come last from now on."""
    waiting = [each for each in document.to_delete if each not in deleted]
    return attrs.evolve(document, to_delete=tuple(sorted(waiting, key=failed.__contains__)))

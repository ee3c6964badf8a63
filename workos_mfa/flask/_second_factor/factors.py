"""Factors: enroll and replace them, and make recovery codes."""

from __future__ import annotations

import re

import attrs

from workos_mfa import TOTPFactor
from workos_mfa.flask._second_factor import changes, recovery, workos_calls
from workos_mfa.flask._second_factor.accounts import StoreError
from workos_mfa.flask._second_factor.backend import Backend
from workos_mfa.flask._second_factor.document import KnownFactor, new_random
from workos_mfa.flask._second_factor.events import Event
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Step, Visitor

_PUNCTUATION = re.compile(r"[\s().-]")


def check_may_enroll(backend: Backend, visitor: Visitor) -> None:
    """Check that a factor may be enrolled.

    :raises Refused: if not.
    """
    changes.check_may_enroll(backend.accounts.load(visitor.account_id), visitor.step, visitor.token, backend.clock())


def enroll_totp(backend: Backend, visitor: Visitor, name: str, next_path: str) -> tuple[Step, TOTPFactor]:
    """Enroll an authenticator app. It counts after its first code.

    :raises Refused: if it may not be, or WorkOS refuses.
    """
    _begin_enrolling(backend, "totp", visitor)
    factor = workos_calls.enroll_totp(backend.mfa, backend.rules.issuer, name)
    return _enrolled(backend, visitor, KnownFactor(id=factor.id, type="totp"), next_path), factor


def enroll_sms(backend: Backend, visitor: Visitor, number: str, next_path: str) -> Step:
    """Enroll a phone number. It counts after its first code, which ``codes.ask`` sends.

    :raises Refused: if it may not be, or WorkOS refuses.
    """
    number = _PUNCTUATION.sub("", number)
    if not number.startswith(backend.rules.sms_prefixes):
        raise Refused("number_refused")
    _begin_enrolling(backend, "sms", visitor)
    backend.take("new_numbers_by_account", visitor.account_id)
    factor = workos_calls.enroll_sms(backend.mfa, number)
    known = KnownFactor(id=factor.id, type="sms", digits=number[-2:], number=backend.hmac("number", number))
    return _enrolled(backend, visitor, known, next_path)


def choose_replaced(backend: Backend, account_id: str, token: str | None, factor_id: str) -> str:
    """Say which factor is lost; give the browser's new token.

    :raises Refused: if the session may not replace one.
    """
    now = backend.clock()
    return backend.accounts.change(
        account_id, lambda document: changes.choose_replaced(document, token, factor_id, now)
    )[1]


def make_recovery_codes(backend: Backend, account_id: str, token: str | None) -> tuple[str, list[str]]:
    """Make a new set of recovery codes; give the browser's new token and the codes, which are kept nowhere.

    :raises Refused: if no code was given for this.
    """
    codes = [recovery.new_code() for _ in range(recovery.COUNT)]
    hashes = tuple(recovery.hashed(account_id, code) for code in codes)
    now = backend.clock()
    _, renewed = backend.accounts.change(
        account_id, lambda document: changes.replace_recovery_codes(document, token, hashes, now)
    )
    backend.tell(Event(name="recovery_codes_made", account_id=account_id))
    return renewed, codes


def issue_recovery_code(backend: Backend, account_id: str, *, by: str, reason: str) -> str:
    """Make a recovery code for a person who has lost everything. It works once, within a day, beside the password.

    :raises Refused: if the account has no factor.
    """
    code = recovery.new_code()
    hashed = recovery.hashed(account_id, code)
    now = backend.clock()
    backend.accounts.change(account_id, lambda document: (changes.issue_support_code(document, hashed, now), None))
    backend.tell(Event(name="recovery_code_issued", account_id=account_id, by=by, reason=reason))
    return code


def _begin_enrolling(backend: Backend, method: str, visitor: Visitor) -> None:
    if method not in backend.rules.methods:
        raise Refused("method_off")
    check_may_enroll(backend, visitor)
    backend.take("enrolments_by_account", visitor.account_id)


def _enrolled(backend: Backend, visitor: Visitor, factor: KnownFactor, next_path: str) -> Step:
    now, account_id, token, step = backend.clock(), visitor.account_id, visitor.token, visitor.step
    if step is None:
        generation = backend.accounts.load(account_id).generation
        step = Step(purpose="add", account_id=account_id, generation=generation, at=now, next=next_path)
    begun = attrs.evolve(step, factor_id=factor.id, challenge_id=None, enrolling=True, id=new_random())
    try:
        document, _ = backend.accounts.change(
            account_id, lambda document: (changes.begin_enrolment(document, factor, begun, token, now), None)
        )
    except (Refused, StoreError):
        backend.delete(factor.id)
        raise
    backend.clean_up(account_id, document)
    return begun

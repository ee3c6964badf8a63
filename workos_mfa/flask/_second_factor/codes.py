"""Codes: ask for one, check what a person typed, and do what it was asked for."""

from __future__ import annotations

import contextlib
import re

import attrs

from workos_mfa.flask._second_factor import changes, recovery, workos_calls
from workos_mfa.flask._second_factor.backend import Backend
from workos_mfa.flask._second_factor.document import Document, KnownFactor
from workos_mfa.flask._second_factor.events import Event, about
from workos_mfa.flask._second_factor.rate_limits import LimitsUnavailableError, Taken
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Purpose, Step

_SIX_DIGITS = re.compile(r"[0-9]{6}")
_SEPARATORS = re.compile(r"[\s-]")


@attrs.frozen(kw_only=True)
class Checked:
    """What came of a code.

    :param step: the step as it is now, to be kept if the code was refused.
    :param token: the browser's new token, if the code was right.
    :param refused: why not, if it was not.
    """

    step: Step
    token: str | None = None
    refused: Refused | None = None


def begin_step(
    backend: Backend, purpose: Purpose, account_id: str, token: str | None, next_path: str, *, target: str | None = None
) -> Step:
    """Ask for a code of a person who is signed in.

    :param target: for ``remove``: the factor to be removed; the code comes from another one if there is one.
    :raises Refused: if there is no factor that could give one, or the session is over.
    """
    document = backend.accounts.load(account_id)
    changes.live_session(document, token, backend.clock())
    if target is not None and document.factor(target) is None:
        raise Refused("changed_meanwhile")
    if purpose == "remove" and len(document.factors) == 1 and backend.rules.mandatory(account_id):
        raise Refused("last_factor")
    factors = sorted(document.factors, key=lambda factor: factor.id == target)
    if not factors:
        raise Refused("no_factor")
    return Step(
        purpose=purpose,
        account_id=account_id,
        generation=document.generation,
        at=backend.clock(),
        next=next_path,
        factor_id=factors[0].id,
        target=target,
    )


def switch(backend: Backend, step: Step, token: str | None, factor_id: str) -> Step:
    """Ask another factor of the account.

    :raises Refused: if it has no such factor, or the code is for a new one.
    """
    factor_asked(backend, step, token)
    if step.enrolling or backend.accounts.load(step.account_id).factor(factor_id) is None:
        raise Refused("changed_meanwhile")
    return attrs.evolve(step, factor_id=factor_id, challenge_id=None)


def factor_asked(backend: Backend, step: Step, token: str | None) -> KnownFactor:
    """The factor that the step's code has to come from.

    :raises Refused: if the step is over, or, of a person who was signed in, the session.
    """
    document = backend.accounts.load(step.account_id)
    changes.check_step(document, step, backend.clock())
    if step.purpose != "sign_in":
        changes.live_session(document, token, backend.clock())
    factor = changes.factor_of(document, step)
    if factor is None:
        raise Refused("enroll_first")
    return factor


def ask(backend: Backend, step: Step, token: str | None, address: str) -> Step:
    """Challenge the step's factor. For an SMS factor, that sends a message.

    :raises Refused: if there is no challenge; until there is one, the one before still counts.
    """
    factor = factor_asked(backend, step, token)
    if factor.type == "sms":
        _take_message(backend, step, factor, address)
    return attrs.evolve(step, challenge_id=workos_calls.challenge(backend.mfa, factor, backend.rules.sms_template))


def check_code(backend: Backend, step: Step, token: str | None, code: str, address: str) -> Checked:
    """Check the code that a person typed, and do what it was asked for."""
    of_address: Taken = []
    of_account: Taken = []
    try:
        factor = factor_asked(backend, step, token)
        digits = _digits_of(code)
        if factor.type == "sms" and step.challenge_id is None:
            return Checked(step=step, refused=Refused("ask_first"))
        of_address = backend.take("codes_by_address", address)
        if not step.enrolling:
            # The first code of a new factor is no guess; who recovers an account can give it while others guess.
            of_account = _take_code(backend, step.account_id)
        mac = backend.hmac("code", step.account_id, factor.id, digits)
        changes.check_unused(backend.accounts.load(step.account_id), mac, backend.clock())
        if step.challenge_id is None:
            step = ask(backend, step, token, address)
        workos_calls.verify(backend.mfa, factor, step.challenge_id or "", digits)
        renewed = _accept(backend, step, token, mac)
    except Refused as refused:
        if workos_calls.needs_new_challenge(refused):
            step = attrs.evolve(step, challenge_id=None)
        if refused.reason in workos_calls.NOT_LOOKED_AT:
            _give_back(backend, [*of_address, *of_account])
        return Checked(step=step, refused=refused)
    # A right code is no try of its address, which many people may share; the account begins a new short time.
    _give_back(backend, of_address)
    with contextlib.suppress(LimitsUnavailableError):
        backend.limits.clear_shortest("codes_by_account", step.account_id)
    return Checked(step=step, token=renewed)


def check_recovery_code(backend: Backend, step: Step, token: str | None, code: str, address: str) -> str:
    """Check a recovery code; give the browser's new token.

    It is limited by address alone: nobody guesses one, and who has the password must not lock the owner out.

    :raises Refused: if it is not right, or can't be used here.
    """
    factor_asked(backend, step, token)
    backend.take("recovery_by_address", address)
    hashed = recovery.hashed(step.account_id, code)
    now = backend.clock()
    document, renewed = backend.accounts.change(
        step.account_id, lambda document: changes.accept_recovery_code(document, step, token, hashed, now)
    )
    backend.tell(Event(name="recovery_code_used", account_id=step.account_id, left=len(document.recovery_codes)))
    return renewed


def _digits_of(code: str) -> str:
    digits = _SEPARATORS.sub("", code)
    if not _SIX_DIGITS.fullmatch(digits):
        raise Refused("code_malformed")
    return digits


def _accept(backend: Backend, step: Step, token: str | None, mac: str) -> str:
    now = backend.clock()
    mandatory = backend.rules.mandatory(step.account_id)

    def decide(before: Document) -> tuple[Document, tuple[Document, str]]:
        after, renewed = changes.accept_code(before, step, token, mac, now, mandatory=mandatory)
        return after, (before, renewed)

    after, (before, renewed) = backend.accounts.change(step.account_id, decide)
    _tell_of_changes(backend, step, before, after)
    backend.clean_up(step.account_id, after)
    return renewed


def _tell_of_changes(backend: Backend, step: Step, before: Document, after: Document) -> None:
    added = [factor for factor in after.factors if factor not in before.factors]
    removed = [factor for factor in before.factors if factor not in after.factors]
    if added:
        backend.tell(about("factor_replaced" if removed else "factor_added", step.account_id, added[0]))
    elif removed:
        backend.tell(about("factor_removed", step.account_id, removed[0]))


def _give_back(backend: Backend, taken: Taken) -> None:
    with contextlib.suppress(LimitsUnavailableError):  # it is done, and the limits are only stricter now
        backend.limits.give_back(taken)


def _take_code(backend: Backend, account_id: str) -> Taken:
    try:
        return backend.take("codes_by_account", account_id, reason="locked")
    except Refused:
        # The person is told, but not each time.
        with contextlib.suppress(Refused):
            backend.take("lock_notices_by_account", account_id)
            backend.tell(Event(name="locked", account_id=account_id))
        raise


def _take_message(backend: Backend, step: Step, factor: KnownFactor, address: str) -> None:
    # A number that is not confirmed may be anybody's, so its messages have a budget of their own.
    kind = "new_number_messages" if step.enrolling else "messages"
    for limit, who in (("address", address), ("account", step.account_id), ("number", factor.number)):
        backend.take(f"{kind}_by_{limit}", who)
    backend.take(f"{kind}_by_app")

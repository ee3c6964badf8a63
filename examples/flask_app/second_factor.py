"""What can happen when a code is asked for and when it is checked, and what to tell the person.

Plain functions, without Flask: they call the API, and turn each result or error into something that a
page can show. Errors that no person at the keyboard can do anything about (no connection, a wrong API key) go
through, to the one page that the app has for them.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
from dataclasses import dataclass
from enum import Enum, auto

from workos_mfa import (
    MFA,
    ChallengeAlreadyVerifiedError,
    ChallengeExpiredError,
    ConnectError,
    FactorMismatchError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    SMSQuotaReachedError,
    TooManyAttemptsError,
)

from .accounts import Account, Accounts, OwnFactor
from .limits import Limit

ISSUER = "Foo Corp"
SMS_TEMPLATE = "Your Foo Corp code is {{code}}. We never call to ask for it."

_SIX_DIGITS = re.compile(r"[0-9]{6}")
_SEPARATORS = re.compile(r"[\s-]")
_UNTRIED = (ConnectError, RateLimitExceededError, ChallengeExpiredError)
"""After these errors nobody has looked at the code, so it does not count as a try."""

_NEW_CODE_BECAUSE = {
    ChallengeExpiredError: "That code has expired.",
    ChallengeAlreadyVerifiedError: "That code was used already.",
    TooManyAttemptsError: "There were too many wrong codes.",
    FactorMismatchError: "That code was for another method.",
    NotFoundError: "That code is no longer known.",
}
_UNCLEAR = "We could not find out whether your code was right, and it may be used up."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """What the functions below work with.

    :param mfa: the client.
    :param accounts: the people.
    :param tries: how many codes one account may try.
    :param texts: how often one account may have a text message.
    """

    mfa: MFA
    accounts: Accounts
    tries: Limit
    texts: Limit


@dataclass(frozen=True)
class Asked:
    """The end of asking for a code: a challenge, or a sentence that says why there is none."""

    challenge_id: str | None = None
    notice: str | None = None


class Verdict(Enum):
    """What a code turned out to be."""

    RIGHT = auto()
    TRY_AGAIN = auto()
    NEW_CHALLENGE = auto()


@dataclass(frozen=True)
class Checked:
    """The end of checking a code: the verdict, what to tell the person, and how many seconds to wait."""

    verdict: Verdict
    notice: str = ""
    wait: int = 0


def ask(services: Services, account: Account, factor: OwnFactor) -> Asked:
    """Challenge a factor of this account; for an SMS factor that sends the message."""
    is_sms = factor.type == "sms"
    if wait := services.tries.wait(account.id):
        return Asked(notice=_locked(wait))
    if is_sms and (wait := services.texts.take(account.id)):
        return Asked(notice=f"You can have another text message in {seconds(wait)}.")
    try:
        challenge = services.mfa.challenge_factor(factor.id, sms_template=SMS_TEMPLATE if is_sms else None)
    except MFAError as error:
        if is_sms and not error.outcome_unknown:
            services.texts.give_back(account.id)  # no message has gone out
        return _not_asked(error, is_sms=is_sms)
    # Only the id: for a generic_otp factor the challenge holds the code.
    return Asked(challenge_id=challenge.id)


def check(services: Services, account: Account, factor: OwnFactor, challenge_id: str, code: str) -> Checked:
    """Check the code that a person typed for a challenge of this factor."""
    if not _SIX_DIGITS.fullmatch(_SEPARATORS.sub("", code)):
        return Checked(Verdict.TRY_AGAIN, "A code has six digits.")
    # Counted before the result is known, so that parallel guesses can't get ahead of the counter.
    if wait := services.tries.take(account.id):
        return Checked(Verdict.TRY_AGAIN, _locked(wait), wait)
    try:
        # With expected_factor_id a challenge of anybody else's factor never counts, however it got here.
        verification = services.mfa.verify_challenge(challenge_id, code=code, expected_factor_id=factor.id)
    except MFAError as error:
        if isinstance(error, _UNTRIED):
            services.tries.give_back(account.id)
        return _checked(error, account, factor)
    if verification:
        services.tries.forget(account.id)
        return Checked(Verdict.RIGHT)
    _log.info("wrong code for %s of %s", factor.id, account.id)
    return Checked(Verdict.TRY_AGAIN, _wrong(factor))


def remove(services: Services, account: Account, factor: OwnFactor) -> None:
    """Delete a factor, here and at WorkOS; if that fails it stays, and can be removed again."""
    with contextlib.suppress(NotFoundError):  # gone already, which is what was wanted
        services.mfa.delete_factor(factor.id)
    account.factors.pop(factor.id, None)
    _log.info("factor %s of %s removed", factor.id, account.id)


def discard_unconfirmed(services: Services, account: Account) -> None:
    """Delete what unfinished enrolments have left; whatever can't be deleted now is tried again next time."""
    for factor in account.unconfirmed:
        try:
            remove(services, account, factor)
        except MFAError as error:  # noqa: PERF203 - one that fails must not keep the others
            _log.warning("factor %s of %s was not removed: %s", factor.id, account.id, error)


def seconds(count: int) -> str:
    """A time to wait, in words."""
    if count > 90:
        return f"{math.ceil(count / 60)} minutes"
    return f"{count} seconds" if count > 1 else "a second"


def _not_asked(error: MFAError, *, is_sms: bool) -> Asked:
    if isinstance(error, SMSQuotaReachedError):
        return Asked(notice="We can't send text messages at the moment. Please use another method, or come back later.")
    if isinstance(error, RateLimitExceededError):
        return Asked(notice=f"That was too often. Please ask for a code again in {seconds(_wait_after(error))}.")
    if isinstance(error, NotFoundError):
        return Asked(notice="This method does not exist any more. Please use another one, or ask our support for help.")
    if is_sms and error.outcome_unknown:
        # We never learnt the challenge's id, so the code in that message can't be checked.
        return Asked(notice="A text message may be on its way, but its code won't work. Ask for a new one in a minute.")
    raise error


def _checked(error: MFAError, account: Account, factor: OwnFactor) -> Checked:
    if isinstance(error, RateLimitExceededError):
        wait = _wait_after(error)
        return Checked(Verdict.TRY_AGAIN, f"That was too often. Please try again in {seconds(wait)}.", wait)
    if isinstance(error, FactorMismatchError):
        _log.error("a challenge of another factor than %s came up for %s", factor.id, account.id)
    if error.needs_new_challenge:
        return Checked(Verdict.NEW_CHALLENGE, _NEW_CODE_BECAUSE.get(type(error), _UNCLEAR))
    raise error


def _wait_after(error: RateLimitExceededError) -> int:
    # The API need not say how long; a minute is the window of its published limits.
    return max(1, math.ceil(60 if error.retry_after is None else error.retry_after))


def _locked(wait: int) -> str:
    return f"There were too many wrong codes. Please wait {seconds(wait)} before you try again."


def _wrong(factor: OwnFactor) -> str:
    if factor.type == "totp":
        return "That code is not right. Each code works once: if you have just used it, wait for the next one."
    return "That code is not right. Please use the code in the newest text message."

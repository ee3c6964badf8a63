"""The calls to WorkOS, and what each of their outcomes means for the person at the keyboard."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import NoReturn

from workos_mfa import (
    MFA,
    ChallengeAlreadyVerifiedError,
    ChallengeExpiredError,
    FactorMismatchError,
    InvalidInputError,
    InvalidPhoneNumberError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    SMSFactor,
    SMSQuotaReachedError,
    TooManyAttemptsError,
    TOTPFactor,
)
from workos_mfa.flask._second_factor.document import KnownFactor
from workos_mfa.flask._second_factor.refusals import Refused

_log = logging.getLogger("workos_mfa.flask")

_A_MINUTE = 60
"""How long to wait where WorkOS does not say: the window of its published limits."""

CHALLENGE_OVER: Mapping[type[MFAError], str] = {
    ChallengeExpiredError: "challenge_expired",
    ChallengeAlreadyVerifiedError: "challenge_used",
    TooManyAttemptsError: "challenge_locked",
    FactorMismatchError: "challenge_mismatch",
    NotFoundError: "challenge_unknown",
}
OUTCOME_UNKNOWN = "outcome_unknown"
NOT_LOOKED_AT = frozenset({"factor_unknown", "rate_limited", "unreachable"})
"""The reasons after which nobody has looked at the code, so that it was no try."""


def needs_new_challenge(refused: Refused) -> bool:
    """Whether the challenge can't be used again."""
    return refused.reason in {*CHALLENGE_OVER.values(), OUTCOME_UNKNOWN}


def challenge(mfa: MFA, factor: KnownFactor, sms_template: str) -> str:
    """Challenge a factor; for an SMS factor that sends the message. Gives the challenge's id.

    :raises Refused: if there is no challenge.
    """
    is_sms = factor.type == "sms"
    try:
        return mfa.challenge_factor(factor.id, sms_template=sms_template if is_sms else None).id
    except NotFoundError as error:
        # It still counts: nobody gets in without a code because WorkOS has lost a factor.
        _log.error("WorkOS does not know the factor %s of an account: %s", factor.id, error)
        reason, wait = "factor_unknown", 0
    except SMSQuotaReachedError as error:
        _log.error("WorkOS sends no more text messages: %s", error)
        reason, wait = "messages_used_up", 0
    except RateLimitExceededError as error:
        reason, wait = "rate_limited", _wait_after(error)
    except MFAError as error:
        if not (is_sms and error.outcome_unknown):
            _unreachable(error)
        reason, wait = "message_unclear", 0
    raise Refused(reason, wait)


def verify(mfa: MFA, factor: KnownFactor, challenge_id: str, code: str) -> None:
    """Check that a code is right.

    :raises Refused: if it is not, or nobody knows.
    """
    try:
        # With expected_factor_id a challenge of anybody else's factor never counts, however it got here.
        if mfa.verify_challenge(challenge_id, code=code, expected_factor_id=factor.id):
            return
        reason, wait = f"{factor.type}_code_wrong", 0
    except RateLimitExceededError as error:
        reason, wait = "rate_limited", _wait_after(error)
    except MFAError as error:
        if isinstance(error, FactorMismatchError):
            _log.error("a challenge of another factor than %s came up", factor.id)
        if not error.needs_new_challenge:
            _unreachable(error)
        reason, wait = CHALLENGE_OVER.get(type(error), OUTCOME_UNKNOWN), 0
    raise Refused(reason, wait)


def enroll_totp(mfa: MFA, issuer: str, user: str) -> TOTPFactor:
    """Enroll an authenticator app.

    :raises Refused: if there is no factor.
    """
    try:
        return mfa.enroll_factor(type="totp", issuer=issuer, user=user)
    except MFAError as error:
        refused = _not_enrolled(error)
    raise refused


def enroll_sms(mfa: MFA, number: str) -> SMSFactor:
    """Enroll a phone number.

    :raises Refused: if there is no factor.
    """
    try:
        return mfa.enroll_factor(type="sms", phone_number=number)
    except (InvalidInputError, InvalidPhoneNumberError):
        refused = Refused("number_refused")
    except MFAError as error:
        refused = _not_enrolled(error)
    raise refused


def delete(mfa: MFA, factor_id: str) -> bool:
    """Delete a factor; whether it is gone."""
    try:
        mfa.delete_factor(factor_id)
    except NotFoundError:
        return True
    except MFAError as error:
        _log.warning("the factor %s is still to be deleted: %s", factor_id, error)
        return False
    return True


def _not_enrolled(error: MFAError) -> Refused:
    if isinstance(error, RateLimitExceededError):
        return Refused("rate_limited", _wait_after(error))
    _unreachable(error)


def _unreachable(error: MFAError) -> NoReturn:
    # The text of an MFAError holds no code, key or secret, so it may be logged as it is.
    _log.error("WorkOS is out of reach: %s: %s", type(error).__name__, error)
    raise Refused("unreachable", _A_MINUTE) from None


def _wait_after(error: RateLimitExceededError) -> int:
    return max(1, math.ceil(_A_MINUTE if error.retry_after is None else error.retry_after))

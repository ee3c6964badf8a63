"""Questions about challenges: a newer one, a deleted factor, a template that nobody needs."""

from __future__ import annotations

from workos_mfa._calibration.account import Account, OddError, told
from workos_mfa._calibration.question import Answer, Found, Question
from workos_mfa._calibration.wire import Reply

_TEMPLATE = "Your code is {{code}}"


def _newer(account: Account, _: Found) -> Answer:
    subject = account.enroll("generic_otp")
    older = account.challenge(subject)
    newer = account.challenge(subject)
    outcome = account.verify(older, account.code_of(older))
    after = account.verify(newer, account.code_of(newer))
    if after != "valid":
        raise OddError(f"the right code of the newer challenge is {after}")
    if outcome == "valid":
        return Answer("the older challenge is valid", (("new_challenge_cancels_older", False),))
    reply = {"expired": "expired", "challenge gone": "not_found", "invalid": "invalid"}.get(outcome)
    if reply is None:
        raise OddError(f"the older challenge is {outcome}")
    settings = (("new_challenge_cancels_older", True), ("cancelled_challenge_reply", reply))
    return Answer(f"the older challenge is {outcome}", settings)


def _deleted(account: Account, _: Found) -> Answer:
    subject = account.enroll("generic_otp")
    challenge = account.challenge(subject)
    account.delete(subject)
    outcome = account.verify(challenge, account.code_of(challenge))
    names = {"challenge gone": "challenge_not_found", "factor gone": "factor_not_found", "invalid": "invalid"}
    reply = names.get(outcome)
    if reply is None:
        raise OddError(f"the right code for a deleted factor is {outcome}")
    return Answer(f"its challenge: {outcome}", (("deleted_factor_reply", reply),))


def _template(account: Account, _: Found) -> Answer:
    subject = account.enroll("totp")
    made = account.settled(lambda: account.mfa.challenge_factor(subject.id, sms_template=_TEMPLATE))
    if not isinstance(made, Reply):
        return Answer("a template is ignored", (("template_without_sms", "ignored"),))
    if not made.is_invalid_request:
        raise OddError(f"a template for a TOTP factor gets {told(made)}")
    return Answer("a template is refused", (("template_without_sms", "refused"),))


QUESTIONS = [
    Question(
        name="newer challenge",
        title="Does a new challenge cancel the one before it?",
        settings=("new_challenge_cancels_older", "cancelled_challenge_reply"),
        calls=12,
        sample=_newer,
    ),
    Question(
        name="deleted factor",
        title="What is the response to a code for a factor that is deleted?",
        settings=("deleted_factor_reply",),
        calls=10,
        sample=_deleted,
    ),
    Question(
        name="template",
        title="What happens to an sms_template for a TOTP factor?",
        settings=("template_without_sms",),
        calls=6,
        sample=_template,
    ),
]

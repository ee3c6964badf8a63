"""Questions about text messages, which go to a real telephone and cost money. They say how many before."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from workos_mfa import Challenge
from workos_mfa._calibration.account import Account, OddError, Subject, told
from workos_mfa._calibration.question import Answer, Found, Question
from workos_mfa._calibration.wire import Reply, VoidError

MOST_MESSAGES = 6
"""How many messages go to the number in a minute before there is said to be no limit."""

MESSAGES = 2 * (MOST_MESSAGES + 1) + 2 * 2
"""How many messages a run sends, if nothing is lost."""

_MINUTE = 61
_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_WITHOUT_CODE = "workos-mfa calibrate: this message has no code."

ReadMessage = Callable[[str], str]


def message_questions(read_message: ReadMessage) -> list[Question]:
    """The questions.

    :param read_message: asks the person for the text of the message that has just arrived.
    """

    def default_text(account: Account, _: Found) -> Answer:
        challenge = _sent(account, _phone(account))
        text = read_message("What does the text message say, word for word?").strip()
        codes = _CODE.findall(text)
        if len(codes) != 1:
            raise OddError("the text has no code of six digits")
        outcome = account.verify(challenge, codes[0])
        if outcome != "valid":
            raise OddError(f"the code of the text is {outcome}")
        return Answer("a text with a code", (("default_sms_text", text.replace(codes[0], "{{code}}")),))

    return [
        Question(
            name="text of a message",
            title="What does a message without sms_template say?",
            settings=("default_sms_text",),
            calls=8,
            sample=default_text,
            needs="phone",
        ),
        Question(
            name="template without a code",
            title="Is an sms_template without {{code}} refused?",
            settings=("template_needs_code",),
            calls=6,
            sample=_template,
            needs="phone",
        ),
        Question(
            name="rate limit of messages",
            title="How many messages may a number get in a minute?",
            settings=("sms_rate_limit", "retry_after"),
            calls=20,
            sample=_rate,
            needs="phone",
        ),
    ]


def _phone(account: Account) -> Subject:
    account.wire.wait(_MINUTE)
    factor_id, reply = account.enroll_raw({"type": "sms", "phone_number": account.phone or ""})
    if not factor_id:
        raise OddError(f"enrolling the number gets {told(reply)}")
    return account.seen(Subject(factor_id))


def _challenge(account: Account, subject: Subject) -> Challenge | Reply:
    """A challenge, or the refusal of a message."""
    account.tally.messages += 1
    made = account.settled(lambda: account.mfa.challenge_factor(subject.id))
    return made if isinstance(made, Reply) else account.is_new(made)


def _sent(account: Account, subject: Subject) -> Challenge:
    made = _challenge(account, subject)
    if isinstance(made, Reply):
        raise OddError(f"a message gets {told(made)}")
    return made


def _template(account: Account, _: Found) -> Answer:
    subject = _phone(account)
    route = "/auth/factors/{id}/challenge"
    account.tally.messages += 1
    body = {"sms_template": _WITHOUT_CODE}
    reply = account.raw("challenge_factor", route.replace("{id}", quote(subject.id, safe="")), route, body)
    if reply.status >= 400 and not reply.is_invalid_request:
        raise OddError(f"a template without a code gets {told(reply)}")
    refused = reply.status >= 400
    return Answer(f"it is {'refused' if refused else 'sent'}", (("template_needs_code", refused),))


def _rate(account: Account, _: Found) -> Answer:
    subject = _phone(account)
    for count in range(MOST_MESSAGES + 1):
        made = _challenge(account, subject)
        if not isinstance(made, Reply):
            continue
        if made.code != "sms_challenge_rate_limited" or not count:
            raise OddError(f"after {count} messages, another gets {told(made)}, so that a rate limit can't be seen")
        after = made.retry_after
        if after is not None and after != int(after):
            raise VoidError("Retry-After is no whole number")
        settings = (("sms_rate_limit", count), ("retry_after", None if after is None else int(after)))
        return Answer(f"{count} messages, and then 429, Retry-After: {settings[1][1]}", settings)
    return Answer(f"more than {MOST_MESSAGES} messages", (("sms_rate_limit", None),), is_bound=True)

"""The text messages that would have gone to a phone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

import attrs

from workos_mfa._core.redaction import NoDiffEquality, masked_phone
from workos_mfa.emulator._base.log import Record


@attrs.frozen(kw_only=True, eq=False)
class SMSMessage(NoDiffEquality):
    """One text message. Its repr shows neither code nor text and masks the number.

    :param to: the phone number in E.164 form.
    :param text: the whole text, as it would arrive.
    :param code: the one-time code of the challenge. The text holds it, unless its template does not.
    :param factor_id: the factor that was challenged.
    :param challenge_id: the challenge that the code answers.
    :param sent_at: when it was sent, by the emulator's clock.
    """

    to: str = attrs.field(repr=masked_phone)
    text: str = attrs.field(repr=False)
    code: str = attrs.field(repr=False)
    factor_id: str
    challenge_id: str
    sent_at: datetime


class Outbox(Record[SMSMessage]):
    """All text messages, oldest first; a sequence that is safe to read while calls are made.

    :param clearing: gives what is to be around the forgetting of all messages.
    """

    def __init__(self, clearing: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        super().__init__()
        self._clearing = clearing

    def clear(self) -> None:
        """Forget all messages."""
        with self._clearing():
            super().clear()

    def latest(
        self, *, to: str | None = None, factor_id: str | None = None, challenge_id: str | None = None
    ) -> SMSMessage:
        """The newest message, or the newest that fits what is given.

        :param to: the phone number in E.164 form.
        :param factor_id: the factor it belongs to.
        :param challenge_id: the challenge it belongs to.
        :raises LookupError: if there is none.
        """
        for message in reversed(self):
            if (
                to in {None, message.to}
                and factor_id in {None, message.factor_id}
                and challenge_id in {None, message.challenge_id}
            ):
                return message
        raise LookupError(
            f"no text message fits; the outbox holds {len(self)}. Only a challenge of an sms factor sends "
            "one, to the number in E.164 form, such as +15005550006"
        )

    def sent(self, message: SMSMessage) -> None:
        """Add a message."""
        self._append(message)

"""What the second factor works with: the client, the documents, the limits, the app's rules and the clock."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import Callable

import attrs

from workos_mfa import MFA
from workos_mfa.flask._second_factor import changes, workos_calls
from workos_mfa.flask._second_factor.accounts import Accounts, StoreError
from workos_mfa.flask._second_factor.document import Document
from workos_mfa.flask._second_factor.events import Event
from workos_mfa.flask._second_factor.rate_limits import Limits, Taken, TooOften
from workos_mfa.flask._second_factor.refusals import Refused


@attrs.frozen(kw_only=True)
class Rules:
    """What an app has decided.

    :param issuer: its name, as an authenticator app shows it.
    :param methods: which factors may be enrolled: ``totp``, ``sms``.
    :param sms_template: the text message, with ``{{code}}`` in it.
    :param sms_prefixes: how a phone number may begin.
    :param mandatory: whether an account must have a factor.
    :param hmac_key: gives the key under which phone numbers and used codes are hashed.
    """

    issuer: str
    methods: tuple[str, ...]
    sms_template: str
    sms_prefixes: tuple[str, ...]
    mandatory: Callable[[str], bool]
    hmac_key: Callable[[], bytes]


@attrs.frozen(kw_only=True)
class Backend:
    """What the second factor works with.

    :param mfa: the client.
    :param accounts: the documents of the accounts.
    :param limits: the counts.
    :param rules: what the app has decided.
    :param clock: gives the time in seconds.
    :param tell: called with each event, after what it is about was saved; it raises nothing.
    """

    mfa: MFA
    accounts: Accounts
    limits: Limits
    rules: Rules
    clock: Callable[[], float]
    tell: Callable[[Event], None]

    def take(self, limit: str, who: str = "", *, reason: str = "too_often") -> Taken:
        """Count one try; give what was counted.

        :raises Refused: if there is none left.
        """
        try:
            return self.limits.take(limit, who)
        except TooOften as reached:
            refused = Refused(reason, reached.wait)
        raise refused

    def hmac(self, *parts: str) -> str:
        """What is kept of a number or a code, which somebody could guess from a plain hash."""
        return hmac.new(self.rules.hmac_key(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def delete(self, factor_id: str) -> bool:
        """Delete a factor at WorkOS, without keeping the person waiting; whether it is gone."""
        return workos_calls.delete(self.mfa.with_options(deadline=5, max_attempts=1), factor_id)

    def clean_up(self, account_id: str, document: Document) -> None:
        """Delete at WorkOS what does not count any more; what can't be deleted now is tried again next time."""
        deleted: set[str] = set()
        failed: set[str] = set()
        for factor_id in document.to_delete:
            if not self.delete(factor_id):
                failed.add(factor_id)
                break
            deleted.add(factor_id)
        if not document.to_delete:
            return
        with contextlib.suppress(StoreError):  # what it is about is done: to delete them twice does no harm
            self.accounts.change(account_id, lambda document: (changes.forget_deleted(document, deleted, failed), None))

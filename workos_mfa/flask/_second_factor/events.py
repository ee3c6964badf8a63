"""What the person is to be told of, since it may not have been their own doing."""

from __future__ import annotations

from typing import Literal, get_args

import attrs

from workos_mfa.flask._second_factor.document import KnownFactor

EventName = Literal[
    "factor_added",
    "factor_removed",
    "factor_replaced",
    "locked",
    "recovery_code_issued",
    "recovery_code_used",
    "recovery_codes_made",
]
"""The names of the events."""

EVENT_NAMES: tuple[str, ...] = get_args(EventName)


@attrs.frozen(kw_only=True)
class Event:
    """Something that has happened to an account's second factor, after it was saved.

    :param name: what: one of ``EventName``.
    :param account_id: whose account.
    :param factor_type: ``totp`` or ``sms``, if it is about a factor.
    :param digits: the last two digits of the factor's phone number.
    :param left: how many recovery codes are left, if one was used.
    :param by: who of the support staff has issued a recovery code.
    :param reason: why they have.
    """

    __module__ = "workos_mfa.flask"

    name: EventName
    account_id: str
    factor_type: str = ""
    digits: str = ""
    left: int | None = None
    by: str = ""
    reason: str = ""


def about(name: EventName, account_id: str, factor: KnownFactor) -> Event:
    """An event about a factor."""
    return Event(name=name, account_id=account_id, factor_type=factor.type, digits=factor.digits)

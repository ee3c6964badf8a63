"""A factor and a challenge as the emulator keeps them: values that don't change."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from workos_mfa._core.redaction import masked_phone

LIFETIME = timedelta(minutes=10)
"""How long a challenge can be verified."""


def _masked(number: str | None) -> str:
    return repr(number) if number is None else masked_phone(number)


@attrs.frozen(kw_only=True, eq=False)
class FactorRecord:
    """A factor as the emulator keeps it; ``key`` is what a TOTP factor's Base32 secret stands for."""

    id: str
    type: str
    created_at: datetime
    user_id: str | None
    phone_number: str | None = attrs.field(default=None, repr=_masked)
    issuer: str | None = None
    user: str | None = None
    key: bytes | None = attrs.field(default=None, repr=False)
    listed: bool = True
    verified: bool = False
    wrong_codes: int = 0


@attrs.frozen(kw_only=True, eq=False)
class ChallengeRecord:
    """A challenge as the emulator keeps it; ``code`` is None for TOTP, whose codes follow the time."""

    id: str
    factor_id: str
    factor_type: str
    created_at: datetime
    expires_at: datetime
    code: str | None = attrs.field(default=None, repr=False)
    verified: bool = False
    wrong_codes: int = 0

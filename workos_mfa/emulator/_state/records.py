"""What the emulator keeps, as values that don't change, and how each is read from the JSON of a state file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import attrs

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import ClockSetting
from workos_mfa.emulator._base.log import SMSMessage

LIFETIME = timedelta(minutes=10)
"""How long a challenge can be verified."""


# Not beside the state file's class, whose module loads SQLite.
class StateFileError(OSError):
    """The state file can't be used, or can't be used any more; the text says why."""


@attrs.frozen(kw_only=True, eq=False)
class FactorRecord:
    """A factor; ``key`` is what a TOTP factor's Base32 secret stands for."""

    id: str
    type: str
    created_at: datetime
    user_id: str | None
    phone_number: str | None = attrs.field(default=None, repr=False)
    issuer: str | None = None
    user: str | None = None
    key: bytes | None = attrs.field(default=None, repr=False)
    listed: bool = True
    verified: bool = False
    wrong_codes: int = 0
    last_wrong_at: datetime | None = None


@attrs.frozen(kw_only=True, eq=False)
class ChallengeRecord:
    """A challenge; ``code`` is None for TOTP, whose codes follow the time."""

    id: str
    factor_id: str
    factor_type: str
    created_at: datetime
    expires_at: datetime
    code: str | None = attrs.field(default=None, repr=False)
    verified: bool = False
    wrong_codes: int = 0
    last_wrong_at: datetime | None = None


_Record = TypeVar("_Record", FactorRecord, ChallengeRecord, SMSMessage)


def as_json(value: object) -> object:
    """The JSON of what JSON has no form of: milliseconds since 1970, microseconds, hexadecimal, an object."""
    if isinstance(value, datetime):
        return ids.milliseconds(value)
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    if isinstance(value, bytes):
        return value.hex()
    return attrs.asdict(cast("attrs.AttrsInstance", value), recurse=False)


def record_from(kind: type[_Record], value: Mapping[str, Any]) -> _Record:
    """The record whose JSON this is."""
    fields = dict(value)
    for name in ("created_at", "expires_at", "sent_at", "last_wrong_at"):
        if fields.get(name) is not None:
            fields[name] = ids.moment(fields[name])
    if fields.get("key") is not None:
        fields["key"] = bytes.fromhex(fields["key"])
    return kind(**fields)


def clock_note(setting: ClockSetting) -> Sequence[timedelta | None]:
    """Where a clock stands, counted from 1970, and how far it is from real time."""
    return [None if setting.frozen_at is None else setting.frozen_at - ids.moment(0), setting.ahead]


def clock_setting_from(value: Sequence[Any]) -> ClockSetting:
    """The setting whose JSON this is."""
    frozen_at, ahead = value
    stands_at = None if frozen_at is None else ids.moment(0) + timedelta(microseconds=frozen_at)
    return ClockSetting(stands_at, timedelta(microseconds=ahead))

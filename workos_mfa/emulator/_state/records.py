"""Factors and challenges as the emulator keeps them, values that don't change; and all that it keeps as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar, cast

import attrs

from workos_mfa._core.redaction import masked_phone
from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import ClockSetting
from workos_mfa.emulator._base.log import SMSMessage

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


_Record = TypeVar("_Record", FactorRecord, ChallengeRecord, SMSMessage)


def as_json(record: FactorRecord | ChallengeRecord | SMSMessage) -> dict[str, object]:
    """The fields of a record; a moment as milliseconds since 1970, a key in hexadecimal."""
    return {field.name: _value_as_json(getattr(record, field.name)) for field in attrs.fields(type(record))}


def from_json(kind: type[_Record], value: object) -> _Record:
    """The record that has these fields."""
    fields: dict[str, object] = dict(cast("Mapping[str, object]", value))
    for name in ("created_at", "expires_at", "sent_at"):
        if name in fields:
            fields[name] = ids.moment(cast("int", fields[name]))
    if fields.get("key") is not None:
        fields["key"] = bytes.fromhex(str(fields["key"]))
    make = cast("type[object]", kind)
    return cast("_Record", make(**fields))


def clock_as_json(setting: ClockSetting) -> list[int | None]:
    """Where a clock stands, and how far it is from real time, in microseconds."""
    return [
        None if setting.frozen_at is None else _microseconds(setting.frozen_at - ids.moment(0)),
        _microseconds(setting.ahead),
    ]


def clock_from_json(value: object) -> ClockSetting:
    """The setting of a clock."""
    frozen_at, ahead = cast("tuple[int | None, int]", value)
    return ClockSetting(
        None if frozen_at is None else ids.moment(0) + timedelta(microseconds=frozen_at), timedelta(microseconds=ahead)
    )


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _value_as_json(value: object) -> object:
    if isinstance(value, datetime):
        return ids.milliseconds(value)
    return value.hex() if isinstance(value, bytes) else value

"""What the emulator remembers, as the JSON of its state file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar, cast

import attrs

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import ClockSetting
from workos_mfa.emulator._base.log import SMSMessage
from workos_mfa.emulator._state.records import ChallengeRecord, FactorRecord

_EPOCH = ids.moment(0)
_Record = TypeVar("_Record", FactorRecord, ChallengeRecord, SMSMessage)


def written(record: FactorRecord | ChallengeRecord | SMSMessage) -> dict[str, object]:
    """The fields of a record; a moment as milliseconds since 1970, a key in hexadecimal."""
    return {field.name: _as_json(getattr(record, field.name)) for field in attrs.fields(type(record))}


def read(kind: type[_Record], value: object) -> _Record:
    """The record that was written."""
    fields: dict[str, object] = dict(cast("Mapping[str, object]", value))
    for name in ("created_at", "expires_at", "sent_at"):
        if name in fields:
            fields[name] = ids.moment(cast("int", fields[name]))
    if fields.get("key") is not None:
        fields["key"] = bytes.fromhex(str(fields["key"]))
    make = cast("type[object]", kind)
    return cast("_Record", make(**fields))


def written_clock(setting: ClockSetting) -> list[int | None]:
    """Where a clock stands, and how far it is from real time, in microseconds."""
    return [
        None if setting.frozen_at is None else _microseconds(setting.frozen_at - _EPOCH),
        _microseconds(setting.ahead),
    ]


def read_clock(value: object) -> ClockSetting:
    """The clock that was written."""
    frozen_at, ahead = cast("tuple[int | None, int]", value)
    return ClockSetting(
        None if frozen_at is None else _EPOCH + timedelta(microseconds=frozen_at), timedelta(microseconds=ahead)
    )


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return ids.milliseconds(value)
    return value.hex() if isinstance(value, bytes) else value

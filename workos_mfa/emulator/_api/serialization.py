"""The objects of the API as the JSON that was recorded, keys in that order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from workos_mfa.emulator._domain.lifecycle import NewFactor
from workos_mfa.emulator._settings import Settings
from workos_mfa.emulator._state.records import ChallengeRecord, FactorRecord


def factor(record: FactorRecord, new: NewFactor | None = None) -> Mapping[str, object]:
    """A factor as the ``/auth`` calls show it.

    :param new: has the secret in its forms, for the one response that shows it.
    """
    return {
        "object": "authentication_factor",
        "id": record.id,
        **_times(record.created_at),
        "type": record.type,
        **_owner(record),
        **_block(record, _totp(record, new)),
    }


def factor_of_user(record: FactorRecord, new: NewFactor | None = None) -> Mapping[str, object]:
    """A factor as the user management calls show it, with the block in alphabetical order."""
    return {
        "object": "authentication_factor",
        "id": record.id,
        **_owner(record),
        "type": record.type,
        **_block(record, dict(sorted(_totp(record, new).items()))),
        **_times(record.created_at),
    }


def challenge(record: ChallengeRecord, settings: Settings) -> Mapping[str, object]:
    """A challenge; only one of a ``generic_otp`` factor shows its code."""
    shown: dict[str, object] = {
        "object": "authentication_challenge",
        "id": record.id,
        **_times(record.created_at),
    }
    if record.factor_type != "totp" or settings.totp_expires_at_sent:
        shown["expires_at"] = timestamp(record.expires_at)
    if record.factor_type == "generic_otp":
        shown["code"] = record.code
    shown["authentication_factor_id"] = record.factor_id
    return shown


def factor_list(factors: Sequence[FactorRecord], before: str | None, after: str | None) -> Mapping[str, object]:
    return {
        "object": "list",
        "data": [factor_of_user(record) for record in factors],
        "list_metadata": {"before": before, "after": after},
    }


def _totp(record: FactorRecord, new: NewFactor | None) -> Mapping[str, object]:
    names = {"issuer": record.issuer, "user": record.user}
    return names if new is None else {**names, "qr_code": new.qr_code, "secret": new.secret, "uri": new.uri}


def _owner(record: FactorRecord) -> Mapping[str, object]:
    return {} if record.user_id is None else {"user_id": record.user_id}


def _block(record: FactorRecord, totp: Mapping[str, object]) -> Mapping[str, object]:
    if record.type == "totp":
        return {"totp": totp}
    return {"sms": {"phone_number": record.phone_number}} if record.type == "sms" else {}


def _times(created_at: datetime) -> Mapping[str, object]:
    text = timestamp(created_at)
    return {"created_at": text, "updated_at": text}


def timestamp(moment: datetime) -> str:
    # The emulator's moments are all in UTC, so that the end is +00:00.
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"

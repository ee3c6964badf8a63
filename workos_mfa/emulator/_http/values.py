"""The values of the control plane: what it shows as JSON, and what it reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import cast

import attrs

from workos_mfa.emulator._base.log import Call, SMSMessage
from workos_mfa.emulator._http import error_responses


def message_as_json(message: SMSMessage) -> dict[str, object]:
    """A text message, its code included."""
    return _as_json(message)


def call_as_json(call: Call) -> dict[str, object]:
    """A call."""
    return _as_json(call)


def _as_json(value: SMSMessage | Call) -> dict[str, object]:
    shown: dict[str, object] = attrs.asdict(value)
    return {name: timestamp(field) if isinstance(field, datetime) else field for name, field in shown.items()}


def timestamp(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_object(body: bytes) -> Mapping[str, object]:
    """The JSON object in a body.

    :raises ErrorResponse: if there is none.
    """
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise error_responses.bad_command("The request body must be a JSON object.")
    return cast("dict[str, object]", value)


def check_names(values: Collection[str], possible: Collection[str]) -> None:
    """Make sure that nothing is ignored in silence.

    :raises ErrorResponse: if there are other names than the possible ones.
    """
    unknown = sorted(name for name in values if name not in possible)
    if unknown:
        raise error_responses.bad_command(f"There is no {', '.join(unknown)} here; there is: {', '.join(possible)}.")


def read_number(name: str, value: object) -> float:
    """A number.

    :raises ValueError: if it is none.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise ValueError(f"{name} takes a number of seconds, such as 601")


def read_moment(name: str, value: object) -> datetime:
    """A moment.

    :raises ValueError: if it is none.
    """
    if isinstance(value, str):
        try:
            # Python 3.10 does not read the Z.
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            pass
    raise ValueError(f"{name} takes a time in ISO 8601 with its zone, such as 2026-01-15T12:00:00Z")


def read_flag(name: str, value: object) -> bool:
    """True or false.

    :raises ValueError: if it is neither.
    """
    if isinstance(value, bool):
        return value
    raise ValueError(f"{name} takes true or false")

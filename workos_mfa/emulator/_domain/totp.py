"""The TOTP of a factor: new secrets, the steps of a code, the URI for an app. The arithmetic is in ``_core``."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import attrs

from workos_mfa._core.one_time_codes import DIGITS, STEP_SECONDS, code_for
from workos_mfa._core.redaction import NoDiffEquality
from workos_mfa.emulator._base.randomness import Randomness

_SECRET_BYTES = 20


@attrs.frozen(kw_only=True, eq=False)
class TOTPCode(NoDiffEquality):
    """What an authenticator app shows for one factor. Its repr does not show the code.

    :param factor_id: the factor.
    :param issuer: the name of the service, as the app shows it.
    :param user: the name of the account, as the app shows it.
    :param code: the six digits.
    """

    factor_id: str
    issuer: str
    user: str
    code: str = attrs.field(repr=False)


def new_secret(randomness: Randomness) -> str:
    key = randomness.bits(8 * _SECRET_BYTES).to_bytes(_SECRET_BYTES, "big")
    return base64.b32encode(key).decode()


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def steps_of(code: str, *, key: bytes, moment: datetime, back: int, ahead: int) -> Iterator[int]:
    """The steps around a moment whose code this is, the nearest first; mostly none or one.

    :param back: how many steps before the present one count too.
    :param ahead: how many steps after it.
    """
    middle = step_at(moment)
    for distance in range(max(back, ahead) + 1):
        for step in {middle - min(distance, back), middle + min(distance, ahead)}:
            if abs(step - middle) == distance and step >= 0 and code_for(key, step) == code:
                yield step


def uri(*, issuer: str, user: str, secret: str, form: Literal["short", "full"]) -> str:
    """The ``otpauth://`` URI of a secret, which an authenticator app reads from the QR code.

    :param form: ``"full"`` also names what is the same for every factor: algorithm, digits and period.
    """
    # Half of a surrogate pair can come in as JSON, and has no bytes to be escaped.
    issuer, user = (quote(part, safe="@", errors="replace") for part in (issuer, user))
    text = f"otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}"
    if form == "full":
        text += f"&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
    return text

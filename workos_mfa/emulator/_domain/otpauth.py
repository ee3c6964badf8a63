"""The ``otpauth://`` URI that an authenticator app reads from the QR code."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from workos_mfa.emulator._domain import totp


def uri(*, issuer: str, user: str, secret: str, form: Literal["short", "full"]) -> str:
    """The URI of a TOTP secret.

    :param form: ``"full"`` also names what is the same for every factor: algorithm, digits and period.
    """
    # Half of a surrogate pair can come in as JSON, and has no bytes to be escaped.
    issuer, user = (quote(part, safe="@", errors="replace") for part in (issuer, user))
    text = f"otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}"
    if form == "full":
        text += f"&algorithm=SHA1&digits={totp.DIGITS}&period={totp.STEP_SECONDS}"
    return text

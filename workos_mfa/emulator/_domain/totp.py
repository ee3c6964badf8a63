"""Time-based one-time passwords (RFC 6238) as WorkOS uses them: SHA-1, six digits, thirty seconds.

Written out rather than taken from a library because WorkOS' own example has an 80-bit secret, which
libraries refuse as too short, and because a dozen lines are easier to trust than a dependency.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import attrs

from workos_mfa._core.redaction import NoDiffEquality
from workos_mfa.emulator._base.randomness import Randomness

STEP_SECONDS = 30
DIGITS = 6

_SECRET_BYTES = 20
# 80 bits at least, as in WorkOS' own example.
_BASE32 = re.compile(r"[A-Z2-7]{16,}={0,6}")


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


def bare_secret(text: str) -> str | None:
    """A Base32 secret without its padding, or None where the text is none or one of less than 80 bits."""
    bare = text.rstrip("=")
    # At these lengths the last character would be part of no byte: something is missing.
    return bare if _BASE32.fullmatch(text) and len(bare) % 8 not in {1, 3, 6} else None


def key_of(secret: str) -> bytes:
    """The bytes that a Base32 secret stands for, with or without its padding."""
    bare = secret.rstrip("=")
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def code_for(key: bytes, step: int) -> str:
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def steps_of(code: str, *, key: bytes, moment: datetime, window: int) -> Iterator[int]:
    """The steps around a moment whose code this is, the nearest first; mostly none or one.

    :param window: how many steps before and after the present one count too.
    """
    middle = step_at(moment)
    for distance in range(window + 1):
        for step in {middle - distance, middle + distance}:
            if step >= 0 and code_for(key, step) == code:
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

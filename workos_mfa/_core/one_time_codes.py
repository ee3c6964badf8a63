"""The arithmetic of time-based one-time passwords (RFC 6238), as WorkOS uses them: SHA-1, six digits, thirty seconds.

Written out rather than taken from a library because WorkOS' own example has an 80-bit secret, which
libraries refuse as too short, and because a dozen lines are easier to trust than a dependency.
"""

from __future__ import annotations

import base64
import hmac
import re

STEP_SECONDS = 30
DIGITS = 6

# 80 bits at least, as in WorkOS' own example.
_BASE32 = re.compile(r"[A-Z2-7]{16,}={0,6}")


def bare_secret(text: str) -> str | None:
    """A Base32 secret without its padding, or None where the text is none or one of less than 80 bits."""
    bare = text.rstrip("=")
    # At these lengths the last character would be part of no byte: something is missing.
    return bare if _BASE32.fullmatch(text) and len(bare) % 8 not in {1, 3, 6} else None


def key_of(secret: str) -> bytes:
    """The bytes that a Base32 secret stands for, with or without its padding."""
    bare = secret.rstrip("=")
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def code_for(key: bytes, step: int) -> str:
    """The code of a key for a step: so many times thirty seconds since 1970."""
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"

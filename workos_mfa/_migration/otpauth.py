"""TOTP secrets and ``otpauth://`` URIs as other providers write them, and what WorkOS can take of them.

WorkOS knows SHA-1, six digits and thirty seconds alone. No reason that is given here repeats a part of a secret.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

SHORTEST = 16
"""80 bits, the shortest secret that authenticator apps have had; also the length of the one in WorkOS' own example."""
_LONGEST = 512

_BASE32 = re.compile(r"[A-Z2-7]+")
_BETWEEN = re.compile(r"[\s\-]+")
# At these lengths the last character would be a part of no byte: something is missing.
_IMPOSSIBLE_ENDS = {1, 3, 6}
_SHA1 = {"SHA1", "SHA-1", "HMACSHA1"}


class BadRowError(Exception):
    """A row can't be imported; the text is the reason, without any value of the row's."""


@attrs.frozen(eq=False)
class OTPAuth:
    """What an ``otpauth://`` URI says.

    :param secret: in Base32, normalised.
    :param issuer: the name of the service, if it is there.
    :param account: the name of the account, if it is there.
    """

    secret: str = attrs.field(repr=False)
    issuer: str
    account: str


def normalised_secret(text: str) -> str:
    """A secret in upper case, without the spaces, hyphens and padding that it may be written with.

    :raises BadRowError: if it is not Base32.
    """
    secret = _BETWEEN.sub("", text).upper().rstrip("=")
    if not secret:
        raise BadRowError("the secret is empty")
    if not _BASE32.fullmatch(secret):
        raise BadRowError("the secret is not Base32, which has the letters A to Z and the digits 2 to 7")
    if len(secret) < SHORTEST:
        raise BadRowError(f"the secret has fewer than {SHORTEST} characters, so something is missing")
    if len(secret) > _LONGEST:
        raise BadRowError(f"the secret has more than {_LONGEST} characters")
    if len(secret) % 8 in _IMPOSSIBLE_ENDS:
        raise BadRowError("the secret has a length that Base32 can't have, so something is missing")
    return secret


def read_uri(uri: str) -> OTPAuth:
    """Read an ``otpauth://totp/`` URI.

    :raises BadRowError: if it is none, or one that WorkOS can't take.
    """
    try:
        parts = urlsplit(uri.strip())
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise BadRowError("the URI can't be read") from None
    scheme, kind = parts.scheme.lower(), parts.netloc.lower()
    if scheme == "otpauth-migration":
        raise BadRowError(
            "the URI is an export of Google Authenticator's, which holds several secrets: unpack it first"
        )
    if scheme != "otpauth":
        raise BadRowError("the URI does not begin with otpauth://")
    if kind != "totp":
        raise BadRowError("the URI is for codes by a counter (HOTP) or of another kind, and WorkOS takes TOTP alone")
    names = [name.lower() for name, _ in pairs]
    if len(set(names)) < len(names):
        raise BadRowError("the URI has a parameter twice")
    found = dict(zip(names, (value for _, value in pairs), strict=True))
    _check_kind(found)
    issuer, colon, account = unquote(parts.path.removeprefix("/")).partition(":")
    if not colon:
        issuer, account = "", issuer
    return OTPAuth(
        secret=normalised_secret(found.get("secret", "")),
        issuer=(found.get("issuer") or issuer).strip(),
        account=account.strip(),
    )


def _check_kind(parameters: dict[str, str]) -> None:
    if parameters.get("algorithm", "SHA1").upper() not in _SHA1:
        raise BadRowError("the URI asks for another algorithm than SHA-1, which is the one that WorkOS takes")
    if parameters.get("digits", "6") != "6":
        raise BadRowError("the URI asks for codes of other than 6 digits, which is what WorkOS takes")
    if parameters.get("period", "30") != "30":
        raise BadRowError("the URI asks for other than 30 seconds, which is what WorkOS takes")

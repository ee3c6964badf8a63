"""Recovery codes: how they look, and what is kept of them."""

from __future__ import annotations

import hashlib
import re
import secrets

COUNT = 10

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter looks like a digit
_LENGTH = 16  # of five bits each
_MISREAD = str.maketrans("oil", "011")
_SEPARATORS = re.compile("[^0-9a-z]")


def new_code() -> str:
    """A code of 80 random bits, in four groups, such as ``7k2m-x9qd-0wtr-5hzc``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, _LENGTH, 4))


def hashed(account_id: str, code: str) -> str:
    """What is kept of a code, however it was typed. A plain hash is enough, since nobody can try 80 bits."""
    letters = _SEPARATORS.sub("", code.lower().translate(_MISREAD))
    return hashlib.sha256(f"{account_id}\0{letters}".encode()).hexdigest()

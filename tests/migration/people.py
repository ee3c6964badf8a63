"""People who come from another provider, and files with their secrets."""

from __future__ import annotations

import base64
import csv
import hmac
import random
from pathlib import Path

SHORT = 10  # bytes: the QR code of such a secret is the quickest to draw


def secret_of(number: int) -> str:
    """The secret of a person."""
    return base64.b32encode(random.Random(number).randbytes(SHORT)).decode()  # noqa: S311


def user_of(number: int) -> str:
    """The id of a person."""
    return f"user_{number:07}"


def write_people(path: Path, count: int) -> Path:
    """A CSV file with so many people, whose accounts are their ids."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "secret", "issuer", "account"])
        rows.writerows([user_of(number), secret_of(number), "A", user_of(number)] for number in range(count))
    return path


def code_of(secret: str, moment: float) -> str:
    """The code that an app with this secret shows at a moment (RFC 6238, written anew)."""
    digest = hmac.digest(base64.b32decode(secret), (int(moment) // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"

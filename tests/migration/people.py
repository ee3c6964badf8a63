"""People who come from another provider: files with their secrets, and imports of them as processes."""

from __future__ import annotations

import base64
import csv
import hmac
import os
import random
import subprocess
import sys
from collections.abc import Mapping
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


def environment(base_url: str, key: str) -> dict[str, str]:
    """The environment of a process that calls an emulator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKOS_")}
    return {**kept, "WORKOS_BASE_URL": base_url, "WORKOS_API_KEY": key}


def importing(file: Path, *arguments: str, env: Mapping[str, str]) -> subprocess.Popen[str]:
    """``workos-mfa import-totp`` as a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "workos_mfa", "import-totp", str(file), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)  # noqa: S603

"""Write the corpus: each case by a name that says what it is. ``python -m tests.fuzz.make_corpus``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fuzz.target import STATUSES
from tests.operations import CALLS, CHALLENGE, VERIFICATION


def case_of(call: int, status: int, body: bytes) -> bytes:
    """The bytes of a case: the numbers of a call and of a status, and a body."""
    return bytes([call, status]) + body


CORPUS = Path(__file__).parent / "corpus"
NUMBERS = {call.label.replace(" ", "-"): number for number, call in enumerate(CALLS)}
VERIFY = NUMBERS["verify"]
INSIDE = json.dumps(CHALLENGE).encode()
FORGED = json.dumps({"message": "a\nb\x1b[2J\u2028\u202e", "code": "\r\n", "errors": [{"\n": "\n"}, "\x00", 7, {}]})

CASES = {
    **{
        f"right-{name}": case_of(number, 1, json.dumps(CALLS[number].body).encode()) for name, number in NUMBERS.items()
    },
    **{
        f"right-body-wrong-status-{status}": case_of(VERIFY, position, json.dumps(VERIFICATION).encode())
        for position, status in enumerate(STATUSES)
        if status >= 300
    },
    **{f"forged-{status}": case_of(VERIFY, position, FORGED.encode()) for position, status in enumerate(STATUSES)},
    "nothing": b"",
    "no-status": b"\x03",
    "empty-body": case_of(VERIFY, 1, b""),
    "valid-is-1": case_of(VERIFY, 1, b'{"challenge": ' + INSIDE + b', "valid": 1}'),
    "valid-is-a-text": case_of(VERIFY, 1, b'{"challenge": ' + INSIDE + b', "valid": "true"}'),
    "valid-twice": case_of(VERIFY, 1, b'{"challenge": ' + INSIDE + b', "valid": false, "valid": true}'),
    "valid-twice-escaped": case_of(VERIFY, 1, b'{"challenge": ' + INSIDE + b', "valid": false, "\\u0076alid": true}'),
    "nan": case_of(VERIFY, 1, b'{"challenge": NaN, "valid": NaN}'),
    "deep": case_of(VERIFY, 1, b"[" * 100_000),
    "deep-error": case_of(VERIFY, 8, b'{"errors": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "many-digits": case_of(VERIFY, 1, b'{"valid": ' + b"9" * 5000 + b"}"),
    "half-a-surrogate": case_of(VERIFY, 8, b'{"message": "\\ud800", "code": "\\udfff"}'),
    "utf-16": case_of(VERIFY, 1, json.dumps(VERIFICATION).encode("utf-16")),
    "mark-before-utf-8": case_of(VERIFY, 1, b"\xef\xbb\xbf" + json.dumps(VERIFICATION).encode()),
    "year-0": case_of(
        VERIFY, 1, json.dumps({"challenge": {**CHALLENGE, "created_at": "0000-01-01T00:00:00Z"}}).encode()
    ),
    "hour-24": case_of(
        VERIFY, 1, json.dumps({"challenge": {**CHALLENGE, "created_at": "2022-01-01T24:00:00Z"}}).encode()
    ),
    "offset-of-days": case_of(
        VERIFY, 1, json.dumps({"challenge": {**CHALLENGE, "created_at": "2022-01-01T00:00:00+99:99"}}).encode()
    ),
    "page-of-pages": case_of(NUMBERS["list"], 0, b'{"data": [{"data": []}], "list_metadata": {"after": "x"}}'),
}

if __name__ == "__main__":
    for name, case in CASES.items():
        (CORPUS / name).write_bytes(case)

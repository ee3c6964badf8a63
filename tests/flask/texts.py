"""A document with something in each place, its text as it was written once, and texts that are no documents."""

from __future__ import annotations

import json

from workos_mfa.flask._second_factor.document import (
    Document,
    Enrolment,
    KnownFactor,
    Permit,
    Session,
    SupportCode,
    UsedCode,
)

FULL = Document(
    generation="a generation",
    factors=(
        KnownFactor(id="auth_factor_1", type="totp"),
        KnownFactor(id="auth_factor_2", type="sms", digits="06", number="an HMAC"),
    ),
    enrolment=Enrolment(factor=KnownFactor(id="auth_factor_3", type="totp"), step="a step"),
    recovery_codes=("a hash", "another hash"),
    support_code=SupportCode(hash="a hash", until=5.0),
    sessions=(
        Session(id="a session", token="a hash", since=1.0, password=1.0),
        Session(
            id="another session",
            token="another hash",
            since=2.0,
            password=2.0,
            proved=3,
            permit=Permit(change="replace", until=4.0, target="auth_factor_1"),
        ),
    ),
    used_codes=(UsedCode(hmac="an HMAC", at=3.5),),
    to_delete=("auth_factor_4",),
)

FULL_TEXT = """{"version": 1, "revision": "a revision", "generation": "a generation",
"factors": [{"id": "auth_factor_1", "type": "totp", "digits": "", "number": ""},
            {"id": "auth_factor_2", "type": "sms", "digits": "06", "number": "an HMAC"}],
"enrolment": {"factor": {"id": "auth_factor_3", "type": "totp", "digits": "", "number": ""}, "step": "a step"},
"recovery_codes": ["a hash", "another hash"],
"support_code": {"hash": "a hash", "until": 5.0},
"sessions": [{"id": "a session", "token": "a hash", "since": 1.0, "password": 1.0, "proved": null, "permit": null},
             {"id": "another session", "token": "another hash", "since": 2.0, "password": 2.0, "proved": 3,
              "permit": {"change": "replace", "until": 4.0, "target": "auth_factor_1"}}],
"used_codes": [{"hmac": "an HMAC", "at": 3.5}],
"to_delete": ["auth_factor_4"]}"""

_OTHERS: list[object] = [
    None,
    True,
    1,
    "",
    "text",
    [],
    {},
    [FULL_TEXT],
    {"version": 1},
    {"version": 1, "revision": "1"},
]

UNREADABLE = [
    "",
    " ",
    "\0",
    "not JSON",
    FULL_TEXT + FULL_TEXT,
    "[" * 100_000,
    '{"factors":' * 100_000,
    *map(json.dumps, _OTHERS),
    *(
        FULL_TEXT.replace('"version": 1', f'"version": {version}')
        for version in ("2", "0", '"1"', "null", "true", "1.0")
    ),
    FULL_TEXT.replace('"a revision"', '""'),
    FULL_TEXT.replace('"version": 1, ', ""),
    FULL_TEXT.replace('"revision": "a revision", ', ""),
]

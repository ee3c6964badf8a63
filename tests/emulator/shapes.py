"""What each answer of the API looks like, written from what is known of the API and not from the emulator's code.

A shape is a mapping of names to rules, and a rule says whether it accepts a value. Nothing may be there that is not
named, since a field that only the emulator has would be relied on and then missed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.emulator.caller import Answer, Caller
from workos_mfa import Transport
from workos_mfa._core.transport import Request, Response
from workos_mfa.emulator import Emulator

Rule: TypeAlias = Callable[[Any], bool]
Shape: TypeAlias = Mapping[str, Rule]

ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


def text(pattern: str) -> Rule:
    """A string of this form."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


def exactly(*values: object) -> Rule:
    """One of these values."""
    return lambda value: any(value is each or (isinstance(each, str) and value == each) for each in values)


def an_object(shape: Shape, optional: Shape | None = None) -> Rule:
    """An object with these fields, and perhaps some of the optional ones."""
    return lambda value: not problems(value, shape, optional)


def a_list(rule: Rule) -> Rule:
    """A list of such things."""
    return lambda value: isinstance(value, list) and all(map(rule, value))


def either(*rules: Rule) -> Rule:
    """What one of the rules accepts."""
    return lambda value: any(rule(value) for rule in rules)


def problems(value: object, shape: Shape, optional: Shape | None = None) -> list[str]:
    """What is wrong with a value that should have this shape."""
    if not isinstance(value, dict):
        return ["it is no object"]
    more = optional or {}
    wrong = [f"{name} is missing" for name in shape if name not in value]
    wrong += [f"{name} is not known" for name in value if name not in shape and name not in more]
    rules = {**shape, **more}
    return wrong + [f"{name} is {field!r}" for name, field in value.items() if name in rules and not rules[name](field)]


SOME_TEXT = text(".+")
MOMENT = text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FACTOR_ID = text(f"auth_factor_{ULID}")
CHALLENGE_ID = text(f"auth_challenge_{ULID}")
PHONE = text(r"\+[1-9]\d{6,14}")
CODE = text(r"\d{6}")

NAMES: Shape = {"issuer": SOME_TEXT, "user": SOME_TEXT}
SECRETS: Shape = {
    "secret": text("[A-Z2-7]{16,}"),
    "qr_code": text("data:image/png;base64,[A-Za-z0-9+/]+={0,2}"),
    "uri": text(r"otpauth://totp/.+\?secret=[A-Z2-7]{16,}&issuer=.+"),
}
BASE: Shape = {"object": exactly("authentication_factor"), "id": FACTOR_ID, "created_at": MOMENT, "updated_at": MOMENT}
OWNER: Shape = {"user_id": SOME_TEXT}


def a_factor(totp: Shape) -> Rule:
    """A factor of any type; each type has its own block and no other's."""
    return either(
        an_object({**BASE, "type": exactly("totp"), "totp": an_object(totp)}, OWNER),
        an_object({**BASE, "type": exactly("sms"), "sms": an_object({"phone_number": PHONE})}, OWNER),
        an_object({**BASE, "type": exactly("generic_otp")}, OWNER),
    )


FACTOR = a_factor(NAMES)
ENROLLED = a_factor({**NAMES, **SECRETS})
CHALLENGE = an_object(
    {
        "object": exactly("authentication_challenge"),
        "id": CHALLENGE_ID,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "authentication_factor_id": FACTOR_ID,
    },
    {"expires_at": MOMENT, "code": CODE},
)
VERIFICATION = an_object({"challenge": CHALLENGE, "valid": exactly(True, False)})  # noqa: FBT003
USER_ENROLLMENT = an_object({"authentication_factor": ENROLLED, "authentication_challenge": CHALLENGE})
CURSOR = either(exactly(None), FACTOR_ID)
PAGE = an_object(
    {
        "object": exactly("list"),
        "data": a_list(FACTOR),
        "list_metadata": an_object({"before": CURSOR, "after": CURSOR}),
    }
)

NOTHING = exactly(None)

SUCCESSES: Mapping[tuple[str, str], tuple[set[int], Rule]] = {
    ("POST", "/auth/factors/enroll"): ({201}, ENROLLED),
    ("GET", "/auth/factors/[^/]+"): ({200}, FACTOR),
    ("DELETE", "/auth/factors/[^/]+"): ({200, 204}, NOTHING),
    ("POST", "/auth/factors/[^/]+/challenge"): ({201}, CHALLENGE),
    ("POST", "/auth/challenges/[^/]+/verify"): ({201}, VERIFICATION),
    ("POST", "/user_management/users/[^/]+/auth_factors"): ({201}, USER_ENROLLMENT),
    ("GET", "/user_management/users/[^/]+/auth_factors"): ({200}, PAGE),
    ("POST", "/auth/factors/challenge"): ({201}, CHALLENGE),
    ("POST", "/auth/factors/verify"): ({201}, VERIFICATION),
}
"""The seven calls, and the two paths of 2022."""

_BY_FIELD = an_object(
    {"message": exactly("Validation failed"), "errors": a_list(an_object({"field": SOME_TEXT, "code": SOME_TEXT}))}
)
_BY_CODE = an_object(
    {
        "code": exactly("invalid_request_parameters"),
        "message": exactly("Validation failed."),
        "errors": a_list(an_object({"code": SOME_TEXT, "message": SOME_TEXT})),
    }
)


def coded(*codes: str) -> Rule:
    """An error with a code and a message."""
    return an_object({"code": exactly(*codes), "message": SOME_TEXT})


_INVALID = (_BY_FIELD, _BY_CODE, coded("invalid_request_body"))
REFUSALS: Mapping[int, Rule] = {
    400: either(coded("one_time_code_too_many_attempts", "one_time_code_previously_used"), *_INVALID),
    401: an_object({"message": exactly("Unauthorized")}),
    404: an_object(
        {"message": SOME_TEXT, "code": exactly("entity_not_found"), "entity_id": either(exactly(""), SOME_TEXT)}
    ),
    422: either(
        coded(
            "invalid_phone_number",
            "authentication_challenge_previously_verified",
            "authentication_challenge_expired",
            "authentication_factor_limit_reached",
        ),
        *_INVALID,
    ),
    429: coded("sms_challenge_rate_limited", "sms_challenge_quota_reached"),
    # The emulator's own, for what the API does not have.
    405: coded("method_not_allowed"),
    501: coded("not_implemented_by_emulator"),
}


def problem(method: str, path: str, status: int, body: object) -> str | None:
    """What is wrong with an answer, or None."""
    if status >= 400:
        rule = REFUSALS.get(status)
        return None if rule and rule(body) else f"a {status} must not look like this: {body}"
    # A path without an id goes before one that has it in the same place.
    for (wanted, pattern), (statuses, shape) in reversed(list(SUCCESSES.items())):
        if wanted == method and re.fullmatch(pattern, path):
            return None if status in statuses and shape(body) else f"{method} {path} must not give {status} {body}"
    return f"{method} {path} has no successful answer"


class CheckingCaller(Caller):
    """A caller that checks every response against the description of the API."""

    def __init__(self, emulator: Emulator, transport: Transport) -> None:
        super().__init__(emulator)
        self._transport = transport

    def send(
        self,
        method: str,
        path: str,
        json_body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make any call."""
        path = path.replace(" ", "%20")
        response = self._transport.send(Request("any", method, path, path, json=json_body, query=query or {}))
        shown = json.loads(response.body) if response.body else None
        assert problem(method, path, response.status, shown) is None
        # A response in process has no date.
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        assert ("date" in response.headers) is not isinstance(self._transport, Emulator)
        return Answer(response.status, shown, Response(response.status, headers, response.body))

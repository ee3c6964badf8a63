"""JSON to models: the one place that knows the wire's field names.

What the API promises is required strictly: an MFA response that is only half understood must not count as
one. Everything else (unknown fields, unknown factor types, missing optional fields) is allowed. An error
names the place in the JSON, never the value there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn, TypeVar, cast

import attrs

from workos_mfa._core.models import (
    SMS,
    TOTP,
    Challenge,
    Factor,
    Page,
    SMSFactor,
    TOTPEnrollment,
    TOTPFactor,
    UserEnrollment,
    Verification,
)

T = TypeVar("T")
F = TypeVar("F", bound=Factor)


class ParseError(Exception):
    """The response is not what the API promises; the text names the place."""


@attrs.frozen
class Problem:
    """What an error response says; anything may be missing."""

    code: str | None = None
    message: str | None = None
    errors: tuple[Mapping[str, str], ...] = ()


def problem(body: bytes) -> Problem:
    """Whatever can be read of an error response: it may be JSON of several shapes, a bare text, or HTML."""
    try:
        parsed = _parsed(body)
    except ParseError:
        return Problem()
    if isinstance(parsed, str):
        return Problem(message=parsed)
    if not isinstance(parsed, dict):
        return Problem()
    fields = cast("dict[str, object]", parsed)
    message = _joined(fields.get("message")) or _text_or_none(fields.get("error_description"))
    code = _text_or_none(fields.get("code"))
    if code is None and "error_description" in fields:
        code = _text_or_none(fields.get("error"))
    return Problem(code=code, message=message, errors=_single_problems(fields.get("errors")))


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _joined(message: object) -> str | None:
    if isinstance(message, list):
        lines = cast("list[object]", message)
        return "; ".join(line for line in lines if isinstance(line, str)) or None
    return _text_or_none(message)


def _single_problems(errors: object) -> tuple[Mapping[str, str], ...]:
    if not isinstance(errors, list):
        return ()
    found: list[Mapping[str, str]] = []
    for entry in cast("list[object]", errors):
        if isinstance(entry, str):
            found.append({"message": entry})
        elif isinstance(entry, dict):
            texts = cast("dict[str, object]", entry).items()
            found.append({name: value for name, value in texts if isinstance(value, str)})
    return tuple(entry for entry in found if entry)


class JSONObject:
    """A JSON object and the place it stands at."""

    def __init__(self, values: Mapping[str, object], place: str) -> None:
        self.values = values
        self.place = place

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if isinstance(value, str) and value:
            return value
        self._wrong(name, "a text")

    def optional_text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        self._wrong(name, "a text or null")

    def boolean(self, name: str) -> bool:
        value = self.values.get(name)
        if isinstance(value, bool):
            return value
        self._wrong(name, "true or false")

    def moment(self, name: str) -> datetime:
        value = self.values.get(name)
        moment = _moment(value) if isinstance(value, str) else None
        if moment is not None:
            return moment
        self._wrong(name, "a date and time with its offset")

    def optional_moment(self, name: str) -> datetime | None:
        return None if self.values.get(name) is None else self.moment(name)

    def inner(self, name: str) -> JSONObject:
        if name not in self.values:
            self._wrong(name, "an object")
        return _as_object(self.values[name], f"{self.place}.{name}")

    def optional_inner(self, name: str, read: Callable[[JSONObject], T]) -> T | None:
        return None if self.values.get(name) is None else read(self.inner(name))

    def each(self, name: str) -> list[JSONObject]:
        value = self.values.get(name)
        if not isinstance(value, list):
            self._wrong(name, "a list")
        items = cast("list[object]", value)
        return [_as_object(item, f"{self.place}.{name}[{index}]") for index, item in enumerate(items)]

    def _wrong(self, name: str, expected: str) -> NoReturn:
        found = "is missing" if name not in self.values else f"is not {expected}"
        raise ParseError(f"{self.place}.{name} {found}")


def _as_object(value: object, place: str) -> JSONObject:
    if isinstance(value, dict):
        return JSONObject(cast("dict[str, object]", value), place)
    raise ParseError(f"{place} is not an object")


def document(body: bytes) -> JSONObject:
    """The JSON object that a response is."""
    return _as_object(_parsed(body), "$")


def _parsed(body: bytes) -> object:
    if not body:
        raise ParseError("$ is missing: the body is empty")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ParseError("$ is not JSON in UTF-8") from None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Two readers could read an object that has a name twice in two ways.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))", re.ASCII)


def _moment(text: str) -> datetime | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    to_the_second, fraction, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{to_the_second}.{fraction or '':0<6.6}{offset or '+00:00'}")
    except ValueError:
        return None


def factor(fields: JSONObject) -> Factor:
    return _built(Factor, fields, totp=fields.optional_inner("totp", _totp), sms=fields.optional_inner("sms", _sms))


def totp_factor(fields: JSONObject) -> TOTPFactor:
    return _built(TOTPFactor, fields, totp=_totp_enrollment(fields.inner("totp")))


def sms_factor(fields: JSONObject) -> SMSFactor:
    return _built(SMSFactor, fields, sms=_sms(fields.inner("sms")))


ENROLLED_FACTORS: Mapping[str, Callable[[JSONObject], Factor]] = {
    "totp": totp_factor,
    "sms": sms_factor,
    "generic_otp": factor,
}


def challenge(fields: JSONObject) -> Challenge:
    return Challenge(
        object=fields.text("object"),
        id=fields.text("id"),
        authentication_factor_id=fields.text("authentication_factor_id"),
        created_at=fields.moment("created_at"),
        updated_at=fields.moment("updated_at"),
        expires_at=fields.optional_moment("expires_at"),
        code=fields.optional_text("code"),
    )


def verification(fields: JSONObject) -> Verification:
    """The result of verifying a code: only a JSON ``true`` is true."""
    return Verification(challenge=challenge(fields.inner("challenge")), valid=fields.boolean("valid"))


def user_enrollment(fields: JSONObject) -> UserEnrollment:
    enrolled = totp_factor(fields.inner("authentication_factor"))
    made = challenge(fields.inner("authentication_challenge"))
    if made.authentication_factor_id != enrolled.id:
        raise ParseError("$.authentication_challenge.authentication_factor_id is not $.authentication_factor.id")
    return UserEnrollment(factor=enrolled, challenge=made)


def factor_page(fields: JSONObject) -> Page[Factor]:
    cursors = fields.inner("list_metadata")
    return Page(
        items=tuple(map(factor, fields.each("data"))),
        before=cursors.optional_text("before"),
        after=cursors.optional_text("after"),
    )


def _built(kind: Callable[..., F], fields: JSONObject, **blocks: object) -> F:
    return kind(
        object=fields.text("object"),
        id=fields.text("id"),
        type=fields.text("type"),
        created_at=fields.moment("created_at"),
        updated_at=fields.moment("updated_at"),
        user_id=fields.optional_text("user_id"),
        **blocks,
    )


def _totp(fields: JSONObject) -> TOTP:
    return TOTP(issuer=fields.optional_text("issuer"), user=fields.optional_text("user"))


def _totp_enrollment(fields: JSONObject) -> TOTPEnrollment:
    return TOTPEnrollment(
        issuer=fields.optional_text("issuer"),
        user=fields.optional_text("user"),
        secret=fields.text("secret"),
        qr_code=fields.text("qr_code"),
        uri=fields.text("uri"),
    )


def _sms(fields: JSONObject) -> SMS:
    return SMS(phone_number=fields.text("phone_number"))

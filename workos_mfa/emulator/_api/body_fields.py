"""Validates the body or the query of a request, and returns what the domain needs.

The messages are in the words of the validation library that the API uses, as far as other calls of the API have
shown them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Literal, cast

from workos_mfa._core import one_time_codes
from workos_mfa.emulator._domain import error_responses, qr, totp
from workos_mfa.emulator._domain.lifecycle import NewFactor
from workos_mfa.emulator._domain.phone_numbers import PLACEHOLDER, normalised_phone
from workos_mfa.emulator._settings import Settings

_TYPES = ("generic_otp", "sms", "totp")
_ENROLL = ("type", "phone_number", "totp_issuer", "totp_user", "user_id")
_CREATE = ("type", "totp_issuer", "totp_user", "totp_secret")
_LONGEST_TEMPLATE = 160
_LONGEST_NAME = 255
_LINK = re.compile(r"://|\b[^\W_](?:[\w-]*[^\W_])?\.[^\W\d_]{2,}\b")


def _no_constant(name: str) -> None:
    # Python reads NaN and Infinity, which JSON does not have.
    raise ValueError(name)


_JSON = json.JSONDecoder(parse_constant=_no_constant)


class Fields:
    """The properties of one request. Problems are collected; :meth:`check` raises them.

    A method that reads a property returns something of the right type where it is invalid, too.
    """

    def __init__(self, values: Mapping[str, object], settings: Settings) -> None:
        self._values = values
        self._settings = settings
        self._problems: list[tuple[str, str]] = []

    def only(self, known: Collection[str]) -> None:
        for name in self._values:
            if name not in known:
                self.problem(name, f"property {name} should not exist")

    def required(self, name: str, *, longest: int | None = None) -> str:
        """A string that must be there and not empty."""
        value = self._values.get(name)
        if not isinstance(value, str):
            self.problem(name, f"{name} must be a string")
            return ""
        if not value:
            self.problem(name, f"{name} should not be empty")
        elif longest is not None and len(value) > longest:
            self.problem(name, f"{name} must be shorter than or equal to {longest} characters")
        return value

    def optional(self, name: str, *, longest: int | None = None) -> str | None:
        """A string that may be missing or null."""
        return None if self._values.get(name) is None else self.required(name, longest=longest)

    def optional_or_empty(self, name: str, *, longest: int | None = None) -> str | None:
        """A string that may be missing, null or empty. The official Go SDK sends empty strings."""
        return None if self._values.get(name) == "" else self.optional(name, longest=longest)

    def one_of(self, name: str, choices: Collection[str]) -> str:
        value = self._values.get(name)
        if isinstance(value, str) and value in choices:
            return value
        self.problem(name, f"{name} must be a valid enum value")
        return ""

    def phone(self, name: str, *, needed: bool) -> str:
        """A phone number as it was written, empty if there is none.

        An empty string passes: the API calls it an invalid number, not a missing one.
        """
        value = self._values.get(name)
        if isinstance(value, str):
            return value
        if needed or value is not None:
            self.problem(name, f"{name} must be a string")
        return ""

    def code(self, name: str) -> str:
        value = self._values.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and self._settings.number_as_code == "read":
            return str(value)
        return self.required(name)

    def problem(self, name: str, sentence: str) -> None:
        """Note that a property is invalid, in a sentence without its value."""
        self._problems.append((name, sentence))

    def check(self) -> None:
        """Raise an :class:`ErrorResponse` with all problems, if there are any."""
        if self._problems:
            raise error_responses.invalid(self._problems, self._settings)


def body_fields(body: bytes, known: Collection[str], settings: Settings) -> Fields:
    """The properties of a JSON body. An empty body has none, as with the API."""
    value: object = {}
    if body:
        try:
            value = _JSON.decode(body.decode())
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise error_responses.unreadable()
    fields = Fields(cast("dict[str, object]", value), settings)
    if settings.unknown_properties == "refused":
        fields.only(known)
    return fields


def read_enroll(body: bytes, settings: Settings, new_secret: Callable[[], str]) -> NewFactor:
    """The factor that ``/auth/factors/enroll`` is asked for."""
    fields = body_fields(body, _ENROLL, settings)
    kind = fields.one_of("type", _TYPES)
    user_id = fields.optional("user_id")
    issuer, user = (
        fields.required(name, longest=_LONGEST_NAME) if kind == "totp" else fields.optional_or_empty(name)
        for name in ("totp_issuer", "totp_user")
    )
    number = fields.phone("phone_number", needed=kind == "sms")
    fields.check()
    listed = settings.enrolled_factors_listed
    if kind == "totp":
        form = settings.totp_uri
        return _totp_factor(user_id, issuer or "", user or "", new_secret(), settings, form=form, listed=listed)
    normalised = None
    if kind == "sms":
        normalised = normalised_phone(number, settings)
        if normalised is None:
            raise error_responses.invalid_phone_number(number)
    return NewFactor(type=kind, user_id=user_id, phone_number=normalised, listed=listed)


def read_create(body: bytes, user_id: str, email: str, settings: Settings, new_secret: Callable[[], str]) -> NewFactor:
    """The factor that ``/user_management/users/{id}/auth_factors`` is asked for."""
    fields = body_fields(body, _CREATE, settings)
    fields.one_of("type", ("totp",))
    issuer = fields.optional_or_empty("totp_issuer", longest=_LONGEST_NAME) or settings.team_name
    user = fields.optional_or_empty("totp_user", longest=_LONGEST_NAME) or email
    secret = fields.optional("totp_secret")
    bare = one_time_codes.bare_secret(secret) if secret else None
    if secret and bare is None:
        fields.problem("totp_secret", "totp_secret must be a Base32 secret of at least 16 characters, A-Z and 2-7")
    fields.check()
    return _totp_factor(user_id, issuer, user, bare or new_secret(), settings)


def read_template(fields: Fields, settings: Settings, *, is_sms: bool) -> str | None:
    name = "sms_template"
    if not is_sms:
        if fields.optional_or_empty(name) is not None and settings.template_without_sms == "refused":
            fields.problem(name, f"{name} is for factors of type sms only")
        return None
    template = fields.optional_or_empty(name, longest=_LONGEST_TEMPLATE)
    if not template or len(template) > _LONGEST_TEMPLATE:
        return None
    if settings.template_needs_code and PLACEHOLDER not in template:
        fields.problem(name, f"{name} must contain {PLACEHOLDER}")
    if _LINK.search(template):
        fields.problem(name, f"{name} must not contain URLs or domain names")
    return template


def _totp_factor(
    user_id: str | None,
    issuer: str,
    user: str,
    secret: str,
    settings: Settings,
    *,
    form: Literal["short", "full"] = "full",
    listed: bool = True,
) -> NewFactor:
    uri = totp.uri(issuer=issuer, user=user, secret=secret, form=form)
    try:
        qr_code = qr.data_uri(uri)
    except qr.TooLongError:
        sentence = "totp_issuer, totp_user and the secret do not fit into a QR code together"
        raise error_responses.invalid([("totp_issuer", sentence)], settings) from None
    return NewFactor(
        type="totp",
        user_id=user_id,
        listed=listed,
        issuer=issuer,
        user=user,
        secret=secret,
        uri=uri,
        qr_code=qr_code,
    )

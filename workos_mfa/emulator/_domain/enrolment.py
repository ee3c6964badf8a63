"""Reads what an enrolment asks for, and draws the QR code before anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from workos_mfa._core.redaction import NoDiffEquality
from workos_mfa.emulator._domain import error_responses, qr, totp
from workos_mfa.emulator._domain.fields import Fields, body_fields
from workos_mfa.emulator._domain.sms import normalised_phone
from workos_mfa.emulator._settings import Settings

_TYPES = ("generic_otp", "sms", "totp")
_ENROLL = ("type", "phone_number", "totp_issuer", "totp_user", "user_id")
_CREATE = ("type", "totp_issuer", "totp_user", "totp_secret")


@attrs.frozen(kw_only=True, eq=False)
class TOTPSetup(NoDiffEquality):
    """The secret of a TOTP factor in the three forms that are shown once, and its names."""

    issuer: str
    user: str
    secret: str = attrs.field(repr=False)
    uri: str = attrs.field(repr=False)
    qr_code: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Enrolment:
    """A factor that is to be made."""

    type: str
    user_id: str | None
    phone_number: str | None = attrs.field(default=None, repr=False)
    totp: TOTPSetup | None = None
    listed: bool = True


def read_enroll(body: bytes, settings: Settings, new_secret: Callable[[], str]) -> Enrolment:
    """What ``/auth/factors/enroll`` is asked for.

    :param new_secret: makes the secret of a TOTP factor.

    :raises ErrorResponse: if something is missing or of the wrong kind.
    """
    fields = body_fields(body, _ENROLL, settings)
    kind = fields.one_of("type", _TYPES)
    user_id = fields.optional("user_id")
    longest = settings.max_totp_name
    issuer, user = (
        fields.required(name, longest=longest) if kind == "totp" else fields.optional_or_empty(name) or ""
        for name in ("totp_issuer", "totp_user")
    )
    number = fields.phone("phone_number", needed=kind == "sms")
    fields.refuse_if_wrong()
    return Enrolment(
        type=kind,
        user_id=user_id,
        phone_number=_phone(number, settings) if kind == "sms" else None,
        totp=_setup(issuer, user, new_secret(), settings, settings.totp_uri) if kind == "totp" else None,
        listed=settings.enrolled_factors_listed,
    )


def read_create(body: bytes, user_id: str, email: str, settings: Settings, new_secret: Callable[[], str]) -> Enrolment:
    """What ``/user_management/users/{id}/auth_factors`` is asked for.

    :param new_secret: makes the secret where none is given.

    :raises ErrorResponse: if something is missing or of the wrong kind.
    """
    fields = body_fields(body, _CREATE, settings)
    fields.one_of("type", ("totp",))
    longest = settings.max_totp_name
    issuer = fields.optional_or_empty("totp_issuer", longest=longest) or settings.team_name
    user = fields.optional_or_empty("totp_user", longest=longest) or email
    secret = _read_secret(fields)
    fields.refuse_if_wrong()
    return Enrolment(type="totp", user_id=user_id, totp=_setup(issuer, user, secret or new_secret(), settings, "full"))


def _read_secret(fields: Fields) -> str | None:
    name = "totp_secret"
    secret = fields.optional(name)
    if not secret:
        return None
    bare = totp.bare_secret(secret)
    if bare is None:
        fields.object_to(name, f"{name} must be a Base32 secret of at least 16 characters, A-Z and 2-7")
    return bare


def _phone(number: str, settings: Settings) -> str:
    normalised = normalised_phone(number, settings)
    if normalised is None:
        raise error_responses.invalid_phone_number(number)
    return normalised


def _setup(issuer: str, user: str, secret: str, settings: Settings, form: Literal["short", "full"]) -> TOTPSetup:
    uri = totp.uri(issuer=issuer, user=user, secret=secret, form=form)
    try:
        qr_code = qr.data_uri(uri)
    except qr.TooLongError:
        sentence = "totp_issuer, totp_user and the secret do not fit into a QR code together"
        raise error_responses.invalid([error_responses.Problem("totp_issuer", sentence)], settings) from None
    return TOTPSetup(issuer=issuer, user=user, secret=secret, uri=uri, qr_code=qr_code)

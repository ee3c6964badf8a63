"""A stub in place of the network, and objects and responses for it to return: for an app's unit tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from workos_mfa._core.models import SMS, Challenge, Factor, Model, SMSFactor, TOTPEnrollment, TOTPFactor, Verification
from workos_mfa._core.transport import Request, Response
from workos_mfa.testing._emulated import MOMENT

_FACTOR_ID = "auth_factor_01FVYZ5QM8N98T9ME5BCB2BBMJ"
_CHALLENGE_ID = "auth_challenge_01FVYZ5QM8N98T9ME5BCB2BBMJ"


class StubTransport:
    """A transport that asks a function what to answer, and remembers what it was asked.

    :param respond: called with each :class:`workos_mfa.Request`; it returns a :class:`workos_mfa.Response`, for
        which :func:`json_response` is handy, or raises.
    :ivar requests: the requests, in the order they came.
    :ivar closed: True once it was closed.
    """

    def __init__(self, respond: Callable[[Request], Response]) -> None:
        self._respond = respond
        self.requests: list[Request] = []
        self.closed: bool = False

    def send(self, request: Request, /) -> Response:
        """Remember the request, and answer as the function says."""
        self.requests.append(request)
        return self._respond(request)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def json_response(status: int, obj: object, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of the API.

    :param status: the HTTP status.
    :param obj: what the body holds: JSON, an object that a call returns, or JSON with such objects in it. It stands
        for the API, so that their secrets are sent.
    :param headers: headers beside the content type.
    """
    content_type = {"Content-Type": "application/json; charset=utf-8"}
    return Response(status, {**content_type, **(headers or {})}, json.dumps(obj, default=_as_sent).encode())


def _as_sent(value: object) -> object:
    if isinstance(value, Model):
        return value.to_dict(secrets=True)
    raise TypeError(
        f"a {type(value).__name__} is not JSON, and no object that a call returns: give json_response one of them"
    )


def make_factor(
    *,
    id: str = _FACTOR_ID,
    type: str = "generic_otp",
    user_id: str | None = None,
) -> Factor:
    """A factor as get returns it; every field has a value that a test need not care about."""
    return Factor(id=id, type=type, created_at=MOMENT, updated_at=MOMENT, user_id=user_id)


def make_totp_factor(
    *,
    id: str = _FACTOR_ID,
    issuer: str = "Foo Corp",
    user: str = "alan.turing@example.com",
    secret: str = "JBSWY3DPEHPK3PXP",  # noqa: S107 - the example of the API's own documentation
    user_id: str | None = None,
) -> TOTPFactor:
    """A TOTP factor as it is enrolled. Its QR code is a valid image of one pixel: no test should scan it."""
    return TOTPFactor(
        id=id,
        type="totp",
        created_at=MOMENT,
        updated_at=MOMENT,
        user_id=user_id,
        totp=TOTPEnrollment(
            issuer=issuer,
            user=user,
            secret=secret,
            qr_code=_ONE_PIXEL,
            uri=f"otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}",
        ),
    )


def make_sms_factor(
    *, id: str = _FACTOR_ID, phone_number: str = "+15005550006", user_id: str | None = None
) -> SMSFactor:
    """An SMS factor as it is enrolled."""
    return SMSFactor(
        id=id,
        type="sms",
        created_at=MOMENT,
        updated_at=MOMENT,
        user_id=user_id,
        sms=SMS(phone_number=phone_number),
    )


def make_challenge(
    *,
    id: str = _CHALLENGE_ID,
    authentication_factor_id: str = _FACTOR_ID,
    expires_at: datetime | None = MOMENT + timedelta(minutes=10),
    code: str | None = None,
) -> Challenge:
    """A challenge; ``code`` is None, as it is for all factors but those of type ``generic_otp``."""
    return Challenge(
        id=id,
        authentication_factor_id=authentication_factor_id,
        created_at=MOMENT,
        updated_at=MOMENT,
        expires_at=expires_at,
        code=code,
    )


def make_verification(*, valid: bool = True, challenge: Challenge | None = None) -> Verification:
    """The answer to a code.

    :param valid: whether the code was right.
    :param challenge: the challenge; one from :func:`make_challenge` if left out.
    """
    return Verification(challenge=challenge or make_challenge(), valid=valid)


_ONE_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)

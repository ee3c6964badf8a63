"""For an app's unit tests: a stub transport, and factories for the responses and models that it returns."""

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
    """A transport whose responses come from a function. It keeps the requests.

    :param respond: called with each :class:`workos_mfa.Request`; it returns a :class:`workos_mfa.Response`, for
        which :func:`json_response` is handy, or raises.
    :ivar requests: the requests, in their order.
    :ivar closed: whether it was closed.
    """

    __module__ = "workos_mfa.testing"

    def __init__(self, respond: Callable[[Request], Response]) -> None:
        self._respond = respond
        self.requests: list[Request] = []
        self.closed: bool = False

    def send(self, request: Request, /) -> Response:
        """Keep the request, and return what the function returns for it."""
        self.requests.append(request)
        return self._respond(request)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def json_response(status: int, obj: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response of the API.

    :param status: the HTTP status.
    :param obj: the body: JSON, a model, or JSON with models in it. The body has their secrets, as the API's has.
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


def make_factor(*, id: str = _FACTOR_ID, type: str = "generic_otp", user_id: str | None = None) -> Factor:
    """A factor as get returns it. What is not given has a default."""
    return Factor(id=id, type=type, created_at=MOMENT, updated_at=MOMENT, user_id=user_id)


def make_totp_factor(
    *,
    id: str = _FACTOR_ID,
    issuer: str = "Foo Corp",
    user: str = "alan.turing@example.com",
    secret: str = "JBSWY3DPEHPK3PXP",  # noqa: S107 - the example of the API's own documentation
    user_id: str | None = None,
) -> TOTPFactor:
    """A TOTP factor as enroll returns it. Its QR code is a valid image of one pixel, which can't be scanned."""
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
    """An SMS factor as enroll returns it."""
    return SMSFactor(
        id=id, type="sms", created_at=MOMENT, updated_at=MOMENT, user_id=user_id, sms=SMS(phone_number=phone_number)
    )


def make_challenge(
    *,
    id: str = _CHALLENGE_ID,
    authentication_factor_id: str = _FACTOR_ID,
    expires_at: datetime | None = MOMENT + timedelta(minutes=10),
    code: str | None = None,
) -> Challenge:
    """A challenge. Only those of ``generic_otp`` factors have a ``code``."""
    return Challenge(
        id=id,
        authentication_factor_id=authentication_factor_id,
        created_at=MOMENT,
        updated_at=MOMENT,
        expires_at=expires_at,
        code=code,
    )


def make_verification(*, valid: bool = True, challenge: Challenge | None = None) -> Verification:
    """The result of a verification.

    :param valid: whether the code was right.
    :param challenge: the challenge; one from :func:`make_challenge` if left out.
    """
    return Verification(challenge=challenge or make_challenge(), valid=valid)


_ONE_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)

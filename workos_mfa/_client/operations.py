"""Arguments to requests: one function for each call checks its arguments and makes the request."""

from __future__ import annotations

from workos_mfa._core import validation
from workos_mfa._core.errors import InvalidInputError
from workos_mfa._core.transport import Options, Request

_ENROLL_ARGUMENTS = {
    "totp": ("issuer", "user"),
    "sms": ("phone_number",),
    "generic_otp": (),
}


def enroll_factor(arguments: dict[str, object], options: Options) -> Request:
    """``arguments`` are those of the method, None where not given."""
    given = {name: value for name, value in arguments.items() if value is not None}
    kind = given.pop("type", None)
    user_id = given.pop("user_id", None)
    if not isinstance(kind, str):
        raise TypeError('type must be a str: "totp", "sms" or "generic_otp"')
    if kind not in _ENROLL_ARGUMENTS:
        raise InvalidInputError('type must be "totp", "sms" or "generic_otp"', parameter="type")
    needed = _ENROLL_ARGUMENTS[kind]
    if missing := [name for name in needed if name not in given]:
        raise TypeError(f'a factor of type "{kind}" needs {" and ".join(missing)}')
    if surplus := sorted(given.keys() - set(needed)):
        raise TypeError(f'a factor of type "{kind}" has no {" and no ".join(surplus)}: leave it out')
    body: dict[str, object] = {"type": kind}
    if kind == "totp":
        body["totp_issuer"] = validation.text("issuer", given["issuer"])
        body["totp_user"] = validation.text("user", given["user"])
    elif kind == "sms":
        body["phone_number"] = validation.phone_number(given["phone_number"])
    if user_id is not None:
        body["user_id"] = validation.identifier("user_id", user_id)
    return Request(
        operation="enroll_factor",
        method="POST",
        path="/auth/factors/enroll",
        route="/auth/factors/enroll",
        json=body,
        options=options,
    )


def challenge_factor(factor_id: object, sms_template: object, options: Options) -> Request:
    return Request(
        operation="challenge_factor",
        method="POST",
        path=f"/auth/factors/{validation.path_segment('authentication_factor_id', factor_id)}/challenge",
        route="/auth/factors/{id}/challenge",
        json={} if sms_template is None else {"sms_template": validation.sms_template(sms_template)},
        options=options,
    )


def verify_challenge(challenge_id: object, code: object, options: Options) -> Request:
    return Request(
        operation="verify_challenge",
        method="POST",
        path=f"/auth/challenges/{validation.path_segment('authentication_challenge_id', challenge_id)}/verify",
        route="/auth/challenges/{id}/verify",
        json={"code": validation.one_time_code(code)},
        options=options,
    )


def get_factor(factor_id: object, options: Options) -> Request:
    return Request(
        operation="get_factor",
        method="GET",
        path=f"/auth/factors/{validation.path_segment('authentication_factor_id', factor_id)}",
        route="/auth/factors/{id}",
        replay="safe",
        options=options,
    )


def delete_factor(factor_id: object, options: Options) -> Request:
    return Request(
        operation="delete_factor",
        method="DELETE",
        path=f"/auth/factors/{validation.path_segment('authentication_factor_id', factor_id)}",
        route="/auth/factors/{id}",
        replay="idempotent",
        options=options,
    )


def create_user_auth_factor(user_id: object, issuer: object, user: object, secret: object, options: Options) -> Request:
    body: dict[str, object] = {"type": "totp"}
    if issuer is not None:
        body["totp_issuer"] = validation.text("issuer", issuer)
    if user is not None:
        body["totp_user"] = validation.text("user", user)
    if secret is not None:
        body["totp_secret"] = validation.shared_secret(secret)
    return Request(
        operation="create_user_auth_factor",
        method="POST",
        path=_user_factors(user_id),
        route="/user_management/users/{id}/auth_factors",
        json=body,
        options=options,
    )


def list_user_auth_factors(
    user_id: object, *, limit: object, before: object, after: object, order: object, options: Options
) -> Request:
    query: dict[str, str] = {}
    if before is not None:
        query["before"] = validation.identifier("before", before)
    if after is not None:
        query["after"] = validation.identifier("after", after)
    if limit is not None:
        query["limit"] = validation.page_limit(limit)
    # The API's own order is said to be "desc" here and "normal" there, whose cursors lead the other way.
    query["order"] = validation.page_order(order)
    return Request(
        operation="list_user_auth_factors",
        method="GET",
        path=_user_factors(user_id),
        route="/user_management/users/{id}/auth_factors",
        query=query,
        replay="safe",
        options=options,
    )


def _user_factors(user_id: object) -> str:
    return f"/user_management/users/{validation.path_segment('user_id', user_id)}/auth_factors"

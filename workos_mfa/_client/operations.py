"""Arguments to requests: one function for each call checks its arguments and makes the request."""

from __future__ import annotations

from collections.abc import Mapping

from workos_mfa._core import validation
from workos_mfa._core.errors import InvalidInputError
from workos_mfa._core.transport import Options, Replay, Request

_ENROLL_ARGUMENTS = {"totp": ("issuer", "user"), "sms": ("phone_number",), "generic_otp": ()}
_USER_FACTORS = "/user_management/users/{id}/auth_factors"
_NO_QUERY: Mapping[str, str] = {}


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
    return _request("enroll_factor", "POST", "/auth/factors/enroll", options, json=body)


def challenge_factor(factor_id: object, sms_template: object, options: Options) -> Request:
    segment = validation.path_segment("authentication_factor_id", factor_id)
    body = {} if sms_template is None else {"sms_template": validation.sms_template(sms_template)}
    return _request("challenge_factor", "POST", "/auth/factors/{id}/challenge", options, segment, json=body)


def verify_challenge(challenge_id: object, code: object, options: Options) -> Request:
    segment = validation.path_segment("authentication_challenge_id", challenge_id)
    body = {"code": validation.one_time_code(code)}
    return _request("verify_challenge", "POST", "/auth/challenges/{id}/verify", options, segment, json=body)


def get_factor(factor_id: object, options: Options) -> Request:
    segment = validation.path_segment("authentication_factor_id", factor_id)
    return _request("get_factor", "GET", "/auth/factors/{id}", options, segment, replay="safe")


def delete_factor(factor_id: object, options: Options) -> Request:
    segment = validation.path_segment("authentication_factor_id", factor_id)
    return _request("delete_factor", "DELETE", "/auth/factors/{id}", options, segment, replay="idempotent")


def create_user_auth_factor(user_id: object, issuer: object, user: object, secret: object, options: Options) -> Request:
    body: dict[str, object] = {"type": "totp"}
    if issuer is not None:
        body["totp_issuer"] = validation.text("issuer", issuer)
    if user is not None:
        body["totp_user"] = validation.text("user", user)
    if secret is not None:
        body["totp_secret"] = validation.shared_secret(secret)
    segment = validation.path_segment("user_id", user_id)
    return _request("create_user_auth_factor", "POST", _USER_FACTORS, options, segment, json=body)


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
    segment = validation.path_segment("user_id", user_id)
    return _request("list_user_auth_factors", "GET", _USER_FACTORS, options, segment, query=query, replay="safe")


def _request(
    operation: str,
    method: str,
    route: str,
    options: Options,
    segment: str = "",
    *,
    query: Mapping[str, str] = _NO_QUERY,
    json: Mapping[str, object] | None = None,
    replay: Replay = "non_idempotent",
) -> Request:
    path = route.replace("{id}", segment)
    return Request(operation, method, path, route, query=query, json=json, replay=replay, options=options)

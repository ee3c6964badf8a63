"""Every error that the API responds with, word for word, in a function of its own.

The order of the keys is the one that was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workos_mfa.emulator._settings import Settings

_NOT_PROCESSED = "Request could not be processed."


class ErrorResponse(Exception):  # noqa: N818  (it is a response, not an error of the emulator)
    """What is raised in place of a result: a response with this status and JSON."""

    def __init__(self, status: int, body: Mapping[str, object], *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.status = status
        self.body = body
        self.headers: Mapping[str, str] = headers or {}


def factor_not_found(factor_id: str) -> ErrorResponse:
    return _not_found(f"Authentication Factor not found: '{factor_id}'.", factor_id)


def challenge_not_found(challenge_id: str) -> ErrorResponse:
    return _not_found(f"Authentication Challenge not found: '{challenge_id}'.", challenge_id)


def user_not_found(user_id: str) -> ErrorResponse:
    return _not_found(f"User not found: '{user_id}'.", user_id)


def _not_found(message: str, entity_id: str) -> ErrorResponse:
    return ErrorResponse(404, {"message": message, "code": "entity_not_found", "entity_id": entity_id})


def invalid_phone_number(number: str) -> ErrorResponse:
    return ErrorResponse(422, {"message": f"Phone number is invalid: '{number}'", "code": "invalid_phone_number"})


def previously_verified(challenge_id: str) -> ErrorResponse:
    message = f"The authentication challenge '{challenge_id}' has already been verified."
    return ErrorResponse(422, {"code": "authentication_challenge_previously_verified", "message": message})


def expired(challenge_id: str) -> ErrorResponse:
    message = f"The authentication challenge '{challenge_id}' has expired."
    return ErrorResponse(422, {"code": "authentication_challenge_expired", "message": message})


def too_many_attempts() -> ErrorResponse:
    message = "One-time code has had too many failed attempts."
    return ErrorResponse(400, {"code": "one_time_code_too_many_attempts", "message": message})


def previously_used() -> ErrorResponse:
    return ErrorResponse(400, {"code": "one_time_code_previously_used", "message": _NOT_PROCESSED})


def sms_rate_limited(settings: Settings) -> ErrorResponse:
    return _throttled("sms_challenge_rate_limited", settings)


def sms_quota_reached(settings: Settings) -> ErrorResponse:
    return _throttled("sms_challenge_quota_reached", settings)


def _throttled(code: str, settings: Settings) -> ErrorResponse:
    headers = {} if settings.retry_after is None else {"Retry-After": str(settings.retry_after)}
    return ErrorResponse(429, {"code": code, "message": _NOT_PROCESSED}, headers=headers)


def factor_limit_reached() -> ErrorResponse:
    # No source has the API's own words.
    message = "The user has reached the maximum number of authentication factors."
    return ErrorResponse(422, {"code": "authentication_factor_limit_reached", "message": message})


def invalid(problems: Sequence[tuple[str, str]], settings: Settings) -> ErrorResponse:
    """Properties are missing, unknown or of the wrong kind; a problem is a name and a sentence without the value."""
    if settings.validation_errors == "by_field":
        by_field = [{"field": name, "code": sentence} for name, sentence in problems]
        return ErrorResponse(422, {"message": "Validation failed", "errors": by_field})
    by_code = [{"code": f"invalid_{name}", "message": sentence} for name, sentence in problems]
    body = {"code": "invalid_request_parameters", "message": "Validation failed.", "errors": by_code}
    return ErrorResponse(400 if settings.validation_errors == "bad_request" else 422, body)


def unreadable() -> ErrorResponse:
    body = {"code": "invalid_request_body", "message": "The request body must be a JSON object."}
    return ErrorResponse(400, body)


def no_longer_there(path: str) -> ErrorResponse:
    # In the words of the framework behind the API.
    return ErrorResponse(404, {"message": f"Cannot POST {path}", "error": "Not Found", "statusCode": 404})


def key_with_another_body() -> ErrorResponse:
    message = "Another idempotency key with different request parameters was found."
    return ErrorResponse(400, {"code": "idempotency_key_reused", "message": message})


def method_not_allowed(method: str, path: str, allowed: Sequence[str]) -> ErrorResponse:
    message = (
        f"The workos_mfa emulator has no {method} {path}: the API has this path with {' and '.join(allowed)}. "
        "This response is the emulator's own."
    )
    return ErrorResponse(405, {"code": "method_not_allowed", "message": message}, headers={"Allow": ", ".join(allowed)})


def not_implemented(method: str, path: str) -> ErrorResponse:
    # It says who speaks, so that nobody takes it for the API.
    message = (
        f"The workos_mfa emulator does not implement {method} {path}. This response is the emulator's own: "
        "it says nothing about the WorkOS API."
    )
    return ErrorResponse(501, {"code": "not_implemented_by_emulator", "message": message})

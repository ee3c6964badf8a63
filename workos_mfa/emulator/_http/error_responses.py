"""What is refused at the door, before a request means anything to the API."""

from __future__ import annotations

from collections.abc import Iterable

from workos_mfa._core.redaction import printable
from workos_mfa.emulator._domain.error_responses import ErrorResponse


def unauthorized() -> ErrorResponse:
    """There is no key, or another one; in the API's own words."""
    return ErrorResponse(401, {"message": "Unauthorized"})


def another_host(host: str) -> ErrorResponse:
    """It is addressed to a host that is not this one."""
    message = (
        f"This request is for the host {printable(host, limit=100)!r}, and the workos_mfa emulator answers only for "
        "the host that it was started on, localhost, 127.0.0.1 and [::1], so that no web page can use it under a name "
        "of its own. Use one of these, or see --allow-remote of workos-mfa emulate, or wsgi_app.with_hosts() in Python."
    )
    return ErrorResponse(421, {"code": "misdirected_request", "message": message})


def too_large(limit: int) -> ErrorResponse:
    """The body is longer than it may be."""
    message = f"The request body is too large: the workos_mfa emulator reads {limit} bytes here."
    return ErrorResponse(413, {"code": "request_body_too_large", "message": message})


def not_json() -> ErrorResponse:
    """The body is something else than JSON, by its own account."""
    message = "The request body must be JSON in UTF-8, uncompressed, with the header Content-Type: application/json."
    return ErrorResponse(415, {"code": "unsupported_media_type", "message": message})


def failed(error: Exception) -> ErrorResponse:
    """The emulator itself went wrong."""
    message = f"The workos_mfa emulator failed with {type(error).__name__}: a fault of its own, which its log shows."
    return ErrorResponse(500, {"code": "emulator_failed", "message": message})


def no_such_command(path: str, known: Iterable[str]) -> ErrorResponse:
    """There is nothing at this path of the control plane."""
    message = (
        f"There is no /_emulate/{path}; there are: {', '.join(f'/_emulate/{name}' for name in known)}. "
        "GET /_emulate tells what they do."
    )
    return ErrorResponse(404, {"code": "not_found", "message": message})


def no_such_thing(text: str) -> ErrorResponse:
    """The control plane does not have what was asked for."""
    return ErrorResponse(404, {"code": "not_found", "message": text})


def wrong_command_method(method: str, path: str, allowed: Iterable[str]) -> ErrorResponse:
    """The control plane has this path with another method."""
    methods = sorted(allowed)
    message = f"{f'/_emulate/{path}'.rstrip('/')} takes {' and '.join(methods)}, not {method}."
    return ErrorResponse(405, {"code": "method_not_allowed", "message": message}, headers={"Allow": ", ".join(methods)})


def bad_command(text: str) -> ErrorResponse:
    """The body of a request to the control plane makes no sense."""
    return ErrorResponse(422, {"code": "invalid_request", "message": text})

"""What an injected answer carries where its author says no more than the status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

import attrs

HTML = "<html><head><title>{status}</title></head><body><h1>{reason}</h1><hr>an edge server</body></html>"
"""A page such as a proxy sends in place of the API's answer; ``{status}`` and ``{reason}`` stand for its own."""

BROKEN_JSON = '{"object": "authentication_factor", "id": '
"""The beginning of an answer, under the content type of a whole one."""

JSON_TYPE = "application/json; charset=utf-8"

_WITHOUT_BODY = (204, 304)

# In the API's own words where they are known.
_MESSAGES = {429: "Too many requests."}
_CODES = {429: "rate_limit_exceeded"}


@attrs.frozen
class Content:
    """A body as it is sent, what it was made from, and the API's name of the error in it, if it has one."""

    sent: bytes | None = attrs.field(repr=False)
    body: object = attrs.field(repr=False)
    type: str
    error_code: str | None


def content_of(status: int, body: object) -> Content:
    """The body of an answer of this status.

    :param body: None for what the API says with this status, a string to be sent as it is, or JSON.
    :raises ValueError: if the body can't be sent.
    """
    if status in _WITHOUT_BODY:
        if body is not None:
            raise ValueError(f"body: an answer of status {status} has none")
        return Content(None, None, "", None)
    if isinstance(body, str):
        return Content(_bytes_of(body), body, "text/plain; charset=utf-8", None)
    text = _json_of(_usual_body(status) if body is None else body)
    read: object = json.loads(text)
    return Content(text.encode(), read, JSON_TYPE, _code_in(read))


def reason(status: int) -> str:
    """HTTP's own words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _code_in(body: object) -> str | None:
    if not isinstance(body, Mapping):
        return None
    code = cast("Mapping[str, object]", body).get("code")
    return code if isinstance(code, str) else None


def _usual_body(status: int) -> Mapping[str, object]:
    message: dict[str, object] = {"message": _MESSAGES.get(status, reason(status))}
    return {**message, "code": _CODES[status]} if status in _CODES else message


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    raise ValueError("body: the text holds half of a surrogate pair, which can't be sent")


def _json_of(body: object) -> str:
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        pass
    raise ValueError("body: it holds something that JSON does not have; a string is sent as it is")

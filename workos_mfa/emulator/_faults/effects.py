"""What a fault does to the call that it strikes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

import attrs

from workos_mfa.emulator._faults import responses

Kind = Literal["refuse_connection", "lose_request", "lose_response", "cut_body", "delay", "answer", "rate_limit"]

_TOO_MUCH = 1_000_000_000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# They say how the answer is carried, which the door knows and its author does not.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


@attrs.frozen(kw_only=True)
class Effect:
    """What is done, and the numbers that it needs.

    :param kind: the name of the method of ``emulator.faults`` that made it.
    :param status: of an ``answer``.
    :param content: the body of an ``answer``.
    :param headers: of an ``answer``, beside the usual ones.
    :param seconds: how late a ``delay`` is, or the window of a ``rate_limit``.
    :param calls: how many go through in the window of a ``rate_limit``.
    """

    kind: Kind
    status: int | None = None
    content: responses.Content | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    seconds: float | None = None
    calls: int | None = None


def delay(seconds: float) -> Effect:
    """The answer comes late."""
    return Effect(kind="delay", seconds=number("seconds", seconds))


def answer(
    status: int, body: object = None, headers: Mapping[str, str] | None = None, retry_after: float | None = None
) -> Effect:
    """This is the answer, and nothing is done."""
    status = _status(status)
    sent = _headers({} if headers is None else headers)
    if retry_after is not None:
        sent["Retry-After"] = f"{number('retry_after', retry_after):.15g}"
    return Effect(kind="answer", status=status, content=responses.content_of(status, body), headers=sent)


def answer_html(status: int) -> Effect:
    """A page of HTML is the answer."""
    reason = responses.reason(_status(status))
    page = responses.HTML.replace("{status}", str(status)).replace("{reason}", reason)
    return answer(status, page, {"Content-Type": "text/html; charset=utf-8"})


def answer_broken_json(status: int) -> Effect:
    """The answer says that it is JSON, and is not."""
    return answer(status, responses.BROKEN_JSON, {"Content-Type": responses.JSON_TYPE})


def rate_limit(calls: int, seconds: float) -> Effect:
    """Only so many calls go through in a while."""
    if not number("seconds", seconds):
        raise ValueError("seconds: a window of no length lets nothing through; use more than 0")
    return Effect(kind="rate_limit", calls=whole("calls", calls, least=0), seconds=seconds)


def number(name: str, value: object) -> float:
    """A finite number that is not negative."""
    # NaN fails any comparison.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _TOO_MUCH:
        return value
    raise ValueError(f"{name} is {value!r}, but takes a number from 0 to {_TOO_MUCH}")


def whole(name: str, value: object, *, least: int) -> int:
    """A whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value < _TOO_MUCH:
        return value
    raise ValueError(f"{name} is {value!r}, but takes a whole number of at least {least}")


def _status(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 200 <= value <= 599:
        return value
    raise ValueError(f"status is {value!r}, but takes the HTTP status of an answer, 200 to 599")


def _headers(headers: object) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        raise ValueError("headers: they must be a mapping of names to strings")  # noqa: TRY004  (it comes from JSON)
    sent: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise ValueError(
                f"headers: {name!r} can't be set; it takes names such as X-Request-Id, and not "
                "Content-Length, Transfer-Encoding or Connection, which the emulator sets"
            )
        if not isinstance(value, str) or not value.isprintable() or not value.isascii():
            raise ValueError(f"headers: the value of {name} must be a string of printable ASCII characters")
        sent[name] = value
    return sent

"""One fault: which calls it strikes, what it does to them, and how often it has struck."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal, TypedDict, cast

import attrs

from workos_mfa._core.transport import Response

Trouble = Literal["refuse_connection", "lose_request", "lose_response", "cut_body"]
Kind = Literal["refuse_connection", "lose_request", "lose_response", "cut_body", "delay", "respond", "rate_limit"]

OPERATIONS = (
    "enroll_factor",
    "get_factor",
    "delete_factor",
    "challenge_factor",
    "verify_challenge",
    "create_user_auth_factor",
    "list_user_auth_factors",
)
"""The calls that a fault can be for."""

JSON_TYPE = "application/json; charset=utf-8"

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TOO_MUCH = 1_000_000_000
_WITHOUT_BODY = (204, 304)
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# The server sets them, since only it knows how the response is sent.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


@attrs.frozen
class Outcome:
    """What became of a request.

    :param response: the response. With ``lose_response`` nobody gets it, with ``cut_body`` its body ends too early;
        None where the request did not arrive.
    :param trouble: the fault that broke the connection, by its name: ``"refuse_connection"``: there was none;
        ``"lose_request"``: it broke before the call was acted on; ``"lose_response"``: it broke afterwards;
        ``"cut_body"``: it broke within the body of the response.
    :param delay: seconds between the act and the response.
    """

    response: Response | None
    trouble: Trouble | None = None
    delay: float = 0.0


@attrs.frozen(kw_only=True)
class Effect:
    """What a fault does to a call, and the numbers that it needs.

    :param kind: the name of the method of ``emulator.faults`` that made it.
    :param body: JSON, or a string that is sent as it is; None for no body.
    :param headers: those of the response beside the usual ones.
    :param seconds: how late a ``delay`` is, or the window of a ``rate_limit``.
    :param calls: how many calls go through in the window of a ``rate_limit``.
    """

    kind: Kind
    trouble: Trouble | None = None
    status: int | None = None
    body: object = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    seconds: float | None = None
    calls: int | None = None


def respond(status: int, body: object, headers: Mapping[str, str] | None, retry_after: float | None) -> Effect:
    """An effect that is a response, with the API's own words if there is no body."""
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise ValueError(f"status is {status!r}, but takes the HTTP status of a response, 200 to 599")
    sent = _headers({} if headers is None else headers)
    if retry_after is not None:
        sent["Retry-After"] = f"{number('retry_after', retry_after):.15g}"
    if status in _WITHOUT_BODY:
        if body is not None:
            raise ValueError(f"body: a response of status {status} has none")
    elif not isinstance(body, str):
        body = _copied(_usual_body(status) if body is None else body)
    elif _SURROGATE.search(body):
        raise ValueError("body: the text holds half of a surrogate pair, which can't be sent")
    return Effect(kind="respond", status=status, body=body, headers=sent)


def number(name: str, value: object) -> float:
    # NaN fails any comparison.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _TOO_MUCH:
        return value
    raise ValueError(f"{name} is {value!r}, but takes a number from 0 to {_TOO_MUCH}")


def whole(name: str, value: object, *, least: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value < _TOO_MUCH:
        return value
    raise ValueError(f"{name} is {value!r}, but takes a whole number of at least {least}")


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


class SelectorsDict(TypedDict, total=False):
    """The selectors, for type checkers: as arguments they may each be left out."""

    operation: str | None
    method: str | None
    path: str | None
    count: int | None
    after: int


@attrs.frozen
class Selectors:
    """Which calls a fault strikes, and how many of them; see :class:`Faults`."""

    operation: str | None = None
    method: str | None = None
    path: str | None = None
    count: int | None = 1
    after: int = 0

    def __attrs_post_init__(self) -> None:
        if self.operation not in (None, *OPERATIONS):
            raise ValueError(f"operation is {self.operation!r}, but takes one of {', '.join(OPERATIONS)}")
        if self.method not in (None, "*") and str(self.method).upper() not in _METHODS:
            raise ValueError(f"method is {self.method!r}, but takes one of {', '.join(_METHODS)} or *")
        if self.path not in (None, "*") and not str(self.path).startswith(("/", "*")):
            raise ValueError("path: it takes a path that begins with / or *, such as /auth/factors/*")
        if self.count is not None:
            whole("count", self.count, least=1)
        whole("after", self.after, least=0)

    def fit(self, operation: str | None, method: str, path: str) -> bool:
        return (
            self.operation in {None, operation}
            and (self.method in {None, "*"} or str(self.method).upper() == method)
            and (self.path is None or _path_fits(self.path, path))
        )


@attrs.define
class _Tally:
    """What changes in a fault; whoever owns the fault holds the lock."""

    seen: int = 0
    used: int = 0
    window_began: datetime | None = None
    calls_in_window: int = 0


@attrs.frozen(kw_only=True, eq=False)
class Fault:
    """A fault as ``emulator.faults`` made it.

    :param id: its id, by which it can be removed over HTTP.
    :param selectors: which calls it strikes.
    :param effect: what it does to them.
    """

    id: str
    selectors: Selectors
    effect: Effect
    _tally: _Tally = attrs.field(factory=_Tally, init=False, repr=False)

    def __str__(self) -> str:
        # No body or headers: a test may have put anything there, and this goes into the log of a CI.
        given = {} if self.effect.status is None else {"status": self.effect.status}
        given |= attrs.asdict(self.selectors, filter=lambda field, value: value != field.default)
        arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
        count = self.selectors.count
        return f"{self.kind}({arguments}): struck {self.used}{'' if count is None else f' of {count}'}"

    @property
    def kind(self) -> Kind:
        """The name of the method that made it."""
        return self.effect.kind

    @property
    def used(self) -> int:
        """How many calls it has struck so far."""
        return self._tally.used

    @property
    def is_used_up(self) -> bool:
        """Whether it has struck as many calls as it may."""
        return self.selectors.count is not None and self.used >= self.selectors.count

    @property
    def has_done_its_part(self) -> bool:
        """Whether it has struck as many calls as were announced; one, where the number is open."""
        return self.used >= (self.selectors.count or 1)

    def as_json(self) -> dict[str, object]:
        """The fault in the form that ``from_json`` reads, with ``id`` and ``used``."""
        effect = self.effect
        shown: dict[str, object] = {"id": self.id, "used": self.used, "fault": effect.kind}
        shown |= attrs.asdict(self.selectors)
        if effect.status is not None:
            shown |= {"status": effect.status, "body": effect.body, "headers": dict(effect.headers)}
        if effect.seconds is not None:
            shown["seconds"] = effect.seconds
        if effect.calls is not None:
            shown["calls"] = effect.calls
        return shown

    def strike(self, now: datetime) -> Effect | None:
        """Count a call that fits; what is to happen to it, or None where it goes through."""
        tally = self._tally
        tally.seen += 1
        if tally.seen <= self.selectors.after:
            return None
        effect = self.effect
        if effect.kind == "rate_limit":
            wait = self._wait(now)
            if wait is None:
                return None
            effect = respond(429, None, None, wait)
        tally.used += 1
        return effect

    def _wait(self, now: datetime) -> int | None:
        """Seconds until the window ends, or None where there is room in it."""
        tally = self._tally
        length = timedelta(seconds=self.effect.seconds or 0)
        began = tally.window_began
        if began is None or not began <= now < began + length:
            tally.window_began = began = now
            tally.calls_in_window = 0
        if tally.calls_in_window < (self.effect.calls or 0):
            tally.calls_in_window += 1
            return None
        # Rounded up, so that a client that waits as long as it says gets through.
        return -int((now - began - length) // timedelta(seconds=1))


def _path_fits(pattern: str, path: str) -> bool:
    if pattern.endswith("/*") and path == pattern[:-2]:
        return True
    first, *others = pattern.split("*")
    if not others:
        return path == first
    *middle, last = others
    # Each part where it is found first: a regular expression would try all its places, with those of all the others.
    start, end = len(first), len(path) - len(last)
    for part in middle:
        found = path.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return start <= end and path.startswith(first) and path.endswith(last)


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


def _usual_body(status: int) -> Mapping[str, object]:
    # In the API's own words where they are known.
    if status == 429:
        return {"message": "Too many requests.", "code": "rate_limit_exceeded"}
    return {"message": reason(status)}


def _copied(body: object) -> object:
    try:
        return json.loads(json.dumps(body, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        pass
    raise ValueError("body: it holds something that JSON does not have; a string is sent as it is")

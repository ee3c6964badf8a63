"""The transport of a calibration: it keeps the pace, stops between two calls and never within one, and keeps evidence.

Evidence is redacted by status: ``code`` is the name of an error in a 4xx, and a one-time code in a 201.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import cast

import attrs

from workos_mfa import Request, Response, Transport, TransportError

CALLS_A_SECOND = 10

_LONGEST_WAIT = 30.0

_NAME = re.compile(r"[A-Za-z0-9_]{1,60}")
_SHOWN = ("type", "valid", "order", "limit")


class VoidError(Exception):
    """A response was lost or can't be used: the question starts again, on a fresh factor.

    :ivar outcome_unknown: whether the call may have been done.
    """

    def __init__(self, text: str, *, outcome_unknown: bool = True) -> None:
        super().__init__(text)
        self.outcome_unknown = outcome_unknown


class StoppedError(Exception):
    """No more questions: somebody or a rule stops the run. What was made is deleted all the same."""


@attrs.frozen
class Exchange:
    """One call, as the report may show it: no code, no secret, no number, and of an id only its kind."""

    call: str
    sent: str
    got: str


@attrs.frozen
class Reply:
    """A response, read.

    :param body: its JSON object; None where it is none.
    :param is_empty: whether there was no body at all.
    """

    status: int
    body: Mapping[str, object] | None = attrs.field(repr=False)
    retry_after: float | None = None
    is_empty: bool = False

    @property
    def code(self) -> str:
        """The name of an error, empty where there is none. In a success it would be a one-time code."""
        code = self.text("code") if self.status >= 400 else ""
        return code if _NAME.fullmatch(code) else ""

    @property
    def problems(self) -> list[Mapping[str, object]]:
        """The entries of ``errors``, of a validation error."""
        found = (self.body or {}).get("errors")
        entries = cast("list[object]", found) if isinstance(found, list) else []
        return [cast("Mapping[str, object]", entry) for entry in entries if isinstance(entry, dict)]

    @property
    def is_invalid_request(self) -> bool:
        """Whether it is a validation error, of whatever shape."""
        return self.status in {400, 422} and bool(self.problems)

    def text(self, name: str) -> str:
        """A text of the body, empty where there is none."""
        value = (self.body or {}).get(name)
        return value if isinstance(value, str) else ""

    def is_unknown(self, entity_id: str) -> bool:
        """Whether it is the 404 that names this id; a 404 that does not may be anybody's."""
        return self.status == 404 and self.text("entity_id") == entity_id


class Wire:
    """A transport around another one.

    :param clock: seconds, for the pace.
    :param sleep: waits so many seconds.
    :param is_stopped: whether somebody wants the run to end.
    """

    def __init__(
        self,
        inner: Transport,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._sleep = sleep
        self._is_stopped = is_stopped
        self._next = clock()
        self._slowness = 1 / CALLS_A_SECOND
        self.evidence: list[Exchange] = []
        self.last = Reply(0, None)
        self.is_cleaning = False

    def send(self, request: Request, /) -> Response:
        """Make one call, unless the run is to end."""
        self.check()
        self.wait(self._next - self._clock())
        began = self._clock()
        self._next = began + 1 / CALLS_A_SECOND
        self.last = Reply(0, None)
        try:
            response = self._inner.send(request)
        except TransportError as error:
            self._note(request, type(error).__name__)
            raise
        took = max(self._clock() - began, 1 / CALLS_A_SECOND)
        self._slowness += (took - self._slowness) / 8
        self.last = _read(response)
        self._note(request, _shown_reply(self.last))
        return response

    def close(self) -> None:
        """Nothing: the transport is its maker's to close."""

    def seconds_for(self, calls: int) -> float:
        """How long so many calls take, with some to spare."""
        return 1.5 * calls * self._slowness

    def now(self) -> float:
        """Seconds on our own clock, for distances."""
        return self._clock()

    def wait(self, seconds: float) -> None:
        """Wait; the end of the run ends it."""
        if seconds > 0:
            self._sleep(seconds)
        self.check()

    def recover(self, failures: int) -> None:
        """Wait before something starts again: as long as a 429 demands, and the longer the more often it failed."""
        demanded = self.last.retry_after or 0.0
        self.wait(min(max(demanded, 0.25 * 2**failures), _LONGEST_WAIT))

    def check(self) -> None:
        """Raise if the run is to end; the deleting at its end goes on."""
        if self._is_stopped() and not self.is_cleaning:
            raise StoppedError("it was interrupted")

    def _note(self, request: Request, got: str) -> None:
        sent = {**request.query, **(request.json or {}), **dict.fromkeys(request.headers, "")}
        shown = ", ".join(_shown_value(name, value) for name, value in sent.items())
        self.evidence.append(Exchange(f"{request.method} {request.route}", shown, got))


def named_in(problem: Mapping[str, object]) -> set[str]:
    """The properties of an entry of ``errors`` that have a usual name; any other text could be anything."""
    return {name for name in problem if _NAME.fullmatch(name)}


def _read(response: Response) -> Reply:
    try:
        body: object = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    known = cast("Mapping[str, object]", body) if isinstance(body, dict) else None
    return Reply(response.status, known, response.retry_after, is_empty=not response.body)


def _shown_value(name: str, value: object) -> str:
    known = name in _SHOWN and isinstance(value, str) and _NAME.fullmatch(value)
    return f"{name}={value}" if known else f"{name}=({type(value).__name__})" if not isinstance(value, str) else name


def _shown_reply(reply: Reply) -> str:
    if reply.body is None:
        return str(reply.status) if reply.is_empty else f"{reply.status}, no JSON object"
    parts = [str(reply.status)]
    if reply.status >= 400:
        parts += [reply.code] if reply.code else []
        parts += [f"errors with {' and '.join(sorted(named_in(problem)))}" for problem in reply.problems[:1]]
    valid = reply.body.get("valid")
    parts += [f"valid: {str(valid).lower()}"] if isinstance(valid, bool) else []
    return " ".join(parts)

"""What stands between the client and the network: requests, responses, and the transport that carries them.

What calls a transport knows the MFA API; a transport knows HTTP. Both know these frozen values only, so
that a field can be added without breaking a transport that somebody else wrote, and in a test one function
can stand in for the network.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Literal, NoReturn, Protocol, TypeAlias, cast

import attrs

from workos_mfa._core.redaction import CopyReturnsSelf, hide_locals, masked, printable

DEFAULT_TIMEOUT = 10.0
"""Seconds that one attempt may take where the caller gave no timeout."""

DEFAULT_DEADLINE = 20.0
"""Seconds that a whole call may take, waits included, where the caller gave no deadline."""

MAX_BODY = 1024 * 1024
"""The longest response body, in bytes, that is read: the real ones are under 10 KB."""

Replay: TypeAlias = Literal["safe", "idempotent", "non_idempotent"]
"""What a repetition does: ``safe`` changes nothing on the server, ``idempotent`` ends in the same
state however often it is done, ``non_idempotent`` acts again every time and so must never be repeated."""


@attrs.frozen
class Options:
    """Limits of one call, in seconds and attempts; None where the caller set none.

    :param timeout: wall time of one attempt, from connecting to the last byte of the response.
    :param deadline: wall time of the whole call, with all its attempts and the waits between.
    :param max_attempts: at most this many attempts; it lowers a retry policy, never raises it.
    """

    timeout: float | None = None
    deadline: float | None = None
    max_attempts: int | None = None


_SECRETS = ("code", "totp_secret", "phone_number")


class _NotPickled(CopyReturnsSelf):
    """What may hold a code or a secret, and so refuses to be pickled."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} may hold a code or a secret and is not pickled: take what is needed out of it"
        )


@attrs.frozen(eq=False)
class Request(_NotPickled):
    """One documented call, ready to be carried.

    :param operation: the name of the call, as the method of :class:`workos_mfa.MFA` has it.
    :param method: the HTTP method.
    :param path: the path below the base URL, each segment percent-encoded.
    :param route: the path's template, such as ``/auth/factors/{id}``: safe to log and to count by.
    :param query: query parameters; empty for most calls.
    :param json: the body, or None for a call without one. It may hold a one-time code or a secret.
    :param replay: what a repetition of this call does (see :data:`Replay`).
    :param options: the caller's limits.
    :param headers: headers beside those that a transport sends anyway, which they can't replace; empty for every call
        of :class:`workos_mfa.MFA`. The transports over HTTP refuse those about the connection or with credentials, such
        as ``Transfer-Encoding`` and ``Cookie``, and values that are not one line of printable ASCII.
    """

    operation: str
    method: str
    path: str
    route: str
    query: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    json: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    replay: Replay = "non_idempotent"
    options: Options = attrs.field(factory=Options)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)


@attrs.frozen
class Attempt:
    """What became of one attempt of a call; it never holds a value that was sent or received.

    :param number: 1 for the first attempt of a call.
    :param operation: the name of the call.
    :param route: the path's template.
    :param status: the HTTP status, or None where no response came.
    :param error: the class name of the transport's error, or None where a response came.
    :param seconds: how long the attempt took.
    :param wait: seconds until the next attempt, or None where none follows.
    :param request_id: the server's id for the request, to be quoted to WorkOS' support.
    :param outcome_unknown: True if the server may have acted.
    """

    number: int
    operation: str
    route: str
    status: int | None
    error: str | None
    seconds: float
    wait: float | None
    request_id: str | None
    outcome_unknown: bool


class _LowerCased(dict[str, str]):
    __slots__ = ()


def _lower_cased(headers: Mapping[str, str]) -> Mapping[str, str]:
    if type(headers) is _LowerCased:
        return headers
    return _LowerCased({name.lower(): str(value) for name, value in headers.items()})


@attrs.frozen(eq=False)
class Response(_NotPickled):
    """An HTTP response of any status.

    :param status: the HTTP status.
    :param headers: the headers; their names are lower-cased here, whatever mapping comes in.
    :param body: the body, decompressed. A transport reads no more than :data:`MAX_BODY` bytes and
        one: a longer body is cut there, and the client refuses it for its length.
    :param attempts: the attempts it took, where something repeats; a plain transport leaves it empty.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], converter=_lower_cased, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    attempts: tuple[Attempt, ...] = ()

    @property
    def request_id(self) -> str | None:
        """The server's id for the request, or None where it sent none."""
        return _request_id(self, ())

    @property
    @hide_locals
    def retry_after(self) -> float | None:
        """Seconds the server asks to wait, or None where it does not say so in a readable way.

        A date is measured against the response's own ``Date``, so that a clock that is wrong here
        does not matter. A 429 without the header may say it in its JSON, as ``retry_after``.
        """
        value = self.headers.get("retry-after", "").strip()
        if not value:
            return _seconds(json_field(self, "retry_after")) if self.status == 429 else None
        if value.isascii() and value.replace(".", "", 1).isdigit():
            seconds = float(value)
            return seconds if math.isfinite(seconds) else None
        return _seconds_between(self.headers.get("date"), value)


def json_field(response: Response, name: str) -> object:
    """What a response's JSON has under a name, or None where there is none or it can't be read."""
    if len(response.body) > MAX_BODY:
        return None
    try:
        document: object = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", document).get(name) if isinstance(document, dict) else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Written so that NaN is refused, and a whole number that no float can hold.
    return float(value) if 0 <= value <= sys.float_info.max else None


def sent_secrets(request: Request) -> tuple[str, ...]:
    """The secrets in a request's body, which are masked wherever the server repeats them."""
    body = request.json
    return tuple([value for name in _SECRETS if isinstance(value := body.get(name), str)]) if body else ()


def request_id_of(request: Request, response: Response) -> str | None:
    """The server's id for a request, with the secrets that were sent masked in it."""
    return _request_id(response, sent_secrets(request))


def _request_id(response: Response, sent: tuple[str, ...]) -> str | None:
    value = response.headers.get("x-request-id")
    return printable(masked(value, sent), limit=128) if value else None


def _seconds_between(start: str | None, end: str) -> float | None:
    # The two modules are slow to load and are needed for this rare form of the header only.
    from datetime import datetime, timezone
    from email.utils import parsedate_to_datetime

    try:
        until = parsedate_to_datetime(end)
        since = parsedate_to_datetime(start) if start else datetime.now(timezone.utc)
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


class Transport(Protocol):
    """What carries requests: the default, the emulator, a stub in a test, a company's own client.

    ``send`` makes one attempt, follows no redirect and returns a response of any HTTP status. It
    raises a :class:`workos_mfa.TransportError` where no complete response came, and may be called by many
    threads at once. Any other exception passes through the client unchanged and is not repeated.
    :class:`workos_mfa.testing.TransportContract` is this paragraph as a test suite.
    """

    def send(self, request: Request, /) -> Response:
        """Carry one request and return the response, whatever its status."""
        ...

    def close(self) -> None:
        """Close what is open; a transport that holds nothing does nothing."""
        ...


# They are named as they are imported; in Transport it would be a member of the protocol.
for _kind in (Options, Request, Attempt, Response, Transport):
    _kind.__module__ = "workos_mfa"

"""What the transports over HTTP share: the key, the headers, and which error an exception of the library becomes.

What matters of a failure is whether anything had been sent. That stands in the chain of exceptions that each layer
wrapped around the layer below. The error's text is made from the system's reason alone: the texts and the attributes of
the libraries' exceptions, and the locals of their frames, may hold what was sent.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn
from urllib.parse import urlencode

import attrs
import urllib3.exceptions as pool_errors

from workos_mfa._core import validation
from workos_mfa._core.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    TLSError,
    TransportError,
    TransportTimeoutError,
)
from workos_mfa._core.redaction import MASK, Hidden, hide_locals, masked, printable, without_context
from workos_mfa._core.transport import DEFAULT_TIMEOUT, Request, Response, sent_secrets
from workos_mfa._transports.config import Endpoint, read_api_key, read_endpoint
from workos_mfa._transports.deadline import DEFAULT_MAX_IDLE, NothingSentError
from workos_mfa._version import __version__

HEADERS = {
    "User-Agent": f"workos-mfa-python/{__version__}",
    "Accept-Encoding": "identity",
}
BODY_HEADERS = {**HEADERS, "Content-Type": "application/json"}

LIBRARY_ERRORS = (pool_errors.HTTPError, OSError, http.client.HTTPException)
"""What sockets, TLS, urllib3 and requests raise; anything else that comes out of I/O is somebody else's."""

_Types = tuple[type[BaseException], ...]

_TUNNEL_REFUSED = "Tunnel connection failed"
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


@attrs.frozen
class FailureTypes:
    """The types of exceptions that tell, wherever one stands in the chain, how an attempt failed."""

    # Not urllib3's ProxyError: it stands as well for a response that was lost in a proxy's tunnel.
    nothing_sent: _Types = (
        NothingSentError,
        pool_errors.NewConnectionError,
        pool_errors.ConnectTimeoutError,
        pool_errors.LocationValueError,
    )
    timed_out: _Types = (TimeoutError, pool_errors.TimeoutError)
    in_tls: _Types = (ssl.SSLError, pool_errors.SSLError)


URLLIB3_FAILURES = FailureTypes()


class HTTPTransport:
    """The base of the transports over HTTP: all but the exchange, which a library makes."""

    _failure_types = URLLIB3_FAILURES

    def __init__(
        self, api_key: str | None, base_url: str | None, *, allow_http: bool, max_idle: float | None = None
    ) -> None:
        self._key = Hidden(read_api_key(api_key))
        self._endpoint = read_endpoint(base_url, allow_http=allow_http)
        self._authorization = Hidden(f"Bearer {self._key.value}")
        self._max_idle = validation.seconds("max_idle", DEFAULT_MAX_IDLE if max_idle is None else max_idle)
        self._made_in = os.getpid()

    def __repr__(self) -> str:
        # A crash reporter may ask while the making of it is refused.
        endpoint = vars(self).get("_endpoint")
        return f"{type(self).__name__}({endpoint.url if endpoint else None!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a transport holds a key and is not pickled: make one in each process, or before a fork")

    @hide_locals
    def send(self, request: Request, /) -> Response:
        """Make one attempt.

        :returns: the response, whatever its status.
        :raises TransportError: if no whole response came.
        """
        try:
            process = os.getpid()
            if self._made_in != process:
                self._renew()
                self._made_in = process
            return self._exchange(request)
        except BaseException as caught:  # noqa: BLE001 - raised again below, out of reach of what the library raised
            error = self._surfacing(caught, request)
        raise error

    def _renew(self) -> None:
        """Make new pools of connections. After a fork, those from before belong to the parent process."""
        raise NotImplementedError

    def _exchange(self, request: Request) -> Response:
        """Send the request and read the response."""
        raise NotImplementedError

    def _details(self, _caught: BaseException) -> str:
        """Lines to add to the text of a connection that broke, such as a stub's list of what it matches."""
        return ""

    def _surfacing(self, caught: BaseException, request: Request) -> BaseException:
        if not isinstance(caught, LIBRARY_ERRORS):
            return without_context(caught)
        return transport_error(
            caught,
            self._endpoint,
            request.options.timeout or DEFAULT_TIMEOUT,
            types=self._failure_types,
            details=self._details(caught),
            sent=(self._key.value, *sent_secrets(request)),
        )

    def _target(self, request: Request) -> str:
        """The path and query below the base URL."""
        return f"{request.path}?{urlencode(request.query)}" if request.query else request.path

    def _response(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Response:
        key = self._key.value
        if status >= 400:
            body = body.replace(key.encode(), MASK.encode())
        return Response(status, {name: str(value).replace(key, MASK) for name, value in headers}, body)


def headers_for(request: Request) -> Mapping[str, str]:
    """The headers of a request, without the key: those of its own, and the usual ones, which go before them.

    :raises InvalidInputError: if one of its own can't be sent.
    """
    usual = HEADERS if request.json is None else BODY_HEADERS
    if not request.headers:
        return usual
    for name, value in request.headers.items():
        validation.header(name, value)
    kept = {"authorization", "content-length", "host", *(name.lower() for name in usual)}
    return {**{name: value for name, value in request.headers.items() if name.lower() not in kept}, **usual}


def encode_body(request: Request) -> bytes | None:
    return None if request.json is None else json.dumps(request.json).encode()


def transport_error(
    caught: BaseException,
    endpoint: Endpoint,
    seconds: float,
    *,
    types: FailureTypes,
    details: str,
    sent: Iterable[str],
) -> TransportError:
    """The error that an exception of the library becomes.

    :param seconds: the time that the attempt had.
    :param sent: what is masked, should an exception repeat it: an adapter's or a stub's text may hold anything.
    """
    chain = tuple(_chain(caught))
    where = f"{endpoint.host}:{endpoint.port}"
    reason = _reason(chain, sent)
    if _has(chain, types.in_tls) and not _has(chain, _BROKEN_OFF):
        return _tls_error(chain, where, reason)
    # In urllib3 a refused connection is a kind of connect timeout.
    timed_out = any(
        isinstance(link, types.timed_out) and not isinstance(link, pool_errors.NewConnectionError) for link in chain
    )
    if _has(chain, types.nothing_sent) or any(map(_is_refused_tunnel, chain)):
        if timed_out:
            return ConnectTimeoutError(f"no connection to {where} within {seconds:.3g} s. Nothing was sent")
        return ConnectError(f"no connection to {where}: {reason}. Nothing was sent")
    if timed_out:
        return TransportTimeoutError(f"no whole response from {where} within {seconds:.3g} s")
    text = f"the connection to {where} broke before the whole response was there: {reason.removesuffix('.')}"
    return ConnectionLostError(f"{text}\n{masked(details, sent)}" if details else text)


def _tls_error(chain: tuple[BaseException, ...], where: str, reason: str) -> TLSError:
    if _has(chain, (ssl.CertificateError,)):
        return TLSError(
            f"the certificate of {where} was refused: {reason}. Nothing was sent. "
            "If a company's own authority signs it, point REQUESTS_CA_BUNDLE at that authority's file",
            outcome_unknown=False,
        )
    return TLSError(f"TLS with {where} failed: {reason}")


def _has(chain: tuple[BaseException, ...], types: _Types) -> bool:
    return any(isinstance(link, types) for link in chain)


def _is_refused_tunnel(link: BaseException) -> bool:
    return isinstance(link, OSError) and str(link).startswith(_TUNNEL_REFUSED)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made from, outermost first.

    ``__context__`` is left out: it may be what the caller was handling when it called us.
    """
    pending, seen = [error], set[int]()
    while pending:
        link = pending.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inside = (*link.args, link.__cause__, getattr(link, "reason", None), getattr(link, "original_error", None))
        pending.extend(part for part in inside if isinstance(part, BaseException))


def _reason(chain: tuple[BaseException, ...], sent: Iterable[str]) -> str:
    for link in reversed(chain):
        text = _system_text(link)
        if text:
            # Masked while it is whole: half a key would not be found.
            return printable(masked(text.partition("\n")[0], sent), limit=200)
    return type(chain[-1]).__name__


def _system_text(link: BaseException) -> str | None:
    if isinstance(link, ssl.SSLCertVerificationError):
        return link.verify_message
    if isinstance(link, ssl.SSLError):
        # One that was made by hand has no reason.
        return getattr(link, "reason", None) or link.strerror
    if isinstance(link, http.client.RemoteDisconnected):
        return "the server closed it without a response"
    if isinstance(link, http.client.HTTPException):
        return "the response was cut off or is not HTTP"
    if isinstance(link, OSError):
        first = link.args[0] if link.args else None
        text = link.strerror or (first if isinstance(first, str) else None)
        return _without_the_proxys_words(text) if text and text.startswith(_TUNNEL_REFUSED) else text
    return None


def _without_the_proxys_words(text: str) -> str:
    # What a proxy says behind its status may be the password that it was sent.
    status = text.removeprefix(_TUNNEL_REFUSED).lstrip(": ")[:3]
    phrase = http.client.responses.get(int(status), "") if status.isdecimal() else ""
    return f"{_TUNNEL_REFUSED}: {status} {phrase}".rstrip()

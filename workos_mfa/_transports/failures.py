"""From an exception of a socket, of TLS or of urllib3 to the one of ours that says what it means.

What matters is whether anything had been sent. The answer stands in the chain of what each layer
wrapped around the layer below; the texts are made from the system's reason alone, since the
libraries' own texts and attributes may hold what was sent. They say what happened: what to do about
it is for the client to say, which knows the call.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterable, Iterator

from urllib3.exceptions import ConnectTimeoutError as PoolConnectTimeoutError
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from workos_mfa._core.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    TLSError,
    TransportError,
    TransportTimeoutError,
)
from workos_mfa._core.redaction import masked, printable
from workos_mfa._transports.config import Endpoint
from workos_mfa._transports.connections import NothingSentError

LIBRARY_ERRORS = (HTTPError, OSError, http.client.HTTPException)
"""What sockets, TLS and urllib3 raise; anything else that comes out of I/O is somebody else's."""

# Not urllib3's ProxyError: it stands as well for an answer that was lost in a proxy's tunnel.
_BEFORE_SENDING = (NothingSentError, NewConnectionError, PoolConnectTimeoutError, LocationValueError)
_TUNNEL_REFUSED = "Tunnel connection failed"
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def transport_error(
    caught: BaseException,
    endpoint: Endpoint,
    seconds: float,
    *,
    sent_nothing: bool = False,
    timed_out: bool = False,
    in_tls: bool = False,
    details: str = "",
    sent: Iterable[str] = (),
) -> TransportError:
    """The error that tells what the exception means.

    :param caught: the library's exception.
    :param endpoint: where the request was to go.
    :param seconds: the time that the attempt had.
    :param sent_nothing: True if it is known from elsewhere that nothing was sent.
    :param timed_out: True if it is known from elsewhere that the time was up.
    :param in_tls: True if it is known from elsewhere that TLS failed.
    :param details: lines for the end of a text that would leave a developer without them.
    :param sent: what is masked, should an exception repeat it: an adapter's or a stub's text may hold anything.
    """
    chain = tuple(_chain(caught))
    where = f"{endpoint.host}:{endpoint.port}"
    reason = _reason(chain, sent)
    if in_tls or _is_tls_failure(chain):
        return _tls_error(chain, where, reason)
    timed_out = timed_out or any(map(_is_timeout, chain))
    if sent_nothing or any(map(_is_before_sending, chain)):
        if timed_out:
            return ConnectTimeoutError(f"no connection to {where} within {seconds:.3g} s. Nothing was sent")
        return ConnectError(f"no connection to {where}: {reason}. Nothing was sent")
    if timed_out:
        return TransportTimeoutError(f"no whole answer from {where} within {seconds:.3g} s")
    text = f"the connection to {where} broke before the whole answer was there: {reason.removesuffix('.')}"
    return ConnectionLostError(f"{text}\n{masked(details, sent)}" if details else text)


def _tls_error(chain: tuple[BaseException, ...], where: str, reason: str) -> TLSError:
    if any(isinstance(link, ssl.CertificateError) for link in chain):
        return TLSError(
            f"the certificate of {where} was refused: {reason}. Nothing was sent. "
            "If a company's own authority signs it, point REQUESTS_CA_BUNDLE at that authority's file",
            outcome_unknown=False,
        )
    return TLSError(f"TLS with {where} failed: {reason}")


def _is_before_sending(link: BaseException) -> bool:
    refused_by_proxy = isinstance(link, OSError) and str(link).startswith(_TUNNEL_REFUSED)
    return refused_by_proxy or isinstance(link, _BEFORE_SENDING)


def _is_timeout(link: BaseException) -> bool:
    # In urllib3 a refused connection is a kind of connect timeout.
    return isinstance(link, TimeoutError | PoolTimeoutError) and not isinstance(link, NewConnectionError)


def _is_tls_failure(chain: tuple[BaseException, ...]) -> bool:
    if any(isinstance(link, _BROKEN_OFF) for link in chain):
        return False
    return any(isinstance(link, ssl.SSLError | SSLError) for link in chain)


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
        return "the server closed it without an answer"
    if isinstance(link, http.client.HTTPException):
        return "the answer was cut off or is not HTTP"
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

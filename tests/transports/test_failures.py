"""Which error an exception of the network becomes, in which words, and whether anything may have been sent.

The exceptions come out of an adapter of the user's, which can raise what no server brings about.
"""

from __future__ import annotations

import http.client
import ssl
from typing import Any, NoReturn

import pytest
import requests
import urllib3.exceptions as pool

from workos_mfa import (
    MFA,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    RequestsTransport,
    TLSError,
    TransportError,
    TransportTimeoutError,
)

KEY = "sk_test_a2V5XzAxSEs"

NO_CONNECTION = "no connection to api.workos.com:443"
BROKE = "the connection to api.workos.com:443 broke before the whole response was there"
REFUSED = (
    "the certificate of api.workos.com:443 was refused: self-signed certificate. Nothing was sent. "
    "If a company's own authority signs it, point REQUESTS_CA_BUNDLE at that authority's file"
)


class Failing(requests.adapters.BaseAdapter):
    """An adapter that gets no response."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def send(self, *_: object, **__: object) -> NoReturn:
        """Raise the error."""
        raise self.error

    def close(self) -> None:
        """Nothing is held."""


def failure_of(error: BaseException) -> TransportError:
    """What a call makes of an exception that came while the caller handled one of its own."""
    error.__context__ = ssl.SSLEOFError(8, "of the caller")
    with requests.Session() as session:
        session.mount("https://", Failing(error))
        mfa = MFA(transport=RequestsTransport(KEY, session=session), timeout=3)
        with pytest.raises(TransportError) as caught:
            mfa.challenge_factor("auth_factor_1")
    return caught.value


def made_of(outer: BaseException, inner: BaseException) -> BaseException:
    """An exception with another as its cause."""
    outer.__cause__ = inner
    return outer


def with_attributes(error: BaseException, **values: object) -> BaseException:
    """An exception as a library would have made it."""
    vars(error).update(values)
    return error


def in_a_circle() -> BaseException:
    """Two exceptions, each the cause of the other."""
    outer, inner = OSError(104, "outer"), OSError(104, "inner")
    return made_of(outer, made_of(inner, outer))


def reset() -> OSError:
    """What the system says of a connection that the server has reset."""
    return ConnectionResetError(104, "Connection reset by peer")


ANY: Any = None
FAILURES: list[tuple[BaseException, type[TransportError], str]] = [
    # Nothing was sent.
    (pool.NewConnectionError(ANY, "x"), ConnectError, f"{NO_CONNECTION}: NewConnectionError. Nothing was sent"),
    (
        made_of(pool.NewConnectionError(ANY, "x"), OSError(111, "Connection refused")),
        ConnectError,
        f"{NO_CONNECTION}: Connection refused. Nothing was sent",
    ),
    (pool.LocationValueError("x"), ConnectError, f"{NO_CONNECTION}: LocationValueError. Nothing was sent"),
    (pool.ConnectTimeoutError("x"), ConnectTimeoutError, f"{NO_CONNECTION} within 3 s. Nothing was sent"),
    (
        OSError("Tunnel connection failed: 407 the password"),
        ConnectError,
        f"{NO_CONNECTION}: Tunnel connection failed: 407 Proxy Authentication Required. Nothing was sent",
    ),
    (
        OSError("Tunnel connection failed: 999 the password"),
        ConnectError,
        f"{NO_CONNECTION}: Tunnel connection failed: 999. Nothing was sent",
    ),
    (
        OSError("Tunnel connection failed: XYZpassword"),
        ConnectError,
        f"{NO_CONNECTION}: Tunnel connection failed: XYZ. Nothing was sent",
    ),
    # The time was up.
    (TimeoutError("x"), TransportTimeoutError, "no whole response from api.workos.com:443 within 3 s"),
    (
        pool.MaxRetryError(ANY, "/", pool.ReadTimeoutError(ANY, "/", "x")),
        TransportTimeoutError,
        "no whole response from api.workos.com:443 within 3 s",
    ),
    # TLS failed; its end is a connection that broke.
    (
        with_attributes(ssl.SSLCertVerificationError(1, "x"), verify_message="self-signed certificate"),
        TLSError,
        REFUSED,
    ),
    (ssl.SSLError(1, "bad record"), TLSError, "TLS with api.workos.com:443 failed: bad record"),
    (
        with_attributes(ssl.SSLError(1, "x"), reason="WRONG_VERSION_NUMBER"),
        TLSError,
        "TLS with api.workos.com:443 failed: WRONG_VERSION_NUMBER",
    ),
    (pool.SSLError("x"), TLSError, "TLS with api.workos.com:443 failed: SSLError"),
    (made_of(pool.SSLError("x"), ssl.SSLEOFError(8, "EOF")), ConnectionLostError, f"{BROKE}: EOF"),
    (ssl.SSLZeroReturnError(6, "closed"), ConnectionLostError, f"{BROKE}: closed"),
    # The connection broke.
    (reset(), ConnectionLostError, f"{BROKE}: Connection reset by peer"),
    (pool.ProtocolError("x", reset()), ConnectionLostError, f"{BROKE}: Connection reset by peer"),
    (pool.ProxyError("x", reset()), ConnectionLostError, f"{BROKE}: Connection reset by peer"),
    (
        with_attributes(pool.HTTPError("x"), original_error=reset()),
        ConnectionLostError,
        f"{BROKE}: Connection reset by peer",
    ),
    (
        http.client.RemoteDisconnected("x"),
        ConnectionLostError,
        f"{BROKE}: the server closed it without a response",
    ),
    (http.client.BadStatusLine("x"), ConnectionLostError, f"{BROKE}: the response was cut off or is not HTTP"),
    (in_a_circle(), ConnectionLostError, f"{BROKE}: inner"),
    # A stub's lists what it has below its first line.
    (
        requests.exceptions.ConnectionError(f"refused\n- POST with {KEY}\n"),
        ConnectionLostError,
        f"{BROKE}: refused\n- POST with ***",
    ),
    # The reason is one short line, with nothing in it that was sent, and its own full stop is left out.
    (OSError("not a word."), ConnectionLostError, f"{BROKE}: not a word"),
    (OSError(7), ConnectionLostError, f"{BROKE}: OSError"),
    (OSError(), ConnectionLostError, f"{BROKE}: OSError"),
    (OSError(5, f"with {KEY}\nSENTINEL"), ConnectionLostError, f"{BROKE}: with ***"),
    (OSError(5, "x" * 201), ConnectionLostError, f"{BROKE}: {'x' * 199}…"),
    (OSError(5, f"{'x' * 195}{KEY}"), ConnectionLostError, f"{BROKE}: {'x' * 195}***"),
]


@pytest.mark.parametrize(("error", "kind", "text"), FAILURES, ids=[f"{error!r:.60}" for error, *_ in FAILURES])
def test_an_exception_becomes_this_error(error: BaseException, kind: type[TransportError], text: str) -> None:
    """What matters is if anything had been sent, which stands in what the exception was made from."""
    failure = failure_of(error)
    assert type(failure) is kind
    assert failure.args == (text,)
    assert failure.outcome_unknown is ("Nothing was sent" not in text)
    assert (failure.__cause__, failure.__context__) == (None, None)

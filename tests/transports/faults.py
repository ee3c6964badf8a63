"""The fault table: what can go wrong with a call, and what must follow. The tests and ``docs/faults.md`` read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
import trustme

from tests.transports.api import IDEMPOTENT, SAFE, respond_and_hang_up, respond_rightly
from tests.transports.stages import (
    ESTABLISHED,
    INTERIM,
    Setting,
    at_the_api,
    authority,
    connecting_hangs,
    cut_body,
    garble,
    no_proxy_there,
    no_such_host,
    no_tls_there,
    nobody_listens,
    on_a_kept_connection,
    over_tls,
    reset,
    respond_after_interim,
    response_of,
    send_and_hang_up,
    stall,
    stall_in_the_tunnel,
    status,
    through_a_proxy,
    tls_is_broken_off,
    tls_never_begins,
    tunnel,
)
from workos_mfa import (
    APIError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    ServerError,
    SMSQuotaReachedError,
    SMSRateLimitedError,
    TLSError,
    TransportTimeoutError,
    UnexpectedResponseError,
)

Repeated = Literal["again", "never"]


@attrs.frozen
class Fault:
    """What goes wrong, and what must follow from it.

    :param setting: makes it go wrong.
    :param safe: whether get and list are tried again.
    :param idempotent: whether delete is.
    :param non_idempotent: whether the other calls are.
    :param arrives: whether the request reaches the API.
    :param unclear: whether the API may have acted.
    :param error: what is raised if it stays; None if the call works in spite of it.
    :param timeout: seconds that an attempt has.
    :param is_warm: whether an earlier call has left a connection open.
    :param deletes: whether a delete can meet it: one that works reads no body.
    """

    setting: Setting
    safe: Repeated
    idempotent: Repeated
    non_idempotent: Repeated
    arrives: bool
    unclear: bool
    error: type[MFAError] | None
    timeout: float = 5
    is_warm: bool = False
    deletes: bool = True

    def repeated(self, call: str) -> bool:
        """Whether a call is tried again."""
        rule = {**dict.fromkeys(SAFE, self.safe), **dict.fromkeys(IDEMPOTENT, self.idempotent)}.get(
            call, self.non_idempotent
        )
        return rule == "again"


def unsent(setting: Setting, error: type[MFAError] = ConnectError, timeout: float = 5) -> Fault:
    """A fault before which nothing was sent, so that every call is tried again."""
    return Fault(setting, "again", "again", "again", arrives=False, unclear=False, error=error, timeout=timeout)


def without_response(setting: Setting, error: type[MFAError] = ConnectionLostError, **settings: Any) -> Fault:
    """A fault after which nobody knows what the API did: what acts is never sent again."""
    fault = Fault(setting, "again", "again", "never", arrives=True, unclear=True, error=error)
    return attrs.evolve(fault, **settings)


def final(setting: Setting, error: type[MFAError] | None, *, unclear: bool, **settings: Any) -> Fault:
    """A fault that repeating does not mend."""
    fault = Fault(setting, "never", "never", "never", arrives=True, unclear=unclear, error=error)
    return attrs.evolve(fault, **settings)


def limited(repeated: Repeated, headers: Mapping[str, str], /, **said: object) -> Fault:
    """A refusal for the number of requests: what acts is sent again if the API says when."""
    setting = at_the_api(status(429, headers, **said))
    return Fault(setting, "again", "again", repeated, arrives=True, unclear=False, error=RateLimitExceededError)


BRIEF = 0.1
"""Seconds for a connection that never comes about: the slower the machine, the less it does."""

IN_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"

FAULTS: dict[str, Fault] = {
    "connection refused": unsent(nobody_listens),
    "no such host": unsent(no_such_host),
    "connecting hangs": unsent(connecting_hangs, ConnectTimeoutError, BRIEF),
    "nobody listens at the proxy": unsent(no_proxy_there),
    "the proxy refuses (407)": unsent(through_a_proxy(status(407, {"Proxy-Authenticate": "Basic"}))),
    "the proxy can't reach the API (502)": unsent(through_a_proxy(status(502))),
    "the proxy dies on CONNECT": unsent(through_a_proxy(reset)),
    "the proxy never responds to CONNECT": unsent(through_a_proxy(stall), ConnectTimeoutError, BRIEF),
    "the proxy dies after CONNECT": unsent(through_a_proxy(send_and_hang_up(ESTABLISHED))),
    "the proxy stalls after CONNECT": unsent(through_a_proxy(stall_in_the_tunnel), ConnectTimeoutError, BRIEF),
    "the connection breaks in the TLS handshake": unsent(tls_is_broken_off),
    "the TLS handshake stalls": unsent(tls_never_begins, ConnectTimeoutError, BRIEF),
    "certificate of another authority": final(
        over_tls(respond_rightly, lambda: trustme.CA().issue_cert("localhost")), TLSError, unclear=False, arrives=False
    ),
    "certificate for another host": final(
        over_tls(respond_rightly, lambda: authority().issue_cert("elsewhere.example")),
        TLSError,
        unclear=False,
        arrives=False,
    ),
    "no TLS there": final(no_tls_there, TLSError, unclear=True, arrives=False),
    "TLS record garbled after the request": final(over_tls(garble), TLSError, unclear=True),
    "the proxy's tunnel breaks after the request": without_response(through_a_proxy(tunnel, send_and_hang_up())),
    "the response is lost": without_response(at_the_api(send_and_hang_up())),
    "reset": without_response(at_the_api(reset)),
    "stall": without_response(at_the_api(stall), TransportTimeoutError, timeout=0.3),
    "reset over TLS": without_response(over_tls(reset)),
    "stall over TLS": without_response(over_tls(stall), TransportTimeoutError, timeout=0.5),
    "cut off in a header's name": without_response(at_the_api(send_and_hang_up(b"HTTP/1.1 200 OK\r\nContent-Le"))),
    "cut off in a header's value": without_response(at_the_api(send_and_hang_up(b"HTTP/1.1 429 No\r\nRetry-After: 0"))),
    "cut off between headers": without_response(at_the_api(send_and_hang_up(b"HTTP/1.1 429 No\r\nRetry-After: 0\r\n"))),
    "cut off after the status": without_response(at_the_api(send_and_hang_up(b"HTTP/1.1 204 No Content\r\n"))),
    "cut off in the body": without_response(at_the_api(cut_body), deletes=False),
    "cut off in a chunk": without_response(at_the_api(send_and_hang_up(IN_CHUNKS + b"20\r\n{"))),
    "a chunk of -1 bytes": without_response(at_the_api(send_and_hang_up(IN_CHUNKS + b"-1\r\n{}"))),
    "not HTTP": without_response(at_the_api(send_and_hang_up(b"220 smtp ready\r\n"))),
    "interim responses, then nothing": without_response(at_the_api(send_and_hang_up(INTERIM))),
    "a kept connection is reset as the request arrives": without_response(
        on_a_kept_connection(respond_rightly, reset), is_warm=True
    ),
    "429": limited("never", {}),
    "429, Retry-After in seconds": limited("again", {"Retry-After": "0"}),
    "429, Retry-After as a date": limited("again", {"Retry-After": DATE, "Date": DATE}),
    "429, Retry-After unreadable": limited("never", {"Retry-After": "soon"}),
    "429, retry_after in the JSON": limited("again", {}, retry_after=0),
    "429 `sms_challenge_rate_limited`": final(
        at_the_api(status(429, {"Retry-After": "0"}, code="sms_challenge_rate_limited")),
        SMSRateLimitedError,
        unclear=False,
    ),
    "429 `sms_challenge_quota_reached`": final(
        at_the_api(status(429, {"Retry-After": "0"}, code="sms_challenge_quota_reached")),
        SMSQuotaReachedError,
        unclear=False,
    ),
    **{
        str(code): without_response(at_the_api(status(code)), ServerError)
        for code in (500, 502, 503, 504, 520, 527, 530)
    },
    "503, Retry-After in seconds": without_response(at_the_api(status(503, {"Retry-After": "0"})), ServerError),
    "501": final(at_the_api(status(501)), ServerError, unclear=True),
    "408": final(at_the_api(status(408)), APIError, unclear=True),
    "404": final(at_the_api(status(404)), NotFoundError, unclear=False),
    "redirect (307)": final(at_the_api(status(307, {"Location": "/elsewhere"})), UnexpectedResponseError, unclear=True),
    "a success that is not JSON": final(
        at_the_api(response_of(b"<html>fine</html>")), UnexpectedResponseError, unclear=True, deletes=False
    ),
    "a success that is something else": final(
        at_the_api(response_of({"ok": True})), UnexpectedResponseError, unclear=True, deletes=False
    ),
    "interim responses first (100, 102, 103)": final(at_the_api(respond_after_interim), None, unclear=False),
    "a kept connection was closed while idle": final(
        on_a_kept_connection(respond_and_hang_up, respond_rightly), None, unclear=False, is_warm=True
    ),
}


_UNCLEAR = {"non_idempotent": "never", "unclear": True}
_TAKEN_FOR_WHOLE = {"safe": "never", "idempotent": "never", **_UNCLEAR, "error": UnexpectedResponseError}
_TAKEN_FOR_A_REFUSAL = {"non_idempotent": "again", "unclear": False, "error": RateLimitExceededError}

_DIFFERENCES: dict[str, dict[str, Any]] = {
    "the proxy dies on CONNECT": {**_UNCLEAR, "error": ConnectionLostError},
    "the proxy never responds to CONNECT": {**_UNCLEAR, "error": TransportTimeoutError},
    "the proxy dies after CONNECT": {**_UNCLEAR, "error": ConnectionLostError},
    "the proxy stalls after CONNECT": {**_UNCLEAR, "error": TransportTimeoutError},
    "the connection breaks in the TLS handshake": {**_UNCLEAR, "error": ConnectionLostError},
    "the TLS handshake stalls": {**_UNCLEAR, "error": TransportTimeoutError},
    "cut off in a header's name": {**_TAKEN_FOR_WHOLE, "deletes": False},
    "cut off in a header's value": _TAKEN_FOR_A_REFUSAL,
    "cut off between headers": _TAKEN_FOR_A_REFUSAL,
    "cut off after the status": {**_TAKEN_FOR_WHOLE, "deletes": False},
    "interim responses, then nothing": _TAKEN_FOR_WHOLE,
    "interim responses first (100, 102, 103)": _TAKEN_FOR_WHOLE,
}
ON_A_SESSION = {name: attrs.evolve(FAULTS[name], **changes) for name, changes in _DIFFERENCES.items()}
"""What is different on a session of the user's, whose connections are not of our making."""

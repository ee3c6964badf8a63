"""What the transports that open connections have in common.

They go to the same place with the same key, mask that key where the server repeats it, and let
nothing surface but an error of ours or somebody else's exception: neither with a frame of the HTTP
library, whose locals hold what was sent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import NoReturn
from urllib.parse import urlencode

from workos_mfa._core.errors import TransportError
from workos_mfa._core.redaction import MASK, Hidden, unseen, without_frames
from workos_mfa._core.transport import DEFAULT_TIMEOUT, Request, Response, sent_secrets
from workos_mfa._transports.config import read_api_key, read_endpoint
from workos_mfa._transports.failures import LIBRARY_ERRORS, transport_error
from workos_mfa._version import __version__

HEADERS = {
    "User-Agent": f"workos-mfa-python/{__version__}",
    "Accept-Encoding": "identity",
}
BODY_HEADERS = {**HEADERS, "Content-Type": "application/json"}


class HTTPTransport:
    """A transport over HTTP, short of the library that makes the exchange.

    :param api_key: the API key that was given, if any.
    :param base_url: the base URL that was given, if any.
    :param allow_http: whether plain http is allowed to other machines.
    :raises ConfigurationError: if there is no key, or the base URL is not one that a key may be sent to.
    :raises TypeError: if an argument has the wrong type.
    """

    def __init__(self, api_key: Hidden[str | None], base_url: str | None, *, allow_http: bool) -> None:
        self._key = read_api_key(api_key)
        self._endpoint = read_endpoint(base_url, allow_http=allow_http)
        self._authorization = Hidden(f"Bearer {self._key.value}")
        self._made_in = os.getpid()

    def __repr__(self) -> str:
        # A crash reporter may ask while the making of it is refused.
        endpoint = vars(self).get("_endpoint")
        return f"{type(self).__name__}({endpoint.url if endpoint else None!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a transport holds a key and is not pickled: make one in each process, or before a fork")

    def send(self, request: Request, /) -> Response:
        """Make one attempt.

        :returns: the answer, whatever its status.
        :raises TransportError: if no whole answer came.
        """
        try:
            if self._made_in != os.getpid():
                self._renew()
            return self._exchange(request)
        except BaseException as caught:  # noqa: BLE001 - raised again below, out of reach of the library's frames
            error = self._surfacing(caught, request)
        try:
            raise error
        finally:
            del error

    def _renew(self) -> None:
        """Make connections of this process' own: the parent's, after a fork, are the parent's."""
        raise NotImplementedError

    def _exchange(self, request: Request) -> Response:
        """Send the request and read the answer."""
        raise NotImplementedError

    def _failure(self, caught: BaseException, request: Request) -> TransportError:
        """The error that tells what an exception of the library's means."""
        seconds = request.options.timeout or DEFAULT_TIMEOUT
        return unseen(
            lambda: transport_error(caught, self._endpoint, seconds, sent=(self._key.value, *sent_secrets(request)))
        )

    def _surfacing(self, caught: BaseException, request: Request) -> BaseException:
        if isinstance(caught, LIBRARY_ERRORS):
            return self._failure(caught, request)
        return without_frames(caught)

    def _target(self, request: Request) -> str:
        """The path and query below the base URL."""
        return f"{request.path}?{urlencode(request.query)}" if request.query else request.path

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Response:
        key = self._key.value
        if status >= 400:
            body = body.replace(key.encode(), MASK.encode())
        return Response(status, {name: str(value).replace(key, MASK) for name, value in headers}, body)


def encode_body(request: Request) -> bytes | None:
    """The request's body, in bytes."""
    return None if request.json is None else json.dumps(request.json).encode()

"""The emulator as a WSGI application.

It validates the host, the key, and the size and type of the body. Then the API or the control plane responds. A fault
becomes what a client sees of it: a late response, half a body, or a broken connection.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

import attrs
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wrappers import Request

from workos_mfa._core.redaction import Hidden, hide_locals, printable
from workos_mfa._core.transport import Response
from workos_mfa._version import __version__
from workos_mfa.emulator._api.dispatcher import Dispatcher, json_response
from workos_mfa.emulator._domain.error_responses import ErrorResponse
from workos_mfa.emulator._faults.fault import Outcome, reason
from workos_mfa.emulator._http.control import Control
from workos_mfa.emulator._http.hosts import THIS_MACHINE, Hosts, is_this_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLOSING = "workos_mfa.closing"
"""The key in the WSGI environment under which our own server has an event: it ends delays when the server closes."""

API_LIMIT = 100 * 1024
"""The longest body in bytes; the default of the framework behind the API."""

_CONTROL_LIMIT = 16 * 1024 * 1024  # A seed may be long.
_CONTROL = "/_emulate"
# The characters of a path that need no percent-encoding.
_PATH_SAFE = "/:@!$&'()*+,;=-._~"

_log = logging.getLogger("workos_mfa.emulator")


class LostError(ConnectionError):
    """A fault demands a broken connection. Our own server breaks it, other servers do what they do after an error."""


@attrs.frozen(eq=False)
class WSGIApp:
    """A WSGI application for any server.

    :ivar has_page: whether ``/`` is a page that anybody may see who reaches this.
    """

    _dispatcher: Dispatcher
    _control: Control = attrs.field(repr=False)
    _key: Hidden[str] = attrs.field(repr=False)
    _hosts: Hosts = THIS_MACHINE
    has_page: bool = False

    @hide_locals
    def with_api_key(self, api_key: str) -> WSGIApp:
        """The same application for another key.

        :raises ValueError: if an emulator can't have this key.
        """
        return attrs.evolve(self, key=_checked_key(api_key))

    def with_hosts(self, *hosts: str) -> WSGIApp:
        """The same application for other hosts too than ``localhost``, ``127.0.0.1`` and ``[::1]``.

        :param hosts: names or addresses without a port, such as ``"mfa.test"``; ``"*"`` for all, where a key is
            needed that is not known to all: any web page could use the emulator through a browser on this machine.
        :raises ValueError: if one is no host.
        """
        return attrs.evolve(self, hosts=self._hosts.and_also(*hosts))

    def at(self, host: str, address: str) -> WSGIApp:
        """The same application for our own server. It has the page if only this machine can reach it.

        :param host: the host that the server was given.
        :param address: the address that it listens on.
        """
        if not is_this_machine(address):
            return self.with_hosts("*")
        hosts = self._hosts.and_also(host)
        return attrs.evolve(self, hosts=hosts, has_page=hosts.names is not None)

    @property
    def api_key(self) -> str:
        """The key that requests need."""
        return self._key.value

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Respond to one request, as WSGI has it."""
        response, is_cut = self.respond(environ)
        start_response(f"{response.status} {reason(response.status)}", headers_of(response))
        if is_cut:
            return _ending_too_early(half_of(response))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

    def respond(self, environ: WSGIEnvironment) -> tuple[Response, bool]:
        """Respond to one request, after the delay of a fault.

        :returns: the response, and whether a fault demands that only half of its body is sent.
        :raises LostError: if a fault demands that no response is sent.
        :raises ConnectionError: if the client went away before its request was whole.
        """
        incoming = _Incoming(environ)
        try:
            outcome = self._outcome(incoming)
        except ErrorResponse as error:
            return self._refuse(incoming, error), False
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a response
            _log.exception("the emulator failed")
            name = type(error).__name__
            message = f"The workos_mfa emulator failed with {name}: a fault of its own, which its log shows."
            return json_response(500, {"code": "emulator_failed", "message": message}), False
        _wait(outcome.delay, environ.get(CLOSING))
        response, trouble = outcome.response, outcome.trouble
        if response is None or trouble == "lose_response" or (trouble == "cut_body" and not response.body):
            raise LostError
        return response, trouble == "cut_body"

    def _outcome(self, incoming: _Incoming) -> Outcome:
        method, path = incoming.method, incoming.path
        if not self._hosts.allow(incoming.host):
            raise _misdirected(incoming.host)
        # With a key it is a request for the API, which has no route there.
        if path == "/" and method == "GET" and self.has_page and not incoming.bearer:
            return Outcome(self._control.page())
        if path == "/health" and method == "GET":
            return Outcome(json_response(200, {"status": "ok", "emulator": "workos_mfa", "version": __version__}))
        if not hmac.compare_digest(incoming.bearer, self._key.value.encode()):
            raise ErrorResponse(401, {"message": "Unauthorized"})
        if _is_control(path):
            below = path.removeprefix(_CONTROL).removeprefix("/")
            result = self._control.dispatch(method, below, incoming.query, incoming.body(_CONTROL_LIMIT))
            return Outcome(json_response(result.status, result.body))
        body = incoming.body(API_LIMIT)
        if body:
            incoming.check_json()
        return self._dispatcher.dispatch(method, path, incoming.query, body, incoming.idempotency_key)

    def _refuse(self, incoming: _Incoming, error: ErrorResponse) -> Response:
        if _is_control(incoming.path):
            # Not put on the list of calls: that is for the calls of the app.
            return json_response(error.status, error.body, error.headers)
        return self._dispatcher.refuse(incoming.method, incoming.path, incoming.query, error)


class _Incoming:
    """One request in the terms of HTTP.

    The path stays percent-encoded: ``%2F`` in an id is not a slash. WSGI decodes it, but most servers pass the original
    beside it. The path is the one below the application's own.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._request = Request(environ, populate_request=False)
        self.method: str = self._request.method
        self.host: str = environ.get("HTTP_HOST", "")
        raw: object = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if not isinstance(raw, str):
            self.path: str = _quoted(environ.get("PATH_INFO", ""))
            return
        path = raw.partition("?")[0]
        if not path.startswith("/") and "://" in path:
            # A whole URL, as a client sends it to a proxy. No web page can make a browser do that.
            self.host = ""
            path = "/" + path.partition("://")[2].partition("/")[2]
        self.path = path.removeprefix(_quoted(environ.get("SCRIPT_NAME", "")))

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters. One that is given twice has both values in one, which no call accepts."""
        values = parse_qs(self._request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
        return {name: ",".join(given) for name, given in values.items()}

    @property
    def bearer(self) -> bytes:
        """The token of ``Authorization: Bearer``, or nothing."""
        # As bytes, since a comparison in constant time takes no other characters than ASCII.
        scheme, _, token = self._request.headers.get("Authorization", "").partition(" ")
        return token.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""

    @property
    def idempotency_key(self) -> str | None:
        """The header of that name, if it is there."""
        return self._request.headers.get("Idempotency-Key")

    def body(self, limit: int) -> bytes:
        """The body.

        :raises ErrorResponse: if it is longer than so many bytes.
        :raises ConnectionError: if the client went away before it was whole.
        """
        # One more, since a body in chunks is not refused there but cut.
        self._request.max_content_length = limit + 1
        try:
            body = self._request.get_data(cache=False)
        except RequestEntityTooLarge:
            body = None
        except (BadRequest, OSError):
            raise ConnectionAbortedError("the body of the request did not arrive as a whole") from None
        if body is None or len(body) > limit:
            message = f"The request body is too large: the workos_mfa emulator reads {limit} bytes here."
            raise ErrorResponse(413, {"code": "request_body_too_large", "message": message})
        return body

    def check_json(self) -> None:
        """Make sure that the headers say that the body is JSON."""
        coding = self._request.headers.get("Content-Encoding", "identity")
        charset = self._request.mimetype_params.get("charset", "utf-8")
        if (self._request.mimetype, charset.lower(), coding.lower()) != ("application/json", "utf-8", "identity"):
            message = (
                "The request body must be JSON in UTF-8, uncompressed, with the header Content-Type: application/json."
            )
            raise ErrorResponse(415, {"code": "unsupported_media_type", "message": message})


def headers_of(response: Response) -> list[tuple[str, str]]:
    """The headers, with capitals as usual."""
    return [(name.title(), value) for name, value in response.headers.items()]


def half_of(response: Response) -> bytes:
    return response.body[: len(response.body) // 2]


def _checked_key(api_key: str) -> Hidden[str]:
    """The key, if an emulator may have it. No error shows it."""
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ValueError("an API key is one word of printable ASCII characters, such as sk_test_default")
    if api_key.startswith("sk_live_"):
        raise ValueError(
            "a key that starts with sk_live_ is one of production: keep it there, and give the emulator "
            "any other, such as sk_test_default"
        )
    return Hidden(api_key)


def _quoted(path: str) -> str:
    return quote(path, safe=_PATH_SAFE, encoding="latin-1")


def _misdirected(host: str) -> ErrorResponse:
    message = (
        f"This request is for the host {printable(host, limit=100)!r}, and the workos_mfa emulator responds only for "
        "the host that it was started on, localhost, 127.0.0.1 and [::1], so that no web page can use it under a name "
        "of its own. Use one of these, or see --allow-remote of workos-mfa emulate, or wsgi_app.with_hosts() in Python."
    )
    return ErrorResponse(421, {"code": "misdirected_request", "message": message})


def _is_control(path: str) -> bool:
    return f"{path}/".startswith(f"{_CONTROL}/")


def _ending_too_early(content: bytes) -> Iterator[bytes]:
    yield content
    # The server decides how it ends the connection.
    raise LostError


def _wait(seconds: float, closing: object) -> None:
    if not seconds:
        return
    if not isinstance(closing, threading.Event):
        time.sleep(seconds)
    elif closing.wait(seconds):
        raise LostError

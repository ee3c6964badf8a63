"""The emulator as a WSGI application.

It validates the host, the key, and the size and type of the body. Then the API or the control plane responds. What a
fault demands becomes what a client sees of it: half a body, or a broken connection.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wrappers import Request

from workos_mfa._core.redaction import Hidden, printable
from workos_mfa._core.transport import Response
from workos_mfa._version import __version__
from workos_mfa.emulator._api.dispatcher import Dispatcher, json_response
from workos_mfa.emulator._domain.error_responses import ErrorResponse
from workos_mfa.emulator._faults.fault import Outcome
from workos_mfa.emulator._http.control import Control
from workos_mfa.emulator._http.hosts import THIS_MACHINE, Hosts, is_this_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLOSING = "workos_mfa.closing"
"""The key in the WSGI environment under which our own server has an event: it ends delays when the server closes."""

API_LIMIT = 100 * 1024
"""The longest body in bytes; the default of the framework behind the API."""

CONTROL_LIMIT = 16 * 1024 * 1024
"""The longest body in bytes for the control plane: a seed may be long."""

_CONTROL = "/_emulate"
_HEALTH = "/health"
_LOST = frozenset({"refuse_connection", "lose_request", "lose_response"})
# Everything that a path may hold as it is.
_PATH_SAFE = "/:@!$&'()*+,;=-._~"

_log = logging.getLogger("workos_mfa.emulator")


class LostError(ConnectionError):
    """A fault demands a broken connection. Our own server breaks it, other servers do what they do after an error."""


class WSGIApp:
    """A WSGI application for any server.

    :param dispatcher: responds for the API.
    :param control: responds below ``/_emulate/``.
    :param api_key: the key that requests must have.
    :param hosts: the hosts that requests may be addressed to.
    :param has_page: whether ``/`` is a page that anybody may see who reaches this.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        control: Control,
        api_key: Hidden[str],
        hosts: Hosts = THIS_MACHINE,
        *,
        has_page: bool = False,
    ) -> None:
        self._dispatcher = dispatcher
        self._control = control
        self._key = api_key
        self._hosts = hosts
        self._has_page = has_page

    def __repr__(self) -> str:
        return f"<WSGIApp: {self._dispatcher!r}>"

    def with_api_key(self, api_key: str) -> WSGIApp:
        """The same application for another key.

        :raises ValueError: if an emulator can't have this key.
        """
        return WSGIApp(self._dispatcher, self._control, checked_key(api_key), self._hosts, has_page=self._has_page)

    def with_hosts(self, *hosts: str) -> WSGIApp:
        """The same application for other hosts too than ``localhost``, ``127.0.0.1`` and ``[::1]``.

        :param hosts: names or addresses without a port, such as ``"mfa.test"``; ``"*"`` for all, where a key is
            needed that is not known to all: any web page could use the emulator through a browser on this machine.
        :raises ValueError: if one is no host.
        """
        return WSGIApp(
            self._dispatcher, self._control, self._key, self._hosts.and_also(*hosts), has_page=self._has_page
        )

    def at(self, host: str, address: str) -> WSGIApp:
        """The same application for our own server. It has the page if only this machine can reach it.

        :param host: the host that the server was given.
        :param address: the address that it listens on.
        """
        if not is_this_machine(address):
            return self.with_hosts("*")
        hosts = self._hosts.and_also(host)
        return WSGIApp(self._dispatcher, self._control, self._key, hosts, has_page=hosts.names is not None)

    @property
    def has_page(self) -> bool:
        """Whether ``/`` is a page for people."""
        return self._has_page

    @property
    def api_key(self) -> str:
        """The key that requests need."""
        return self._key.value

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Respond to one request, as WSGI has it."""
        response, content = body_to_send(self.outcome(environ))
        start_response(f"{response.status} {reason(response.status)}", headers_of(response))
        if len(content) < len(response.body):
            return _ending_too_early(content)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def outcome(self, environ: WSGIEnvironment) -> Outcome:
        """What becomes of one request; returns after the delay of a fault."""
        incoming = _Incoming(environ)
        try:
            outcome = self._outcome(incoming)
        except ErrorResponse as error:
            return Outcome(self._refuse(incoming, error))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a response
            _log.exception("the emulator failed")
            name = type(error).__name__
            message = f"The workos_mfa emulator failed with {name}: a fault of its own, which its log shows."
            return Outcome(json_response(500, {"code": "emulator_failed", "message": message}))
        _wait(outcome.delay, environ.get(CLOSING))
        return outcome

    def _outcome(self, incoming: _Incoming) -> Outcome:
        method, path = incoming.method, incoming.path
        if not self._hosts.allow(incoming.host):
            raise _misdirected(incoming.host)
        # Who has a key is a client of the API, which has nothing there.
        if path == "/" and method == "GET" and self._has_page and not incoming.bearer:
            return Outcome(self._control.page())
        if path == _HEALTH and method == "GET":
            return Outcome(json_response(200, {"status": "ok", "emulator": "workos_mfa", "version": __version__}))
        if not hmac.compare_digest(incoming.bearer, self._key.value.encode()):
            raise ErrorResponse(401, {"message": "Unauthorized"})
        if _is_control(path):
            below = path.removeprefix(_CONTROL).removeprefix("/")
            result = self._control.dispatch(method, below, incoming.query, incoming.body(CONTROL_LIMIT))
            return Outcome(json_response(result.status, result.body))
        body = incoming.body(API_LIMIT)
        if body:
            incoming.check_json()
        return self._dispatcher.dispatch(method, path, incoming.query, body)

    def _refuse(self, incoming: _Incoming, error: ErrorResponse) -> Response:
        if _is_control(incoming.path):
            # Not put on the list of calls: that is for the calls of the app.
            return json_response(error.status, error.body, error.headers)
        return self._dispatcher.refuse(incoming.method, incoming.path, incoming.query, error)


class _Incoming:
    """One request in the terms of HTTP.

    The path stays percent-encoded: ``%2F`` in an id is not a slash. WSGI decodes it, but most servers pass the original
    beside it.

    :param environ: the environment that the WSGI server made.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._request = Request(environ, populate_request=False)
        self.method: str = self._request.method
        self.host: str
        self.path: str
        self.host, self.path, self._raw_query = _target(environ)

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters. One that is given twice has both values in one, which no call accepts."""
        values: dict[str, str] = {}
        for name, value in parse_qsl(self._raw_query, keep_blank_values=True):
            values[name] = f"{values[name]},{value}" if name in values else value
        return values

    @property
    def bearer(self) -> bytes:
        """The token of ``Authorization: Bearer``, or nothing."""
        # As bytes, since a comparison in constant time takes no other characters than ASCII.
        scheme, _, token = self._request.headers.get("Authorization", "").partition(" ")
        return token.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""

    def body(self, limit: int) -> bytes:
        """The body.

        :param limit: how many bytes are read at most.
        :raises ErrorResponse: if it is longer.
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
        """Make sure that the headers say that the body is JSON.

        :raises ErrorResponse: if they don't.
        """
        coding = self._request.headers.get("Content-Encoding", "identity")
        charset = self._request.mimetype_params.get("charset", "utf-8")
        if (self._request.mimetype, charset.lower(), coding.lower()) != ("application/json", "utf-8", "identity"):
            message = (
                "The request body must be JSON in UTF-8, uncompressed, with the header Content-Type: application/json."
            )
            raise ErrorResponse(415, {"code": "unsupported_media_type", "message": message})


def checked_key(api_key: str) -> Hidden[str]:
    """The key, if an emulator may have it.

    :raises ValueError: if it may not; the text does not show it.
    """
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ValueError("an API key is one word of printable ASCII characters, such as sk_test_default")
    if api_key.startswith("sk_live_"):
        raise ValueError(
            "a key that starts with sk_live_ is one of production: keep it there, and give the emulator "
            "any other, such as sk_test_default"
        )
    return Hidden(api_key)


def headers_of(response: Response) -> list[tuple[str, str]]:
    """The headers, with capitals as usual."""
    return [(name.title(), value) for name, value in response.headers.items()]


def reason(status: int) -> str:
    """The reason phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unnamed"


def body_to_send(outcome: Outcome) -> tuple[Response, bytes]:
    """The response, and its body: a fault may cut it to half.

    :raises LostError: if a fault demands that no response is sent.
    """
    response = outcome.response
    if response is None or outcome.trouble in _LOST or (outcome.trouble and not response.body):
        raise LostError
    return response, response.body[: len(response.body) // 2] if outcome.trouble else response.body


def _target(environ: WSGIEnvironment) -> tuple[str, str, str]:
    """The host that is addressed, the path below the application's own, and the query."""
    raw: object = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    root = quote(environ.get("SCRIPT_NAME", ""), safe=_PATH_SAFE, encoding="latin-1")
    query = str(environ.get("QUERY_STRING", ""))
    host = str(environ.get("HTTP_HOST", ""))
    if not isinstance(raw, str):
        return host, quote(environ.get("PATH_INFO", ""), safe=_PATH_SAFE, encoding="latin-1"), query
    path = raw.partition("?")[0]
    if not path.startswith("/") and "://" in path:
        # In full, as a client writes it that takes this for a proxy; no web page can make a browser do that.
        host = ""
        path = "/" + path.partition("://")[2].partition("/")[2]
    return host, path.removeprefix(root), query


def _misdirected(host: str) -> ErrorResponse:
    """The request is for another host."""
    message = (
        f"This request is for the host {printable(host, limit=100)!r}, and the workos_mfa emulator answers only for "
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

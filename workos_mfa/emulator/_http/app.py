"""The emulator's door for HTTP: a WSGI application.

It checks what HTTP has to check (the host, the key, the size and the kind of the body), passes the rest on to the
API or to the control plane, and turns what a fault demands into what a client would see of it.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from workos_mfa._core.redaction import Hidden
from workos_mfa._core.transport import Response
from workos_mfa._version import __version__
from workos_mfa.emulator._api.dispatcher import Api, json_response
from workos_mfa.emulator._domain.error_responses import ErrorResponse
from workos_mfa.emulator._faults.fault import Outcome
from workos_mfa.emulator._http import error_responses
from workos_mfa.emulator._http.control import Control
from workos_mfa.emulator._http.hosts import THIS_MACHINE, Hosts, is_this_machine
from workos_mfa.emulator._http.incoming import Incoming

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLOSING = "workos_mfa.closing"
"""Under this name our own server tells of its end, so that a delay does not outlast it."""

API_LIMIT = 100 * 1024
"""Bytes of a body; what the framework behind the API reads unless told otherwise."""

CONTROL_LIMIT = 16 * 1024 * 1024
"""Bytes of a body for the control plane: a seed may be long."""

_CONTROL = "/_emulate"
_HEALTH = "/health"
_SPELT = {"etag": "ETag"}
_LOST = frozenset({"refuse_connection", "lose_request", "lose_response"})

_log = logging.getLogger("workos_mfa.emulator")


class LostError(ConnectionError):
    """A fault demands that the connection breaks; our own server breaks it, others end it in their way."""


class WSGIApp:
    """A WSGI application for any server.

    :param api: what answers.
    :param control: what answers below ``/_emulate/``.
    :param api_key: the key that requests must have.
    :param hosts: the hosts that requests may be addressed to.
    :param has_page: whether ``/`` is a page that anybody may see who reaches this.
    """

    def __init__(
        self,
        api: Api,
        control: Control,
        api_key: Hidden[str],
        hosts: Hosts = THIS_MACHINE,
        *,
        has_page: bool = False,
    ) -> None:
        self._api = api
        self._control = control
        self._key = api_key
        self._hosts = hosts
        self._has_page = has_page

    def __repr__(self) -> str:
        return f"<WSGIApp: {self._api!r}>"

    def with_api_key(self, api_key: str) -> WSGIApp:
        """The same application for another key.

        :raises ValueError: if it can't be a key of an emulator's.
        """
        return WSGIApp(self._api, self._control, checked_key(api_key), self._hosts, has_page=self._has_page)

    def with_hosts(self, *hosts: str) -> WSGIApp:
        """The same application for other hosts too than ``localhost``, ``127.0.0.1`` and ``[::1]``.

        :param hosts: names or addresses without a port, such as ``"mfa.test"``; ``"*"`` for all, where a key is
            needed that is not known to all: any web page could use the emulator through a browser on this machine.
        :raises ValueError: if one is no host.
        """
        return WSGIApp(self._api, self._control, self._key, self._hosts.and_also(*hosts), has_page=self._has_page)

    def at(self, host: str, address: str) -> WSGIApp:
        """The same application for a server of our own, which has the page where nobody else can see it.

        :param host: what it was told to listen on.
        :param address: what it listens on.
        """
        if not is_this_machine(address):
            return self.with_hosts("*")
        hosts = self._hosts.and_also(host)
        return WSGIApp(self._api, self._control, self._key, hosts, has_page=hosts.names is not None)

    @property
    def has_page(self) -> bool:
        """Whether ``/`` is a page for people."""
        return self._has_page

    @property
    def api_key(self) -> str:
        """The key that requests need."""
        return self._key.value

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as WSGI has it."""
        response, content = whole_or_half(self.answer(environ))
        start_response(f"{response.status} {reason(response.status)}", headers_of(response))
        if len(content) < len(response.body):
            return _ending_too_early(content)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def answer(self, environ: WSGIEnvironment) -> Outcome:
        """What becomes of one request; returns when the answer is due."""
        incoming = Incoming(environ)
        try:
            outcome = self._outcome(incoming)
        except ErrorResponse as refusal:
            return Outcome(self._refused(incoming, refusal))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            _log.exception("the emulator failed")
            problem = error_responses.failed(error)
            return Outcome(json_response(problem.status, problem.body, {}))
        _wait(outcome.delay, environ.get(CLOSING))
        return outcome

    def _outcome(self, incoming: Incoming) -> Outcome:
        path = incoming.path
        if not self._hosts.allow(incoming.host):
            raise error_responses.another_host(incoming.host)
        # Who has a key is a client of the API, which has nothing there.
        if path == "/" and incoming.method == "GET" and self._has_page and not incoming.bearer:
            return Outcome(self._control.page())
        if path == _HEALTH and incoming.method == "GET":
            return Outcome(json_response(200, {"status": "ok", "emulator": "workos_mfa", "version": __version__}, {}))
        if not hmac.compare_digest(incoming.bearer, self._key.value.encode()):
            raise error_responses.unauthorized()
        if _is_control(path):
            return Outcome(self._controlled(incoming))
        body = incoming.body(API_LIMIT)
        if body:
            incoming.check_json()
        return self._api.answer(incoming.method, path, incoming.query, body)

    def _controlled(self, incoming: Incoming) -> Response:
        path = incoming.path.removeprefix(_CONTROL).removeprefix("/")
        done = self._control.answer(incoming.method, path, incoming.query, incoming.body(CONTROL_LIMIT))
        return json_response(done.status, done.body, {})

    def _refused(self, incoming: Incoming, refusal: ErrorResponse) -> Response:
        if _is_control(incoming.path):
            # Not put on the list of calls, where the app's own are looked for.
            return json_response(refusal.status, refusal.body, refusal.headers)
        return self._api.refuse(incoming.method, incoming.path, incoming.query, refusal)


def checked_key(api_key: str) -> Hidden[str]:
    """A key that an emulator may have.

    :raises ValueError: if it is none; the text does not show it.
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
    """The headers, spelt as is usual."""
    return [(_SPELT.get(name) or name.title(), value) for name, value in response.headers.items()]


def reason(status: int) -> str:
    """The words that go with a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unnamed"


def whole_or_half(outcome: Outcome) -> tuple[Response, bytes]:
    """The answer, and as much of its body as a fault lets through.

    :raises LostError: if nothing of the answer gets through.
    """
    response = outcome.response
    if response is None or outcome.trouble in _LOST or (outcome.trouble and not response.body):
        raise LostError
    return response, response.body[: len(response.body) // 2] if outcome.trouble else response.body


def _is_control(path: str) -> bool:
    return f"{path}/".startswith(f"{_CONTROL}/")


def _ending_too_early(content: bytes) -> Iterator[bytes]:
    yield content
    # What ends a connection here is up to the server.
    raise LostError


def _wait(seconds: float, closing: object) -> None:
    if not seconds:
        return
    if not isinstance(closing, threading.Event):
        time.sleep(seconds)
    elif closing.wait(seconds):
        raise LostError

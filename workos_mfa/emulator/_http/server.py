"""The emulator's HTTP server, for any SDK in any language.

Nothing here imports werkzeug until a server is made: an emulator in process works without it.
"""

from __future__ import annotations

import errno
import importlib
import socket
from typing import TYPE_CHECKING, TypeVar

from workos_mfa._core.redaction import Hidden
from workos_mfa.emulator._api.dispatcher import Dispatcher
from workos_mfa.emulator._http.control import Control

if TYPE_CHECKING:
    from workos_mfa.emulator._http.app import WSGIApp

DEFAULT_API_KEY = "sk_test_default"
"""The key of an emulator that was given no other; WorkOS' own emulator has the same."""

_Server = TypeVar("_Server", bound="EmulatorServer")

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (they are translated, not listened on)
_BACKLOG = 128


def make_app(dispatcher: Dispatcher, control: Control) -> WSGIApp:
    """The WSGI application of an emulator, for the key that it has if it was given no other.

    :raises ImportError: if werkzeug is not installed; the text says how to install it.
    """
    try:
        importlib.import_module("werkzeug")
    except ImportError as error:
        raise ImportError(
            "the emulator serves HTTP with werkzeug, which is not installed; run: pip install 'workos-mfa[emulator]'"
        ) from error
    from workos_mfa.emulator._http.app import WSGIApp

    return WSGIApp(dispatcher, control, Hidden(DEFAULT_API_KEY))


class EmulatorServer:
    """An emulator's HTTP server, as ``emulator.serve()`` returns it. It runs already.

    A context manager that closes it. The emulator is not closed with it, and keeps what it has.

    :param app: the application.
    :param host: the name or address to listen on.
    :param port: the port; 0 for one that is free.
    :raises OSError: if the address can't be had; the text says why.
    :raises ValueError: if there is no such port.
    """

    def __init__(self, app: WSGIApp, *, host: str, port: int) -> None:
        from workos_mfa.emulator._http.listener import Listener

        with _listening(host, port) as sock:
            self._listener = Listener(app.at(host, sock.getsockname()[0]), sock)
        self._host = _EVERYWHERE.get(host, host)

    def __repr__(self) -> str:
        return f"<EmulatorServer at {self.base_url}>"

    def __enter__(self: _Server) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """Its address, such as ``http://127.0.0.1:4100``; for ``MFA(base_url=...)`` or WORKOS_BASE_URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    @property
    def host(self) -> str:
        """The name or address in :attr:`base_url`."""
        return self._host

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    @property
    def page_url(self) -> str | None:
        """The page with messages and codes for a browser; None if others than this machine could see it."""
        return f"{self.base_url}/" if self._listener.wsgi_app.has_page else None

    @property
    def api_key(self) -> str:
        """The key that requests need; for ``MFA(api_key=...)`` or WORKOS_API_KEY."""
        return self._listener.wsgi_app.api_key

    def close(self) -> None:
        """Stop at once. Requests under way are broken off; no thread and no socket is left when it returns."""
        self._listener.stop()


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise ValueError(f"{port} is no port: they go from 1 to 65535, and 0 stands for any that is free")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        number, why = error.errno, error.strerror or str(error)
    if number == errno.EADDRINUSE:
        why = "another program has it; choose another port, or 0 for any that is free"
    raise OSError(number, f"can't listen on {host}, port {port}: {why}")

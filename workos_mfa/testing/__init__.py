"""Tools for the tests of an app, and of a transport of your own.

For an app's unit tests: :class:`StubTransport`, and factories for responses and models. For its whole flows:
:func:`emulated`, which lets the app find a :class:`workos_mfa.Emulator`, as the pytest fixtures do. For the pages of a
Flask app with a second factor: :func:`sign_in`. For a transport: :class:`TransportContract`. For a store:
:class:`StoreContract`.

Each name is imported when it is first used: the pytest plugin is in this package, and every run of pytest imports it.
"""

from __future__ import annotations

import importlib

__all__ = [
    "Connected",
    "ServerResponse",
    "StoreContract",
    "StubTransport",
    "TransportContract",
    "emulated",
    "json_response",
    "make_challenge",
    "make_factor",
    "make_sms_factor",
    "make_totp_factor",
    "make_verification",
    "sign_in",
]

# The module of each name; a name that is not here is in _stub.
_MODULES = {
    "ServerResponse": "_server",
    "Connected": "_contract",
    "StoreContract": "_store_contract",
    "TransportContract": "_contract",
    "emulated": "_emulated",
    "sign_in": "_flask_client",
}

TYPE_CHECKING = False  # True to type checkers; to import typing would take as long as all the rest
if TYPE_CHECKING:
    from workos_mfa.testing._contract import Connected, TransportContract
    from workos_mfa.testing._emulated import emulated
    from workos_mfa.testing._flask_client import sign_in
    from workos_mfa.testing._server import ServerResponse
    from workos_mfa.testing._store_contract import StoreContract
    from workos_mfa.testing._stub import (
        StubTransport,
        json_response,
        make_challenge,
        make_factor,
        make_sms_factor,
        make_totp_factor,
        make_verification,
    )
else:
    # Hidden from type checkers, which would take every misspelt name for an object.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = importlib.import_module(f"{__name__}.{_MODULES.get(name, '_stub')}")
        return globals().setdefault(name, getattr(module, name))

    def __dir__() -> list[str]:
        return [*__all__]

"""What the tests of an app, or of somebody's own transport, need from this package.

A stub transport and factories for the unit tests of an app that calls :class:`workos_mfa.MFA`; and
:class:`TransportContract`, the promises of the transport seam as a suite to subclass. For whole flows
with real codes there is :class:`workos_mfa.Emulator`; :func:`emulated` leads an app to one, and under pytest the
fixtures of the plugin do.

Each name is loaded when it is first asked for, since every run of pytest loads the plugin, which stands in here.
"""

from __future__ import annotations

import importlib

__all__ = [
    "Connected",
    "ServerResponse",
    "StubTransport",
    "TransportContract",
    "emulated",
    "json_response",
    "make_challenge",
    "make_factor",
    "make_sms_factor",
    "make_totp_factor",
    "make_verification",
]

# Where each name is defined; what is not here is in one module.
_HOMES = {
    "ServerResponse": "_server",
    "Connected": "_contract",
    "TransportContract": "_contract",
    "emulated": "_emulated",
}

TYPE_CHECKING = False  # type checkers take it for true, and importing typing would cost as much as all of this
if TYPE_CHECKING:
    from workos_mfa.testing._contract import Connected, TransportContract
    from workos_mfa.testing._emulated import emulated
    from workos_mfa.testing._server import ServerResponse
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
    # Not for type checkers, to whom every misspelt name would be an object.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = importlib.import_module(f"{__name__}.{_HOMES.get(name, '_stub')}")
        return globals().setdefault(name, getattr(home, name))

    def __dir__() -> list[str]:
        return [*__all__]

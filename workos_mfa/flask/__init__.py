"""The second step of a Flask app's sign-in: ``pip install 'workos-mfa[flask]'``.

:class:`SecondFactor` is the extension; a store keeps what it has to remember.
"""

from __future__ import annotations

import importlib

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_TEXTS",
    "Event",
    "MemoryStore",
    "SQLAlchemyStore",
    "SecondFactor",
    "Status",
    "Store",
    "StoreError",
    "signals",
]

_MODULES = {
    "DEFAULT_LIMITS": "_second_factor.rate_limits",
    "DEFAULT_TEXTS": "_texts",
    "Event": "_second_factor.events",
    "MemoryStore": "_stores.memory",
    "SQLAlchemyStore": "_stores.database",
    "SecondFactor": "_extension",
    "Status": "_second_factor.sessions",
    "Store": "_second_factor.accounts",
    "StoreError": "_second_factor.accounts",
    "signals": "_signals",
}

_OF_THE_EXTRA = {"blinker", "flask", "flask_wtf", "limits", "wtforms"}

TYPE_CHECKING = False  # True to type checkers; to import typing would take as long as all the rest
if TYPE_CHECKING:
    from workos_mfa.flask._extension import SecondFactor
    from workos_mfa.flask._second_factor.accounts import Store, StoreError
    from workos_mfa.flask._second_factor.events import Event
    from workos_mfa.flask._second_factor.rate_limits import DEFAULT_LIMITS
    from workos_mfa.flask._second_factor.sessions import Status
    from workos_mfa.flask._signals import signals
    from workos_mfa.flask._stores.database import SQLAlchemyStore
    from workos_mfa.flask._stores.memory import MemoryStore
    from workos_mfa.flask._texts import DEFAULT_TEXTS
else:
    # Hidden from type checkers, which would take every misspelt name for an object.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
        except ModuleNotFoundError as error:
            if error.name not in _OF_THE_EXTRA:
                raise
            missing = error.name
        else:
            return globals().setdefault(name, getattr(module, name))
        raise ImportError(f"{missing} is missing: pip install 'workos-mfa[flask]'", name=missing)

    def __dir__() -> list[str]:
        return [*__all__]

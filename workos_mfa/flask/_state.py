"""What the extension keeps for one app, and how a request finds it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import attrs
from flask import Flask, current_app, has_request_context, request

from workos_mfa.flask._app_settings import Settings
from workos_mfa.flask._browser import network_of
from workos_mfa.flask._second_factor.accounts import Cache, Store
from workos_mfa.flask._second_factor.backend import Backend
from workos_mfa.flask._second_factor.events import Event
from workos_mfa.flask._signals import signals
from workos_mfa.flask._texts import Texts

_NAME = "workos_mfa"
_CACHE = "workos_mfa.documents"

_log = logging.getLogger("workos_mfa.flask")


@attrs.define
class Callbacks:
    """What the app's own functions do; see the decorators of the same names."""

    signed_in: Callable[[str], object] | None = None
    current_account: Callable[[], object] | None = None
    account_name: Callable[[str], str] | None = None
    notify: Callable[[str, Event], object] | None = None


@attrs.frozen(kw_only=True)
class State:
    """What the extension keeps for one app.

    :param backend: what the second factor works with.
    :param settings: the app's settings.
    :param texts: the sentences.
    :param callbacks: the app's functions.
    """

    backend: Backend
    settings: Settings
    texts: Texts
    callbacks: Callbacks
    _warned: set[str] = attrs.field(factory=set[str], repr=False)

    def warn(self, message: str) -> None:
        """Log a warning, unless it was logged before."""
        if message not in self._warned:
            self._warned.add(message)
            _log.warning(message)

    def address(self) -> str:
        """What the request counts for in limits by address."""
        given = self.settings.address
        return network_of(request.remote_addr if given is None else given())


def current_state() -> State:
    """That of the current app."""
    state: State = current_app.extensions[_NAME]
    return state


def keep_state(app: Flask, state: State) -> None:
    """Keep it with the app."""
    app.extensions[_NAME] = state


def has_state(app: Flask) -> bool:
    """Whether the app has one already."""
    return _NAME in app.extensions


def request_cache(store: Store) -> Cache:
    """The documents that this request has loaded already from a store.

    An app context may be used for more than one request, and a request may pass through more than one app.
    """
    if not has_request_context():
        return {}
    cache: Cache = request.environ.setdefault(f"{_CACHE}.{id(store)}", {})
    return cache


def tell(app: Flask, callbacks: Callbacks, event: Event) -> None:
    """Tell the person, and whoever listens. It has happened already, so whatever fails here is logged and no more."""
    _log.info(
        "%s for the account %r%s", event.name, event.account_id, event.by and f", by {event.by!r}: {event.reason!r}"
    )
    for receiver in signals[event.name].receivers_for(app):
        _receive(event, functools.partial(receiver, app, event=event))
    if callbacks.notify is not None:
        _receive(event, functools.partial(callbacks.notify, event.account_id, event))


def _receive(event: Event, receiver: Callable[[], object]) -> None:
    try:
        receiver()
    except Exception:  # noqa: BLE001 - it has happened already, whatever the app makes of it
        _log.exception("a receiver of the event %s failed", event.name)

"""The emulator as Python code uses it: a transport, with methods to look at its state and to change it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import attrs

from workos_mfa._core.errors import ConnectError, ConnectionLostError, TransportTimeoutError
from workos_mfa._core.redaction import hide_locals
from workos_mfa._core.transport import DEFAULT_TIMEOUT, MAX_BODY, Request, Response
from workos_mfa.emulator._api.dispatcher import Dispatcher
from workos_mfa.emulator._api.handlers import Handlers
from workos_mfa.emulator._api.router import Router
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Calls, Outbox
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import qr
from workos_mfa.emulator._domain.lifecycle import Lifecycle
from workos_mfa.emulator._domain.totp import TOTPCode
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._faults.fault import Outcome
from workos_mfa.emulator._http.control import Control
from workos_mfa.emulator._http.server import DEFAULT_API_KEY, EmulatorServer, make_app
from workos_mfa.emulator._settings import Settings, SettingsDict, check_names
from workos_mfa.emulator._state.store import Store

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from workos_mfa.emulator._http.app import WSGIApp
    from workos_mfa.emulator._state.state_file import StateFile

_Emulator = TypeVar("_Emulator", bound="Emulator")


class Emulator:
    """The WorkOS MFA API in memory: ``MFA(transport=Emulator())`` needs no account, key or network.

    It has real TOTP secrets and QR codes, an outbox in place of a telephone network, and a clock of its
    own. It refuses what the real API refuses: what is wrong, expired, used or unknown. May be shared by
    threads.

    :param now: an aware datetime at which the clock stands still; None for the real time, running.
    :param state: a file that keeps factors, challenges, users, text messages and the clock over a restart, even one
        after a ``kill -9``. It is made if there is none, holds secrets and is for one emulator at a time;
        :meth:`close` lets go of it. Its clock goes before ``now``. Calls and faults are not kept.
    :param random_seed: makes ids, secrets, codes and request ids the same each time, for tests that compare them. Who
        knows it knows every code. Ids hold the time, so it needs ``now`` too.
    :param settings_file: a file of settings, as ``workos-mfa calibrate`` writes it: JSON with their names and values.
        It holds what ``settings`` does not say.
    :param settings: how it behaves where the real API's behaviour is not published: fields of
        :class:`workos_mfa.emulator.Settings`, such as ``max_wrong_codes=3``.
    :raises OSError: if the settings file can't be read.
    :raises StateFileError: if the state file is in use, is not one of ours, is of a newer version or can't be written.
    :raises ImportError: if segno, which draws the QR codes, is not installed.
    :raises TypeError: if there is no such setting, or an argument is of another type.
    :raises ValueError: if ``now`` has no time zone or is not between 1970 and 9998, or a setting can't have its value.
    """

    __module__ = "workos_mfa"

    def __init__(
        self,
        *,
        now: datetime | None = None,
        state: str | os.PathLike[str] | None = None,
        random_seed: int | str | None = None,
        settings_file: str | os.PathLike[str] | None = None,
        **settings: Unpack[SettingsDict],
    ) -> None:
        check_names(settings, "now", "state", "random_seed", "settings_file")
        qr.require_segno()
        chosen = attrs.evolve(Settings() if settings_file is None else Settings.from_file(settings_file), **settings)
        self._clock = Clock(now)
        self._calls = Calls()
        self._faults = Faults()
        randomness = Randomness(random_seed)
        self._store = Store(self._clock, randomness, None if state is None else _opened(state))
        self._lifecycle = Lifecycle(chosen, self._clock, self._store)
        router = Router(Handlers(self._lifecycle, chosen).routes())
        self._dispatcher = Dispatcher(router, chosen, self._clock, self._calls, self._faults, randomness)

    def __repr__(self) -> str:
        return f"<Emulator: {self._store.summary()}, {len(self.outbox)} text messages, {len(self._calls)} calls>"

    def __enter__(self: _Emulator) -> _Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def clock(self) -> Clock:
        """The time that expiry, TOTP codes and timestamps follow; its ``advance`` takes seconds."""
        return self._clock

    @property
    def outbox(self) -> Outbox:
        """The text messages, oldest first; ``outbox.latest(to="+15005550006").code`` is the newest code."""
        return self._store.outbox

    @property
    def calls(self) -> Calls:
        """The calls, oldest first, refused ones included."""
        return self._calls

    @property
    def faults(self) -> Faults:
        """What is to go wrong; ``faults.lose_response(operation="verify_challenge")`` and others."""
        return self._faults

    @property
    def settings(self) -> Settings:
        """The settings in force, from the start to the end."""
        return self._lifecycle.settings

    @property
    def wsgi_app(self) -> WSGIApp:
        """The API over HTTP as a WSGI application, for the key ``sk_test_default``; see its ``with_api_key``.

        It responds to requests for ``localhost``, ``127.0.0.1`` and ``[::1]``; see its ``with_hosts``.

        :raises ImportError: if werkzeug is not installed.
        """
        control = Control(
            lifecycle=self._lifecycle,
            clock=self._clock,
            outbox=self.outbox,
            calls=self._calls,
            faults=self._faults,
            reset=self.reset,
        )
        return make_app(self._dispatcher, control)

    @hide_locals
    def serve(self, *, port: int = 0, host: str = "127.0.0.1", api_key: str = DEFAULT_API_KEY) -> EmulatorServer:
        """Serve over HTTP as well: ``with emulator.serve() as server:``, at ``server.base_url``.

        :param port: the port; 0 for one that is free.
        :param host: the name or address to listen on; anything but loopback can be reached by others.
        :param api_key: the key that requests must have.
        :returns: the server, which runs already.
        :raises ImportError: if werkzeug is not installed.
        :raises OSError: if the address can't be had.
        :raises ValueError: if there is no such port, or the key can't be one of an emulator's.
        """
        return EmulatorServer(self.wsgi_app.with_api_key(api_key), host=host, port=port)

    def totp_code(self, factor_id: str) -> str:
        """The code that an authenticator app would show for a factor now.

        :param factor_id: the id of a TOTP factor.
        :returns: six digits. A factor accepts a code once: for another one, advance the clock by 30 s.
        :raises LookupError: if there is no such factor.
        :raises TypeError: if it is no id.
        :raises ValueError: if it is not a TOTP factor.
        """
        return self._lifecycle.totp_code(factor_id)

    def wrong_code(self, factor_id: str) -> str:
        """A code of the right form that is refused for a factor now, to test what happens to a wrong one.

        It is none that a challenge of the factor has, and for a TOTP factor none of the steps that are accepted. It
        stays wrong for thirty seconds of a running clock, and until there is a new challenge.

        :param factor_id: the id of a factor of any type.
        :returns: six digits.
        :raises LookupError: if there is no such factor.
        :raises TypeError: if it is no id.
        """
        return self._lifecycle.wrong_code(factor_id)

    def totp_codes(self) -> list[TOTPCode]:
        """The codes that authenticator apps would show now, of all TOTP factors, the newest factor first."""
        return self._lifecycle.totp_codes()

    @hide_locals
    def seed(self, seed: Mapping[str, object]) -> dict[str, list[str]]:
        """Put in users, factors and challenges with ids, numbers, secrets and codes that are known beforehand.

        ::

            emulator.seed({
                "factors": [
                    {"id": "auth_factor_alan", "type": "totp", "user": "alan", "secret": "JBSWY3DPEHPK3PXP"},
                    {"id": "auth_factor_ada", "type": "sms", "phone_number": "+12015550100"},
                ],
            })

        What is there already under a pinned id, and is the same, stays as it is; so one seed may be given at every
        start.

        :param seed: ``users``, ``factors`` and ``challenges``; each may be left out. ``settings`` too, where they are
            those in force: what an emulator begins with stays, and others are refused.
        :returns: ``factors`` and ``challenges`` with the ids of all that are in it, in its order.
        :raises ValueError: if something in it is wrong; the text names the place, and nothing is put in.
        """
        return self._lifecycle.plant(seed)

    def reset(self) -> None:
        """Be as new: no factors, challenges, messages, calls or faults, and the clock as at the start."""
        self._store.reset()
        self._dispatcher.reset()
        self._calls.clear()
        self._faults.clear()

    @hide_locals
    def send(self, request: Request, /) -> Response:
        """Respond to one request, as strictly as if it came over HTTP.

        :raises TransportError: if a fault of :attr:`faults` keeps the response back.
        :raises TypeError: if ``request.json`` holds something that JSON does not have.
        """
        key = {name.lower(): value for name, value in request.headers.items()}.get("idempotency-key")
        outcome = self._dispatcher.dispatch(request.method, request.path, request.query, _body_of(request), key)
        return _deliver(outcome, request.options.timeout or DEFAULT_TIMEOUT, self._clock)

    def close(self) -> None:
        """Let go of the state file; an emulator without one holds nothing, and may be used on."""
        self._store.close()


def _opened(path: str | os.PathLike[str]) -> StateFile:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"state takes the path of a file, as a str or a Path, not {type(path).__name__!r}")
    # Only who names a state file needs SQLite.
    from workos_mfa.emulator._state.state_file import StateFile

    return StateFile(path)


def _deliver(outcome: Outcome, timeout: float, clock: Clock) -> Response:
    """The response after its delay, or a TransportError where a fault keeps it back."""
    if outcome.trouble == "refuse_connection":
        raise ConnectError("the connection was refused, as a fault in the emulator demands")
    if outcome.delay:
        clock.wait(min(outcome.delay, timeout))
    if outcome.delay >= timeout:
        raise TransportTimeoutError(
            f"no response within {timeout:g} s: a fault in the emulator makes it {outcome.delay:g} s late"
        )
    response = outcome.response
    if response is None or outcome.trouble is not None:
        where = {"lose_request": "before the call was acted on", "lose_response": "after the call was acted on"}
        part = where.get(outcome.trouble or "", "within the body of the response")
        raise ConnectionLostError(f"the connection broke {part}, as a fault in the emulator demands")
    # No transport reads further.
    return attrs.evolve(response, body=response.body[: MAX_BODY + 1]) if len(response.body) > MAX_BODY else response


def _body_of(request: Request) -> bytes:
    if request.json is None:
        return b""
    try:
        return json.dumps(dict(request.json)).encode()
    except (TypeError, ValueError, RecursionError):
        pass
    raise TypeError(
        "request.json holds something that JSON does not have; give it str, int, float, bool, None, list and dict only"
    )

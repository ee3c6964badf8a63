"""The door that Python code goes through: an emulator that is a transport."""

from __future__ import annotations

import json
from datetime import datetime

from workos_mfa.emulator import qr
from workos_mfa.emulator.api import Api
from workos_mfa.emulator.calls import Calls
from workos_mfa.emulator.clock import Clock
from workos_mfa.emulator.engine import Engine
from workos_mfa.emulator.handlers import Handlers
from workos_mfa.emulator.outbox import Outbox
from workos_mfa.emulator.routes import Routes
from workos_mfa.emulator.settings import Settings
from workos_mfa.secrecy import without_frames
from workos_mfa.transport import Request, Response

_DEFAULTS = Settings()


class Emulator:
    """The WorkOS MFA API in memory: ``MFA(transport=Emulator())`` needs no account, key or network.

    It has real TOTP secrets and QR codes, an outbox in place of a telephone network, and a clock of its
    own. It refuses what the real API refuses: what is wrong, expired, used or unknown. May be shared by
    threads.

    :param settings: how it behaves where the real API's behaviour is not published.
    :param now: an aware datetime at which the clock stands still; None for the real time, running.
    :raises ImportError: if segno, which draws the QR codes, is not installed.
    :raises ValueError: if ``now`` has no time zone or is not between 1970 and 9998.
    """

    def __init__(self, settings: Settings = _DEFAULTS, *, now: datetime | None = None) -> None:
        qr.require_segno()
        self._clock = Clock(now)
        self._outbox = Outbox()
        self._calls = Calls()
        self._engine = Engine(settings, self._clock, self._outbox)
        routes = Routes(Handlers(self._engine, settings), legacy=settings.legacy_routes)
        self._api = Api(routes, settings, self._clock, self._calls)

    def __repr__(self) -> str:
        return f"<Emulator: {self._engine.summary()}, {len(self._outbox)} text messages, {len(self._calls)} calls>"

    @property
    def clock(self) -> Clock:
        """The time that expiry, TOTP codes and timestamps follow; its ``advance`` takes seconds."""
        return self._clock

    @property
    def outbox(self) -> Outbox:
        """The text messages, oldest first; ``outbox.latest(to="+15005550006").code`` is the newest code."""
        return self._outbox

    @property
    def calls(self) -> Calls:
        """The calls, oldest first, refused ones included."""
        return self._calls

    def totp_code(self, factor_id: str) -> str:
        """The code that an authenticator app would show for a factor now.

        :param factor_id: the id of a TOTP factor.
        :returns: six digits. A factor accepts a code once: for another one, advance the clock by 30 s.
        :raises LookupError: if there is no such factor.
        :raises ValueError: if it is not a TOTP factor.
        """
        return self._engine.totp_code(factor_id)

    def reset(self) -> None:
        """Be as new: no factors, challenges, messages or calls, and the clock as at the start."""
        self._engine.reset()
        self._calls.clear()

    def send(self, request: Request, /) -> Response:
        """Answer one request, as strictly as if it came over HTTP.

        :raises TypeError: if ``request.json`` holds something that JSON does not have.
        """
        try:
            return self._api.answer(request.method, request.path, request.query, _body_of(request))
        except BaseException as error:  # noqa: BLE001  (a worker's time limit, Ctrl-C)
            raised = error
        # The frames below hold codes and secrets, and a crash reporter reads them.
        raise without_frames(raised)

    def close(self) -> None:
        """Do nothing: the emulator holds no connection, and may be used on."""


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

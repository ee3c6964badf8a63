"""A caller that speaks HTTP's terms and knows nothing of the client; and all that an emulator holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import attrs

from workos_mfa._core.transport import Request, Transport
from workos_mfa.emulator import Emulator

NOW = datetime(2026, 8, 21, 12, 0, 0, 432_100, tzinfo=timezone.utc)
PHONE = "+15005550006"


@attrs.frozen
class Reply:
    """A response as it arrived; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed; None where there is none."""
        return json.loads(self.body) if self.body else None

    @property
    def seen(self) -> tuple[int, Any]:
        """What most tests compare."""
        return self.status, self.json


class Caller:
    """Makes calls as any HTTP client could.

    :param transport: how they get to the emulator; None for in process.
    """

    def __init__(self, emulator: Emulator, transport: Transport | None = None) -> None:
        self.emulator = emulator
        self._transport = transport or emulator

    def send(
        self,
        method: str,
        path: str,
        json_body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Reply:
        """Make any call; ``key`` is an idempotency key."""
        path = path.replace(" ", "%20")
        headers = {} if key is None else {"Idempotency-Key": key}
        response = self._transport.send(
            Request("any", method, path, path, json=json_body, query=query or {}, headers=headers)
        )
        return Reply(response.status, response.headers, response.body)

    def enroll(self, **body: object) -> Reply:
        """Enrol a factor."""
        return self.send("POST", "/auth/factors/enroll", body)

    def enroll_once(self, key: str, **body: object) -> Reply:
        """Enrol a factor, with an idempotency key."""
        return self.send("POST", "/auth/factors/enroll", body, key=key)

    def totp(self, **more: object) -> Any:
        """Enrol a TOTP factor and give its JSON."""
        return self.enroll(type="totp", totp_issuer="Foo Corp", totp_user="alan@example.com", **more).json

    def sms(self, phone: str = PHONE) -> Any:
        """Enrol an SMS factor and give its JSON."""
        return self.enroll(type="sms", phone_number=phone).json

    def generic(self) -> Any:
        """Enrol a generic factor and give its JSON."""
        return self.enroll(type="generic_otp").json

    def get(self, factor_id: str) -> Reply:
        """Show a factor."""
        return self.send("GET", f"/auth/factors/{factor_id}")

    def delete(self, factor_id: str) -> Reply:
        """Delete a factor."""
        return self.send("DELETE", f"/auth/factors/{factor_id}")

    def challenge(self, factor: Any, **body: object) -> Reply:
        """Challenge a factor."""
        return self.send("POST", f"/auth/factors/{factor['id']}/challenge", body)

    def verify(self, challenge: Any, code: object) -> Reply:
        """Hold a code against a challenge."""
        return self.send("POST", f"/auth/challenges/{challenge['id']}/verify", {"code": code})

    def create(self, user: str = "user_1", **body: object) -> Reply:
        """Make a TOTP factor for a user."""
        return self.send("POST", f"/user_management/users/{user}/auth_factors", {"type": "totp", **body})

    def list(self, user: str = "user_1", **query: str) -> Reply:
        """List a user's factors."""
        return self.send("GET", f"/user_management/users/{user}/auth_factors", query=query)

    def wrong(self, challenge: Any) -> Reply:
        """Verify with a code that can't be right."""
        return self.verify(challenge, "not it")


def parts_of(thing: object, known: dict[int, object]) -> dict[int, object]:
    """An object of the package, and all of its objects that can be reached from there, by their identity.

    :param known: those that were found before.
    """
    if isinstance(thing, (list, tuple, set, Mapping)):
        for part in thing.values() if isinstance(thing, Mapping) else thing:
            parts_of(part, known)
    if type(thing).__module__.startswith("workos_mfa") and id(thing) not in known:
        known[id(thing)] = thing
        names = [*getattr(thing, "__dict__", {}), *getattr(thing, "__slots__", ())]
        for name in names:
            parts_of(getattr(thing, name, None), known)
    return known

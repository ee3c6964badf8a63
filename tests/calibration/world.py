"""An account to calibrate: an emulator whose clock moves when the calibration sleeps; and what is true of it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs

from workos_mfa import Emulator, Transport, Urllib3Transport
from workos_mfa._calibration.calibration import Outcome, Plan, Surroundings, calibrate
from workos_mfa._calibration.factor_journal import Journal
from workos_mfa._calibration.question import Value
from workos_mfa._calibration.slow_questions import MOMENTS
from workos_mfa.emulator import Settings

USER = "user_01HCALIBRATION0000000000"
PHONE = "+12025550177"
EVERYTHING = Plan(slow=True, user_id=USER, phone=PHONE)
FULL = os.environ.get("WORKOS_MFA_CALIBRATION") == "full"
"""Whether the proofs run in full, which takes some twenty minutes."""

VALUES: Mapping[str, tuple[Value, ...]] = {
    "max_wrong_codes": (1, 2, 3, 5, 10, 25, 40, None),
    "wrong_codes_counted_per": ("challenge", "factor"),
    "lock_refuses_right_code": (True, False),
    "lock_ends_after": (None, 20, 90, 400, 3000),
    "malformed_code": ("invalid", "refused"),
    "malformed_codes_counted": (True, False),
    "totp_window_back": (0, 1, 2, 3, 10, 20),
    "totp_window_ahead": (0, 1, 2, 3, 10, 20),
    "reused_totp_code": ("invalid", "refused", "accepted"),
    "older_totp_code": ("accepted", "as_reused"),
    "totp_expires_at_sent": (True, False),
    "totp_challenges_expire": (True, False),
    "totp_uri": ("short", "full"),
    "new_challenge_cancels_older": (False, True),
    "cancelled_challenge_reply": ("expired", "not_found", "invalid"),
    "deleted_factor_reply": ("challenge_not_found", "factor_not_found", "invalid"),
    "default_sms_text": ("Your one-time code is {{code}}.", "{{code}} is your Foo Corp code."),
    "template_needs_code": (True, False),
    "template_without_sms": ("ignored", "refused"),
    "non_us_numbers": ("accepted", "refused"),
    "phone_punctuation": ("refused", "dropped"),
    "sms_rate_limit": (None, 1, 3, 6, 9),
    "retry_after": (None, 30),
    "validation_errors": ("by_field", "by_code", "bad_request"),
    "user_validation_errors": ("by_field", "by_code", "bad_request"),
    "unknown_properties": ("ignored", "refused"),
    "number_as_code": ("refused", "read"),
    "idempotency_key": ("ignored", "honoured"),
    "routes_of_2022": ("served", "gone"),
    "users": ("any", "seeded"),
    "list_order": ("normal", "desc", "asc"),
    "team_name": ("WorkOS Emulator", "Foo Corp"),
    "enrolled_factors_listed": (True, False),
    "unverified_factors_listed": (True, False),
    "max_factors_per_user": (None, 1, 2, 3, 10, 30),
}
"""Each setting with the values that are tried."""


@attrs.frozen
class World:
    """An account, and how it is reached."""

    emulator: Emulator
    transport: Transport

    def calibrate(self, plan: Plan = EVERYTHING, journal: Journal | None = None, **around: Any) -> Outcome:
        """Run a calibration, whose sleeping moves the clock."""
        clock = self.emulator.clock
        given: dict[str, Any] = {
            "clock": lambda: clock.now().timestamp(),
            "sleep": clock.advance,
            "read_message": lambda _: self.emulator.outbox.latest().text,
            **around,
        }
        return calibrate(self.transport, plan, journal or Journal(None), Surroundings(**given))


def chance(number: int) -> random.Random:
    """Chance that is the same each time."""
    return random.Random(number)  # noqa: S311  (no secret)


def world(settings: Mapping[str, Value], number: int = 1, wrap: Callable[[Emulator], Transport] | None = None) -> World:
    """An account with these settings, in process; the number chooses the moment of a step at which it begins."""
    moment = datetime(2026, 8, 1, 12, tzinfo=timezone.utc) + timedelta(seconds=chance(number).uniform(0, 60))
    make: Any = Emulator
    emulator: Emulator = make(now=moment, random_seed=number, **settings)
    emulator.seed({"users": {USER: "calibration@example.com"}})
    return World(emulator, wrap(emulator) if wrap else emulator)


@contextmanager
def over_http(made: World) -> Iterator[World]:
    """The same account, over HTTP; its clock still moves when the calibration sleeps."""
    with made.emulator.serve() as server:
        transport = Urllib3Transport(server.api_key, base_url=server.base_url)
        try:
            yield World(made.emulator, transport)
        finally:
            transport.close()


def random_settings(chosen: random.Random) -> dict[str, Value]:
    """Any combination."""
    return {name: chosen.choice(values) for name, values in VALUES.items()}


def truth(settings: Mapping[str, Value]) -> dict[str, Value]:
    """All settings of an emulator that has these."""
    return {**attrs.asdict(Settings()), **settings}


def wrong_in(outcome: Outcome, settings: Mapping[str, Value]) -> list[str]:
    """The verdicts that are not true."""
    true = truth(settings)
    return [
        f"{name}: {true[name]!r} is taken for {value!r}"
        for name, value in outcome.settings.items()
        if not agrees(name, value, true[name])
    ]


def agrees(name: str, found: Value, true: Value) -> bool:
    """Whether a value is the true one, or as near as the questions can tell."""
    if found == true:
        return True
    assert isinstance(true, int), (name, found, true)
    if name == "lock_ends_after":
        bounds = dict(zip((*MOMENTS, None), (0, *MOMENTS), strict=True))
        return found in bounds and bounds[found] < true and (found is None or true <= found)
    beyond: dict[str, tuple[Value, int]] = {
        "max_wrong_codes": (None, 25),
        "max_factors_per_user": (None, 20),
        "sms_rate_limit": (None, 6),
    }
    beyond |= dict.fromkeys(("totp_window_back", "totp_window_ahead"), (11, 10))
    return name in beyond and (found, true > beyond[name][1]) == (beyond[name][0], True)

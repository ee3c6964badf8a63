"""The MFA API in memory, for tests, demos and development without an account.

It reads the API by itself: with the client it shares the transport protocol of :mod:`workos_mfa._core.transport`,
and nothing that knows a field's name, so that each checks the other.
"""

from __future__ import annotations

from workos_mfa.emulator._base.log import Call, SMSMessage
from workos_mfa.emulator._domain.phone_numbers import (
    FIXED_CODE,
    FIXED_CODE_NUMBER,
    INVALID_NUMBER,
    ORDINARY_NUMBER,
    QUOTA_REACHED_NUMBER,
    RATE_LIMITED_NUMBER,
)
from workos_mfa.emulator._domain.totp import TOTPCode
from workos_mfa.emulator._emulator import Emulator
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._faults.fault import Fault, Outcome
from workos_mfa.emulator._http.server import EmulatorServer
from workos_mfa.emulator._settings import Settings
from workos_mfa.emulator._state.records import StateFileError

__all__ = [
    "FIXED_CODE",
    "FIXED_CODE_NUMBER",
    "INVALID_NUMBER",
    "ORDINARY_NUMBER",
    "QUOTA_REACHED_NUMBER",
    "RATE_LIMITED_NUMBER",
    "Call",
    "Emulator",
    "EmulatorServer",
    "Fault",
    "Faults",
    "Outcome",
    "SMSMessage",
    "Settings",
    "StateFileError",
    "TOTPCode",
]

for _public in (Call, EmulatorServer, Fault, Faults, Outcome, SMSMessage, Settings, StateFileError, TOTPCode):
    # A traceback and the repr of a class then say where users import it from.
    _public.__module__ = __name__


def __dir__() -> list[str]:
    return [*__all__]

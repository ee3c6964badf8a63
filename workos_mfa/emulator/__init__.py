"""The MFA API in memory, for tests, demos and development without an account.

It is a second reading of the API beside the client's: it shares the seam in
:mod:`workos_mfa.transport` with it and nothing that knows a field's name, so that each checks the other.
"""

from __future__ import annotations

from workos_mfa.emulator.calls import Call
from workos_mfa.emulator.emulator import Emulator
from workos_mfa.emulator.faults.fault import Fault
from workos_mfa.emulator.faults.injection import Faults, Outcome
from workos_mfa.emulator.http.server import EmulatorServer
from workos_mfa.emulator.memory.storage_errors import StateFileError
from workos_mfa.emulator.numbers import (
    FIXED_CODE,
    FIXED_CODE_NUMBER,
    INVALID_NUMBER,
    ORDINARY_NUMBER,
    QUOTA_REACHED_NUMBER,
    RATE_LIMITED_NUMBER,
)
from workos_mfa.emulator.outbox import SMSMessage
from workos_mfa.emulator.settings import Settings
from workos_mfa.emulator.totp import TOTPCode

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

"""The MFA API in memory, for tests, demos and development without an account.

It is a second reading of the API beside the client's: it shares the seam in
:mod:`workos_mfa.transport` with it and nothing that knows a field's name, so that each checks the other.
"""

from __future__ import annotations

from workos_mfa.emulator.calls import Call
from workos_mfa.emulator.emulator import Emulator
from workos_mfa.emulator.outbox import SMSMessage
from workos_mfa.emulator.settings import Settings

__all__ = ["Call", "Emulator", "SMSMessage", "Settings"]

for _public in (Call, Emulator, SMSMessage, Settings):
    # A traceback and the repr of a class then say where users import it from.
    _public.__module__ = __name__

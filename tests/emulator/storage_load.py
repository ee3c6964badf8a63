"""Makes calls on an emulator with a state file, and prints each answer, until it is killed, or kills itself."""

from __future__ import annotations

import json
import os
import signal
import sys

from tests.emulator.caller import Caller
from workos_mfa.emulator import Emulator


def main() -> None:
    """Print what was answered, line by line, each before the next call is made."""
    caller = Caller(Emulator(state=sys.argv[1]))
    report = Report(int(sys.argv[2]))
    number = 0
    while True:
        number += 1
        factor = caller.sms(f"+1500555{1000 + number:04d}")
        report("factor", factor["id"])
        challenge = caller.challenge(factor).json
        code = caller.emulator.outbox.latest(challenge_id=challenge["id"]).code
        report("challenge", challenge["id"], code)
        caller.wrong(challenge)
        report("wrong", challenge["id"])
        if number % 3 == 0:
            caller.verify(challenge, code)
            report("verified", challenge["id"])
        if number % 5 == 0:
            caller.delete(factor["id"])
            report("deleted", factor["id"])
        caller.emulator.clock.advance(60)
        report("clock", caller.emulator.clock.setting().ahead.total_seconds())


class Report:
    """Says what was answered, and puts an end to it after so many answers."""

    def __init__(self, last: int) -> None:
        self._left = last

    def __call__(self, *what: object) -> None:
        """Say it."""
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()

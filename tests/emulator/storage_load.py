"""Makes calls on an emulator with a state file, and prints each response, until it is killed, or kills itself."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator

from tests.emulator.caller import Caller
from workos_mfa.emulator import Emulator


def main() -> None:
    """Print what was answered, line by line, each before the next call is made."""
    caller = Caller(Emulator(state=sys.argv[1]))
    for number, line in enumerate(itertools.chain.from_iterable(map(calls, itertools.repeat(caller))), 1):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)


def calls(caller: Caller) -> Iterator[tuple[object, ...]]:
    """Make some calls, and say what each has done."""
    made = len(caller.emulator.outbox)
    factor = caller.sms(f"+1500555{1000 + made:04d}")
    yield "factor", factor["id"]
    challenge = caller.challenge(factor).json
    code = caller.emulator.outbox.latest(challenge_id=challenge["id"]).code
    yield "challenge", challenge["id"], code
    caller.wrong(challenge)
    yield "wrong", challenge["id"]
    if made % 3 == 2:
        caller.verify(challenge, code)
        yield "verified", challenge["id"]
    if made % 5 == 4:
        caller.delete(factor["id"])
        yield "deleted", factor["id"], challenge["id"]
    caller.emulator.clock.advance(60)
    yield "clock", caller.emulator.clock.setting().ahead.total_seconds()


if __name__ == "__main__":
    main()

"""A hundred thousand calls on one client: whether memory grows."""

from __future__ import annotations

import subprocess
import sys

import attrs

from benchmarks.contenders import DEFAULT, LEAN, Contender
from benchmarks.memory import PEAK_IN_KIB

# A peak never falls, so that any growth that stays is in it.
_PROGRAM = """
for _ in range({warm_up}):
    {call}
before = peak()
for _ in range({calls}):
    {call}
print(peak() - before)
"""


@attrs.frozen
class Growth:
    """How much more memory a process had taken at most after so many more calls, in KiB."""

    contender: Contender
    calls: int
    kib: int


def measure(url: str, *, calls: int) -> list[Growth]:
    """Our own clients, one after the other, each in a process of its own."""
    return [_growth(contender, url, calls) for contender in (DEFAULT, LEAN)]


def _growth(contender: Contender, url: str, calls: int) -> Growth:
    repeated = _PROGRAM.format(warm_up=max(calls // 20, 1), calls=calls, call=contender.call)
    command = [sys.executable, "-c", f"{contender.program(url, until='client')}\n{PEAK_IN_KIB}{repeated}"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - the contender's lines
    return Growth(contender, calls, int(run.stdout))

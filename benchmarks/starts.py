"""Fresh interpreters: what importing, making a client and a first call cost, and how much memory that takes."""

from __future__ import annotations

import functools
import os
import resource
import subprocess
import sys
from collections.abc import Callable

import attrs

from benchmarks.contenders import Contender, installed
from benchmarks.memory import PEAK_IN_KIB
from benchmarks.rounds import Rounds, Spread, spread, take_turns

_MILLISECONDS = 1e3
_KIB_IN_A_MIB = 1024

NOTHING = Contender(name="Python alone", distribution="", imports="", client="", call="True")
"""Python's own start, which is in every other number."""

_PLUGIN = """
import time, pytest
before = time.process_time()
import workos_mfa.testing.plugin
print(time.process_time() - before)
"""


CODE = "workos-mfa code"
IMPORT = "python -c 'import requests'"
_WHOLE_RUNS = {CODE: ["-m", "workos_mfa", "code"], IMPORT: ["-c", "import requests"]}
_TYPED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n"


@attrs.frozen
class Starts:
    """Milliseconds of processor time until the import, the first client, the first call; MiB after that.

    :param plugin: milliseconds that the pytest plugin adds to every run of pytest where the package is installed.
    :param runs: milliseconds of a whole run of the quickest command, and of one that imports requests and ends.
    """

    imports: Rounds[Contender]
    client: Rounds[Contender]
    call: Rounds[Contender]
    memory: Rounds[Contender]
    plugin: Spread
    runs: Rounds[str]


def measure(url: str, *, rounds: int) -> Starts:
    """Rounds of one fresh interpreter for each contender and stage."""
    # First, since its first run compiles what is not compiled yet, as an installation does.
    (memory,) = take_turns(_for_each(lambda contender: (_peak(contender.program(url)),)), min(rounds, 5))
    stages = {until: _stage(url, until, rounds) for until in ("imports", "client", "call")}
    plugin = spread([float(_said(_PLUGIN)) * _MILLISECONDS for _ in range(rounds)])
    runs = {name: functools.partial(_whole_run, name) for name in _WHOLE_RUNS}
    (whole,) = take_turns(runs, rounds)
    return Starts(memory=memory, plugin=plugin, runs=whole, **stages)


def _stage(url: str, until: str, rounds: int) -> Rounds[Contender]:
    (times,) = take_turns(_for_each(lambda contender: (_cpu(contender.program(url, until=until)),)), rounds)
    return times


def _for_each(turn: Callable[[Contender], tuple[float, ...]]) -> dict[Contender, Callable[[], tuple[float, ...]]]:
    return {contender: functools.partial(turn, contender) for contender in (NOTHING, *installed())}


def _whole_run(name: str) -> tuple[float, ...]:
    return (_cpu_of(_WHOLE_RUNS[name]),)


def _cpu(program: str) -> float:
    return _cpu_of(["-c", program])


def _cpu_of(arguments: list[str]) -> float:
    # Processor time, since a busy machine makes an interpreter wait for reasons that are not its own.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, env=_compiling(), input=_TYPED, text=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own, or the contender's lines
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * _MILLISECONDS


def _peak(program: str) -> float:
    return int(_said(f"{program}\n{PEAK_IN_KIB}\nprint(peak())")) / _KIB_IN_A_MIB


def _said(program: str) -> str:
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=_compiling())  # noqa: S603 - the contender's lines
    return run.stdout


def _compiling() -> dict[str, str]:
    # Without files of bytecode, the contenders that were not compiled when they were installed would be at a loss.
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

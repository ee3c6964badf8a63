"""An emulator as a test wants it, and the environment that leads an app to it.

What pytest's fixtures and the context manager for everybody else have in common. The emulator is loaded when one
is made: unit tests that want a stub of :mod:`workos_mfa.testing` go without.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from workos_mfa.emulator import Emulator, EmulatorServer, Fault
    from workos_mfa.emulator._settings import SettingsDict

MOMENT = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
"""Where the clock of a test stands, unless it says otherwise."""


@contextmanager
def emulated(
    *, now: datetime | None = MOMENT, random_seed: int | str | None = None, **settings: Unpack[SettingsDict]
) -> Generator[Emulator, None, None]:
    """An emulator that the app under test talks to by itself; for unittest, and wherever pytest's fixtures don't go.

    ::

        class SignInTest(unittest.TestCase):
            def setUp(self):
                self.emulator = self.enterContext(emulated(max_wrong_codes=3))  # from Python 3.11
                self.app = create_app()  # whose MFA() needs no change

    Inside, the emulator answers over HTTP, WORKOS_API_KEY and WORKOS_BASE_URL lead there, and no other variable
    that begins with ``WORKOS_`` is set. Afterwards the environment is as before. The environment is the whole
    process's: tests that run in parallel threads can't have one each.

    :param now: where the clock stands; None for the real time, running.
    :param random_seed: makes ids, secrets and codes the same each time.
    :param settings: fields of :class:`workos_mfa.emulator.Settings`.
    :returns: a context manager that gives the :class:`workos_mfa.Emulator`.
    :raises AssertionError: at the end, if a fault has not struck as often as it was to; not where the block raises.
    :raises ImportError: if segno or werkzeug is not installed.
    :raises TypeError: if there is no such setting.
    :raises ValueError: if a setting can't have this value.
    """
    emulator = make_emulator(now=now, random_seed=random_seed, **settings)
    with emulator.serve() as server, _set(environment_for(server)):
        yield emulator
    if unused := unused_faults(emulator):
        raise AssertionError(unused)


def make_emulator(
    *, now: datetime | None = MOMENT, random_seed: int | str | None = None, **settings: Unpack[SettingsDict]
) -> Emulator:
    """An emulator for a test; what the parameters mean is said at :func:`emulated`."""
    from workos_mfa.emulator import Emulator
    from workos_mfa.emulator._settings import check_names

    check_names(settings, "now", "random_seed")
    return Emulator(now=now, random_seed=random_seed, **settings)


def environment_for(server: EmulatorServer) -> dict[str, str | None]:
    """The variables that lead an app to a server; None for one that must not be set."""
    others = dict.fromkeys(name for name in os.environ if name.startswith("WORKOS_"))
    return {**others, "WORKOS_API_KEY": server.api_key, "WORKOS_BASE_URL": server.base_url}


def unused_faults(emulator: Emulator) -> str:
    """What is wrong with a test whose faults have not all struck; empty if nothing is."""
    lines = [f"\n  {describe(fault)}" for fault in emulator.faults.unused()]
    if not lines:
        return ""
    return (
        "a fault that does not strike proves nothing, and these have struck fewer calls than they were to:"
        f"{''.join(lines)}\n"
        "Make the call that it is for, or take the fault back with faults.remove() or faults.clear()."
    )


def describe(fault: Fault) -> str:
    """A fault by what it is for and how often it struck; its body and headers may hold anything."""
    given = attrs.asdict(fault.selectors, filter=lambda field, value: value != field.default)
    selectors = ", ".join(f"{name}={value!r}" for name, value in given.items())
    count = fault.selectors.count
    return f"{fault.kind}({selectors}): struck {fault.used}{'' if count is None else f' of {count}'}"


@contextmanager
def _set(variables: Mapping[str, str | None]) -> Generator[None, None, None]:
    before = {name: os.environ.get(name) for name in variables}
    try:
        _change(variables)
        yield
    finally:
        _change(before)


def _change(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

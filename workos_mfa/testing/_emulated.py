"""The emulator of a test, and the environment in which an app finds it: for the fixtures, and for :func:`emulated`.

The emulator is imported only when one is made, since unit tests with a stub don't need it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from workos_mfa.emulator import Emulator, EmulatorServer
    from workos_mfa.emulator._settings import SettingsDict

MOMENT = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
"""The time of a test, unless the test sets another."""


@contextmanager
def emulated(
    *,
    now: datetime | None = MOMENT,
    random_seed: int | str | None = None,
    settings_file: str | os.PathLike[str] | None = None,
    **settings: Unpack[SettingsDict],
) -> Generator[Emulator, None, None]:
    """An emulator that the app under test finds by itself; for unittest, and where there are no pytest fixtures.

    ::

        class SignInTest(unittest.TestCase):
            def setUp(self):
                self.emulator = self.enterContext(emulated(max_wrong_codes=3))  # from Python 3.11
                self.app = create_app()  # whose MFA() needs no change

    In the block the emulator serves HTTP. WORKOS_API_KEY and WORKOS_BASE_URL are those of its server, and no other
    variable that begins with ``WORKOS_`` is set. After it the environment is as before. A process has one
    environment, so that tests in parallel threads can't use this.

    :param now: the time at which the clock stands; None for the real time, running.
    :param random_seed: makes ids, secrets and codes the same each time.
    :param settings_file: a file of settings, as ``workos-mfa calibrate`` writes it.
    :param settings: fields of :class:`workos_mfa.emulator.Settings`; they go before the file's.
    :returns: a context manager that gives the :class:`workos_mfa.Emulator`.
    :raises AssertionError: at the end, if a fault has not struck as often as it should have; not if the block raises.
    :raises ImportError: if segno or werkzeug is not installed.
    :raises OSError: if the settings file can't be read.
    :raises TypeError: if there is no such setting.
    :raises ValueError: if a setting can't have this value.
    """
    emulator = make_emulator(now=now, random_seed=random_seed, settings_file=settings_file, **settings)
    with emulator.serve() as server, _set(environment_for(server)):
        yield emulator
    emulator.faults.assert_all_used()


def make_emulator(
    *, now: object = MOMENT, random_seed: object = None, settings_file: object = None, **settings: object
) -> Emulator:
    """An emulator for a test. The parameters are those of :func:`emulated`; the emulator checks their types."""
    from workos_mfa.emulator import Emulator
    from workos_mfa.emulator._settings import check_names

    check_names(settings, "now", "random_seed", "settings_file")
    make = cast("Callable[..., Emulator]", Emulator)
    return make(now=now, random_seed=random_seed, settings_file=settings_file, **settings)


def environment_for(server: EmulatorServer) -> dict[str, str | None]:
    """The variables with which an app finds a server; None for one that must not be set."""
    others = dict.fromkeys(name for name in os.environ if name.startswith("WORKOS_"))
    return {**others, "WORKOS_API_KEY": server.api_key, "WORKOS_BASE_URL": server.base_url}


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

"""The pytest plugin: fixtures for the tests of an app. pytest finds it wherever the package is installed.

So every run of pytest imports this module. To keep that fast, it imports only what pytest has imported already, and
the fixtures import the rest. ``-p no:workos_mfa`` switches it off.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from pluggy import Result

    from workos_mfa import MFA
    from workos_mfa.emulator import Emulator, EmulatorServer

_T = TypeVar("_T")


class _State:
    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.passed: bool | None = None  # whether the test itself passed; None before it has run
        self.reported = False  # whether a report shows the emulator already


_STATE = pytest.StashKey[_State]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "workos_mfa(**settings): how the emulator of this test behaves: fields of workos_mfa.emulator.Settings, such "
        "as max_wrong_codes=3; settings_file= for a file of them; now= for the time (None: real time); random_seed= "
        "for the same ids each time. The nearest marker wins.",
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the option of pytest's configuration file."""
    parser.addini(
        "workos_mfa_settings",
        "a file of settings for the emulators of all tests, as workos-mfa calibrate writes it; relative to the "
        "folder of the configuration file",
    )


@pytest.fixture
def workos_mfa_emulator(request: pytest.FixtureRequest) -> Generator[Emulator, None, None]:
    """A WorkOS MFA API in memory for this test alone, whose clock stands still at 2026-01-15 12:00 UTC.

    A TOTP code stays the same until the test moves the clock: ``.clock.advance(30)`` gives the next one. A fault that
    has not struck by the end of a test that passed is an error. The marker ``workos_mfa`` takes settings.
    """
    item = cast("pytest.Item", request.node)
    state = item.stash[_STATE] = _State(_emulator_for(item))
    yield state.emulator
    if state.passed:
        _or_fail(state.emulator.faults.assert_all_used)


@pytest.fixture
def workos_mfa_client(workos_mfa_emulator: Emulator) -> MFA:
    """A ``workos_mfa.MFA`` on ``workos_mfa_emulator``, in process.

    It repeats calls as a real client does. A wait takes no time: it moves the emulator's clock. Each wait is the
    longest possible one, so that it is the same each time.
    """
    from workos_mfa._client.mfa import MFA
    from workos_mfa._transports.retry import RetryingTransport

    clock = workos_mfa_emulator.clock
    return MFA(
        transport=RetryingTransport(
            workos_mfa_emulator,
            clock=lambda: clock.now().timestamp(),
            sleep=clock.advance,
            uniform=lambda _, longest: longest,
        )
    )


@pytest.fixture
def workos_mfa_server(workos_mfa_emulator: Emulator) -> Generator[EmulatorServer, None, None]:
    """``workos_mfa_emulator`` over HTTP, with ``.base_url`` and ``.api_key``, for any WorkOS SDK."""
    with _or_fail(workos_mfa_emulator.serve) as server:
        yield server


@pytest.fixture
def workos_mfa_env(
    workos_mfa_emulator: Emulator, workos_mfa_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> Emulator:
    """``workos_mfa_emulator``, with an environment in which the app's own ``MFA()`` finds it.

    WORKOS_API_KEY and WORKOS_BASE_URL are those of ``workos_mfa_server``, and no other variable that begins with
    ``WORKOS_`` is set. After the test the environment is as before.
    """
    from workos_mfa.testing._emulated import environment_for

    # With the test's own monkeypatch, so that both undo their changes in the right order.
    for name, value in environment_for(workos_mfa_server).items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    return workos_mfa_emulator


# Old versions of pytest know hookwrapper too. The plugin must not break a run that does not use it.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Result[pytest.TestReport], None]:
    """Note whether the test passed; add its emulator to the report if it failed."""
    outcome = yield
    state = item.stash.get(_STATE, None)
    if state is None:
        return
    report = outcome.get_result()
    if report.when == "call":
        # A subtest has a report of its own, before that of the test.
        state.passed = report.passed and state.passed is not False
    is_end = report.when == "teardown"
    if report.failed and not (is_end and state.reported):
        from workos_mfa.testing._report import section

        report.sections.append(("workos_mfa emulator", section(state.emulator)))
        state.reported = True
    if is_end:
        # pytest keeps all tests to the end of the run, and there may be thousands.
        del item.stash[_STATE]


def _emulator_for(item: pytest.Item) -> Emulator:
    from workos_mfa.testing._emulated import make_emulator

    settings: dict[str, object] = {}
    configured = str(item.config.getini("workos_mfa_settings"))
    if configured:
        settings["settings_file"] = item.config.rootpath / configured
    for node in item.listchain():
        # In a node the nearest marker is the last: that of the subclass, or of the parameter.
        for mark in node.own_markers:
            if mark.name == "workos_mfa":
                if mark.args:
                    by_keyword = "the marker takes settings by keyword, such as workos_mfa(max_wrong_codes=3)"
                    pytest.fail(by_keyword, pytrace=False)
                settings |= mark.kwargs
    return _or_fail(lambda: make_emulator(**settings))


def _or_fail(make: Callable[[], _T]) -> _T:
    """Call the function; an error that the user has to correct is shown without our traceback."""
    try:
        return make()
    except (AssertionError, ImportError, OSError, TypeError, ValueError) as error:
        reason = str(error)
    return pytest.fail(f"workos_mfa: {reason}", pytrace=False)

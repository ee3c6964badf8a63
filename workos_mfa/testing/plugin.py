"""Fixtures for the tests of an app: pytest finds them by itself wherever the package is installed.

So every run of pytest imports this, whether it has to do with WorkOS or not: whatever pytest has not loaded itself is
imported by the fixtures. ``-p no:workos_mfa`` switches it off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from pluggy import Result

    from workos_mfa import MFA
    from workos_mfa.emulator import Call, Emulator, EmulatorServer, SMSMessage

_T = TypeVar("_T")

_MOST_LISTED = 50

# What a fault has in its place may be anything, a one-time code too.
_API_CODE = re.compile(r"[a-z][a-z0-9_]{0,79}")


class _Watched:
    """A test's emulator, and what is known of the test so far.

    :ivar passed: whether the test itself passed; None before it has run.
    :ivar told: whether a report shows the calls already.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.passed: bool | None = None
        self.told = False


_WATCHED = pytest.StashKey[_Watched]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "workos_mfa(**settings): how the emulator of this test behaves: fields of workos_mfa.emulator.Settings, such "
        "as max_wrong_codes=3; now= for the time (None: real time); random_seed= for the same ids each time. The "
        "nearest marker wins.",
    )


@pytest.fixture
def workos_mfa_emulator(request: pytest.FixtureRequest) -> Generator[Emulator, None, None]:
    """A WorkOS MFA API in memory for this test alone, whose clock stands still at 2026-01-15 12:00 UTC.

    A code stays the same until the test moves the clock: for the next TOTP code ``.clock.advance(30)``. A fault that
    has not struck by the end of a test that passed is an error. The marker ``workos_mfa`` changes its settings.
    """
    from workos_mfa.testing._emulated import unused_faults

    item = cast("pytest.Item", request.node)
    watched = item.stash[_WATCHED] = _Watched(_made(item))
    yield watched.emulator
    unused = unused_faults(watched.emulator)
    if unused and watched.passed:
        pytest.fail(unused, pytrace=False)


@pytest.fixture
def workos_mfa_client(workos_mfa_emulator: Emulator) -> MFA:
    """A ``workos_mfa.MFA`` on ``workos_mfa_emulator``, in process.

    It repeats calls as a real client does. The waits take no time, and move the emulator's clock; they are as long
    as they can be, so that they are the same each time.
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
    """Lead the app under test to ``workos_mfa_emulator``, which it gives: the app's own ``MFA()`` needs no change.

    WORKOS_API_KEY and WORKOS_BASE_URL are those of ``workos_mfa_server``, and no other variable that begins with
    ``WORKOS_`` is set. Undone after the test.
    """
    from workos_mfa.testing._emulated import environment_for

    # By the test's own monkeypatch, so that what both change is undone in the right order.
    for name, value in environment_for(workos_mfa_server).items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    return workos_mfa_emulator


# In the form that older versions of pytest know as well: those who don't use this must not be stopped by it.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Result[pytest.TestReport], None]:
    """Note how the test went, and show its emulator where it failed."""
    outcome = yield
    watched = item.stash.get(_WATCHED, None)
    if watched is None:
        return
    report = outcome.get_result()
    if report.when == "call":
        # A part of a test has a report of its own, before that of the whole.
        watched.passed = report.passed and watched.passed is not False
    is_end = report.when == "teardown"
    if report.failed and not (is_end and watched.told):
        report.sections.append(("workos_mfa emulator", _section(watched.emulator)))
        watched.told = True
    if is_end:
        # The test itself is kept to the end of the run, and there may be thousands.
        del item.stash[_WATCHED]


def _made(item: pytest.Item) -> Emulator:
    from workos_mfa.testing._emulated import make_emulator

    settings: dict[str, object] = {}
    for node in item.listchain():
        # Within a node the later markers are the nearer ones: of a subclass, of a parameter.
        for mark in node.own_markers:
            if mark.name != "workos_mfa":
                continue
            if mark.args:
                pytest.fail(
                    "the marker takes settings by keyword, such as workos_mfa(max_wrong_codes=3)", pytrace=False
                )
            settings |= mark.kwargs
    make = cast("Callable[..., Emulator]", make_emulator)
    return _or_fail(lambda: make(**settings))


def _or_fail(make: Callable[[], _T]) -> _T:
    """What the function makes; what it raises about the user's part is said without a traceback of ours."""
    try:
        return make()
    except (ImportError, TypeError, ValueError) as error:
        reason = str(error)
    return pytest.fail(f"workos_mfa: {reason}", pytrace=False)


def _section(emulator: Emulator) -> str:
    from workos_mfa.testing._emulated import describe

    return "\n".join(
        [
            *_listed("call", map(_call_line, emulator.calls)),
            *_listed("text message", map(_message_line, emulator.outbox)),
            *_waiting(map(describe, emulator.faults.unused())),
        ]
    )


def _listed(what: str, lines: Iterable[str]) -> list[str]:
    all_lines = list(lines)
    count = len(all_lines)
    if not count:
        return [f"no {what}s"]
    title = f"{count} {what}{'s' if count > 1 else ''}"
    if count > _MOST_LISTED:
        title = f"{title}, the last {_MOST_LISTED} of them"
    return [f"{title}:", *(f"  {line}" for line in all_lines[-_MOST_LISTED:])]


def _waiting(lines: Iterable[str]) -> list[str]:
    waiting = [f"  {line}" for line in lines]
    if not waiting:
        return []
    return ["1 fault waits:" if len(waiting) == 1 else f"{len(waiting)} faults wait:", *waiting]


def _call_line(call: Call) -> str:
    from workos_mfa._core.redaction import printable

    # Neither path nor query nor body: an app may have put anything there.
    name = call.operation or f"{printable(call.method, limit=20)}, unknown route"
    status = "none" if call.status is None else call.status
    facts = [f"request {call.request_id}"]
    if call.error_code is not None and (call.status or 0) >= 400:
        facts.insert(0, call.error_code if _API_CODE.fullmatch(call.error_code) else "a code that is none of the API's")
    if call.fault is not None:
        facts.append(f"fault {call.fault}")
    return f"{call.at:%H:%M:%S}  {name}  {status}  {', '.join(facts)}"


def _message_line(message: SMSMessage) -> str:
    from workos_mfa._core.redaction import masked_phone

    return f"{message.sent_at:%H:%M:%S}  to {masked_phone(message.to)}, for {message.challenge_id}"

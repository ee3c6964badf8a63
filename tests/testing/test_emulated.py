"""The context manager for those who use unittest."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

from workos_mfa import MFA, ConnectionLostError
from workos_mfa.testing import emulated


def ours() -> dict[str, str]:
    """The variables of WorkOS' packages."""
    return {name: value for name, value in os.environ.items() if name.startswith("WORKOS_")}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine that has settings."""
    monkeypatch.delenv("WORKOS_BASE_URL", raising=False)
    monkeypatch.setenv("WORKOS_API_KEY", "sk_live_of_the_machine")
    monkeypatch.setenv("WORKOS_CLIENT_ID", "client_of_the_machine")
    return ours()


def test_the_app_talks_to_the_emulator(machine: dict[str, str]) -> None:
    """Inside, the app's own ``MFA()`` has the emulator, and afterwards the environment is as before."""
    threads = threading.active_count()
    with emulated() as emulator:
        assert ours().keys() == {"WORKOS_API_KEY", "WORKOS_BASE_URL"}
        with MFA() as app:
            app.enroll_factor(type="generic_otp")
        assert [call.status for call in emulator.calls] == [201]
        assert emulator.clock.now() == datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
        assert emulator.clock.is_frozen
    assert ours() == machine
    assert threading.active_count() == threads


def test_it_takes_what_the_marker_takes() -> None:
    """Settings, time and seed."""
    noon = datetime(2030, 5, 1, 12, tzinfo=timezone.utc)
    ids: set[str] = set()
    for _ in range(2):
        with emulated(now=noon, random_seed="a seed", default_sms_text="{{code}} it is") as emulator:
            client = MFA(transport=emulator)
            ids.add(client.challenge_factor(client.enroll_factor(type="sms", phone_number="+12015550100").id).id)
            assert emulator.outbox.latest().text == "424242 it is"
            assert emulator.outbox.latest().sent_at == noon
    assert len(ids) == 1
    with emulated(now=None) as emulator:
        assert not emulator.clock.is_frozen


def test_a_mistake_changes_nothing(machine: dict[str, str]) -> None:
    """An unknown setting is refused with a list of those that there are."""
    with pytest.raises(
        TypeError,
        match=r"no setting 'max_wrong_code'; did you mean 'max_wrong_codes'\? There are: now, random_seed, max",
    ):
        emulated(max_wrong_code=3).__enter__()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"no setting 'state'\. There are: now, random_seed"):
        emulated(state="emulator.db").__enter__()  # type: ignore[call-arg]
    assert ours() == machine


def test_an_unused_fault_is_a_failure(machine: dict[str, str]) -> None:
    """What never struck has proved nothing, which is said at the end."""
    with pytest.raises(AssertionError, match=r"lose_response\(operation='get_factor'\): struck 0 of 1"):  # noqa: SIM117
        with emulated() as emulator:
            emulator.faults.lose_response(operation="get_factor")
    assert ours() == machine


def test_a_failure_goes_before_an_unused_fault(machine: dict[str, str]) -> None:
    """The test's own failure is the one that is seen, and the environment is back all the same."""

    def fail() -> None:
        with emulated() as emulator:
            emulator.faults.lose_response(operation="get_factor")
            raise KeyError("the test's own")

    with pytest.raises(KeyError, match="the test's own"):
        fail()
    assert ours() == machine


def test_a_fault_that_struck_is_fine() -> None:
    """Faults work for the app over HTTP."""
    with emulated() as emulator, MFA() as app:
        emulator.faults.lose_response(operation="enroll_factor")
        with pytest.raises(ConnectionLostError):
            app.enroll_factor(type="generic_otp")


def test_unittest_runs_it(tmp_path: Path) -> None:
    """A TestCase written as the page says passes, on every Python, under plain unittest and with no pytest loaded."""
    source = """
        import contextlib, sys, unittest
        from workos_mfa import MFA
        from workos_mfa.testing import emulated

        class SignInTest(unittest.TestCase):
            def setUp(self):
                stack = contextlib.ExitStack()
                self.addCleanup(stack.close)
                self.emulator = stack.enter_context(emulated(max_wrong_codes=3))

            def test_it(self):
                with MFA() as app:
                    app.enroll_factor(type="generic_otp")
                self.assertEqual(len(self.emulator.calls), 1)
                self.assertNotIn("pytest", sys.modules)

            @emulated()
            def test_decorated(self):
                with MFA() as app:
                    app.enroll_factor(type="generic_otp")
                self.assertEqual(len(self.emulator.calls), 0)
        """
    (tmp_path / "test_app.py").write_text(textwrap.dedent(source), "utf-8")
    command = [sys.executable, "-W", "error", "-m", "unittest", "-v", "test_app"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
    assert done.stderr.endswith("\nOK\n"), done.stderr

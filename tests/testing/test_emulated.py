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

from tests.documents import read_page
from tests.testing.pytest_run import run, said
from workos_mfa import MFA, ConnectionLostError
from workos_mfa.testing import emulated

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]


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
        match=r"no setting 'max_wrong_code'; did you mean 'max_wrong_codes'\? There are: now, random_seed,",
    ):
        emulated(max_wrong_code=3).__enter__()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"no setting 'state'\. There are: now, random_seed"):
        emulated(state="emulator.db").__enter__()  # type: ignore[call-arg]
    assert ours() == machine


def test_an_unused_fault_is_a_failure(machine: dict[str, str]) -> None:
    """What never struck has proved nothing, which is said at the end; but a test's own failure goes before it."""
    with pytest.raises(AssertionError, match=r"lose_response\(operation='get_factor'\): struck 0 of 1"):  # noqa: SIM117
        with emulated() as emulator:
            emulator.faults.lose_response(operation="get_factor")
    with pytest.raises(KeyError, match="the test's own"), emulated() as emulator:  # noqa: PT012
        emulator.faults.lose_response(operation="get_factor")
        raise KeyError("the test's own")
    assert ours() == machine


def test_a_fault_that_struck_is_fine() -> None:
    """Faults work for the app over HTTP."""
    with emulated() as emulator, MFA() as app:
        emulator.faults.lose_response(operation="enroll_factor")
        with pytest.raises(ConnectionLostError):
            app.enroll_factor(type="generic_otp")


def test_unittest_runs_it(tmp_path: Path) -> None:
    """The page's TestCase passes under plain unittest, and a decorated test too, with no pytest loaded."""
    decorated = """
        import sys
        from workos_mfa import MFA

        class DecoratedTest(unittest.TestCase):
            @emulated(max_wrong_codes=3)
            def test_it(self):
                with MFA() as app:
                    app.enroll_factor(type="generic_otp")
                self.assertNotIn("pytest", sys.modules)
        """
    page = [example("def create_app"), example("def ask_for_code"), example("(unittest.TestCase)")]
    (tmp_path / "test_app.py").write_text("\n".join([*page, textwrap.dedent(decorated)]), "utf-8")
    command = [sys.executable, "-W", "error", "-m", "unittest", "test_app"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
    assert done.stderr.startswith("..\n"), done.stderr


def test_one_environment_for_a_whole_run(pytester: pytest.Pytester) -> None:
    """With the page's ``conftest.py`` an app may make its client when it is imported, and tests don't meet."""
    (pytester.path / "conftest.py").write_text(example("def pytest_unconfigure"), "utf-8")
    (pytester.path / "app.py").write_text("from workos_mfa import MFA\nmfa = MFA()\n", "utf-8")
    result = run(
        pytester,
        """
        import app, pytest

        @pytest.mark.parametrize("time", [1, 2])
        def test_it(time, emulator):
            app.mfa.enroll_factor(type="generic_otp")
            assert len(emulator.calls) == 1

        def test_unused(emulator):
            emulator.faults.lose_response()
        """,
    )
    result.assert_outcomes(passed=3, errors=1)
    assert "lose_response" in said(result)


def example(words: str) -> str:
    """The one example of the page about testing that has these words in it."""
    (block,) = [block for block in read_page(ROOT / "docs" / "testing.md", ROOT) if words in block.text]
    return block.text

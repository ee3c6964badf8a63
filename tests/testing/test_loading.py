"""What the plugin costs those who don't use it, and how it gets along with other options of pytest."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from tests.testing.pytest_run import run, said

pytest_plugins = "pytester"


def test_a_run_that_does_not_use_it_loads_no_more(pytester: pytest.Pytester) -> None:
    """Tests that want no emulator never load one, whether they fail or not."""
    result = run(
        pytester,
        """
        import sys

        def test_passes():
            ours = {name for name in sys.modules if name.startswith("workos_mfa")}
            assert ours == {"workos_mfa", "workos_mfa._version", "workos_mfa.testing", "workos_mfa.testing.plugin"}
            assert not {"attrs", "requests", "urllib3", "segno", "werkzeug"} & set(sys.modules)

        def test_fails():
            assert False
        """,
        apart=True,
    )
    result.assert_outcomes(passed=1, failed=1)
    assert "workos_mfa emulator" not in said(result)


def test_pytest_finds_it_by_itself(pytester: pytest.Pytester) -> None:
    """Whoever has the package has the fixtures, and switches them off by its name."""
    entries = importlib.metadata.distribution("workos-mfa").entry_points
    assert {entry.name: entry.value for entry in entries if entry.group == "pytest11"} == {
        "workos_mfa": "workos_mfa.testing.plugin"
    }
    path = pytester.makepyfile("def test_it(workos_mfa_client): pass")
    others = [f"-pno:{entry.name}" for entry in importlib.metadata.entry_points(group="pytest11")]
    others.remove("-pno:workos_mfa")
    pytester.runpytest_inprocess(path, *others).assert_outcomes(passed=1)
    off = pytester.runpytest_inprocess(path, *others, "-p", "no:workos_mfa")
    off.assert_outcomes(errors=1)
    assert "fixture 'workos_mfa_client' not found" in said(off)


def test_every_fixture_explains_itself(pytester: pytest.Pytester) -> None:
    """``pytest --fixtures`` has a sentence for each."""
    result = run(pytester, "", "--fixtures")
    for name in ("emulator", "client", "server", "env"):
        assert re.search(rf"^workos_mfa_{name} -- .*plugin\.py:\d+\n    [A-Z`].*\.$", said(result), re.MULTILINE)


def test_workers_do_not_meet(pytester: pytest.Pytester) -> None:
    """Under pytest-xdist each worker has emulators, servers and an environment of its own, and reports as usual."""
    result = run(
        pytester,
        """
        import pytest
        from workos_mfa import MFA

        @pytest.mark.parametrize("number", range(6))
        def test_it(number, workos_mfa_env):
            with MFA() as app:
                for _ in range(number + 1):
                    app.enroll_factor(type="generic_otp")
            assert len(workos_mfa_env.calls) == number + 1
            assert number != 3

        @pytest.mark.workos_mfa(max_wrong_code=1)
        def test_mistake(workos_mfa_env):
            pass

        def test_unused(workos_mfa_env):
            workos_mfa_env.faults.lose_response()
        """,
        *("-p", "xdist", "-n", "2"),
        apart=True,
    )
    result.assert_outcomes(passed=6, failed=1, errors=2)
    assert "4 calls:\n" in said(result)
    assert "lose_response(): struck 0 of 1" in said(result)

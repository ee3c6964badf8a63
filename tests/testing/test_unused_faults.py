"""A fault that never struck is an error: the test that set it has proved nothing."""

from __future__ import annotations

import pytest

from tests.testing.pytest_run import run, said
from workos_mfa import MFA, ConnectionLostError
from workos_mfa.emulator import Emulator

pytest_plugins = "pytester"


def test_it_is_an_error_of_its_test(pytester: pytest.Pytester) -> None:
    """The error names the fault and how often it struck, and the next test has nothing to do with it."""
    result = run(
        pytester,
        """
        def test_it(workos_mfa_emulator):
            workos_mfa_emulator.faults.lose_response(operation="verify_challenge", after=1)
            workos_mfa_emulator.faults.respond(503, path="/auth/*", method="GET", count=2)
            workos_mfa_emulator.faults.rate_limit(1, 60)

        def test_next(workos_mfa_client):
            workos_mfa_client.enroll_factor(type="generic_otp")
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    assert "ERROR at teardown of test_it" in said(result)
    assert "lose_response(operation='verify_challenge', after=1): struck 0 of 1" in said(result)
    assert "respond(status=503, method='GET', path='/auth/*', count=2): struck 0 of 2" in said(result)
    assert "rate_limit(count=None): struck 0" in said(result)
    assert "testing/plugin.py" not in said(result)


def test_one_that_struck_is_none(workos_mfa_emulator: Emulator, workos_mfa_client: MFA) -> None:
    """Nor is one that the test took back."""
    workos_mfa_emulator.faults.lose_response(operation="enroll_factor")
    with pytest.raises(ConnectionLostError):
        workos_mfa_client.enroll_factor(type="generic_otp")
    workos_mfa_emulator.faults.lose_response()
    workos_mfa_emulator.faults.clear()


def test_it_does_not_pile_on(pytester: pytest.Pytester) -> None:
    """A test that failed, was skipped, failed as expected or never began has one outcome, not two."""
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def faulty(workos_mfa_emulator):
            workos_mfa_emulator.faults.lose_response(operation="get_factor")

        @pytest.fixture
        def broken(faulty):
            raise RuntimeError("broken")

        def test_failed(faulty):
            assert False

        def test_skipped(faulty):
            pytest.skip("not today")

        @pytest.mark.xfail
        def test_expected(faulty):
            assert False

        def test_never_began(broken):
            pass
        """,
    )
    result.assert_outcomes(failed=1, skipped=1, xfailed=1, errors=1)
    assert "at teardown" not in said(result)
    assert "lose_response(operation='get_factor'): struck 0 of 1" in said(result)


def test_a_failed_subtest_counts_as_a_failure(pytester: pytest.Pytester) -> None:
    """Where a part of a test failed, its unused fault is no news."""
    result = run(
        pytester,
        """
        import unittest
        import pytest

        class SignInTest(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _emulated(self, workos_mfa_emulator):
                workos_mfa_emulator.faults.lose_response()

            def test_it(self):
                with self.subTest():
                    self.fail("in a part")
        """,
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "in a part" in said(result)
    assert "at teardown" not in said(result)

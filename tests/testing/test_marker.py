"""The marker ``workos_mfa``, which says how a test's emulator behaves."""

from __future__ import annotations

import pytest

from tests.testing.pytest_run import run, said

pytest_plugins = "pytester"


def test_it_gives_settings(pytester: pytest.Pytester) -> None:
    """A setting of the marker is one of the test's emulator: here one wrong code is too many."""
    result = run(
        pytester,
        """
        import pytest
        from workos_mfa import TooManyAttemptsError

        @pytest.mark.workos_mfa(max_wrong_codes=1)
        def test_it(workos_mfa_client):
            factor = workos_mfa_client.enroll_factor(type="sms", phone_number="+12015550100")
            challenge = workos_mfa_client.challenge_factor(factor.id)
            assert not workos_mfa_client.verify_challenge(challenge.id, code="000000")
            with pytest.raises(TooManyAttemptsError):
                workos_mfa_client.verify_challenge(challenge.id, code="424242")
        """,
    )
    result.assert_outcomes(passed=1)


def test_it_gives_the_time_and_the_seed(pytester: pytest.Pytester) -> None:
    """``now`` sets the clock, None makes it run, and ``random_seed`` makes ids the same each time."""
    result = run(
        pytester,
        """
        from datetime import datetime, timezone
        import pytest

        seen = set()

        @pytest.mark.parametrize("time", ["first", "second"])
        @pytest.mark.workos_mfa(now=datetime(2030, 5, 1, tzinfo=timezone.utc), random_seed=7)
        def test_seed(time, workos_mfa_client, workos_mfa_emulator):
            assert workos_mfa_emulator.clock.now().year == 2030
            seen.add(workos_mfa_client.enroll_factor(type="generic_otp").id)
            assert len(seen) == 1

        @pytest.mark.workos_mfa(now=None)
        def test_running(workos_mfa_emulator):
            assert not workos_mfa_emulator.clock.is_frozen
        """,
    )
    result.assert_outcomes(passed=3)


def test_the_nearest_wins(pytester: pytest.Pytester) -> None:
    """Markers of module, class, base class, function and parameter go together; of one setting the nearest holds."""
    result = run(
        pytester,
        """
        import pytest

        mark = pytest.mark.workos_mfa
        pytestmark = [mark(totp_window=3, default_sms_text="module {{code}}", sms_rate_limit=3)]

        def texts(client, emulator):
            factor = client.enroll_factor(type="sms", phone_number="+12015550100")
            client.challenge_factor(factor.id)
            return [message.text.partition(" ")[0] for message in emulator.outbox]

        def test_module(workos_mfa_client, workos_mfa_emulator):
            assert texts(workos_mfa_client, workos_mfa_emulator) == ["module"]

        @mark(default_sms_text="base {{code}}")
        class TestBase:
            wanted = "base"

            def test_class(self, workos_mfa_client, workos_mfa_emulator):
                assert texts(workos_mfa_client, workos_mfa_emulator) == [self.wanted]

            @mark(default_sms_text="function {{code}}")
            def test_function(self, workos_mfa_client, workos_mfa_emulator):
                assert texts(workos_mfa_client, workos_mfa_emulator) == ["function"]

            @mark(default_sms_text="function {{code}}")
            @pytest.mark.parametrize("value", [pytest.param(1, marks=mark(default_sms_text="parameter {{code}}"))])
            def test_parameter(self, value, workos_mfa_client, workos_mfa_emulator):
                assert texts(workos_mfa_client, workos_mfa_emulator) == ["parameter"]

        @mark(default_sms_text="derived {{code}}")
        class TestDerived(TestBase):
            wanted = "derived"
        """,
    )
    result.assert_outcomes(passed=7)


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("max_wrong_code=3", ["'max_wrong_code'", "max_wrong_codes", "now", "random_seed", "totp_window"]),
        ("max_wrong_codes=0", ["max_wrong_codes takes a whole number from 1"]),
        ("3", ["by keyword", "workos_mfa(max_wrong_codes=3)"]),
        ("now=datetime(2026, 1, 15)", ["time zone"]),
        ("now='2026-01-15'", ["now takes a datetime"]),
        ("random_seed=1.5", ["random_seed"]),
    ],
)
def test_a_mistake_is_said_in_a_line(pytester: pytest.Pytester, marker: str, words: list[str]) -> None:
    """A marker that can't be followed is an error of its test that says what is possible, without our code."""
    result = run(
        pytester,
        f"""
        from datetime import datetime
        import pytest

        @pytest.mark.workos_mfa({marker})
        def test_it(workos_mfa_client):
            pass
        """,
        "--tb=long",
    )
    result.assert_outcomes(errors=1)
    assert "pytest_plugin.py" not in said(result)
    assert [word for word in words if word not in said(result)] == []


def test_pytest_knows_it(pytester: pytest.Pytester) -> None:
    """``pytest --markers`` explains the marker."""
    result = run(pytester, "", "--markers")
    assert "@pytest.mark.workos_mfa(**settings):" in said(result)

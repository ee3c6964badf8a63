"""The marker ``workos_mfa``, which says how a test's emulator behaves."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.testing.pytest_run import run, said
from workos_mfa import MFA, TooManyAttemptsError
from workos_mfa.emulator import Emulator

pytest_plugins = "pytester"

mark = pytest.mark.workos_mfa
pytestmark = [mark(totp_window_back=3, default_sms_text="module {{code}}", sms_rate_limit=3)]

MAY_DAY = datetime(2030, 5, 1, tzinfo=timezone.utc)


@mark(max_wrong_codes=1)
def test_it_gives_settings(workos_mfa_client: MFA) -> None:
    """A setting of the marker is one of the test's emulator: here one wrong code is too many."""
    factor = workos_mfa_client.enroll_factor(type="sms", phone_number="+12015550100")
    challenge = workos_mfa_client.challenge_factor(factor.id)
    assert not workos_mfa_client.verify_challenge(challenge.id, code="000000")
    with pytest.raises(TooManyAttemptsError):
        workos_mfa_client.verify_challenge(challenge.id, code="424242")


@mark(now=MAY_DAY, random_seed=7)
def test_it_gives_the_time_and_the_seed(workos_mfa_client: MFA, workos_mfa_emulator: Emulator) -> None:
    """``now`` sets the clock, and ``random_seed`` makes ids the same each time."""
    assert workos_mfa_emulator.clock.now() == MAY_DAY
    same = MFA(transport=Emulator(now=MAY_DAY, random_seed=7))
    assert workos_mfa_client.enroll_factor(type="generic_otp").id == same.enroll_factor(type="generic_otp").id


@mark(now=None)
def test_the_time_may_run(workos_mfa_emulator: Emulator) -> None:
    """None makes the clock run."""
    assert not workos_mfa_emulator.clock.is_frozen


@pytest.fixture
def sent(workos_mfa_client: MFA, workos_mfa_emulator: Emulator) -> str:
    """The first word of a text message, which says where the setting came from."""
    factor = workos_mfa_client.enroll_factor(type="sms", phone_number="+12015550100")
    workos_mfa_client.challenge_factor(factor.id)
    return workos_mfa_emulator.outbox.latest().text.partition(" ")[0]


def test_the_module(sent: str) -> None:
    """A module's marker is for all its tests."""
    assert sent == "module"


@mark(default_sms_text="base {{code}}")
class TestBase:
    """Markers of module, class, base class, function and parameter go together; of one setting the nearest holds."""

    expected = "base"

    def test_class(self, sent: str) -> None:
        """A class is nearer than its module, and than its base class."""
        assert sent == self.expected

    @mark(default_sms_text="function {{code}}")
    def test_function(self, sent: str) -> None:
        """A function is nearer than its class."""
        assert sent == "function"

    @mark(default_sms_text="function {{code}}")
    @pytest.mark.parametrize("value", [pytest.param("parameter", marks=mark(default_sms_text="parameter {{code}}"))])
    def test_parameter(self, sent: str, value: str) -> None:
        """A parameter is nearer than its function."""
        assert sent == value


@mark(default_sms_text="derived {{code}}")
class TestDerived(TestBase):
    """A subclass is nearer than its base class."""

    expected = "derived"


MISTAKES = {
    "max_wrong_code=3": "there is no setting 'max_wrong_code'; did you mean 'max_wrong_codes'? There are: now, random_",
    "max_wrong_codes=0": "max_wrong_codes takes a whole number from 1",
    "3": "the marker takes settings by keyword, such as workos_mfa(max_wrong_codes=3)",
    "now=datetime(2026, 1, 15)": "time zone",
    "now='2026-01-15'": "now takes a datetime",
    "random_seed=1.5": "random_seed",
}


def test_a_mistake_is_said_in_a_line(pytester: pytest.Pytester) -> None:
    """A marker that can't be followed is an error of its test that says what is possible, without our code."""
    tests = "\n".join(
        f"@pytest.mark.workos_mfa({marker})\ndef test_{number}(workos_mfa_client): pass"
        for number, marker in enumerate(MISTAKES)
    )
    result = run(pytester, f"import pytest\nfrom datetime import datetime\n{tests}", "--tb=short")
    result.assert_outcomes(errors=len(MISTAKES))
    assert "testing/plugin.py" not in said(result)
    told = said(result).split("_ ERROR at setup of ")[1:]
    assert [mistake for mistake, error in zip(MISTAKES.values(), told, strict=True) if mistake not in error] == []


def test_pytest_knows_it(pytester: pytest.Pytester) -> None:
    """``pytest --markers`` explains the marker."""
    assert "@pytest.mark.workos_mfa(**settings):" in said(run(pytester, "", "--markers"))


def test_settings_of_a_file(pytester: pytest.Pytester) -> None:
    """The configuration of pytest may name a file of settings for all tests; a marker goes first."""
    (pytester.path / "ours.json").write_text('{"max_wrong_codes": 7, "totp_window_back": 4}', "utf-8")
    (pytester.path / "other.json").write_text('{"max_wrong_codes": 8}', "utf-8")
    (pytester.path / "pytest.ini").write_text("[pytest]\nworkos_mfa_settings = ours.json\n", "utf-8")
    tests = """
        import pytest

        def seen(emulator):
            return emulator.settings.max_wrong_codes, emulator.settings.totp_window_back

        def test_all(workos_mfa_emulator):
            assert seen(workos_mfa_emulator) == (7, 4)

        @pytest.mark.workos_mfa(max_wrong_codes=2)
        def test_one(workos_mfa_emulator):
            assert seen(workos_mfa_emulator) == (2, 4)

        @pytest.mark.workos_mfa(settings_file="other.json")
        def test_another(workos_mfa_emulator):
            assert seen(workos_mfa_emulator) == (8, 1)

        @pytest.mark.workos_mfa(settings_file="none.json")
        def test_none(workos_mfa_emulator):
            pass
    """
    result = run(pytester, tests)
    result.assert_outcomes(passed=3, errors=1)
    assert "No such file" in said(result)

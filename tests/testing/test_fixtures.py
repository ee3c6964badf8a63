"""The fixtures that pytest users get by installing the package."""

from __future__ import annotations

import unittest
from datetime import datetime, timezone

import pytest

from tests.testing.pytest_run import run, said
from workos_mfa import MFA, RateLimitExceededError
from workos_mfa.emulator import Emulator, EmulatorServer

pytest_plugins = "pytester"


def test_all_fixtures_share_one_emulator(
    workos_mfa_env: Emulator,
    workos_mfa_server: EmulatorServer,
    workos_mfa_client: MFA,
    workos_mfa_emulator: Emulator,
) -> None:
    """What the client enrolled, the app finds over HTTP, and the emulator knows the code of."""
    factor = workos_mfa_client.enroll_factor(type="totp", issuer="Foo Corp", user="alan")
    with MFA() as app, MFA(workos_mfa_server.api_key, base_url=workos_mfa_server.base_url) as other:
        challenge = app.challenge_factor(factor.id)
        assert other.verify_challenge(challenge.id, code=workos_mfa_emulator.totp_code(factor.id))
    assert workos_mfa_env is workos_mfa_emulator
    assert [call.status for call in workos_mfa_env.calls] == [201, 201, 201]


@pytest.mark.parametrize("time", ["first", "second"])
@pytest.mark.usefixtures("time")
def test_each_test_has_an_emulator_of_its_own(workos_mfa_client: MFA, workos_mfa_emulator: Emulator) -> None:
    """One fixture is enough for a whole flow, and no test sees what another left behind."""
    assert len(workos_mfa_emulator.calls) == 0
    workos_mfa_client.enroll_factor(type="generic_otp")


def test_the_clock_stands(workos_mfa_client: MFA, workos_mfa_emulator: Emulator) -> None:
    """A code stays what it is until the test moves the clock, and thirty seconds later there is the next one."""
    assert workos_mfa_emulator.clock.is_frozen
    assert workos_mfa_emulator.clock.now() == datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
    factor = workos_mfa_client.enroll_factor(type="totp", issuer="Foo Corp", user="alan")
    first = workos_mfa_emulator.totp_code(factor.id)
    workos_mfa_emulator.clock.advance(30)
    assert workos_mfa_emulator.totp_code(factor.id) != first


def test_the_client_waits_on_the_emulators_clock(workos_mfa_client: MFA, workos_mfa_emulator: Emulator) -> None:
    """A repetition costs no real time, always the same emulated time, and counts towards the deadline."""
    clock, started = workos_mfa_emulator.clock, workos_mfa_emulator.clock.now()
    factor = workos_mfa_client.enroll_factor(type="generic_otp")

    workos_mfa_emulator.faults.respond(503)
    workos_mfa_client.get_factor(factor.id)
    assert (clock.now() - started).total_seconds() == 0.25

    workos_mfa_emulator.faults.respond(429, retry_after=12, count=2)
    with pytest.raises(RateLimitExceededError):
        workos_mfa_client.get_factor(factor.id)
    assert (clock.now() - started).total_seconds() == 12.25


def test_the_environment_leads_the_app_to_the_emulator(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app's own ``MFA()`` has it, whatever the machine has; afterwards all is back, what a test set itself too."""
    monkeypatch.setenv("WORKOS_API_KEY", "sk_live_of_the_machine")
    monkeypatch.setenv("WORKOS_REQUEST_TIMEOUT", "0.000001")
    monkeypatch.setenv("WORKOS_CLIENT_ID", "client_of_the_machine")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    result = run(
        pytester,
        """
        import os
        from workos_mfa import MFA

        def ours():
            return sorted(name for name in os.environ if name.startswith("WORKOS_"))

        def test_inside(workos_mfa_env, workos_mfa_server):
            assert ours() == ["WORKOS_API_KEY", "WORKOS_BASE_URL"]
            assert os.environ["WORKOS_BASE_URL"] == workos_mfa_server.base_url
            with MFA() as app:
                app.enroll_factor(type="generic_otp")
            assert workos_mfa_env.calls[0].status == 201

        def test_that_sets_them(monkeypatch, workos_mfa_env):
            monkeypatch.setenv("WORKOS_API_KEY", "sk_test_of_this_test")
            monkeypatch.delenv("WORKOS_BASE_URL")

        def test_afterwards():
            assert ours() == ["WORKOS_API_KEY", "WORKOS_CLIENT_ID", "WORKOS_REQUEST_TIMEOUT"]
            assert os.environ["WORKOS_API_KEY"] == "sk_live_of_the_machine"
        """,
    )
    result.assert_outcomes(passed=3)


class TestBuiltUpon:
    """A project's own fixture of the same name can fill the emulator for all its tests."""

    @pytest.fixture
    def workos_mfa_emulator(self, workos_mfa_emulator: Emulator) -> Emulator:
        """The emulator, with a factor."""
        workos_mfa_emulator.seed({"factors": [{"id": "auth_factor_alan", "type": "generic_otp"}]})
        return workos_mfa_emulator

    def test_it(self, workos_mfa_client: MFA) -> None:
        """The other fixtures have the filled one."""
        assert workos_mfa_client.get_factor("auth_factor_alan").type == "generic_otp"


@pytest.mark.workos_mfa(default_sms_text="{{code}} it is")
class TestOfUnittest(unittest.TestCase):
    """A unittest class that pytest runs gets the fixtures, and the marker, in pytest's usual way."""

    @pytest.fixture(autouse=True)
    def _emulated(self, workos_mfa_env: Emulator) -> None:
        self.emulator = workos_mfa_env

    def test_it(self) -> None:
        """The app finds the emulator."""
        with MFA() as app:
            app.challenge_factor(app.enroll_factor(type="sms", phone_number="+12015550100").id)
        assert self.emulator.outbox.latest().text == "424242 it is"


@pytest.mark.parametrize(("missing", "fixture"), [("segno", "workos_mfa_client"), ("werkzeug", "workos_mfa_env")])
def test_a_missing_extra_is_said_in_a_line(pytester: pytest.Pytester, missing: str, fixture: str) -> None:
    """Without the emulator's extra a test that needs it says what to install, and shows none of our code."""
    result = run(
        pytester,
        f"""
        import sys
        import pytest

        @pytest.fixture(autouse=True)
        def without(monkeypatch):
            for name in [name for name in sys.modules if name.partition(".")[0] == "{missing}"]:
                monkeypatch.delitem(sys.modules, name)
            monkeypatch.setitem(sys.modules, "{missing}", None)

        def test_it({fixture}):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    assert "pip install 'workos-mfa[emulator]'" in said(result)
    assert "testing/plugin.py" not in said(result)

"""What a failed test shows of its emulator: enough to understand it, and nothing that must not be in a log."""

from __future__ import annotations

import json

import pytest

from tests.testing.pytest_run import run, said

pytest_plugins = "pytester"

FLOW = """
    import pytest
    from workos_mfa import ChallengeExpiredError

    def test_it(workos_mfa_client, workos_mfa_emulator):
        factor = workos_mfa_client.enroll_factor(type="sms", phone_number="+15005550006")
        challenge = workos_mfa_client.challenge_factor(factor.id)
        workos_mfa_emulator.clock.advance(601)
        workos_mfa_emulator.faults.respond(503, {"code": "busy\\x1b[2J"}, operation="get_factor")
        workos_mfa_client.get_factor(factor.id)
        with pytest.raises(ChallengeExpiredError):
            workos_mfa_client.verify_challenge(challenge.id, code="123456")
        workos_mfa_emulator.faults.lose_request(operation="delete_factor", count=None)
        with pytest.raises(Exception):
            workos_mfa_client.delete_factor(factor.id)
        workos_mfa_emulator.faults.delay(1, operation="list_user_auth_factors")
        assert CONDITION
    """


def test_it_lists_calls_and_messages(pytester: pytest.Pytester) -> None:
    """Each call with its time, status, error and request id; each message with its challenge; faults that wait."""
    result = run(pytester, FLOW.replace("CONDITION", "False"))
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"-+ workos_mfa emulator -+",
            r"8 calls:",
            r"  12:00:00  enroll_factor +201  request [0-9a-f-]{36}",
            r"  12:00:00  challenge_factor +201  request [0-9a-f-]{36}",
            r"  12:10:01  get_factor +503  a code that is none of the API's, request [0-9a-f-]{36}, fault respond",
            r"  12:10:01  get_factor +200  request [0-9a-f-]{36}",
            r"  12:10:01  verify_challenge +422  authentication_challenge_expired, request [0-9a-f-]{36}",
            r"  12:10:0\d  delete_factor +none  request [0-9a-f-]{36}, fault lose_request",
            r"  12:10:0\d  delete_factor +none  request [0-9a-f-]{36}, fault lose_request",
            r"  12:10:0\d  delete_factor +none  request [0-9a-f-]{36}, fault lose_request",
            r"1 text message:",
            r"  12:00:00  to '\+1\*\*\*0006', for auth_challenge_\w+",
            r"1 unused fault:",
            r"  delay\(operation='list_user_auth_factors'\): struck 0 of 1",
        ],
        consecutive=True,
    )


def test_a_test_that_passes_says_nothing(pytester: pytest.Pytester) -> None:
    """The section is for failures, even where passed tests are reported."""
    source = FLOW.replace("CONDITION", "True").replace('faults.delay(1, operation="list_user_auth_factors")', "calls")
    result = run(pytester, source, "-rA")
    result.assert_outcomes(passed=1)
    assert "workos_mfa emulator" not in said(result)


def test_it_is_shown_once(pytester: pytest.Pytester) -> None:
    """It stands with the first failure of a test: of its setup, of the test, or of its end alone; and it has an end."""
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def enrolled(workos_mfa_client):
            return workos_mfa_client.get_factor("auth_factor_nobody")

        @pytest.fixture
        def ends_badly(workos_mfa_emulator):
            yield
            raise RuntimeError("the end")

        def test_setup(enrolled):
            pass

        def test_both(ends_badly):
            assert False

        def test_end(ends_badly):
            pass

        def test_many_calls(workos_mfa_client):
            for _ in range(51):
                workos_mfa_client.enroll_factor(type="generic_otp")
            assert False
        """,
    )
    result.assert_outcomes(failed=2, passed=1, errors=3)
    assert said(result).count("- workos_mfa emulator -") == 4
    assert said(result).count("no calls") == 2
    assert "1 call:\n" in said(result)
    assert "get_factor  404  entity_not_found, request " in said(result)
    assert "51 calls, the last 50 of them:\n" in said(result)
    assert said(result).count("enroll_factor  201") == 50


LEAKY = """
    import json
    import os
    from pathlib import Path
    import pytest
    from workos_mfa import MFA, Request

    def keep(*values):
        with Path("secrets.jsonl").open("a") as file:
            file.write(json.dumps(values) + "\\n")

    @pytest.fixture
    def people(workos_mfa_client, workos_mfa_emulator):
        phone = workos_mfa_client.enroll_factor(type="sms", phone_number=os.environ["PHONE"])
        app = workos_mfa_client.enroll_factor(type="totp", issuer="Foo Corp", user="alan")
        other = workos_mfa_client.enroll_factor(type="generic_otp")
        texted = workos_mfa_client.challenge_factor(phone.id, sms_template=os.environ["TEXT"])
        coded = workos_mfa_client.challenge_factor(other.id)
        asked = workos_mfa_client.challenge_factor(app.id)
        message = workos_mfa_emulator.outbox.latest()
        keep(os.environ["PHONE"], "sentinel", message.code, app.totp.secret, app.totp.uri, app.totp.qr_code, coded.code)
        return phone, app, other, texted, coded, asked, message

    def test_refused(people, workos_mfa_env, workos_mfa_server, workos_mfa_client, workos_mfa_emulator):
        phone, app, other, texted, coded, asked, message = people
        workos_mfa_client.verify_challenge(texted.id, code=message.code)
        workos_mfa_client.verify_challenge(texted.id, code=message.code)

    def test_refused_over_http(people, workos_mfa_env):
        phone, app, other, texted, coded, asked, message = people
        client = MFA()
        client.verify_challenge(texted.id, code=message.code)
        client.verify_challenge(texted.id, code=message.code)

    def test_lost(people, workos_mfa_client, workos_mfa_emulator):
        phone, app, other, texted, coded, asked, message = people
        workos_mfa_emulator.faults.lose_response(operation="verify_challenge")
        workos_mfa_client.verify_challenge(asked.id, code=workos_mfa_emulator.totp_code(app.id))

    def test_locked(people, workos_mfa_client, workos_mfa_emulator):
        workos_mfa_emulator.faults.respond(400, {"code": people[4].code, "message": people[4].code})
        workos_mfa_client.verify_challenge(people[4].id, code=people[4].code)

    def test_compared(people, workos_mfa_emulator):
        phone, app, other, texted, coded, asked, message = people
        assert [phone, app, texted, coded, message, *workos_mfa_emulator.calls] == list(reversed(people))

    def test_unused(people, workos_mfa_emulator):
        workos_mfa_emulator.faults.respond(400, os.environ["TEXT"], headers={"X-Secret": os.environ["TEXT"]})

    def test_unknown_route(people, workos_mfa_emulator):
        workos_mfa_emulator.send(Request("none", "PUT", "/" + os.environ["TEXT"].split()[1], "/"))
        pytest.fail()

    def test_in_setup(people, impossible):
        pass

    @pytest.fixture
    def impossible(people, workos_mfa_client):
        return workos_mfa_client.verify_challenge(people[3].id + "X", code=people[6].code)
    """


def test_nothing_leaks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that pytest can show, a failure has no code, secret, text, number, URI, QR code or path in it."""
    # From the environment: pytest prints the source lines of a test.
    monkeypatch.setenv("PHONE", "+15005551234")
    monkeypatch.setenv("TEXT", "Your sentinel code is {{code}}")
    result = run(pytester, LEAKY, "-vv", "--showlocals", "--tb=long", "-rA", "--junitxml=junit.xml", apart=True)
    result.assert_outcomes(failed=6, passed=1, errors=2)
    shown = said(result) + (pytester.path / "junit.xml").read_text("utf-8")
    assert shown.count("- workos_mfa emulator -") == 8
    assert "PUT, unknown route  501  " in shown
    kept = (pytester.path / "secrets.jsonl").read_text("utf-8").splitlines()
    secrets = {secret for line in kept for secret in json.loads(line)}
    assert len(secrets) > 20
    assert [secret for secret in secrets if secret in shown] == []
    assert "sk_test_default" not in shown  # worthless, and hidden as a real one would be

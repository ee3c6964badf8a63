"""What a person sees for each answer of WorkOS: what has happened, and what to do."""

from __future__ import annotations

import pytest

from tests.flask.app import App
from tests.flask.browser import PREFIX, Browser, newest_factor, our_key
from workos_mfa import Emulator
from workos_mfa.emulator import Call
from workos_mfa.testing import sign_in

CODE = f"{PREFIX}/code"
NUMBER = "+15005550006"
OTHER_NUMBER = "+12025550106"
RATE_LIMITED = "+15005550008"
QUOTA_REACHED = "+15005550009"
PAYOUTS = "GET of the payouts of ada"

UNREACHABLE = "We can't check codes at the moment. Nothing is lost: please try again in a minute."
UNCLEAR = "We could not find out if your code was right, and it may be used up. Please use a new one."


@pytest.fixture
def at_code(browser: Browser) -> Browser:
    """A browser of Ada's, which is asked for a code of her app."""
    sign_in(browser.client, "ada", age=300)
    browser.get("/payouts")
    return browser


def right_code(app: App) -> str:
    """What Ada's app shows."""
    return app.emulator.totp_code(newest_factor(app))


def is_deletion(call: Call) -> bool:
    """Whether a factor was to be deleted."""
    return call.operation == "delete_factor"


class TestACode:
    """A code that is checked."""

    def test_wrong(self, app: App, at_code: Browser) -> None:
        """Another one may be right, and it is for the same challenge."""
        assert "That code is not right." in at_code.code(app.emulator.wrong_code(newest_factor(app)))
        assert at_code.status == 422
        assert 'role="alert"' in at_code.html
        assert 'aria-invalid="true" aria-describedby="workos-mfa-error"' in at_code.html
        assert at_code.code(right_code(app)) == PAYOUTS
        assert app.calls()[1:] == ["challenge_factor", "verify_challenge", "verify_challenge"]

    @pytest.mark.parametrize(
        ("status", "code", "sentence"),
        [
            (422, "authentication_challenge_expired", "That code has expired. Please use a new one."),
            (422, "authentication_challenge_previously_verified", "That code was used already. Please use a new one."),
            (400, "one_time_code_too_many_attempts", "There were too many wrong codes. Please use a new one."),
            (404, "entity_not_found", "That code is not known any more. Please use a new one."),
        ],
    )
    def test_the_challenge_is_over(self, app: App, at_code: Browser, status: int, code: str, sentence: str) -> None:
        """The person is told, and the next code is for another challenge."""
        app.emulator.faults.respond(status, {"code": code, "message": "no"}, operation="verify_challenge")
        assert sentence in at_code.code(right_code(app))
        assert at_code.status == 422
        assert at_code.code(right_code(app)) == PAYOUTS
        assert app.calls()[1:] == ["challenge_factor", "verify_challenge"] * 2

    def test_a_challenge_of_another_factor(self, app: App, at_code: Browser) -> None:
        """Whatever WorkOS says is right for another factor does not count here."""
        challenge = {
            "object": "authentication_challenge",
            "id": "auth_challenge_of_grace",
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
            "authentication_factor_id": "auth_factor_of_grace",
        }
        with at_code.client.session_transaction() as kept:
            kept[our_key("step")] = {**kept[our_key("step")], "challenge_id": "auth_challenge_of_grace"}
        app.emulator.faults.respond(201, {"challenge": challenge, "valid": True}, operation="verify_challenge")
        assert "That code was for another factor." in at_code.code("123456")
        assert at_code.code(right_code(app)) == PAYOUTS

    @pytest.mark.parametrize("lost", ["lose_request", "lose_response", "cut_body"])
    def test_unclear(self, app: App, at_code: Browser, lost: str) -> None:
        """Nobody knows if the code was right: it does not count, and another one is asked for."""
        getattr(app.emulator.faults, lost)(operation="verify_challenge")
        assert UNCLEAR in at_code.code(right_code(app))
        assert "Please confirm that it is you" in at_code.get("/payouts")
        assert at_code.code(app.next_code(newest_factor(app))) == PAYOUTS

    @pytest.mark.parametrize("operation", ["challenge_factor", "verify_challenge"])
    def test_unreachable(self, app: App, at_code: Browser, operation: str) -> None:
        """Nothing has happened: the same code can be given again."""
        app.emulator.faults.refuse_connection(operation=operation)
        assert UNREACHABLE in at_code.code(right_code(app))
        assert (at_code.status, at_code.headers["Retry-After"]) == (503, "60")
        assert at_code.code(right_code(app)) == PAYOUTS

    def test_the_key_is_wrong(self, app: App, at_code: Browser, caplog: pytest.LogCaptureFixture) -> None:
        """A person can do nothing about it. The app's people find it in the log."""
        app.emulator.faults.respond(401, operation="challenge_factor")
        assert UNREACHABLE in at_code.code(right_code(app))
        assert "WorkOS is out of reach: AuthenticationError" in caplog.text

    @pytest.mark.parametrize("operation", ["challenge_factor", "verify_challenge"])
    @pytest.mark.parametrize(
        ("retry_after", "header", "time"), [(None, "60", "60 seconds"), (7, "7", "7 seconds"), (0.5, "1", "a second")]
    )
    def test_rate_limited(
        self, app: App, at_code: Browser, operation: str, retry_after: float | None, header: str, time: str
    ) -> None:
        """The person is told how long to wait, and so is the browser."""
        app.emulator.faults.respond(429, retry_after=retry_after, operation=operation)
        assert f"That was too often. Please try again in {time}." in at_code.code(right_code(app))
        assert (at_code.status, at_code.headers["Retry-After"]) == (429, header)
        assert at_code.code(right_code(app)) == PAYOUTS

    def test_a_factor_that_workos_does_not_know(
        self, app: App, at_code: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It still counts: nobody gets in without a code because a factor was lost."""
        app.emulator.reset()
        assert "This factor does not work any more." in at_code.code("123456")
        assert at_code.status == 422
        assert at_code.client.get("/payouts").location == CODE
        assert "WorkOS does not know the factor" in caplog.text

    @pytest.mark.workos_mfa(max_wrong_codes=2)
    def test_too_many_for_the_challenge(self, app: App, at_code: Browser) -> None:
        """WorkOS counts per challenge: the next code is for another one."""
        wrong = app.emulator.wrong_code(newest_factor(app))
        said = [at_code.code(wrong) for _ in range(3)]
        assert ["There were too many wrong codes. Please use a new one." in each for each in said] == [
            False,
            False,
            True,
        ]
        assert at_code.code(right_code(app)) == PAYOUTS

    @pytest.mark.workos_mfa(max_wrong_codes=None)
    def test_locked(self, app: App, at_code: Browser) -> None:
        """After five wrong codes not even the right one is asked for, and the person is told of it once."""
        for _ in range(5):
            at_code.code(app.emulator.wrong_code(newest_factor(app)))
        for _ in range(2):
            assert "Please wait 5 minutes, or use a recovery code." in at_code.code(right_code(app))
            assert (at_code.status, at_code.headers["Retry-After"]) == (429, "300")
        assert [event.name for event in app.events] == ["locked"]
        app.emulator.clock.advance(299)
        assert "Please wait a second" in at_code.code(right_code(app))
        app.emulator.clock.advance(1)
        assert at_code.code(right_code(app)) == PAYOUTS

    @pytest.mark.workos_mfa(max_wrong_codes=None)
    @pytest.mark.parametrize("operation", ["challenge_factor", "verify_challenge"])
    @pytest.mark.parametrize(
        ("status", "code"), [(429, "rate_limited"), (500, "a_fault"), (401, "no_key"), (404, "entity_not_found")]
    )
    def test_nobody_has_looked_at_it(self, app: App, at_code: Browser, operation: str, status: int, code: str) -> None:
        """Then it was no try, for the account and for the address; a code that may have been looked at was one."""
        fault = app.emulator.faults.respond(status, {"code": code, "message": "no"}, operation=operation, count=None)
        for _ in range(11):
            at_code.code(right_code(app))
        looked_at = operation == "verify_challenge" and status in {404, 500}
        assert [event.name for event in app.events] == ["locked"] * looked_at
        app.emulator.faults.remove(fault)
        assert (at_code.code(right_code(app)) == PAYOUTS) is not looked_at

    @pytest.mark.parametrize(
        ("limit", "time"),
        [("1 per minute", "60 seconds"), ("1 per hour", "60 minutes"), ("1 per day", "12 hours")],
    )
    def test_how_long_is_said(self, workos_mfa_emulator: Emulator, limit: str, time: str) -> None:
        """In seconds, minutes or hours, as people count."""
        app = App(workos_mfa_emulator, WORKOS_MFA_LIMITS={"codes_by_account": limit})
        browser = Browser(app)
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        browser.code(app.emulator.wrong_code(newest_factor(app)))
        assert f"Please wait {time}, or" in browser.code("123456")


class TestAMessage:
    """A text message that is sent."""

    @pytest.fixture
    def at_code(self, app: App, browser: Browser) -> Browser:
        """A browser of Ada's, which is asked for a code that a message brought."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER)
        browser.code(app.message())
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        return browser

    @pytest.mark.parametrize(
        ("fault", "sentence"),
        [
            ("lose_response", "A message may be on its way, but its code will not work."),
            ("refuse_connection", UNREACHABLE),
        ],
    )
    def test_it_fails(self, app: App, at_code: Browser, fault: str, sentence: str) -> None:
        """The code page says so, and the person can ask for another one."""
        getattr(app.emulator.faults, fault)(operation="challenge_factor")
        assert sentence in at_code.post(f"{CODE}/send")
        assert at_code.path == CODE
        at_code.post(f"{CODE}/send")
        assert at_code.code(app.message()) == PAYOUTS

    def test_the_one_before_still_counts(self, app: App, at_code: Browser) -> None:
        """If another message can't be sent, the code of the last one can be given."""
        at_code.post(f"{CODE}/send")
        app.emulator.faults.refuse_connection(operation="challenge_factor")
        assert UNREACHABLE in at_code.post(f"{CODE}/send")
        assert at_code.code(app.message()) == PAYOUTS

    def test_the_challenge_is_over(self, app: App, at_code: Browser) -> None:
        """The page offers to send another message, and has no field for a code that could not be right."""
        at_code.post(f"{CODE}/send")
        app.emulator.faults.lose_response(operation="verify_challenge")
        assert UNCLEAR in at_code.code(app.message())
        assert "Send me a code" in at_code.text
        assert 'name="code"' not in at_code.html
        at_code.post(f"{CODE}/send")
        assert at_code.code(app.message()) == PAYOUTS

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            (RATE_LIMITED, "That was too often. Please try again in 60 seconds."),
            (QUOTA_REACHED, "We can't send text messages at the moment. Please use another way."),
        ],
    )
    def test_a_new_number_gets_none(self, browser: Browser, number: str, sentence: str) -> None:
        """The number does not count without its first code, and the person can choose another way."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        assert sentence in browser.post(f"{PREFIX}/new/sms", phone_number=number)
        assert "Send me a code" in browser.text
        assert "You have" not in browser.post(f"{CODE}/cancel")

    def test_our_own_budget(self, app: App, at_code: Browser) -> None:
        """Five messages an hour, and the sixth is not ordered."""
        for _ in range(5):
            at_code.post(f"{CODE}/send")
        sent = len(app.emulator.outbox)
        assert "That was too often. Please try again in 55 minutes." in at_code.post(f"{CODE}/send")
        assert len(app.emulator.outbox) == sent

    @pytest.mark.parametrize(("kind", "refused"), [("new_number_messages", True), ("messages", False)])
    def test_the_budget_of_the_app(self, workos_mfa_emulator: Emulator, kind: str, *, refused: bool) -> None:
        """Messages to new numbers have one of their own, so that who orders those does not use up the one of sign-ins,
        or the other way round.
        """
        app = App(workos_mfa_emulator, WORKOS_MFA_LIMITS={f"{kind}_by_app": "1 per hour"})
        for account in ("ada", "grace"):
            browser = Browser(app)
            sign_in(browser.client, account, age=None)
            browser.get(f"{PREFIX}/new")
            browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER if account == "ada" else OTHER_NUMBER)
            if account == "ada":
                browser.code(app.message())
        assert ("That was too often." in browser.text) is refused
        for _ in range(2):
            browser = Browser(app)
            browser.sign_in()
        assert ("That was too often." in browser.text) is not refused


class TestAnEnrolment:
    """A factor that is enrolled."""

    @pytest.mark.parametrize(
        ("method", "path", "field"), [("totp", "new/totp", {}), ("sms", "new/sms", {"phone_number": NUMBER})]
    )
    def test_it_fails(self, app: App, browser: Browser, method: str, path: str, field: dict[str, str]) -> None:
        """A page says why, and leads back. Nothing was added."""
        assert method in path
        sign_in(browser.client, "ada", age=None)
        for fault, status, sentence in (
            ({"status": 429, "retry_after": 30}, 429, "That was too often. Please try again in 30 seconds."),
            ({"status": 500}, 503, UNREACHABLE),
            ({"status": 422}, 503, UNREACHABLE),
        ):
            app.emulator.faults.respond(**fault, operation="enroll_factor")  # type: ignore[arg-type]
            browser.get(f"{PREFIX}/new")
            assert sentence in browser.post(f"{PREFIX}/{path}", **field)
            assert browser.status == status
            assert f'href="{PREFIX}/"' in browser.html
        assert app.store.load("ada") is not None
        assert "auth_factor" not in str(app.store.load("ada"))

    def test_a_deletion_fails(self, app: App, browser: Browser) -> None:
        """The factor is removed here, and at WorkOS when something is changed the next time."""
        sign_in(browser.client, "ada")
        first = newest_factor(app)
        app.emulator.faults.refuse_connection(operation="delete_factor")
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/remove", factor=first)
        assert "The factor was removed." in browser.code(right_code(app))
        browser.enroll_totp()
        assert app.calls().count("delete_factor") == 2
        with pytest.raises(LookupError):
            app.emulator.totp_code(first)

    def test_a_deletion_that_fails_again(self, app: App, browser: Browser) -> None:
        """It is tried after the others the next time, so that one factor does not keep all others at WorkOS."""
        app.emulator.faults.refuse_connection(operation="delete_factor", count=2)
        tried: list[str] = []
        removed: list[str] = []
        app.emulator.calls.watch(lambda call: tried.append(call.path.rpartition("/")[2]) if is_deletion(call) else None)
        for _ in range(3):
            sign_in(browser.client, "ada")
            removed.append(newest_factor(app))
            browser.get(f"{PREFIX}/")
            browser.post(f"{PREFIX}/remove", factor=removed[-1])
            browser.code(right_code(app))
        first, second, third = removed
        assert tried == [first, first, second, first, third]

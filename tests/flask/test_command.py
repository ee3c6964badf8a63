"""``flask workos-mfa``: what support staff does about an account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.flask.app import App
from tests.flask.browser import PREFIX, Browser
from workos_mfa.testing import sign_in


def run(app: App, *arguments: str) -> tuple[int, list[str]]:
    """Run the command; its status and the lines that it prints."""
    result = app.flask.test_cli_runner().invoke(args=["workos-mfa", *arguments])
    return result.exit_code, result.output.splitlines()


class TestStatus:
    """``status``: what an account has."""

    def test_an_account_that_has_nothing(self, app: App) -> None:
        """Which is what an account has that nobody knows, too."""
        assert run(app, "status", "ada") == (
            0,
            [
                "no factor: the password alone lets this account in",
                "recovery codes left: 0",
                "code of the support not used yet: no",
                "browsers signed in: 0",
            ],
        )

    def test_an_account_that_has_it_all(self, app: App, browser: Browser) -> None:
        """Each factor, as far as its owner would recognise it."""
        browser.sign_in()
        factor_id = browser.enroll_totp()
        browser.recovery_codes()
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.next_code(factor_id))
        browser.post(f"{PREFIX}/new/sms", phone_number="+15005550006")
        browser.code(app.message())
        run(app, "issue-recovery-code", "ada", "--by", "ann", "--reason", "saw the passport")
        assert run(app, "status", "ada") == (
            0,
            [
                "factor: totp",
                "factor: sms, a number that ends in 06",
                "recovery codes left: 10",
                "code of the support not used yet: yes",
                "browsers signed in: 1",
            ],
        )


class TestIssueRecoveryCode:
    """``issue-recovery-code``: a way in for who has lost everything."""

    def test_it_works_at_the_sign_in(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """The code that it prints signs in beside the password, and the person is told who made it."""
        sign_in(browser.client, "ada")
        status, (code,) = run(app, "issue-recovery-code", "ada", "--by", "ann", "--reason", "saw the passport")
        assert status == 0
        assert [(event.name, event.by, event.reason) for event in app.events] == [
            ("recovery_code_issued", "ann", "saw the passport")
        ]
        other = another()
        other.sign_in(next_path="/private")
        other.get(f"{PREFIX}/recovery")
        assert other.post(f"{PREFIX}/recovery", code=code) == "the private page of ada"

    def test_an_account_without_a_factor(self, app: App) -> None:
        """It says why there is no code."""
        result = run(app, "issue-recovery-code", "ada", "--by", "ann", "--reason", "lost")
        assert result == (1, ["Error: This account has no second factor."])

    @pytest.mark.parametrize("options", [["--by", "ann"], ["--reason", "lost"], ["--by", " ", "--reason", "lost"]])
    def test_it_has_an_author_and_a_reason(self, app: App, browser: Browser, options: list[str]) -> None:
        """Nobody makes one silently."""
        sign_in(browser.client, "ada")
        assert run(app, "issue-recovery-code", "ada", *options)[0] == 2
        assert app.events == []

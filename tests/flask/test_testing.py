"""``workos_mfa.testing.sign_in``: a test client that is signed in, without a code, in a session that counts."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from flask import Flask, request, session

from tests.flask.app import App, outside
from tests.flask.browser import PREFIX, Browser, newest_factor, our_key
from workos_mfa import ConnectError, Emulator
from workos_mfa.testing import sign_in


class TestACode:
    """As if a code had been given."""

    def test_pages_open(self, app: App, browser: Browser) -> None:
        """Those of the account, and for as long as a code of that age opens them."""
        sign_in(browser.client, "ada", age=299)
        assert browser.get("/payouts") == "GET of the payouts of ada"
        app.emulator.clock.advance(1)
        assert "Please confirm that it is you" in browser.get("/payouts")

    def test_the_factor_is_a_real_one(self, app: App, browser: Browser) -> None:
        """It is enrolled once, and its codes are taken where a test goes on with them."""
        sign_in(browser.client, "ada", age=300)
        sign_in(browser.client, "ada", age=300)
        assert app.calls() == ["enroll_factor"]
        browser.get("/payouts")
        assert browser.code(app.emulator.totp_code(newest_factor(app))) == "GET of the payouts of ada"

    def test_it_ends_as_others_do(self, app: App, browser: Browser) -> None:
        """By sign-out, by a new password, and after twelve hours."""
        for end in (
            lambda: browser.client.post("/logout"),
            lambda: outside(app, lambda: app.second_factor.password_changed("ada")),
            lambda: app.emulator.clock.advance(12 * 3600),
        ):
            sign_in(browser.client, "ada")
            assert browser.get("/private") == "the private page of ada"
            end()
            assert browser.get("/private") == "the login page"

    def test_the_first_factor_ends_what_was_before(self, browser: Browser, another: Callable[[], Browser]) -> None:
        """As it does in the app."""
        before = another()
        sign_in(before.client, "ada", age=None)
        sign_in(browser.client, "ada")
        assert before.get("/") == "home of None"

    def test_somebody_else_has_added_one(self, app: App, browser: Browser) -> None:
        """An account that gets a factor while one is enrolled for it has both."""
        client = app.flask.test_client()
        app.emulator.calls.watch(lambda _: None if len(app.emulator.calls) > 1 else sign_in(client, "ada"))
        sign_in(browser.client, "ada")
        assert len(outside(app, lambda: app.second_factor.status("ada")).factors) == 2
        assert browser.get("/private") == "the private page of ada"


class TestThePassword:
    """``age=None``: the password alone."""

    def test_no_factor(self, browser: Browser) -> None:
        """An account that needs none is signed in, and may add one."""
        sign_in(browser.client, "ada", age=None)
        assert browser.get("/") == "home of ada"
        assert "How do you want to get your codes?" in browser.get("/private")

    def test_a_factor(self, app: App, browser: Browser) -> None:
        """An account that has one is asked for a code: nothing switches that off."""
        sign_in(browser.client, "ada")
        called: list[str] = []
        app.second_factor.signed_in(called.append)
        sign_in(browser.client, "ada", age=None)
        assert browser.get("/") == "home of None"
        assert "Enter your code" in browser.get(f"{PREFIX}/code")
        assert called == []


class TestTheApp:
    """What the app notices."""

    def test_it_signs_the_person_in(self, app: App, browser: Browser) -> None:
        """``signed_in`` is called in a request that comes from where the client's come from."""
        seen: list[tuple[str, str | None, str | None]] = []

        @app.second_factor.signed_in
        def signed_in(account_id: str) -> None:
            seen.append((account_id, request.remote_addr, request.headers.get("User-Agent")))
            session["user"] = account_id

        browser.client.environ_base["HTTP_USER_AGENT"] = "a browser"
        with browser.client.session_transaction() as before:
            before["cart"] = "three apples"
        sign_in(browser.client, 7)
        assert seen == [("7", "192.0.2.1", "a browser")]
        with browser.client.session_transaction() as after:
            assert set(after) == {our_key("session"), "user"}

    def test_it_refuses(self, app: App, browser: Browser) -> None:
        """Then the client is not signed in."""
        app.second_factor.signed_in(lambda _: False)
        with pytest.raises(RuntimeError, match="signed_in refuses the account 'ada'"):
            sign_in(browser.client, "ada")
        assert browser.get("/") == "home of None"

    def test_it_has_no_second_factor(self) -> None:
        """The error says what is missing."""
        with pytest.raises(RuntimeError, match="no SecondFactor: call its init_app first"):
            sign_in(Flask("Foo Corp").test_client(), "ada")

    def test_it_is_not_in_testing_mode(self, app: App, browser: Browser) -> None:
        """Nobody is signed in without a code outside of tests; debug mode is one's own machine."""
        app.flask.testing = False
        with pytest.raises(RuntimeError, match=r"sign_in is for tests: set app\.testing"):
            sign_in(browser.client, "ada")
        assert app.calls() == []
        app.flask.debug = True
        sign_in(browser.client, "ada")
        assert browser.get("/private") == "the private page of ada"

    @pytest.mark.parametrize("account_id", ["", None, "a" * 256])
    def test_a_wrong_id(self, app: App, browser: Browser, account_id: str | None) -> None:
        """It is refused, as by the extension."""
        with pytest.raises(ValueError, match="1 to 255 characters"):
            sign_in(browser.client, account_id)
        assert app.calls() == []

    @pytest.mark.parametrize("age", [-1, -0.5, math.nan])
    def test_a_wrong_age(self, app: App, browser: Browser, age: float) -> None:
        """No code is from the future."""
        with pytest.raises(ValueError, match="age is in seconds, and not negative"):
            sign_in(browser.client, "ada", age=age)
        assert app.calls() == []

    def test_no_factor_can_be_enrolled(self, workos_mfa_emulator: Emulator) -> None:
        """The error is the client's."""
        app = App(workos_mfa_emulator)
        app.emulator.faults.refuse_connection(operation="enroll_factor")
        with pytest.raises(ConnectError):
            sign_in(app.flask.test_client(), "ada")

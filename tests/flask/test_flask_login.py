"""Beside Flask-Login: its pages, its cookies and its session protection, with the twenty lines of the documentation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

pytest.importorskip("flask_login", reason="flask-login is not installed")

from flask_login import LoginManager, current_user, login_required, login_user, logout_user

from tests.flask.app import App
from tests.flask.browser import PREFIX, Browser
from workos_mfa import Emulator
from workos_mfa.flask import MemoryStore, SecondFactor
from workos_mfa.testing import sign_in

PRIVATE = "the account page of ada"


class User:
    """A user of the app, as Flask-Login wants one."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, name: str) -> None:
        self._name = name

    def get_id(self) -> str:
        """The id."""
        return self._name


class CountingStore(MemoryStore):
    """Counts how often it is asked."""

    loaded = 0

    def load(self, account_id: str, /) -> str | None:
        """Count, and load."""
        self.loaded += 1
        return super().load(account_id)


class LoginApp(App):
    """An app with Flask-Login. It says by itself whom it takes the person for."""

    says_who = True

    def add_pages(self, flask: Flask, second_factor: SecondFactor) -> None:
        """Its pages, and its functions for the two extensions."""
        login_manager = LoginManager(flask)
        login_manager.login_view = "login"
        login_manager.session_protection = "strong"

        @second_factor.signed_in
        def signed_in(account_id: str) -> bool:
            return bool(login_user(User(account_id), remember=True))

        def current_account() -> str | None:
            return str(current_user.get_id()) if current_user.is_authenticated else None

        if self.says_who:
            second_factor.current_account(current_account)

        def load_user(user_id: str) -> User | None:
            return User(user_id) if second_factor.live(user_id) else None

        login_manager.user_loader(load_user)

        @flask.route("/login", methods=["GET", "POST"])
        def login() -> ResponseReturnValue:
            if request.method != "POST":
                return "the login page"
            return second_factor.sign_in(request.form["account"], next=request.args.get("next"))

        @flask.post("/logout")
        def logout() -> ResponseReturnValue:
            second_factor.sign_out()
            logout_user()
            return redirect("/login")

        def account() -> str:
            return f"the account page of {current_user.get_id()}"

        flask.add_url_rule("/account", view_func=login_required(account))

        @flask.get("/private")
        @second_factor.required
        def private() -> str:
            return f"the private page of {current_user.get_id()}"


class SilentLoginApp(LoginApp):
    """One that leaves it to us to ask Flask-Login."""

    says_who = False


@pytest.fixture(params=[LoginApp, SilentLoginApp])
def app(workos_mfa_emulator: Emulator, request: pytest.FixtureRequest) -> App:
    """An app with Flask-Login, of both kinds."""
    made: App = request.param(workos_mfa_emulator)
    return made


def test_a_sign_in(app: App, browser: Browser, another: Callable[[], Browser]) -> None:
    """Between the password and the code no page of either extension opens; after the code those of both do."""
    assert browser.get("/account") == "the login page"
    browser.sign_in()
    assert browser.get("/account") == PRIVATE
    factor_id = browser.enroll_totp()
    other = another()
    other.sign_in(next_path="/account")
    assert other.get("/account") == "the login page"
    other.get(f"{PREFIX}/code")
    assert other.code(app.next_code(factor_id)) == PRIVATE
    assert other.get("/private") == "the private page of ada"


def test_the_first_factor_ends_other_browsers(browser: Browser, another: Callable[[], Browser]) -> None:
    """Pages of Flask-Login alone close too, and the cookie that remembers the user opens nothing."""
    before = another()
    before.sign_in()
    assert before.get("/account") == PRIVATE
    browser.sign_in()
    browser.enroll_totp()
    assert before.get("/account") == "the login page"
    assert browser.get("/account") == PRIVATE


def test_the_cookie_that_remembers_opens_nothing(browser: Browser) -> None:
    """Alone it is worth nothing, as it knows of no second factor, with and without one."""
    for age in (None, 0):
        sign_in(browser.client, "ada", age=age)
        assert browser.get("/account") == PRIVATE
        assert browser.client.get_cookie("remember_token") is not None
        browser.client.delete_cookie("session")
        assert browser.get("/account") == "the login page"
        assert browser.get("/private") == "the login page"


def test_sign_out(app: App, browser: Browser) -> None:
    """It ends copies of both cookies."""
    sign_in(browser.client, "ada")
    browser.get("/account")
    thief = Browser(app)
    thief.take_cookies(browser.cookies())
    remembered = browser.client.get_cookie("remember_token")
    assert remembered is not None
    thief.client.set_cookie("remember_token", remembered.value)
    assert thief.get("/private") == "the private page of ada"
    browser.post("/logout")
    assert browser.get("/account") == "the login page"
    for path in ("/account", "/private"):
        assert thief.get(path) == "the login page"


def test_session_protection(app: App, browser: Browser) -> None:
    """Strong protection ends a session that turns up at another address; ours goes with it."""
    sign_in(browser.client, "ada")
    assert browser.get("/account") == PRIVATE
    thief = Browser(app, address="198.51.100.1")
    thief.take_cookies(browser.cookies())
    for path in ("/account", "/private"):
        assert thief.get(path) == "the login page"


def test_a_user_who_is_not_active(app: App, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom ``login_user`` refuses is not signed in by us either."""
    monkeypatch.setattr(User, "is_active", False)
    browser.sign_in()
    assert "You can't sign in to this account" in browser.text
    assert browser.get("/account") == "the login page"
    assert app.events == []


def test_a_change_of_user(app: App, browser: Browser) -> None:
    """If the app takes the person for somebody else, our session does not count."""

    @app.flask.get("/become-grace")
    def become_grace() -> str:
        login_user(User("grace"))
        return "grace"

    sign_in(browser.client, "ada")
    browser.get("/become-grace")
    assert browser.get("/private") == "the login page"
    assert browser.get("/account") == "the login page"


def test_the_store_is_read_once(workos_mfa_emulator: Emulator) -> None:
    """However often a request asks who is there, by whichever extension, the document is loaded once."""
    store = CountingStore()
    browser = Browser(LoginApp(workos_mfa_emulator, store))
    sign_in(browser.client, "ada")
    store.loaded = 0
    assert browser.get("/private") == "the private page of ada"
    assert store.loaded == 1

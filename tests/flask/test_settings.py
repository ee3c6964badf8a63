"""The settings: what is refused when the app starts, so that nobody finds out in production."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.flask.app import App
from tests.flask.browser import PREFIX, Browser, newest_factor
from workos_mfa import MFA, Emulator
from workos_mfa.flask import MemoryStore, SecondFactor, SQLAlchemyStore
from workos_mfa.testing import sign_in

SAFE_COOKIE: dict[str, Any] = {
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
}


@pytest.fixture
def store() -> Iterator[SQLAlchemyStore]:
    """A store that an app in production could have."""
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.StaticPool)
    yield SQLAlchemyStore(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"WORKOS_MFA_METHOD": "sms", "WORKOS_MFA_A": 1}, "of these names: WORKOS_MFA_A, WORKOS_MFA_METHOD"),
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"WORKOS_MFA_LOGIN_VIEW": 7}, "'login_view' must be <class 'str'>"),
        ({"WORKOS_MFA_ADDRESS": "192.0.2.1"}, "'address' must be callable"),
        ({"WORKOS_MFA_AFTER_SIGN_IN": None}, "'after_sign_in' must be"),
        ({"WORKOS_MFA_AFTER_SIGN_IN": "https://evil.test/"}, "WORKOS_MFA_AFTER_SIGN_IN is a path of this site"),
        ({"WORKOS_MFA_AFTER_SIGN_IN": "account"}, "WORKOS_MFA_AFTER_SIGN_IN is a path of this site"),
        ({"WORKOS_MFA_CSP": True}, "'csp' must be"),
        ({"WORKOS_MFA_ISSUER": None}, "'issuer' must be"),
        ({"WORKOS_MFA_LAYOUT": None}, "'layout' must be"),
        ({"WORKOS_MFA_LIMITS": "5 per minute"}, "limits has names and texts"),
        ({"WORKOS_MFA_LIMITS": {"codes_by_account": 5}}, "limits has names and texts"),
        ({"WORKOS_MFA_LIMITS": {"codes": "5 per minute"}}, "no limits of these names: codes"),
        ({"WORKOS_MFA_LIMITS": {"codes_by_account": "often"}}, "the limit codes_by_account can't be read"),
        ({"WORKOS_MFA_LIMITS_URI": 6379}, "'limits_uri' must be"),
        (
            {"WORKOS_MFA_LIMITS_URI": "radish://:secret@localhost"},
            "can't be counted there: unknown storage scheme : ...",
        ),
        ({"WORKOS_MFA_LIMITS_URI": "async+memory://"}, "can't be counted there: it is for programs with asyncio"),
        ({"WORKOS_MFA_MANDATORY": "yes"}, "mandatory is True, False or a function"),
        ({"WORKOS_MFA_METHODS": "totp"}, "'methods' must be"),
        ({"WORKOS_MFA_METHODS": 7}, "'methods' must be"),
        ({"WORKOS_MFA_METHODS": ["totp", "email"]}, "'methods' must be in"),
        ({"WORKOS_MFA_METHODS": []}, "WORKOS_MFA_METHODS names one kind at least"),
        ({"WORKOS_MFA_SMS_PREFIXES": ["+1202", "1500"]}, "each of WORKOS_MFA_SMS_PREFIXES begins with +"),
        ({"WORKOS_MFA_SMS_PREFIXES": [""]}, "each of WORKOS_MFA_SMS_PREFIXES begins with +"),
        ({"WORKOS_MFA_SMS_PREFIXES": "+1"}, "'sms_prefixes' must be"),
        ({"WORKOS_MFA_SMS_PREFIXES": [1]}, "'sms_prefixes' must be"),
        ({"WORKOS_MFA_SMS_TEMPLATE": "Your code is {code}"}, "WORKOS_MFA_SMS_TEMPLATE needs {{code}}"),
        ({"WORKOS_MFA_SMS_TEMPLATE": "{{code}}" + "!" * 153}, "at most 160 characters"),
        ({"WORKOS_MFA_TEXTS": {"title_cod": "Code"}}, "names that are not used: title_cod"),
        ({"WORKOS_MFA_TEXTS": {"title_code": None}}, "texts has names and texts"),
        ({"WORKOS_MFA_URL_PREFIX": None}, "'url_prefix' must be"),
    ],
)
def test_a_setting_that_can_not_be_right(workos_mfa_emulator: Emulator, settings: dict[str, Any], problem: str) -> None:
    """An unknown name, or a value of another kind: the app does not start, and the error names it."""
    with pytest.raises(RuntimeError, match=re.escape(problem)):
        App(workos_mfa_emulator, **settings)


def test_the_login_page_is_named(workos_mfa_client: MFA) -> None:
    """Without it nobody could be led to the sign-in."""
    flask = Flask("Foo Corp")
    flask.config.update(SECRET_KEY="a key", TESTING=True)
    with pytest.raises(RuntimeError, match="set WORKOS_MFA_LOGIN_VIEW to the endpoint of your login page"):
        SecondFactor().init_app(flask, store=MemoryStore(), mfa=workos_mfa_client)


class TestProduction:
    """What is right for a test or on one's own machine, and not in production."""

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"SESSION_COOKIE_SECURE": False}, "SESSION_COOKIE_SECURE = True"),
            ({"SESSION_COOKIE_HTTPONLY": False}, "SESSION_COOKIE_HTTPONLY = True"),
            ({"SESSION_COOKIE_SAMESITE": None}, "SESSION_COOKIE_SAMESITE = 'Lax'"),
            ({"SESSION_COOKIE_SAMESITE": "None"}, "SESSION_COOKIE_SAMESITE = 'Lax'"),
            ({"WTF_CSRF_ENABLED": False}, "WTF_CSRF_ENABLED = True"),
        ],
    )
    def test_an_unsafe_session(
        self, workos_mfa_emulator: Emulator, store: SQLAlchemyStore, changed: dict[str, object], named: str
    ) -> None:
        """The app does not start with a cookie that others can read or send, or with forms that other sites can send.
        In debug mode it does.
        """
        settings: dict[str, Any] = {"TESTING": False, **SAFE_COOKIE, **changed}
        with pytest.raises(RuntimeError, match=re.escape(f"the session is not safe: set {named}.")):
            App(workos_mfa_emulator, store, **settings)
        App(workos_mfa_emulator, store, **settings, DEBUG=True)

    @pytest.mark.parametrize("same_site", ["Lax", "Strict"])
    def test_a_safe_one(self, workos_mfa_emulator: Emulator, store: SQLAlchemyStore, same_site: str) -> None:
        """Both kinds of ``SameSite`` that protect are taken."""
        settings: dict[str, Any] = {**SAFE_COOKIE, "SESSION_COOKIE_SAMESITE": same_site, "TESTING": False}
        app = App(workos_mfa_emulator, store, **settings)
        browser = Browser(app)
        browser.client.environ_base["wsgi.url_scheme"] = "https"
        browser.sign_in()
        browser.enroll_totp()
        assert browser.get("/private") == "the private page of ada"

    def test_a_store_that_forgets(self, workos_mfa_emulator: Emulator) -> None:
        """``MemoryStore`` is refused: after a restart, passwords alone would let everybody in."""
        with pytest.raises(RuntimeError, match="MemoryStore forgets everything"):
            App(workos_mfa_emulator, TESTING=False, **SAFE_COOKIE)


class TestWhatTheyDo:
    """The settings that no other test is about."""

    def test_the_client_is_the_environments(self, workos_mfa_env: Emulator) -> None:
        """Without ``mfa`` it is ``MFA()``, as the environment has it."""
        app = App(workos_mfa_env)
        flask = Flask("Foo Corp")
        flask.config.update(app.flask.config)
        extension = SecondFactor()
        extension.init_app(flask, store=MemoryStore())
        sign_in(flask.test_client(), "ada")
        assert app.calls() == ["enroll_factor"]

    def test_names_and_paths(self, workos_mfa_emulator: Emulator) -> None:
        """The app's name, the message, where the pages are, and where the sign-in ends."""
        app = App(
            workos_mfa_emulator,
            WORKOS_MFA_ISSUER="Foo",
            WORKOS_MFA_URL_PREFIX="/2fa",
            WORKOS_MFA_AFTER_SIGN_IN="/login",
            WORKOS_MFA_SMS_TEMPLATE="{{code}} it is",
        )
        browser = Browser(app)
        assert browser.sign_in() == "the login page"
        browser.get("/2fa/new")
        browser.post("/2fa/new/totp")
        assert app.emulator.totp_codes()[0].issuer == "Foo"
        browser.get("/2fa/new")
        browser.post("/2fa/new/sms", phone_number="+15005550006")
        assert app.emulator.outbox[-1].text == f"{app.message()} it is"

    def test_a_set_of_methods(self, workos_mfa_emulator: Emulator) -> None:
        """Any collection of texts will do, such as a list from a file."""
        app = App(workos_mfa_emulator, WORKOS_MFA_METHODS=["sms"])
        browser = Browser(app)
        sign_in(browser.client, "ada", age=None)
        assert "Phone number" in browser.get(f"{PREFIX}/new")

    def test_texts(self, workos_mfa_emulator: Emulator) -> None:
        """Every sentence can be another one, with what stands in it."""
        texts = {
            "title_confirm": "Nur zur Sicherheit",
            "locked": "Zu oft. Noch {wait}.",
            "minutes": "{count} Minuten",
        }
        app = App(workos_mfa_emulator, WORKOS_MFA_TEXTS=texts)
        browser = Browser(app)
        sign_in(browser.client, "ada", age=300)
        assert "Nur zur Sicherheit" in browser.get("/payouts")
        for _ in range(6):
            browser.code(app.emulator.wrong_code(newest_factor(app)))
        assert "Zu oft. Noch 5 Minuten." in browser.text

    @pytest.mark.parametrize("policy", [None, "default-src 'self'"])
    def test_a_policy(self, workos_mfa_emulator: Emulator, policy: str | None) -> None:
        """``WORKOS_MFA_CSP`` is another Content-Security-Policy, or none."""
        browser = Browser(App(workos_mfa_emulator, WORKOS_MFA_CSP=policy))
        browser.get(f"{PREFIX}/")
        assert browser.headers.get("Content-Security-Policy") == policy

    def test_an_address(self, workos_mfa_emulator: Emulator) -> None:
        """``WORKOS_MFA_ADDRESS`` gives what counts as the address, and an unknown one counts as one."""
        given: list[str | None] = ["198.51.100.1"]
        limits = {"codes_by_address": "1 per hour"}
        app = App(workos_mfa_emulator, WORKOS_MFA_ADDRESS=lambda: given[-1], WORKOS_MFA_LIMITS=limits)
        browser = Browser(app)
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        for address, status in (("198.51.100.1", 422), ("198.51.100.1", 429), (None, 422), (None, 429)):
            given.append(address)
            browser.code(app.emulator.wrong_code(newest_factor(app)))
            assert browser.status == status

"""The extension and its pages as a whole: several apps, failures of what it stands on, headers, forms and warnings."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, DictLoader
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

import workos_mfa.flask
from tests.flask.app import SETTINGS, App, FailingStore, add_pages, outside
from tests.flask.browser import PREFIX, Browser, newest_factor
from tests.servers import redis_url  # noqa: F401 - a fixture
from workos_mfa import MFA, Emulator
from workos_mfa.flask import MemoryStore, SecondFactor, StoreError
from workos_mfa.testing import sign_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

NUMBER = "+15005550006"
UNAVAILABLE = "We can't check who you are at the moment. Nothing is lost: please try again in a minute."
GONE = "redis://127.0.0.1:1/0"  # nothing listens there


def routes(app: App, method: str) -> list[str]:
    """The paths of all pages of ours that take a method."""
    rules = app.flask.url_map.iter_rules()
    found = [rule.rule for rule in rules if rule.endpoint.startswith("workos_mfa.") and method in (rule.methods or ())]
    return sorted(path for path in found if "<" not in path)


class TestSeveralApps:
    """One process may have several apps."""

    def test_init_app_twice(self, app: App, workos_mfa_client: MFA) -> None:
        """The second call for one app is a mistake, and says so."""
        with pytest.raises(RuntimeError, match="called for this app already"):
            app.second_factor.init_app(app.flask, store=MemoryStore(), mfa=workos_mfa_client)
        with pytest.raises(RuntimeError, match="called for this app already"):
            SecondFactor().init_app(app.flask, store=MemoryStore(), mfa=workos_mfa_client)

    def test_one_object_for_two(self, app: App, workos_mfa_client: MFA) -> None:
        """Each app has its own store and its own settings, and sees nothing of the other's accounts."""
        other = Flask("Bar Inc")
        other.config.update({**SETTINGS, "WORKOS_MFA_URL_PREFIX": "/2fa"})
        app.second_factor.init_app(other, store=MemoryStore(), mfa=workos_mfa_client)
        add_pages(other, app.second_factor)
        first, second = app.flask.test_client(), other.test_client()
        sign_in(first, "ada")
        sign_in(second, "ada", age=None)
        assert first.get("/private").text == "the private page of ada"
        assert second.get("/private").location == "/2fa/new?next=/private"

    def test_a_request_that_passes_through_both(self, workos_mfa_emulator: Emulator) -> None:
        """What one app has loaded for a request is nothing that another app believes."""
        one, two = App(workos_mfa_emulator), App(workos_mfa_emulator)
        sign_in(one.flask.test_client(), "ada", age=None)
        browser = Browser(one)
        sign_in(browser.client, "ada")
        asked: list[bool] = []

        @one.flask.before_request
        def ask() -> None:
            asked.append(one.second_factor.live("ada"))

        def first_one_then_two(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
            ignored: list[bytes] = []
            list(one.flask.wsgi_app(environ, lambda *_: ignored.append))
            return two.flask.wsgi_app(environ, start)

        client = Client(first_one_then_two)
        client.set_cookie("session", browser.cookies())
        assert client.get("/private").location == "/login?next=/private"
        assert asked == [True]

    def test_limits_in_one_place(self, workos_mfa_emulator: Emulator, redis_url: str) -> None:  # noqa: F811
        """Of two apps that count in one Redis, one does not use up the tries of the other; two processes of one do."""
        names = ("Foo Corp", "Foo Corp", "Bar Inc")
        one, same, other = (
            App(workos_mfa_emulator, WORKOS_MFA_LIMITS_URI=redis_url, WORKOS_MFA_ISSUER=name) for name in names
        )
        statuses = []
        for app in (one, same, other):
            browser = Browser(app)
            sign_in(browser.client, "ada", age=300)
            browser.get("/payouts")
            for _ in range(5):
                browser.code(app.emulator.wrong_code(newest_factor(app)))
            statuses.append(browser.status)
            storage: Any = app.flask.extensions["workos_mfa"].backend.limits._storage
            storage.storage.close()
        assert statuses == [422, 429, 422]


class TestTheStoreFails:
    """A store that fails, or has what can't be read, is never taken for an account without a second factor."""

    @pytest.fixture
    def store(self) -> FailingStore:
        """Works until it is told to fail."""
        return FailingStore()

    @pytest.fixture
    def app(self, workos_mfa_emulator: Emulator, store: FailingStore) -> App:
        """An app on that store."""
        app = App(workos_mfa_emulator, store)

        @app.flask.get("/live")
        def live() -> str:
            return f"live: {app.second_factor.live('ada')}"

        return app

    @pytest.fixture(params=["away", "unreadable"])
    def fail(self, request: pytest.FixtureRequest, store: FailingStore) -> Callable[[], None]:
        """Makes the store fail from now on, in one of two ways."""

        def be_away() -> None:
            store.is_away = True

        def be_unreadable() -> None:
            store.save("ada", "nonsense", replaces=store.load("ada"))

        return be_away if request.param == "away" else be_unreadable

    @pytest.mark.parametrize("path", ["/private", "/", "/live", f"{PREFIX}/", f"{PREFIX}/code", f"{PREFIX}/new"])
    def test_a_page(self, browser: Browser, fail: Callable[[], None], path: str) -> None:
        """Every page that asks who is there says that it can't be told now. It does not lead to the sign-in."""
        sign_in(browser.client, "ada")
        fail()
        response = browser.client.get(path)
        assert response.status_code == 503
        assert UNAVAILABLE in response.text.replace("&#39;", "'")
        assert response.headers["Retry-After"] == "60"
        assert response.headers["Cache-Control"] == "no-store"
        assert browser.client.get("/live").status_code == 503

    def test_a_sign_in(self, browser: Browser, fail: Callable[[], None]) -> None:
        """The password alone signs nobody in when the store can't say that it is enough."""
        sign_in(browser.client, "ada")
        fail()
        assert UNAVAILABLE in browser.sign_in()
        assert browser.status == 503

    def test_a_code(self, app: App, browser: Browser, store: FailingStore) -> None:
        """A code that can't be saved as used does not count. When the store is back, the next one does."""
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        page = browser.page
        store.is_away = True
        assert UNAVAILABLE in browser.code(app.emulator.totp_code(newest_factor(app)))
        store.is_away = False
        browser.page = page
        assert browser.code(app.emulator.totp_code(newest_factor(app))) == "GET of the payouts of ada"

    def test_a_refusal(self, browser: Browser, fail: Callable[[], None]) -> None:
        """A page that says why something is refused may need the store to say where to go on."""
        sign_in(browser.client, "ada")
        fail()
        assert browser.client.post(f"{PREFIX}/add").status_code == 503

    def test_a_program(self, browser: Browser, fail: Callable[[], None]) -> None:
        """It gets JSON, and no 401."""
        sign_in(browser.client, "ada")
        fail()
        response = browser.client.get("/private", headers={"Accept": "application/json"})
        assert (response.status_code, response.get_json()) == (503, {"error": "unavailable"})

    def test_a_script(self, app: App, fail: Callable[[], None]) -> None:
        """Outside of a request the exception is the app's to handle."""
        sign_in(app.flask.test_client(), "ada")
        fail()
        with pytest.raises(StoreError):
            outside(app, lambda: app.second_factor.status("ada"))

    def test_without_the_apps_layout(self, app: App, browser: Browser, fail: Callable[[], None]) -> None:
        """The page can be shown although the app's layout, and what it adds to templates, ask who is signed in."""
        app.flask.context_processor(lambda: {"name": app.second_factor.account_id})
        sign_in(browser.client, "ada")
        fail()
        assert UNAVAILABLE in browser.get("/private")

    def test_it_is_logged(self, browser: Browser, fail: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
        """The app's people find it in the log, without what was in the store."""
        sign_in(browser.client, "ada")
        fail()
        browser.get("/private")
        assert "nobody can be let in: the " in caplog.text
        assert "nonsense" not in caplog.text


class TestTheLimitsFail:
    """Where the limits can't be counted, nothing is let through."""

    @pytest.fixture
    def app(self, workos_mfa_emulator: Emulator) -> App:
        """An app whose Redis is gone."""
        pytest.importorskip("redis", reason="redis is not installed")
        return App(workos_mfa_emulator, WORKOS_MFA_LIMITS_URI=GONE)

    def test_a_code(self, app: App, browser: Browser) -> None:
        """It is not even sent to WorkOS."""
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        assert UNAVAILABLE in browser.code(app.emulator.totp_code(newest_factor(app)))
        assert browser.status == 503
        assert app.calls() == ["enroll_factor"]

    def test_a_recovery_code_and_a_new_factor(self, app: App, browser: Browser) -> None:
        """The same for all else that is limited."""
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        browser.get(f"{PREFIX}/recovery")
        browser.post(f"{PREFIX}/recovery", code="7k2m-x9qd-0wtr-5hzc")
        assert browser.status == 503
        sign_in(browser.client, "grace", age=None)
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        assert browser.status == 503
        assert app.calls() == ["enroll_factor"]

    def test_what_needs_no_limit(self, browser: Browser) -> None:
        """Who is signed in goes on."""
        sign_in(browser.client, "ada")
        assert browser.get("/private") == "the private page of ada"


class TestForms:
    """Forms that only our own pages can send."""

    def test_each_one(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """Without a token, or with another browser's, each POST is refused, and does nothing."""
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        fields = browser.hidden_fields()
        stranger = another()
        stranger.get("/login")
        sign_in(stranger.client, "mallory", age=None)
        stranger.get(f"{PREFIX}/new")
        foreign = stranger.hidden_fields()["csrf_token"]
        before, calls = app.store.load("ada"), app.calls()
        paths = routes(app, "POST")
        assert len(paths) > 9
        for path in paths:
            for token in ({}, {"csrf_token": foreign}, {"csrf_token": ""}):
                given = {"step": fields["step"], "factor": newest_factor(app), "phone_number": NUMBER, **token}
                response = browser.client.post(path, data={**given, "code": app.emulator.totp_code(newest_factor(app))})
                assert response.status_code == 422
                assert "That form was too old, or came from another page." in response.text
        assert (app.store.load("ada"), app.calls()) == (before, calls)
        assert len(app.emulator.outbox) == 0

    def test_the_switch_of_flask_wtf(self, workos_mfa_emulator: Emulator) -> None:
        """``WTF_CSRF_ENABLED``, which tests of apps switch off, is heeded."""
        app = App(workos_mfa_emulator, WTF_CSRF_ENABLED=False)
        client = app.flask.test_client()
        sign_in(client, "ada", age=None)
        assert client.post(f"{PREFIX}/new/totp").status_code == 200

    def test_a_token_that_is_too_old(self, workos_mfa_emulator: Emulator) -> None:
        """The page says so, and leads to where it goes on."""
        browser = Browser(App(workos_mfa_emulator, WTF_CSRF_TIME_LIMIT=-1))
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        assert "That form was too old" in browser.post(f"{PREFIX}/new/totp")
        assert f'href="{PREFIX}/"' in browser.html

    def test_the_cross_site_protection_of_an_app(self, app: App, browser: Browser) -> None:
        """The pages work in an app that protects all its forms with Flask-WTF already."""
        CSRFProtect(app.flask)
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        assert "Scan this" in browser.post(f"{PREFIX}/new/totp")


STAGES = ["nobody", "password", "half", "sms", "signed in", "step-up", "enrolling", "recovered"]


def at_stage(app: App, stage: str) -> Browser:
    """A browser that has come as far as a stage."""
    browser = Browser(app)
    if stage == "nobody":
        return browser
    sign_in(browser.client, "ada", age=None if stage in {"password", "sms", "enrolling"} else 300)
    if stage == "half":
        browser.sign_in()
    elif stage == "sms":
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER)
        browser.code(app.message())
        browser.get("/payouts")
    elif stage in {"step-up", "recovered"}:
        browser.get("/payouts")
        if stage == "recovered":
            code = outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="lost"))
            browser.get(f"{PREFIX}/recovery")
            browser.post(f"{PREFIX}/recovery", code=code)
    elif stage == "enrolling":
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
    return browser


@pytest.mark.parametrize("stage", STAGES)
def test_get_does_nothing(app: App, stage: str) -> None:
    """At no stage does any GET or HEAD call WorkOS, send a message or change what is stored."""
    browser = at_stage(app, stage)
    before = (app.calls(), len(app.emulator.outbox), app.store.load("ada"), browser.cookies())
    paths = [*routes(app, "GET"), "/private", "/payouts", "/", "/login"]
    assert len(paths) > 8
    for path in paths:
        for method in ("GET", "HEAD"):
            other = Browser(app)
            other.take_cookies(before[3])
            assert other.client.open(path, method=method).status_code in {200, 303, 422}
            assert (app.calls(), len(app.emulator.outbox), app.store.load("ada")) == before[:3]


class TestHeaders:
    """What each page is sent with."""

    @pytest.mark.parametrize("stage", STAGES)
    def test_each_page(self, app: App, stage: str) -> None:
        """No cache keeps it, no other site frames it or learns of it, and nothing but our style is loaded or needed."""
        browser = at_stage(app, stage)
        copy = browser.cookies()
        for path in routes(app, "GET"):
            other = Browser(app)
            other.take_cookies(copy)
            response = other.client.get(path)
            headers = response.headers
            assert not re.search(r"<script|<style| on\w+=| style=", response.text)
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "script-src" not in policy

    def test_the_style_can_be_kept(self, browser: Browser) -> None:
        """It is the same for everybody."""
        with browser.client.get(f"{PREFIX}/static/style.css") as response:
            assert response.status_code == 200
            assert "no-store" not in response.headers["Cache-Control"]


class TestLooks:
    """The pages in the app's own clothes."""

    def test_the_apps_layout(self, workos_mfa_emulator: Emulator) -> None:
        """``WORKOS_MFA_LAYOUT`` is the template that all pages extend."""
        app = App(workos_mfa_emulator, WORKOS_MFA_LAYOUT="base.html")
        layout = "<title>{% block title %}{% endblock %} - Foo</title><nav>Foo</nav>{% block content %}{% endblock %}"
        app.flask.jinja_loader = DictLoader({"base.html": layout})
        browser = Browser(app)
        browser.sign_in()
        assert "<title>Your second factor - Foo</title><nav>Foo</nav>" in (browser.get(f"{PREFIX}/") and browser.html)

    def test_one_page_of_the_apps(self, app: App, browser: Browser) -> None:
        """A template of the app's goes before the one of the same name."""
        own = DictLoader({"workos_mfa/recovery.html": "call us: {{ texts('title_recovery') }}"})
        app.flask.jinja_loader = ChoiceLoader([own])
        sign_in(browser.client, "ada", age=300)
        browser.get("/payouts")
        assert browser.get(f"{PREFIX}/recovery") == "call us: Use a recovery code"


class TestWarnings:
    """What is wrong with an installation is said once."""

    def said(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        """The warnings that were logged."""
        return [record.getMessage() for record in caplog.records if record.name == "workos_mfa.flask"]

    def test_several_processes(self, app: App, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
        """Each counts the limits for itself if they are in memory."""
        for _ in range(2):
            browser.client.get(f"{PREFIX}/code", environ_overrides={"wsgi.multiprocess": True})
        assert len(self.said(caplog)) == 1
        assert "WORKOS_MFA_LIMITS_URI" in caplog.text
        assert app.calls() == []

    def test_several_processes_with_redis(
        self, workos_mfa_emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With a Redis there is nothing to say."""
        pytest.importorskip("redis", reason="redis is not installed")
        client = App(workos_mfa_emulator, WORKOS_MFA_LIMITS_URI=GONE).flask.test_client()
        client.get(f"{PREFIX}/code", environ_overrides={"wsgi.multiprocess": True})
        assert self.said(caplog) == []

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_a_proxy(self, browser: Browser, caplog: pytest.LogCaptureFixture, header: str) -> None:
        """Behind one, all people have one address, unless the app looks through it."""
        for _ in range(2):
            browser.client.get(f"{PREFIX}/code", headers={header: "for=192.0.2.9"})
        assert len(self.said(caplog)) == 1
        assert "ProxyFix" in caplog.text

    def test_a_proxy_that_the_app_knows_of(
        self, workos_mfa_emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With ProxyFix, or an address of the app's own, there is nothing to say."""
        fixed, own = App(workos_mfa_emulator), App(workos_mfa_emulator, WORKOS_MFA_ADDRESS=lambda: "192.0.2.9")
        fixed.flask.wsgi_app = ProxyFix(fixed.flask.wsgi_app)  # type: ignore[method-assign]
        for app in (fixed, own):
            app.flask.test_client().get(f"{PREFIX}/code", headers={"X-Forwarded-For": "192.0.2.9"})
        assert self.said(caplog) == []


class TestThePackage:
    """``workos_mfa.flask`` itself."""

    def test_an_unknown_name(self) -> None:
        """A misspelt name is an AttributeError, as of any module."""
        with pytest.raises(AttributeError, match="no attribute 'SecondFacto'"):
            _ = workos_mfa.flask.SecondFacto  # type: ignore[attr-defined]

    def test_its_names(self) -> None:
        """A console offers what is public, before anything of it is imported."""
        assert dir(workos_mfa.flask) == sorted(workos_mfa.flask.__all__)

    @pytest.mark.parametrize(
        ("missing", "problem"),
        [("flask", "flask is missing: pip install 'workos-mfa[flask]'"), ("hmac", "import of hmac")],
    )
    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch, missing: str, problem: str) -> None:
        """What is missing of the extra is named with the command that installs it; any other module is named alone."""
        monkeypatch.delitem(sys.modules, "workos_mfa.flask._extension")
        monkeypatch.delitem(vars(workos_mfa.flask), "SecondFactor")
        monkeypatch.setitem(sys.modules, missing, None)
        with pytest.raises(ImportError, match=re.escape(problem)):
            _ = workos_mfa.flask.SecondFactor

    def test_a_mounted_app(self, app: App) -> None:
        """Under a path of its own, all pages and forms are under that path."""
        app.flask.wsgi_app = DispatcherMiddleware(Flask("nothing"), {"/shop": app.flask.wsgi_app})  # type: ignore[method-assign]
        client = app.flask.test_client()
        sign_in(client, "ada", age=None)
        page = client.get(f"/shop{PREFIX}/new").text
        assert f'action="/shop{PREFIX}/new/totp"' in page

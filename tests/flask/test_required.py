"""The guard in front of pages: who passes, where everybody else is led, and how they get back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import TestResponse

from tests.flask.app import App
from tests.flask.browser import PREFIX, Browser, our_key
from workos_mfa import Emulator
from workos_mfa.testing import sign_in

CODE = f"{PREFIX}/code"
JSON = {"Accept": "application/json"}


@pytest.fixture
def app(workos_mfa_emulator: Emulator) -> App:
    """An app with more pages, each behind the guard in another way."""
    app = App(workos_mfa_emulator)
    add_guarded_pages(app)
    return app


def add_guarded_pages(app: App) -> None:
    """Every way to guard a page."""
    required = app.second_factor.required

    @app.flask.get("/with-parentheses")
    @required()
    def with_parentheses() -> ResponseReturnValue:
        return "seen"

    @app.flask.get("/async")
    @required
    async def asynchronous() -> ResponseReturnValue:
        return "seen"

    blueprint = Blueprint("admin", __name__, url_prefix="/admin")
    app.second_factor.require(blueprint, max_age=300)

    @blueprint.get("/")
    def admin() -> ResponseReturnValue:
        return "seen"

    app.flask.register_blueprint(blueprint)

    @app.flask.get("/one")
    @required
    def one() -> ResponseReturnValue:
        return "seen"

    @app.flask.post("/send")
    @required(max_age=300, grace=600)
    def send() -> ResponseReturnValue:
        return "sent"

    @app.flask.route("/own-options", methods=["OPTIONS"], provide_automatic_options=False)
    @required
    def own_options() -> ResponseReturnValue:
        return "seen"

    @app.flask.get("/caf\u00e9/<name>")
    @required(max_age=300)
    def cafe(name: str) -> ResponseReturnValue:
        return f"seen by {name}"


GUARDED = ["/one", "/with-parentheses", "/async", "/admin/"]


class TestWhoPasses:
    """Only people whose session has proved a second factor, lately where the page asks for that."""

    @pytest.mark.parametrize("path", GUARDED)
    def test_each_way_to_guard(self, app: App, browser: Browser, path: str) -> None:
        """With and without parentheses, an async view, and a blueprint: nobody passes but who gave a code."""
        assert browser.client.get(path).location == f"/login?next={path}"
        sign_in(browser.client, "ada", age=None)
        assert browser.client.get(path).location == f"{PREFIX}/new?next={path}"
        sign_in(browser.client, "ada")
        assert browser.client.get(path).text == "seen"
        assert app.calls() == ["enroll_factor"]

    @pytest.mark.parametrize("path", ["/payouts", "/admin/"])
    def test_a_code_can_be_too_old(self, browser: Browser, path: str) -> None:
        """``max_age`` counts from the last code."""
        sign_in(browser.client, "ada", age=299)
        assert browser.client.get(path).status_code == 200
        sign_in(browser.client, "ada", age=300)
        assert browser.client.get(path).location == CODE

    def test_a_form_has_more_time(self, browser: Browser) -> None:
        """``grace`` is added for a request that changes something, so that who saw the form can fill it in."""
        sign_in(browser.client, "ada", age=899)
        assert browser.client.get("/payouts").location == CODE
        assert browser.client.post("/payouts").text == "POST of the payouts of ada"
        sign_in(browser.client, "ada", age=900)
        assert browser.client.post("/payouts").location == CODE

    def test_a_server_whose_clock_is_behind(self, app: App, browser: Browser) -> None:
        """Of several servers that serve the app, one may be asked by somebody who signed in at another's later time."""
        sign_in(browser.client, "ada")
        app.emulator.clock.set(app.emulator.clock.now() - timedelta(seconds=1))
        assert browser.client.get("/payouts").status_code == 200

    def test_a_session_that_ends_meanwhile(self, app: App, browser: Browser) -> None:
        """Between two looks at the clock a session may end. Then it is over."""
        sign_in(browser.client, "ada", age=12 * 3600 - 1)

        @app.second_factor.current_account
        def current_account() -> str:
            app.emulator.clock.advance(1)
            return "ada"

        assert browser.client.get("/one").location == "/login?next=/one"

    @pytest.mark.parametrize("ages", [{"max_age": -1.0}, {"grace": -0.5}])
    def test_a_negative_age(self, app: App, ages: dict[str, float]) -> None:
        """No page can be guarded by a time that nobody fulfils."""
        with pytest.raises(ValueError, match="not negative"):
            app.second_factor.required(**ages)
        with pytest.raises(ValueError, match="not negative"):
            app.second_factor.require(Blueprint("reports", __name__), **ages)


class TestMethods:
    """What else than GET and POST comes."""

    def test_head_is_as_get(self, browser: Browser) -> None:
        """HEAD sees what GET would, and is led where GET would be."""
        assert browser.client.head("/payouts").location == "/login?next=/payouts"
        sign_in(browser.client, "ada", age=300)
        assert browser.client.head("/payouts").location == CODE
        with browser.client.session_transaction() as kept:
            assert kept[our_key("step")]["dropped"] is False

    @pytest.mark.parametrize("path", ["/payouts", "/admin/"])
    def test_options_passes(self, browser: Browser, path: str) -> None:
        """What Flask answers by itself tells nothing, and is asked by browsers before anybody is signed in."""
        response = browser.client.options(path)
        assert response.status_code == 200
        assert "GET" in response.headers["Allow"]

    def test_options_of_the_app_is_guarded(self, browser: Browser) -> None:
        """An OPTIONS that the app answers is a page as others are."""
        assert browser.client.options("/own-options").status_code == 303
        sign_in(browser.client, "ada")
        assert browser.client.options("/own-options").text == "seen"


def _responses(browser: Browser) -> list[TestResponse]:
    """What the guard answers to people at each stage."""
    responses = [browser.client.get("/payouts")]
    for age in (None, 300, 0):
        sign_in(browser.client, "ada", age=age)
        responses.append(browser.client.get("/payouts"))
    return responses


def test_nothing_is_stored(browser: Browser) -> None:
    """No cache keeps a guarded page, or where it leads, so that the back button shows nothing after the sign-out."""
    assert [response.status_code for response in _responses(browser)] == [303, 303, 303, 200]
    assert {response.headers["Cache-Control"] for response in _responses(Browser(browser.app))} == {"no-store"}


class TestPrograms:
    """What a program gets, to which a page would say nothing."""

    def test_each_stage(self, browser: Browser) -> None:
        """A 401 says in JSON what is missing, and where a person can do it."""

        def get() -> tuple[int, object]:
            response = browser.client.get("/payouts", headers=JSON)
            return response.status_code, response.get_json()

        assert get() == (401, {"error": "sign_in_required", "url": "/login?next=/payouts"})
        sign_in(browser.client, "ada", age=None)
        assert get() == (401, {"error": "second_factor_missing", "url": f"{PREFIX}/new?next=/payouts"})
        sign_in(browser.client, "ada", age=300)
        assert get() == (401, {"error": "code_required", "url": CODE})
        sign_in(browser.client, "ada", age=None)
        assert get() == (401, {"error": "code_required", "url": CODE})

    def test_a_body_of_json(self, browser: Browser) -> None:
        """Who sends JSON reads JSON."""
        assert browser.client.post("/send", json={}).status_code == 401
        sign_in(browser.client, "ada")
        assert browser.client.post("/send", json={}).text == "sent"

    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            ("application/json", 401),
            ("application/json, text/html;q=0.9", 401),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 303),
            ("*/*", 303),
            ("text/html, application/json", 303),
            ("image/png", 303),
        ],
    )
    def test_what_is_accepted(self, browser: Browser, accept: str, status: int) -> None:
        """A browser gets a redirect, and so does who does not say."""
        assert browser.client.get("/one", headers={"Accept": accept}).status_code == status


class TestTheWayBack:
    """Where people get after what was missing."""

    def test_a_form_is_not_sent_again(self, app: App, browser: Browser) -> None:
        """The code page says that the form was not carried out, and leads back to it."""
        sign_in(browser.client, "ada", age=900)
        browser.post("/payouts", amount="100")
        assert "What you sent was not carried out." in browser.text
        assert browser.code(app.next_code(app.emulator.totp_codes()[0].factor_id)) == "GET of the payouts of ada"

    def test_a_page_that_was_only_looked_at(self, browser: Browser) -> None:
        """Who has sent nothing is not told about it."""
        sign_in(browser.client, "ada", age=900)
        assert "not carried out" not in browser.get("/payouts")

    @pytest.mark.parametrize(
        ("referrer", "way_back"),
        [
            ("http://localhost/transfer?to=grace#form", "/transfer?to=grace"),
            ("https://evil.test/transfer", "/"),
            ("http://localhost//evil.test/", "/"),
            ("http://[", "/"),
            (None, "/"),
        ],
    )
    def test_a_form_on_another_page(self, browser: Browser, referrer: str | None, way_back: str) -> None:
        """A path that only takes POST can't be shown, so the way back is the page that the form was on."""
        headers = {} if referrer is None else {"Referer": referrer}
        sign_in(browser.client, "ada", age=900)
        browser.client.post("/send", headers=headers)
        with browser.client.session_transaction() as kept:
            assert kept[our_key("step")]["next"] == way_back

    def test_a_path_with_letters_of_all_kinds(self, app: App, browser: Browser) -> None:
        """The way back is the path as the browser sent it, with spaces and question marks."""
        sign_in(browser.client, "ada", age=900)
        browser.get("/caf\u00e9/what%3F%20now?a=b%26c")
        assert browser.code(app.next_code(app.emulator.totp_codes()[0].factor_id)) == "seen by what? now"
        assert browser.path == "/caf\u00e9/what? now?a=b%26c"

    def test_an_app_that_is_mounted_somewhere(self, app: App, browser: Browser) -> None:
        """The path where the app is mounted is part of the way back."""
        app.flask.wsgi_app = DispatcherMiddleware(Flask("nothing"), {"/shop": app.flask.wsgi_app})  # type: ignore[method-assign]
        sign_in(browser.client, "ada", age=900)
        assert browser.client.get("/shop/payouts").location == f"/shop{CODE}"
        with browser.client.session_transaction() as kept:
            assert kept[our_key("step")]["next"] == "/shop/payouts"

    def test_the_middle_of_a_sign_in(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """Who was asked for a code already gets back to that page, as long as it can be used."""
        sign_in(browser.client, "ada")
        half = another()
        half.sign_in()
        assert half.client.get("/payouts").location == CODE
        app.emulator.clock.advance(600)
        assert half.client.get("/payouts").location == "/login?next=/payouts"

    def test_a_code_page_in_another_tab(self, app: App, browser: Browser) -> None:
        """Its form stays good when other pages lead to the code too, and leads to the newest of them."""
        sign_in(browser.client, "ada", age=900)
        browser.get("/payouts")
        browser.client.get("/admin/")
        assert browser.code(app.next_code(app.emulator.totp_codes()[0].factor_id)) == "seen"

    @pytest.mark.parametrize(
        "end",
        [
            lambda browser: browser.app.emulator.clock.advance(600),
            lambda browser: browser.client.post("/password", data={"account": "ada"}),
        ],
        ids=["time", "generation"],
    )
    def test_a_code_page_that_is_over(self, browser: Browser, end: Callable[[Browser], object]) -> None:
        """One that can't be finished any more is not come back to: there is a new one at once."""
        sign_in(browser.client, "ada", age=900)
        browser.get("/payouts")
        end(browser)
        assert "Please confirm that it is you" in browser.get("/payouts")

    def test_a_script_in_another_tab(self, app: App, browser: Browser) -> None:
        """A script that asks again and again does not take away what the person is in the middle of."""
        sign_in(browser.client, "ada", age=900)
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/recovery-codes")
        assert browser.client.get("/payouts", headers=JSON).status_code == 401
        assert "Recovery codes let you in" in browser.code(app.next_code(app.emulator.totp_codes()[0].factor_id))

    def test_a_long_path(self, browser: Browser) -> None:
        """However long the way back is, people get to the page where they can do what is missing."""
        path = "/one?" + "a" * 990
        assert browser.client.get(path).location == f"/login?next={path}"
        sign_in(browser.client, "ada", age=None)
        browser.get(path)
        assert "Add a second factor" in browser.text
        browser.post(f"{PREFIX}/new/totp")
        factor_id = browser.app.emulator.totp_codes()[0].factor_id
        assert "protects your account now" in browser.code(browser.app.emulator.totp_code(factor_id))
        assert len(browser.recovery_codes()) == 10
        assert f'href="{path}"' in browser.html


PATHS = [
    ("/private", "/private"),
    ("/private?a=b", "/private?a=b"),
    ("/caf%C3%A9", "/caf%C3%A9"),  # as browsers send it
    ("/caf\u00e9", "/"),
    ("/" + "a" * 999, "/" + "a" * 999),
    ("/" + "a" * 1000, "/"),
    ("", "/"),
    ("private", "/"),
    ("//evil.test", "/"),
    ("/\\evil.test", "/"),
    ("\\\\evil.test", "/"),
    ("/\t/evil.test", "/"),
    ("/\n/evil.test", "/"),
    ("/a b", "/"),
    ("/\u2028/evil.test", "/"),
    (" /private", "/"),
    ("https://evil.test/", "/"),
    ("https:evil.test", "/"),
    ("javascript:alert(1)", "/"),
]


class TestNext:
    """Where ``next`` may lead: to a page of this site, and nowhere else."""

    @pytest.mark.parametrize(("path", "led_to"), PATHS)
    def test_a_path(self, app: App, path: str, led_to: str) -> None:
        """What another site could be made of is not followed, after the password alone and after a code."""
        browser = Browser(app)
        query = {"next": path}
        location = browser.client.post("/login", query_string=query, data={"account": "ada"}).location
        assert location == led_to
        sign_in(browser.client, "ada")
        factor_id = app.emulator.totp_codes()[0].factor_id
        browser.client.post("/login", query_string=query, data={"account": "ada"})
        browser.get(CODE)
        fields = {**browser.hidden_fields(), "code": app.emulator.totp_code(factor_id)}
        assert browser.client.post(CODE, data=fields).location == location

    @pytest.mark.parametrize("purpose", ["sign_in", "confirm", "add"])
    def test_it_is_checked_again(self, app: App, browser: Browser, purpose: str) -> None:
        """A session that another release wrote, with another check, leads nowhere else either."""
        sign_in(browser.client, "ada", age=300)
        factor_id = app.emulator.totp_codes()[0].factor_id
        if purpose == "sign_in":
            browser.sign_in()
        else:
            browser.get("/payouts")
        with browser.client.session_transaction() as kept:
            kept[our_key("step")] = {**kept[our_key("step")], "next": "//evil.test", "purpose": purpose}
        fields = {**browser.hidden_fields(), "code": app.emulator.totp_code(factor_id)}
        location = browser.client.post(CODE, data=fields).location
        assert location == (f"{PREFIX}/new?next=//evil.test" if purpose == "add" else "/")
        if purpose == "add":
            assert 'name="next" value="/second-factor/"' in browser.client.get(location).text

    def test_the_forms_are_checked_too(self, app: App, browser: Browser) -> None:
        """What a form or a query names is no better."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new?next=//evil.test")
        assert "evil.test" not in browser.html
        browser.post(f"{PREFIX}/new/totp", next="//evil.test")
        factor_id = app.emulator.totp_codes()[0].factor_id
        browser.code(app.emulator.totp_code(factor_id))
        assert "evil.test" not in browser.path
        assert browser.client.get(f"{PREFIX}/recovery-codes?next=//evil.test").status_code == 200
        assert "evil.test" not in browser.get(f"{PREFIX}/recovery-codes?next=//evil.test")
        browser.post(f"{PREFIX}/recovery-codes", next="//evil.test")
        assert "evil.test" not in browser.html
        assert browser.client.get(f"{PREFIX}/recovery-codes?next=//evil.test").location == f"{PREFIX}/"

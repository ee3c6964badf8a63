"""Changes of factors: what it takes to add, remove or replace one, or to make recovery codes."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable

import pytest

from tests.flask.app import App, FailingStore, outside
from tests.flask.browser import PREFIX, Browser, newest_factor
from workos_mfa import Emulator
from workos_mfa.emulator import Call
from workos_mfa.testing import sign_in

NUMBER = "+15005550006"
OTHER_NUMBER = "+12025550106"
RECOVERY_CODES = f"{PREFIX}/recovery-codes"


@pytest.fixture
def factor_id(app: App, browser: Browser) -> str:
    """Ada's authenticator app. The browser is signed in, and its last code is an hour old."""
    sign_in(browser.client, "ada")
    app.emulator.clock.advance(3600)
    return newest_factor(app)


def factors_of(app: App, account: str = "ada") -> list[tuple[str, str]]:
    """Type and digits of the account's factors."""
    return list(outside(app, lambda: app.second_factor.status(account)).factors)


def enroll_sms(browser: Browser, number: str = NUMBER) -> str:
    """Add a phone, where the browser may; what the page says at the end."""
    browser.get(f"{PREFIX}/new")
    browser.post(f"{PREFIX}/new/sms", phone_number=number)
    return browser.code(browser.app.message())


def secret_on(browser: Browser) -> str:
    """The secret that the page shows."""
    shown = re.findall(r'<code class="workos-mfa-secret">(.*?)</code>', browser.html, re.DOTALL)
    return re.sub(r"<[^>]*>|\s", "", shown[0])


class TestTheFirst:
    """The first factor is added with the password alone."""

    def test_the_password_is_recent(self, app: App, browser: Browser) -> None:
        """A browser that was left open can't be used to lock its owner out."""
        sign_in(browser.client, "ada", age=None)
        app.emulator.clock.advance(599)
        assert "Add a second factor" in browser.get(f"{PREFIX}/new")
        app.emulator.clock.advance(1)
        assert "enter your password again" in browser.post(f"{PREFIX}/new/totp")
        assert "enter your password again" in browser.get(f"{PREFIX}/new")
        assert 'href="/login?next=' in browser.html
        assert app.calls() == []

    def test_it_needs_no_code_before(self, browser: Browser) -> None:
        """The page of the factors leads to it at once."""
        sign_in(browser.client, "ada", age=None)
        assert "Your account has only a password." in browser.get(f"{PREFIX}/")
        assert "How do you want to get your codes?" in browser.post(f"{PREFIX}/add")

    def test_it_counts_after_its_first_code(self, app: App, browser: Browser) -> None:
        """Until then the account has no second factor, and a wrong code changes nothing."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new?next=/private")
        browser.post(f"{PREFIX}/new/totp")
        factor_id = newest_factor(app)
        assert "not right" in browser.code(app.emulator.wrong_code(factor_id))
        assert "Finish with your first code" in browser.text
        assert factors_of(app) == []
        assert "protects your account now" in browser.code(app.emulator.totp_code(factor_id))
        assert factors_of(app) == [("totp", "")]
        assert browser.path == f"{RECOVERY_CODES}?next=/private"
        assert browser.get("/private") == "the private page of ada"

    def test_the_other_browsers_are_out(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """Whoever was there before, by the password alone, is not any more, and adds no factor of his own."""
        before = another()
        sign_in(before.client, "ada", age=None)
        sign_in(browser.client, "ada", age=None)
        before.get(f"{PREFIX}/new")
        page = before.page
        browser.enroll_totp()
        before.page = page
        assert "not signed in any more" in before.post(f"{PREFIX}/new/totp")
        assert len(factors_of(app)) == 1


class TestThePageOfTheSecret:
    """The page with the QR code."""

    def test_what_it_shows(self, app: App, browser: Browser) -> None:
        """The QR code, the secret to be typed, and a field for the first code."""
        app.second_factor.account_name(lambda account_id: f"{account_id}@example.com")
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        assert browser.headers["Cache-Control"] == "no-store"
        assert len(secret_on(browser)) == 32
        images = re.findall(r'src="data:image/png;base64,([^"]+)"', browser.html)
        assert b64decode(images[0]).startswith(b"\x89PNG")
        assert app.emulator.totp_codes()[0].user == "ada@example.com"
        assert app.emulator.totp_codes()[0].issuer == "Foo Corp"

    def test_it_is_shown_once(self, app: App, browser: Browser) -> None:
        """No other page has the secret, and it is not in the cookie."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        secret = secret_on(browser)
        with browser.client.session_transaction() as kept:
            assert secret not in str(dict(kept))
        browser.get(f"{PREFIX}/code")
        assert secret not in browser.text.replace(" ", "")
        assert "data:image" not in browser.html
        browser.code(app.emulator.wrong_code(newest_factor(app)))
        assert secret not in browser.text.replace(" ", "")

    def test_beginning_again_makes_the_first_one_void(self, app: App, browser: Browser) -> None:
        """Who goes back and scans another square is asked for a code of that one. The first is deleted at WorkOS."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        first, page = newest_factor(app), browser.page
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        with pytest.raises(LookupError):
            app.emulator.totp_code(first)
        second, browser.page = newest_factor(app), page
        assert "not the newest one" in browser.code(app.emulator.totp_code(second))

    @pytest.mark.parametrize("is_away", [False, True])
    def test_it_can_not_be_kept(self, workos_mfa_emulator: Emulator, *, is_away: bool) -> None:
        """If the password changes, or the store fails, while a factor is enrolled, the factor is deleted at WorkOS."""
        store = FailingStore()
        app = App(workos_mfa_emulator, store)
        browser = Browser(app)
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")

        def meanwhile(_: Call) -> None:
            store.is_away = is_away
            if not is_away and app.calls() == ["enroll_factor"]:
                outside(app, lambda: app.second_factor.password_changed("ada"))

        app.emulator.calls.watch(meanwhile)
        browser.post(f"{PREFIX}/new/totp")
        assert browser.status == (503 if is_away else 422)
        assert app.calls() == ["enroll_factor", "delete_factor"]
        assert app.emulator.totp_codes() == []

    def test_two_tabs_of_two_browsers(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """Of two browsers that add a first factor at once, the one that began later finishes."""
        other = another()
        for each in (browser, other):
            sign_in(each.client, "ada", age=None)
            each.get(f"{PREFIX}/new")
            each.post(f"{PREFIX}/new/totp")
        assert "began to add another factor in the meantime" in browser.code(
            app.emulator.wrong_code(newest_factor(app))
        )
        assert "protects your account" in other.code(app.emulator.totp_code(newest_factor(app)))


class TestAChange:
    """Each change of factors needs a code that was asked for this very change."""

    def test_a_code_of_a_moment_ago_changes_nothing(self, app: App, browser: Browser) -> None:
        """However lately a code was given for something else, every change asks for another one."""
        sign_in(browser.client, "ada")
        factor_id = newest_factor(app)
        browser.get(f"{PREFIX}/")
        overview = browser.page
        for path, sentence in (
            ("add", "With this code you allow that a factor is added."),
            ("remove", "With this code the factor is removed."),
            ("recovery-codes", "With this code you get new recovery codes."),
        ):
            browser.page = overview
            assert sentence in browser.post(f"{PREFIX}/{path}", factor=factor_id)
        for path in ("new/totp", "new/sms", "replace"):
            browser.page = overview
            page = browser.post(f"{PREFIX}/{path}", factor=factor_id, phone_number=NUMBER)
            assert "For that we need a code first." in page
        assert "For that we need a code first." in browser.get(f"{PREFIX}/new")
        assert factors_of(app) == [("totp", "")]

    def test_add_another_one(self, app: App, factor_id: str, browser: Browser) -> None:
        """A code of the factor that is there, then the first code of the new one."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        assert "How do you want to get your codes?" in browser.code(app.emulator.totp_code(factor_id))
        browser.post(f"{PREFIX}/new/sms", phone_number="+1 (500) 555-0006")
        assert "number that ends in 06" in browser.text
        assert "protects your account now" in browser.code(app.message())
        assert factors_of(app) == [("totp", ""), ("sms", "06")]
        assert "Text message to the number that ends in 06" in browser.get(f"{PREFIX}/")

    def test_another_page_in_between(self, app: App, factor_id: str, browser: Browser) -> None:
        """A page that asks for a code meanwhile, in another tab, does not get mixed up with the new factor."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.emulator.totp_code(factor_id))
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        assert "protects your account now" in browser.code(app.emulator.totp_code(newest_factor(app)))

    def test_one_code_is_good_for_one_factor(self, app: App, factor_id: str, browser: Browser) -> None:
        """The next one needs another code."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.emulator.totp_code(factor_id))
        enroll_sms(browser)
        assert "For that we need a code first." in browser.get(f"{PREFIX}/new")

    @pytest.mark.parametrize(("purpose", "works"), [("add", True), ("recovery-codes", False), (None, False)])
    def test_a_code_for_something_else(
        self, app: App, factor_id: str, browser: Browser, *, purpose: str | None, works: bool
    ) -> None:
        """What was allowed is this change, and no other one."""
        if purpose is None:
            browser.get("/payouts")
        else:
            browser.get(f"{PREFIX}/")
            browser.post(f"{PREFIX}/{purpose}")
        browser.code(app.emulator.totp_code(factor_id))
        assert ("How do you want" in browser.get(f"{PREFIX}/new")) is works

    def test_what_was_allowed_ends(self, app: App, factor_id: str, browser: Browser) -> None:
        """After ten minutes another code is needed."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.emulator.totp_code(factor_id))
        app.emulator.clock.advance(600)
        assert "For that we need a code first." in browser.post(f"{PREFIX}/new/totp")

    def test_the_session_of_the_code_has_ended(self, app: App, factor_id: str, browser: Browser) -> None:
        """A right code changes nothing if the browser is not signed in any more."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/remove", factor=factor_id)
        page, copy = browser.page, browser.cookies()
        browser.client.post("/logout")
        browser.page = page
        browser.take_cookies(copy)
        assert "not signed in any more" in browser.code(app.emulator.totp_code(factor_id))
        assert "not signed in any more" in browser.get(f"{PREFIX}/code")
        assert factors_of(app) == [("totp", "")]

    def test_the_code_page_of_a_change_that_is_done(self, app: App, factor_id: str, browser: Browser) -> None:
        """Who comes back to it is told so, and led to the factors."""
        browser.get("/payouts")
        browser.code(app.emulator.totp_code(factor_id))
        assert "begin again" in browser.get(f"{PREFIX}/code")
        assert f'href="{PREFIX}/"' in browser.html

    def test_give_up(self, app: App, factor_id: str, browser: Browser) -> None:
        """Cancel leads back to the factors, and changes nothing."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/remove", factor=factor_id)
        assert "Your second factor" in browser.post(f"{PREFIX}/code/cancel")
        assert factors_of(app) == [("totp", "")]


class TestRemove:
    """A factor is removed with a code, of another one if there is one."""

    def test_the_last_one(self, app: App, factor_id: str, browser: Browser) -> None:
        """Its own code removes it, and the recovery codes with it. The account has a password alone again."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/remove", factor=factor_id)
        assert "The factor was removed." in browser.code(app.emulator.totp_code(factor_id))
        assert factors_of(app) == []
        assert app.calls()[-1] == "delete_factor"
        assert "Your account has only a password." in browser.text

    def test_one_of_two(self, app: App, factor_id: str, browser: Browser) -> None:
        """The code comes from the one that stays, so that a lost phone can be removed."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.emulator.totp_code(factor_id))
        enroll_sms(browser)
        app.emulator.clock.advance(30)
        browser.get(f"{PREFIX}/")
        asked = browser.post(f"{PREFIX}/remove", factor=factor_id)
        assert "number that ends in 06" in asked
        assert "With this code the factor is removed. Authenticator app" in asked
        assert "The factor was removed." in browser.code(app.message())
        assert factors_of(app) == [("sms", "06")]

    def test_one_that_is_not_there(self, factor_id: str, browser: Browser) -> None:
        """A form that names a factor of nobody, or of somebody else, removes nothing."""
        assert factor_id
        browser.get(f"{PREFIX}/")
        assert "changed in another window" in browser.post(f"{PREFIX}/remove", factor="auth_factor_of_grace")

    def test_one_that_is_gone_meanwhile(
        self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """Two windows that remove the same factor: the second one is told."""
        for each in (browser, other := another()):
            sign_in(each.client, "ada")
            each.get(f"{PREFIX}/")
            each.post(f"{PREFIX}/remove", factor=factor_id)
        browser.code(app.emulator.totp_code(factor_id))
        assert "changed in another window" in other.code("123456")


class TestMandatory:
    """``WORKOS_MFA_MANDATORY``: an account that must have a second factor."""

    @pytest.fixture
    def app(self, workos_mfa_emulator: Emulator, request: pytest.FixtureRequest) -> App:
        """An app in which Ada must have one, and Grace need not, or has to as well."""
        return App(workos_mfa_emulator, WORKOS_MFA_MANDATORY=getattr(request, "param", True))

    @pytest.mark.parametrize(
        ("app", "grace_too"), [(True, True), (lambda account: account == "ada", False)], indirect=["app"]
    )
    def test_who_has_none_adds_one_to_get_in(self, app: App, browser: Browser, *, grace_too: bool) -> None:
        """After the password the person adds a factor, and is signed in by its first code."""
        assert "Add a second factor" in browser.sign_in(next_path="/private")
        assert "Add a second factor" in browser.get("/private")
        assert "Add a second factor" in browser.get(f"{PREFIX}/code")
        assert browser.get("/") == "home of None"
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/totp")
        assert browser.get("/") == "home of None"
        browser.get(f"{PREFIX}/code")
        factor_id = newest_factor(app)
        assert "not right" in browser.code(app.emulator.wrong_code(factor_id))
        assert "Recovery codes let you in" in browser.code(app.emulator.totp_code(factor_id))
        assert len(browser.recovery_codes()) == 10
        assert browser.get("/private") == "the private page of ada"
        assert (browser.sign_in("grace") == "home of grace") is not grace_too

    def test_by_a_text_message(self, app: App, browser: Browser) -> None:
        """The same with a phone."""
        browser.sign_in(next_path="/private")
        assert "Recovery codes let you in" in enroll_sms(browser)
        assert factors_of(app) == [("sms", "06")]

    def test_the_last_one_stays(self, app: App, browser: Browser) -> None:
        """It can be replaced by another one, and not removed."""
        sign_in(browser.client, "ada")
        browser.get(f"{PREFIX}/")
        page = browser.post(f"{PREFIX}/remove", factor=newest_factor(app))
        assert "Your account must have a second factor." in page

    def test_nobody_else_adds_the_first_one(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """Of two who know the password, the one who is later can't add another factor with it."""
        late = another()
        late.sign_in()
        page = late.page
        browser.sign_in()
        browser.enroll_totp()
        late.page = page
        assert "changed in another window" in late.post(f"{PREFIX}/new/totp")
        late.sign_in()
        assert "For that we need a code first." in late.get(f"{PREFIX}/new")
        assert len(factors_of(app)) == 1


def test_the_last_one_stays_meanwhile(workos_mfa_emulator: Emulator) -> None:
    """If a second factor becomes mandatory while the code for its removal is awaited, it stays."""
    rule = [False]
    app = App(workos_mfa_emulator, WORKOS_MFA_MANDATORY=lambda _: rule[-1])
    browser = Browser(app)
    sign_in(browser.client, "ada")
    browser.get(f"{PREFIX}/")
    browser.post(f"{PREFIX}/remove", factor=newest_factor(app))
    rule.append(True)
    assert "Your account must have a second factor." in browser.code(app.next_code(newest_factor(app)))
    assert factors_of(app) == [("totp", "")]


class TestPhones:
    """Phone numbers."""

    def test_a_number_that_is_refused(self, app: App, browser: Browser) -> None:
        """The person sees what was typed, and can mend it."""
        sign_in(browser.client, "ada", age=None)
        for number in ("+442071838750", "0123", "", "+15005550001", "+1202555010x"):
            browser.get(f"{PREFIX}/new?next=/private")
            assert "can't send messages to this number" in browser.post(f"{PREFIX}/new/sms", phone_number=number)
            assert browser.status == 422
            assert f'value="{number}"' in browser.html
            assert 'value="/private"' in browser.html
        assert factors_of(app) == []

    def test_a_method_that_is_off(self, workos_mfa_emulator: Emulator) -> None:
        """Text messages are off unless the setting has them: the page does not offer them, and no form gets them."""
        app = App(workos_mfa_emulator, WORKOS_MFA_METHODS=("totp",))
        browser = Browser(app)
        sign_in(browser.client, "ada", age=None)
        assert "text messages" not in browser.get(f"{PREFIX}/new")
        assert "can't be added here" in browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER)
        assert app.calls() == []

    def test_an_app_that_is_off(self, workos_mfa_emulator: Emulator) -> None:
        """The same for authenticator apps."""
        app = App(workos_mfa_emulator, WORKOS_MFA_METHODS=("sms",))
        browser = Browser(app)
        sign_in(browser.client, "ada", age=None)
        assert "authenticator app" not in browser.get(f"{PREFIX}/new")
        assert "can't be added here" in browser.post(f"{PREFIX}/new/totp")

    def test_sign_in_with_a_phone(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """The code is sent when the password was right, and again when the person asks; the newest one counts."""
        sign_in(browser.client, "ada", age=None)
        enroll_sms(browser)
        other = another()
        assert "We have sent a text message" in other.sign_in(next_path="/private")
        first = app.message()
        other.post(f"{PREFIX}/code/send")
        assert len(app.emulator.outbox) == 3
        assert "Use the code in the newest message." in other.code(first)
        assert other.code(app.message()) == "the private page of ada"
        assert app.emulator.outbox[-1].text == f"Your Foo Corp code is {app.message()}. We never call to ask for it."

    def test_a_link_sends_nothing(self, app: App, browser: Browser) -> None:
        """Where the app signs people in by a GET, such as a link of an e-mail, the person asks for the message."""
        sign_in(browser.client, "ada", age=None)
        enroll_sms(browser)
        with app.flask.test_request_context("/link"):
            assert app.second_factor.sign_in("ada").location == f"{PREFIX}/code"
        assert len(app.emulator.outbox) == 1

    def test_another_factor(self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]) -> None:
        """Who has two chooses which one gives the code. Nothing is sent before the person asks."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.emulator.totp_code(factor_id))
        enroll_sms(browser)
        other = another()
        other.sign_in(next_path="/private")
        form = re.findall(r'name="factor" value="([^"]+)"', other.html)
        assert "We send a text message" in other.post(f"{PREFIX}/code/switch", factor=form[0])
        assert len(app.emulator.outbox) == 1
        assert "Please ask for a code first." in other.code("123456")
        other.post(f"{PREFIX}/code/send")
        assert other.code(app.message()) == "the private page of ada"
        other.sign_in()
        assert "changed in another window" in other.post(f"{PREFIX}/code/switch", factor="auth_factor_of_grace")


class TestACode:
    """What is taken for a code."""

    @pytest.mark.parametrize("written", ["{0}", "{1} {2}", " {1}-{2}\n", "{1}\u00a0{2}"])
    def test_how_it_may_be_written(self, app: App, factor_id: str, browser: Browser, written: str) -> None:
        """With spaces and hyphens, as apps show it and people type it."""
        code = app.emulator.totp_code(factor_id)
        browser.get("/payouts")
        assert "payouts of ada" in browser.code(written.format(code, code[:3], code[3:]))

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666"])
    def test_what_is_none(self, app: App, factor_id: str, browser: Browser, typed: str) -> None:
        """It is not sent to WorkOS, and does not count as a try."""
        assert factor_id
        before = app.calls()
        browser.get("/payouts")
        for _ in range(6):
            assert "A code has six digits." in browser.code(typed)
        assert app.calls() == before

    @pytest.mark.parametrize("purpose", ["sign_in", "confirm"])
    def test_a_double_click(self, app: App, factor_id: str, browser: Browser, purpose: str) -> None:
        """Of two equal forms that are sent at once, the second one's response does not take away what the first one's
        has brought: the browser may see the second alone.
        """
        if purpose == "sign_in":
            browser.sign_in()
        else:
            browser.get("/payouts")
        before, form = browser.cookies(), browser.hidden_fields()
        code = app.emulator.totp_code(factor_id)
        second = Browser(app)
        second.take_cookies(before)
        browser.client.post(f"{PREFIX}/code", data={**form, "code": code})
        response = second.client.post(f"{PREFIX}/code", data={**form, "code": code})
        assert response.status_code == 422
        assert "Set-Cookie" not in response.headers  # which the browser would take, since it came last
        assert browser.get("/payouts") == "GET of the payouts of ada"

    def test_a_code_works_once(
        self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """An accepted code is refused for two minutes, without asking WorkOS, whose rule for that nobody knows."""
        code = app.emulator.totp_code(factor_id)
        browser.get("/payouts")
        browser.code(code)
        before = app.calls()
        other = another()
        other.sign_in()
        app.emulator.clock.advance(119)
        assert "That code was used already. Wait for the next one." in other.code(code)
        assert app.calls() == before
        app.emulator.clock.advance(1)
        other.code(code)
        assert app.calls() == [*before, "challenge_factor", "verify_challenge"]

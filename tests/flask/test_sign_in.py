"""Sessions: what happens between the password and the end of a sign-in, and how a session ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Response, abort, session

from tests.flask.app import App, FailingStore, outside
from tests.flask.browser import PREFIX, Browser, our_key
from workos_mfa import Emulator

HOURS = 3600
PRIVATE = "the private page of ada"


@pytest.fixture
def factor_id(browser: Browser) -> str:
    """Ada's factor. The browser is signed in."""
    browser.sign_in()
    return browser.enroll_totp()


class TestTheEnd:
    """What happens when everything is proved."""

    def test_the_app_signs_the_person_in_when_the_token_stands(
        self, app: App, factor_id: str, browser: Browser
    ) -> None:
        """The session is emptied, the token is stored and put into it, and then the app signs the person in."""
        seen: list[tuple[str, bool, list[str]]] = []

        @app.second_factor.signed_in
        def signed_in(account_id: str) -> None:
            seen.append((account_id, app.second_factor.live(account_id), list(session)))
            session["user"] = account_id

        with browser.client.session_transaction() as before:
            before["cart"] = "planted by somebody"
        browser.sign_in(next_path="/private")
        assert seen == []
        assert browser.code(app.next_code(factor_id)) == PRIVATE
        assert seen == [("ada", True, [our_key("session")])]
        with browser.client.session_transaction() as after:
            assert set(after) == {our_key("session"), "user"}

    def test_a_sign_in_with_the_password_alone_ends_the_same_way(self, app: App, browser: Browser) -> None:
        """An account that needs no second factor is signed in at once, with a session that counts."""
        app.second_factor.signed_in(lambda account_id: session.update(user=account_id))
        with browser.client.session_transaction() as before:
            before["cart"] = "planted by somebody"
        assert browser.sign_in() == "home of ada"
        with browser.client.session_transaction() as after:
            assert set(after) == {our_key("session"), "user"}

    def test_a_response_of_the_app_is_sent(self, app: App, browser: Browser) -> None:
        """The app can answer the end of a sign-in by itself."""
        app.second_factor.signed_in(lambda _: Response("welcome", 399))
        assert browser.sign_in() == "welcome"
        assert browser.get("/") == "home of ada"

    @pytest.mark.parametrize(
        ("refuse", "status", "says"),
        [
            (lambda: False, 403, "You can't sign in to this account at the moment."),
            (lambda: Response("not today", 403), 403, "not today"),
            (lambda: Response("not like this", 400), 400, "not like this"),
            (lambda: abort(403), 403, "Forbidden"),
            (lambda: int("an exception"), 500, "Internal Server Error"),
        ],
    )
    def test_the_app_can_refuse(
        self,
        app: App,
        factor_id: str,
        another: Callable[[], Browser],
        refuse: Callable[[], object],
        status: int,
        says: str,
    ) -> None:
        """By False, by a response that is an error, or by an exception: nobody is signed in, the token ends, and
        nothing is left of what the app has put into the session before.
        """

        @app.second_factor.signed_in
        def signed_in(account_id: str) -> object:
            session["user"] = account_id
            return refuse()

        app.flask.config["PROPAGATE_EXCEPTIONS"] = False
        browser = another()
        browser.sign_in()
        assert says in browser.code(app.next_code(factor_id))
        assert browser.status == status
        with browser.client.session_transaction() as kept:
            assert set(kept) <= {"csrf_token"}
        assert browser.get("/private") == "the login page"
        assert outside(app, lambda: app.second_factor.status("ada")).sessions == 1

    def test_the_app_can_refuse_at_once(self, app: App, browser: Browser) -> None:
        """The same goes for an account that needs no second factor."""
        app.second_factor.signed_in(lambda _: False)
        assert "You can't sign in" in browser.sign_in()
        assert browser.headers["Cache-Control"] == "no-store"
        assert outside(app, lambda: app.second_factor.status("ada")).sessions == 0

    def test_the_session_before_ends(self, app: App, browser: Browser, factor_id: str) -> None:
        """Who signs in again in the same browser leaves no session behind."""
        old = browser.cookies()
        browser.sign_in()
        browser.code(app.next_code(factor_id))
        assert outside(app, lambda: app.second_factor.status("ada")).sessions == 1
        browser.take_cookies(old)
        assert browser.get("/private") == "the login page"

    def test_the_session_before_can_not_be_ended(self, workos_mfa_emulator: Emulator) -> None:
        """Then it goes on as it was, nobody else is signed in, and it can be tried again."""
        store = FailingStore()
        app = App(workos_mfa_emulator, store)
        asked: list[str] = []
        browser = Browser(app)
        browser.sign_in("ada")
        with browser.client.session_transaction() as kept:
            kept["cart"] = "three apples"
        app.second_factor.signed_in(asked.append)
        store.is_away_for = "ada"
        browser.sign_in("grace")
        assert browser.status == 503
        assert asked == []
        store.is_away_for = None
        assert browser.get("/") == "home of ada"
        with browser.client.session_transaction() as kept:
            assert kept["cart"] == "three apples"
        assert browser.sign_in("grace") == "home of grace"
        assert outside(app, lambda: app.second_factor.status("ada")).sessions == 0

    def test_a_wrong_id_is_refused(self, app: App) -> None:
        """An account's id has to fit into every store."""
        with app.flask.test_request_context():
            for account_id in ("", None, "a" * 256):
                with pytest.raises(ValueError, match="1 to 255 characters"):
                    app.second_factor.sign_in(account_id)

    def test_an_id_may_be_a_number(self, app: App, browser: Browser) -> None:
        """What the app takes for an id, such as a number, is the same account as its text."""
        browser.sign_in("7")
        with app.flask.test_request_context(headers={"Cookie": f"session={browser.cookies()}"}):
            assert app.second_factor.live(7)
            assert not app.second_factor.live(8)


class TestHalfWay:
    """What a browser has between the password and the code."""

    def test_it_opens_nothing(self, app: App, factor_id: str, another: Callable[[], Browser]) -> None:
        """The password alone shows no page, and the app has not been asked to sign anybody in."""
        asked: list[str] = []
        app.second_factor.signed_in(asked.append)
        half = another()
        half.sign_in()
        assert half.get("/") == "home of None"
        assert "Enter your code" in half.get("/private")
        assert "not signed in" in half.get(f"{PREFIX}/")
        assert asked == []
        assert app.emulator.totp_codes()[0].factor_id == factor_id

    def test_it_lives_ten_minutes(self, app: App, factor_id: str, another: Callable[[], Browser]) -> None:
        """A code that comes later is refused, and the way leads back to the password."""
        half = another()
        half.sign_in()
        app.emulator.clock.advance(599)
        assert "Enter your code" in half.get(f"{PREFIX}/code")
        app.emulator.clock.advance(1)
        assert "That took too long" in half.code(app.emulator.totp_code(factor_id))
        assert 'href="/login?next=' in half.html
        assert "not signed in" in half.get(f"{PREFIX}/code")

    def test_it_holds_ids_only(self, app: App, factor_id: str, another: Callable[[], Browser]) -> None:
        """No secret, name, number or code is in the cookie, which can be read by everybody who has it."""
        half = another()
        half.sign_in()
        half.code(app.emulator.wrong_code(factor_id))
        with half.client.session_transaction() as kept:
            step = kept[our_key("step")]
        challenge_id = step.pop("challenge_id")
        assert challenge_id.startswith("auth_challenge_")
        assert (step.pop("account_id"), step.pop("factor_id")) == ("ada", factor_id)
        assert {len(step.pop("generation")), len(step.pop("id"))} == {32}
        assert step == {
            "purpose": "sign_in",
            "at": app.emulator.clock.now().timestamp(),
            "next": "/",
            "enrolling": False,
            "target": None,
            "dropped": False,
        }

    def test_what_another_release_left_is_dropped(self, browser: Browser) -> None:
        """Sessions that other code has written make no error: the person begins again."""
        with browser.client.session_transaction() as kept:
            kept[our_key("session")] = "ada"
            kept[our_key("step")] = {"account_id": "ada"}
        assert browser.get("/private") == "the login page"
        assert "not signed in" in browser.get(f"{PREFIX}/code")

    def test_it_can_be_given_up(self, factor_id: str, another: Callable[[], Browser]) -> None:
        """Cancel leads back to the password, and the code page is gone."""
        assert factor_id
        half = another()
        half.sign_in()
        assert half.post(f"{PREFIX}/code/cancel") == "the login page"
        assert "not signed in" in half.get(f"{PREFIX}/code")


class TestGeneration:
    """A change of factors or of the password ends what was there before it."""

    def test_browsers_from_before_the_first_factor_are_out(
        self, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """A browser that was signed in by the password alone is out when the account gets a second factor."""
        before = another()
        before.sign_in()
        assert before.get("/") == "home of ada"
        browser.sign_in()
        browser.enroll_totp()
        assert before.get("/") == "home of None"
        assert browser.get("/private") == PRIVATE

    def test_a_sign_in_from_before_is_over(self, app: App, browser: Browser, another: Callable[[], Browser]) -> None:
        """Who was asked for a code, or for a first factor, before the factors changed has to begin again."""
        browser.sign_in()
        factor_id = browser.enroll_totp()
        half = another()
        half.sign_in()
        outside(app, lambda: app.second_factor.password_changed("ada"))
        assert "changed in another window" in half.code(app.next_code(factor_id))

    def test_a_new_password_leaves_the_browser_that_gave_it(
        self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """All other sessions end. This one goes on, with a new token."""
        other = another()
        other.sign_in()
        other.code(app.next_code(factor_id))
        old = browser.cookies()
        assert browser.post("/password", account="ada") == "the password was changed"
        assert browser.get("/private") == PRIVATE
        assert other.get("/private") == "the login page"
        other.take_cookies(old)
        assert other.get("/private") == "the login page"

    def test_an_account_is_forgotten(self, app: App, factor_id: str, browser: Browser) -> None:
        """Factors, also at WorkOS, codes and sessions go with the account."""
        outside(app, lambda: app.second_factor.forget("ada"))
        assert browser.get("/") == "home of None"
        assert outside(app, lambda: app.second_factor.status("ada")).factors == ()
        with pytest.raises(LookupError):
            app.emulator.totp_code(factor_id)


class TestTheSession:
    """How long a session lives, and what it is worth."""

    def test_it_ends_after_twelve_hours(self, app: App, factor_id: str, browser: Browser) -> None:
        """However much it is used."""
        assert factor_id
        for _ in range(11):
            app.emulator.clock.advance(HOURS)
            assert browser.get("/private") == PRIVATE
        app.emulator.clock.advance(HOURS)
        assert browser.get("/private") == "the login page"

    def test_a_step_up_changes_the_token_and_keeps_the_session(
        self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """A code in the middle leaves what the app has in the session, and the app need not sign anybody in."""
        app.second_factor.signed_in(lambda _: pytest.fail("it was signed in before"))
        with browser.client.session_transaction() as kept:
            kept["cart"] = "three apples"
        copy = another()
        copy.take_cookies(browser.cookies())
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        assert browser.code(app.next_code(factor_id)) == "GET of the payouts of ada"
        with browser.client.session_transaction() as kept:
            assert kept["cart"] == "three apples"
        assert copy.get("/private") == "the login page"

    def test_sign_out_ends_copies_and_takes_its_own_keys(
        self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """A copy of the cookie is worth nothing after the sign-out; what is the app's in the session stays."""
        assert factor_id
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        with browser.client.session_transaction() as kept:
            kept["cart"] = "three apples"
            assert set(kept) == {our_key("session"), our_key("step"), "cart", "csrf_token"}
        copy = another()
        copy.take_cookies(browser.cookies())
        browser.client.post("/logout")
        with browser.client.session_transaction() as kept:
            assert set(kept) == {"cart", "csrf_token"}
        assert copy.get("/private") == "the login page"
        assert outside(app, lambda: app.second_factor.status("ada")).sessions == 0

    def test_sign_out_with_an_older_copy(
        self, app: App, factor_id: str, browser: Browser, another: Callable[[], Browser]
    ) -> None:
        """It ends what the session has become, under whatever token it is now."""
        copy = another()
        copy.take_cookies(browser.cookies())
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        browser.code(app.next_code(factor_id))
        assert copy.get("/private") == "the login page"
        assert browser.get("/private") == PRIVATE
        copy.client.post("/logout")
        assert browser.get("/private") == "the login page"

    def test_sign_out_of_nobody(self, app: App, factor_id: str, browser: Browser) -> None:
        """Who is not signed in, or not any more, can sign out. Nothing is saved for that."""
        assert factor_id
        copy = browser.cookies()
        assert browser.post("/logout") == "home of None"
        saved = app.store.load("ada")
        assert browser.post("/logout") == "home of None"
        browser.take_cookies(copy)
        assert browser.post("/logout") == "home of None"
        assert app.store.load("ada") == saved

    def test_the_app_and_we_agree(self, app: App, factor_id: str, browser: Browser) -> None:
        """A session counts for the account alone that the app takes the person for."""
        assert factor_id
        current: list[str | None] = ["ada"]
        app.second_factor.current_account(lambda: current[-1])
        assert browser.get("/private") == PRIVATE
        for other in ("grace", None):
            current.append(other)
            assert browser.get("/private") == "the login page"


class TestOtherApps:
    """One key, one cookie: and still each app has its own sessions."""

    def test_another_app_with_the_same_key(self, workos_mfa_emulator: Emulator) -> None:
        """Neither a session nor half a sign-in of one app is worth anything to another one."""
        one, two = App(workos_mfa_emulator), App(workos_mfa_emulator)
        browser = Browser(one)
        browser.sign_in()
        one_factor = browser.enroll_totp()
        victim = Browser(two)
        victim.sign_in()
        victim.enroll_totp()
        attacker = Browser(two)
        attacker.take_cookies(browser.cookies())
        assert attacker.get("/private") == "the login page"
        browser.sign_in()
        attacker.take_cookies(browser.cookies())
        attacker.page = browser.page
        assert "changed in another window" in attacker.code(one.next_code(one_factor))
        assert attacker.get("/private") == "the login page"

    def test_another_app_with_the_same_store_too(self, workos_mfa_emulator: Emulator) -> None:
        """Where two apps have the same accounts, who is signed in to one of them is not signed in to the other."""
        one = App(workos_mfa_emulator)
        two = App(workos_mfa_emulator, one.store, WORKOS_MFA_ISSUER="Bar Inc")
        browser = Browser(one)
        browser.sign_in()
        factor_id = browser.enroll_totp()
        other = Browser(two)
        other.take_cookies(browser.cookies())
        assert other.get("/private") == "the login page"
        browser.sign_in()
        other.take_cookies(browser.cookies())
        assert "not signed in" in other.get(f"{PREFIX}/code")
        other.page = browser.page
        assert "not the newest one" in other.code(one.next_code(factor_id))
        other.sign_in()
        other.code(one.next_code(factor_id))
        assert other.get("/private") == PRIVATE
        with other.client.session_transaction() as kept:
            assert our_key("session", "Bar Inc") in kept

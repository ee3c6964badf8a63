"""What somebody does who is not the owner of an account, and does not get in by it.

The attacker has the password, keeps every cookie and every form, and may have an account of their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from tests.flask.app import App, outside
from tests.flask.browser import PREFIX, Browser, newest_factor
from workos_mfa import Emulator
from workos_mfa.testing import sign_in

CODE = f"{PREFIX}/code"
NUMBER = "+15005550006"


@pytest.fixture
def factor_id(app: App, browser: Browser) -> str:
    """Ada's authenticator app, with recovery codes. The browser is hers, and signed in."""
    sign_in(browser.client, "ada")
    return newest_factor(app)


@pytest.fixture
def attacker(factor_id: str, another: Callable[[], Browser]) -> Browser:
    """A browser of somebody who has given Ada's password."""
    assert factor_id
    attacker = another()
    attacker.sign_in(next_path="/private")
    return attacker


def owns(attacker: Browser) -> bool:
    """Whether the attacker sees what is Ada's."""
    pages = [attacker.client.get(path) for path in ("/private", f"{PREFIX}/", "/")]
    return any(page.status_code == 200 and page.text != "home of None" for page in pages)


class TestChallengeSwapping:
    """A code of the attacker's own factor, for the victim's account."""

    def test_the_forms_name_no_challenge(self, app: App, attacker: Browser) -> None:
        """Whatever ids a form brings along, the code is checked for the factor that the session has."""
        own = Browser(app)
        sign_in(own.client, "mallory")
        mallory = newest_factor(app)
        fields = {"factor": mallory, "factor_id": mallory, "account_id": "mallory", "challenge_id": "auth_challenge_1"}
        page = attacker.post(CODE, code=app.emulator.totp_code(mallory), **fields)
        assert "That code is not right." in page
        assert not owns(attacker)

    def test_the_own_factor_can_not_be_chosen(self, app: App, attacker: Browser) -> None:
        """A switch leads to a factor of the account alone."""
        own = Browser(app)
        sign_in(own.client, "mallory")
        assert "changed in another window" in attacker.post(f"{CODE}/switch", factor=newest_factor(app))

    def test_half_a_sign_in_of_two(self, app: App, attacker: Browser) -> None:
        """Who begins a sign-in to another account in the same browser ends in that one, with a code of that one."""
        own = Browser(app)
        sign_in(own.client, "mallory")
        mallory = newest_factor(app)
        adas_form = attacker.page
        attacker.sign_in("mallory")
        attacker.page = adas_form
        assert "not the newest one" in attacker.code(app.emulator.totp_code(mallory))
        attacker.get(CODE)
        assert attacker.code(app.emulator.totp_code(mallory)) == "home of mallory"

    def test_the_session_of_one_and_the_step_of_another(self, app: App, attacker: Browser) -> None:
        """Who is signed in to an account of their own can't give its codes, or its permits, for the other one."""
        sign_in(attacker.client, "mallory")
        mallory = newest_factor(app)
        attacker.sign_in()
        assert "not right" in attacker.code(app.emulator.totp_code(mallory))
        assert "need a code first" in attacker.post(f"{PREFIX}/new/totp")
        assert attacker.get("/") == "home of mallory"


class TestReplay:
    """What was good once."""

    def test_a_code_that_was_seen(self, app: App, factor_id: str, browser: Browser, attacker: Browser) -> None:
        """Who looks over the owner's shoulder is too late."""
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        code = app.emulator.totp_code(factor_id)
        browser.code(code)
        assert "used already" in attacker.code(code)
        assert not owns(attacker)

    def test_two_at_once(self, app: App, factor_id: str, another: Callable[[], Browser]) -> None:
        """Of many who give one code at the same time, one gets in."""
        browsers = [another() for _ in range(5)]
        for each in browsers:
            each.sign_in()
        code = app.emulator.totp_code(factor_id)
        with ThreadPoolExecutor(len(browsers)) as pool:
            pages = list(pool.map(lambda each: each.code(code), browsers))
        assert pages.count("home of ada") == 1

    def test_a_cookie_from_before(self, app: App, factor_id: str, attacker: Browser) -> None:
        """The cookie of half a sign-in is worth nothing more when the sign-in is done: the code is used up."""
        copy, page = attacker.cookies(), attacker.page
        code = app.emulator.totp_code(factor_id)
        assert attacker.code(code) == "the private page of ada"
        attacker.take_cookies(copy)
        attacker.page = page
        assert "used already" in attacker.code(code)

    def test_a_cookie_that_was_kept(self, factor_id: str, browser: Browser, another: Callable[[], Browser]) -> None:
        """After the sign-out no copy opens anything, not even after the next sign-in."""
        assert factor_id
        thief = another()
        thief.take_cookies(browser.cookies())
        assert owns(thief)
        browser.client.post("/logout")
        assert not owns(thief)
        sign_in(browser.client, "ada")
        assert not owns(thief)


def test_fixation(app: App, factor_id: str, browser: Browser, attacker: Browser) -> None:
    """A cookie that the attacker has planted is not the one that the victim signs in with."""
    planted = attacker.cookies()
    victim = Browser(app)
    victim.take_cookies(planted)
    victim.sign_in()
    assert victim.code(app.emulator.totp_code(factor_id)) == "home of ada"
    assert victim.cookies() != planted
    assert not owns(attacker)
    browser.client.post("/logout")
    assert not owns(attacker)


class KeptSession(CallbackDict[str, Any], SessionMixin):
    """A session that stays on the server."""

    def __init__(self, session_id: str, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.id = session_id


class ServerSide(SessionInterface):
    """Keeps sessions by an id that the browser has, and takes any id that comes, as Flask-Session does."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def open_session(self, app: Flask, request: Request) -> KeptSession:
        """The session of the browser's id."""
        session_id = request.cookies.get(self.get_cookie_name(app)) or secrets.token_hex()
        return KeptSession(session_id, self.kept.get(session_id, {}))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep it."""
        assert isinstance(session, KeptSession)
        self.kept[session.id] = dict(session)
        response.set_cookie(self.get_cookie_name(app), session.id)

    def regenerate(self, session: KeptSession) -> None:
        """Give it another id; the one before is worth nothing."""
        self.kept.pop(session.id, None)
        session.id = secrets.token_hex()


def test_fixation_of_a_session_on_the_server(app: App, browser: Browser, another: Callable[[], Browser]) -> None:
    """Where the cookie has only an id, the one that the attacker has planted is not the one of the victim's session."""
    app.flask.session_interface = ServerSide()
    attacker = another()
    for each in (attacker, browser):
        each.client.set_cookie("session", "planted")
    attacker.get(f"{PREFIX}/code")
    browser.sign_in()
    assert browser.get("/") == "home of ada"
    assert attacker.get("/") == "home of None"
    browser.enroll_totp()
    assert browser.get("/private") == "the private page of ada"
    assert not owns(attacker)


class TestADeadSession:
    """A copy of a cookie whose session has ended while a code was awaited."""

    @pytest.fixture
    def copy(self, app: App, browser: Browser, another: Callable[[], Browser]) -> Browser:
        """The attacker's copy, on the code page. Ada, whose second factor is her phone, has signed out since."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER)
        browser.code(app.message())
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        copy = another()
        copy.take_cookies(browser.cookies())
        copy.get(CODE)
        assert "ends in 06" in copy.text
        browser.client.post("/logout")
        return copy

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "code"),
            ("POST", "code"),
            ("POST", "code/send"),
            ("POST", "code/switch"),
            ("GET", "recovery"),
            ("POST", "recovery"),
        ],
    )
    def test_it_is_worth_nothing(self, app: App, copy: Browser, method: str, path: str) -> None:
        """It sends no message, calls nobody, takes no try from the owner, tells nothing, and leads to the password."""
        calls = app.calls()
        limits = app.flask.extensions["workos_mfa"].backend.limits
        counted = dict(limits._storage.storage)
        fields = {**copy.hidden_fields(), "code": "123456", "factor": "auth_factor_1"}
        for _ in range(2):
            copy.page = copy.client.open(f"{PREFIX}/{path}", method=method, data=fields, follow_redirects=True)
            assert "You are not signed in any more." in copy.text
            assert "06" not in copy.text
            assert 'href="/login?next=' in copy.html
        assert app.calls() == calls
        assert dict(limits._storage.storage) == counted


class TestOtherSites:
    """What a page of another site can make the victim's browser do."""

    def test_a_form_of_theirs(self, app: App, factor_id: str, browser: Browser, attacker: Browser) -> None:
        """A form without our token, or with the attacker's, changes nothing."""
        token = attacker.hidden_fields()["csrf_token"]
        for fields in ({}, {"csrf_token": token}):
            response = browser.client.post(f"{PREFIX}/remove", data={"factor": factor_id, **fields})
            assert "came from another page" in response.text
        assert app.calls() == ["enroll_factor"]

    def test_a_link_of_theirs(self, app: App, browser: Browser, factor_id: str) -> None:
        """A link to the sign-in with another site in ``next`` ends on this site."""
        browser.sign_in(next_path="//evil.test/private")
        assert browser.code(app.emulator.totp_code(factor_id)) == "home of ada"


class TestBruteForce:
    """Guessing codes."""

    def test_from_one_address(self, app: App, attacker: Browser) -> None:
        """After five wrong codes the account is locked, and a new sign-in does not help."""
        wrong = app.emulator.wrong_code(newest_factor(app))
        statuses = []
        for _ in range(8):
            attacker.sign_in()
            attacker.code(wrong)
            statuses.append(attacker.status)
        assert statuses == [422] * 5 + [429] * 3
        assert app.calls().count("verify_challenge") == 5

    def test_from_many_addresses(self, app: App, factor_id: str, another: Callable[[], Browser]) -> None:
        """The account is counted too: twenty an hour and fifty a day, wherever they come from."""
        checked: list[int] = []
        for _ in range(4):
            before = app.calls().count("verify_challenge")
            for _ in range(12):
                browser = another()
                browser.sign_in()
                for _ in range(6):
                    browser.code(app.emulator.wrong_code(factor_id))
                app.emulator.clock.advance(300)
            checked.append(app.calls().count("verify_challenge") - before)
        assert checked == [20, 20, 10, 0]

    def test_many_accounts_from_one_network(self, workos_mfa_emulator: Emulator) -> None:
        """An address is counted over all accounts; of IPv6, all that one customer has is one address."""
        app = App(workos_mfa_emulator, WORKOS_MFA_LIMITS={"codes_by_address": "3 per hour"})

        def guess(account: str, address: str) -> int:
            browser = Browser(app, address=address)
            sign_in(browser.client, account)
            browser.sign_in(account)
            browser.code(app.emulator.wrong_code(newest_factor(app)))
            return browser.status

        for addresses in (
            ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"],
            ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3", "2001:db8:0:0:1::"],
            ["fe80::1%eth0", "fe80::2", "fe80::3%eth1", "fe80::4"],
            ["a.test", "a.test", "a.test", "a.test"],
        ):
            statuses = [guess(f"{name} of {addresses[0]}", address) for name, address in enumerate(addresses)]
            assert statuses == [422, 422, 422, 429]
        assert guess("grace", "2001:db8:0:1::") == 422

    def test_the_owner_is_not_locked_out_for_good(self, app: App, factor_id: str, browser: Browser) -> None:
        """While somebody guesses, who is signed in goes on, and a recovery code of the support signs in."""
        attacker = Browser(app, address="198.51.100.1")
        attacker.sign_in()
        for _ in range(6):
            attacker.code(app.emulator.wrong_code(factor_id))
        assert browser.get("/private") == "the private page of ada"
        owner = Browser(app, address="203.0.113.5")
        owner.sign_in(next_path="/private")
        assert "Please wait" in owner.code(app.emulator.totp_code(factor_id))
        code = outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="locked"))
        owner.get(f"{PREFIX}/recovery")
        assert owner.post(f"{PREFIX}/recovery", code=code) == "the private page of ada"


def test_messages_without_end(app: App, browser: Browser, another: Callable[[], Browser]) -> None:
    """Who has the password can't order more than ten messages a day, wherever they ask from."""
    sign_in(browser.client, "ada", age=None)
    browser.get(f"{PREFIX}/new")
    browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER)
    browser.code(app.message())
    app.emulator.clock.advance(12 * 3600)  # to the next day
    sent = len(app.emulator.outbox)
    counts: list[int] = []
    for _ in range(4):
        for _ in range(6):
            another().sign_in()
        counts.append(len(app.emulator.outbox) - sent)
        app.emulator.clock.advance(3600)
    assert counts == [5, 10, 10, 10]


class TestWhoHasASecondFactor:
    """Nobody learns that without the password."""

    def test_before_the_password(self, factor_id: str, another: Callable[[], Browser]) -> None:
        """No page of ours says anything to a stranger about any account."""
        assert factor_id
        paths = ["/", "/code", "/new", "/recovery", "/recovery-codes"]
        with_factor, without = (
            [another().get(f"{PREFIX}{path}?account={account}&account_id={account}") for path in paths]
            for account in ("ada", "grace")
        )
        assert with_factor == without
        assert "ada" not in str(with_factor)


class TestTheSecret:
    """The page with the QR code, later on the same computer."""

    def test_the_back_button(self, app: App, browser: Browser) -> None:
        """No cache may keep the page, and a form that is sent again makes another secret, or none."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/new")
        form = browser.page
        browser.post(f"{PREFIX}/new/totp")
        assert browser.headers["Cache-Control"] == "no-store"
        browser.code(app.emulator.totp_code(newest_factor(app)))
        browser.page = form
        assert "need a code first" in browser.post(f"{PREFIX}/new/totp")
        browser.client.post("/logout")
        browser.page = form
        assert "not signed in any more" in browser.post(f"{PREFIX}/new/totp")


class TestTwoTabs:
    """Forms of two tabs, mixed up."""

    def test_a_code_for_the_other_tab(self, app: App, factor_id: str, browser: Browser) -> None:
        """A code that was typed to see a page does not remove a factor that another tab asked to remove."""
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        confirm = browser.page
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/remove", factor=factor_id)
        browser.page = confirm
        assert "not the newest one" in browser.code(app.emulator.totp_code(factor_id))
        assert outside(app, lambda: app.second_factor.status("ada")).factors == (("totp", ""),)

    def test_cancel_send_and_switch_too(self, app: App, factor_id: str, browser: Browser) -> None:
        """Every form of a code page belongs to what it asked for."""
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        confirm = browser.page
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/remove", factor=factor_id)
        for path in ("code/cancel", "code/send", "code/switch", "recovery"):
            browser.page = confirm
            assert "not the newest one" in browser.post(f"{PREFIX}/{path}", factor=factor_id)


class TestOnePhishedCode:
    """The attacker has the password, and one code that the victim typed into a page of theirs."""

    @pytest.fixture
    def phisher(self, app: App, factor_id: str, attacker: Browser) -> Browser:
        """Signed in with the phished code."""
        assert attacker.code(app.emulator.totp_code(factor_id)) == "the private page of ada"
        return attacker

    def test_no_factor_is_added_or_removed(self, app: App, factor_id: str, phisher: Browser) -> None:
        """Each change asks for a code of its own, which the attacker does not have: it is no takeover."""
        phished = app.emulator.totp_code(factor_id)
        for path in ("add", "remove", "recovery-codes"):
            phisher.get(f"{PREFIX}/")
            phisher.post(f"{PREFIX}/{path}", factor=factor_id)
            assert "used already" in phisher.code(phished)
        for path in ("new/totp", "new/sms", "replace", "recovery-codes"):
            phisher.get(f"{PREFIX}/")
            phisher.post(f"{PREFIX}/{path}", factor=factor_id, phone_number=NUMBER)
        assert app.calls().count("enroll_factor") == 1
        status = outside(app, lambda: app.second_factor.status("ada"))
        assert (status.factors, status.recovery_codes) == ((("totp", ""),), 0)

    def test_the_victim_throws_them_out(self, app: App, factor_id: str, phisher: Browser, browser: Browser) -> None:
        """With a new password, or any change of factors, the attacker's session is over."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/add")
        browser.code(app.next_code(factor_id))
        browser.post(f"{PREFIX}/new/sms", phone_number=NUMBER)
        browser.code(app.message())
        assert not owns(phisher)
        assert browser.get("/private") == "the private page of ada"


def test_an_enrolment_of_somebody_else(app: App, browser: Browser, another: Callable[[], Browser]) -> None:
    """The code of a factor that one browser has begun to enroll confirms none that another one began."""
    attacker = another()
    for each in (attacker, browser):
        sign_in(each.client, "ada", age=None)
        each.get(f"{PREFIX}/new")
    attacker.post(f"{PREFIX}/new/totp")
    evil = newest_factor(app)
    code = app.emulator.totp_code(evil)
    browser.post(f"{PREFIX}/new/totp")
    assert "began to add another factor" in attacker.code(code)
    assert "not right" in browser.code(app.emulator.wrong_code(newest_factor(app)))
    assert outside(app, lambda: app.second_factor.status("ada")).factors == ()


def test_a_code_of_the_support_alone(app: App, factor_id: str, another: Callable[[], Browser]) -> None:
    """Who intercepts it, without the password, has nothing; and it is good for its account alone."""
    assert factor_id
    code = outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="lost"))
    stranger = another()
    sign_in(stranger.client, "mallory")
    stranger.sign_in("mallory")
    stranger.get(f"{PREFIX}/recovery")
    assert "not right" in stranger.post(f"{PREFIX}/recovery", code=code)
    assert outside(app, lambda: app.second_factor.status("ada")).support_code

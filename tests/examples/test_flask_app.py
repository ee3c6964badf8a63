"""The Flask example, walked through as a person would, on the emulator and its clock."""

from __future__ import annotations

import re
import runpy
import sys
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from examples.flask_app import __main__ as command
from examples.flask_app.accounts import Account, Accounts, OwnFactor
from examples.flask_app.app import create_app
from examples.flask_app.limits import Limit
from examples.flask_app.second_factor import seconds
from workos_mfa import MFA, Emulator

ADA, GRACE = "ada@example.com", "grace@example.com"
PASSWORD = "correct horse"
NUMBER = "+15005550006"
NOON = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)


class Compiled(BytecodeCache):
    """Templates that are compiled once, not once for each test's app."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is there."""
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what is new."""
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Browser:
    """A person at a browser: sees pages, fills in the form in front of them."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.app = app
        self.page: TestResponse
        self.cookies: list[str] = []

    def get(self, path: str) -> str:
        """Open a page."""
        return self._see(self.client.get(path))

    def post(self, path: str, **fields: str) -> str:
        """Send a form with the token of the page in sight, and follow to where it leads."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page.text)
        assert token
        return self._see(self.client.post(path, data={"csrf_token": token[1], **fields}))

    def sign_in(self, email: str = ADA, password: str = PASSWORD) -> str:
        """Go the first step."""
        self.get("/sign-in")
        return self.post("/sign-in", email=email, password=password)

    def code(self, code: str) -> str:
        """Type a code."""
        return self.post("/code", code=code)

    @property
    def path(self) -> str:
        """Where the browser has ended up."""
        return self.page.request.path

    @property
    def status(self) -> int:
        """The status of the page in sight."""
        return self.page.status_code

    @property
    def session(self) -> dict[str, Any]:
        """What the cookie holds."""
        with self.client.session_transaction() as session:
            return dict(session)

    def edit_session(self, **pending: str) -> None:
        """Change the code that is awaited, as a fault in the app might."""
        with self.client.session_transaction() as session:
            session["pending"] = {**session["pending"], **pending}

    def _see(self, page: TestResponse) -> str:
        self.cookies += page.headers.getlist("Set-Cookie")
        while page.status_code == 303:
            page = self.client.get(page.location)
            self.cookies += page.headers.getlist("Set-Cookie")
        self.page = page
        return unescape(page.text)


@pytest.fixture
def emulator() -> Emulator:
    """The emulator, at noon until a test moves its clock."""
    return Emulator(now=NOON)


@pytest.fixture
def accounts() -> Accounts:
    """Two people, their passwords hashed in no time."""
    return Accounts({ADA: PASSWORD, GRACE: PASSWORD}, method="pbkdf2:sha256:1")


@pytest.fixture
def ada(accounts: Accounts) -> Account:
    """The account that most tests sign in to."""
    account = accounts.get("account_1")
    assert account
    return account


@pytest.fixture
def grace(accounts: Accounts) -> Account:
    """Another account."""
    account = accounts.get("account_2")
    assert account
    return account


@pytest.fixture
def app(emulator: Emulator, accounts: Accounts) -> Flask:
    """The app, by the emulator's clock."""
    clock = emulator.clock
    app = create_app(
        MFA(transport=emulator), accounts, secret_key="for tests only", now=lambda: clock.now().timestamp()
    )
    app.jinja_env.bytecode_cache = COMPILED
    app.testing = True
    return app


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser in front of it."""
    return Browser(app)


def has_totp(emulator: Emulator, account: Account) -> OwnFactor:
    """Give an account an authenticator app."""
    factor = MFA(transport=emulator).enroll_factor(type="totp", issuer="Foo Corp", user=account.email)
    own = account.factors[factor.id] = OwnFactor(factor.id, "totp", "Authenticator app", confirmed=True)
    return own


def has_sms(emulator: Emulator, account: Account) -> OwnFactor:
    """Give an account a phone."""
    factor = MFA(transport=emulator).enroll_factor(type="sms", phone_number=NUMBER)
    own = account.factors[factor.id] = OwnFactor(factor.id, "sms", "Text message to •••0006", confirmed=True)
    return own


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


class TestPassword:
    """The first step."""

    def test_who_is_not_signed_in(self, browser: Browser) -> None:
        """Who is not signed in is led to the sign-in page."""
        browser.get("/")
        assert browser.path == "/sign-in"
        browser.get("/factors/add")
        assert browser.path == "/sign-in"
        browser.get("/code")
        assert browser.path == "/sign-in"

    @pytest.mark.parametrize(("email", "password"), [(ADA, "wrong"), ("nobody@example.com", PASSWORD), ("", "")])
    def test_wrong_password(self, browser: Browser, email: str, password: str) -> None:
        """A wrong password and an unknown address look the same."""
        page = browser.sign_in(email, password)
        assert browser.status == 422
        assert "E-mail address or password is not right." in page
        assert "<title>Error: Sign in" in page

    def test_no_factor_yet(self, browser: Browser) -> None:
        """Without a factor the password signs in, and the app asks for one to be added."""
        assert "has a password only" in browser.sign_in(" Ada@Example.com ")
        assert browser.path == "/factors/add"
        assert "whoever has your password has your account" in browser.get("/")

    def test_new_session(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """The session is new after the password and again after the code; the password alone is no sign-in."""
        factor = has_totp(emulator, ada)
        browser.get("/sign-in")
        with browser.client.session_transaction() as session:
            session["planted"] = "by somebody else"
        tokens = {browser.session["csrf"]}
        browser.post("/sign-in", email=ADA, password=PASSWORD)
        assert "planted" not in browser.session
        assert "account" not in browser.session
        tokens.add(browser.session["csrf"])
        browser.code(emulator.totp_code(factor.id))
        assert browser.session.keys() == {"account", "csrf"}
        tokens.add(browser.session["csrf"])
        assert len(tokens) == 3

    def test_sign_out(self, browser: Browser) -> None:
        """Signing out leaves nothing in the session."""
        browser.sign_in()
        browser.post("/sign-out")
        assert browser.path == "/sign-in"
        assert browser.session.keys() == {"csrf"}

    def test_account_gone(self, browser: Browser) -> None:
        """A session of an account that is no more leads to the sign-in page."""
        browser.sign_in()
        with browser.client.session_transaction() as session:
            session["account"] = "account_99"
        browser.get("/")
        assert browser.path == "/sign-in"


class TestEnrolment:
    """Adding a factor."""

    def test_totp(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """An authenticator app counts after its first right code; its page serves people who can't scan or see too."""
        browser.sign_in()
        page = browser.post("/factors/totp")
        (factor,) = ada.unconfirmed
        assert re.search(r'<img class="qr" src="data:image/png;base64,[^"]+"', page)
        assert 'alt="QR code' in page
        assert 'aria-describedby="by-hand secret"' in page
        assert re.search(r"(<span>[A-Z2-7]{4}</span>){8}", page)
        assert 'href="otpauth://totp/' in page
        page = browser.code(wrong(emulator.totp_code(factor.id)))
        assert browser.status == 422
        assert "That code is not right." in page
        assert not ada.confirmed
        page = browser.code(emulator.totp_code(factor.id))
        assert "Authenticator app now protects your account." in page
        assert ada.confirmed == [factor]

    def test_sms(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A phone counts after its first right code, however its number was written."""
        browser.sign_in()
        page = browser.post("/factors/sms", phone_number="+1 (500) 555-0006")
        assert "Text message to •••0006" in page
        message = emulator.outbox.latest(to=NUMBER)
        assert message.text.startswith("Your Foo Corp code is ")
        page = browser.code(wrong(message.code))
        assert "newest text message" in page
        assert not ada.confirmed
        browser.code(f"{message.code[:3]} {message.code[3:]}")
        assert [factor.label for factor in ada.confirmed] == ["Text message to •••0006"]

    @pytest.mark.parametrize("number", ["", "12", "5005550006x", "+1 500", '"><script>alert(1)</script>', "+12"])
    def test_not_e164(self, browser: Browser, emulator: Emulator, ada: Account, number: str) -> None:
        """A number that is not E.164 is explained, and nothing is enrolled or sent."""
        browser.sign_in()
        page = browser.post("/factors/sms", phone_number=number)
        assert browser.status == 422
        assert "Write it with + and the country code." in page
        assert "<script" not in browser.page.text
        assert not ada.factors
        assert not emulator.outbox

    def test_number_refused(self, browser: Browser, ada: Account) -> None:
        """A number in the right form that the API refuses is explained too."""
        browser.sign_in()
        assert "We can't send text messages to this number." in browser.post(
            "/factors/sms", phone_number="+11005550006"
        )
        assert not ada.factors

    def test_an_enrolment_begun_anew(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """An enrolment that is begun anew deletes what the one before has left."""
        browser.sign_in()
        browser.post("/factors/totp")
        browser.post("/factors/totp")
        assert len(ada.factors) == 1
        assert [call.operation for call in emulator.calls].count("delete_factor") == 1

    def test_a_factor_that_could_not_be_deleted(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """What could not be deleted does not stop anybody, and is deleted the next time."""
        browser.sign_in()
        browser.post("/factors/totp")
        emulator.faults.refuse_connection(operation="delete_factor", count=None)
        browser.post("/factors/totp")
        assert len(ada.unconfirmed) == 2
        emulator.faults.clear()
        browser.post("/factors/totp")
        assert len(ada.unconfirmed) == 1

    def test_a_code_for_a_replaced_enrolment(self, app: Flask, browser: Browser, ada: Account) -> None:
        """A code for an enrolment that was begun anew in another window proves nothing."""
        browser.sign_in()
        browser.post("/factors/totp")
        other = Browser(app)
        other.sign_in()
        other.post("/factors/totp")
        browser.code("123456")
        assert browser.path == "/"
        assert not ada.confirmed

    def test_a_new_factor_needs_its_own_code(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A new factor is proved by its own code and by no other factor's."""
        first = has_totp(emulator, ada)
        browser.sign_in()
        browser.code(emulator.totp_code(first.id))
        browser.post("/factors/sms", phone_number=NUMBER)
        assert "Use instead" not in browser.page.text
        browser.post("/code/switch", factor_id=first.id)
        assert browser.status == 404
        assert ada.confirmed == [first]

    def test_locked(self, browser: Browser, emulator: Emulator, app: Flask) -> None:
        """An account that may try no code is told so, and can go on when the time is over."""
        browser.sign_in()
        tries: Limit = app.extensions["second_factor"].tries
        for _ in range(5):
            tries.take("account_1")
        assert "Please wait 15 minutes" in browser.post("/factors/totp")
        assert "Please ask for a code first." in browser.code("123456")
        emulator.clock.advance(15 * 60)
        browser.post("/code/new")
        assert 'name="code"' in browser.page.text


class TestSignIn:
    """The second step."""

    def test_totp(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A code from the app signs in; the page has no id in it, and the password alone opens nothing."""
        factor = has_totp(emulator, ada)
        page = browser.sign_in()
        assert browser.path == "/code"
        assert 'inputmode="numeric" autocomplete="one-time-code"' in page
        assert "auth_challenge_" not in page
        assert "auth_factor_" not in page
        browser.get("/")
        assert browser.path == "/sign-in", "the password alone signs nobody in"
        browser.get("/code")
        page = browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"
        assert f"signed in as <strong>{ADA}" in page

    def test_sms(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A code from a text message signs in."""
        has_sms(emulator, ada)
        browser.sign_in()
        browser.code(emulator.outbox.latest(to=NUMBER).code)
        assert browser.path == "/"

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12\x00456"])
    def test_no_code(self, browser: Browser, emulator: Emulator, ada: Account, code: str) -> None:
        """What has not six digits is not sent, and is no try."""
        has_totp(emulator, ada)
        browser.sign_in()
        for _ in range(6):
            assert "A code has six digits." in browser.code(code)
        assert browser.status == 422
        assert [call.operation for call in emulator.calls][-1] == "challenge_factor"

    def test_wrong_code(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """After a wrong code the same page asks again, for the same challenge."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        challenge_id = browser.session["pending"]["challenge_id"]
        page = browser.code(wrong(emulator.totp_code(factor.id)))
        assert (browser.path, browser.status) == ("/code", 422)
        assert 'aria-invalid="true" aria-describedby="problem"' in page
        assert browser.session["pending"]["challenge_id"] == challenge_id
        browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"

    def test_expired(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """After ten minutes there is a new challenge, and a word about it."""
        has_sms(emulator, ada)
        browser.sign_in()
        old = emulator.outbox.latest().code
        emulator.clock.advance(601)
        assert "That code has expired." in browser.code(old)
        new = emulator.outbox.latest().code
        assert len(emulator.outbox) == 2
        browser.code(new)
        assert browser.path == "/"

    def test_a_verified_challenge_is_replaced(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A challenge that was verified already is replaced, and the code does not count twice."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        used = browser.session["pending"]["challenge_id"]
        code = emulator.totp_code(factor.id)
        assert MFA(transport=emulator).verify_challenge(used, code=code)
        assert "That code was used already." in browser.code(code)
        assert browser.session["pending"]["challenge_id"] != used

    def test_too_many(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """When the API has seen too many wrong codes for a challenge there is a new one."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        emulator.faults.respond(
            400, {"code": "one_time_code_too_many_attempts"}, operation="verify_challenge", count=None
        )
        used_up = browser.session["pending"]["challenge_id"]
        assert "There were too many wrong codes." in browser.code("123456")
        assert browser.session["pending"]["challenge_id"] not in {None, used_up}
        emulator.faults.clear()
        browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"

    def test_challenge_gone(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A challenge that the API does not know is replaced."""
        has_totp(emulator, ada)
        browser.sign_in()
        browser.edit_session(challenge_id="auth_challenge_gone")
        assert "That code is no longer known." in browser.code("123456")
        assert browser.session["pending"]["challenge_id"] != "auth_challenge_gone"

    def test_factor_gone(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A factor that was deleted at WorkOS is explained, and no code is asked for."""
        factor = has_totp(emulator, ada)
        MFA(transport=emulator).delete_factor(factor.id)
        page = browser.sign_in()
        assert "This method does not exist any more." in page
        assert 'name="code"' not in page

    def test_another_method(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """Whoever has two factors may use the other one; no text message is sent before it is chosen."""
        has_totp(emulator, ada)
        phone = has_sms(emulator, ada)
        assert "Use instead: Text message to •••0006" in browser.sign_in()
        assert not emulator.outbox
        browser.post("/code/switch", factor_id=phone.id)
        browser.code(emulator.outbox.latest().code)
        assert browser.path == "/"

    def test_factor_removed(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A factor that was removed in another window ends the second step."""
        has_totp(emulator, ada)
        browser.sign_in()
        ada.factors.clear()
        browser.get("/code")
        assert browser.path == "/sign-in"


class TestTextMessages:
    """A text message costs money and annoys: one a minute."""

    def test_asking_again_too_soon(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """Asking again within a minute sends nothing, and the first code goes on working."""
        has_sms(emulator, ada)
        browser.sign_in()
        emulator.clock.advance(20)
        assert "You can have another text message in 40 seconds." in browser.post("/code/new")
        assert len(emulator.outbox) == 1
        browser.code(emulator.outbox.latest().code)
        assert browser.path == "/"

    def test_a_challenge_used_up_too_soon(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """If the challenge is used up within the minute no code is asked for until there can be a new one."""
        has_sms(emulator, ada)
        browser.sign_in()
        emulator.faults.respond(
            400, {"code": "one_time_code_too_many_attempts"}, operation="verify_challenge", count=None
        )
        page = browser.code("123456")
        assert "There were too many wrong codes." in page
        assert "You can have another text message in 60 seconds." in page
        assert 'name="code"' not in page
        assert "Please ask for a code first." in browser.post("/code", code="123456")

    def test_a_switch_too_soon(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A switch to a factor that can't be challenged yet does not keep the other factor's challenge."""
        phone = has_sms(emulator, ada)
        app_factor = has_totp(emulator, ada)
        browser.sign_in()
        browser.post("/code/switch", factor_id=app_factor.id)
        assert 'name="code"' in browser.page.text
        browser.post("/code/switch", factor_id=phone.id)
        assert 'name="code"' not in browser.page.text

    def test_a_minute_later(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """After a minute another message is sent."""
        has_sms(emulator, ada)
        browser.sign_in()
        emulator.clock.advance(60)
        browser.post("/code/new")
        assert len(emulator.outbox) == 2
        browser.code(emulator.outbox.latest().code)
        assert browser.path == "/"

    def test_by_account(self, app: Flask, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """The minute is counted by account, whatever the session."""
        has_sms(emulator, ada)
        browser.sign_in()
        page = Browser(app).sign_in()
        assert "You can have another text message in 60 seconds." in page
        assert "We have not sent you a code." in page
        assert len(emulator.outbox) == 1

    def test_unclear(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """If it is unclear whether a message was sent the page says so, and the minute counts."""
        has_sms(emulator, ada)
        emulator.faults.lose_request(operation="challenge_factor", count=None)
        page = browser.sign_in()
        assert "A text message may be on its way, but its code won't work." in page
        assert browser.path == "/code"
        emulator.faults.clear()
        assert "You can have another text message in 60 seconds." in browser.post("/code/new")
        emulator.clock.advance(60)
        browser.post("/code/new")
        browser.code(emulator.outbox.latest().code)
        assert browser.path == "/"

    def test_not_sent(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A message that was surely not sent leaves the minute unused."""
        has_sms(emulator, ada)
        emulator.faults.refuse_connection(operation="challenge_factor", count=None)
        browser.sign_in()
        assert browser.status == 503
        emulator.faults.clear()
        browser.get("/code")
        browser.post("/code/new")
        assert len(emulator.outbox) == 1

    @pytest.mark.parametrize(
        ("headers", "code", "notice"),
        [
            ({"retry-after": "120"}, "sms_challenge_rate_limited", "Please ask for a code again in 2 minutes."),
            ({}, "sms_challenge_rate_limited", "Please ask for a code again in 60 seconds."),
            ({"retry-after": "0"}, "rate_limit_exceeded", "Please ask for a code again in a second."),
            ({}, "sms_challenge_quota_reached", "We can't send text messages at the moment."),
        ],
    )
    def test_throttled(
        self, browser: Browser, emulator: Emulator, ada: Account, headers: dict[str, str], code: str, notice: str
    ) -> None:
        """Where the API throttles, the page says how long to wait."""
        has_sms(emulator, ada)
        emulator.faults.respond(429, {"code": code}, headers=headers, operation="challenge_factor")
        assert notice in browser.sign_in()
        assert browser.path == "/code"


class TestLimit:
    """Five wrong codes for an account, whatever the challenge."""

    def test_new_challenges_do_not_reset_the_limit(
        self, app: Flask, browser: Browser, emulator: Emulator, ada: Account
    ) -> None:
        """New challenges and new sessions do not reset it; a locked account is sent no code until the time is over."""
        factor = has_totp(emulator, ada)
        for _ in range(4):
            browser.sign_in()
            browser.code(wrong(emulator.totp_code(factor.id)))
        other = Browser(app)
        other.sign_in()
        other.code(wrong(emulator.totp_code(factor.id)))
        page = other.code(emulator.totp_code(factor.id))
        assert other.status == 429
        assert other.page.headers["Retry-After"] == "900"
        assert "Please wait 15 minutes" in page
        page = browser.sign_in()
        assert "Please wait 15 minutes" in page
        assert 'name="code"' not in page, "a locked account is sent no code"
        emulator.clock.advance(900)
        browser.sign_in()
        browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"

    def test_by_account(self, app: Flask, browser: Browser, emulator: Emulator, ada: Account, grace: Account) -> None:
        """A locked account locks no other."""
        hers, other = has_totp(emulator, ada), has_totp(emulator, grace)
        browser.sign_in()
        for _ in range(6):
            browser.code(wrong(emulator.totp_code(hers.id)))
        assert browser.status == 429
        next_one = Browser(app)
        next_one.sign_in(GRACE)
        next_one.code(emulator.totp_code(other.id))
        assert next_one.path == "/"

    def test_right_code(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A right code lets the count begin anew."""
        factor = has_totp(emulator, ada)
        for _ in range(3):
            browser.sign_in()
            for _ in range(4):
                browser.code(wrong(emulator.totp_code(factor.id)))
            browser.code(emulator.totp_code(factor.id))
            assert browser.path == "/"
            emulator.clock.advance(30)

    def test_an_unchecked_code_is_no_try(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A code that the API has not looked at is no try; a throttled check says how long to wait."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        emulator.faults.respond(429, {}, retry_after=3, operation="verify_challenge", count=None)
        for _ in range(6):
            page = browser.code("123456")
        assert (browser.status, browser.page.headers["Retry-After"]) == (429, "3")
        assert "Please try again in 3 seconds." in page
        emulator.faults.clear()
        browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"

    def test_nothing_is_given_back_that_was_not_taken(self) -> None:
        """There is nothing to give back where nothing was taken."""
        limit = Limit(1, 60, lambda: 0.0)
        limit.give_back("account_1")
        limit.forget("account_1")
        assert (limit.take("account_1"), limit.take("account_1")) == (0, 60)

    @pytest.mark.parametrize(
        ("count", "words"), [(1, "a second"), (2, "2 seconds"), (90, "90 seconds"), (91, "2 minutes")]
    )
    def test_waits_in_words(self, count: int, words: str) -> None:
        """Waits are put in words."""
        assert seconds(count) == words


class TestOtherPeoplesFactors:
    """Nobody's factor but one's own opens one's account."""

    def test_another_accounts_factor(self, browser: Browser, emulator: Emulator, ada: Account, grace: Account) -> None:
        """Another account's factor can't be switched to or removed."""
        mine, hers = has_totp(emulator, ada), has_sms(emulator, grace)
        browser.sign_in()
        browser.post("/code/switch", factor_id=hers.id)
        assert browser.status == 404
        browser.get("/code")
        browser.code(emulator.totp_code(mine.id))
        browser.post("/factors/remove", factor_id=hers.id)
        assert browser.status == 404
        assert not emulator.outbox
        assert hers.id in grace.factors

    def test_their_challenge(self, browser: Browser, emulator: Emulator, ada: Account, grace: Account) -> None:
        """A right code for a challenge of another account's factor does not count."""
        mine, hers = has_totp(emulator, ada), has_sms(emulator, grace)
        browser.sign_in()
        challenge = MFA(transport=emulator).challenge_factor(hers.id)
        browser.edit_session(challenge_id=challenge.id)
        page = browser.code(emulator.outbox.latest(challenge_id=challenge.id).code)
        assert browser.path == "/code"
        assert "That code was for another method." in page
        browser.code(emulator.totp_code(mine.id))
        assert browser.path == "/"


class TestRemoval:
    """Taking a factor away needs a fresh code."""

    def test_fresh_code(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A factor goes after a fresh code, and the code of the sign-in is not fresh."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        browser.code(emulator.totp_code(factor.id))
        browser.post("/factors/remove", factor_id=factor.id)
        assert browser.path == "/code"
        assert "once more" in browser.page.text
        assert factor.id in ada.factors
        assert "not right" in browser.code(emulator.totp_code(factor.id)), "the code of the sign-in is not fresh"
        emulator.clock.advance(30)
        assert "Authenticator app was removed." in browser.code(emulator.totp_code(factor.id))
        assert not ada.factors
        with pytest.raises(LookupError):
            emulator.totp_code(factor.id)

    def test_a_lost_phone_is_removed(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A lost phone is removed with a code from the other factor."""
        app_factor, lost = has_totp(emulator, ada), has_sms(emulator, ada)
        browser.sign_in()
        browser.code(emulator.totp_code(app_factor.id))
        browser.post("/factors/remove", factor_id=lost.id)
        browser.post("/code/switch", factor_id=app_factor.id)
        emulator.clock.advance(30)
        browser.code(emulator.totp_code(app_factor.id))
        assert ada.confirmed == [app_factor]

    @pytest.mark.parametrize("gone", ["at WorkOS", "here"])
    def test_a_factor_that_is_gone_already(self, browser: Browser, emulator: Emulator, ada: Account, gone: str) -> None:
        """A factor that is gone already is no trouble."""
        app_factor, phone = has_totp(emulator, ada), has_sms(emulator, ada)
        browser.sign_in()
        browser.code(emulator.totp_code(app_factor.id))
        browser.post("/factors/remove", factor_id=phone.id)
        browser.post("/code/switch", factor_id=app_factor.id)
        if gone == "here":
            del ada.factors[phone.id]
        else:
            MFA(transport=emulator).delete_factor(phone.id)
        emulator.clock.advance(30)
        browser.code(emulator.totp_code(app_factor.id))
        assert browser.path == "/"
        assert ada.confirmed == [app_factor]

    def test_removal_fails(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """If the deletion fails the factor stays, and can be removed again."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        browser.code(emulator.totp_code(factor.id))
        browser.post("/factors/remove", factor_id=factor.id)
        emulator.clock.advance(30)
        emulator.faults.lose_request(operation="delete_factor", count=None)
        browser.code(emulator.totp_code(factor.id))
        assert browser.status == 503
        assert ada.confirmed == [factor]


class TestOutOfReach:
    """When WorkOS can't be reached the page stays calm, and nobody gets in."""

    @pytest.mark.parametrize(
        "fault",
        [
            {"fault": "refuse_connection"},
            {"fault": "respond", "status": 401, "body": {"message": "Unauthorized"}},
            {"fault": "respond", "status": 201, "body": {}},
        ],
    )
    def test_challenge(self, browser: Browser, emulator: Emulator, ada: Account, fault: dict[str, object]) -> None:
        """The second step can be taken up again, without the password."""
        factor = has_totp(emulator, ada)
        emulator.faults.from_json({**fault, "operation": "challenge_factor", "count": None})
        page = browser.sign_in()
        assert (browser.status, browser.page.headers["Retry-After"]) == (503, "60")
        assert "Nothing is lost" in page
        assert 'href="/code"' in page
        emulator.faults.clear()
        assert "We can't take a code from your app yet." in browser.get("/code")
        browser.post("/code/new")
        browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"

    def test_not_sent(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A code that did not get out is no try, and can be sent again."""
        factor = has_totp(emulator, ada)
        browser.sign_in()
        emulator.faults.refuse_connection(operation="verify_challenge", count=None)
        for _ in range(6):
            browser.code("123456")
            assert browser.status == 503
        emulator.faults.clear()
        browser.get("/code")
        browser.code(emulator.totp_code(factor.id))
        assert browser.path == "/"

    def test_unclear(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """A check whose end is unknown lets nobody in, and brings a new challenge."""
        has_totp(emulator, ada)
        browser.sign_in()
        unclear = browser.session["pending"]["challenge_id"]
        emulator.faults.lose_request(operation="verify_challenge", count=None)
        assert "could not find out whether your code was right" in browser.code("123456")
        assert browser.session["pending"]["challenge_id"] not in {None, unclear}

    def test_enrolment(self, browser: Browser, emulator: Emulator, ada: Account) -> None:
        """An enrolment can be begun again."""
        browser.sign_in()
        emulator.faults.lose_request(operation="enroll_factor", count=None)
        page = browser.post("/factors/totp")
        assert browser.status == 503
        assert 'href="/"' in page
        assert not ada.factors


class TestSafety:
    """What holds for every page."""

    def test_cookies(self, browser: Browser, emulator: Emulator, app: Flask, ada: Account) -> None:
        """No cookie ever holds a secret, a code, a number or a password, and scripts and other sites get none."""
        browser.sign_in()
        page = browser.post("/factors/totp")
        secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page))
        (factor,) = ada.unconfirmed
        code = emulator.totp_code(factor.id)
        browser.code(code)
        browser.post("/factors/sms", phone_number=NUMBER)
        message = emulator.outbox.latest()
        browser.code(message.code)
        assert len(ada.confirmed) == 2
        interface = app.session_interface
        assert isinstance(interface, SecureCookieSessionInterface)
        signer = interface.get_signing_serializer(app)
        assert signer
        for cookie in browser.cookies:
            assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
            held = str(signer.loads(re.sub(r"^session=([^;]*);.*", r"\1", cookie)))
            for hidden in (secret, "otpauth", "data:image", code, message.code, NUMBER, PASSWORD):
                assert hidden not in held
            assert len(cookie) < 1000
        assert len(secret) == 32
        assert browser.cookies

    @pytest.mark.parametrize("token", [None, "", "another", "ключ"])
    def test_no_token(self, browser: Browser, token: str | None) -> None:
        """A form without the session's token is refused."""
        browser.get("/sign-in")
        fields = {"email": ADA, "password": PASSWORD} | ({} if token is None else {"csrf_token": token})
        response = browser.client.post("/sign-in", data=fields)
        assert response.status_code == 400
        assert "This form is too old." in response.text
        assert "account" not in browser.session

    def test_every_post(self, app: Flask) -> None:
        """Every page that takes a form refuses one without a token."""
        paths = [str(rule) for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
        assert len(paths) == 8
        for path in paths:
            assert app.test_client().post(path, data={"csrf_token": "x"}).status_code == 400

    @pytest.mark.parametrize("path", ["/sign-in", "/nowhere"])
    def test_headers(self, browser: Browser, path: str) -> None:
        """Every page, error pages included, has the headers."""
        browser.get(path)
        headers = browser.page.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "img-src 'self' data:" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"

    def test_style_sheet(self, browser: Browser) -> None:
        """The style sheet may be cached, unlike the pages."""
        response = browser.client.get("/static/style.css")
        assert response.headers["Cache-Control"] != "no-store"
        response.close()

    def test_escaped(self, emulator: Emulator) -> None:
        """What people type is escaped."""
        bad = "<b>ada</b>@example.com"
        accounts = Accounts({bad: PASSWORD}, method="pbkdf2:sha256:1")
        browser = Browser(create_app(MFA(transport=emulator), accounts, secret_key="for tests only"))
        browser.sign_in(bad)
        browser.get("/")
        assert "&lt;b&gt;ada" in browser.page.text
        browser.post("/factors/totp")
        assert "<b>" not in browser.page.text

    def test_password_hash(self, ada: Account) -> None:
        """No repr shows a password's hash."""
        assert ada.password_hash not in repr(ada)


class TestCommand:
    """``python examples/flask_app``."""

    @pytest.fixture
    def ran(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
        """The settings that the server was started with, without starting it."""
        ran: list[dict[str, object]] = []
        monkeypatch.setattr(Flask, "run", lambda _, **settings: ran.append(settings))
        for name in ("WORKOS_API_KEY", "WORKOS_BASE_URL", "SECRET_KEY", "PORT"):
            monkeypatch.delenv(name, raising=False)
        return ran

    @pytest.mark.usefixtures("ran")
    def test_phone(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a key it runs on the emulator, and the terminal is the phone."""
        browser = Browser(command.make_app())
        email, password = next(iter(command.PEOPLE.items()))
        browser.sign_in(email, password)
        browser.post("/factors/sms", phone_number=NUMBER)
        told = capsys.readouterr().out
        assert "On the embedded emulator." in told
        assert f"Sign in as {email} with the password '{password}'." in told
        code = re.search(rf"\[phone \{NUMBER}\] Your Foo Corp code is (\d{{6}})\.", told)
        assert code
        browser.code(code[1])
        assert browser.path == "/"
        assert "Secure" not in browser.cookies[0]

    @pytest.mark.usefixtures("ran")
    def test_real_api(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """With a key it uses the real API, and does not show the key."""
        monkeypatch.setenv("WORKOS_API_KEY", "sk_example_123456789")
        monkeypatch.setenv("SECRET_KEY", "kept over restarts")
        assert command.make_app().secret_key == "kept over restarts"
        told = capsys.readouterr().out
        assert "On the real API" in told
        assert "sk_example" not in told

    def test_by_folder(self, ran: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
        """It runs by its folder's name, on this machine only."""
        monkeypatch.setattr(sys, "path", list(sys.path))
        runpy.run_path(str(Path(command.__file__).parent), run_name="__main__")
        assert ran == [{"host": "127.0.0.1", "port": 5000}]

    def test_close(self) -> None:
        """Closing the phone closes the emulator."""
        command.Phone(Emulator()).close()

"""Recovery codes: for who has lost the phone, with and without the help of the app's support."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.flask.app import App, outside
from tests.flask.browser import PREFIX, Browser, newest_factor
from workos_mfa.testing import sign_in

RECOVERY = f"{PREFIX}/recovery"
PRIVATE = "the private page of ada"


@pytest.fixture
def codes(app: App, browser: Browser) -> list[str]:
    """Ada's recovery codes. The browser is signed in, and the codes are an hour old."""
    browser.sign_in()
    browser.enroll_totp()
    made = browser.recovery_codes()
    app.emulator.clock.advance(3600)
    return made


@pytest.fixture
def stranded(another: Callable[[], Browser], codes: list[str]) -> Browser:
    """A browser of Ada's, who has given the password and can't give any code of her app."""
    assert codes
    browser = another()
    browser.sign_in(next_path="/private")
    browser.get(RECOVERY)
    return browser


def recover(browser: Browser, code: str) -> str:
    """Give a recovery code on the page that asks for it."""
    return browser.post(RECOVERY, code=code)


class TestACode:
    """A recovery code in place of a code."""

    def test_it_signs_in_once(self, codes: list[str], stranded: Browser, another: Callable[[], Browser]) -> None:
        """However it is typed. The next page that shows sentences says that it is used up."""
        assert recover(stranded, codes[0].upper().replace("-", " ")) == PRIVATE
        assert "That recovery code is used up." in stranded.get(f"{PREFIX}/")
        other = another()
        other.sign_in()
        other.get(RECOVERY)
        assert "That recovery code is not right." in recover(other, codes[0])
        assert other.status == 422

    def test_the_code_page_leads_to_it(self, stranded: Browser) -> None:
        """And back."""
        assert f'href="{PREFIX}/code"' in stranded.html
        stranded.get(f"{PREFIX}/code")
        assert f'href="{RECOVERY}"' in stranded.html

    def test_it_confirms_who_is_there(self, codes: list[str], browser: Browser) -> None:
        """A page that wants a code of the last minutes takes one too."""
        browser.get("/payouts")
        browser.get(RECOVERY)
        assert recover(browser, codes[0]) == "GET of the payouts of ada"

    @pytest.mark.parametrize("change", ["add", "remove", "recovery-codes"])
    def test_it_is_no_code_for_a_change(self, app: App, codes: list[str], browser: Browser, change: str) -> None:
        """A change of factors needs a code of a factor: the page does not offer it, and no form is taken."""
        browser.get("/payouts")
        browser.get(RECOVERY)
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/{change}", factor=newest_factor(app))
        assert RECOVERY not in browser.html
        page = browser.page
        assert "For that we need a code first." in browser.get(RECOVERY)
        browser.page = page
        assert "For that we need a code first." in recover(browser, codes[0])

    def test_it_needs_the_password(self, codes: list[str], another: Callable[[], Browser]) -> None:
        """Who has only a recovery code gets nowhere."""
        other = another()
        other.get(RECOVERY)
        assert "For that we need a code first." in other.text
        assert "That form was too old" in recover(other, codes[0])

    def test_not_for_a_first_factor(self, app: App, another: Callable[[], Browser]) -> None:
        """An account that has no second factor yet has no recovery codes either, not even one to guess."""
        other = another()
        sign_in(other.client, "grace", age=None)
        other.get(f"{PREFIX}/new")
        other.post(f"{PREFIX}/new/totp")
        page = other.page
        assert "For that we need a code first." in other.get(RECOVERY)
        other.page = page
        other.post(RECOVERY, code="7k2m-x9qd-0wtr-5hzc")
        assert other.status == 422
        assert outside(app, lambda: app.second_factor.status("grace")).factors == ()

    def test_guesses_are_limited_by_address(
        self, codes: list[str], stranded: Browser, another: Callable[[], Browser]
    ) -> None:
        """Five wrong ones, and the address has to wait. The owner, at another one, has not."""
        for _ in range(5):
            assert "not right" in recover(stranded, "7k2m-x9qd-0wtr-5hzc")
        assert "That was too often. Please try again in 5 minutes." in recover(stranded, codes[0])
        assert (stranded.status, stranded.headers["Retry-After"]) == (429, "300")
        owner = another()
        owner.sign_in(next_path="/private")
        owner.get(RECOVERY)
        assert recover(owner, codes[0]) == PRIVATE

    def test_too_late(self, app: App, codes: list[str], stranded: Browser) -> None:
        """The password is not asked for again only because there is no code: after ten minutes it is."""
        app.emulator.clock.advance(600)
        assert "That took too long." in recover(stranded, codes[0])


class TestReplace:
    """Who has signed in with a recovery code may replace one factor."""

    def test_a_lost_phone(self, app: App, codes: list[str], stranded: Browser, browser: Browser) -> None:
        """The new factor takes the place of the lost one, and new recovery codes that of the old ones."""
        lost = newest_factor(app)
        recover(stranded, codes[0])
        assert "you can replace one factor" in stranded.get(f"{PREFIX}/")
        stranded.post(f"{PREFIX}/replace", factor=lost)
        stranded.post(f"{PREFIX}/new/totp")
        assert "protects your account now" in stranded.code(app.emulator.totp_code(newest_factor(app)))
        assert newest_factor(app) != lost
        with pytest.raises(LookupError):
            app.emulator.totp_code(lost)
        status = outside(app, lambda: app.second_factor.status("ada"))
        assert (status.factors, status.recovery_codes) == ((("totp", ""),), 0)
        assert len(set(stranded.recovery_codes()) - set(codes)) == 10
        assert "you can replace" not in stranded.get(f"{PREFIX}/")
        assert browser.get("/private") == "the login page"

    def test_while_somebody_guesses(self, app: App, codes: list[str], stranded: Browser) -> None:
        """Wrong codes of somebody else do not keep the first code of the new factor from being taken."""
        attacker = Browser(app, address="198.51.100.1")
        attacker.sign_in()
        for _ in range(6):
            attacker.code(app.emulator.wrong_code(newest_factor(app)))
        assert "Please wait" in attacker.text
        recover(stranded, codes[0])
        stranded.get(f"{PREFIX}/")
        stranded.post(f"{PREFIX}/replace", factor=newest_factor(app))
        stranded.post(f"{PREFIX}/new/totp")
        assert "not right" in stranded.code(app.emulator.wrong_code(newest_factor(app)))
        assert "protects your account now" in stranded.code(app.emulator.totp_code(newest_factor(app)))

    def test_not_without_one(self, app: App, codes: list[str], browser: Browser) -> None:
        """A session that came by a code is not offered it, and its form is not taken."""
        assert codes
        assert "replace" not in browser.get(f"{PREFIX}/")
        assert "need a code first" in browser.post(f"{PREFIX}/replace", factor=newest_factor(app))

    def test_no_other_factor_is_added(self, app: App, codes: list[str], stranded: Browser) -> None:
        """Nothing is added before the person has said what is lost, and what is lost has to be a factor of theirs."""
        recover(stranded, codes[0])
        assert "need a code first" in stranded.get(f"{PREFIX}/new")
        stranded.get(f"{PREFIX}/")
        assert "changed in another window" in stranded.post(f"{PREFIX}/replace", factor="auth_factor_of_grace")
        assert len(app.emulator.totp_codes()) == 1

    def test_one_alone(self, app: App, codes: list[str], stranded: Browser) -> None:
        """A second replacement needs another recovery code."""
        recover(stranded, codes[0])
        stranded.get(f"{PREFIX}/")
        stranded.post(f"{PREFIX}/replace", factor=newest_factor(app))
        stranded.post(f"{PREFIX}/new/totp")
        stranded.code(app.emulator.totp_code(newest_factor(app)))
        stranded.get(f"{PREFIX}/")
        assert "need a code first" in stranded.post(f"{PREFIX}/replace", factor=newest_factor(app))


class TestTheSet:
    """The ten codes."""

    def test_they_are_shown_once(self, browser: Browser) -> None:
        """The page has ten different codes, and no cache keeps it. Coming back to it shows none."""
        browser.sign_in()
        browser.enroll_totp()
        codes = browser.recovery_codes()
        assert len(set(codes)) == 10
        assert browser.headers["Cache-Control"] == "no-store"
        assert codes[0] not in browser.get(f"{PREFIX}/recovery-codes")
        with browser.client.session_transaction() as kept:
            assert codes[0] not in str(dict(kept))

    def test_few_left_are_mentioned(self, app: App, codes: list[str], browser: Browser) -> None:
        """The page of the factors says how many are left, and says it louder from three on."""
        said = []
        for code in codes:
            app.emulator.clock.advance(300)
            browser.get("/payouts")
            browser.get(RECOVERY)
            recover(browser, code)
            browser.get(f"{PREFIX}/")
            said.append("workos-mfa-error" in browser.html)
            if code == codes[0]:
                assert "You have 9 recovery codes left." in browser.text
            if code == codes[8]:
                assert "You have one recovery code left." in browser.text
        assert "You have no recovery codes." in browser.text
        assert said == [False] * 6 + [True] * 4

    def test_a_new_set_needs_a_code(self, app: App, codes: list[str], browser: Browser) -> None:
        """The old codes stop working."""
        browser.get(f"{PREFIX}/")
        browser.post(f"{PREFIX}/recovery-codes")
        assert "The old ones stop working." in browser.text
        assert "Recovery codes let you in" in browser.code(app.emulator.totp_code(newest_factor(app)))
        made = browser.recovery_codes()
        assert not set(made) & set(codes)
        app.emulator.clock.advance(300)
        browser.get("/payouts")
        browser.get(RECOVERY)
        assert "not right" in recover(browser, codes[0])
        assert recover(browser, made[0]) == "GET of the payouts of ada"

    def test_a_new_set_after_a_recovery_code(self, codes: list[str], stranded: Browser) -> None:
        """A recovery code allows a replacement and no new set: that page asks for a code."""
        recover(stranded, codes[0])
        stranded.get(f"{PREFIX}/")
        assert "With this code you get new recovery codes." in stranded.post(f"{PREFIX}/recovery-codes")

    def test_the_offer_ends(self, app: App, browser: Browser) -> None:
        """Ten minutes after the factor was added, the set needs another code."""
        browser.sign_in()
        browser.enroll_totp()
        app.emulator.clock.advance(600)
        assert "With this code you get new recovery codes." in browser.post(f"{PREFIX}/recovery-codes")

    def test_without_a_factor(self, browser: Browser) -> None:
        """There are none for an account that needs no code."""
        sign_in(browser.client, "ada", age=None)
        browser.get(f"{PREFIX}/")
        assert "no second factor" in browser.post(f"{PREFIX}/recovery-codes")


class TestTheSupport:
    """A code that the app's support gives to a person who has lost everything."""

    def test_it_works_beside_the_password(self, app: App, stranded: Browser) -> None:
        """Once, and it allows to replace the lost factor."""
        code = outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="saw the passport"))
        assert outside(app, lambda: app.second_factor.status("ada")).support_code
        assert recover(stranded, code) == PRIVATE
        assert "you can replace one factor" in stranded.get(f"{PREFIX}/")
        assert not outside(app, lambda: app.second_factor.status("ada")).support_code

    @pytest.mark.parametrize(("seconds", "says"), [(24 * 3600 - 1, PRIVATE), (24 * 3600, "not right")])
    def test_it_ends_after_a_day(self, app: App, codes: list[str], browser: Browser, seconds: int, says: str) -> None:
        """A slip of paper that is found next week opens nothing."""
        assert codes
        code = outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="saw the passport"))
        app.emulator.clock.advance(seconds)
        browser.sign_in(next_path="/private")
        browser.get(RECOVERY)
        assert says in recover(browser, code)

    def test_the_person_is_told(self, app: App, codes: list[str]) -> None:
        """The event says who has made it, and why."""
        assert codes
        outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="saw the passport"))
        event = app.events[-1]
        assert (event.name, event.by, event.reason) == ("recovery_code_issued", "ann", "saw the passport")

    @pytest.mark.parametrize(("by", "reason"), [("", "lost"), ("ann", " ")])
    def test_it_has_an_author_and_a_reason(self, app: App, codes: list[str], by: str, reason: str) -> None:
        """Nobody makes one silently."""
        assert codes
        with pytest.raises(ValueError, match="say who has issued the code, and why"):
            outside(app, lambda: app.second_factor.issue_recovery_code("ada", by=by, reason=reason))
        assert not outside(app, lambda: app.second_factor.status("ada")).support_code

    def test_an_account_without_a_factor(self, app: App) -> None:
        """It needs none."""
        with pytest.raises(ValueError, match="no second factor"):
            outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="lost"))

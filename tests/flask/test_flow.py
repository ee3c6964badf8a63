"""The flow as a person goes through it: sign in, add factors, remove and replace them, and come back."""

from __future__ import annotations

from collections.abc import Callable

from tests.flask.app import App
from tests.flask.browser import PREFIX, Browser, newest_factor


def test_from_nothing_to_a_protected_page(app: App, browser: Browser) -> None:
    """Who wants a page that needs a second factor signs in, adds one, saves recovery codes, and gets there."""
    assert browser.get("/private") == "the login page"
    browser.sign_in(next_path="/private")
    assert browser.path == f"{PREFIX}/new?next=/private"
    browser.post(f"{PREFIX}/new/totp")
    assert "Scan this" in browser.text
    factor_id = newest_factor(app)
    assert "protects your account now" in browser.code(app.emulator.totp_code(factor_id))
    assert len(browser.recovery_codes()) == 10
    assert browser.get("/private") == "the private page of ada"


def test_the_next_sign_in_needs_a_code(app: App, browser: Browser, another: Callable[[], Browser]) -> None:
    """Another browser gets in with a code, and not without one."""
    factor_id = browser.enroll_totp() if browser.sign_in() else ""
    other = another()
    assert "Enter your code" in other.sign_in(next_path="/private")
    assert "not right" in other.code(app.emulator.wrong_code(factor_id))
    assert other.status == 422
    app.emulator.clock.advance(150)
    assert other.code(app.emulator.totp_code(factor_id)) == "the private page of ada"

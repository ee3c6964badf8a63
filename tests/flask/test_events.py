"""What the person and the app are told of, after it has happened."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask

from tests.flask.app import SETTINGS, App, outside
from tests.flask.browser import PREFIX, Browser, newest_factor
from workos_mfa import MFA
from workos_mfa.flask import Event, MemoryStore, SecondFactor, signals
from workos_mfa.testing import sign_in


@pytest.fixture
def sent(app: App) -> Iterator[list[str]]:
    """The names of the signals that the app sends."""
    names: list[str] = []
    with ExitStack() as stack:
        for name, signal in signals.items():

            def receive(_: Flask, event: Event, name: str = name) -> None:
                assert event.name == name
                names.append(name)

            stack.enter_context(signal.connected_to(receive, sender=app.flask))
        yield names


def test_each_event(app: App, browser: Browser, sent: list[str]) -> None:
    """The person, by ``notify``, and the app, by a signal, are told of each change, and of nothing else."""
    browser.sign_in()
    first = browser.enroll_totp()
    codes = browser.recovery_codes()
    browser.get(f"{PREFIX}/")
    browser.post(f"{PREFIX}/add")
    browser.code(app.next_code(first))
    browser.post(f"{PREFIX}/new/sms", phone_number="+15005550006")
    browser.code(app.message())
    app.emulator.clock.advance(300)
    browser.get("/payouts")
    browser.get(f"{PREFIX}/recovery")
    browser.post(f"{PREFIX}/recovery", code=codes[0])
    browser.get(f"{PREFIX}/")
    browser.post(f"{PREFIX}/replace", factor=first)
    browser.post(f"{PREFIX}/new/totp")
    second = newest_factor(app)
    browser.code(app.emulator.totp_code(second))
    outside(app, lambda: app.second_factor.issue_recovery_code("ada", by="ann", reason="lost"))
    browser.get(f"{PREFIX}/")
    browser.post(f"{PREFIX}/remove", factor=second)
    browser.code(app.message())
    expected = [
        Event(name="factor_added", account_id="ada", factor_type="totp"),
        Event(name="recovery_codes_made", account_id="ada"),
        Event(name="factor_added", account_id="ada", factor_type="sms", digits="06"),
        Event(name="recovery_code_used", account_id="ada", left=9),
        Event(name="factor_replaced", account_id="ada", factor_type="totp"),
        Event(name="recovery_code_issued", account_id="ada", by="ann", reason="lost"),
        Event(name="factor_removed", account_id="ada", factor_type="totp"),
    ]
    assert app.events == expected
    assert sent == [event.name for event in expected]


def test_the_commit_comes_first(app: App, browser: Browser) -> None:
    """Who is told sees what has happened in the store already."""
    seen: list[tuple[tuple[str, str], ...]] = []
    app.second_factor.notify(lambda account, _: seen.append(app.second_factor.status(account).factors))
    browser.sign_in()
    browser.enroll_totp()
    assert seen == [(("totp", ""),)]


def test_a_receiver_fails(app: App, browser: Browser, caplog: pytest.LogCaptureFixture, sent: list[str]) -> None:
    """Its exception is logged; the others are called, and the person goes on."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("the mail server is away")

    app.second_factor.notify(fail)
    browser.sign_in()
    with signals["factor_added"].connected_to(fail, sender=app.flask):
        browser.enroll_totp()
    assert "protects your account now" in browser.text
    assert sent == ["factor_added"]
    failed = [record for record in caplog.records if record.exc_info]
    assert [record.getMessage() for record in failed] == ["a receiver of the event factor_added failed"] * 2


def test_nobody_listens(workos_mfa_client: MFA, caplog: pytest.LogCaptureFixture) -> None:
    """Without ``notify`` the log has it all the same, and who of the support did it."""
    caplog.set_level(logging.INFO, "workos_mfa.flask")
    flask, second_factor = Flask("Foo Corp"), SecondFactor()
    flask.config.update(SETTINGS)
    second_factor.init_app(flask, store=MemoryStore(), mfa=workos_mfa_client)
    sign_in(flask.test_client(), "ada")
    with flask.app_context():
        second_factor.issue_recovery_code("ada", by="ann", reason="saw the passport")
    assert [record.getMessage() for record in caplog.records] == [
        "recovery_code_issued for the account 'ada', by 'ann': 'saw the passport'"
    ]

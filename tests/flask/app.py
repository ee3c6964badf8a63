"""A small app with a password and a second factor, as an app of somebody's would be, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from workos_mfa import MFA, Emulator
from workos_mfa.flask import Event, MemoryStore, SecondFactor, Store

SETTINGS = {
    "SECRET_KEY": "a key that only the tests have",
    "TESTING": True,
    "WORKOS_MFA_LOGIN_VIEW": "login",
    "WORKOS_MFA_METHODS": ("totp", "sms"),
    "WORKOS_MFA_SMS_PREFIXES": ("+1500", "+1202"),
}


class App:
    """An app on an emulator, with what a test looks at.

    :ivar flask: the Flask app.
    :ivar second_factor: the extension.
    :ivar emulator: the API, whose clock is the app's clock too.
    :ivar store: where the documents are.
    :ivar events: what the people were told, newest last.
    """

    def __init__(self, emulator: Emulator, store: Store | None = None, **settings: object) -> None:
        self.emulator = emulator
        self.store: Store = MemoryStore() if store is None else store
        self.events: list[Event] = []
        self.flask = Flask("Foo Corp")
        self.flask.config.update({**SETTINGS, **settings})
        self.second_factor = SecondFactor(clock=lambda: emulator.clock.now().timestamp())
        self.second_factor.init_app(self.flask, store=self.store, mfa=MFA(transport=emulator))
        self.second_factor.notify(lambda _, event: self.events.append(event))
        add_pages(self.flask, self.second_factor)


def add_pages(flask: Flask, second_factor: SecondFactor) -> None:
    """The app's own pages: a login whose password is always right, a page, and a sensitive one."""

    @flask.route("/login", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        if request.method == "GET":
            return "the login page"
        return second_factor.sign_in(request.form["account"], next=request.args.get("next"))

    @flask.post("/logout")
    def logout() -> ResponseReturnValue:
        second_factor.sign_out()
        return redirect("/")

    @flask.get("/")
    def home() -> ResponseReturnValue:
        return f"home of {second_factor.account_id}"

    @flask.get("/private")
    @second_factor.required
    def private() -> ResponseReturnValue:
        return f"the private page of {second_factor.account_id}"

    @flask.route("/payouts", methods=["GET", "POST"])
    @second_factor.required(max_age=300, grace=600)
    def payouts() -> ResponseReturnValue:
        return f"{request.method} of the payouts of {second_factor.account_id}"


def wrapped(call: Callable[[], object], app: App) -> object:
    """Call something of the extension outside of any page, as a script of the app does."""
    with app.flask.app_context():
        return call()

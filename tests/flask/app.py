"""A small app with a password and a second factor, as an app of somebody's would be, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from jinja2.bccache import Bucket, BytecodeCache

from workos_mfa import MFA, Emulator
from workos_mfa.flask import Event, MemoryStore, SecondFactor, Store

SETTINGS = {
    "SECRET_KEY": "a key that only the tests have",
    "TESTING": True,
    "WORKOS_MFA_LOGIN_VIEW": "login",
    "WORKOS_MFA_METHODS": ("totp", "sms"),
    "WORKOS_MFA_SMS_PREFIXES": ("+1500", "+1202"),
}

T = TypeVar("T")


class Compiled(BytecodeCache):
    """Templates that are compiled once, and not once for each app of a test."""

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
        self.flask = Flask("Foo Corp", root_path=str(Path(__file__).parent))
        self.flask.config.update({**SETTINGS, **settings})
        self.flask.jinja_env.bytecode_cache = COMPILED
        self.second_factor = SecondFactor(clock=lambda: emulator.clock.now().timestamp())
        self.second_factor.init_app(self.flask, store=self.store, mfa=MFA(transport=emulator))
        self.second_factor.notify(lambda _, event: self.events.append(event))
        self.add_pages(self.flask, self.second_factor)

    def add_pages(self, flask: Flask, second_factor: SecondFactor) -> None:
        """The app's own pages; those of another app are others."""
        add_pages(flask, second_factor)

    def next_code(self, factor_id: str) -> str:
        """The next code that an authenticator app shows."""
        self.emulator.clock.advance(30)
        return self.emulator.totp_code(factor_id)

    def message(self) -> str:
        """The code of the text message that was sent last."""
        return self.emulator.outbox[-1].code

    def calls(self) -> list[str | None]:
        """The calls that WorkOS got, oldest first."""
        return [call.operation for call in self.emulator.calls]


def add_pages(flask: Flask, second_factor: SecondFactor) -> None:
    """The app's own pages: a login whose password is always right, a page, and a sensitive one."""

    @flask.route("/login", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        if request.method != "POST":
            return "the login page"
        return second_factor.sign_in(request.form["account"], next=request.args.get("next"))

    @flask.post("/logout")
    def logout() -> ResponseReturnValue:
        second_factor.sign_out()
        return redirect("/")

    @flask.post("/password")
    def password() -> ResponseReturnValue:
        second_factor.password_changed(request.form["account"])
        return "the password was changed"

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


def outside(app: App, call: Callable[[], T]) -> T:
    """Call something of the extension outside of any page, as a script of the app does."""
    with app.flask.app_context():
        return call()


class FailingStore(MemoryStore):
    """A store whose database is away while ``is_away`` is set, or for one account alone."""

    is_away = False
    is_away_for: str | None = None

    def load(self, account_id: str, /) -> str | None:
        """Fail, or load."""
        self._check(account_id)
        return super().load(account_id)

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Fail, or save."""
        self._check(account_id)
        return super().save(account_id, document, replaces=replaces)

    def _check(self, account_id: str) -> None:
        if self.is_away or self.is_away_for == account_id:
            raise OSError("the database is away")

"""Where the state machine plays: an app in two processes, on one store that fails and one WorkOS that fails."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import json
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone

import attrs
from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)

from tests.flask.app import SETTINGS
from tests.flask.browser import PREFIX
from workos_mfa import MFA, Emulator
from workos_mfa._core.transport import Request, Response
from workos_mfa.flask import SecondFactor, StoreError

__all__ = ["PREFIX", "Save", "Site"]

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


@attrs.frozen
class Save:
    """A document that was saved: whose, and which factors counted before and after."""

    account: str
    before: frozenset[str]
    after: frozenset[str]


class UnreliableStore:
    """A store that loses swaps and fails as often as it is told, and lets somebody else be faster.

    :ivar documents: the documents.
    :ivar troubles: what happens next: a ``load`` fails, a save is ``lost``, ``fails``, or is done and ``unclear``.
    :ivar meanwhile: what somebody else does between the next save and the load before it.
    :ivar unfinished: how often that was begun and not ended, since it raised something.
    :ivar saves: what was saved by each request that is under way, the innermost last.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin with nothing, and without trouble."""
        self.documents: dict[str, str] = {}
        self.unfinished = 0
        self.saves: list[list[Save]] = []
        self.calm()

    def calm(self) -> None:
        """No more trouble."""
        self.troubles: deque[str] = deque()
        self.meanwhile: Callable[[], object] | None = None

    def load(self, account_id: str, /) -> str | None:
        """The document."""
        if self.troubles and self.troubles[0] == "load":
            self.troubles.popleft()
            raise OSError("the database does not answer")
        return self.documents.get(account_id)

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save it, or not."""
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            self.unfinished += 1
            meanwhile()
            self.unfinished -= 1
        trouble = self.troubles.popleft() if self.troubles else ""
        if trouble == "fails":
            raise OSError("the database is gone")
        if trouble == "lost" or self.documents.get(account_id) != replaces:
            return False
        before = self.factors(account_id)
        self.documents[account_id] = document
        self.saves[-1].append(Save(account_id, before, self.factors(account_id)))
        if trouble == "unclear":
            raise OSError("the database is gone, and has saved it")
        return True

    def factors(self, account_id: str) -> frozenset[str]:
        """Which factors count. It is read off the document only to know whose code is whose."""
        text = self.documents.get(account_id)
        return frozenset() if text is None else frozenset(factor["id"] for factor in json.loads(text)["factors"])


class User(UserMixin):  # type: ignore[misc]  # it has no types
    """A user as Flask-Login knows one."""

    def __init__(self, name: str) -> None:
        self.id = name


class Site:
    """The two processes, their store and their WorkOS.

    They are made once and emptied for each example, since an app reads its templates anew.

    :ivar mandatory: whether accounts must have a factor.
    :ivar passwords: the passwords of the accounts.
    """

    def __init__(self) -> None:
        self.store = UnreliableStore()
        self.apps = (self._app(), self._app())
        self.clients = tuple(app.test_client(use_cookies=False) for app, _ in self.apps)
        self.reset(mandatory=False)

    def reset(self, *, mandatory: bool) -> None:
        """Begin with nothing."""
        self.store.reset()
        self.emulator = Emulator(now=NOW, random_seed=1)
        self.mandatory = mandatory
        self.passwords = {"ada": "ada's password", "eve": "eve's password"}
        for app, _ in self.apps:
            app.extensions["workos_mfa"].backend.limits._storage.reset()

    @property
    def now(self) -> float:
        """The time."""
        return self.emulator.clock.now().timestamp()

    def send(self, sent: Request, /) -> Response:
        """Carry a call to WorkOS. It takes a TOTP code twice, since nobody knows if the real one does."""
        self.emulator._store.used_steps.clear()
        return self.emulator.send(sent)

    def wrong_code(self) -> str:
        """A code that is not right for ada's factor."""
        factors = [each.factor_id for each in self.emulator.totp_codes() if each.factor_id in self.store.factors("ada")]
        return self.emulator.wrong_code(factors[0]) if factors else "000000"

    def close(self) -> None:
        """Nothing is open."""

    def outside(self, act: Callable[[SecondFactor], object]) -> object:
        """Let the support or a script do something, outside of any request; None if the store fails."""
        self.store.saves.append([])
        # Also where it happens in the middle of a request: its context is not that of a script.
        done = contextvars.Context().run(self._by_a_script, act)
        self.store.saves.pop()
        return done

    def _by_a_script(self, act: Callable[[SecondFactor], object]) -> object:
        app, second_factor = self.apps[0]
        with app.app_context(), contextlib.suppress(StoreError):
            return act(second_factor)
        return None

    def _app(self) -> tuple[Flask, SecondFactor]:
        app = Flask("Foo Corp")
        app.config.update({**SETTINGS, "WORKOS_MFA_SMS_PREFIXES": ("+1202",)})
        app.config["WORKOS_MFA_MANDATORY"] = lambda _: self.mandatory
        second_factor = SecondFactor(clock=lambda: self.now)
        second_factor.init_app(app, store=self.store, mfa=MFA(transport=self))
        second_factor.signed_in(lambda account: login_user(User(account)))
        second_factor.current_account(lambda: current_user.get_id())  # noqa: PLW0108 - it is not there yet
        manager = LoginManager(app)
        manager.login_view = "login"
        manager.login_message = None
        manager.user_loader(lambda name: User(name) if second_factor.live(name) else None)
        self._add_pages(app, second_factor)
        return app, second_factor

    def _add_pages(self, app: Flask, second_factor: SecondFactor) -> None:
        def page(name: str) -> str:
            return f"the {name} page of {current_user.get_id()}"

        @app.route("/login", methods=["GET", "POST"])
        def login() -> ResponseReturnValue:
            if request.method == "GET":
                return "the login page"
            account = request.form["account"]
            if self.passwords[account] != request.form["password"]:
                return "that is not the password", 422
            return second_factor.sign_in(account, next="/members")

        @app.post("/logout")
        def logout() -> ResponseReturnValue:
            second_factor.sign_out()
            logout_user()
            return redirect("/login")

        @app.post("/password")
        @login_required  # type: ignore[untyped-decorator]
        def password() -> ResponseReturnValue:
            second_factor.password_changed(current_user.get_id())
            self.passwords[current_user.get_id()] = request.form["password"]
            return redirect("/members")

        app.add_url_rule("/members", "members", login_required(functools.partial(page, "member")))
        app.add_url_rule("/private", "private", second_factor.required(functools.partial(page, "private")))
        app.add_url_rule("/payouts", "payouts", second_factor.required(max_age=300)(functools.partial(page, "payouts")))

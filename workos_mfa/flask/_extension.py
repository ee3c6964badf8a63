"""The extension: what an app calls, and the functions that it gives."""

from __future__ import annotations

import functools
import hmac
import time
from collections.abc import Callable
from typing import TypeVar, overload

from flask import Blueprint, Flask, has_request_context
from flask.typing import RouteCallable
from flask.wrappers import Response

from workos_mfa import MFA
from workos_mfa.flask import _browser, _pages, _required, _sign_in
from workos_mfa.flask._app_settings import Settings, read_settings
from workos_mfa.flask._command import commands
from workos_mfa.flask._factor_views import pages
from workos_mfa.flask._second_factor import factors, sessions
from workos_mfa.flask._second_factor.accounts import Accounts, Store, StoreError
from workos_mfa.flask._second_factor.backend import Backend, Rules
from workos_mfa.flask._second_factor.events import Event
from workos_mfa.flask._second_factor.rate_limits import Limits, LimitsUnavailableError
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.sessions import Status
from workos_mfa.flask._state import Callbacks, State, current_state, has_state, keep_state, request_cache, tell
from workos_mfa.flask._stores.memory import MemoryStore
from workos_mfa.flask._texts import Texts
from workos_mfa.flask._warnings import warn_once

_Function = TypeVar("_Function", bound=Callable[..., object])
_View = TypeVar("_View", bound=RouteCallable)


class SecondFactor:
    """The second step of a Flask app's sign-in, with all its pages.

    Only a session that came through :meth:`sign_in` counts. One object serves several apps.

    ::

        sf = SecondFactor()
        sf.init_app(app, store=SQLAlchemyStore(engine))

    :param clock: gives the time in seconds, for sessions and limits; a parameter so that tests need not wait.
    """

    __module__ = "workos_mfa.flask"

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._callbacks = Callbacks()

    def init_app(self, app: Flask, *, store: Store, mfa: MFA | None = None) -> None:
        """Add the second step to an app. The settings are read from ``app.config["WORKOS_MFA_..."]``.

        :param app: the app; its ``SECRET_KEY`` is set.
        :param store: where the accounts' documents are kept.
        :param mfa: the client; ``MFA()`` if left out.
        :raises RuntimeError: if it was called for this app before, a setting can't be right, the session cookie is not
            safe, or a :class:`MemoryStore` is used outside of debugging and testing.
        """
        if has_state(app):
            raise RuntimeError("init_app was called for this app already")
        settings = read_settings(app)
        if isinstance(store, MemoryStore) and not (app.debug or app.testing):
            raise RuntimeError(
                "MemoryStore forgets everything when the process ends, and people could sign in without a code: use "
                "SQLAlchemyStore, or a store of your own"
            )
        keep_state(app, self._state(app, settings, store, mfa))
        app.register_blueprint(pages, url_prefix=settings.url_prefix)
        app.register_error_handler(StoreError, _not_available)
        app.register_error_handler(LimitsUnavailableError, _not_available)
        app.cli.add_command(commands)

    def _state(self, app: Flask, settings: Settings, store: Store, mfa: MFA | None) -> State:
        try:
            limits = Limits(settings.limits_uri, settings.limits, self._clock, app=settings.issuer)
            texts = Texts(settings.texts)
        except ValueError as error:
            raise RuntimeError(f"a setting can't be right: {error}") from None
        rules = Rules(
            issuer=settings.issuer,
            methods=settings.methods,
            sms_template=settings.sms_template,
            sms_prefixes=settings.sms_prefixes,
            mandatory=settings.is_mandatory,
            hmac_key=functools.partial(_hmac_key, app),
        )
        backend = Backend(
            mfa=MFA() if mfa is None else mfa,
            accounts=Accounts(store, functools.partial(request_cache, store)),
            limits=limits,
            rules=rules,
            clock=self._clock,
            tell=functools.partial(tell, app, self._callbacks),
        )
        return State(backend=backend, settings=settings, texts=texts, callbacks=self._callbacks)

    # What the app gives

    def signed_in(self, function: _Function) -> _Function:
        """Decorator: sign the person in as your app does. It is called with the account's id when all is proved.

        What it returns is sent if it is a ``Response``. If it returns False or raises, the person is not signed in.
        """
        self._callbacks.signed_in = function
        return function

    def current_account(self, function: _Function) -> _Function:
        """Decorator: the id of the account that your app takes the person for, or None. A session of ours counts only
        as long as the two agree.
        """
        self._callbacks.current_account = function
        return function

    def account_name(self, function: Callable[[str], str]) -> Callable[[str], str]:
        """Decorator: the name of an account, which the authenticator app shows; the id if there is no such function."""
        self._callbacks.account_name = function
        return function

    def notify(self, function: Callable[[str, Event], object]) -> Callable[[str, Event], object]:
        """Decorator: tell the person of an event, best by e-mail. It is called with the account's id and the
        :class:`Event`, after what it is about was saved; what it raises is logged.
        """
        self._callbacks.notify = function
        return function

    # What the app calls

    def sign_in(self, account_id: object, *, next: str | None = None) -> Response:
        """Go on to the second step, after your app has checked the password.

        :param account_id: the account's id; its text is what the callbacks get.
        :param next: the path to go to at the end, if it is one of this site.
        :returns: a redirect: to the code page, or to ``next`` where no code is needed.
        :raises ValueError: if the id's text is empty or over 255 characters.
        """
        try:
            return _sign_in.begin(checked_id(account_id), next)
        except Refused as refused:
            return _pages.protected(_pages.refusal("notice", refused, {"path": current_state().settings.after_sign_in}))

    def sign_out(self) -> None:
        """End this browser's session, wherever a copy of its cookie is; the app's own keys stay in the session."""
        _sign_in.sign_out()

    def live(self, account_id: object) -> bool:
        """Whether this browser came through :meth:`sign_in` for this account, and its session has not ended.

        For the function that loads your user: ``return User.get(id) if sf.live(id) else None``.
        """
        wanted = checked_id(account_id)
        token = _browser.token_of(wanted)
        return token is not None and sessions.session(current_state().backend, wanted, token) is not None

    @property
    def account_id(self) -> str | None:
        """The account that this browser is signed in to, for apps that have no other way to know."""
        return _sign_in.live_account()

    @overload
    def required(self, view: _View, /) -> _View: ...

    @overload
    def required(self, /, *, max_age: float | None = None, grace: float = 0) -> Callable[[_View], _View]: ...

    def required(
        self,
        view: RouteCallable | None = None,
        /,
        *,
        max_age: float | None = None,
        grace: float = 0,
    ) -> Callable[..., object]:
        """Decorator: only for people whose session has proved a second factor. It stands below ``@app.route``.

        Everybody else is led to the sign-in, to the enrolment of a factor, or to the code; a program that wants JSON
        gets a 401 with ``url``. The responses are not stored by any cache.

        :param max_age: seconds since the last code, at most; any time in this session if left out.
        :param grace: seconds longer for a request that is not a GET, to fill in the form.
        :raises ValueError: if a number is negative.
        """
        _check_ages(max_age, grace)
        if view is not None:
            return _required.guarded(view, max_age, grace)
        return functools.partial(_required.guarded, max_age=max_age, grace=grace)

    def require(self, blueprint: Blueprint, *, max_age: float | None = None, grace: float = 0) -> None:
        """Put all views of a blueprint behind :meth:`required`.

        :raises ValueError: if a number is negative.
        """
        _check_ages(max_age, grace)
        blueprint.before_request(lambda: _required.check(max_age, grace))

    def password_changed(self, account_id: object) -> None:
        """End all sessions of an account but this browser's, and all sign-ins and enrolments that are under way."""
        wanted = checked_id(account_id)
        token = _browser.token_of(wanted) if has_request_context() else None
        renewed = sessions.change_password(current_state().backend, wanted, token)
        if renewed is not None:
            _browser.keep_token(wanted, renewed)

    def forget(self, account_id: object) -> None:
        """Remove an account's factors, here and at WorkOS, its codes and its sessions, when you delete the account."""
        sessions.forget(current_state().backend, checked_id(account_id))

    def status(self, account_id: object) -> Status:
        """What an account has, for your support staff."""
        return sessions.status(current_state().backend, checked_id(account_id))

    def issue_recovery_code(self, account_id: object, *, by: str, reason: str) -> str:
        """Make a recovery code for a person who can't give any code. It works once, within a day, beside the password.

        Find out who asks before you give it to anybody. The person is notified.

        :param account_id: whose account.
        :param by: who of the support staff has issued it; it is logged, and part of the event.
        :param reason: why; the same.
        :returns: the code. It is kept nowhere.
        :raises ValueError: if the account has no second factor, or ``by`` or ``reason`` is empty.
        """
        if not by.strip() or not reason.strip():
            raise ValueError("say who has issued the code, and why")
        try:
            return factors.issue_recovery_code(current_state().backend, checked_id(account_id), by=by, reason=reason)
        except Refused as refused:
            problem = _pages.sentence(refused)
        raise ValueError(problem)


def checked_id(account_id: object) -> str:
    """The text of an account's id.

    :raises ValueError: if it is empty or over 255 characters.
    """
    text = str(account_id)
    if account_id is None or not text or len(text) > 255:
        raise ValueError("an account's id has a text of 1 to 255 characters")
    return text


def _check_ages(max_age: float | None, grace: float) -> None:
    if (max_age is not None and max_age < 0) or grace < 0:
        raise ValueError("max_age and grace are seconds, and not negative")


def _hmac_key(app: Flask) -> bytes:
    key = app.secret_key or ""  # it was looked at when the app started
    key = key if isinstance(key, bytes) else key.encode()
    # A key of our own, so that nothing that the app signs or hashes with its key can be taken for something of ours.
    return hmac.digest(key, b"workos_mfa.flask", "sha256")


def _not_available(error: Exception) -> Response:
    return _pages.unavailable(error)


pages.before_request(warn_once)
pages.after_request(_pages.protected)

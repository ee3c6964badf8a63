"""From the password to the end of the sign-in, and out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import current_app, request, session
from flask.wrappers import Response

from workos_mfa.flask import _browser, _pages
from workos_mfa.flask._second_factor import codes, sessions
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Step
from workos_mfa.flask._state import current_state


def begin(account_id: str, next_path: str | None) -> Response:
    """The password was right: go on to the code, or sign the person in if there is no second factor."""
    state = current_state()
    path = _browser.path_here(next_path, state.settings.after_sign_in)
    step = sessions.begin_sign_in(state.backend, account_id, path)
    if isinstance(step, str):
        return end(account_id, step, path)
    _browser.keep_step(step)
    if step.factor_id is None:
        return _pages.go_to("new_factor")
    # A GET sends nothing: a page of another site could make browsers send it.
    if request.method == "POST" and codes.factor_asked(state.backend, step, _browser.token()).type == "sms":
        ask(step)
    return _pages.go_to("code")


def ask(step: Step) -> None:
    """Challenge the step's factor; if that fails, the code page says why."""
    state = current_state()
    try:
        _browser.keep_step(codes.ask(state.backend, step, _browser.token(), state.address()))
    except Refused as refused:
        _pages.say(_pages.sentence(refused))


def end(account_id: str, token: str, url: str) -> Response:
    """Everything is proved, and the token is stored: sign the person in as the app does, and go on to the URL.

    Nothing of the session from before is left, so that one which somebody has planted is worth nothing.
    """
    state = current_state()
    account_before, token_before = _browser.signed_in()
    if account_before is not None and token_before is not None:
        # First, and while the browser has it: if that fails, it can be tried again.
        sessions.sign_out(state.backend, account_before, token_before)
    session.clear()
    _browser.keep_token(account_id, token)
    result = _signed_in(account_id, token)
    if isinstance(result, Response):
        return result
    return _pages.go_to_url(url)


def _signed_in(account_id: str, token: str) -> object:
    state = current_state()
    if state.callbacks.signed_in is None:
        return None
    result: object = False
    try:
        result = state.callbacks.signed_in(account_id)
    finally:
        if result is False or (isinstance(result, Response) and result.status_code >= 400):
            session.clear()  # the app may have put something in before it refused
            sessions.sign_out(state.backend, account_id, token)
    if result is False:
        raise Refused("not_allowed")
    return result


def sign_out() -> None:
    """End the session, wherever a copy of its cookie is. The app's own keys are the app's to remove.

    If the store fails the browser keeps its token: without it, nobody could end the copies any more.
    """
    account_id, token = _browser.signed_in()
    if account_id is not None and token is not None:
        sessions.sign_out(current_state().backend, account_id, token)
    _browser.forget()


def live_account() -> str | None:
    """The account that this browser is signed in to, if the app thinks so too."""
    state = current_state()
    account_id, token = _browser.signed_in()
    if account_id is None or sessions.session(state.backend, account_id, token) is None:
        return None
    current_account = state.callbacks.current_account or _account_of_flask_login()
    if current_account is not None:
        current = current_account()
        if current is None or str(current) != account_id:
            return None
    return account_id


def _account_of_flask_login() -> Callable[[], object] | None:
    """What Flask-Login says, for an app that has it and does not say itself whom it takes the person for."""
    if not hasattr(current_app, "login_manager"):
        return None
    from flask_login import current_user  # pyright: ignore[reportMissingTypeStubs]  # it has none

    return cast("Callable[[], object]", current_user.get_id)

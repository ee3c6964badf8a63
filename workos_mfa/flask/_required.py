"""The guard in front of a page: who may see it, and where everybody else is led."""

from __future__ import annotations

import functools
from collections.abc import Callable

import attrs
from flask import after_this_request, current_app, jsonify, make_response, request, url_for
from flask.typing import ResponseReturnValue, RouteCallable
from flask.wrappers import Response

from workos_mfa.flask import _browser, _pages, _sign_in
from workos_mfa.flask._second_factor import codes, sessions
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._state import current_state

_SAFE = {"GET", "HEAD", "OPTIONS"}


def guarded(view: RouteCallable, max_age: float | None, grace: float) -> Callable[..., ResponseReturnValue]:
    """A view behind the guard."""

    @functools.wraps(view)
    def behind_the_guard(*args: object, **kwargs: object) -> ResponseReturnValue:
        led_elsewhere = check(max_age, grace)
        if led_elsewhere is not None:
            return led_elsewhere
        result: ResponseReturnValue = current_app.ensure_sync(view)(*args, **kwargs)
        return result

    return behind_the_guard


def check(max_age: float | None, grace: float) -> Response | None:
    """Check that the person has given a code, lately if it must be; give where they are led to if not."""
    if request.method == "OPTIONS" and getattr(request.url_rule, "provide_automatic_options", False):
        return None
    after_this_request(_not_stored)
    state = current_state()
    account_id = _sign_in.live_account()
    if account_id is None:
        return _lead_to_sign_in()
    session = sessions.session(state.backend, account_id, _browser.token_of(account_id))
    if not state.backend.accounts.load(account_id).factors:
        return _lead("second_factor_missing", url_for("workos_mfa.new_factor", next=_way_back()))
    allowed = None if max_age is None else max_age + (0 if request.method in _SAFE else grace)
    proved = session.proved if session is not None else None
    if proved is not None and (allowed is None or state.backend.clock() - proved < allowed):
        return None
    return _lead_to_code(account_id)


def _lead_to_sign_in() -> Response:
    step = _browser.step()
    if step is not None and step.purpose == "sign_in" and not step.is_over(current_state().backend.clock()):
        return _lead("code_required", url_for("workos_mfa.code"))
    return _lead("sign_in_required", url_for(current_state().settings.login_view, next=_way_back()))


def _lead_to_code(account_id: str) -> Response:
    backend = current_state().backend
    try:
        step = codes.begin_step(backend, "confirm", account_id, _browser.token_of(account_id), _way_back())
    except Refused:
        return _lead_to_sign_in()
    before = _browser.step()
    if before is not None and before.generation == step.generation and not before.is_over(backend.clock()):
        # The form of a code page that is open in another tab stays good, however often that tab or a script asks here.
        if before.purpose == "confirm":
            step = attrs.evolve(before, next=step.next)
        elif _browser.wants_json():
            return _lead("code_required", url_for("workos_mfa.code"))
    _browser.keep_step(attrs.evolve(step, dropped=request.method not in _SAFE))
    return _lead("code_required", url_for("workos_mfa.code"))


def _way_back() -> str:
    return _browser.path_of_form(current_state().settings.after_sign_in)


def _lead(error: str, url: str) -> Response:
    if _browser.wants_json():
        return make_response(jsonify(error=error, url=url), 401)
    return _pages.go_to_url(url)


def _not_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response

"""How a page is sent: rendered from a template, kept by no cache, and framed by no other site."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.wrappers import Response

from workos_mfa.flask import _browser
from workos_mfa.flask._csrf import new_token
from workos_mfa.flask._second_factor.document import KnownFactor
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._state import current_state

FLASHED = "workos_mfa"
"""The category of our flashed messages."""

_FORBIDDEN = {"not_allowed"}
_UNAVAILABLE = {"unreachable", "unavailable"}


def render(name: str, values: Mapping[str, object], status: int = 200) -> Response:
    """A page from the template ``workos_mfa/NAME.html``."""
    state = current_state()
    page = render_template(
        f"workos_mfa/{name}.html",
        layout=state.settings.layout,
        texts=state.texts,
        label=label,
        csrf_token=new_token,
        step=_browser.step(),
        **values,
    )
    return make_response(page, status)


def refusal(name: str, refused: Refused, values: Mapping[str, object]) -> Response:
    """A page that says why it does not go on."""
    response = render(name, {**values, "error": sentence(refused)}, status_of(refused))
    if refused.wait:
        response.headers["Retry-After"] = str(refused.wait)
    return response


def unavailable(error: Exception) -> Response:
    """The page, or the JSON, for when nobody can be let in: the store or the limits can't be reached."""
    current_app.logger.error("nobody can be let in: %s", error)
    if _browser.wants_json():
        response = make_response(jsonify(error="unavailable"), 503)
    else:
        response = make_response(_bare_page(), 503)
    response.headers["Retry-After"] = "60"
    return protected(response)


def _bare_page() -> str:
    # Without the app's layout and what Flask-Login adds to each template: to ask who is signed in fails again here.
    template = current_app.jinja_env.get_template("workos_mfa/unavailable.html")
    return template.render(layout="workos_mfa/layout.html", texts=current_state().texts)


def go_to(endpoint: str, next_path: str | None = None) -> Response:
    """Redirect to one of our pages."""
    return go_to_url(url_for(f"workos_mfa.{endpoint}", next=next_path))


def go_to_path(path: str) -> Response:
    """Redirect to a path that a browser has named, if it is one of this site."""
    return go_to_url(_browser.path_here(path, current_state().settings.after_sign_in))


def go_to_url(url: str) -> Response:
    """Redirect to a URL that the app has made."""
    return make_response(redirect(url, 303))


def say(sentence: str) -> None:
    """Show a sentence on the next page that shows any."""
    flash(sentence, FLASHED)


def sentence(refused: Refused) -> str:
    """What a person is told."""
    return current_state().texts(refused.reason, wait=refused.wait)


def label(factor: KnownFactor) -> str:
    """How a person knows a factor."""
    return current_state().texts(f"factor_{factor.type}", digits=factor.digits)


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal."""
    if refused.reason in _UNAVAILABLE:
        return 503
    if refused.wait:
        return 429
    return 403 if refused.reason in _FORBIDDEN else 422


def protected(response: Response) -> Response:
    """The headers of every page of ours."""
    policy = current_state().settings.csp
    if policy is not None:
        response.headers["Content-Security-Policy"] = policy
    if request.endpoint != "workos_mfa.static":
        response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

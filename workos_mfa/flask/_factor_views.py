"""The pages of a person's factors: see them, add, replace or remove one, and make recovery codes."""

from __future__ import annotations

from flask import request, url_for
from flask.wrappers import Response

from workos_mfa.flask import _browser, _pages, _sign_in
from workos_mfa.flask._second_factor import codes, factors, sessions
from workos_mfa.flask._second_factor.document import Permit
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Purpose, Visitor
from workos_mfa.flask._state import current_state
from workos_mfa.flask._views import pages

__all__ = ["pages"]


@pages.get("/")
def overview() -> Response:
    """The factors, for people who are signed in."""
    state = current_state()
    account_id = _account()
    document = state.backend.accounts.load(account_id)
    permit = _permit(account_id)
    return _pages.render(
        "factors",
        {
            "factors": document.factors,
            "codes_left": len(document.recovery_codes),
            "may_replace": permit is not None and permit.change == "replace",
            "path": state.settings.after_sign_in,
        },
    )


@pages.post("/add")
def add() -> Response:
    """Add a factor, after a code; the first one after the password."""
    account_id = _account()
    if not current_state().backend.accounts.load(account_id).factors:
        return _pages.go_to("new_factor")
    return _begin("add", account_id)


@pages.post("/remove")
def remove() -> Response:
    """Remove a factor, after a code."""
    return _begin("remove", _account(), target=request.form.get("factor", ""))


@pages.post("/replace")
def replace() -> Response:
    """Replace a factor that is lost, for people who have used a recovery code."""
    account_id = _account()
    backend = current_state().backend
    token = factors.choose_replaced(backend, account_id, _browser.token_of(account_id), request.form.get("factor", ""))
    _browser.keep_token(account_id, token)
    return _pages.go_to("new_factor")


@pages.get("/new")
def new_factor() -> Response:
    """Choose a kind of factor."""
    state = current_state()
    factors.check_may_enroll(state.backend, _who_enrolls())
    return _new_factor_page()


@pages.post("/new/totp")
def enroll_totp() -> Response:
    """Show the secret of a new authenticator app, once: no other page ever has it."""
    state = current_state()
    visitor = _who_enrolls()
    name = visitor.account_id
    if state.callbacks.account_name is not None:
        name = state.callbacks.account_name(name)
    step, factor = factors.enroll_totp(state.backend, visitor, name, _next())
    _browser.keep_step(step)
    return _pages.render("totp", {"totp": factor.totp})


@pages.post("/new/sms")
def enroll_sms() -> Response:
    """Send a first code to a phone."""
    state = current_state()
    visitor = _who_enrolls()
    number = request.form.get("phone_number", "")
    try:
        step = factors.enroll_sms(state.backend, visitor, number, _next())
    except Refused as refused:
        if refused.reason != "number_refused":
            raise
        return _new_factor_page(refused)
    _browser.keep_step(step)
    _sign_in.ask(step)
    return _pages.go_to("code")


@pages.get("/recovery-codes")
def recovery_codes() -> Response:
    """Offer a new set of recovery codes."""
    account_id = _account()
    permit = _permit(account_id)
    if permit is None or permit.change != "recovery_codes":
        return _pages.go_to_path(_next())
    return _pages.render("recovery_codes", {"codes": None, "path": _next()})


@pages.post("/recovery-codes")
def make_recovery_codes() -> Response:
    """Show a new set of recovery codes, once; if no code was given for it, ask for one."""
    account_id = _account()
    permit = _permit(account_id)
    if permit is None or permit.change != "recovery_codes":
        return _begin("recovery_codes", account_id)
    token, made = factors.make_recovery_codes(current_state().backend, account_id, _browser.token_of(account_id))
    _browser.keep_token(account_id, token)
    return _pages.render("recovery_codes", {"codes": made, "path": _next()})


def _begin(purpose: Purpose, account_id: str, *, target: str | None = None) -> Response:
    backend = current_state().backend
    token = _browser.token_of(account_id)
    step = codes.begin_step(backend, purpose, account_id, token, url_for("workos_mfa.overview"), target=target)
    _browser.keep_step(step)
    if codes.factor_asked(backend, step, token).type == "sms":
        _sign_in.ask(step)
    return _pages.go_to("code")


def _account() -> str:
    account_id = _sign_in.live_account()
    if account_id is None:
        raise Refused("signed_out")
    return account_id


def _who_enrolls() -> Visitor:
    step = _browser.step()
    if step is not None and step.purpose == "sign_in":
        return Visitor(step.account_id, _browser.token_of(step.account_id), step)
    account_id = _account()
    return Visitor(account_id, _browser.token_of(account_id), None)


def _permit(account_id: str) -> Permit | None:
    backend = current_state().backend
    session = sessions.session(backend, account_id, _browser.token_of(account_id))
    permit = session.permit if session is not None else None
    return permit if permit is not None and backend.clock() < permit.until else None


def _next() -> str:
    default = url_for("workos_mfa.overview")
    return _browser.path_here(request.values.get("next"), default)


def _new_factor_page(refused: Refused | None = None) -> Response:
    values: dict[str, object] = {
        "methods": current_state().settings.methods,
        "phone_number": request.form.get("phone_number", ""),
        "path": _next(),
    }
    if refused is None:
        return _pages.render("new_factor", values)
    return _pages.refusal("new_factor", refused, values)

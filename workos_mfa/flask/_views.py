"""The pages on which a code is given: a code, another one, another factor's, or a recovery code."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.wrappers import Response

from workos_mfa.flask import _browser, _pages, _sign_in
from workos_mfa.flask._csrf import check_token
from workos_mfa.flask._second_factor import codes
from workos_mfa.flask._second_factor.accounts import StoreError
from workos_mfa.flask._second_factor.refusals import STEP_IS_OVER, Refused
from workos_mfa.flask._second_factor.steps import Step
from workos_mfa.flask._state import current_state

pages = Blueprint("workos_mfa", __name__, template_folder="templates", static_folder="static")


@pages.before_request
def check_form() -> None:
    """Refuse a form that no page of ours has sent."""
    if request.method == "POST":
        check_token()


@pages.errorhandler(Refused)
def say_why(refused: Refused) -> Response:
    """Say why it does not go on, with a way to go on."""
    if refused.reason in STEP_IS_OVER:
        _browser.drop_step()
    try:
        return _pages.refusal("notice", refused, {"path": _way_on(refused)})
    except StoreError as error:  # which Flask does not handle any more: it handles the refusal
        return _pages.unavailable(error)


def _way_on(refused: Refused) -> str:
    login = url_for(current_state().settings.login_view, next=url_for("workos_mfa.overview"))
    if refused.reason in {"password_needed", "signed_out"}:
        return login
    step = _browser.step()
    if step is not None and not step.is_over(current_state().backend.clock()):
        return url_for("workos_mfa.code")
    if _sign_in.live_account() is not None:
        return url_for("workos_mfa.overview")
    return login


@pages.get("/code")
def code() -> Response:
    """Ask for the code. It sends nothing."""
    step = _browser.step()
    if step is None:
        raise Refused("signed_out" if _sign_in.live_account() is None else "step_over")
    if step.factor_id is None:
        return _pages.go_to("new_factor")
    return _code_page(step)


@pages.post("/code")
def check_code() -> Response:
    """Check the code."""
    state = current_state()
    step = _browser.step_of_form()
    token = _browser.token_of(step.account_id)
    checked = codes.check_code(state.backend, step, token, request.form.get("code", ""), state.address())
    if checked.token is not None:
        return _go_on(step, checked.token)
    assert checked.refused is not None
    if checked.refused.reason in STEP_IS_OVER:
        raise checked.refused
    if checked.step != step:
        # Only then: of two equal forms, sent by a double click, the second must not put back the token of before.
        _browser.keep_step(checked.step)
    return _code_page(checked.step, checked.refused)


@pages.post("/code/send")
def send_code() -> Response:
    """Send a code, or another one; until there is one, the one before still counts."""
    _sign_in.ask(_browser.step_of_form())
    return _pages.go_to("code")


@pages.post("/code/switch")
def switch() -> Response:
    """Ask another factor of the account."""
    step = codes.switch(
        current_state().backend, _browser.step_of_form(), _browser.token(), request.form.get("factor", "")
    )
    _browser.keep_step(step)
    return _pages.go_to("code")


@pages.post("/code/cancel")
def cancel() -> Response:
    """Give up the step."""
    step = _browser.step_of_form()
    _browser.drop_step()
    if step.purpose == "sign_in":
        return _pages.go_to_url(url_for(current_state().settings.login_view))
    return _pages.go_to("overview")


@pages.get("/recovery")
def recovery() -> Response:
    """Ask for a recovery code."""
    codes.factor_asked(current_state().backend, _step_for_recovery(_browser.step()), _browser.token())
    return _pages.render("recovery", {})


@pages.post("/recovery")
def check_recovery() -> Response:
    """Check a recovery code."""
    state = current_state()
    step = _step_for_recovery(_browser.step_of_form())
    typed = request.form.get("code", "")
    try:
        token = codes.check_recovery_code(
            state.backend, step, _browser.token_of(step.account_id), typed, state.address()
        )
    except Refused as refused:
        if refused.reason not in {"recovery_code_wrong", "too_often"}:
            raise
        return _pages.refusal("recovery", refused, {})
    return _go_on(step, token, said="done_recovery_code")


def _step_for_recovery(step: Step | None) -> Step:
    if step is None or step.purpose not in {"sign_in", "confirm"} or step.enrolling:
        raise Refused("code_needed")
    return step


def _go_on(step: Step, token: str, *, said: str | None = None) -> Response:
    """The code was right: go where the person wanted to."""
    if step.purpose == "sign_in":
        path = _browser.path_here(step.next, current_state().settings.after_sign_in)
        response = _sign_in.end(step.account_id, token, _after_enrolment(path) if step.enrolling else path)
    else:
        _browser.keep_token(step.account_id, token)
        _browser.drop_step()
        response = _next_page(step)
    if said is not None:
        _pages.say(current_state().texts(said))
    return response


def _next_page(step: Step) -> Response:
    texts = current_state().texts
    if step.purpose == "confirm":
        return _pages.go_to_path(step.next)
    if step.purpose == "recovery_codes":
        return _pages.go_to("recovery_codes")
    if step.purpose == "remove":
        _pages.say(texts("done_removed"))
        return _pages.go_to("overview")
    if not step.enrolling:
        return _pages.go_to("new_factor", step.next)
    _pages.say(texts("done_added"))
    return _pages.go_to_url(_after_enrolment(step.next))


def _after_enrolment(path: str) -> str:
    return url_for("workos_mfa.recovery_codes", next=path)


def _code_page(step: Step, refused: Refused | None = None) -> Response:
    backend = current_state().backend
    factor = codes.factor_asked(backend, step, _browser.token())
    document = backend.accounts.load(step.account_id)
    values: dict[str, object] = {
        "factor": factor,
        "target": document.factor(step.target),
        "others": [] if step.enrolling else [each for each in document.factors if each != factor],
        "recovery": step.purpose in {"sign_in", "confirm"} and not step.enrolling,
    }
    return _pages.render("code", values) if refused is None else _pages.refusal("code", refused, values)

"""The pages: password, second step, factors.

Whatever needs a code goes the same way. ``_start`` notes in the session what the code is for and asks
for it, the page ``/code`` checks it, and ``_finish`` does what it was for. The session cookie is signed,
so nobody can change it, but anybody who holds it can read it: it has ids in it and nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from workos_mfa import InvalidInputError, InvalidPhoneNumberError

from . import second_factor
from .accounts import Account, OwnFactor
from .second_factor import ISSUER, Checked, Services, Verdict

Page = str | Response | tuple[str, int] | tuple[str, int, Mapping[str, str]]

pages = Blueprint("pages", __name__)
log = logging.getLogger(__name__)

_PUNCTUATION = re.compile(r"[ ().-]")


class SignInFirst(Exception):  # noqa: N818 - it is a turning, not a fault
    """The page is for somebody who has come further."""


@dataclass(frozen=True)
class Pending:
    """A code that is awaited. It is made of ids, and lives in the session: no form has any part of it.

    :param purpose: ``sign_in``, ``enroll`` or ``remove``.
    :param account_id: whose code.
    :param factor_id: the factor it has to come from.
    :param challenge_id: the challenge it answers, or None if there is none yet.
    :param target_id: for ``remove``: the factor to be removed.
    """

    purpose: str
    account_id: str
    factor_id: str
    challenge_id: str | None = None
    target_id: str | None = None


@pages.errorhandler(SignInFirst)
def go_back(_: SignInFirst) -> Response:
    """Send people to where they have to begin."""
    return _go("home" if "account" in session else "sign_in")


@pages.get("/")
def home() -> Page:
    """The account and its factors, for people who are signed in."""
    return render_template("home.html", account=_signed_in())


@pages.get("/sign-in")
def sign_in() -> Page:
    """The first step."""
    return render_template("sign_in.html")


@pages.post("/sign-in")
def check_password() -> Page:
    """End the first step; whoever has a factor is not signed in by it."""
    account = _services().accounts.authenticate(request.form.get("email", ""), request.form.get("password", ""))
    if account is None:
        return render_template("sign_in.html", error="E-mail address or password is not right."), 422
    session.clear()  # nothing of before, so that a session planted on somebody is worth nothing
    if not account.confirmed:
        session["account"] = account.id
        flash("Your account has a password only. Please add a second factor.")
        return _go("add_factor")
    return _start(Pending("sign_in", account.id, account.confirmed[0].id))


@pages.post("/sign-out")
def sign_out() -> Page:
    """Forget the session."""
    session.clear()
    return _go("sign_in")


@pages.get("/code")
def code() -> Page:
    """The second step: ask for the code."""
    return _code_page(*_awaited())


@pages.post("/code")
def check_code() -> Page:
    """The second step: check the code."""
    pending, account, factor = _awaited()
    if pending.challenge_id is None:
        flash("Please ask for a code first.")
        return _go("code")
    checked = second_factor.check(_services(), account, factor, pending.challenge_id, request.form.get("code", ""))
    if checked.verdict is Verdict.RIGHT:
        return _finish(pending, account, factor)
    if checked.verdict is Verdict.NEW_CHALLENGE:
        flash(checked.notice)
        return _start(replace(pending, challenge_id=None))
    return _code_page(pending, account, factor, checked)


@pages.post("/code/new")
def new_code() -> Page:
    """Ask for another code from the same factor; until there is one, the code before it still works."""
    return _start(_awaited()[0])


@pages.post("/code/switch")
def switch() -> Page:
    """Ask for a code from another factor of the same account."""
    pending, account, _ = _awaited()
    factor_id = request.form.get("factor_id", "")
    if factor_id not in [factor.id for factor in _others(pending, account)]:
        abort(404)
    return _start(replace(pending, factor_id=factor_id, challenge_id=None))


@pages.get("/factors/add")
def add_factor() -> Page:
    """Choose a kind of factor."""
    _signed_in()
    return render_template("add_factor.html")


@pages.post("/factors/totp")
def enroll_totp() -> Page:
    """Show the secret of a new authenticator app, once: this is the only page that ever has it."""
    account = _signed_in()
    second_factor.discard_unconfirmed(_services(), account)
    factor = _services().mfa.enroll_factor(type="totp", issuer=ISSUER, user=account.email)
    own = account.factors[factor.id] = OwnFactor(factor.id, "totp", "Authenticator app")
    notice = _ask(Pending("enroll", account.id, own.id), account, own)
    return render_template("totp.html", totp=factor.totp, notice=notice)


@pages.post("/factors/sms")
def enroll_sms() -> Page:
    """Send a first code to a phone."""
    account = _signed_in()
    number = _PUNCTUATION.sub("", request.form.get("phone_number", ""))
    second_factor.discard_unconfirmed(_services(), account)
    try:
        factor = _services().mfa.enroll_factor(type="sms", phone_number=number)
    except (InvalidInputError, InvalidPhoneNumberError):  # not E.164; or it is, and no message gets there
        error = "We can't send text messages to this number. Write it with + and the country code."
        return render_template("add_factor.html", error=error, phone_number=request.form.get("phone_number")), 422
    own = account.factors[factor.id] = OwnFactor(factor.id, "sms", f"Text message to •••{number[-4:]}")
    return _start(Pending("enroll", account.id, own.id))


@pages.post("/factors/remove")
def remove() -> Page:
    """Remove a factor, after a fresh code."""
    account = _signed_in()
    factor_id = request.form.get("factor_id", "")
    if factor_id not in [factor.id for factor in account.confirmed]:
        abort(404)
    return _start(Pending("remove", account.id, factor_id, target_id=factor_id))


def _start(pending: Pending) -> Response:
    account, factor = _owner_and_factor(pending)
    notice = _ask(pending, account, factor)
    if notice is not None:
        flash(notice)
    return _go("code")


def _ask(pending: Pending, account: Account, factor: OwnFactor) -> str | None:
    # Noted before the call: if it fails the person is still here, and can ask again without the password.
    session["pending"] = asdict(pending)
    asked = second_factor.ask(_services(), account, factor)
    if asked.challenge_id is not None:
        session["pending"] = asdict(replace(pending, challenge_id=asked.challenge_id))
    return asked.notice


def _finish(pending: Pending, account: Account, factor: OwnFactor) -> Response:
    session.pop("pending")
    if pending.purpose == "sign_in":
        session.clear()
        session["account"] = account.id
    elif pending.purpose == "enroll":
        factor.confirmed = True
        flash(f"{factor.label} now protects your account.")
    elif target := account.factors.get(pending.target_id or ""):
        second_factor.remove(_services(), account, target)
        flash(f"{target.label} was removed.")
    log.info("%s of %s with %s", pending.purpose, account.id, factor.id)
    return _go("home")


def _code_page(pending: Pending, account: Account, factor: OwnFactor, checked: Checked | None = None) -> Page:
    page = render_template(
        "code.html",
        pending=pending,
        factor=factor,
        others=_others(pending, account),
        error=checked and checked.notice,
    )
    if checked is None:
        return page
    return (page, 429, {"Retry-After": str(checked.wait)}) if checked.wait else (page, 422)


def _others(pending: Pending, account: Account) -> list[OwnFactor]:
    if pending.purpose == "enroll":
        return []  # a new factor is proved by itself
    return [factor for factor in account.confirmed if factor.id != pending.factor_id]


def _awaited() -> tuple[Pending, Account, OwnFactor]:
    if "pending" not in session:
        raise SignInFirst
    pending = Pending(**session["pending"])
    return pending, *_owner_and_factor(pending)


def _owner_and_factor(pending: Pending) -> tuple[Account, OwnFactor]:
    account = _services().accounts.get(pending.account_id)
    if account is None or pending.factor_id not in account.factors:
        session.pop("pending", None)  # the factor was removed in the meantime, in another window
        raise SignInFirst
    return account, account.factors[pending.factor_id]


def _signed_in() -> Account:
    account = _services().accounts.get(session.get("account", ""))
    if account is None:
        session.pop("account", None)
        raise SignInFirst
    return account


def _services() -> Services:
    services: Services = current_app.extensions["second_factor"]
    return services


def _go(page: str) -> Response:
    return redirect(url_for(f"pages.{page}"), 303)

"""The factory: one client, one set of settings, and the pages for when something is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from flask import Flask, render_template, session
from werkzeug.exceptions import HTTPException

from workos_mfa import MFA, MFAError

from . import security, views
from .accounts import Accounts
from .limits import Limit
from .second_factor import Services


def create_app(
    mfa: MFA,
    accounts: Accounts,
    *,
    secret_key: str,
    now: Callable[[], float] = time.time,
    cookie_secure: bool = True,
) -> Flask:
    """Make the app.

    :param mfa: the client; ``MFA()`` in production, ``MFA(transport=Emulator())`` in tests.
    :param accounts: the people who can sign in.
    :param secret_key: signs the session cookie; the same in all processes, random, and kept secret.
    :param now: the time in seconds, for the limits.
    :param cookie_secure: False only for development over plain http.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=cookie_secure,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=1),  # an older cookie is not read any more
        MAX_CONTENT_LENGTH=16 * 1024,
    )
    app.extensions["second_factor"] = Services(mfa, accounts, tries=Limit(5, 15 * 60, now), texts=Limit(1, 60, now))
    security.protect(app)
    app.register_blueprint(views.pages)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(MFAError, _unavailable)
    return app


def _refused(error: HTTPException) -> tuple[str, int]:
    return render_template("error.html", title=error.name, text=error.description), error.code or 500


def _unavailable(error: MFAError) -> tuple[str, int, dict[str, str]]:
    # The text of an MFAError holds no code, key or secret, so it may be logged as it is.
    views.log.error("the second factor is out of reach: %s: %s", type(error).__name__, error)
    text = "We can't check second factors at the moment. Nothing is lost: please try again in a minute."
    page = render_template("error.html", title="Please try again soon", text=text, pending="pending" in session)
    return page, 503, {"Retry-After": "60"}

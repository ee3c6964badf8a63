"""What every page needs, whatever it shows: a token in each form, and headers that limit the browser.

What is missing here is the concern of others: HTTPS and Strict-Transport-Security belong to the server
in front, and how often a password may be tried to the app's sign-in, with or without a second factor.
"""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, Response, abort, request, session

_HEADERS = {
    # Images from data: URIs, because the QR code is one, and nothing from anywhere else.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def csrf_token() -> str:
    """The token of this session, for a hidden field in each form."""
    token: str = session.setdefault("csrf", secrets.token_urlsafe(32))
    return token


def protect(app: Flask) -> None:
    """Check each POST and mark each response of an app."""
    app.before_request(_check_csrf)
    app.after_request(_add_headers)
    app.add_template_global(csrf_token)


def _check_csrf() -> None:
    if request.method != "POST":
        return
    # As bytes, since compare_digest refuses text that is not ASCII.
    sent = request.form.get("csrf_token", "").encode()
    if "csrf" not in session or not hmac.compare_digest(sent, session["csrf"].encode()):
        abort(400, "This form is too old. Please open the page again.")


def _add_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    if request.endpoint != "static":
        # A page with a secret on it must not come back by the browser's back button or from a proxy.
        response.headers["Cache-Control"] = "no-store"
    return response

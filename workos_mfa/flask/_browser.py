"""What a browser has of ours: two keys in Flask's session, and what can be read off a request."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import current_app, request, session
from werkzeug.urls import iri_to_uri

from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Step, from_session

_LONGEST_PATH = 1000


def _key(what: str) -> str:
    # With the name of the app in it: another one may have the same SECRET_KEY, and so the same cookie.
    return f"workos_mfa.{current_app.config['WORKOS_MFA_ISSUER']}.{what}"


def signed_in() -> tuple[str, str] | tuple[None, None]:
    """Account and token that the session names; whether they are worth anything, the account's document says."""
    match session.get(_key("session")):
        case {"account": str() as account_id, "token": str() as token}:
            return account_id, token
        case _:
            return None, None


def token() -> str | None:
    """The browser's token, of whichever account."""
    return signed_in()[1]


def token_of(account_id: str) -> str | None:
    """The browser's token, if it is one of this account."""
    account, token = signed_in()
    return token if account == account_id else None


def keep_token(account_id: str, token: str) -> None:
    """Put a new token into the session.

    A session on the server side gets another id: somebody may have planted the one that it has.
    """
    session[_key("session")] = {"account": account_id, "token": token}
    regenerate = getattr(current_app.session_interface, "regenerate", None)  # Flask-Session has it
    if regenerate is not None:
        regenerate(session)


def step() -> Step | None:
    """What the browser is in the middle of."""
    return from_session(session.get(_key("step")))


def step_of_form() -> Step:
    """What the browser is in the middle of, if the form that was sent belongs to it.

    :raises Refused: if there is nothing, or the form is that of another step, in another tab or before.
    """
    current = step()
    if current is None or request.form.get("step") != current.id:
        raise Refused("stale_form")
    return current


def keep_step(step: Step) -> None:
    """Put a step into the session, in place of the one before."""
    session[_key("step")] = step.to_dict()


def drop_step() -> None:
    """Forget the step."""
    session.pop(_key("step"), None)


def forget() -> None:
    """Take our keys out of the session, and leave the app's."""
    session.pop(_key("session"), None)
    drop_step()


def is_path_here(path: str) -> bool:
    """Whether a path can only lead to a page of this site.

    Browsers take a backslash for a slash, and drop tabs and line breaks: both could make another host of a path.
    """
    if len(path) > _LONGEST_PATH or not path.startswith("/") or path.startswith("//"):
        return False
    return path.isascii() and path.isprintable() and not {" ", "\\"} & {*path}


def path_here(path: str | None, default: str) -> str:
    """A path, if it leads to a page of this site, else the default."""
    return path if path is not None and is_path_here(path) else default


def path_of_form(default: str) -> str:
    """Where the form is that was sent here: this page, if it can be shown, else the page that the browser came from."""
    rule = request.url_rule
    if request.method in {"GET", "HEAD"} or (rule is not None and "GET" in (rule.methods or ())):
        form = iri_to_uri(request.url)  # with the path that the app is mounted at, and quoted as a browser sends it
    else:
        form = request.referrer or ""
    try:
        parts = urlsplit(form)
    except ValueError:
        return default
    if parts.netloc != request.host:
        return default
    return path_here(parts._replace(scheme="", netloc="", fragment="").geturl(), default)


def wants_json() -> bool:
    """Whether a program asks, to which a page would say nothing."""
    accepted = request.accept_mimetypes
    best = accepted.best_match(["text/html", "application/json"], "text/html")
    return request.is_json or (best == "application/json" and accepted[best] > accepted["text/html"])


def network_of(address: str | None) -> str:
    """What is counted as one address: of IPv6 the first half, since one customer has all of the other."""
    try:
        read = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(read, ipaddress.IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(ipaddress.ip_network((read, 64), strict=False))
    return str(read)

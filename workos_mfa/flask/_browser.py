"""What a browser has of ours: two keys in Flask's session, and what can be read off a request."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import request, session

from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Step, from_session

_SIGNED_IN = "_workos_mfa"
_STEP = "_workos_mfa_step"
_LONGEST_PATH = 1000


def signed_in() -> tuple[str, str] | tuple[None, None]:
    """Account and token that the session names; whether they are worth anything, the account's document says."""
    match session.get(_SIGNED_IN):
        case {"account": str() as account_id, "token": str() as token}:
            return account_id, token
        case _:
            return None, None


def token_of(account_id: str) -> str | None:
    """The browser's token, if it is one of this account."""
    account, token = signed_in()
    return token if account == account_id else None


def keep_token(account_id: str, token: str) -> None:
    """Put a new token into the session."""
    session[_SIGNED_IN] = {"account": account_id, "token": token}


def step() -> Step | None:
    """What the browser is in the middle of."""
    return from_session(session.get(_STEP))


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
    session[_STEP] = step.to_dict()


def drop_step() -> None:
    """Forget the step."""
    session.pop(_STEP, None)


def forget() -> None:
    """Take our keys out of the session, and leave the app's."""
    session.pop(_SIGNED_IN, None)
    drop_step()


def is_path_here(path: str) -> bool:
    """Whether a path can only lead to a page of this site.

    Browsers take a backslash for a slash, and drop tabs and line breaks: both could make another host of a path.
    """
    if len(path) > _LONGEST_PATH or not path.startswith("/") or path.startswith("//"):
        return False
    return "\\" not in path and all(character.isprintable() and character != " " for character in path)


def path_here(path: str | None, default: str) -> str:
    """A path, if it leads to a page of this site, else the default."""
    return path if path is not None and is_path_here(path) else default


def path_of_form(default: str) -> str:
    """Where the form is that was sent here: this page, if it can be shown, else the page that the browser came from."""
    rule = request.url_rule
    if request.method in {"GET", "HEAD"} or (rule is not None and "GET" in (rule.methods or ())):
        form = request.url  # with the path that the app is mounted at, and quoted as a browser sends it
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

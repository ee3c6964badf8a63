"""What is wrong with an installation, and can be seen only once it serves requests."""

from __future__ import annotations

from flask import request

from workos_mfa.flask._state import current_state

_FORWARDED = ("X-Forwarded-For", "Forwarded")


def warn_once() -> None:
    """Warn of limits that each process counts for itself, and of addresses that are a proxy's; each of them once."""
    state = current_state()
    if request.environ.get("wsgi.multiprocess") and state.backend.limits.is_in_memory:
        state.warn(
            "each process counts the limits for itself, so people have more tries than they should: set "
            "WORKOS_MFA_LIMITS_URI to a Redis"
        )
    behind_proxy = any(name in request.headers for name in _FORWARDED)
    if behind_proxy and state.settings.address is None and "werkzeug.proxy_fix.orig" not in request.environ:
        state.warn(
            "requests come through a proxy, and all of them count for its address: use werkzeug's ProxyFix, or set "
            "WORKOS_MFA_ADDRESS"
        )

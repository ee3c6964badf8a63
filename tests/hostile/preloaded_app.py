"""A small WSGI app whose client is made, and used, before gunicorn forks its workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import workos_mfa
from tests.transports.api import CHALLENGE_ID, CODE, KEY

MFA = workos_mfa.MFA(
    transport=getattr(workos_mfa, os.environ["TRANSPORT"])(KEY, base_url=os.environ["API"]),
)
MFA.get_factor("auth_factor_of_the_parent")


def app(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Verify, and say in which process."""
    del environ
    verified = MFA.verify_challenge(CHALLENGE_ID, code=CODE).valid
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{verified} {os.getpid()}".encode()]

"""The API as the tests of the transports see it: what it answers when all is well."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import pytest
import requests

from tests.loopback import Behaviour, Line, Received
from workos_mfa import MFA, RequestsTransport, Transport, Urllib3Transport

MOMENT = "2026-01-15T12:00:00.000Z"
FACTOR_ID = "auth_factor_01FVYZ5QM8N98T9ME5BCB2BBMJ"
CHALLENGE_ID = "auth_challenge_01FVYZ5QM8N98T9ME5BCB2BBMJ"
KEY = "sk_test_sentinel_key"
CODE = "421337421337421337"  # too long to stand by chance in a number of seconds
SECRET = "SENTINELIMPORTEDSECRET"
FACTOR: dict[str, object] = {
    "object": "authentication_factor",
    "id": FACTOR_ID,
    "type": "generic_otp",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
CHALLENGE: dict[str, object] = {
    "object": "authentication_challenge",
    "id": CHALLENGE_ID,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "authentication_factor_id": FACTOR_ID,
}
TOTP_BLOCK = {
    "issuer": "Foo Corp",
    "user": "alan.turing@example.com",
    "secret": "SENTINELSECRET",
    "qr_code": "data:image/png;base64,SENTINELQR",
    "uri": "otpauth://totp/SENTINELURI",
}


class SessionTransport(RequestsTransport):
    """The default transport on a session of the user's, which is closed with it."""

    def __init__(self, api_key: str, *, base_url: str | None = None, allow_http: bool = False) -> None:
        self._users = requests.Session()
        super().__init__(api_key, base_url=base_url, session=self._users, allow_http=allow_http)

    def close(self) -> None:
        """Close the session, as its user would."""
        self._users.close()


SENTINELS = (KEY, CODE, SECRET, "SENTINELSECRET", "SENTINELQR", "SENTINELURI")
"""What must be seen nowhere: what the calls send, and what the answers hold."""

TransportFactory = Callable[..., Transport]
on_every_connection = pytest.mark.parametrize(
    "transport_class", [RequestsTransport, Urllib3Transport, SessionTransport]
)


_ANSWERS: dict[tuple[str, str], tuple[int, object]] = {
    ("POST", "enroll"): (201, FACTOR),
    ("POST", "auth_factors"): (
        201,
        {
            "authentication_factor": {**FACTOR, "type": "totp", "totp": TOTP_BLOCK},
            "authentication_challenge": CHALLENGE,
        },
    ),
    ("GET", "auth_factors"): (
        200,
        {"object": "list", "data": [FACTOR], "list_metadata": {"before": None, "after": None}},
    ),
}


def right_answer(request: Received) -> tuple[int, object]:
    """The answer that the API gives to a call that works."""
    if request.method == "DELETE":
        return 204, None
    *_, resource, last_segment = request.path.partition("?")[0].split("/")
    if last_segment == "verify":
        return 201, {"challenge": {**CHALLENGE, "id": resource}, "valid": True}
    if last_segment == "challenge":
        return 201, {**CHALLENGE, "authentication_factor_id": unquote(resource)}
    return _ANSWERS.get((request.method, last_segment), (200, {**FACTOR, "id": unquote(last_segment)}))


def answer_rightly(request: Received, line: Line) -> None:
    """Behave as the API does when all is well."""
    line.answer(*right_answer(request))


def first_then(first: Behaviour, then: Behaviour) -> Behaviour:
    """One behaviour for the first request, another for the rest."""
    pending = [first]

    def behave(request: Received, line: Line) -> object:
        return (pending.pop() if pending else then)(request, line)

    return behave


def all_calls(mfa: MFA) -> dict[str, Callable[[], object]]:
    """Every documented call, by its operation."""
    return {
        "enroll_factor": lambda: mfa.enroll_factor(type="generic_otp"),
        "challenge_factor": lambda: mfa.challenge_factor(FACTOR_ID),
        "verify_challenge": lambda: mfa.verify_challenge(CHALLENGE_ID, code=CODE),
        "create_user_auth_factor": lambda: mfa.create_user_auth_factor("user_1", secret=SECRET),
        "get_factor": lambda: mfa.get_factor(FACTOR_ID),
        "list_user_auth_factors": lambda: mfa.list_user_auth_factors("user_1"),
        "delete_factor": lambda: mfa.delete_factor(FACTOR_ID),
    }


NON_IDEMPOTENT = ("enroll_factor", "challenge_factor", "verify_challenge", "create_user_auth_factor")
SAFE = ("get_factor", "list_user_auth_factors")
IDEMPOTENT = ("delete_factor",)
ALL = (*NON_IDEMPOTENT, *SAFE, *IDEMPOTENT)
WITH_SECRETS = ("enroll_factor", "verify_challenge", "create_user_auth_factor")
"""The calls that send a secret, or get one."""

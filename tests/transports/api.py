"""The API as the tests of the transports see it: its calls, and its responses when all is well."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import pytest
import requests

from tests.loopback import Behaviour, Line, Received
from tests.operations import CALLS, CHALLENGE, CHALLENGE_ID, FACTOR_ID, SECRET, VERIFICATION
from tests.operations import GENERIC_FACTOR as FACTOR
from workos_mfa import MFA, RequestsTransport, Transport, Urllib3Transport

__all__ = ["CHALLENGE", "CHALLENGE_ID", "FACTOR", "FACTOR_ID", "SECRET"]

KEY = "sk_test_sentinel_key"
CODE = "421337421337421337"  # too long to stand by chance in a number of seconds
SENTINELS = (KEY, CODE, SECRET, "iVBORw0KGgo", "SENTINELSECRET", "SENTINELQR", "SENTINELURI")
"""What must be seen nowhere: what the calls send, and what the responses hold."""


class SessionTransport(RequestsTransport):
    """The default transport on a session of the user's, which is closed with it."""

    def __init__(self, api_key: str, *, base_url: str | None = None, allow_http: bool = False) -> None:
        self._users = requests.Session()
        super().__init__(api_key, base_url=base_url, session=self._users, allow_http=allow_http)

    def close(self) -> None:
        """Close the session, as its user would."""
        self._users.close()


TransportFactory = Callable[..., Transport]
Connect = Callable[..., Transport]
TRANSPORTS: list[TransportFactory] = [RequestsTransport, Urllib3Transport]
on_every_connection = pytest.mark.parametrize("transport_class", [*TRANSPORTS, SessionTransport])

_ARGUMENTS = {
    **{call.operation: call.arguments for call in CALLS},
    "verify_challenge": {"authentication_challenge_id": CHALLENGE_ID, "code": CODE},
}
_BY_LAST_SEGMENT = {(call.method, call.path.rpartition("/")[2]): call for call in CALLS}

ALL = tuple(_ARGUMENTS)
SAFE, IDEMPOTENT, NON_IDEMPOTENT = (
    tuple(dict.fromkeys(call.operation for call in CALLS if call.replay == replay))
    for replay in ("safe", "idempotent", "non_idempotent")
)
WITH_SECRETS = ("enroll_factor", "verify_challenge", "create_user_auth_factor")
"""The calls that send a secret, or get one."""


def all_calls(mfa: MFA) -> dict[str, Callable[[], object]]:
    """Every documented call, by its operation. Nothing of what is sent is in the frames that make it."""

    def calling(operation: str) -> Callable[[], object]:
        return lambda: getattr(mfa, operation)(**_ARGUMENTS[operation])

    return {operation: calling(operation) for operation in ALL}


def right_response(request: Received) -> tuple[int, object]:
    """The response that the API gives to a call that works, with the id that was asked for."""
    if request.method == "DELETE":
        return 204, None
    *_, resource, last_segment = request.path.partition("?")[0].split("/")
    if last_segment == "verify":
        return 201, {**VERIFICATION, "challenge": {**CHALLENGE, "id": resource}}
    if last_segment == "challenge":
        return 201, {**CHALLENGE, "authentication_factor_id": unquote(resource)}
    call = _BY_LAST_SEGMENT.get((request.method, last_segment))
    return (call.status, call.body) if call else (200, {**FACTOR, "id": unquote(last_segment)})


def respond_rightly(request: Received, line: Line) -> None:
    """Behave as the API does when all is well."""
    line.respond(*right_response(request))


def respond_and_hang_up(request: Received, line: Line) -> None:
    """Respond, and close the connection, though the response did not say so."""
    respond_rightly(request, line)
    line.hang_up()


def respond_without_end(head: bytes) -> Behaviour:
    """Send a head, and a body without end."""

    def behave(_: Received, line: Line) -> None:
        line.send(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

    return behave


def first_then(first: Behaviour, then: Behaviour) -> Behaviour:
    """One behaviour for the first request, another for the rest."""
    pending = [first]

    def behave(request: Received, line: Line) -> object:
        return (pending.pop() if pending else then)(request, line)

    return behave

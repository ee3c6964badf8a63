"""The documented calls: the arguments of each, what it sends, and the response as the API was recorded to send it.

``enroll_factor`` stands here three times, once for each type of factor.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from workos_mfa import MFA, Attempt, Options, Request, Response
from workos_mfa._core.transport import Replay
from workos_mfa.testing import StubTransport, json_response

FACTOR_ID = "auth_factor_01FZ4WMXXA09XF6NK1XMKNWB3M"
CHALLENGE_ID = "auth_challenge_01FZ4YVRBMXP5ZM0A7BP4AJ12J"
USER_ID = "user_01H96FETWYSJMJEGF0Q3ZB272F"
PHONE_NUMBER = "+15005550006"
CODE = "897792"
SECRET = "NAGCCFS3EYRB422HNAKAKY3XDUORMSRF"

GENERIC_FACTOR: Mapping[str, object] = {
    "object": "authentication_factor",
    "id": FACTOR_ID,
    "created_at": "2022-03-27T05:12:43.689Z",
    "updated_at": "2022-03-27T05:12:43.689Z",
    "type": "generic_otp",
}
SMS_FACTOR: Mapping[str, object] = {
    "object": "authentication_factor",
    "id": "auth_factor_01FZ8HVEV5XV0YQ0ENHWM14CCB",
    "created_at": "2022-03-28T15:21:00.975Z",
    "updated_at": "2022-03-28T15:21:00.975Z",
    "type": "sms",
    "sms": {"phone_number": "+55555555555"},
}
ENROLLED_TOTP_FACTOR: Mapping[str, object] = {
    **GENERIC_FACTOR,
    "type": "totp",
    "totp": {
        "issuer": "Foo Corp",
        "user": "alan.turing@example.com",
        "qr_code": "data:image/png;base64,iVBORw0KGgo=",
        "secret": SECRET,
        "uri": f"otpauth://totp/FooCorp:alan.turing@foo-corp.com?secret={SECRET}&issuer=FooCorp",
    },
}
TOTP_FACTOR: Mapping[str, object] = {
    "object": "authentication_factor",
    "id": FACTOR_ID,
    "user_id": USER_ID,
    "type": "totp",
    "totp": {"issuer": "Foo Corp", "user": "user@foo-corp.com"},
    "created_at": "2023-08-31T18:59:57.962Z",
    "updated_at": "2023-08-31T18:59:57.962Z",
}
CHALLENGE: Mapping[str, object] = {
    "object": "authentication_challenge",
    "id": CHALLENGE_ID,
    "created_at": "2022-03-27T05:51:24.531Z",
    "updated_at": "2022-03-27T05:51:24.531Z",
    "expires_at": "2022-03-27T06:01:24.532Z",
    "code": CODE,
    "authentication_factor_id": FACTOR_ID,
}
VERIFICATION: Mapping[str, object] = {"challenge": CHALLENGE, "valid": True}
USER_ENROLLMENT: Mapping[str, object] = {
    "authentication_factor": {**ENROLLED_TOTP_FACTOR, "user_id": USER_ID},
    "authentication_challenge": CHALLENGE,
}
FACTOR_LIST: Mapping[str, object] = {
    "object": "list",
    "data": [TOTP_FACTOR],
    "list_metadata": {"before": None, "after": None},
}

ADVICE = {
    "enroll_factor": "Enroll again: a factor that nobody knows of does no harm.",
    "challenge_factor": (
        "Challenge again: two text messages may arrive, and only the code of the new challenge counts."
    ),
    "verify_challenge": "Make a new challenge and ask for a new code.",
    "create_user_auth_factor": (
        "Look for a new factor with list_user_auth_factors, delete it if there is one, and create again."
    ),
    "delete_factor": "Delete again: a NotFoundError then means that it is done.",
}
"""What an error says to do where the server may have acted, for each call that changes something."""


@attrs.frozen(eq=False)
class Call:
    """One call, with right arguments and the response to it.

    :param sends: the JSON that goes out with a POST, or the query of a GET.
    :param body: the JSON of the response, or None for a response without a body.
    """

    label: str
    operation: str
    replay: Replay
    arguments: Mapping[str, object]
    method: str
    path: str
    route: str
    sends: Mapping[str, object] | None
    status: int
    body: Mapping[str, object] | None

    def make(self, mfa: MFA) -> object:
        """Make the call."""
        return getattr(mfa, self.operation)(**self.arguments)

    @property
    def request(self) -> Request:
        """The request that the call makes, with the limits of a client that sets none."""
        query = (self.sends or {}) if self.method == "GET" else {}
        return Request(
            operation=self.operation,
            method=self.method,
            path=self.path,
            route=self.route,
            query={name: str(value) for name, value in query.items()},
            json=self.sends if self.method == "POST" else None,
            replay=self.replay,
            options=Options(timeout=10.0, deadline=20.0, max_attempts=None),
        )

    @property
    def success(self) -> Response:
        """The response of an API that did it."""
        return Response(self.status) if self.body is None else json_response(self.status, self.body)

    def result_of(self, *responses: Response) -> object:
        """What the call makes of the responses, the first of them first."""
        left = iter(responses)
        return self.make(MFA(transport=StubTransport(lambda _: next(left))))

    def __str__(self) -> str:
        return self.label


ENROLL_TOTP = Call(
    "enroll totp",
    "enroll_factor",
    "non_idempotent",
    {"type": "totp", "issuer": "Foo Corp", "user": "alan.turing@example.com"},
    "POST",
    "/auth/factors/enroll",
    "/auth/factors/enroll",
    {"type": "totp", "totp_issuer": "Foo Corp", "totp_user": "alan.turing@example.com"},
    201,
    ENROLLED_TOTP_FACTOR,
)
ENROLL_SMS = attrs.evolve(
    ENROLL_TOTP,
    label="enroll sms",
    arguments={"type": "sms", "phone_number": PHONE_NUMBER},
    sends={"type": "sms", "phone_number": PHONE_NUMBER},
    body=SMS_FACTOR,
)
ENROLL_GENERIC = attrs.evolve(
    ENROLL_TOTP,
    label="enroll generic_otp",
    arguments={"type": "generic_otp"},
    sends={"type": "generic_otp"},
    body=GENERIC_FACTOR,
)
CHALLENGE_FACTOR = Call(
    "challenge",
    "challenge_factor",
    "non_idempotent",
    {"authentication_factor_id": FACTOR_ID},
    "POST",
    f"/auth/factors/{FACTOR_ID}/challenge",
    "/auth/factors/{id}/challenge",
    {},
    201,
    CHALLENGE,
)
VERIFY_CHALLENGE = Call(
    "verify",
    "verify_challenge",
    "non_idempotent",
    {"authentication_challenge_id": CHALLENGE_ID, "code": CODE},
    "POST",
    f"/auth/challenges/{CHALLENGE_ID}/verify",
    "/auth/challenges/{id}/verify",
    {"code": CODE},
    201,
    VERIFICATION,
)
GET_FACTOR = Call(
    "get",
    "get_factor",
    "safe",
    {"authentication_factor_id": FACTOR_ID},
    "GET",
    f"/auth/factors/{FACTOR_ID}",
    "/auth/factors/{id}",
    None,
    200,
    TOTP_FACTOR,
)
DELETE_FACTOR = attrs.evolve(
    GET_FACTOR, label="delete", operation="delete_factor", replay="idempotent", method="DELETE", status=204, body=None
)
CREATE_USER_FACTOR = Call(
    "create",
    "create_user_auth_factor",
    "non_idempotent",
    {"user_id": USER_ID, "secret": SECRET},
    "POST",
    f"/user_management/users/{USER_ID}/auth_factors",
    "/user_management/users/{id}/auth_factors",
    {"type": "totp", "totp_secret": SECRET},
    201,
    USER_ENROLLMENT,
)
LIST_USER_FACTORS = attrs.evolve(
    CREATE_USER_FACTOR,
    label="list",
    operation="list_user_auth_factors",
    replay="safe",
    arguments={"user_id": USER_ID},
    method="GET",
    sends={"order": "desc"},
    status=200,
    body=FACTOR_LIST,
)

CALLS = [
    ENROLL_TOTP,
    ENROLL_SMS,
    ENROLL_GENERIC,
    CHALLENGE_FACTOR,
    VERIFY_CHALLENGE,
    GET_FACTOR,
    DELETE_FACTOR,
    CREATE_USER_FACTOR,
    LIST_USER_FACTORS,
]


def attempt(
    number: int, *, status: int | None = None, error: str | None = None, outcome_unknown: bool = False
) -> Attempt:
    """One attempt of a call that made several."""
    return Attempt(number, "op", "/route", status, error, 0.1, 0.2, None, outcome_unknown=outcome_unknown)

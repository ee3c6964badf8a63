"""The documented calls, each with an answer as the API was recorded to give it.

``enroll_factor`` stands here three times, once for each type of factor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from workos_mfa import MFA, Response
from workos_mfa._core.transport import Replay
from workos_mfa.testing import StubTransport, json_response

FACTOR_ID = "auth_factor_01FZ4WMXXA09XF6NK1XMKNWB3M"
CHALLENGE_ID = "auth_challenge_01FZ4YVRBMXP5ZM0A7BP4AJ12J"
USER_ID = "user_01H96FETWYSJMJEGF0Q3ZB272F"
PHONE_NUMBER = "+15005550006"
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
    "code": "897792",
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
"""What to do after a call of which nobody knows if it was done, for each that can be one."""


@attrs.frozen(eq=False)
class Call:
    """One call, with arguments that are right and an answer that is."""

    label: str
    operation: str
    replay: Replay
    make: Callable[[MFA], object]
    status: int
    answer: Mapping[str, object] | None

    @property
    def success(self) -> Response:
        """The answer of an API that did it."""
        return Response(self.status) if self.answer is None else json_response(self.status, self.answer)

    def answered(self, *answers: Response) -> object:
        """What the call makes of the answers, the first of them first."""
        left = iter(answers)
        return self.make(MFA(transport=StubTransport(lambda _: next(left))))

    def __str__(self) -> str:
        return self.label


ENROLL_TOTP = Call(
    "enroll totp",
    "enroll_factor",
    "non_idempotent",
    lambda mfa: mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com"),
    201,
    ENROLLED_TOTP_FACTOR,
)
ENROLL_SMS = Call(
    "enroll sms",
    "enroll_factor",
    "non_idempotent",
    lambda mfa: mfa.enroll_factor(type="sms", phone_number=PHONE_NUMBER),
    201,
    SMS_FACTOR,
)
ENROLL_GENERIC = Call(
    "enroll generic_otp",
    "enroll_factor",
    "non_idempotent",
    lambda mfa: mfa.enroll_factor(type="generic_otp"),
    201,
    GENERIC_FACTOR,
)
CHALLENGE_FACTOR = Call(
    "challenge", "challenge_factor", "non_idempotent", lambda mfa: mfa.challenge_factor(FACTOR_ID), 201, CHALLENGE
)
VERIFY_CHALLENGE = Call(
    "verify",
    "verify_challenge",
    "non_idempotent",
    lambda mfa: mfa.verify_challenge(CHALLENGE_ID, code="897792"),
    201,
    VERIFICATION,
)
GET_FACTOR = Call("get", "get_factor", "safe", lambda mfa: mfa.get_factor(FACTOR_ID), 200, TOTP_FACTOR)
DELETE_FACTOR = Call("delete", "delete_factor", "idempotent", lambda mfa: mfa.delete_factor(FACTOR_ID), 204, None)
CREATE_USER_FACTOR = Call(
    "create",
    "create_user_auth_factor",
    "non_idempotent",
    lambda mfa: mfa.create_user_auth_factor(USER_ID, secret=SECRET),
    201,
    USER_ENROLLMENT,
)
LIST_USER_FACTORS = Call(
    "list", "list_user_auth_factors", "safe", lambda mfa: mfa.list_user_auth_factors(USER_ID), 200, FACTOR_LIST
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

"""Every unknown of the API is a setting, and each does all that it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.emulator.caller import Caller

CallerWith: TypeAlias = Callable[..., Caller]


@pytest.mark.parametrize("limit", [1, 3, None])
def test_max_wrong_codes(caller_with: CallerWith, limit: int | None) -> None:
    """So many wrong codes are answered false, and none more; None means no limit."""
    caller = caller_with(max_wrong_codes=limit)
    challenge = caller.challenge(caller.generic()).json
    allowed = limit or 50
    assert [caller.wrong(challenge).status for _ in range(allowed)] == [201] * allowed
    response = caller.verify(challenge, challenge["code"])
    assert (response.status, response.json.get("valid")) == ((400, None) if limit else (201, True))


def test_wrong_codes_counted_per_factor(caller_with: CallerWith) -> None:
    """Counted per factor, a new challenge does not start afresh, but a verified one does."""
    caller = caller_with(wrong_codes_counted_per="factor", max_wrong_codes=2)
    factor = caller.generic()
    caller.wrong(caller.challenge(factor).json)
    good = caller.challenge(factor).json
    caller.verify(good, good["code"])
    for _ in range(2):
        assert caller.wrong(caller.challenge(factor).json).status == 201
    assert caller.wrong(caller.challenge(factor).json).status == 400
    other = caller.generic()
    assert caller.wrong(caller.challenge(other).json).status == 201


def test_lock_may_accept_the_right_code(caller_with: CallerWith) -> None:
    """Where the lock is for wrong codes only, the right one still counts."""
    caller = caller_with(lock_refuses_right_code=False, max_wrong_codes=1)
    challenge = caller.challenge(caller.generic()).json
    assert [caller.wrong(challenge).status for _ in range(3)] == [201, 400, 400]
    assert caller.verify(challenge, challenge["code"]).json["valid"] is True


def test_lock_ends_after(caller_with: CallerWith) -> None:
    """A lock may end so many seconds after the code that was one too many, and counting begins again."""
    caller = caller_with(lock_ends_after=60, max_wrong_codes=2)
    factor = caller.generic()
    challenge = caller.challenge(factor).json
    assert [caller.wrong(challenge).status for _ in range(3)] == [201, 201, 400]
    caller.emulator.clock.advance(59)
    assert caller.wrong(challenge).status == 400
    caller.emulator.clock.advance(1)
    assert [caller.wrong(challenge).status for _ in range(3)] == [201, 201, 400]
    caller.emulator.clock.advance(60)
    assert caller.verify(challenge, challenge["code"]).json["valid"] is True


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "12 456"])
@pytest.mark.parametrize(("counted", "after"), [(True, 400), (False, 201)])
@pytest.mark.parametrize(("reply", "status"), [("invalid", 201), ("refused", 422)])
def test_malformed_code(
    caller_with: CallerWith, reply: str, status: int, *, counted: bool, after: int, code: str
) -> None:
    """A code that is not six digits is wrong or a validation error, and counts or not, whatever it is told."""
    caller = caller_with(malformed_code=reply, malformed_codes_counted=counted, max_wrong_codes=2)
    factor = caller.generic()
    challenge = caller.challenge(factor).json
    assert [caller.verify(challenge, code).status for _ in range(2)] == [status] * 2
    assert caller.verify(challenge, caller.emulator.wrong_code(factor["id"])).status == after


def test_a_malformed_code_that_nobody_counts(caller_with: CallerWith) -> None:
    """One that is refused counts neither for a challenge that is locked nor for one whose factor is deleted."""
    caller = caller_with(malformed_code="refused", deleted_factor_reply="invalid", max_wrong_codes=1)
    factor = caller.generic()
    challenge = caller.challenge(factor).json
    assert [caller.verify(challenge, "1").status for _ in range(2)] == [422, 422]
    caller.delete(factor["id"])
    assert caller.verify(challenge, "1").status == 422
    assert caller.verify(challenge, challenge["code"]).json["valid"] is False


@pytest.mark.parametrize(
    ("back", "ahead", "accepted"),
    [
        (0, 0, [False, True, False]),
        (1, 1, [True, True, True]),
        (1, 0, [True, True, False]),
        (0, 2, [False, True, True]),
    ],
)
def test_totp_window(caller_with: CallerWith, back: int, ahead: int, accepted: list[bool]) -> None:
    """A code of a neighbouring step counts if the window of its side says so."""
    caller = caller_with(totp_window_back=back, totp_window_ahead=ahead)
    responses: list[bool] = []
    for seconds in (-30, 0, 30):
        factor = caller.totp()
        now = caller.emulator.clock.now()
        caller.emulator.clock.advance(60 + seconds)
        code = caller.emulator.totp_code(factor["id"])
        caller.emulator.clock.set(now)
        caller.emulator.clock.advance(60)
        responses.append(caller.verify(caller.challenge(factor).json, code).json["valid"])
    assert responses == accepted


@pytest.mark.parametrize(
    ("reply", "statuses", "code"),
    [
        ("invalid", [201, 400, 400], None),
        ("refused", [400, 400, 201], "one_time_code_previously_used"),
        ("accepted", [201, 422, 422], None),
    ],
)
def test_reused_totp_code(caller_with: CallerWith, reply: str, statuses: list[int], code: str | None) -> None:
    """A used code is a wrong code like any other, or an error of its own, which is no attempt."""
    caller = caller_with(reused_totp_code=reply, max_wrong_codes=1)
    factor = caller.totp()
    used = caller.emulator.totp_code(factor["id"])
    caller.verify(caller.challenge(factor).json, used)
    challenge = caller.challenge(factor).json
    responses = [caller.verify(challenge, used), caller.verify(challenge, used), caller.wrong(challenge)]
    assert [response.status for response in responses] == statuses
    assert responses[0].json.get("code") == code


@pytest.mark.parametrize(
    ("settings", "valid"),
    [
        ({}, True),
        ({"older_totp_code": "as_reused"}, False),
        ({"older_totp_code": "as_reused", "reused_totp_code": "accepted"}, True),
    ],
)
def test_older_totp_code(caller_with: CallerWith, settings: dict[str, object], *, valid: bool) -> None:
    """The code of a step before one that was accepted may be as good as used; another factor's step is no matter."""
    caller = caller_with(**settings)
    factors = [caller.totp(), caller.totp()]
    older = [caller.emulator.totp_code(factor["id"]) for factor in factors]
    caller.emulator.clock.advance(30)
    caller.verify(caller.challenge(factors[0]).json, caller.emulator.totp_code(factors[0]["id"]))
    responses = [
        caller.verify(caller.challenge(factor).json, code) for factor, code in zip(factors, older, strict=True)
    ]
    assert [response.json["valid"] for response in responses] == [valid, True]


@pytest.mark.parametrize("sent", [True, False])
def test_totp_expires_at_sent(caller_with: CallerWith, sent: bool) -> None:  # noqa: FBT001
    """A TOTP challenge may come without its end; others never do."""
    caller = caller_with(totp_expires_at_sent=sent)
    assert ("expires_at" in caller.challenge(caller.totp()).json) is sent
    assert "expires_at" in caller.challenge(caller.generic()).json


@pytest.mark.parametrize(("expire", "status"), [(True, 422), (False, 201)])
def test_totp_challenges_expire(caller_with: CallerWith, expire: bool, status: int) -> None:  # noqa: FBT001
    """A TOTP challenge may be good for ever; others never are."""
    caller = caller_with(totp_challenges_expire=expire)
    totp, generic = caller.totp(), caller.challenge(caller.generic()).json
    challenge = caller.challenge(totp).json
    caller.emulator.clock.advance(10_000)
    assert caller.verify(challenge, caller.emulator.totp_code(totp["id"])).status == status
    assert caller.verify(generic, generic["code"]).status == 422


def test_totp_uri(caller_with: CallerWith) -> None:
    """The URI of an enrolment may be as full as that of a user's factor."""
    block = caller_with(totp_uri="full").totp()["totp"]
    assert block["uri"].endswith(f"?secret={block['secret']}&issuer=Foo%20Corp&algorithm=SHA1&digits=6&period=30")


NAMES = {"type": "totp", "totp_user": "1"}
ABROAD = {"type": "sms", "phone_number": "+441632960961"}
PUNCTUATED = {"type": "sms", "phone_number": "(720) 867-53.09"}


@pytest.mark.parametrize(
    ("settings", "body", "shown"),
    [
        ({}, {**NAMES, "totp_issuer": "1" * 255}, "1" * 255),
        ({}, {**NAMES, "totp_issuer": "1" * 256}, None),
        ({"non_us_numbers": "accepted"}, ABROAD, "+441632960961"),
        ({"non_us_numbers": "refused"}, ABROAD, None),
        ({"non_us_numbers": "refused"}, {"type": "sms", "phone_number": "+15005550006"}, "+15005550006"),
        ({"phone_punctuation": "refused"}, PUNCTUATED, None),
        ({"phone_punctuation": "dropped"}, PUNCTUATED, "+17208675309"),
    ],
)
def test_names_and_numbers(
    caller_with: CallerWith, settings: dict[str, object], body: dict[str, Any], shown: str | None
) -> None:
    """How long a name may be, which numbers get messages, and how a number may be written."""
    caller = caller_with(**settings)
    response = caller.enroll(**body)
    assert response.status == (201 if shown else 422)
    assert shown is None or shown in response.json[body["type"]].values()
    if body["type"] == "totp":
        assert caller.create(**body).status == response.status


@pytest.mark.parametrize(("cancels", "status"), [(False, 201), (True, 422)])
def test_new_challenge_cancels_older(caller_with: CallerWith, cancels: bool, status: int) -> None:  # noqa: FBT001
    """An older challenge of the same factor may be over; one of another factor never is."""
    caller = caller_with(new_challenge_cancels_older=cancels)
    factor = caller.generic()
    other = caller.challenge(caller.generic()).json
    older, newer = caller.challenge(factor).json, caller.challenge(factor).json
    response = caller.verify(older, older["code"])
    assert response.status == status
    if cancels:
        assert response.json["code"] == "authentication_challenge_expired"
    assert [caller.verify(one, one["code"]).json["valid"] for one in (newer, other)] == [True, True]


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        ("expired", 422, "authentication_challenge_expired"),
        ("not_found", 404, "entity_not_found"),
        ("invalid", 201, None),
    ],
)
def test_cancelled_challenge_reply(caller_with: CallerWith, reply: str, status: int, code: str | None) -> None:
    """What is told of a challenge that a newer one has cancelled; that it was verified before is told in any case."""
    caller = caller_with(new_challenge_cancels_older=True, cancelled_challenge_reply=reply)
    factor = caller.generic()
    verified, older = caller.challenge(factor).json, None
    caller.verify(verified, verified["code"])
    older = caller.challenge(factor).json
    caller.challenge(factor)
    response = caller.verify(older, older["code"])
    assert (response.status, response.json.get("code"), response.json.get("valid", False)) == (status, code, False)
    assert caller.verify(verified, verified["code"]).json["code"] == "authentication_challenge_previously_verified"


@pytest.mark.parametrize(
    ("reply", "status", "words"),
    [
        ("challenge_not_found", 404, "Authentication Challenge not found: '{challenge}'."),
        ("factor_not_found", 404, "Authentication Factor not found: '{factor}'."),
        ("invalid", 201, None),
    ],
)
def test_deleted_factor_reply(caller_with: CallerWith, reply: str, status: int, words: str | None) -> None:
    """A deleted factor verifies nothing, however that is told."""
    caller = caller_with(deleted_factor_reply=reply)
    factor = caller.generic()
    challenge = caller.challenge(factor).json
    caller.delete(factor["id"])
    response = caller.verify(challenge, challenge["code"])
    assert response.status == status
    if words is None:
        assert response.json == {"challenge": challenge, "valid": False}
    else:
        assert response.json["message"] == words.format(factor=factor["id"], challenge=challenge["id"])


@pytest.mark.parametrize(
    ("settings", "template", "text"),
    [
        ({}, None, "Your one-time code is {}."),
        ({"default_sms_text": "{{code}}"}, None, "{}"),
        ({"template_needs_code": False}, "Hello", "Hello"),
    ],
)
def test_text_of_a_message(
    caller_with: CallerWith, settings: dict[str, object], template: str | None, text: str
) -> None:
    """A message without a template has the default text; one without the code goes out where that is not enforced."""
    caller = caller_with(**settings)
    challenge = caller.challenge(caller.sms(), sms_template=template).json
    message = caller.emulator.outbox[0]
    assert message.text == text.format(message.code)
    assert caller.verify(challenge, message.code).json["valid"] is True


@pytest.mark.parametrize(("what", "status"), [("ignored", 201), ("refused", 422)])
def test_template_without_sms(caller_with: CallerWith, what: str, status: int) -> None:
    """A template for a factor that gets no messages is ignored or refused; null or nothing in it is always fine."""
    caller = caller_with(template_without_sms=what)
    assert caller.challenge(caller.totp(), sms_template="anything").status == status
    assert [caller.challenge(caller.totp(), sms_template=empty).status for empty in (None, "")] == [201, 201]
    assert not caller.emulator.outbox


def test_sms_rate_limit(caller_with: CallerWith) -> None:
    """A number gets so many messages in a minute; another number is not concerned."""
    caller = caller_with(sms_rate_limit=2, retry_after=60)
    factor, other = caller.sms(), caller.sms("+15005550007")
    assert [caller.challenge(factor).status for _ in range(2)] == [201, 201]
    response = caller.challenge(factor)
    body = {"code": "sms_challenge_rate_limited", "message": "Request could not be processed."}
    assert response.seen == (429, body)
    assert response.headers["retry-after"] == "60"
    assert [caller.challenge(other).status, caller.challenge(caller.totp()).status] == [201, 201]
    caller.emulator.clock.advance(59)
    assert caller.challenge(factor).status == 429
    caller.emulator.clock.advance(1)
    assert caller.challenge(factor).status == 201
    assert len(caller.emulator.outbox) == 4


@pytest.mark.parametrize(("shape", "status"), [("by_code", 422), ("bad_request", 400)])
def test_validation_errors(caller_with: CallerWith, shape: str, status: int) -> None:
    """A validation error has the other shape, and the other status, if the setting says so."""
    errors = [{"code": "invalid_type", "message": "type must be a valid enum value"}]
    body = {"code": "invalid_request_parameters", "message": "Validation failed.", "errors": errors}
    caller = caller_with(validation_errors=shape)
    assert caller.enroll(type="car").seen == (status, body)
    assert caller.create(type="car").json["message"] == "Validation failed"
    caller = caller_with(user_validation_errors=shape)
    assert caller.create(type="car").seen == (status, body)
    assert caller.list(limit="0").status == status
    assert caller.enroll(type="car").json["message"] == "Validation failed"


@pytest.mark.parametrize(("what", "status"), [("ignored", 201), ("refused", 422)])
def test_unknown_properties(caller_with: CallerWith, what: str, status: int) -> None:
    """A property that a call does not have is ignored or refused; a query parameter is refused in any case."""
    caller = caller_with(unknown_properties=what)
    responses = [
        caller.enroll(type="generic_otp", colour="red"),
        caller.challenge(caller.generic(), colour="red"),
        caller.create(colour="red"),
    ]
    assert [response.status for response in responses] == [status] * 3
    errors = [{"field": "colour", "code": "property colour should not exist"}]
    body: tuple[int, object] = (422, {"message": "Validation failed", "errors": errors})
    if status == 422:
        assert [response.seen for response in responses] == [body] * 3
    assert caller.send("POST", "/auth/factors/enroll", {"type": "generic_otp"}, {"colour": "red"}).seen == body
    assert caller.list(colour="red").seen == body


def test_number_as_code_may_be_read(caller_with: CallerWith) -> None:
    """A JSON number may be read as the code it looks like."""
    caller = caller_with(number_as_code="read")
    challenge = caller.challenge(caller.generic()).json
    response = caller.verify(challenge, int(challenge["code"]))
    # A number has no leading zeros, which is why this is a mistake that one test run in ten shows.
    assert response.json["valid"] is not challenge["code"].startswith("0")
    assert caller.verify(caller.challenge(caller.generic()).json, code=True).status == 422


def test_idempotency_key(caller_with: CallerWith) -> None:
    """Where keys are honoured, a second POST with one does nothing and gets the first response; else it acts."""
    caller = caller_with()
    body = {"type": "generic_otp"}
    assert len({caller.enroll_once("1", **body).json["id"] for _ in range(2)}) == 2
    caller = caller_with(idempotency_key="honoured")
    first = caller.enroll_once("1", **body)
    assert [caller.enroll_once("1", **body).seen, caller.enroll_once("2", **body).status] == [first.seen, 201]
    other = caller.enroll_once("1", type="totp", totp_issuer="Foo", totp_user="ada")
    assert (other.status, other.json["code"]) == (400, "idempotency_key_reused")
    assert [caller.enroll_once("3", type="car").status, caller.enroll_once("3", **body).status] == [422, 201]
    assert caller.enroll(**body).json != caller.enroll(**body).json
    caller.emulator.reset()
    assert caller.enroll_once("1", **body).json["id"] != first.json["id"]


def test_users(caller_with: CallerWith) -> None:
    """Where only the users of a seed exist, any other is a 404."""
    caller = caller_with(users="seeded")
    caller.emulator.seed({"users": {"user_1": "alan@example.com"}})
    missing = {
        "message": "User not found: 'user_2'.",
        "code": "entity_not_found",
        "entity_id": "user_2",
    }
    assert caller.create("user_1").json["authentication_factor"]["totp"]["user"] == "alan@example.com"
    for response in (
        caller.create("user_2"),
        caller.list("user_2"),
        caller.enroll(type="generic_otp", user_id="user_2"),
    ):
        assert response.seen == (404, missing)
    assert len(caller.list("user_1").json["data"]) == 1


@pytest.mark.parametrize(("order", "onward"), [("normal", "before"), ("desc", "after"), ("asc", "after")])
def test_list_order(caller_with: CallerWith, order: str, onward: str) -> None:
    """A list without ``order`` is newest or oldest first, and one of the cursors leads on."""
    caller = caller_with(list_order=order)
    older, newer = (caller.create().json["authentication_factor"]["id"] for _ in range(2))
    shown, rest = (older, newer) if order == "asc" else (newer, older)
    first = caller.list(limit="1").json
    assert [item["id"] for item in first["data"]] == [shown]
    assert first["list_metadata"] == {"before": None, "after": None, onward: shown}
    assert [item["id"] for item in caller.list(**{onward: shown}).json["data"]] == [rest]
    assert caller.list(limit="1", order="desc").json["list_metadata"]["after"] == newer


@pytest.mark.parametrize("listed", [True, False])
def test_factors_listed(caller_with: CallerWith, listed: bool) -> None:  # noqa: FBT001
    """A factor may be in the list if it was enrolled with a user's id, and before its first right code, or not."""
    caller = caller_with(enrolled_factors_listed=listed)
    enrolled = caller.totp(user_id="user_1")["id"]
    created = caller.create().json["authentication_factor"]["id"]
    shown = [item["id"] for item in caller.list().json["data"]]
    assert shown == ([created, enrolled] if listed else [created])
    caller = caller_with(unverified_factors_listed=listed)
    made = caller.create().json
    assert len(caller.list().json["data"]) == int(listed)
    code = caller.emulator.totp_code(made["authentication_factor"]["id"])
    caller.verify(made["authentication_challenge"], code)
    assert len(caller.list().json["data"]) == 1


def test_max_factors_per_user(caller_with: CallerWith) -> None:
    """A user may have so many factors; one without a user is not counted."""
    caller = caller_with(max_factors_per_user=1)
    first = caller.create().json["authentication_factor"]
    response = caller.enroll(type="generic_otp", user_id="user_1")
    assert (response.status, response.json["code"]) == (422, "authentication_factor_limit_reached")
    assert [caller.create().status, caller.create("user_2").status] == [422, 201]
    assert [caller.enroll(type="generic_otp").status for _ in range(2)] == [201, 201]
    caller.delete(first["id"])
    assert caller.create().status == 201


def test_routes_of_2022(caller: Caller) -> None:
    """The two paths of 2022 work like the present ones, with the ids in the body."""
    factor = caller.sms()
    body: dict[str, object] = {"authentication_factor_id": factor["id"], "sms_template": "It is {{code}}"}
    challenge = caller.send("POST", "/auth/factors/challenge", body)
    message = caller.emulator.outbox[0]
    assert (challenge.status, message.text) == (201, f"It is {message.code}")
    assert caller.send("POST", "/auth/factors/challenge", {}).status == 422
    body = {"authentication_challenge_id": challenge.json["id"], "code": message.code}
    response = caller.send("POST", "/auth/factors/verify", body)
    assert response.seen == (201, {"challenge": challenge.json, "valid": True})
    assert caller.send("POST", "/auth/factors/verify", {"code": "1"}).status == 422
    assert [call.operation for call in caller.emulator.calls[1:3]] == ["challenge_factor"] * 2


def test_routes_of_2022_may_be_gone(caller_with: CallerWith) -> None:
    """Where they are gone, the response is that of a path that the API does not have."""
    caller = caller_with(routes_of_2022="gone")
    for path in ("/auth/factors/challenge", "/auth/factors/verify"):
        gone = {"message": f"Cannot POST {path}", "error": "Not Found", "statusCode": 404}
        assert caller.send("POST", path, {}).seen == (404, gone)

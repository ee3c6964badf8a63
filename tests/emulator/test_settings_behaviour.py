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


@pytest.mark.parametrize(
    ("window", "accepted"),
    [(0, [False, True, False]), (1, [True, True, True])],
)
def test_totp_window(caller_with: CallerWith, window: int, accepted: list[bool]) -> None:
    """A code of a neighbouring step counts if the window says so."""
    caller = caller_with(totp_window=window)
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
    [("invalid", [201, 400, 400], None), ("refused", [400, 400, 201], "one_time_code_previously_used")],
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


NAMES = {"type": "totp", "totp_issuer": "12345", "totp_user": "1"}
ABROAD = {"type": "sms", "phone_number": "+441632960961"}
PUNCTUATED = {"type": "sms", "phone_number": "(720) 867-53.09"}


@pytest.mark.parametrize(
    ("settings", "body", "shown"),
    [
        ({"max_totp_name": 5}, NAMES, "12345"),
        ({"max_totp_name": 4}, NAMES, None),
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
    if body is NAMES:
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
    response = caller_with(validation_errors=shape).enroll(type="car")
    errors = [{"code": "invalid_type", "message": "type must be a valid enum value"}]
    body = {"code": "invalid_request_parameters", "message": "Validation failed.", "errors": errors}
    assert response.seen == (status, body)


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


@pytest.mark.parametrize(("order", "onward"), [("normal", "before"), ("desc", "after")])
def test_list_order(caller_with: CallerWith, order: str, onward: str) -> None:
    """A list without ``order`` is newest first either way; the two differ in which cursor leads on."""
    caller = caller_with(list_order=order)
    older, newer = (caller.create().json["authentication_factor"]["id"] for _ in range(2))
    first = caller.list(limit="1").json
    assert [item["id"] for item in first["data"]] == [newer]
    assert first["list_metadata"] == {"before": None, "after": None, onward: newer}
    assert [item["id"] for item in caller.list(**{onward: newer}).json["data"]] == [older]
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

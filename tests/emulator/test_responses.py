"""Every response is the one that was recorded or documented: status, headers, keys and their order."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.caller import Caller, Reply

CREATED = "2026-08-21T12:00:00.432Z"
EXPIRES = "2026-08-21T12:10:00.432Z"
FACTOR = re.compile(r"auth_factor_[0-9A-HJKMNP-TV-Z]{26}")
CHALLENGE = re.compile(r"auth_challenge_[0-9A-HJKMNP-TV-Z]{26}")


def _check_headers(response: Reply) -> None:
    headers = response.headers
    assert uuid.UUID(headers["x-request-id"]).version == 4
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["content-length"] == str(len(response.body))
    assert response.body == json.dumps(response.json, separators=(",", ":")).encode()


def test_enroll_generic_otp(caller: Caller) -> None:
    """A generic factor has five fields; null for unused properties is accepted, as recorded."""
    response = caller.enroll(type="generic_otp", totp_issuer=None, totp_user=None, phone_number=None)
    assert response.status == 201
    assert FACTOR.fullmatch(response.json["id"])
    assert list(response.json.items()) == [
        ("object", "authentication_factor"),
        ("id", response.json["id"]),
        ("created_at", CREATED),
        ("updated_at", CREATED),
        ("type", "generic_otp"),
    ]
    _check_headers(response)


def test_enroll_totp(caller: Caller) -> None:
    """A TOTP factor comes with its secret in three forms, in the documented order."""
    response = caller.enroll(type="totp", totp_issuer="Foo Corp", totp_user="alan.turing@example.com", user_id="user_1")
    block = response.json["totp"]
    assert response.status == 201
    assert list(response.json) == ["object", "id", "created_at", "updated_at", "type", "user_id", "totp"]
    assert response.json["user_id"] == "user_1"
    assert list(block) == ["issuer", "user", "qr_code", "secret", "uri"]
    assert (block["issuer"], block["user"]) == ("Foo Corp", "alan.turing@example.com")
    assert re.fullmatch(r"[A-Z2-7]{32}", block["secret"])
    assert block["uri"] == (
        f"otpauth://totp/Foo%20Corp:alan.turing@example.com?secret={block['secret']}&issuer=Foo%20Corp"
    )
    assert block["qr_code"].startswith("data:image/png;base64,iVBOR")
    _check_headers(response)


@pytest.mark.parametrize("written", ["7208675309", "17208675309", "+17208675309"])
def test_enroll_sms_normalises_the_number(caller: Caller, written: str) -> None:
    """US numbers of ten and eleven digits get their prefix."""
    response = caller.enroll(type="sms", phone_number=written)
    assert response.status == 201
    assert list(response.json) == ["object", "id", "created_at", "updated_at", "type", "sms"]
    assert response.json["sms"] == {"phone_number": "+17208675309"}


@pytest.mark.parametrize("number", ["foo", "73", "", "+1555", "+01555555555", "+1555555555a"])
def test_enroll_bad_phone(caller: Caller, number: str) -> None:
    """What is not a phone number is refused in the API's words."""
    response = caller.enroll(type="sms", phone_number=number)
    message = f"Phone number is invalid: '{number}'"
    assert response.seen == (422, {"message": message, "code": "invalid_phone_number"})
    assert list(response.json) == ["message", "code"]
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"type": "type must be a valid enum value"}),
        ({"type": ["totp"]}, {"type": "type must be a valid enum value"}),
        ({"type": "sms"}, {"phone_number": "phone_number must be a string"}),
        ({"type": "sms", "phone_number": 15005550006}, {"phone_number": "phone_number must be a string"}),
        (
            {"type": "totp", "totp_issuer": "Foo", "totp_user": "alan", "phone_number": 1},
            {"phone_number": "phone_number must be a string"},
        ),
        (
            {"type": "totp"},
            {"totp_issuer": "totp_issuer must be a string", "totp_user": "totp_user must be a string"},
        ),
        (
            {"type": "totp", "totp_issuer": "", "totp_user": "u" * 256},
            {
                "totp_issuer": "totp_issuer should not be empty",
                "totp_user": "totp_user must be shorter than or equal to 255 characters",
            },
        ),
        ({"type": "generic_otp", "user_id": 7}, {"user_id": "user_id must be a string"}),
        ({"type": "generic_otp", "user_id": ""}, {"user_id": "user_id should not be empty"}),
    ],
)
def test_enroll_invalid(caller: Caller, body: dict[str, object], errors: dict[str, str]) -> None:
    """Everything that is wrong is named, sentence by sentence, and nothing is kept."""
    response = caller.enroll(**body)
    assert response.status == 422
    assert response.json["message"] == "Validation failed"
    named = {error["field"]: error["code"] for error in response.json["errors"]}
    assert named == errors
    assert "0 factors" in repr(caller.emulator)


def test_get(caller: Caller) -> None:
    """A factor is shown without its secret."""
    made = caller.totp()
    response = caller.get(made["id"])
    assert response.status == 200
    assert response.json == {**made, "totp": {"issuer": "Foo Corp", "user": "alan@example.com"}}
    assert caller.get(caller.sms()["id"]).json["sms"] == {"phone_number": "+15005550006"}
    _check_headers(response)


def test_delete(caller: Caller) -> None:
    """A deleted factor is gone: 204 without a body, then 404."""
    made = caller.totp(user_id="user_1")
    response = caller.delete(made["id"])
    assert (response.status, response.body) == (204, b"")
    headers = response.headers
    assert set(headers) - {"date"} == {"x-request-id", "content-length"}
    assert headers["content-length"] == "0"
    assert [caller.get(made["id"]).status, caller.delete(made["id"]).status] == [404, 404]
    assert caller.challenge(made).status == 404
    assert caller.list().json["data"] == []


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("POST", "/challenge")], ids=str.lower)
def test_unknown_factor(caller: Caller, method: str, suffix: str) -> None:
    """An unknown factor is the recorded 404, with the id as it was meant, percent-decoded."""
    response = caller.send(method, f"/auth/factors/auth%2Ffactor invalid{suffix}")
    assert list(response.json.items()) == [
        ("message", "Authentication Factor not found: 'auth/factor invalid'."),
        ("code", "entity_not_found"),
        ("entity_id", "auth/factor invalid"),
    ]
    assert response.status == 404
    _check_headers(response)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("generic", ["expires_at", "code", "authentication_factor_id"]),
        ("sms", ["expires_at", "authentication_factor_id"]),
        ("totp", ["expires_at", "authentication_factor_id"]),
    ],
)
def test_challenge(caller: Caller, kind: str, keys: list[str]) -> None:
    """A challenge ends after ten minutes; only that of a generic factor shows its code."""
    factor = getattr(caller, kind)()
    response = caller.challenge(factor, sms_template=None)
    assert response.status == 201
    assert list(response.json) == ["object", "id", "created_at", "updated_at", *keys]
    assert CHALLENGE.fullmatch(response.json["id"])
    assert response.json["authentication_factor_id"] == factor["id"]
    assert (response.json["created_at"], response.json["expires_at"]) == (CREATED, EXPIRES)
    assert re.fullmatch(r"[0-9]{6}", response.json.get("code", "123456"))
    _check_headers(response)


def test_challenge_without_a_body_is_like_an_empty_one(caller: Caller) -> None:
    """No body at all is taken for one without properties."""
    assert caller.send("POST", f"/auth/factors/{caller.totp()['id']}/challenge").status == 201


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("Your code", "sms_template must contain {{code}}"),
        (7, "sms_template must be a string"),
        ("{{code}}" + "x" * 153, "sms_template must be shorter than or equal to 160 characters"),
        ("{{code}} https://example.com/x", "sms_template must not contain URLs or domain names"),
        ("{{code}} at foo-corp.io", "sms_template must not contain URLs or domain names"),
    ],
)
def test_challenge_with_a_bad_template(caller: Caller, template: object, sentence: str) -> None:
    """A template that the API refuses is refused, and no message goes out."""
    response = caller.challenge(caller.sms(), sms_template=template)
    errors = [{"field": "sms_template", "code": sentence}]
    assert response.seen == (422, {"message": "Validation failed", "errors": errors})
    assert not caller.emulator.outbox


def test_unknown_properties_are_ignored(caller: Caller) -> None:
    """What a call does not have in its body changes nothing, whatever it is."""
    factor = caller.enroll(type="generic_otp", colour={"red": 1}).json
    challenge = caller.challenge(factor, sms_templates=7)
    assert challenge.status == 201
    path = f"/auth/challenges/{challenge.json['id']}/verify"
    response = caller.send("POST", path, {"code": challenge.json["code"], "valid": False})
    assert response.json == {"challenge": challenge.json, "valid": True}
    created = caller.create(User="user_2", totp_user="alan").json["authentication_factor"]
    assert (created["user_id"], created["totp"]["user"]) == ("user_1", "alan")


@pytest.mark.parametrize("empty", ["", None])
def test_what_is_empty_counts_as_absent(caller: Caller, empty: str | None) -> None:
    """A text that a call does not need may be there without anything in it."""
    names: dict[str, object] = dict.fromkeys(("totp_issuer", "totp_user", "phone_number"), empty)
    sms = caller.enroll(**{**names, "type": "sms", "phone_number": "+15005550006"})
    totp = caller.enroll(**{**names, "type": "totp", "totp_issuer": "Foo Corp", "totp_user": "alan"})
    assert [caller.enroll(**{**names, "type": "generic_otp"}).status, sms.status, totp.status] == [201] * 3
    assert [caller.challenge(factor.json, sms_template=empty).status for factor in (sms, totp)] == [201] * 2
    assert caller.emulator.outbox[0].text == f"Your one-time code is {caller.emulator.outbox[0].code}."
    block = caller.create(totp_issuer=empty, totp_user=empty).json["authentication_factor"]["totp"]
    assert (block["issuer"], block["user"]) == ("WorkOS Emulator", "user_1@example.com")


def test_verify(caller: Caller) -> None:
    """The right code is 201 and true, with the challenge unchanged; a wrong one 201 and false."""
    for factor in (caller.generic(), caller.sms(), caller.totp()):
        challenge = caller.challenge(factor).json
        wrong = caller.wrong(challenge)
        assert wrong.seen == (201, {"challenge": challenge, "valid": False})
        right = caller.verify(challenge, _code_of(caller, factor, challenge))
        assert right.seen == (201, {"challenge": challenge, "valid": True})
        assert list(right.json) == ["challenge", "valid"]
        _check_headers(right)


def _code_of(caller: Caller, factor: Any, challenge: Any) -> str:
    if factor["type"] == "totp":
        return caller.emulator.totp_code(factor["id"])
    if factor["type"] == "sms":
        return caller.emulator.outbox.latest(factor_id=factor["id"]).code
    return str(challenge["code"])


@pytest.mark.parametrize(
    ("before", "status", "code", "message"),
    [
        (
            lambda caller, challenge: caller.verify(challenge, challenge["code"]),
            422,
            "authentication_challenge_previously_verified",
            "The authentication challenge '{id}' has already been verified.",
        ),
        (
            lambda caller, _: caller.emulator.clock.advance(600),
            422,
            "authentication_challenge_expired",
            "The authentication challenge '{id}' has expired.",
        ),
        (
            lambda caller, challenge: [caller.wrong(challenge) for _ in range(5)],
            400,
            "one_time_code_too_many_attempts",
            "One-time code has had too many failed attempts.",
        ),
    ],
)
def test_a_challenge_that_is_over(
    caller: Caller, before: Callable[[Caller, Any], object], status: int, code: str, message: str
) -> None:
    """Once verified, after ten minutes and after five wrong codes a right code is refused; a new challenge is open."""
    factor = caller.generic()
    challenge = caller.challenge(factor).json
    before(caller, challenge)
    response = caller.verify(challenge, challenge["code"])
    assert response.status == status
    assert list(response.json.items()) == [("code", code), ("message", message.format(id=challenge["id"]))]
    newer = caller.challenge(factor).json
    assert caller.verify(newer, newer["code"]).json["valid"] is True


@pytest.mark.parametrize(("seconds", "wrong"), [(599.9, 0), (0, 4)])
def test_a_challenge_that_is_almost_over(caller: Caller, seconds: float, wrong: int) -> None:
    """Just before its end, and after one wrong code less than that, a challenge is still open."""
    challenge = caller.challenge(caller.generic()).json
    caller.emulator.clock.advance(seconds)
    assert [caller.wrong(challenge).seen for _ in range(wrong)] == [
        (201, {"challenge": challenge, "valid": False})
    ] * wrong
    assert caller.verify(challenge, challenge["code"]).json["valid"] is True


def test_verify_unknown_challenge(caller: Caller) -> None:
    """An unknown challenge is a 404, told before anything about the body."""
    response = caller.send("POST", "/auth/challenges/auth_challenge_x/verify", {"code": 7})
    assert response.status == 404
    assert list(response.json.items()) == [
        ("message", "Authentication Challenge not found: 'auth_challenge_x'."),
        ("code", "entity_not_found"),
        ("entity_id", "auth_challenge_x"),
    ]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (None, "code must be a string"),
        (123456, "code must be a string"),
        (True, "code must be a string"),
        ("", "code should not be empty"),
    ],
)
def test_verify_without_a_code(caller: Caller, code: object, sentence: str) -> None:
    """What is not a code is refused and is no attempt."""
    challenge = caller.challenge(caller.generic()).json
    for _ in range(6):
        response = caller.verify(challenge, code)
        assert response.status == 422
        assert response.json["errors"] == [{"field": "code", "code": sentence}]
    assert caller.verify(challenge, challenge["code"]).json["valid"] is True


def test_a_totp_code_is_accepted_once(caller: Caller) -> None:
    """A factor refuses a code it has accepted, in any challenge, until the next code comes."""
    factor = caller.totp()
    code = caller.emulator.totp_code(factor["id"])
    first, second = caller.challenge(factor).json, caller.challenge(factor).json
    assert caller.verify(first, code).json["valid"] is True
    assert caller.verify(second, code).seen == (201, {"challenge": second, "valid": False})
    caller.emulator.clock.advance(30)
    assert caller.verify(second, caller.emulator.totp_code(factor["id"])).json["valid"] is True


def test_a_code_belongs_to_its_factor(caller: Caller) -> None:
    """A code of one factor or challenge is wrong for another."""
    one, two = caller.totp(), caller.totp()
    code = caller.emulator.totp_code(one["id"])
    assert code != caller.emulator.totp_code(two["id"])
    assert caller.verify(caller.challenge(two).json, code).json["valid"] is False


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/", None),
        ("GET", "/auth/factors/", None),
        ("GET", "/auth/factors", None),
        ("POST", "/user_management/authenticate", None),
        ("PUT", "/auth/factors/auth_factor_1", "DELETE, GET"),
        ("OPTIONS", "/auth/factors/enroll", "DELETE, GET, POST"),
        ("PATCH", "/auth/challenges/auth_challenge_1/verify", "POST"),
    ],
)
def test_a_route_that_there_is_not(caller: Caller, method: str, path: str, allowed: str | None) -> None:
    """An unknown route can't be taken for a response of the API; a wrong method is told the right ones."""
    response = caller.send(method, path)
    if allowed:
        assert (response.status, response.json["code"]) == (405, "method_not_allowed")
    else:
        assert (response.status, response.json["code"]) == (501, "not_implemented_by_emulator")
        assert f"The workos_mfa emulator does not implement {method} {path}." in response.json["message"]
    assert response.headers.get("allow") == allowed
    _check_headers(response)

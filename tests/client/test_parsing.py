"""What is read from a response that says success, and what is not taken for one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from tests.client.damage import Path, changed, place_of
from tests.operations import (
    CALLS,
    CHALLENGE,
    CHALLENGE_FACTOR,
    CREATE_USER_FACTOR,
    DELETE_FACTOR,
    ENROLL_GENERIC,
    ENROLL_SMS,
    ENROLL_TOTP,
    FACTOR_ID,
    FACTOR_LIST,
    GENERIC_FACTOR,
    GET_FACTOR,
    LIST_USER_FACTORS,
    SMS_FACTOR,
    TOTP_FACTOR,
    VERIFICATION,
    VERIFY_CHALLENGE,
    Call,
)
from workos_mfa import (
    SMS,
    Challenge,
    Factor,
    Page,
    Response,
    SMSFactor,
    TOTPFactor,
    UnexpectedResponseError,
    UserEnrollment,
    Verification,
)
from workos_mfa._core.models import Model
from workos_mfa.testing import json_response

READING_CALLS = [call for call in CALLS if call.body is not None]

KINDS = {
    ENROLL_TOTP: TOTPFactor,
    ENROLL_SMS: SMSFactor,
    ENROLL_GENERIC: Factor,
    CHALLENGE_FACTOR: Challenge,
    VERIFY_CHALLENGE: Verification,
    GET_FACTOR: Factor,
    CREATE_USER_FACTOR: UserEnrollment,
    LIST_USER_FACTORS: Page,
}


def unreadable(call: Call, response: Response) -> UnexpectedResponseError:
    """The error for a response of a good status that is not what the API promises."""
    with pytest.raises(UnexpectedResponseError) as caught:
        call.result_of(response)
    error = caught.value
    assert error.status_code == response.status
    assert error.outcome_unknown is (call.replay != "safe")
    assert error.needs_new_challenge is (call is VERIFY_CHALLENGE)
    assert str(error).startswith(f"{response.status}: the response is not what the API promises: ")
    return error


FACTOR_FIELDS: tuple[Path, ...] = (("object",), ("id",), ("type",), ("created_at",), ("updated_at",))
CHALLENGE_FIELDS: tuple[Path, ...] = (*FACTOR_FIELDS[:2], ("authentication_factor_id",), *FACTOR_FIELDS[3:])
ENROLLMENT_FIELDS: tuple[Path, ...] = (("totp",), ("totp", "secret"), ("totp", "qr_code"), ("totp", "uri"))


def within(prefix: Path, paths: tuple[Path, ...]) -> list[Path]:
    """The paths below another, and that one."""
    return [prefix, *(prefix + path for path in paths)]


PROMISED: dict[Call, list[Path]] = {
    ENROLL_TOTP: [*FACTOR_FIELDS, *ENROLLMENT_FIELDS],
    ENROLL_SMS: [*FACTOR_FIELDS, ("sms",), ("sms", "phone_number")],
    ENROLL_GENERIC: [*FACTOR_FIELDS],
    GET_FACTOR: [*FACTOR_FIELDS],
    CHALLENGE_FACTOR: [*CHALLENGE_FIELDS],
    VERIFY_CHALLENGE: [*within(("challenge",), CHALLENGE_FIELDS), ("valid",)],
    CREATE_USER_FACTOR: [
        *within(("authentication_factor",), FACTOR_FIELDS + ENROLLMENT_FIELDS),
        *within(("authentication_challenge",), CHALLENGE_FIELDS),
    ],
    LIST_USER_FACTORS: [("data",), ("list_metadata",), *within(("data", 0), FACTOR_FIELDS)[1:]],
}
OPTIONAL: dict[Call, list[Path]] = {
    ENROLL_TOTP: [("totp", "issuer"), ("totp", "user")],
    CHALLENGE_FACTOR: [("expires_at",), ("code",)],
    VERIFY_CHALLENGE: [("challenge", "expires_at"), ("challenge", "code")],
    GET_FACTOR: [("user_id",), ("totp",), ("totp", "issuer"), ("totp", "user")],
    CREATE_USER_FACTOR: [("authentication_challenge", "expires_at"), ("authentication_factor", "user_id")],
    LIST_USER_FACTORS: [
        ("list_metadata", "before"),
        ("list_metadata", "after"),
        ("data", 0, "user_id"),
        ("data", 0, "totp"),
    ],
}

promised_fields = pytest.mark.parametrize(
    ("call", "path"),
    [pytest.param(call, path, id=f"{call} {place_of(path)}") for call in PROMISED for path in PROMISED[call]],
)
optional_fields = pytest.mark.parametrize(
    ("call", "path"),
    [pytest.param(call, path, id=f"{call} {place_of(path)}") for call in OPTIONAL for path in OPTIONAL[call]],
)


@pytest.mark.parametrize("call", READING_CALLS, ids=str)
@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_a_recorded_response_becomes_its_model(call: Call, status: int) -> None:
    """Which 2xx it is does not matter: documentation and recordings disagree on that."""
    assert type(call.result_of(json_response(status, call.body))) is KINDS[call]


@promised_fields
def test_a_promised_field_that_is_missing_is_named(call: Call, path: Path) -> None:
    """By its place in the JSON, for whoever reports it."""
    error = unreadable(call, json_response(201, changed(call.body, path, ...)))
    assert error.args[0].endswith(f": {place_of(path)} is missing")


WRONG_VALUES = [None, 7, True, 0.5, "", ["SENTINEL"], {"SENTINEL": "SENTINEL"}, "SENTINEL"]
BLOCKS = {"authentication_challenge", "authentication_factor", "challenge", "data", "sms", "totp"}
ASKED_FOR: set[tuple[Call, Path]] = {
    (GET_FACTOR, ("id",)),
    (CHALLENGE_FACTOR, ("authentication_factor_id",)),
    (VERIFY_CHALLENGE, ("challenge", "id")),
}
# The two ids that have to be one: a challenge comes with its factor.
PAIRED: set[tuple[Call, Path]] = {
    (CREATE_USER_FACTOR, ("authentication_factor", "id")),
    (CREATE_USER_FACTOR, ("authentication_challenge", "authentication_factor_id")),
}


def is_right(call: Call, path: Path, value: object) -> bool:
    """Whether one of the wrong values would do at this place after all."""
    name = path[-1]
    if name == "valid":
        return isinstance(value, bool)
    if name == "list_metadata":
        return isinstance(value, dict)
    if (call, path) in ASKED_FOR | PAIRED:
        return False  # the id of another object is wrong as well
    return name not in BLOCKS | {"created_at", "updated_at"} and isinstance(value, str) and value != ""


@promised_fields
def test_a_promised_field_of_the_wrong_type_is_named(call: Call, path: Path) -> None:
    """By its place, and its value is not repeated."""
    for value in WRONG_VALUES:
        response = json_response(201, changed(call.body, path, value))
        if is_right(call, path, value):
            call.result_of(response)
            continue
        error = unreadable(call, response)
        assert f"{' ' if (call, path) in PAIRED else ': '}{place_of(path)}" in str(error)
        assert "SENTINEL" not in str(error)


@optional_fields
@pytest.mark.parametrize("value", [..., None], ids=["missing", "null"])
def test_an_optional_field_may_be_missing_or_null(call: Call, path: Path, value: object) -> None:
    """It is None then, and the rest is read."""
    read = call.result_of(json_response(200, changed(call.body, path, value)))
    assert type(read) is KINDS[call]


@optional_fields
def test_an_optional_field_of_the_wrong_type_is_named(call: Call, path: Path) -> None:
    """What is there must be right, promised or not."""
    for value in (7, True, ["SENTINEL"], 0.5):
        error = unreadable(call, json_response(200, changed(call.body, path, value)))
        assert f": {place_of(path)} is not " in str(error)
        assert "SENTINEL" not in str(error)


def test_optional_fields_that_are_missing_are_none() -> None:
    """As far back as 2022: a TOTP factor without its block, a challenge that does not say when it ends."""
    bare = {key: value for key, value in TOTP_FACTOR.items() if key not in {"user_id", "totp"}}
    factor = GET_FACTOR.result_of(json_response(200, bare))
    assert isinstance(factor, Factor)
    assert (factor.user_id, factor.totp, factor.sms) == (None, None, None)
    bare = {key: value for key, value in CHALLENGE.items() if key not in {"expires_at", "code"}}
    challenge = CHALLENGE_FACTOR.result_of(json_response(201, bare))
    assert isinstance(challenge, Challenge)
    assert (challenge.expires_at, challenge.code) == (None, None)


@pytest.mark.parametrize("call", READING_CALLS, ids=str)
def test_unknown_fields_are_let_through(call: Call) -> None:
    """The API had an environment_id once, and may have other fields tomorrow, at any depth."""

    def extended(value: object) -> object:
        if isinstance(value, dict):
            known = {name: extended(inner) for name, inner in value.items()}
            return {"environment_id": "environment_1", **known, "new": {"a": [1, None]}, "": 1}
        return [extended(item) for item in value] if isinstance(value, list) else value

    assert call.result_of(json_response(200, extended(dict(call.body or {})))) == call.result_of(call.success)


@pytest.mark.parametrize("kind", ["webauthn", "passkey", "totp"])
def test_an_unknown_type_of_factor_is_a_factor(kind: str) -> None:
    """The API names a type in responses that it does not enroll."""
    factor = GET_FACTOR.result_of(json_response(200, {**GENERIC_FACTOR, "type": kind}))
    assert isinstance(factor, Factor)
    assert factor.type == kind


def test_get_and_list_give_plain_factors() -> None:
    """Even where a response holds the blocks of an enrolment."""
    for block in ({"sms": {"phone_number": "+15005550006"}}, {"totp": {"secret": "S", "qr_code": "q", "uri": "u"}}):
        assert type(GET_FACTOR.result_of(json_response(200, {**GENERIC_FACTOR, **block}))) is Factor
    page = LIST_USER_FACTORS.result_of(json_response(200, {**FACTOR_LIST, "data": [GENERIC_FACTOR, TOTP_FACTOR]}))
    assert isinstance(page, Page)
    assert [type(factor) for factor in page] == [Factor, Factor]
    assert [factor.totp is None for factor in page] == [True, False]


@pytest.mark.parametrize("item", [None, 1, "SENTINEL", ["SENTINEL"], True], ids=repr)
def test_an_item_that_is_no_object_is_named(item: object) -> None:
    """With its number in the list."""
    error = unreadable(LIST_USER_FACTORS, json_response(200, {**FACTOR_LIST, "data": [TOTP_FACTOR, item]}))
    assert error.args[0].endswith(": $.data[1] is not an object")


def test_an_empty_list_is_a_page() -> None:
    """A user without factors."""
    page = LIST_USER_FACTORS.result_of(json_response(200, {**FACTOR_LIST, "data": []}))
    assert isinstance(page, Page)
    assert list(page) == []


@pytest.mark.parametrize("value", ["true", "false", 1, 0, None, "", [], {}, "SENTINEL", [True]], ids=repr)
def test_valid_is_true_or_false_and_nothing_else(value: object) -> None:
    """Only a whole verification counts."""
    error = unreadable(VERIFY_CHALLENGE, json_response(201, {**VERIFICATION, "valid": value}))
    assert error.args[0].endswith(": $.valid is not true or false")


@pytest.mark.parametrize("valid", [True, False])
def test_valid_is_read_as_it_is(valid: bool) -> None:  # noqa: FBT001
    """A wrong code is no error: the same challenge may be tried again."""
    verification = VERIFY_CHALLENGE.result_of(json_response(201, {**VERIFICATION, "valid": valid}))
    assert isinstance(verification, Verification)
    assert verification.valid is valid
    assert bool(verification) is valid
    assert verification.challenge.code == "897792"


VALID = json.dumps(VERIFICATION)
CHALLENGE_TEXT = json.dumps(CHALLENGE)
ENVELOPE = '{"challenge": ' + CHALLENGE_TEXT + ', "valid": %s}'

NOT_JSON: dict[str, bytes] = {
    "a name twice": (ENVELOPE % 'false, "valid": true').encode(),
    "a name twice within": VALID.replace('"object"', '"id": "SENTINEL", "object"', 1).encode(),
    "a name twice, once escaped": (ENVELOPE % 'false, "v\\u0061lid": true').encode(),
    "NaN": (ENVELOPE % 'true, "score": NaN').encode(),
    "Infinity": (ENVELOPE % 'true, "score": Infinity').encode(),
    "minus Infinity": (ENVELOPE % 'true, "score": -Infinity').encode(),
    "a huge int": (ENVELOPE % f'true, "score": {"9" * 5000}').encode(),
    "deep nesting of lists": (ENVELOPE % f'true, "score": {"[" * 100_000}{"]" * 100_000}').encode(),
    "deep nesting of objects": (ENVELOPE % ('true, "score": ' + '{"a":' * 100_000 + "1" + "}" * 100_000)).encode(),
    "UTF-16": VALID.encode("utf-16"),
    "UTF-16 without a mark": VALID.encode("utf-16-le"),
    "UTF-32": VALID.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + VALID.encode(),
    "latin-1": VALID.replace("897792", "é").encode().replace(b"\\u00e9", b"\xe9").replace("é".encode(), b"\xe9"),
    "a surrogate in UTF-8": VALID.encode().replace(b"897792", b"\xed\xa0\x80"),
    "overlong UTF-8": VALID.encode().replace(b"897792", b"\xc0\xaf"),
    "a comment": (ENVELOPE % "true /* yes */").encode(),
    "cut off": VALID.encode()[:-1],
    "cut off within a text": VALID.encode()[:40],
    "two documents": VALID.encode() * 2,
    "a comma too many": (ENVELOPE % "true,").encode(),
    "a line break in a text": VALID.encode().replace(b"897792", b"897\n792"),
    "HTML": b"<!DOCTYPE html><html><body>SENTINEL</body></html>",
    "a bare word": b"SENTINEL",
    "Python": repr(VERIFICATION).encode(),
    "a null byte": b"\x00",
    "white space": b" \n ",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("call", [VERIFY_CHALLENGE, GET_FACTOR], ids=str)
def test_what_is_not_json_is_not_read(body: bytes, call: Call) -> None:
    """Strictly: an object with a name twice can be read in two ways."""
    error = unreadable(call, Response(201, {}, body))
    assert error.args[0].endswith(": $ is not JSON in UTF-8")
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("call", READING_CALLS, ids=str)
def test_what_is_no_object_is_not_read(call: Call) -> None:
    """A response of the API is always an object."""
    for body in (b"null", b"true", b"1", b'"SENTINEL"', b"[]", b'[{"valid": true}]'):
        assert unreadable(call, Response(200, {}, body)).args[0].endswith(": $ is not an object")


@pytest.mark.parametrize("call", READING_CALLS, ids=str)
def test_an_empty_body_is_not_read(call: Call) -> None:
    """A 204 to anything but a delete leaves the caller with nothing."""
    for status in (200, 201, 204):
        assert unreadable(call, Response(status)).args[0].endswith(": $ is missing: the body is empty")


@pytest.mark.parametrize(
    "response",
    [
        Response(204, {"ETag": 'W/"a-bAsFyilMr4Ra1hIU5PyoyFRunpI"', "Content-Length": "0"}),
        Response(200),
        Response(202, {"Content-Type": "text/plain"}, b"Accepted"),
        json_response(200, {"object": "authentication_factor"}),
        Response(204, {}, b"\xff<html>"),
        Response(299, {}, b"x" * (1024 * 1024 + 1)),
    ],
    ids=lambda response: f"{response.status} {response.body[:12]!r}",
)
def test_a_delete_has_worked_whatever_its_2xx_says(response: Response) -> None:
    """There is nothing to be read from it."""
    assert DELETE_FACTOR.result_of(response) is None


def moment(text: str) -> datetime:
    """The moment that a text in a response becomes."""
    factor = GET_FACTOR.result_of(json_response(200, {**GENERIC_FACTOR, "created_at": text}))
    assert isinstance(factor, Factor)
    return factor.created_at


FRACTIONS = {
    "": 0, ".6": 600_000, ".68": 680_000, ".689": 689_000, ".6891": 689_100, ".68912": 689_120, ".689123": 689_123,
    ".6891239": 689_123, ".68912399": 689_123, ".689123999": 689_123,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        *[(f"2022-03-27T05:12:43{fraction}Z", microsecond) for fraction, microsecond in FRACTIONS.items()],
        ("2022-03-27t05:12:43z", 0),
        ("2022-03-27T05:12:43+00:00", 0),
        ("2022-03-27T07:12:43.5+02:00", 500_000),
        ("2022-03-27T01:42:43-03:30", 0),
    ],
)
def test_a_moment_is_read_to_the_microsecond(text: str, microsecond: int) -> None:
    """With any number of digits behind the point, on every Python that we support."""
    assert moment(text) == datetime(2022, 3, 27, 5, 12, 43, microsecond, tzinfo=timezone.utc)


def test_a_moment_keeps_its_offset() -> None:
    """It is the same moment, and says where it was told."""
    assert moment("2022-03-27T07:12:43+02:00").utcoffset() == timedelta(hours=2)


NO_MOMENTS = [
    "2022-03-27T05:12:43", "2022-03-27T05:12:43.689", "2022-03-27", "2022-03-27 05:12:43Z", "2022-13-27T05:12:43Z",
    "2022-02-30T05:12:43Z", "2022-03-27T24:12:43Z", "2022-03-27T05:12:60Z", "2022-03-27T05:12:43+0000",
    "2022-03-27T05:12:43+24:00", "2022-03-27T05:12:43+00:00Z", "2022-03-27T05:12:43.Z", "2022-03-27T05:12Z",
    "2022-03-27T05:12:43Z\n", " 2022-03-27T05:12:43Z", "2022-W12-7T05:12:43Z", "0000-01-01T00:00:00Z",
    "٢٠٢٢-03-27T05:12:43Z", "1648357963", "SENTINEL",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_MOMENTS)
def test_what_is_no_moment_is_named(text: str) -> None:
    """A time without its offset is none: nobody could say when it was."""
    places: list[tuple[Call, Path]] = [
        (GET_FACTOR, ("created_at",)),
        (CHALLENGE_FACTOR, ("expires_at",)),
        (VERIFY_CHALLENGE, ("challenge", "updated_at")),
    ]
    for call, path in places:
        error = unreadable(call, json_response(200, changed(call.body, path, text)))
        assert error.args[0].endswith(f": {place_of(path)} is not a date and time with its offset")


def test_the_request_id_ends_the_text() -> None:
    """It is what support asks for first."""
    error = unreadable(GET_FACTOR, Response(200, {"X-Request-Id": "req_1"}))
    assert error.request_id == "req_1"
    assert str(error).endswith(" (request id req_1)")


@pytest.mark.parametrize("call", READING_CALLS, ids=str)
def test_nothing_that_was_sent_back_gets_lost(call: Call) -> None:
    """Each value of a recorded response stands in its field of the model."""
    model = call.result_of(call.success)
    assert isinstance(model, Model)
    assert model.to_dict(secrets=True) == call.body


@pytest.mark.parametrize(
    ("call", "path", "value", "problem"),
    [
        (GET_FACTOR, ("object",), 7, "$.object is not a text"),
        (GET_FACTOR, ("created_at",), 7, "$.created_at is not a date and time with its offset"),
        (GET_FACTOR, ("user_id",), 7, "$.user_id is not a text or null"),
        (ENROLL_SMS, ("sms",), 7, "$.sms is not an object"),
        (LIST_USER_FACTORS, ("data",), {}, "$.data is not a list"),
    ],
)
def test_an_error_says_what_the_api_promises_there(call: Call, path: Path, value: object, problem: str) -> None:
    """Besides the place."""
    assert unreadable(call, json_response(200, changed(call.body, path, value))).args[0].endswith(f": {problem}")


def test_a_factor_that_is_got_has_its_phone_number() -> None:
    """And not only one that is enrolled."""
    factor = GET_FACTOR.result_of(json_response(200, {**SMS_FACTOR, "id": FACTOR_ID}))
    assert isinstance(factor, Factor)
    assert factor.sms == SMS(phone_number="+55555555555")

"""What becomes of a response that says anything but success."""

from __future__ import annotations

import json

import pytest

from tests.operations import (
    CALLS,
    CHALLENGE_FACTOR,
    CREATE_USER_FACTOR,
    DELETE_FACTOR,
    ENROLL_SMS,
    GET_FACTOR,
    LIST_USER_FACTORS,
    PHONE_NUMBER,
    SECRET,
    VERIFY_CHALLENGE,
    Call,
    attempt,
)
from workos_mfa import (
    MFA,
    APIError,
    Attempt,
    AuthenticationError,
    AuthorizationError,
    BadRequestError,
    ChallengeAlreadyVerifiedError,
    ChallengeExpiredError,
    ConflictError,
    InvalidPhoneNumberError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    Response,
    ServerError,
    SMSQuotaReachedError,
    SMSRateLimitedError,
    TooManyAttemptsError,
    UnexpectedResponseError,
    UnprocessableEntityError,
)
from workos_mfa.testing import StubTransport, json_response

every_call = pytest.mark.parametrize("call", CALLS, ids=str)


def api_error(call: Call, response: Response) -> APIError:
    """The error that a response raises."""
    with pytest.raises(APIError) as caught:
        call.result_of(response)
    return caught.value


NEW_CHALLENGE = "Make a new challenge and ask for a new code."
RECORDED: list[tuple[Call, int, str, type[APIError], str]] = [
    (
        GET_FACTOR, 401, '{"message": "Unauthorized"}',
        AuthenticationError, "401: Unauthorized. Check the API key that the client was made with.",
    ),
    (
        DELETE_FACTOR, 404,
        """{"message": "Authentication Factor not found: 'f'.", "code": "entity_not_found", "entity_id": "f"}""",
        NotFoundError, "404 entity_not_found: Authentication Factor not found: 'f'.",
    ),
    (
        VERIFY_CHALLENGE, 422,
        """{"code": "authentication_challenge_previously_verified",
            "message": "The authentication challenge 'c' has already been verified."}""",
        ChallengeAlreadyVerifiedError,
        (
            "422 authentication_challenge_previously_verified: The authentication challenge 'c' has already been "
            f"verified. {NEW_CHALLENGE}"
        ),
    ),
    (
        VERIFY_CHALLENGE, 422,
        """{"code": "authentication_challenge_expired",
            "message": "The authentication challenge 'c' has expired."}""",
        ChallengeExpiredError,
        f"422 authentication_challenge_expired: The authentication challenge 'c' has expired. {NEW_CHALLENGE}",
    ),
    (
        VERIFY_CHALLENGE, 400,
        """{"code": "one_time_code_too_many_attempts",
            "message": "One-time code has had too many failed attempts."}""",
        TooManyAttemptsError,
        f"400 one_time_code_too_many_attempts: One-time code has had too many failed attempts. {NEW_CHALLENGE}",
    ),
    (
        ENROLL_SMS, 422, """{"message": "Phone number is invalid: 'foo'", "code": "invalid_phone_number"}""",
        InvalidPhoneNumberError, "422 invalid_phone_number: Phone number is invalid: 'foo'",
    ),
    (
        CHALLENGE_FACTOR, 429,
        '{"code": "sms_challenge_rate_limited", "message": "Request could not be processed."}',
        SMSRateLimitedError, "429 sms_challenge_rate_limited: Request could not be processed.",
    ),
    (
        CHALLENGE_FACTOR, 429,
        '{"code": "sms_challenge_quota_reached", "message": "Request could not be processed."}',
        SMSQuotaReachedError, "429 sms_challenge_quota_reached: Request could not be processed.",
    ),
    (
        LIST_USER_FACTORS, 429, '{"message": "Too many requests.", "code": "rate_limit_exceeded"}',
        RateLimitExceededError, "429 rate_limit_exceeded: Too many requests.",
    ),
    (
        ENROLL_SMS, 422,
        """{"message": "Validation failed", "errors": [
            {"field": "email", "code": "email must be a string"},
            {"field": "type", "code": "type must be a valid enum value"}]}""",
        UnprocessableEntityError,
        "422: Validation failed. email: email must be a string; type: type must be a valid enum value",
    ),
    (
        CREATE_USER_FACTOR, 422,
        """{"code": "invalid_request_parameters", "message": "Validation failed.",
            "errors": [{"code": "invalid", "message": "property userId should not exist"}]}""",
        UnprocessableEntityError,
        "422 invalid_request_parameters: Validation failed. invalid: property userId should not exist",
    ),
    (
        VERIFY_CHALLENGE, 400, '{"error": "invalid_grant", "error_description": "The code has expired or is invalid."}',
        BadRequestError, "400 invalid_grant: The code has expired or is invalid.",
    ),
    (
        GET_FACTOR, 400, '{"message": ["one thing", "another thing"], "error": "Bad Request"}',
        BadRequestError, "400: one thing; another thing",
    ),
    (
        VERIFY_CHALLENGE, 400, '{"code": "invalid_one_time_code", "message": "Invalid one-time code"}',
        BadRequestError, "400 invalid_one_time_code: Invalid one-time code",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "status", "body", "kind", "text"),
    RECORDED,
    ids=[f"{row[0]} {row[1]} {row[3].__name__}" for row in RECORDED],
)
def test_a_recorded_error_response_is_this_error(
    call: Call, status: int, body: str, kind: type[APIError], text: str
) -> None:
    """Each shape that the API's error responses have been seen in."""
    error = api_error(call, Response(status, {"X-Request-Id": "req_1"}, body.encode()))
    assert type(error) is kind
    assert str(error) == f"{text} (request id req_1)"
    assert (error.status_code, error.request_id) == (status, "req_1")
    assert error.needs_new_challenge is text.endswith(NEW_CHALLENGE)


STATUSES: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: APIError,
    403: AuthorizationError,
    404: NotFoundError,
    405: APIError,
    408: APIError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitExceededError,
    499: APIError,
    500: ServerError,
    503: ServerError,
    599: ServerError,
}


@every_call
def test_the_status_tells_the_class(call: Call) -> None:
    """Whatever the body is, a code that nobody knows included."""
    for status, kind in STATUSES.items():
        for body in (b"", b"{}", b'{"code": "a_new_code"}', b"<html>Bad Gateway</html>", b'"Ratelimited"'):
            assert type(api_error(call, Response(status, {}, body))) is kind, status


CODES: dict[str, type[APIError]] = {
    "one_time_code_too_many_attempts": TooManyAttemptsError,
    "authentication_challenge_expired": ChallengeExpiredError,
    "authentication_challenge_previously_verified": ChallengeAlreadyVerifiedError,
    "invalid_phone_number": InvalidPhoneNumberError,
    "sms_challenge_rate_limited": SMSRateLimitedError,
    "sms_challenge_quota_reached": SMSQuotaReachedError,
}


every_code = pytest.mark.parametrize(("code", "kind"), CODES.items(), ids=CODES)


@every_code
def test_a_known_code_tells_more_than_the_status(code: str, kind: type[APIError]) -> None:
    """Sources disagree on the status of some of these; but a 5xx leaves open what was done, whatever its code."""
    for status in (400, 404, 409, 422, 429):
        error = api_error(VERIFY_CHALLENGE, json_response(status, {"code": code}))
        assert type(error) is kind
        assert error.status_code == status
    error = api_error(VERIFY_CHALLENGE, json_response(500, {"code": code}))
    assert type(error) is ServerError
    assert error.outcome_unknown


@every_code
def test_what_a_person_types_does_not_change_the_class(code: str, kind: type[APIError]) -> None:
    """A code that happens to stand in the API's name for an error: the name is the API's, and stays whole."""
    mfa = MFA(transport=StubTransport(lambda _: json_response(422, {"code": code})))
    for typed in ("challenge", "e", "_", "phone", "time", "code"):
        with pytest.raises(kind) as caught:
            mfa.verify_challenge("auth_challenge_1", code=typed)
        assert caught.value.code == code


UNCLEAR = [300, 301, 302, 303, 304, 307, 308, 399, 408, 500, 501, 502, 503, 504, 520, 530, 599]
CLEAR = [400, 401, 403, 404, 405, 409, 418, 422, 425, 429, 451, 499]


@every_call
@pytest.mark.parametrize("status", UNCLEAR + CLEAR)
def test_a_status_says_if_the_server_may_have_acted(call: Call, status: int) -> None:
    """A 4xx says that nothing was done, and reading changes nothing; a challenge that may be used up can't be tried."""
    with pytest.raises(MFAError) as caught:
        call.result_of(Response(status))
    unclear = status in UNCLEAR and call.replay != "safe"
    assert caught.value.outcome_unknown is unclear
    assert caught.value.needs_new_challenge is (call is VERIFY_CHALLENGE and (unclear or status == 404))


@pytest.mark.parametrize("call", [VERIFY_CHALLENGE, GET_FACTOR, DELETE_FACTOR], ids=str)
@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 199, 300, 301, 304, 399, 600, 700, 999])
def test_a_status_that_no_call_has_is_unexpected(call: Call, status: int) -> None:
    """A redirect above all: it is not followed, since it would take the key to another place."""
    with pytest.raises(UnexpectedResponseError) as caught:
        call.result_of(
            Response(status, {"Location": "https://SENTINEL.example/", "X-Request-Id": "req_1"}, b'{"valid": true}')
        )
    error = caught.value
    assert error.status_code == status
    assert error.request_id == "req_1"
    what = "a redirect, which is never followed" if 300 <= status < 400 else "a status that no call has"
    assert error.args == (f"{status}: the response is {what}: check the base URL",)
    assert str(error).endswith(" (request id req_1)")
    assert "SENTINEL" not in str(error)
    assert error.outcome_unknown is (call.replay != "safe")


CODE = "897792"
ECHOES = [
    (VERIFY_CHALLENGE, CODE),
    (CREATE_USER_FACTOR, SECRET),
    (CREATE_USER_FACTOR, SECRET.lower()),
    (ENROLL_SMS, PHONE_NUMBER),
    (ENROLL_SMS, PHONE_NUMBER.removeprefix("+")),
    (GET_FACTOR, "sk_live_51Hsentinel"),
    (VERIFY_CHALLENGE, "sk_test_a2V5XzAxSEs"),
]


def everything_in(error: APIError) -> str:
    """All that an error says, in one text."""
    return f"{error}{error!r}{error.args}{vars(error)}"


@pytest.mark.parametrize(("call", "echo"), ECHOES, ids=[f"{call} {echo}" for call, echo in ECHOES])
@pytest.mark.parametrize(
    "body",
    [
        '{"message": "not %s, please"}',
        '{"message": ["not", "%s%s"]}',
        '{"message": "no", "code": "wrong_%s"}',
        '{"message": "no", "errors": [{"field": "code", "code": "%s is wrong"}]}',
        '{"message": "no", "errors": ["%s is wrong"]}',
        '{"message": "no", "errors": [{"%s": "is wrong"}]}',
        '{"error": "e", "error_description": "The code \'%s\' has expired"}',
        '{"error": "e_%s", "error_description": "expired"}',
        '"%s"',
    ],
)
def test_what_was_sent_is_masked_where_it_comes_back(call: Call, echo: str, body: str) -> None:
    """The API does repeat what it refuses: "The code '452079' has expired or is invalid."."""
    for status in (400, 422, 503):
        error = api_error(call, Response(status, {}, body.replace("%s", echo).encode()))
        assert echo not in everything_in(error)
        assert "***" in str(error) or "***" in repr(error.errors)


@pytest.mark.parametrize(
    "message",
    [*("x" * before + f"{SECRET} " for before in (0, 1, 10, 490, 499, 1990, 1999)), f"{SECRET} " * 100],
    ids=len,
)
def test_a_text_is_not_cut_in_the_middle_of_a_secret(message: str) -> None:
    """The rest would not be recognised, and stay; and where many are masked, what was far behind moves up."""
    error = api_error(CREATE_USER_FACTOR, json_response(422, {"message": message}))
    assert SECRET[:8] not in everything_in(error)


def test_server_text_is_one_line_without_control_characters() -> None:
    """A line break in it would forge a log line, an escape sequence a terminal's content."""
    nasty = "a\r\nERROR forged\x00\x1b[31m\u2028\u202e\ud800b"
    body = {"message": nasty, "code": nasty, "errors": [{"field": nasty, nasty: "x"}, nasty]}
    error = api_error(GET_FACTOR, json_response(422, body, {"X-Request-Id": nasty}))
    texts = [str(error), error.message, error.code, error.request_id, *(t for e in error.errors for t in e.values())]
    texts += [name for entry in error.errors for name in entry]
    for text in texts:
        assert text is not None
        assert text.isprintable()


def test_server_text_is_capped() -> None:
    """A response of a mebibyte does not become a log line of a mebibyte."""
    long = "x" * 1000
    body = {"message": long, "code": long, "errors": [{f"{n}{long}": long for n in range(21)}] * 21}
    error = api_error(GET_FACTOR, json_response(422, body, {"X-Request-Id": long}))
    assert error.message == "x" * 499 + "…"
    assert error.code == "x" * 99 + "…"
    assert error.request_id == "x" * 127 + "…"
    assert len(error.errors) == 20
    assert {len(entry) for entry in error.errors} == {20}
    assert {len(name) for entry in error.errors for name in entry} == {100}
    assert {len(text) for entry in error.errors for text in entry.values()} == {500}


def test_the_text_of_an_error_is_a_log_line() -> None:
    """However many problems a response lists, the text of the error stays readable; all are in ``errors``."""
    body = {"message": "x" * 500, "errors": [{"field": "y" * 500, "code": "z" * 500}] * 20}
    assert len(str(api_error(GET_FACTOR, json_response(422, body)))) < 4096


@pytest.mark.parametrize(
    ("body", "message", "code", "errors"),
    [
        (b"", None, None, ()),
        (b"{}", None, None, ()),
        (b"null", None, None, ()),
        (b"7", None, None, ()),
        (b"[]", None, None, ()),
        (b'["a"]', None, None, ()),
        (b"<html><body>502 Bad Gateway</body></html>", None, None, ()),
        (b"\xff\xfe", None, None, ()),
        (b'{"message": "cut', None, None, ()),
        (b'{"message": "a", "message": "b"}', None, None, ()),
        (b'"Ratelimited"', "Ratelimited", None, ()),
        (b'""', None, None, ()),
        (b'{"message": "a"}', "a", None, ()),
        (b'{"message": ""}', None, None, ()),
        (b'{"message": null}', None, None, ()),
        (b'{"message": 7}', None, None, ()),
        (b'{"message": {"a": "b"}}', None, None, ()),
        (b'{"message": []}', None, None, ()),
        (b'{"message": [7, null]}', None, None, ()),
        (b'{"message": ["a", 7, "b"]}', "a; b", None, ()),
        (b'{"code": "c"}', None, "c", ()),
        (b'{"code": 7}', None, None, ()),
        (b'{"code": ""}', None, None, ()),
        (b'{"error": "Bad Request", "message": "a"}', "a", None, ()),
        (b'{"error": "e", "error_description": "d"}', "d", "e", ()),
        (b'{"error": "e", "error_description": "d", "code": "c", "message": "m"}', "m", "c", ()),
        (b'{"error": 7, "error_description": 7}', None, None, ()),
        (b'{"errors": null}', None, None, ()),
        (b'{"errors": "a"}', None, None, ()),
        (b'{"errors": {"a": "b"}}', None, None, ()),
        (b'{"errors": []}', None, None, ()),
        (b'{"errors": [{"": "x", "y": ""}]}', None, None, ({"": "x", "y": ""},)),
        (b'{"errors": ["a", 7, null, [], {}, {"a": 7}]}', None, None, ({"message": "a"},)),
        (b'{"errors": [{"field": "f", "code": "c", "line": 7}]}', None, None, ({"field": "f", "code": "c"},)),
    ],
)
def test_whatever_can_be_read_of_an_error_response_is(
    body: bytes, message: str | None, code: str | None, errors: tuple[dict[str, str], ...]
) -> None:
    """An error response may be JSON of several shapes, a bare text, or a proxy's HTML; none of it is an error twice."""
    error = api_error(GET_FACTOR, Response(400, {}, body))
    assert (error.message or None, error.code, error.errors) == (message, code, errors)
    if message is None:
        assert "the API gave no message" in str(error)


def test_an_error_response_over_the_limit_is_not_read() -> None:
    """It is still the error that its status says."""
    body = json.dumps({"message": "SENTINEL"}).encode().ljust(1024 * 1024 + 1)
    error = api_error(GET_FACTOR, Response(404, {}, body))
    assert type(error) is NotFoundError
    assert str(error) == "404: (the response is longer than 1 MiB and was not read)"
    assert str(api_error(GET_FACTOR, Response(404, {}, body[:-1]))) == "404: SENTINEL"


@pytest.mark.parametrize("call", [call for call in CALLS if call.body is not None], ids=str)
def test_a_response_of_one_mebibyte_is_read_and_no_more(call: Call) -> None:
    """The real ones are under 10 KB."""
    body = json.dumps(call.body).encode()
    assert call.result_of(Response(200, {}, body.ljust(1024 * 1024))) == call.result_of(call.success)
    with pytest.raises(UnexpectedResponseError) as caught:
        call.result_of(Response(200, {}, body.ljust(1024 * 1024 + 1)))
    assert caught.value.args == ("200: the response is not what the API promises: it is longer than 1 MiB",)


def test_retry_after_comes_along() -> None:
    """Whoever shows a wait to a person finds it on the error."""
    assert api_error(CHALLENGE_FACTOR, Response(429, {"Retry-After": "30"})).retry_after == 30.0
    assert api_error(CHALLENGE_FACTOR, json_response(429, {"retry_after": 30})).retry_after == 30.0
    assert api_error(CHALLENGE_FACTOR, Response(429)).retry_after is None
    assert api_error(CHALLENGE_FACTOR, Response(503, {"Retry-After": "1"})).retry_after == 1.0


@pytest.mark.parametrize("code", ["risk_check_failed", "task_limit_reached", "disk_full_error"])
def test_a_code_that_has_the_beginning_of_a_key_within_stays_whole(code: str) -> None:
    """Keys begin with ``sk_``; a word that ends so is no key."""
    assert api_error(GET_FACTOR, json_response(422, {"code": code})).code == code


UNCLEAR_ATTEMPT = attempt(1, error="ConnectionLostError", outcome_unknown=True)
CLEAR_ATTEMPT = attempt(1, error="ConnectError")
LAST_ATTEMPT = attempt(2, status=404)


@every_call
@pytest.mark.parametrize("first", [UNCLEAR_ATTEMPT, CLEAR_ATTEMPT], ids=["unclear", "clear"])
def test_an_error_speaks_for_all_attempts_of_its_call(call: Call, first: Attempt) -> None:
    """A clear response in the end does not undo what an earlier attempt may have done."""
    with pytest.raises(APIError) as caught:
        call.result_of(Response(409, {}, b"", (first, LAST_ATTEMPT)))
    error = caught.value
    assert error.attempts == (first, LAST_ATTEMPT)
    unknown = first.outcome_unknown and call.replay != "safe"
    assert error.outcome_unknown is unknown
    assert error.needs_new_challenge is (unknown and call is VERIFY_CHALLENGE)


NOT_FOUND = json_response(404, {"code": "entity_not_found", "message": "Authentication Factor not found: 'a'."})


def after(response: Response, *attempts: Attempt) -> Response:
    """The response to the last of several attempts."""
    return Response(response.status, response.headers, response.body, attempts)


def test_a_delete_that_finds_nothing_after_an_unclear_attempt_has_worked() -> None:
    """An earlier attempt of the same call may have deleted it; a factor that is not there can't be read."""
    assert DELETE_FACTOR.result_of(after(NOT_FOUND, UNCLEAR_ATTEMPT, LAST_ATTEMPT)) is None
    assert DELETE_FACTOR.result_of(after(NOT_FOUND, UNCLEAR_ATTEMPT, CLEAR_ATTEMPT, LAST_ATTEMPT)) is None
    assert DELETE_FACTOR.result_of(after(NOT_FOUND, CLEAR_ATTEMPT, UNCLEAR_ATTEMPT, LAST_ATTEMPT)) is None
    for call in (GET_FACTOR, VERIFY_CHALLENGE):
        assert type(api_error(call, after(NOT_FOUND, UNCLEAR_ATTEMPT, LAST_ATTEMPT))) is NotFoundError


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(after(NOT_FOUND, CLEAR_ATTEMPT, LAST_ATTEMPT), id="after a clear attempt"),
        pytest.param(after(NOT_FOUND, LAST_ATTEMPT), id="at once"),
        pytest.param(NOT_FOUND, id="without repetitions"),
        pytest.param(after(Response(404), UNCLEAR_ATTEMPT, LAST_ATTEMPT), id="another 404"),
        pytest.param(
            after(json_response(404, {"code": "not_found"}), UNCLEAR_ATTEMPT, LAST_ATTEMPT), id="another code"
        ),
        pytest.param(
            after(json_response(422, {"code": "entity_not_found"}), UNCLEAR_ATTEMPT, LAST_ATTEMPT), id="no 404"
        ),
    ],
)
def test_a_delete_that_fails_in_another_way_has_not_worked(response: Response) -> None:
    """Nothing of the same call can have deleted it, or it is not the factor that is gone."""
    assert api_error(DELETE_FACTOR, response).outcome_unknown is (UNCLEAR_ATTEMPT in response.attempts)

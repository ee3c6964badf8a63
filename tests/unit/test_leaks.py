"""No error that comes before, or without, a socket shows a key, a code or a secret to anybody who looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.leaks import shows
from tests.operations import (
    CHALLENGE,
    CHALLENGE_ID,
    ENROLLED_TOTP_FACTOR,
    FACTOR_ID,
    USER_ENROLLMENT,
    USER_ID,
    VERIFICATION,
)
from workos_mfa import (
    MFA,
    ConnectError,
    ConnectionLostError,
    Request,
    RequestsTransport,
    Response,
    RetryingTransport,
    RetryPolicy,
    TLSError,
    TransportError,
    TransportTimeoutError,
)
from workos_mfa.testing import StubTransport, json_response

# Each is one value that must not be seen anywhere, in the form that a call takes it in.
CODE = "424242SENTINEL"
SECRET = "SENTINEL2SENTINEL2SENTINEL2SENTI"
KEY = "sk_live_SENTINELSENTINEL"
SENTINEL = "SENTINEL"

Untyped = Callable[..., object]


def error_of(make: Callable[[], object]) -> BaseException:
    """The error, with the traceback that a crash reporter would be handed."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is, it is looked into
        make()
    return caught.value


def unasked() -> StubTransport:
    """A transport for a client that sends nothing."""
    return StubTransport(lambda _: Response(500))


def test_the_search_finds_what_is_shown() -> None:
    """A text, an attribute, a cause, a context, a frame of the package and one below it."""

    def through_the_package(respond: Callable[[Request], Response]) -> BaseException:
        return error_of(lambda: StubTransport(respond).send(Request("op", "GET", "/", "/")))

    def with_a_local(_: Request) -> Response:
        held = SENTINEL.lower()
        raise KeyError(len(held))

    def with_a_context(_: Request) -> Response:
        try:
            return Response(int(SENTINEL.lower()))
        except ValueError:
            raise KeyError from None

    def with_a_cause(_: Request) -> Response:
        raise KeyError from ValueError(SENTINEL.lower())

    assert shows(through_the_package(with_a_local), SENTINEL.lower())
    assert shows(through_the_package(with_a_context), SENTINEL.lower())
    assert shows(through_the_package(with_a_cause), SENTINEL.lower())
    assert shows(KeyError(SENTINEL), SENTINEL)
    assert not shows(KeyError("else"), SENTINEL)


# A right value beside a wrong one: what is refused is another argument.

REFUSED_VERIFICATIONS: list[dict[str, object]] = [
    {"code": CODE, "authentication_challenge_id": ""},
    {"code": CODE, "authentication_challenge_id": ".."},
    {"code": CODE, "authentication_challenge_id": "a\nb"},
    {"code": CODE, "authentication_challenge_id": None},
    {"code": CODE, "authentication_challenge_id": 7},
    {"code": CODE, "authentication_challenge_id": CHALLENGE_ID, "expected_factor_id": None},
    {"code": CODE, "authentication_challenge_id": CHALLENGE_ID, "expected_factor_id": ""},
    {"code": CODE, "authentication_challenge_id": CHALLENGE_ID, "expected_factor_id": "."},
    {"code": [CODE], "authentication_challenge_id": CHALLENGE_ID},
    {"code": CODE.encode(), "authentication_challenge_id": CHALLENGE_ID},
    {"code": {CODE: 1}, "authentication_challenge_id": CHALLENGE_ID},
]
REFUSED_CREATIONS: list[dict[str, object]] = [
    {"secret": SECRET, "user_id": ""},
    {"secret": SECRET, "user_id": "."},
    {"secret": SECRET, "user_id": None},
    {"secret": SECRET, "user_id": "a\x00"},
    {"secret": SECRET, "user_id": USER_ID, "issuer": ""},
    {"secret": SECRET, "user_id": USER_ID, "issuer": 7},
    {"secret": SECRET, "user_id": USER_ID, "user": " "},
    {"secret": SECRET.encode(), "user_id": USER_ID},
    {"secret": [SECRET], "user_id": USER_ID},
]


@pytest.mark.parametrize("arguments", REFUSED_VERIFICATIONS, ids=repr)
def test_a_refused_verification_shows_no_code(arguments: dict[str, object]) -> None:
    """Whichever argument is at fault."""
    verify: Untyped = MFA(transport=unasked()).verify_challenge
    assert not shows(error_of(lambda: verify(**arguments)), SENTINEL)


@pytest.mark.parametrize("arguments", REFUSED_CREATIONS, ids=repr)
def test_a_refused_creation_shows_no_secret(arguments: dict[str, object]) -> None:
    """Whichever argument is at fault."""
    create: Untyped = MFA(transport=unasked()).create_user_auth_factor
    assert not shows(error_of(lambda: create(**arguments)), SENTINEL)


REFUSED_CLIENTS: list[dict[str, object]] = [
    {"api_key": KEY + "\n"},
    {"api_key": KEY + "\r\nX: y"},
    {"api_key": KEY + "é"},
    {"api_key": KEY.encode()},
    {"api_key": [KEY]},
    {"api_key": KEY, "base_url": "http://gateway.example"},
    {"api_key": KEY, "base_url": "nonsense"},
    {"api_key": KEY, "base_url": "https://user:password@gateway.example"},
    {"api_key": KEY, "base_url": 7},
]
REFUSED_CLIENTS_ALONE: list[dict[str, object]] = [
    {"api_key": KEY, "timeout": 0},
    {"api_key": KEY, "timeout": "10"},
    {"api_key": KEY, "deadline": float("nan")},
    {"api_key": KEY, "transport": unasked()},
    {"api_key": KEY, "transport": 7},
    {"api_key": KEY, "transport": RetryingTransport(unasked()), "retry": RetryPolicy()},
    {"api_key": KEY, "nonsense": 1},
]


@pytest.mark.parametrize("arguments", REFUSED_CLIENTS + REFUSED_CLIENTS_ALONE, ids=" ".join)
def test_a_refused_client_shows_no_key(arguments: dict[str, object]) -> None:
    """Whichever argument is at fault."""
    make: Untyped = MFA
    assert not shows(error_of(lambda: make(**arguments)), SENTINEL)


@pytest.mark.parametrize("arguments", REFUSED_CLIENTS, ids=" ".join)
def test_a_refused_transport_shows_no_key(arguments: dict[str, object]) -> None:
    """The same, where the transport is made by hand; and a session that can't be used is one more way."""
    make: Untyped = RequestsTransport
    assert not shows(error_of(lambda: make(**arguments)), SENTINEL)
    assert not shows(error_of(lambda: make(KEY, session=object())), SENTINEL)


@pytest.mark.parametrize("value", [KEY + "\n", KEY + "é", KEY + " "])
def test_a_key_of_the_environment_is_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It is not an argument, and hidden all the same."""
    monkeypatch.setenv("WORKOS_API_KEY", value)
    assert not shows(error_of(MFA), SENTINEL)
    assert not shows(error_of(RequestsTransport), SENTINEL)


# What comes back, or does not.


def verifying(mfa: MFA) -> object:
    """A call with a code."""
    return mfa.verify_challenge(CHALLENGE_ID, code=CODE, expected_factor_id=FACTOR_ID)


def creating(mfa: MFA) -> object:
    """A call with a secret."""
    return mfa.create_user_auth_factor(USER_ID, secret=SECRET)


def enrolling(mfa: MFA) -> object:
    """A call that is answered with a secret."""
    return mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")


def challenging(mfa: MFA) -> object:
    """A call that is answered with a code."""
    return mfa.challenge_factor(FACTOR_ID)


calls_with_secrets = pytest.mark.parametrize("call", [verifying, creating, enrolling, challenging])
kinds_of_client = pytest.mark.parametrize("retry", [None, RetryPolicy(backoff=0)], ids=["plain", "retrying"])


def raising(error: BaseException) -> Callable[[Request], Response]:
    """An answer that is none."""

    def respond(_: Request) -> Response:
        raise error

    return respond


@calls_with_secrets
@kinds_of_client
@pytest.mark.parametrize("kind", [TransportError, ConnectError, ConnectionLostError, TLSError, TransportTimeoutError])
def test_a_transport_error_shows_nothing(
    call: Callable[[MFA], object], retry: RetryPolicy | None, kind: type[TransportError]
) -> None:
    """Nor do the frames between the caller and the transport."""
    mfa = MFA(transport=StubTransport(raising(kind("it went wrong"))), retry=retry)
    assert not shows(error_of(lambda: call(mfa)), SENTINEL)


class TimeLimit(BaseException):
    """Such as a worker's soft time limit, which may come at any time."""


@calls_with_secrets
@kinds_of_client
@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeLimit, RuntimeError, MemoryError])
def test_a_foreign_exception_shows_nothing(
    call: Callable[[MFA], object], retry: RetryPolicy | None, error: type[BaseException]
) -> None:
    """It passes as it is, through frames that have let go of what they were given."""
    mfa = MFA(transport=StubTransport(raising(error())), retry=retry)
    assert not shows(error_of(lambda: call(mfa)), SENTINEL)


@pytest.mark.parametrize(("call", "value"), [(verifying, CODE), (creating, SECRET)])
@kinds_of_client
@pytest.mark.parametrize("status", [422, 500])
@pytest.mark.parametrize(
    "shape",
    ['{"message": "no %s"}', '{"code": "%s"}', '{"errors": ["%s"]}', '"%s"', "<p>%s</p>", '{"a": "%s", "a": 1}'],
)
def test_an_error_answer_that_repeats_what_was_sent_shows_nothing(
    call: Callable[[MFA], object], value: str, retry: RetryPolicy | None, status: int, shape: str
) -> None:
    """Neither the error nor a frame that has seen the answer."""
    answer = Response(status, {}, shape.replace("%s", f"'{value}'").encode())
    assert not shows(error_of(lambda: call(MFA(transport=StubTransport(lambda _: answer), retry=retry))), SENTINEL)


def answered(response: Response) -> MFA:
    """A client that gets this answer."""
    return MFA(transport=StubTransport(lambda _: response))


@calls_with_secrets
@pytest.mark.parametrize(
    "body",
    [
        b"SENTINEL",
        b'"SENTINEL"',
        b'["SENTINEL"]',
        b'{"SENTINEL": "SENTINEL"}',
        b'{"object": "SENTINEL", "id": "SENTINEL", "type": "SENTINEL", "created_at": "SENTINEL", "secret": "SENTINEL"}',
        b'{"valid": "SENTINEL", "challenge": {"object": "SENTINEL", "id": ["SENTINEL"], "code": "SENTINEL"}}',
        b'{"totp": "SENTINEL", "authentication_factor": {"totp": {"secret": "SENTINEL"}}}',
        b'{"code": "SENTINEL", "code": "SENTINEL"}',
        b"SENTINEL" * 200_000,
        "SENTINEL".encode("utf-16") + b"SENTINEL",
    ],
    ids=lambda body: repr(body[:60]),
)
def test_an_answer_that_cannot_be_read_is_not_shown(call: Callable[[MFA], object], body: bytes) -> None:
    """The place is named, never what stands there; and the parser's own errors, which hold all of it, are gone."""
    headers = {"Set-Cookie": "SENTINEL", "Location": "https://SENTINEL.example/"}
    for status in (100, 201, 302, 600):
        answer = Response(status, headers, body)
        assert not shows(error_of(lambda: call(answered(answer))), SENTINEL)  # noqa: B023 - it is called at once


def damaged(answer: dict[str, object], block: str, field: str) -> dict[str, object]:
    """A recorded answer with the sentinel for its secrets, that is wrong at one place."""
    inner = answer[block]
    assert isinstance(inner, dict)
    return {**answer, block: {**inner, "secret": SECRET, "qr_code": SECRET, "uri": SECRET, "code": CODE, field: 7}}


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (enrolling, damaged(dict(ENROLLED_TOTP_FACTOR), "totp", "uri")),
        (enrolling, {**damaged(dict(ENROLLED_TOTP_FACTOR), "totp", "extra"), "created_at": CODE}),
        (creating, damaged(dict(USER_ENROLLMENT), "authentication_challenge", "id")),
        (verifying, damaged(dict(VERIFICATION), "challenge", "expires_at")),
        (verifying, {**damaged(dict(VERIFICATION), "challenge", "extra"), "valid": CODE}),
        (challenging, {**CHALLENGE, "code": CODE, "expires_at": CODE}),
    ],
    ids=range(6),
)
def test_an_answer_that_is_nearly_right_is_not_shown(call: Callable[[MFA], object], answer: dict[str, object]) -> None:
    """A secret that was read before the mistake was found stays out of sight."""
    error = error_of(lambda: call(MFA(transport=StubTransport(lambda _: json_response(201, answer)))))
    assert not shows(error, SENTINEL)


@kinds_of_client
def test_a_mismatch_shows_nothing(retry: RetryPolicy | None) -> None:
    """Though the frame that finds it holds the whole answer."""
    challenge = {**CHALLENGE, "code": CODE, "authentication_factor_id": "auth_factor_of_somebody"}
    stub = StubTransport(lambda _: json_response(201, {"challenge": challenge, "valid": True}))
    assert not shows(error_of(lambda: verifying(MFA(transport=stub, retry=retry))), SENTINEL)


def test_a_transport_that_returns_nonsense_shows_nothing() -> None:
    """What it returned may be an answer in another wrapping."""
    stub = StubTransport(lambda _: (201, SENTINEL))  # type: ignore[arg-type,return-value]
    assert SENTINEL not in str(error_of(lambda: verifying(MFA(transport=stub))))


def test_a_hook_that_fails_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The log has its class, and a call that went well has no error."""

    def broken(_: object) -> None:
        raise ValueError(SENTINEL)

    answer = {**VERIFICATION, "challenge": {**CHALLENGE, "code": CODE}}
    stub = StubTransport(lambda _: json_response(201, answer))
    with caplog.at_level(0):
        assert verifying(MFA(transport=stub, on_attempt=broken))
    assert SENTINEL not in caplog.text
    assert "ValueError" in caplog.text

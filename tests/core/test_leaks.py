"""No error shows a key, a code or a secret to anybody who looks. Here nothing opens a socket."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import traceback
from collections.abc import Callable, Iterator

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
    Emulator,
    Request,
    RequestsTransport,
    Response,
    RetryingTransport,
    RetryPolicy,
    TLSError,
    TransportError,
    TransportTimeoutError,
    Urllib3Transport,
)
from workos_mfa.testing import StubTransport, json_response

# Each is one value that must not be seen anywhere, in the form that a call takes it in.
CODE = "424242SENTINEL"
SECRET = "SENTINEL2SENTINEL2SENTINEL2SENTI"
KEY = "sk_live_SENTINELSENTINEL"
SENTINEL = "SENTINEL"

Untyped = Callable[..., object]


class TimeLimit(BaseException):
    """Such as a worker's soft time limit, which may come at any time."""


def error_of(make: Callable[[], object]) -> BaseException:
    """The error, with the traceback that a crash reporter would be handed."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is, it is looked into
        make()
    return caught.value


def client(respond: Callable[[Request], Response] | Response, retry: RetryPolicy | None = None) -> MFA:
    """A client whose transport responds like this."""
    return MFA(
        transport=StubTransport(respond if callable(respond) else lambda _: respond),
        retry=retry,
    )


def raising(error: BaseException) -> Callable[[Request], Response]:
    """What responds with an exception."""

    def respond(_: Request) -> Response:
        raise error

    return respond


CALLS: dict[str, Callable[[MFA], object]] = {
    "verify": lambda mfa: mfa.verify_challenge(CHALLENGE_ID, code=CODE, expected_factor_id=FACTOR_ID),
    "create": lambda mfa: mfa.create_user_auth_factor(USER_ID, secret=SECRET),
    "enroll": lambda mfa: mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com"),
    "challenge": lambda mfa: mfa.challenge_factor(FACTOR_ID),
}
"""The calls that send a secret, or get one."""

verify = CALLS["verify"]
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
each_client = pytest.mark.parametrize("retry", [None, RetryPolicy(backoff=0)], ids=["plain", "retrying"])


def test_the_search_finds_what_is_shown() -> None:
    """A text, an attribute, a cause, a context, a frame of the package and one below it."""
    shown = SENTINEL.lower()

    def through_the_package(respond: Callable[[Request], Response]) -> BaseException:
        return error_of(lambda: StubTransport(respond).send(Request("op", "GET", "/", "/")))

    def with_a_local(_: Request) -> Response:
        held = shown
        raise KeyError(len(held))

    def with_a_context(_: Request) -> Response:
        try:
            return Response(int(shown))
        except ValueError:
            raise KeyError from None

    def with_a_cause(_: Request) -> Response:
        raise KeyError from ValueError(shown)

    for respond in (with_a_local, with_a_context, with_a_cause):
        assert shows(through_the_package(respond), shown)
    assert shows(KeyError(SENTINEL), SENTINEL)
    assert not shows(KeyError("else"), SENTINEL)


# A right value beside a wrong one: what is refused is another argument.

REFUSED_CALLS: list[dict[str, object]] = [
    {"code": CODE, "authentication_challenge_id": ""},
    {"code": CODE, "authentication_challenge_id": ".."},
    {"code": CODE, "authentication_challenge_id": "a\nb"},
    {"code": CODE, "authentication_challenge_id": None},
    {"code": CODE},
    {"code": CODE, "authentication_challenge_id": CHALLENGE_ID, "expected_factor_id": None},
    {"code": CODE, "authentication_challenge_id": CHALLENGE_ID, "expected_factor_id": "."},
    {"code": [CODE], "authentication_challenge_id": CHALLENGE_ID},
    {"code": CODE.encode(), "authentication_challenge_id": CHALLENGE_ID},
    {"code": CODE * 10, "authentication_challenge_id": CHALLENGE_ID},
    {"secret": SECRET, "user_id": ""},
    {"secret": SECRET, "user_id": None},
    {"secret": SECRET, "user_id": "a\x00"},
    {"secret": SECRET, "user_id": USER_ID, "issuer": ""},
    {"secret": SECRET, "user_id": USER_ID, "user": 7},
    {"secret": SECRET.encode(), "user_id": USER_ID},
    {"secret": SECRET * 20, "user_id": USER_ID},
]


@pytest.mark.parametrize("arguments", REFUSED_CALLS, ids=repr)
def test_a_refused_call_shows_no_secret(arguments: dict[str, object]) -> None:
    """Whichever argument is at fault."""
    mfa = client(Response(500))
    call: Untyped = mfa.verify_challenge if "code" in arguments else mfa.create_user_auth_factor
    assert not shows(error_of(lambda: call(**arguments)), SENTINEL)


REFUSED_CLIENTS: list[dict[str, object]] = [
    {"api_key": KEY + "\r\nX: y"},
    {"api_key": KEY + "é"},
    {"api_key": KEY.encode()},
    {"api_key": [KEY]},
    {"api_key": KEY, "base_url": "http://gateway.example"},
    {"api_key": KEY, "base_url": "nonsense"},
    {"api_key": KEY, "base_url": "https://user:password@gateway.example"},
    {"api_key": KEY, "base_url": 7},
    {"api_key": KEY, "nonsense": 1},
]
REFUSED_BY_MFA: list[dict[str, object]] = [
    {"api_key": KEY, "timeout": 0},
    {"api_key": KEY, "deadline": float("nan")},
    {"api_key": KEY, "transport": StubTransport(lambda _: Response(500))},
    {"api_key": KEY, "transport": 7},
    {"api_key": KEY, "transport": RetryingTransport(StubTransport(lambda _: Response(500))), "retry": RetryPolicy()},
]
REFUSED: list[tuple[Untyped, dict[str, object]]] = [
    *((kind, arguments) for kind in (MFA, RequestsTransport, Urllib3Transport) for arguments in REFUSED_CLIENTS),
    *((MFA, arguments) for arguments in REFUSED_BY_MFA),
    (RequestsTransport, {"api_key": KEY, "session": object()}),
    (Urllib3Transport, {"api_key": KEY, "max_idle": 0}),
    (Emulator().serve, {"api_key": KEY}),
    (Emulator().wsgi_app.with_api_key, {"api_key": KEY}),
]


@pytest.mark.parametrize(("make", "arguments"), REFUSED)
def test_a_refused_client_shows_no_key(make: Untyped, arguments: dict[str, object]) -> None:
    """Whichever argument is at fault."""
    assert not shows(error_of(lambda: make(**arguments)), SENTINEL)


@pytest.mark.parametrize("make", [MFA, RequestsTransport, Urllib3Transport])
def test_a_key_of_the_environment_is_not_shown(make: Untyped, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not an argument, and hidden all the same."""
    monkeypatch.setenv("WORKOS_API_KEY", KEY + " ")
    assert not shows(error_of(make), SENTINEL)


# What comes back, or does not.

KINDS = [TransportError, ConnectError, ConnectionLostError, TLSError, TransportTimeoutError]
FOREIGN = [KeyboardInterrupt, TimeLimit, RuntimeError, MemoryError]


@each_call
@each_client
@pytest.mark.parametrize("kind", [*KINDS, *FOREIGN])
def test_what_a_transport_raises_shows_nothing(
    call: Callable[[MFA], object], retry: RetryPolicy | None, kind: type[BaseException]
) -> None:
    """It keeps its type. The frames that it came through are in the traceback, and hold nothing any more."""
    error = error_of(lambda: call(client(raising(kind("it went wrong")), retry)))
    assert type(error) is kind
    assert not shows(error, SENTINEL)
    path = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [frame.f_code.co_name for frame in path]
    assert names[-2:] == ["send", "respond"]
    assert [dict(frame.f_locals) for frame in path[names.index("_send") :]] == [{}] * (len(path) - names.index("_send"))


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    """An exception whose attributes can't be set in the usual way."""

    number: int


@each_client
def test_a_frozen_exception_passes_through(retry: RetryPolicy | None) -> None:
    """It stays what it is, and shows nothing."""
    error = error_of(lambda: verify(client(raising(FrozenError(7)), retry)))
    assert error == FrozenError(7)
    assert not shows(error, SENTINEL)


@each_client
@pytest.mark.parametrize("is_from", [True, False])
def test_what_a_users_transport_raised_from_is_kept(is_from: bool, retry: RetryPolicy | None) -> None:  # noqa: FBT001
    """An exception of theirs stays the cause or the context of ours, without what its frames held."""
    theirs = LookupError("theirs")

    def fail(_: str) -> None:
        raise theirs

    def respond(request: Request) -> Response:
        try:
            fail(str(request.json))
        except LookupError as error:
            if is_from:
                raise ConnectionLostError("it went wrong") from error
            raise ConnectionLostError("it went wrong")  # noqa: B904 - as a user may write it
        return Response(500)  # pragma: no cover - it never gets there

    error = error_of(lambda: verify(client(respond, retry)))
    assert (error.__cause__, error.__context__) == (theirs if is_from else None, theirs)
    assert theirs.__traceback__ is not None
    assert not shows(error, SENTINEL)


@each_client
def test_exceptions_in_a_circle_and_in_a_group(retry: RetryPolicy | None) -> None:
    """Whatever an exception is tied to, no frame of it shows a secret, and looking for them comes to an end."""

    def fail(held: str) -> None:
        raise ValueError(len(held))

    def caught(request: Request) -> ValueError:
        try:
            fail(str(request.json))
        except ValueError as error:
            caught = error
        return caught

    def respond(request: Request) -> Response:
        grouped, first, second = caught(request), caught(request), caught(request)
        first.__cause__, second.__cause__ = second, first
        vars(grouped)["exceptions"] = (first, "no exception")  # as an ExceptionGroup has them, on every Python
        vars(first)["exceptions"] = 7
        raise grouped

    grouped = error_of(lambda: verify(client(respond, retry)))
    first, _ = vars(grouped)["exceptions"]
    for error in (grouped, first, first.__cause__):
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        assert (frame.f_code.co_name, dict(frame.f_locals)) == ("fail", {})


def test_what_the_caller_was_handling_is_left_alone() -> None:
    """It stays the context of ours, and its frames keep what they hold: they are the caller's."""

    def fail(held: str) -> None:
        raise LookupError(len(held))

    try:
        fail("theirs")
    except LookupError as error:
        handled = error
        ours = error_of(lambda: verify(client(Response(201, {}, b"SENTINEL"))))
    assert ours.__context__ is handled
    *_, (frame, _) = traceback.walk_tb(handled.__traceback__)
    assert frame.f_locals["held"] == "theirs"
    handled.__traceback__ = None
    assert not shows(ours, SENTINEL)


def test_what_we_were_handling_is_cut_off() -> None:
    """A time limit may strike while an exception with a secret is dealt with. What the caller was handling stays."""

    def strike(_: logging.LogRecord) -> bool:
        raise TimeLimit

    def broken(_: object) -> None:
        raise ValueError(SENTINEL)

    logger = logging.getLogger("workos_mfa")
    mfa = MFA(transport=StubTransport(lambda _: json_response(201, CHALLENGE)), on_attempt=broken)
    logger.addFilter(strike)
    try:
        assert error_of(lambda: mfa.challenge_factor(FACTOR_ID)).__context__ is None
        try:
            int("theirs")
        except ValueError as error:
            handled, ours = error, error_of(lambda: mfa.challenge_factor(FACTOR_ID))
        assert ours.__context__ is handled
    finally:
        logger.removeFilter(strike)


def test_a_generator_that_an_exception_came_through_goes_on() -> None:
    """A user's generator may have caught the exception before. To empty its frame would end it."""

    def keeping() -> Iterator[ValueError]:
        try:
            int("no number")
        except ValueError as error:
            yield error
        yield ValueError("it goes on")

    generator = keeping()
    kept = next(generator)
    assert error_of(lambda: verify(client(raising(kept)))) is kept
    assert str(next(generator)) == "it goes on"


def test_a_method_that_hides_its_locals_looks_as_it_is_written() -> None:
    """Its signature and its documentation are those of the method."""
    assert [*inspect.signature(MFA).parameters][:2] == ["api_key", "base_url"]
    assert [*inspect.signature(MFA.verify_challenge).parameters][1:3] == ["authentication_challenge_id", "code"]
    assert str(MFA.verify_challenge.__doc__).startswith("Verify a challenge with a code.")


SHAPES = ['{"message": "no %s"}', '{"code": "%s"}', '{"errors": ["%s"]}', '"%s"', "<p>%s</p>", '{"a": "%s", "a": 1}']


@pytest.mark.parametrize(("call", "value"), [(verify, CODE), (CALLS["create"], SECRET)])
@each_client
@pytest.mark.parametrize("status", [422, 500])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_response_that_repeats_what_was_sent_shows_nothing(
    call: Callable[[MFA], object], value: str, retry: RetryPolicy | None, status: int, shape: str
) -> None:
    """Neither the error nor a frame that has seen the response."""
    response = Response(status, {}, shape.replace("%s", f"'{value}'").encode())
    assert not shows(error_of(lambda: call(client(response, retry))), SENTINEL)


@each_call
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
@pytest.mark.parametrize("status", [100, 201, 302, 600])
def test_a_response_that_cannot_be_read_is_not_shown(call: Callable[[MFA], object], body: bytes, status: int) -> None:
    """The place is named, never what stands there; and the parser's own errors, which hold all of it, are gone."""
    headers = {"Set-Cookie": "SENTINEL", "Location": "https://SENTINEL.example/"}
    assert not shows(error_of(lambda: call(client(Response(status, headers, body)))), SENTINEL)


def damaged(body: dict[str, object], block: str, field: str) -> dict[str, object]:
    """A recorded response with the sentinel for its secrets, that is wrong at one place."""
    inner = body[block]
    assert isinstance(inner, dict)
    return {**body, block: {**inner, "secret": SECRET, "qr_code": SECRET, "uri": SECRET, "code": CODE, field: 7}}


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("enroll", damaged(dict(ENROLLED_TOTP_FACTOR), "totp", "uri")),
        ("enroll", {**damaged(dict(ENROLLED_TOTP_FACTOR), "totp", "extra"), "created_at": CODE}),
        ("create", damaged(dict(USER_ENROLLMENT), "authentication_challenge", "id")),
        ("verify", damaged(dict(VERIFICATION), "challenge", "expires_at")),
        ("verify", {**damaged(dict(VERIFICATION), "challenge", "extra"), "valid": CODE}),
        ("verify", {"challenge": {**CHALLENGE, "code": CODE, "authentication_factor_id": "of_another"}, "valid": True}),
        ("challenge", {**CHALLENGE, "code": CODE, "expires_at": CODE}),
    ],
)
def test_a_response_that_is_nearly_right_is_not_shown(call: str, body: dict[str, object]) -> None:
    """A secret that was read before the mistake was found stays out of sight."""
    assert not shows(error_of(lambda: CALLS[call](client(json_response(201, body)))), SENTINEL)


def test_a_transport_that_returns_nonsense_shows_nothing() -> None:
    """What it returned may be a response in another wrapping."""
    stub = StubTransport(lambda _: (201, SENTINEL))  # type: ignore[arg-type,return-value]
    assert not shows(error_of(lambda: verify(MFA(transport=stub))), SENTINEL)


def test_a_hook_that_fails_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The log has its class, and a call that went well has no error."""

    def broken(_: object) -> None:
        raise ValueError(SENTINEL)

    body = {**VERIFICATION, "challenge": {**CHALLENGE, "code": CODE}}
    with caplog.at_level(0):
        assert verify(MFA(transport=StubTransport(lambda _: json_response(201, body)), on_attempt=broken))
    assert SENTINEL not in caplog.text
    assert "ValueError" in caplog.text

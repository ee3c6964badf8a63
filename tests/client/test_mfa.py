"""The client: how it is made, what it shares, what it closes, and what it does with a transport."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.client.damage import changed
from tests.operations import (
    ADVICE,
    CALLS,
    CHALLENGE_FACTOR,
    CHALLENGE_ID,
    CREATE_USER_FACTOR,
    DELETE_FACTOR,
    FACTOR_ID,
    GET_FACTOR,
    LIST_USER_FACTORS,
    VERIFICATION,
    VERIFY_CHALLENGE,
    Call,
    attempt,
)
from workos_mfa import (
    MFA,
    Attempt,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    Emulator,
    FactorMismatchError,
    InvalidInputError,
    MFAError,
    Options,
    Request,
    RequestsTransport,
    Response,
    RetryingTransport,
    RetryPolicy,
    ServerError,
    TLSError,
    Transport,
    TransportError,
    TransportTimeoutError,
    UnexpectedResponseError,
    Urllib3Transport,
)
from workos_mfa.testing import StubTransport, json_response

KEY = "sk_example_123456789"

make: Callable[..., MFA] = MFA
"""The class, for callers without a type checker."""

every_call = pytest.mark.parametrize("call", CALLS, ids=str)


def unasked() -> StubTransport:
    """A transport for a client that sends nothing."""
    return StubTransport(lambda _: Response(500))


def stub_of(call: Call) -> StubTransport:
    """A transport that responds to the call as the API does."""
    return StubTransport(lambda _: call.success)


def options_of(mfa: MFA) -> Options:
    """The limits that a client sends along."""
    transport = mfa._transport
    assert isinstance(transport, StubTransport)
    GET_FACTOR.make(mfa)
    return transport.requests[-1].options


# How a client is made.


@pytest.mark.parametrize(
    ("unused", "names"),
    [
        ({"api_key": KEY}, "api_key"),
        ({"api_key": ""}, "api_key"),
        ({"base_url": "https://api.workos.com"}, "base_url"),
        ({"allow_http": True}, "allow_http"),
        ({"api_key": KEY, "base_url": "", "allow_http": True}, "allow_http and api_key and base_url"),
    ],
)
def test_nothing_is_ignored_beside_a_transport(unused: dict[str, object], names: str) -> None:
    """A key that nobody uses would make one believe that it is used."""
    with pytest.raises(TypeError) as caught:
        make(**unused, transport=unasked())
    assert str(caught.value) == f"{names} would have no effect beside transport=: pass them to the transport instead"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        *[
            (transport, r"api_key is a transport: .* by name, as in MFA\(transport=Emulator\(\)\)")
            for transport in (unasked(), Emulator(), Emulator)
        ],
        (requests.Session(), r"api_key is a session: .* by name, as in RequestsTransport\(session=session\)"),
        *[(other, "api_key must be a str, such as the one") for other in (7, KEY.encode(), RetryPolicy())],
    ],
)
def test_what_is_no_key_is_said_to_be_none(given: Any, message: str) -> None:
    """By each that takes one; what has a name of its own as an argument is told it."""
    for kind in (MFA, RequestsTransport, Urllib3Transport):
        with pytest.raises(TypeError, match=f"^{message}") as caught:
            kind(given)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (requests.Session(), r" is a session: .*, as in RequestsTransport\(session=session\)"),
        (StubTransport, r" is the class StubTransport: .*, as in StubTransport\(...\)"),
        *[
            (other, " must have the methods send and close")
            for other in (KEY, object(), "https://api.workos.com", 7, lambda _: None)
        ],
    ],
)
def test_what_is_no_transport_is_told_what_to_do(given: Transport, message: str) -> None:
    """When the client is made, and not at its first call."""
    with pytest.raises(TypeError, match=f"^transport{message}") as caught:
        MFA(transport=given)
    assert KEY not in str(caught.value)
    with pytest.raises(TypeError, match=f"^inner{message}"):
        RetryingTransport(given)


def test_the_environment_is_of_no_concern_to_a_given_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment is not an argument that is ignored."""
    monkeypatch.setenv("WORKOS_API_KEY", KEY)
    monkeypatch.setenv("WORKOS_BASE_URL", "nonsense")
    monkeypatch.setenv("WORKOS_ALLOW_HTTP", "nonsense")
    stub = stub_of(GET_FACTOR)
    GET_FACTOR.make(MFA(transport=stub))
    assert len(stub.requests) == 1


def test_a_default_client_needs_a_key_and_shows_where_it_talks_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries over requests come with it; the key may be in the environment when the client is made."""
    with MFA(KEY, base_url="https://api.workos-test.com/") as mfa:
        assert repr(mfa) == "<MFA on RetryingTransport(RequestsTransport('https://api.workos-test.com'))>"
    with pytest.raises(ConfigurationError, match=r'pass one, as in MFA\("sk_\.\.\."\), or set WORKOS_API_KEY'):
        MFA()
    monkeypatch.setenv("WORKOS_API_KEY", KEY)
    with MFA() as mfa:
        assert repr(mfa) == "<MFA on RetryingTransport(RequestsTransport('https://api.workos.com'))>"


NO_LENGTHS: list[object] = [0, 0.0, -1, -0.5, float("nan"), float("inf"), float("-inf"), 86_401, 10**400]
NO_NUMBERS: list[object] = [True, "10", b"10", [10], (3, 10), 1j, {}]
NO_INTS: list[object] = [True, 1.0, "1", float("nan")]


def with_options(**limits: object) -> MFA:
    """A client with other limits than its first ones."""
    limited: Callable[..., MFA] = MFA(transport=unasked()).with_options
    return limited(**limits)


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("limited", [lambda **limit: make(transport=unasked(), **limit), with_options])
def test_a_limit_in_seconds_is_a_length_of_time(name: str, limited: Callable[..., MFA]) -> None:
    """No time at all, and no end, are no limits; a bool is a number to Python, and a pair is another library's."""
    for value in NO_LENGTHS:
        with pytest.raises(InvalidInputError, match=f"{name} must be more than zero seconds and at most a day") as e:
            limited(**{name: value})
        assert e.value.parameter == name
    for value in NO_NUMBERS:
        with pytest.raises(TypeError, match=f"{name} must be a number of seconds, not {type(value).__name__}"):
            limited(**{name: value})


def test_a_number_of_attempts_is_at_least_one() -> None:
    """One attempt means no repetition; none means no call, and half an attempt is not made."""
    for number in (0, -1):
        with pytest.raises(InvalidInputError, match="max_attempts must be at least 1") as caught:
            with_options(max_attempts=number)
        assert caught.value.parameter == "max_attempts"
    for value in NO_INTS:
        with pytest.raises(TypeError, match=f"max_attempts must be an int, not {type(value).__name__}"):
            with_options(max_attempts=value)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "ten", "10s", "1e9", " "])
def test_a_bad_timeout_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A typo in a deployment does not become a client without a limit, and an argument wins over it."""
    monkeypatch.setenv("WORKOS_REQUEST_TIMEOUT", value)
    with pytest.raises(ConfigurationError, match="WORKOS_REQUEST_TIMEOUT must be a number of seconds above zero") as e:
        MFA(transport=unasked())
    assert e.value.__context__ is None
    assert options_of(MFA(transport=stub_of(GET_FACTOR), timeout=3)).timeout == 3.0


@pytest.mark.parametrize(
    ("environment", "arguments", "options"),
    [
        (None, {}, Options(10.0, 20.0, None)),
        ("", {}, Options(10.0, 20.0, None)),
        ("2.5", {}, Options(2.5, 20.0, None)),
        ("2.5", {"timeout": 4}, Options(4.0, 20.0, None)),
        ("60", {}, Options(20.0, 20.0, None)),
        (None, {"timeout": 30}, Options(20.0, 20.0, None)),
        (None, {"timeout": 30, "deadline": 60}, Options(30.0, 60.0, None)),
        (None, {"deadline": 3}, Options(3.0, 3.0, None)),
        (None, {"timeout": 86_400, "deadline": 86_400}, Options(86_400.0, 86_400.0, None)),
        (None, {"timeout": 1e-9}, Options(1e-9, 20.0, None)),
    ],
)
def test_an_attempt_never_has_more_time_than_the_call(
    monkeypatch: pytest.MonkeyPatch, environment: str | None, arguments: dict[str, float], options: Options
) -> None:
    """The limits that go with each request: 10 and 20 seconds unless someone says otherwise."""
    if environment is not None:
        monkeypatch.setenv("WORKOS_REQUEST_TIMEOUT", environment)
    assert options_of(make(**arguments, transport=stub_of(GET_FACTOR))) == options


def test_the_environment_is_read_when_the_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that comes later changes no client."""
    mfa = MFA(transport=stub_of(GET_FACTOR))
    monkeypatch.setenv("WORKOS_REQUEST_TIMEOUT", "2.5")
    assert options_of(mfa).timeout == 10.0


# Copies with other limits.


def test_with_options_gives_a_client_with_other_limits() -> None:
    """The client itself stays as it is, and what is left out is as in the client."""
    mfa = MFA(transport=stub_of(GET_FACTOR), timeout=5, deadline=8)
    copy_of_it = mfa.with_options(timeout=2, max_attempts=1)
    assert options_of(copy_of_it) == Options(2.0, 8.0, 1)
    assert options_of(mfa) == Options(5.0, 8.0, None)
    assert options_of(copy_of_it.with_options(deadline=1)) == Options(1.0, 1.0, 1)
    assert options_of(copy_of_it.with_options(deadline=1).with_options(deadline=9)) == Options(2.0, 9.0, 1)
    assert options_of(mfa.with_options()) == options_of(mfa)


def test_with_options_shares_the_transport_and_keeps_the_class() -> None:
    """Its connections are used by both; an app may have methods of its own on a client."""

    class OwnMFA(MFA):
        pass

    stub = stub_of(GET_FACTOR)
    mfa = OwnMFA(transport=stub)
    GET_FACTOR.make(mfa)
    copy_of_it = mfa.with_options(timeout=1)
    GET_FACTOR.make(copy_of_it)
    assert [request.options.timeout for request in stub.requests] == [10.0, 1.0]
    assert type(copy_of_it) is OwnMFA


def test_limits_reach_every_call_and_every_page() -> None:
    """A page that is fetched later has the limits of the call that began the list."""
    cursors = iter(["a", None])
    metadata = ("list_metadata", "after")
    stub = StubTransport(lambda _: json_response(200, changed(LIST_USER_FACTORS.body, metadata, next(cursors))))
    page = MFA(transport=stub).with_options(timeout=1, max_attempts=2).list_user_auth_factors("u")
    list(page.auto_paging_iter())
    assert [request.options for request in stub.requests] == [Options(1.0, 20.0, 2)] * 2


# Closing.


def test_a_client_is_a_context_manager() -> None:
    """It gives itself, and an error inside passes through."""
    mfa = MFA(transport=unasked())
    with mfa as entered:
        assert entered is mfa
    with pytest.raises(KeyError), mfa:
        raise KeyError


def test_a_given_transport_is_not_closed() -> None:
    """It is its maker's to close, whether the client wraps it or not."""
    for retry in (None, RetryPolicy()):
        stub = unasked()
        with MFA(transport=stub, retry=retry):
            pass
        assert not stub.closed


def test_a_client_closes_what_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the with block is left; a copy of the client closes nothing."""
    stub = unasked()
    monkeypatch.setattr("workos_mfa._transports.requests.RequestsTransport", lambda *_, **__: stub)
    with MFA(KEY) as mfa:
        with mfa.with_options(timeout=1) as copy_of_it:
            copy_of_it.close()
        assert not stub.closed
    assert stub.closed


# What a client does not do.


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_client_is_not_pickled(protocol: int) -> None:
    """It holds a key."""
    mfa = MFA(transport=unasked())
    with pytest.raises(TypeError, match="an MFA client holds a key and is not pickled: make one in each process"):
        pickle.dumps(mfa, protocol)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(mfa)


def test_a_repr_shows_what_a_client_stands_on() -> None:
    """And nothing of what it was asked."""

    class Own(StubTransport):
        def __repr__(self) -> str:
            return "<own transport>"

    own = Own(lambda _: Response(500))
    assert repr(MFA(transport=own)) == "<MFA on <own transport>>"
    assert repr(MFA(transport=own, retry=RetryPolicy())) == "<MFA on RetryingTransport(<own transport>)>"


# A transport of the user's.


@every_call
def test_a_transport_is_used_as_it_is(call: Call) -> None:
    """One send for one call: what a stub sees is what was asked, and no failure brings a second one."""
    stub = stub_of(call)
    call.make(MFA(transport=stub))
    assert len(stub.requests) == 1
    for failing in (StubTransport(lambda _: Response(503)), StubTransport(raising(ConnectError("refused")))):
        with pytest.raises(MFAError) as caught:
            call.make(MFA(transport=failing))
        assert len(failing.requests) == 1
        assert caught.value.attempts == ()


def raising(error: BaseException) -> Callable[[Request], Response]:
    """A function that raises the error in place of a response."""

    def respond(_: Request) -> Response:
        raise error

    return respond


def test_retry_wraps_a_transport() -> None:
    """With a policy the same transport is asked again."""
    responses = iter([Response(503), GET_FACTOR.success])
    stub = StubTransport(lambda _: next(responses))
    GET_FACTOR.make(MFA(transport=stub, retry=RetryPolicy(backoff=0)))
    assert len(stub.requests) == 2


def test_a_policy_is_given_to_a_default_client_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default client makes as many attempts as the policy says."""
    stub = StubTransport(lambda _: Response(503))
    monkeypatch.setattr("workos_mfa._transports.requests.RequestsTransport", lambda *_, **__: stub)
    with pytest.raises(ServerError):
        GET_FACTOR.make(MFA(KEY, retry=RetryPolicy(max_attempts=7, backoff=0)))
    assert len(stub.requests) == 7


@pytest.mark.parametrize("arguments", [{"retry": RetryPolicy()}, {"on_attempt": print}])
def test_a_transport_that_repeats_is_not_wrapped(arguments: dict[str, object]) -> None:
    """Three times three attempts would be nine."""
    with pytest.raises(ConfigurationError, match="this transport repeats already, and repetitions would multiply"):
        make(transport=RetryingTransport(unasked()), **arguments)


def test_a_transport_that_repeats_is_used_as_it_is() -> None:
    """An attempt of its own making is on the error."""
    mfa = MFA(transport=RetryingTransport(StubTransport(lambda _: Response(503)), RetryPolicy(max_attempts=1)))
    with pytest.raises(ServerError) as caught:
        GET_FACTOR.make(mfa)
    assert [attempt.status for attempt in caught.value.attempts] == [503]


def test_a_hook_sees_the_attempt_on_a_given_transport() -> None:
    """Without a policy there is one attempt, and no repetition comes with the hook."""
    seen: list[Attempt] = []
    stub = StubTransport(lambda _: Response(503))
    with pytest.raises(ServerError):
        GET_FACTOR.make(MFA(transport=stub, on_attempt=seen.append))
    assert len(stub.requests) == 1
    assert [(attempt.number, attempt.operation, attempt.status, attempt.wait) for attempt in seen] == [
        (1, "get_factor", 503, None)
    ]


TRANSPORT_ERRORS = [
    TransportError,
    ConnectError,
    ConnectTimeoutError,
    TLSError,
    TransportTimeoutError,
    ConnectionLostError,
]


@every_call
@pytest.mark.parametrize("kind", TRANSPORT_ERRORS)
@pytest.mark.parametrize("unknown", [None, True, False])
def test_a_transport_error_speaks_for_the_call(
    call: Call,
    kind: type[TransportError],
    unknown: bool | None,  # noqa: FBT001
) -> None:
    """It passes as it is, and what the transport knows counts; a call that changes nothing is never unclear."""
    error = kind("it went wrong", outcome_unknown=unknown)
    unclear = error.attempt_outcome_unknown and call.replay != "safe"
    with pytest.raises(kind) as caught:
        call.make(MFA(transport=StubTransport(raising(error))))
    assert caught.value is error
    assert error.outcome_unknown is unclear
    assert error.needs_new_challenge is (unclear and call is VERIFY_CHALLENGE)


def test_an_error_that_is_raised_again_speaks_for_its_own_call() -> None:
    """A stub may raise one error for every call; what it says of a verification is not what it said of a get."""
    mfa = MFA(transport=StubTransport(raising(ConnectionLostError("it went wrong"))))
    with pytest.raises(ConnectionLostError) as caught:
        GET_FACTOR.make(mfa)
    assert (caught.value.outcome_unknown, caught.value.needs_new_challenge) == (False, False)
    assert str(caught.value) == "it went wrong"
    with pytest.raises(ConnectionLostError) as caught:
        VERIFY_CHALLENGE.make(mfa)
    assert (caught.value.outcome_unknown, caught.value.needs_new_challenge) == (True, True)
    for _ in range(2):
        with pytest.raises(ConnectionLostError) as caught:
            DELETE_FACTOR.make(mfa)
        assert str(caught.value) == f"it went wrong. WorkOS may have acted on the call. {ADVICE['delete_factor']}"


LOST = attempt(1, error="ConnectionLostError", outcome_unknown=True)
UNCLEAR_ENDINGS: list[Callable[[Request], Response]] = [
    raising(TransportError("it went wrong")),
    raising(ConnectError("it went wrong", outcome_unknown=True)),
    lambda _: Response(503),
    lambda _: Response(408),
    lambda _: Response(307),
    lambda _: Response(409, attempts=(LOST, attempt(2, status=409))),
]


@every_call
@pytest.mark.parametrize("ending", UNCLEAR_ENDINGS)
def test_an_unclear_error_says_what_to_do(call: Call, ending: Callable[[Request], Response]) -> None:
    """For this call, whoever's the transport is; and nothing of the kind where nothing can have been done."""
    with pytest.raises(MFAError) as caught:
        call.make(MFA(transport=StubTransport(ending)))
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - it was pickled here
        assert ("WorkOS may have acted on " in str(error)) is (call.replay != "safe")
        assert str(error).endswith(ADVICE.get(call.operation, ""))
        assert error.advice == ADVICE.get(call.operation, "")


def test_an_unclear_error_of_a_response_says_what_to_do() -> None:
    """One that can't be read, and one that has advice of its own."""
    with pytest.raises(UnexpectedResponseError) as unreadable:
        CHALLENGE_FACTOR.result_of(Response(201, {"X-Request-Id": "req_1"}, b"<html>"))
    assert str(unreadable.value).endswith(
        f"JSON in UTF-8. WorkOS may have acted on the call. {ADVICE['challenge_factor']} (request id req_1)"
    )
    with pytest.raises(AuthenticationError) as refused:
        DELETE_FACTOR.result_of(Response(401, {}, b'{"message": "Unauthorized"}', (LOST, attempt(2, status=401))))
    assert str(refused.value) == (
        "401: Unauthorized. WorkOS may have acted on an earlier attempt of the call. "
        f"{AuthenticationError.advice} {ADVICE['delete_factor']}"
    )


class OwnInterrupt(BaseException):
    """Such as a worker's time limit."""


@every_call
@pytest.mark.parametrize("retry", [None, RetryPolicy(backoff=0)], ids=["plain", "retrying"])
@pytest.mark.parametrize("error", [KeyError("k"), OSError(5, "x"), KeyboardInterrupt(), OwnInterrupt("over")], ids=repr)
def test_a_foreign_exception_passes_unchanged(call: Call, retry: RetryPolicy | None, error: BaseException) -> None:
    """It isn't ours to translate, is not repeated, and its traceback shows where it came from."""
    stub = StubTransport(raising(error))
    with pytest.raises(type(error)) as caught:
        call.make(MFA(transport=stub, retry=retry))
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert traceback.extract_tb(error.__traceback__)[-1].name == "respond"
    assert len(stub.requests) == 1


@every_call
@pytest.mark.parametrize("returned", [None, {"valid": True}, (200, {}, b"{}"), "SENTINEL", 200, Response], ids=repr)
def test_a_transport_that_returns_no_response_is_told_so(call: Call, returned: object) -> None:
    """A stub of somebody's that returns a dict would else fail far from where the mistake is."""
    stub = StubTransport(lambda _: returned)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match=r"it must return a workos_mfa\.Response") as caught:
        call.make(MFA(transport=stub))
    assert "SENTINEL" not in str(caught.value)


# Whose factor was it?


def verifying(valid: bool, factor_id: str = FACTOR_ID) -> StubTransport:  # noqa: FBT001
    """A transport whose challenge belongs to a factor."""
    body = changed(VERIFICATION, ("challenge", "authentication_factor_id"), factor_id)
    return StubTransport(lambda _: json_response(201, changed(body, ("valid",), valid)))


@pytest.mark.parametrize("valid", [True, False])
def test_where_the_factor_is_right_or_not_asked_for_the_code_decides(valid: bool) -> None:  # noqa: FBT001
    """Left out means no check."""
    mfa = MFA(transport=verifying(valid, "auth_factor_of_somebody"))
    assert mfa.verify_challenge(CHALLENGE_ID, code="1").valid is valid
    mfa = MFA(transport=verifying(valid))
    assert mfa.verify_challenge(CHALLENGE_ID, code="1", expected_factor_id=FACTOR_ID).valid is valid


@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("other", ["auth_factor_of_somebody", FACTOR_ID.lower(), FACTOR_ID + "x", FACTOR_ID[:-1]])
def test_another_factor_than_expected_is_an_error(valid: bool, other: str) -> None:  # noqa: FBT001
    """Whatever the code was: a right code for somebody else's factor proves nothing."""
    stub = verifying(valid, other)
    with pytest.raises(FactorMismatchError) as caught:
        MFA(transport=stub, retry=RetryPolicy()).verify_challenge(CHALLENGE_ID, code="1", expected_factor_id=FACTOR_ID)
    error = caught.value
    assert [attempt.status for attempt in error.attempts] == [201]
    assert (error.outcome_unknown, error.needs_new_challenge) == (False, True)
    assert "this person has proved nothing" in str(error)
    assert FACTOR_ID not in str(error)
    assert other not in str(error)
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("call", "place"),
    [(GET_FACTOR, "$.id"), (CHALLENGE_FACTOR, "$.authentication_factor_id"), (VERIFY_CHALLENGE, "$.challenge.id")],
    ids=str,
)
def test_a_response_about_something_else_is_refused(call: Call, place: str) -> None:
    """A response that names another object than was asked for is the response to another call."""
    path = tuple(place.split(".")[1:])
    for other in ("SENTINEL", FACTOR_ID.lower(), FACTOR_ID + "x", FACTOR_ID[:-1]):
        with pytest.raises(UnexpectedResponseError) as caught:
            call.result_of(json_response(200, changed(call.body, path, other)))
        error = caught.value
        assert f" {place} is not the id that was asked for" in str(error)
        assert "if a stub of yours responds in a test, let it return the id that it is asked for" in str(error)
        assert other not in str(error)
        assert error.outcome_unknown is (call.replay != "safe")
        assert error.needs_new_challenge is (call is VERIFY_CHALLENGE)
        assert error.status_code == 200


def enroll_for(mfa: MFA) -> object:
    """Enroll a factor for the user that the response has."""
    return mfa.enroll_factor(type="generic_otp", user_id="user_other")


@pytest.mark.parametrize(
    ("make", "response", "problem"),
    [
        (enroll_for, changed(GET_FACTOR.body, ("user_id",), "user_1"), "$.user_id is not the id that was asked for"),
        (
            CREATE_USER_FACTOR.make,
            changed(CREATE_USER_FACTOR.body, ("authentication_factor", "user_id"), "user_other"),
            "$.authentication_factor.user_id is not the id that was asked for",
        ),
        (
            CREATE_USER_FACTOR.make,
            changed(CREATE_USER_FACTOR.body, ("authentication_factor", "id"), "auth_factor_other"),
            "$.authentication_challenge.authentication_factor_id is not $.authentication_factor.id",
        ),
    ],
)
def test_an_enrolment_for_another_user_is_refused(
    make: Callable[[MFA], object], response: object, problem: str
) -> None:
    """A secret that was made for somebody else must not be shown to this person."""
    with pytest.raises(UnexpectedResponseError) as caught:
        make(MFA(transport=StubTransport(lambda _: json_response(201, response))))
    assert problem in str(caught.value)
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("lost", [None, "", " "], ids=repr)
def test_an_expected_factor_that_got_lost_is_refused(lost: str | None) -> None:
    """``session.get("factor")`` that finds nothing must not turn the check off."""
    stub = verifying(valid=True)
    with pytest.raises((TypeError, InvalidInputError), match=r"^expected_factor_id "):
        MFA(transport=stub).verify_challenge(CHALLENGE_ID, code="1", expected_factor_id=lost)  # type: ignore[arg-type]
    assert stub.requests == []


def test_the_default_reads_well_in_help() -> None:
    """What a signature shows for "no check"."""
    assert "expected_factor_id: 'str' = <not checked>" in str(inspect.signature(MFA.verify_challenge))

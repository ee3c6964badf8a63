# ruff: noqa: S301 - what is unpickled here was pickled here
"""The error tree: what is a kind of what, what each says of the call, and that every error travels whole."""

from __future__ import annotations

import builtins
import contextlib
import copy
import pickle
from collections.abc import Iterator

import pytest

import workos_mfa
from workos_mfa import (
    APIError,
    Attempt,
    AuthenticationError,
    AuthorizationError,
    BadRequestError,
    ChallengeAlreadyVerifiedError,
    ChallengeExpiredError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    FactorMismatchError,
    InvalidInputError,
    InvalidPhoneNumberError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    ServerError,
    SMSQuotaReachedError,
    SMSRateLimitedError,
    TLSError,
    TooManyAttemptsError,
    TransportError,
    TransportTimeoutError,
    UnexpectedResponseError,
    UnprocessableEntityError,
)
from workos_mfa._core.errors import is_known_code, leaves_outcome_unknown

PARENTS: dict[type[MFAError], set[type[BaseException]]] = {
    MFAError: {Exception},
    ConfigurationError: {MFAError, ValueError},
    InvalidInputError: {MFAError, ValueError},
    FactorMismatchError: {MFAError},
    TransportError: {MFAError},
    ConnectError: {TransportError},
    ConnectTimeoutError: {ConnectError, TransportTimeoutError},
    TLSError: {TransportError},
    TransportTimeoutError: {TransportError, TimeoutError},
    ConnectionLostError: {TransportError},
    UnexpectedResponseError: {MFAError},
    APIError: {MFAError},
    BadRequestError: {APIError},
    TooManyAttemptsError: {BadRequestError},
    AuthenticationError: {APIError},
    AuthorizationError: {APIError},
    NotFoundError: {APIError},
    ConflictError: {APIError},
    UnprocessableEntityError: {APIError},
    InvalidPhoneNumberError: {UnprocessableEntityError},
    ChallengeExpiredError: {UnprocessableEntityError},
    ChallengeAlreadyVerifiedError: {UnprocessableEntityError},
    RateLimitExceededError: {APIError},
    SMSRateLimitedError: {RateLimitExceededError},
    SMSQuotaReachedError: {RateLimitExceededError},
    ServerError: {APIError},
}

ATTEMPTS = (
    Attempt(
        1,
        "verify_challenge",
        "/auth/challenges/{id}/verify",
        None,
        "ConnectError",
        0.1,
        0.2,
        None,
        outcome_unknown=False,
    ),
    Attempt(2, "verify_challenge", "/auth/challenges/{id}/verify", 502, None, 0.3, None, "req_2", outcome_unknown=True),
)


def made(kind: type[MFAError]) -> MFAError:
    """An error of the class, as the package itself would make it."""
    if issubclass(kind, InvalidInputError):
        return kind("code is empty: ask for it", parameter="code")
    if issubclass(kind, UnexpectedResponseError):
        return kind("201: $.valid is missing", status_code=201, request_id="req_1")
    if issubclass(kind, APIError):
        return kind(
            "It can't be done.",
            status_code=422,
            code="a_code",
            errors=({"field": "phone_number", "code": "must be a string"},),
            request_id="req_1",
            retry_after=1.5,
        )
    return kind("it went wrong")


def travelled(kind: type[MFAError]) -> MFAError:
    """An error with everything on it that an error may carry."""
    error = made(kind)
    error.attempts = ATTEMPTS
    error.outcome_unknown = True
    error.needs_new_challenge = True
    # What add_note does, which Python 3.10 has not.
    vars(error)["__notes__"] = ["while signing in"]
    return error


def assert_same(error: MFAError, other: MFAError) -> None:
    """The other error is another object and says the same."""
    assert other is not error
    assert type(other) is type(error)
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))


every_class = pytest.mark.parametrize("kind", PARENTS, ids=lambda kind: kind.__name__)


@every_class
def test_each_class_has_the_bases_of_the_contract(kind: type[MFAError]) -> None:
    """Catching a base catches what the contract says is a kind of it."""
    assert set(kind.__bases__) == PARENTS[kind]


def test_the_tree_has_no_other_class() -> None:
    """What the package exports as an error is in the tree, and the other way round."""
    exported = {getattr(workos_mfa, name) for name in workos_mfa.__all__ if name.endswith("Error")}
    assert exported == set(PARENTS)


@every_class
def test_an_error_comes_back_whole_from_a_pickle(kind: type[MFAError]) -> None:
    """A task queue may carry an error to another process, with all it says, in any protocol."""
    error = travelled(kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert_same(error, pickle.loads(pickle.dumps(error, protocol)))


@every_class
def test_an_error_can_be_copied(kind: type[MFAError]) -> None:
    """A shallow and a deep copy say the same as the error."""
    error = travelled(kind)
    assert_same(error, copy.copy(error))
    assert_same(error, copy.deepcopy(error))


@every_class
def test_a_subclass_of_an_app_travels_as_well(kind: type[MFAError]) -> None:
    """An app may derive its own error from any of these."""
    own = type("OwnError", (kind,), {"__module__": __name__})
    globals()["OwnError"] = own
    error = travelled(own)
    assert_same(error, pickle.loads(pickle.dumps(error)))


OUTCOME_UNKNOWN = {TransportError, TransportTimeoutError, ConnectionLostError, TLSError}
NEEDS_NEW_CHALLENGE = {
    TooManyAttemptsError,
    ChallengeExpiredError,
    ChallengeAlreadyVerifiedError,
    FactorMismatchError,
}


@every_class
def test_an_error_says_if_the_server_may_have_acted(kind: type[MFAError]) -> None:
    """Without a word from whoever raises it, each class says what is true of most of its kind."""
    error = made(kind)
    assert error.outcome_unknown is (kind in OUTCOME_UNKNOWN)
    assert error.needs_new_challenge is (kind in NEEDS_NEW_CHALLENGE)
    assert error.attempts == ()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            NotFoundError("No such factor.", status_code=404, code="entity_not_found", request_id="req_1"),
            "404 entity_not_found: No such factor. (request id req_1)",
        ),
        (APIError(status_code=418), "418: the API gave no message"),
        (
            AuthenticationError("Unauthorized", status_code=401),
            "401: Unauthorized. Check the API key that the client was made with.",
        ),
        (
            ServerError("Oh.", status_code=500, request_id="req_1"),
            "500: Oh. WorkOS may have acted on the call. (request id req_1)",
        ),
        (
            ChallengeExpiredError("It is over.", status_code=422, code="authentication_challenge_expired"),
            "422 authentication_challenge_expired: It is over. Make a new challenge and ask for a new code.",
        ),
        (
            UnprocessableEntityError(
                "Validation failed",
                status_code=422,
                errors=({"field": "type", "code": "type must be a valid enum value"}, {"message": "too long"}),
            ),
            "422: Validation failed. type: type must be a valid enum value; too long",
        ),
        (
            UnexpectedResponseError("201: $.valid is missing", status_code=201, request_id="req_1"),
            "201: $.valid is missing (request id req_1)",
        ),
        (UnexpectedResponseError("the same cursor twice"), "the same cursor twice"),
        (AuthenticationError("Who is it? \n", status_code=401), f"401: Who is it? {AuthenticationError.advice}"),
        (AuthenticationError("Cut off…", status_code=401), f"401: Cut off… {AuthenticationError.advice}"),
        (ConnectError("refused"), "refused"),
        (ConnectionLostError("lost"), "lost. WorkOS may have acted on the call."),
        (MFAError(), ""),
    ],
)
def test_a_text_leads_with_the_status_and_ends_with_the_request_id(error: MFAError, text: str) -> None:
    """Whoever reads one line of a log sees first what it is and last what to quote to support."""
    assert str(error) == text


def test_a_text_follows_what_is_known_of_the_call() -> None:
    """Whoever comes to know more of it than the error did when it was made says so in the attributes alone."""
    error = travelled(ConnectError)
    error.advice = "Delete again"
    assert str(error) == "it went wrong. WorkOS may have acted on the call. Delete again"
    error.attempts = (ATTEMPTS[1], ATTEMPTS[1], ATTEMPTS[0])
    assert str(error) == "it went wrong. WorkOS may have acted on an earlier attempt of the call. Delete again"
    error.outcome_unknown = False
    assert str(error) == "it went wrong. Delete again"


@every_class
def test_an_error_has_its_own_attributes(kind: type[MFAError]) -> None:
    """What an error was made with can be read off it, not only its text."""
    expected: dict[str, object] = {}
    if issubclass(kind, InvalidInputError):
        expected = {"parameter": "code"}
    elif issubclass(kind, UnexpectedResponseError):
        expected = {"status_code": 201, "request_id": "req_1"}
    elif issubclass(kind, APIError):
        expected = {
            "status_code": 422,
            "code": "a_code",
            "message": "It can't be done.",
            "errors": ({"field": "phone_number", "code": "must be a string"},),
            "request_id": "req_1",
            "retry_after": 1.5,
        }
    error = made(kind)
    assert {name: getattr(error, name) for name in expected} == expected


@every_class
def test_an_error_passes_through_a_context_manager(kind: type[MFAError]) -> None:
    """A context manager writes to the error on its way, so an error must let itself be written to."""

    @contextlib.contextmanager
    def passing() -> Iterator[None]:
        yield

    error = made(kind)
    with pytest.raises(kind) as caught, passing():
        raise error
    assert caught.value is error


@pytest.mark.skipif(not hasattr(builtins, "ExceptionGroup"), reason="exception groups came with Python 3.11")
@every_class
def test_an_error_may_be_in_a_group(kind: type[MFAError]) -> None:
    """A group can be split by the classes of the tree, and goes through a pickle."""
    group = vars(builtins)["ExceptionGroup"]("several", [travelled(kind), KeyError("another")])
    ours, others = group.split(MFAError)
    assert_same(ours.exceptions[0], pickle.loads(pickle.dumps(ours)).exceptions[0])
    assert [type(error) for error in others.exceptions] == [KeyError]


def test_details_are_cut() -> None:
    """A list of problems takes no more than a thousand characters of the text."""
    error = APIError("no", status_code=422, errors=({"message": "y" * 2000},))
    assert str(error) == f"422: no. {'y' * 999}…"


def test_what_an_error_says() -> None:
    """Its advice, what is known of its attempt, and which codes are the API's own."""
    assert str(AuthorizationError("no", status_code=403)) == "403: no. Check what the API key is allowed to do."
    assert ConnectError("no").attempt_outcome_unknown is False
    assert ConnectError("no", outcome_unknown=True).attempt_outcome_unknown is True
    assert TransportError("no", outcome_unknown=False).attempt_outcome_unknown is False
    assert TransportError("no", outcome_unknown=False).outcome_unknown is False
    assert is_known_code("entity_not_found")
    assert not is_known_code("421337")
    assert [leaves_outcome_unknown(status) for status in (199, 200, 299, 300, 399, 400, 408, 499, 500)] == [
        True, False, False, True, True, False, True, False, True,
    ]  # fmt: skip

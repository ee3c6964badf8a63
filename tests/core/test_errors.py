# ruff: noqa: S301 - what is unpickled here was pickled here
"""The error tree: what is a kind of what, what each says of the call, and that every error travels whole."""

from __future__ import annotations

import builtins
import contextlib
import copy
import pickle
from collections.abc import Callable, Iterator

import pytest

import workos_mfa
from tests.operations import attempt
from workos_mfa import (
    APIError,
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

CLEAR, UNCLEAR = attempt(1, error="ConnectError"), attempt(2, status=502, outcome_unknown=True)


def arguments_of(kind: type[MFAError]) -> dict[str, object]:
    """What the package gives to an error of the class beside its text; each can be read off it again."""
    if issubclass(kind, InvalidInputError):
        return {"parameter": "code"}
    if issubclass(kind, UnexpectedResponseError):
        return {"status_code": 201, "request_id": "req_1"}
    if issubclass(kind, APIError):
        problems = ({"field": "phone_number", "code": "must be a string"},)
        return {
            "status_code": 422, "code": "a_code", "errors": problems, "request_id": "req_1", "retry_after": 1.5,
        }  # fmt: skip
    return {}


def made(kind: type[MFAError]) -> MFAError:
    """An error of the class, as the package itself would make it."""
    make: Callable[..., MFAError] = kind
    return make("it went wrong", **arguments_of(kind))


def travelled(kind: type[MFAError]) -> MFAError:
    """An error with everything on it that an error may carry."""
    error = made(kind)
    error.attempts = (CLEAR, UNCLEAR)
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


OUTCOME_UNKNOWN = {TransportError, TransportTimeoutError, ConnectionLostError, TLSError}
NEEDS_NEW_CHALLENGE = {TooManyAttemptsError, ChallengeExpiredError, ChallengeAlreadyVerifiedError, FactorMismatchError}


@every_class
def test_each_class_has_the_bases_and_the_defaults_of_the_contract(kind: type[MFAError]) -> None:
    """Catching a base catches what is a kind of it; what nobody has said of an error is true of most of its kind."""
    assert set(kind.__bases__) == PARENTS[kind]
    assert kind.__module__ == "workos_mfa"
    error = made(kind)
    assert error.outcome_unknown is (kind in OUTCOME_UNKNOWN)
    assert error.needs_new_challenge is (kind in NEEDS_NEW_CHALLENGE)
    assert error.attempts == ()
    assert arguments_of(kind).items() <= vars(error).items()
    if isinstance(error, APIError):
        assert error.message == "it went wrong"


def test_the_tree_has_no_other_class() -> None:
    """What the package exports as an error is in the tree, and the other way round."""
    exported = {getattr(workos_mfa, name) for name in workos_mfa.__all__ if name.endswith("Error")}
    assert exported == set(PARENTS)


@every_class
def test_an_error_travels_whole(kind: type[MFAError]) -> None:
    """A task queue may pickle an error, in any protocol; an app may copy it, and derive its own error from it."""
    own = type("OwnError", (kind,), {"__module__": __name__})
    globals()["OwnError"] = own
    for error in (travelled(kind), travelled(own)):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert_same(error, pickle.loads(pickle.dumps(error, protocol)))
        assert_same(error, copy.copy(error))
        assert_same(error, copy.deepcopy(error))


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
        (AuthenticationError("No!", status_code=401), f"401: No! {AuthenticationError.advice}"),
        (AuthorizationError("no", status_code=403), "403: no. Check what the API key is allowed to do."),
        (APIError("no", status_code=422, errors=({"message": "y" * 2000},)), f"422: no. {'y' * 999}…"),
        (ConnectError("refused"), "refused"),
        (ConnectionLostError("lost"), "lost. WorkOS may have acted on the call."),
        (MFAError(), ""),
    ],
)
def test_a_text_leads_with_the_status_and_ends_with_the_request_id(error: MFAError, text: str) -> None:
    """Whoever reads one line of a log sees first what it is and last what to quote to support."""
    assert str(error) == text


def test_a_sentence_after_a_list_has_a_line_of_its_own() -> None:
    """It would else seem to belong to the list's last entry."""
    error = ConnectionLostError("lost\n- a\n- b")
    error.advice = "Delete again"
    assert str(error) == "lost\n- a\n- b\n\nWorkOS may have acted on the call. Delete again"


def test_a_text_follows_what_is_known_of_the_call() -> None:
    """Whoever comes to know more of it than the error did when it was made says so in the attributes alone."""
    error = travelled(ConnectError)
    error.advice = "Delete again"
    assert str(error) == "it went wrong. WorkOS may have acted on the call. Delete again"
    error.attempts = (UNCLEAR, UNCLEAR, CLEAR)
    assert str(error) == "it went wrong. WorkOS may have acted on an earlier attempt of the call. Delete again"
    error.outcome_unknown = False
    assert str(error) == "it went wrong. Delete again"


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


def test_a_transport_may_know_better_than_the_class() -> None:
    """Then that is true of the attempt and of the call."""
    for kind, unknown in ((ConnectError, True), (TransportError, False)):
        error = kind("no", outcome_unknown=unknown)
        assert (error.outcome_unknown, error.attempt_outcome_unknown) == (unknown, unknown)
        assert kind("no").attempt_outcome_unknown is not unknown


def test_which_responses_are_unclear() -> None:
    """Any that is neither a success nor a refusal, and the timeout among the refusals."""
    unclear = [leaves_outcome_unknown(status) for status in (199, 200, 299, 300, 399, 400, 408, 499, 500)]
    assert unclear == [True, False, False, True, True, False, True, False, True]


def test_which_codes_are_the_apis_own() -> None:
    """What a person types is none."""
    assert is_known_code("entity_not_found")
    assert not is_known_code("421337")

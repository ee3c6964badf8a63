"""Responses to models or errors, and what an error says of the whole call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TypeVar

from workos_mfa._client import parsing
from workos_mfa._client.parsing import JSONObject
from workos_mfa._core.errors import (
    APIError,
    MFAError,
    NotFoundError,
    TransportError,
    UnexpectedResponseError,
    api_error_class,
    is_known_code,
    leaves_outcome_unknown,
)
from workos_mfa._core.redaction import masked, printable
from workos_mfa._core.transport import MAX_BODY, Request, Response, request_id_of, sent_secrets

T = TypeVar("T")

_LONGEST_TEXT = 500
_LONGEST_CODE = 100
_MOST_PROBLEMS = 20
_ANYTHING: Mapping[str, str] = {}

# A factor that no user owns can't be listed, so nobody is told to look for it.
_AFTER_AN_UNCLEAR_CALL = {
    "enroll_factor": "Enroll again: a factor that nobody knows of does no harm.",
    "challenge_factor": (
        "Challenge again: two text messages may arrive, and only the code of the new challenge counts."
    ),
    "verify_challenge": "Make a new challenge and ask for a new code.",
    "create_user_auth_factor": (
        "Look for a new factor with list_user_auth_factors, delete it if there is one, and create again."
    ),
    "delete_factor": "Delete again: a NotFoundError then means that it is done.",
}


def read(
    request: Request, response: Response, parse: Callable[[JSONObject], T], about: Mapping[str, str] = _ANYTHING
) -> T:
    """The model in the response.

    :param about: the ids that the response has to name, each by its place: with another one it may be the response
        to another call. A user's may be left out, as the API does for a factor without one.
    :raises APIError: if the API responded with an error.
    :raises UnexpectedResponseError: if the response is not what the API promises.
    """
    if error := error_of(request, response):
        raise error
    if len(response.body) > MAX_BODY:
        raise unexpected_response(request, response, "it is longer than 1 MiB")
    try:
        model = parse(parsing.document(response.body))
    except parsing.ParseError as malformed:
        problem = str(malformed)
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            problem = "it is compressed, though the request asks for it as it is: look for a proxy that compresses"
        raise unexpected_response(request, response, problem) from None
    for place, asked in about.items():
        # The model of a user's enrolment has a shorter name for the factor than its JSON.
        found = attrgetter(place.replace("authentication_factor.", "factor."))(model)
        if found is not None and found != asked:
            problem = (
                f"$.{place} is not the id that was asked for (if a stub of yours responds in a test, let it return the "
                "id that it is asked for)"
            )
            raise unexpected_response(request, response, problem)
    return model


def error_of(request: Request, response: Response) -> MFAError | None:
    """The error that the response's status stands for, or None for success."""
    if 200 <= response.status < 300:
        return None
    if 400 <= response.status < 600:
        return for_the_whole_call(_api_error(request, response), request, response)
    what = "a redirect, which is never followed" if 300 <= response.status < 400 else "a status that no call has"
    return _unexpected(
        request, response, f"{what}: check the base URL", outcome_unknown=leaves_outcome_unknown(response.status)
    )


def unexpected_response(request: Request, response: Response, problem: str) -> MFAError:
    """The error for a success that is not what the API promises."""
    return _unexpected(request, response, f"not what the API promises: {problem}", outcome_unknown=True)


def _unexpected(request: Request, response: Response, problem: str, *, outcome_unknown: bool) -> MFAError:
    error = UnexpectedResponseError(
        f"{response.status}: the response is {problem}",
        status_code=response.status,
        request_id=request_id_of(request, response),
    )
    error.outcome_unknown = outcome_unknown
    return for_the_whole_call(error, request, response)


def for_the_whole_call(error: MFAError, request: Request, response: Response | None = None) -> MFAError:
    """Make the error speak for all attempts of the call, and not for the last one alone."""
    if response is not None:
        error.attempts = response.attempts
    of_last = error.attempt_outcome_unknown if isinstance(error, TransportError) else error.outcome_unknown
    of_any = of_last or any(attempt.outcome_unknown for attempt in error.attempts)
    error.outcome_unknown = of_any and request.replay != "safe"
    unclear = _AFTER_AN_UNCLEAR_CALL.get(request.operation, "") if error.outcome_unknown else ""
    error.advice = " ".join(filter(None, (type(error).advice, unclear)))
    error.needs_new_challenge = type(error).needs_new_challenge or (
        request.operation == "verify_challenge" and (error.outcome_unknown or isinstance(error, NotFoundError))
    )
    return error


def is_already_deleted(error: MFAError) -> bool:
    """Whether a delete that ended in this error has worked: an earlier, unclear attempt did it."""
    return (
        isinstance(error, APIError)
        and (error.status_code, error.code) == (404, "entity_not_found")
        and any(attempt.outcome_unknown for attempt in error.attempts[:-1])
    )


def _api_error(request: Request, response: Response) -> APIError:
    if len(response.body) > MAX_BODY:
        problem = parsing.Problem(message="(the response is longer than 1 MiB and was not read)")
    else:
        problem = parsing.problem(response.body)
    sent = sent_secrets(request)

    def clean(text: str | None, limit: int = _LONGEST_TEXT) -> str | None:
        return text and printable(masked(text, sent), limit=limit)

    # A word of the API's own stays whole, even if it holds what a person typed for a code.
    code = problem.code
    return api_error_class(response.status, code)(
        clean(problem.message),
        status_code=response.status,
        code=code if code and is_known_code(code) else clean(code, _LONGEST_CODE),
        errors=tuple(
            {clean(name, _LONGEST_CODE) or "": clean(text) or "" for name, text in list(entry.items())[:_MOST_PROBLEMS]}
            for entry in problem.errors[:_MOST_PROBLEMS]
        ),
        request_id=request_id_of(request, response),
        retry_after=response.retry_after,
    )

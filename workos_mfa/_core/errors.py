"""Every error that the package raises, and which status or code brings which.

Each error says in ``outcome_unknown`` whether the server may have acted, and in ``advice`` what to do then.
Both can be set after the error was made, so its text is put together when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workos_mfa._core.redaction import printable

if TYPE_CHECKING:
    from workos_mfa._core.transport import Attempt

_LONGEST_DETAILS = 1000


class MFAError(Exception):
    """The base of all errors of this package.

    :ivar attempts: the attempts that were made, first to last; empty where nothing was sent or
        the transport does not repeat.
    :ivar outcome_unknown: True if the server may have acted on this call; ``advice`` says what to do then.
    :ivar needs_new_challenge: True if the challenge can't be used again: make a new one and ask for
        a new code.
    :ivar advice: what to do now, where there is more to say than what happened; the error's text has it too.
    """

    attempts: tuple[Attempt, ...] = ()
    outcome_unknown: bool = False
    needs_new_challenge: bool = False
    advice: str = ""

    def __str__(self) -> str:
        return _sentences(super().__str__(), self._doubt, self.advice)

    @property
    def _doubt(self) -> str:
        if not self.outcome_unknown:
            return ""
        unclear = [attempt.outcome_unknown for attempt in self.attempts]
        which = "an earlier attempt of the call" if any(unclear) and not unclear[-1] else "the call"
        return f"WorkOS may have acted on {which}."

    def __reduce__(self) -> tuple[object, ...]:
        # Not by __init__, whose parameters are others. OSError, of which a timeout is one, forgets its args then.
        return type(self).__new__, (type(self), *self.args), {**vars(self), "args": self.args}


class ConfigurationError(MFAError, ValueError):
    """The client can't be made like this: a missing key, a base URL that is not safe. Nothing was sent."""


class InvalidInputError(MFAError, ValueError):
    """An argument has a value that the API can't accept. Nothing was sent.

    :ivar parameter: the name of the argument. The value is not repeated, since it may be a secret.
    """

    def __init__(self, message: str, *, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class FactorMismatchError(MFAError):
    """The challenge that was verified belongs to another factor than the one expected.

    The verification was made and the challenge is used up. Its result says nothing about the factor that was
    asked for.
    """

    needs_new_challenge: bool = True


class TransportError(MFAError):
    """No complete response came.

    :param message: what happened, for the person who reads it.
    :param outcome_unknown: whether the server may have acted; each class has its own default, and
        this one, of which nothing more is known, assumes that it may.
    :ivar attempt_outcome_unknown: whether the server may have acted on the attempt that ended in this error. The
        attempts before it do not count here; in ``outcome_unknown`` they do.
    """

    outcome_unknown: bool = True

    def __init__(self, message: str, *, outcome_unknown: bool | None = None) -> None:
        super().__init__(message)
        if outcome_unknown is not None:
            self.outcome_unknown = outcome_unknown
        # outcome_unknown is set for the whole call later; this stays as it is.
        self.attempt_outcome_unknown: bool = self.outcome_unknown


class ConnectError(TransportError):
    """No connection was made (refused, no such host, proxy refused): nothing was sent."""

    outcome_unknown: bool = False


class TransportTimeoutError(TransportError, TimeoutError):
    """The time was up before the whole response was there: the server may have acted."""


class ConnectTimeoutError(ConnectError, TransportTimeoutError):
    """The time was up before a connection was made: nothing was sent."""


class TLSError(TransportError):
    """TLS failed. The server may have acted, unless we refused its certificate: then nothing was sent."""


class ConnectionLostError(TransportError):
    """The connection broke before the whole response was there: the server may have acted."""


class UnexpectedResponseError(MFAError):
    """The response is not what the API promises.

    It names the place in the JSON, never the value there.

    :ivar status_code: the HTTP status, or None where the problem is not in one response alone.
    :ivar request_id: the server's id for the request, to be quoted to WorkOS' support.
    """

    def __init__(self, message: str, *, status_code: int | None = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.request_id = request_id

    def __str__(self) -> str:
        return super().__str__() + _request_id_note(self.request_id)


class APIError(MFAError):
    """The API responded with an error.

    :ivar status_code: the HTTP status.
    :ivar code: the API's name for the error, or None.
    :ivar message: the API's text, or None. What was sent is masked in it.
    :ivar errors: the API's list of single problems, as it sent them, with texts masked.
    :ivar request_id: the server's id for the request, to be quoted to WorkOS' support.
    :ivar retry_after: seconds the server asks to wait, or None.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        status_code: int,
        code: str | None = None,
        errors: tuple[Mapping[str, str], ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status_code = status_code
        self.code = code
        self.message = message
        self.errors = errors
        self.request_id = request_id
        self.retry_after = retry_after
        self.outcome_unknown: bool = leaves_outcome_unknown(status_code)
        head = f"{status_code} {code}" if code else str(status_code)
        details = printable("; ".join(": ".join(entry.values()) for entry in errors), limit=_LONGEST_DETAILS)
        super().__init__(f"{head}: {_sentences(message or 'the API gave no message', details)}")

    def __str__(self) -> str:
        return super().__str__() + _request_id_note(self.request_id)


class BadRequestError(APIError):
    """400: the request was refused."""


class TooManyAttemptsError(BadRequestError):
    """400: too many wrong codes for this challenge."""

    advice: str = "Make a new challenge and ask for a new code."
    needs_new_challenge: bool = True


class AuthenticationError(APIError):
    """401: the API key was not accepted."""

    advice: str = "Check the API key that the client was made with."


class AuthorizationError(APIError):
    """403: the API key may not do this."""

    advice: str = "Check what the API key is allowed to do."


class NotFoundError(APIError):
    """404: there is no such factor, challenge or user in this environment."""


class ConflictError(APIError):
    """409: the call does not fit the present state."""


class UnprocessableEntityError(APIError):
    """422: the API could not accept what was sent."""


class InvalidPhoneNumberError(UnprocessableEntityError):
    """422: text messages can't be sent to this phone number."""


class ChallengeExpiredError(UnprocessableEntityError):
    """422: the challenge's time is over."""

    advice: str = "Make a new challenge and ask for a new code."
    needs_new_challenge: bool = True


class ChallengeAlreadyVerifiedError(UnprocessableEntityError):
    """422: the challenge was verified before, and each counts once."""

    advice: str = "Make a new challenge and ask for a new code."
    needs_new_challenge: bool = True


class RateLimitExceededError(APIError):
    """429: too many requests; ``retry_after`` says how long to wait, if the API said so: it often does not."""


class SMSRateLimitedError(RateLimitExceededError):
    """429: too many text messages to this number. It is never repeated, since it outlasts any wait within a call."""


class SMSQuotaReachedError(RateLimitExceededError):
    """429: the account's text messages are used up, which does not pass by waiting."""


class ServerError(APIError):
    """5xx: the API failed, and may have acted before it did."""


# Tracebacks and pickles name the errors as they are imported.
for _kind in [kind for kind in vars().values() if isinstance(kind, type) and issubclass(kind, MFAError)]:
    _kind.__module__ = "workos_mfa"

_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: AuthorizationError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitExceededError,
}

_BY_CODE: dict[str, type[APIError]] = {
    "one_time_code_too_many_attempts": TooManyAttemptsError,
    "authentication_challenge_expired": ChallengeExpiredError,
    "authentication_challenge_previously_verified": ChallengeAlreadyVerifiedError,
    "invalid_phone_number": InvalidPhoneNumberError,
    "sms_challenge_rate_limited": SMSRateLimitedError,
    "sms_challenge_quota_reached": SMSQuotaReachedError,
}


def api_error_class(status: int, code: str | None) -> type[APIError]:
    if status >= 500:
        return ServerError
    if code in _BY_CODE:
        return _BY_CODE[code]
    return _BY_STATUS.get(status, APIError)


def is_known_code(code: str) -> bool:
    """A code of the API's own can't be a secret that the server repeats."""
    return code in _BY_CODE or code == "entity_not_found"


def leaves_outcome_unknown(status: int) -> bool:
    return status == 408 or not (200 <= status < 300 or 400 <= status < 500)


def _sentences(*texts: str) -> str:
    """The texts as one, each ended by a full stop before the next; what follows a list has a line of its own."""
    told = ""
    for text in filter(None, map(str.strip, texts)):
        if "\n" in told.rpartition("\n\n")[2]:
            told += f"\n\n{text}"
        elif told:
            told += f" {text}" if told.endswith((".", "!", "?", "…")) else f". {text}"
        else:
            told = text
    return told


def _request_id_note(request_id: str | None) -> str:
    return f" (request id {request_id})" if request_id else ""

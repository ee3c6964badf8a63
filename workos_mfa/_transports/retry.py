"""What may be repeated, and when. Nothing else sends a call a second time.

WorkOS does not honour an idempotency key on MFA calls. A repeated enroll is a second factor, a repeated challenge a
second text message, and a repeated verify of a right code fails with "already verified". So a call that acts is
repeated only where it is certain that nothing was sent, or where the server said that it did nothing and when to come
back.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

import attrs

from workos_mfa._core import validation
from workos_mfa._core.errors import (
    ConfigurationError,
    ConnectError,
    SMSQuotaReachedError,
    SMSRateLimitedError,
    TLSError,
    TransportError,
    api_error_class,
    leaves_outcome_unknown,
)
from workos_mfa._core.redaction import hide_locals
from workos_mfa._core.transport import (
    DEFAULT_DEADLINE,
    DEFAULT_TIMEOUT,
    Attempt,
    Request,
    Response,
    Transport,
    json_field,
    request_id_of,
)

_log = logging.getLogger("workos_mfa")

# The statuses of a server, or of the proxies and edges before it, that can't serve just now.
_PASSING_FAILURES = frozenset({500, 502, 503, 504, *range(520, 528), 530})

_MOST_DOUBLINGS = 60  # more would overflow a float


def _whole_number(_: object, field: attrs.Attribute[int], value: object) -> None:
    validation.attempts(field.name, value)


def _length_of_time(_: object, field: attrs.Attribute[float], value: object) -> None:
    validation.seconds(field.name, value, zero=True)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is repeated, where it may be repeated at all.

    :param max_attempts: the most attempts of a call, the first one counted; 1 means no repetition.
    :param backoff: seconds: the wait before the second attempt is a random part of it ("full jitter"), and
        each further wait a random part of twice as much.
    :param max_backoff: seconds: no random wait is longer. A ``Retry-After`` of the server's may be.
    :raises InvalidInputError: if a number is negative or NaN, ``max_attempts`` is zero, or a wait is over a day.
    """

    __module__ = "workos_mfa"

    max_attempts: int = attrs.field(default=3, validator=_whole_number)
    backoff: float = attrs.field(default=0.25, validator=_length_of_time)
    max_backoff: float = attrs.field(default=5.0, validator=_length_of_time)


class RetryingTransport:
    """A transport that repeats what is safe to repeat, nothing else.

    The call's deadline covers attempts and waits: no attempt is given more time than is left of it, and where
    a wait does not fit, the last response or error is returned at once.

    :param inner: the transport that makes the attempts.
    :param policy: how often and how patiently.
    :param on_attempt: called with an :class:`~workos_mfa.Attempt` after each attempt. An exception from it is
        logged by its class and otherwise ignored.
    :param clock: a monotonic clock, in seconds.
    :param sleep: how to wait, in seconds.
    :param uniform: a random number between two.
    :raises ConfigurationError: if ``inner`` repeats already: the repetitions would multiply.
    :raises TypeError: if ``inner`` is no transport, ``policy`` no policy or ``on_attempt`` no function.
    """

    __module__ = "workos_mfa"

    def __init__(
        self,
        inner: Transport,
        policy: RetryPolicy | None = None,
        *,
        on_attempt: Callable[[Attempt], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        validation.transport("inner", inner)
        if isinstance(inner, RetryingTransport):
            raise ConfigurationError(
                "this transport repeats already, and repetitions would multiply: give the policy and on_attempt "
                "to the RetryingTransport itself"
            )
        if not isinstance(policy, RetryPolicy | None):
            raise TypeError("the policy must be a RetryPolicy, such as RetryPolicy(max_attempts=5)")
        if on_attempt is not None and not callable(on_attempt):
            raise TypeError("on_attempt must be a function that takes an Attempt")
        self._inner = inner
        self._policy = policy or RetryPolicy()
        self._on_attempt = on_attempt
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform

    def __repr__(self) -> str:
        return f"RetryingTransport({vars(self).get('_inner')!r})"

    def close(self) -> None:
        """Close the transport that makes the attempts."""
        self._inner.close()

    @hide_locals
    def send(self, request: Request, /) -> Response:
        """Carry a request, with as many attempts as it may have.

        :returns: the last response, with all attempts in its ``attempts``.
        :raises TransportError: the last attempt's, with all attempts in its ``attempts`` and with
            ``outcome_unknown`` speaking for all of them.
        """
        options = request.options
        deadline = options.deadline or DEFAULT_DEADLINE
        timeout = options.timeout or DEFAULT_TIMEOUT
        most = min(self._policy.max_attempts, options.max_attempts or self._policy.max_attempts)
        attempts: list[Attempt] = []
        started = begun = self._clock()
        while True:
            outcome = self._attempt(request, min(timeout, deadline - (begun - started)))
            ended = self._clock()
            wait = None
            if len(attempts) + 1 < most and _may_repeat(request, outcome):
                wait = self._wait_within(deadline - (ended - started), outcome, len(attempts))
            attempts.append(_record(len(attempts) + 1, request, outcome, ended - begun, wait))
            self._report(attempts[-1])
            if wait is None:
                return _final(outcome, tuple(attempts))
            self._sleep(wait)
            begun = self._clock()
            if begun - started >= deadline:
                return _final(outcome, tuple(attempts))

    def _attempt(self, request: Request, timeout: float) -> Response | TransportError:
        if timeout != request.options.timeout:
            request = attrs.evolve(request, options=attrs.evolve(request.options, timeout=timeout))
        try:
            return self._inner.send(request)
        except TransportError as error:
            return error

    def _wait_within(self, left: float, outcome: Response | TransportError, repeated: int) -> float | None:
        """The wait before the next attempt, or None if it does not fit into the seconds that are left."""
        longest = min(self._policy.max_backoff, self._policy.backoff * 2.0 ** min(repeated, _MOST_DOUBLINGS))
        jitter = self._uniform(0.0, longest)
        asked = outcome.retry_after if isinstance(outcome, Response) else None
        least = jitter if asked is None else asked
        if least >= left:
            return None
        # The server asks for the least; a longer random wait is left out where it does not fit.
        return max(least, jitter) if jitter < left else least

    def _report(self, attempt: Attempt) -> None:
        _log.debug(
            "%s %s: attempt %d: %s in %.3f s (request id %s)",
            attempt.operation,
            attempt.route,
            attempt.number,
            attempt.error or attempt.status,
            attempt.seconds,
            attempt.request_id,
        )
        if attempt.wait is not None:
            _log.info("%s: trying again in %.3f s", attempt.operation, attempt.wait)
        if self._on_attempt is None:
            return
        try:
            self._on_attempt(attempt)
        except Exception as error:  # noqa: BLE001 - a hook must not break a call
            _log.warning("on_attempt raised %s, which is ignored", type(error).__name__)


def _may_repeat(request: Request, outcome: Response | TransportError) -> bool:
    if isinstance(outcome, ConnectError) and not outcome.attempt_outcome_unknown:
        return True
    if isinstance(outcome, TLSError):
        return False
    if isinstance(outcome, TransportError):
        return request.replay != "non_idempotent"
    if outcome.status == 429:
        if _is_sms_limit(outcome):
            return False
        return request.replay != "non_idempotent" or outcome.retry_after is not None
    return request.replay != "non_idempotent" and outcome.status in _PASSING_FAILURES


def _is_sms_limit(response: Response) -> bool:
    # It outlasts any wait of ours, and each attempt more may count against it.
    code = json_field(response, "code")
    return isinstance(code, str) and issubclass(
        api_error_class(response.status, code), SMSRateLimitedError | SMSQuotaReachedError
    )


def _record(
    number: int, request: Request, outcome: Response | TransportError, seconds: float, wait: float | None
) -> Attempt:
    if isinstance(outcome, Response):
        status, error, request_id = outcome.status, None, request_id_of(request, outcome)
        unclear = leaves_outcome_unknown(outcome.status)
    else:
        status, error, request_id = None, type(outcome).__name__, None
        unclear = outcome.attempt_outcome_unknown
    return Attempt(
        number=number,
        operation=request.operation,
        route=request.route,
        status=status,
        error=error,
        seconds=seconds,
        wait=wait,
        request_id=request_id,
        outcome_unknown=unclear and request.replay != "safe",
    )


def _final(outcome: Response | TransportError, attempts: tuple[Attempt, ...]) -> Response:
    if isinstance(outcome, Response):
        return Response(outcome.status, outcome.headers, outcome.body, attempts)
    outcome.attempts = attempts
    outcome.outcome_unknown = any(attempt.outcome_unknown for attempt in attempts)
    raise outcome

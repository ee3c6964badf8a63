"""What is repeated and what is not, how long the waits are, and what is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations import CALLS, DELETE_FACTOR, Call
from workos_mfa import (
    MFA,
    Attempt,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    InvalidInputError,
    MFAError,
    NotFoundError,
    Options,
    Request,
    Response,
    RetryingTransport,
    RetryPolicy,
    ServerError,
    TLSError,
    TransportError,
    TransportTimeoutError,
)
from workos_mfa._core.transport import Replay
from workos_mfa.testing import StubTransport, json_response

Outcome = Response | TransportError


def longest(_: float, most: float) -> float:
    """The random number that is easiest to reckon with."""
    return most


class Scripted:
    """A transport whose attempts end as a test says, the last one for ever, and the clock that they are timed by.

    :param takes: the seconds that an attempt takes; otherwise time passes only where somebody waits.
    """

    def __init__(self, *outcomes: Outcome, takes: float = 0.0) -> None:
        self.timeouts: list[float | None] = []
        self.waits: list[float] = []
        self.closed = False
        self.now = 1000.0
        self._outcomes = outcomes
        self._takes = takes

    def send(self, request: Request, /) -> Response:
        """End as the script says."""
        self.timeouts.append(request.options.timeout)
        self.now += self._takes
        outcome = self._outcomes[min(len(self.timeouts), len(self._outcomes)) - 1]
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += seconds

    def repeated(self, policy: RetryPolicy | None = None, **settings: Any) -> RetryingTransport:
        """The transport under test, over this one."""
        defaults = {"clock": lambda: self.now, "sleep": self.sleep, "uniform": longest}
        return RetryingTransport(self, policy, **{**defaults, **settings})

    def __repr__(self) -> str:
        return "Scripted()"


def a_request(replay: Replay = "safe", **options: Any) -> Request:
    """A request of this kind."""
    path, route = "/auth/factors/1", "/auth/factors/{id}"
    return Request("get_factor", "GET", path, route, replay=replay, options=Options(**options))


class Series:
    """One call over a script, and what came of it."""

    def __init__(
        self,
        outcomes: list[Outcome],
        request: Request | None = None,
        policy: RetryPolicy | None = None,
        *,
        takes: float = 0.0,
        **settings: Any,
    ) -> None:
        self.inner = Scripted(*outcomes, takes=takes)
        self.response: Response | None = None
        self.error: TransportError | None = None
        try:
            self.response = self.inner.repeated(policy, **settings).send(request or a_request())
        except TransportError as error:
            self.error = error
        self.sends = len(self.inner.timeouts)
        self.waits = self.inner.waits

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What the response or the error says of them."""
        ending = self.response or self.error
        assert ending is not None
        return ending.attempts


def responses(*statuses: int) -> list[Outcome]:
    """Responses with nothing but a status."""
    return [Response(status) for status in statuses]


AFTER_A_SECOND = {"Retry-After": "1"}

TABLE: dict[str, list[Outcome]] = {
    "no connection was made (refused, DNS, connect timeout, proxy refused)": [
        ConnectError("refused"),
        ConnectTimeoutError("no connection in time"),
    ],
    "429 with `Retry-After`": [
        Response(429, AFTER_A_SECOND),
        Response(429, {"Retry-After": "0"}),
        json_response(429, {"retry_after": 1}),
        json_response(429, {"code": "rate_limit_exceeded"}, AFTER_A_SECOND),
    ],
    "429 without it": [Response(429), Response(429, {"Retry-After": "soon"})],
    "429 for text messages (`SMSRateLimitedError`, `SMSQuotaReachedError`)": [
        json_response(429, {"code": code}, headers)
        for code in ("sms_challenge_rate_limited", "sms_challenge_quota_reached")
        for headers in ({}, AFTER_A_SECOND)
    ],
    "timeout, reset, end of file, cut-off body after the request was sent": [
        TransportTimeoutError("too late"),
        ConnectionLostError("lost"),
        TransportError("an error of which nothing more is known"),
    ],
    "500, 502, 503, 504, 520 to 527, 530": [
        *responses(500, 502, 503, 504, *range(520, 528), 530),
        Response(503, AFTER_A_SECOND),
    ],
    "TLS failure, redirect, any other status, a response that can't be read": [
        TLSError("no TLS"),
        TLSError("our refusal of a certificate", outcome_unknown=False),
        *responses(200, 201, 204, 299),
        *responses(301, 302, 303, 307, 308),
        *responses(400, 401, 403, 404, 408, 409, 422, 425, 499),
        *responses(501, 505, 511, 519, 528, 529, 531, 599),
        *responses(0, 100, 199, 600),
        Response(404, AFTER_A_SECOND),
    ],
}
"""Outcomes of an attempt, by the row of the page's table that they are in."""


def table_of_the_page() -> dict[str, dict[Replay, bool]]:
    """Which outcomes are followed by another attempt, as the table of docs/retries.md says, for each kind of call."""
    section = (Path(__file__).parents[2] / "docs" / "retries.md").read_text("utf-8").partition("\n| ")[2]
    _, _, *rows = section.partition("\n\n")[0].splitlines()
    table: dict[str, dict[Replay, bool]] = {}
    for row in rows:
        what, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        safe, idempotent, non_idempotent = (cell.startswith("again") for cell in cells)
        table[what] = {"safe": safe, "idempotent": idempotent, "non_idempotent": non_idempotent}
    return table


@pytest.mark.parametrize(
    ("what", "outcome"),
    [pytest.param(what, outcome, id=repr(outcome)) for what, outcomes in TABLE.items() for outcome in outcomes],
)
def test_the_page_says_what_is_repeated(what: str, outcome: Outcome) -> None:
    """A call that acts is sent again only where it is certain that it did not act."""
    for replay, is_repeated in table_of_the_page()[what].items():
        series = Series([outcome, Response(200)], a_request(replay))
        assert series.sends == (2 if is_repeated else 1), replay
        assert len(series.attempts) == series.sends


def test_the_page_has_no_other_row() -> None:
    """Each row of its table is tested, and a call that acts is repeated in two of them only."""
    table = table_of_the_page()
    assert table.keys() == TABLE.keys()
    assert [row["non_idempotent"] for row in table.values()] == [True, True, False, False, False, False, False]


@pytest.mark.parametrize(("replay", "sends"), [("non_idempotent", 1), ("safe", 2)])
def test_an_error_that_says_it_may_have_acted_is_believed(replay: Replay, sends: int) -> None:
    """Somebody's transport may raise a ConnectError and say that something may have arrived."""
    assert Series([ConnectError("who knows", outcome_unknown=True), Response(200)], a_request(replay)).sends == sends


# How often.


@pytest.mark.parametrize(
    ("policy", "wanted", "sends"),
    [
        (None, None, 3),
        (RetryPolicy(max_attempts=1), None, 1),
        (RetryPolicy(max_attempts=5), None, 5),
        (RetryPolicy(max_attempts=5), 2, 2),
        (RetryPolicy(max_attempts=5), 1, 1),
        (RetryPolicy(max_attempts=2), 9, 2),
        (None, 9, 3),
    ],
)
def test_the_call_lowers_the_number_of_attempts_and_never_raises_it(
    policy: RetryPolicy | None, wanted: int | None, sends: int
) -> None:
    """The policy's number is the most."""
    series = Series(responses(503), a_request(max_attempts=wanted), policy)
    assert series.sends == sends
    assert series.response is not None
    assert series.response.status == 503


# How long.


def test_waits_are_random_and_grow() -> None:
    """Full jitter: from nothing up to a bound that doubles, and no longer than the policy's longest."""
    asked: list[tuple[float, float]] = []

    def uniform(least: float, most: float) -> float:
        asked.append((least, most))
        return most / 2

    policy = RetryPolicy(max_attempts=7, backoff=0.25, max_backoff=3)
    series = Series(responses(503), a_request(deadline=1000), policy, uniform=uniform)
    assert asked == [(0.0, 0.25), (0.0, 0.5), (0.0, 1.0), (0.0, 2.0), (0.0, 3), (0.0, 3)]
    assert series.waits == [0.125, 0.25, 0.5, 1.0, 1.5, 1.5]
    assert [attempt.wait for attempt in series.attempts] == [*series.waits, None]


def test_a_thousand_attempts_overflow_nothing() -> None:
    """The bound doubles no further than a float goes."""
    policy = RetryPolicy(max_attempts=2000, backoff=0.001, max_backoff=0.01)
    assert Series(responses(503), a_request(deadline=86_400), policy).sends == 2000


def test_the_default_waits_are_short() -> None:
    """A quarter of a second at most, then half a second, with the real random numbers."""
    inner = Scripted(Response(503))
    RetryingTransport(inner, sleep=inner.sleep).send(a_request())
    first, second = inner.waits
    assert 0 <= first <= 0.25
    assert 0 <= second <= 0.5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0"}, 0.25),
        ({"Retry-After": "0.1"}, 0.25),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "19.9"}, 19.9),
        ({"Retry-After": "Thu, 15 Jan 2026 12:00:03 GMT", "Date": "Thu, 15 Jan 2026 12:00:00 GMT"}, 3.0),
        ({"Retry-After": "Thu, 15 Jan 2026 11:00:00 GMT", "Date": "Thu, 15 Jan 2026 12:00:00 GMT"}, 0.25),
        ({"Retry-After": "soon"}, 0.25),
        ({"Retry-After": "-3"}, 0.25),
        ({"Retry-After": ""}, 0.25),
        ({}, 0.25),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_a_floor(status: int, headers: dict[str, str], wait: float) -> None:
    """At least that long, over the policy's longest wait as well; without it, the random wait."""
    assert Series([Response(status, headers), Response(200)]).waits == [wait]


TEN_SECONDS = RetryPolicy(max_attempts=2, backoff=10.0, max_backoff=10.0)


@pytest.mark.parametrize(
    ("first", "deadline", "policy", "waits"),
    [
        (json_response(429, {"retry_after": 7}), 20.0, None, [7.0]),
        (Response(429, {"Retry-After": "20"}), 20.0, None, []),
        (Response(429, {"Retry-After": "3600"}), 20.0, None, []),
        (ConnectionLostError("lost"), 5.0, RetryPolicy(backoff=5.0), []),
        # There would be no time for an attempt after it.
        (Response(503), 10.0, TEN_SECONDS, []),
        # The server's wait is enough where the random one above it doesn't fit.
        (Response(503, {"Retry-After": "4"}), 10.0, TEN_SECONDS, [4.0]),
    ],
)
def test_a_wait_that_does_not_fit_is_not_begun(
    first: Outcome, deadline: float, policy: RetryPolicy | None, waits: list[float]
) -> None:
    """What there is, is handed on at once: whoever asks has it sooner, and with it the time to wait."""
    series = Series([first, Response(200)], a_request(deadline=deadline), policy)
    assert series.waits == waits
    assert [attempt.wait for attempt in series.attempts] == [*waits, None]
    if not waits:
        ending = series.error if series.response is None else attrs.evolve(series.response, attempts=())
        assert ending == first


@pytest.mark.parametrize(
    ("limits", "takes", "timeouts"),
    [
        ({"timeout": 10, "deadline": 20}, 6, [10, 10, 6]),
        ({}, 8, [10, 10, 2]),
        ({"timeout": 30, "deadline": 4}, 4, [4]),
    ],
)
def test_an_attempt_has_no_more_time_than_is_left(limits: dict[str, Any], takes: float, timeouts: list[float]) -> None:
    """The deadline covers attempts and waits; without limits they are ten seconds, and twenty for all."""
    policy = RetryPolicy(max_attempts=9, backoff=1, max_backoff=1)
    series = Series(responses(503), a_request(**limits), policy, takes=takes)
    assert series.inner.timeouts == timeouts
    assert [attempt.wait for attempt in series.attempts] == [*[1] * (len(timeouts) - 1), None]


def test_a_request_with_time_enough_is_sent_as_it_is() -> None:
    """The inner transport gets the very request."""
    request = a_request(timeout=3, deadline=9)
    stub = StubTransport(lambda _: Response(200))
    RetryingTransport(stub).send(request)
    assert stub.requests[0] is request


@pytest.mark.parametrize("longer", [9.0, 3600.0])
def test_a_sleep_that_took_all_that_was_left_is_followed_by_no_attempt(longer: float) -> None:
    """A laptop that was closed in between: the time is over, and the last response is what there is."""
    inner = Scripted(Response(503))
    transport = inner.repeated(RetryPolicy(backoff=1.0), sleep=lambda seconds: inner.sleep(seconds + longer))
    response = transport.send(a_request(deadline=10.0))
    assert len(inner.timeouts) == 1
    assert [attempt.status for attempt in response.attempts] == [503]


# What is told of it.


def test_a_response_has_all_attempts() -> None:
    """Each with its number, how it ended, how long it took and how long was waited; the rest stays as it came."""
    last = Response(200, {"X": "1"}, b"body")
    series = Series([ConnectError("refused"), Response(503, {"X-Request-Id": "req_2"}), last], takes=0.5)
    operation, route = "get_factor", "/auth/factors/{id}"
    assert series.attempts == (
        Attempt(1, operation, route, None, "ConnectError", 0.5, 0.25, None, outcome_unknown=False),
        Attempt(2, operation, route, 503, None, 0.5, 0.5, "req_2", outcome_unknown=False),
        Attempt(3, operation, route, 200, None, 0.5, None, None, outcome_unknown=False),
    )
    assert series.response is not None
    assert attrs.evolve(series.response, attempts=()) == last


def test_an_error_has_all_attempts() -> None:
    """The last attempt's error is raised, itself, with the attempts before it."""
    last = ConnectError("refused")
    series = Series([ConnectError("refused"), ConnectTimeoutError("too late"), last])
    assert series.error is last
    assert [attempt.error for attempt in series.attempts] == ["ConnectError", "ConnectTimeoutError", "ConnectError"]
    assert last.__context__ is None


@pytest.mark.parametrize(
    ("outcomes", "replay", "unknown"),
    [
        ([ConnectError("c"), ConnectError("c"), ConnectError("c")], "non_idempotent", False),
        ([ConnectError("c"), ConnectionLostError("l")], "non_idempotent", True),
        ([TransportTimeoutError("t"), ConnectError("c"), ConnectError("c")], "idempotent", True),
        ([Response(503), ConnectError("c"), ConnectError("c")], "idempotent", True),
        ([Response(429), ConnectError("c"), ConnectError("c")], "idempotent", False),
        ([ConnectError("c"), ConnectionLostError("l"), TransportTimeoutError("t")], "safe", False),
        ([ConnectError("c"), TLSError("t")], "idempotent", True),
        ([ConnectError("c"), TLSError("t", outcome_unknown=False)], "idempotent", False),
        ([ConnectionLostError("l"), TLSError("t", outcome_unknown=False)], "idempotent", True),
    ],
)
def test_an_error_speaks_for_the_whole_series(outcomes: list[Outcome], replay: Replay, unknown: bool) -> None:  # noqa: FBT001
    """One unclear attempt makes the call unclear, however clear the others were."""
    series = Series(outcomes, a_request(replay))
    assert series.sends == len(outcomes)
    assert series.error is not None
    assert series.error.outcome_unknown is unknown
    assert any(attempt.outcome_unknown for attempt in series.attempts) is unknown


NOT_FOUND = json_response(404, {"code": "entity_not_found", "message": "Authentication Factor not found: 'a'."})
REFUSED, LOST = ConnectError("c"), ConnectionLostError("l")


@pytest.mark.parametrize(
    ("outcomes", "raised"),
    [
        # An earlier attempt may have done it, and its response got lost.
        *(([first, NOT_FOUND], None) for first in (Response(502), LOST, TransportTimeoutError("t"))),
        ([REFUSED, LOST, NOT_FOUND], None),
        ([LOST, REFUSED, NOT_FOUND], None),
        # Where nothing can have been done before, the factor was never there.
        *(([first, NOT_FOUND], NotFoundError) for first in (Response(429), REFUSED, ConnectTimeoutError("t"))),
        # A refusal after an unclear attempt does not say that nothing was done.
        (responses(503, 503, 503), ServerError),
    ],
)
def test_a_repeated_delete_that_finds_nothing(outcomes: list[Outcome], raised: type[MFAError] | None) -> None:
    """It has worked if an attempt before may have, and otherwise there was nothing to delete."""
    mfa = MFA(transport=Scripted(*outcomes).repeated())
    if raised is None:
        assert DELETE_FACTOR.make(mfa) is None
        return
    with pytest.raises(raised) as caught:
        DELETE_FACTOR.make(mfa)
    assert caught.value.outcome_unknown is (raised is ServerError)
    assert len(caught.value.attempts) == len(outcomes)


# What a hook is told, and the log.


def test_a_hook_gets_each_attempt_before_the_wait() -> None:
    """In order, each as it ended."""
    seen: list[tuple[Attempt, float]] = []
    inner = Scripted(*responses(503, 503, 200))
    response = inner.repeated(on_attempt=lambda attempt: seen.append((attempt, inner.now))).send(a_request())
    assert tuple(attempt for attempt, _ in seen) == response.attempts
    assert [moment for _, moment in seen] == [1000, 1000.25, 1000.75]


class HookError(Exception):
    """What a hook of somebody's raises."""


def raising(error: BaseException) -> Callable[[Attempt], object]:
    """A hook that fails."""

    def hook(_: Attempt) -> None:
        raise error

    return hook


def test_an_exception_of_a_hook_is_logged_by_its_class_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """A metric that can't be counted must not break a sign-in; its text may hold anything."""
    with caplog.at_level(logging.WARNING, "workos_mfa"):
        series = Series(responses(503, 200), on_attempt=raising(HookError("SENTINEL")))
    assert series.sends == 2
    assert caplog.messages == ["on_attempt raised HookError, which is ignored"] * 2
    assert [record.exc_info for record in caplog.records] == [None, None]


def test_an_interrupt_in_a_hook_passes() -> None:
    """Ctrl-C is no failure of a metric."""
    with pytest.raises(KeyboardInterrupt):
        Series(responses(200), on_attempt=raising(KeyboardInterrupt()))


def test_each_attempt_is_a_debug_line_and_each_retry_an_info_line(caplog: pytest.LogCaptureFixture) -> None:
    """From the same data as an Attempt, under one logger."""
    with caplog.at_level(logging.DEBUG, "workos_mfa"):
        Series([ConnectError("refused"), Response(200, {"X-Request-Id": "req_2"})], takes=0.5)
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "workos_mfa",
            "DEBUG",
            "get_factor /auth/factors/{id}: attempt 1: ConnectError in 0.500 s (request id None)",
        ),
        ("workos_mfa", "INFO", "get_factor: trying again in 0.250 s"),
        ("workos_mfa", "DEBUG", "get_factor /auth/factors/{id}: attempt 2: 200 in 0.500 s (request id req_2)"),
    ]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_no_log_record_holds_a_value(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what was sent nor what came back, not even as an argument of a record."""
    headers = {"Retry-After": "1", "X-Request-Id": "req_1"}
    with caplog.at_level(logging.DEBUG):
        call.make(MFA(transport=Scripted(Response(429, headers, b'"SENTINEL"'), call.success).repeated()))
    logged = repr([(record.getMessage(), record.args) for record in caplog.records])
    assert len(caplog.records) == 3
    for value in ("SENTINEL", "897792", "NAGCCFS3", "auth_factor_", "auth_challenge_", "user_01", "15005550006"):
        assert value not in logged


# The transport and its policy.


def test_it_passes_on_what_the_inner_transport_has() -> None:
    """It closes its connections, and shows what it is, but neither policy nor functions."""
    inner = Scripted()
    transport = RetryingTransport(inner)
    assert repr(transport) == "RetryingTransport(Scripted())"
    transport.close()
    assert inner.closed


A_WAIT = "zero seconds or more and at most a day"


@pytest.mark.parametrize(
    ("name", "values", "error", "text"),
    [
        ("max_attempts", (0, -1), InvalidInputError, "at least 1"),
        ("backoff", (-0.1, -1, float("nan"), float("inf"), 86_401), InvalidInputError, A_WAIT),
        ("max_backoff", (-0.1, -1, float("nan"), float("inf"), 86_401), InvalidInputError, A_WAIT),
        ("max_attempts", (2.0, True, "3", None), TypeError, ""),
        ("backoff", ("1", True, None), TypeError, ""),
        ("max_backoff", ("1", [1]), TypeError, ""),
    ],
)
def test_a_policy_that_is_refused(name: str, values: tuple[Any, ...], error: type[Exception], text: str) -> None:
    """There is at least one attempt, and a wait is from zero to a day: refused when it is made, not when it is used."""
    for value in values:
        with pytest.raises(error, match=f"^{name} must be {text}") as caught:
            RetryPolicy(**{name: value})
        assert getattr(caught.value, "parameter", name) == name


@pytest.mark.parametrize("seconds", [0, 86_400])
def test_the_shortest_and_the_longest_wait(seconds: int) -> None:
    """Both bounds are allowed."""
    policy = RetryPolicy(backoff=seconds, max_backoff=seconds)
    assert (policy.backoff, policy.max_backoff) == (seconds, seconds)


def test_a_policy_is_a_value() -> None:
    """Frozen, given by name, with the documented defaults."""
    assert RetryPolicy() == RetryPolicy(max_attempts=3, backoff=0.25, max_backoff=5.0)
    assert repr(RetryPolicy()) == "RetryPolicy(max_attempts=3, backoff=0.25, max_backoff=5.0)"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        RetryPolicy().max_attempts = 4  # type: ignore[misc]
    make: Callable[..., RetryPolicy] = RetryPolicy
    with pytest.raises(TypeError):
        make(3)


def test_what_is_refused_says_what_to_do() -> None:
    """The whole texts: an error of somebody who makes a client is read by a person."""
    stub = StubTransport(lambda _: Response(204))
    with pytest.raises(TypeError, match=r"^inner must have the methods send and close: see workos_mfa\.Transport$"):
        RetryingTransport(object())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"^this transport repeats already, and repetitions would multiply: "):
        RetryingTransport(RetryingTransport(stub))
    with pytest.raises(TypeError, match=r"^the policy must be a RetryPolicy, such as RetryPolicy\(max_attempts=5\)$"):
        RetryingTransport(stub, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^on_attempt must be a function that takes an Attempt$"):
        RetryingTransport(stub, on_attempt=3)  # type: ignore[arg-type]


# Whatever happens.

STATUSES = st.one_of(
    st.integers(0, 999), st.sampled_from([200, 201, 302, 400, 404, 408, 422, 429, 429, 429, 500, 502, 503, 504, 520])
)
ERRORS = [ConnectError, ConnectTimeoutError, TransportTimeoutError, ConnectionLostError, TLSError, TransportError]
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Response(429, {"Retry-After": "0"})),
    st.builds(TLSError, st.just("our refusal of a certificate"), outcome_unknown=st.just(value=False)),
    st.sampled_from(ERRORS).map(lambda kind: kind("an error")),
    st.builds(
        Response, STATUSES, st.sampled_from([{}, {"Retry-After": "0"}, {"Retry-After": "2"}, {"Retry-After": "soon"}])
    ),
)
SERIES_OF_OUTCOMES = st.lists(OUTCOMES, min_size=1, max_size=8)
POLICIES = st.builds(
    RetryPolicy, max_attempts=st.integers(1, 8), backoff=st.floats(0, 10), max_backoff=st.floats(0, 20)
)


def may_have_reached_the_server(outcome: Outcome) -> bool:
    """Whether anything but "nothing was sent" and "come back later" was the end of an attempt."""
    is_throttled = isinstance(outcome, Response) and outcome.status == 429 and outcome.retry_after is not None
    return not (is_throttled or isinstance(outcome, ConnectError))


@given(SERIES_OF_OUTCOMES, POLICIES, st.floats(0, 12))
def test_no_call_that_acts_is_sent_twice_where_it_may_have_arrived(
    outcomes: list[Outcome], policy: RetryPolicy, takes: float
) -> None:
    """Over any series of outcomes, with any policy: every attempt but the last certainly did nothing."""
    series = Series(outcomes, a_request("non_idempotent"), policy, takes=takes)
    happened = [outcomes[min(number, len(outcomes) - 1)] for number in range(series.sends)]
    assert not [outcome for outcome in happened[:-1] if may_have_reached_the_server(outcome)]


@given(
    SERIES_OF_OUTCOMES,
    st.sampled_from(["safe", "idempotent", "non_idempotent"]),
    POLICIES,
    st.floats(0, 12),
    st.floats(0.01, 40),
)
def test_no_series_goes_over_its_limits(
    outcomes: list[Outcome], replay: Replay, policy: RetryPolicy, takes: float, deadline: float
) -> None:
    """Neither over its attempts, nor over its time as far as the inner transport keeps to its timeout."""
    series = Series(outcomes, a_request(replay, timeout=10, deadline=deadline), policy, takes=min(takes, deadline))
    assert series.sends <= policy.max_attempts
    assert [attempt.number for attempt in series.attempts] == list(range(1, series.sends + 1))
    assert [attempt.wait for attempt in series.attempts] == [*series.waits, None]
    assert all(timeout is not None and 0 < timeout <= min(10, deadline) for timeout in series.inner.timeouts)
    assert sum(series.waits) <= deadline
    if series.error is not None:
        assert series.error.outcome_unknown is any(attempt.outcome_unknown for attempt in series.attempts)
        assert not (series.error.outcome_unknown and replay == "safe")

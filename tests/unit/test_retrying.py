"""What is repeated and what is not, how long is waited, and what is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations import CALLS, DELETE_FACTOR, VERIFY_CHALLENGE, Call
from workos_mfa import (
    MFA,
    Attempt,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    InvalidInputError,
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


class Time:
    """A clock that stands still unless somebody waits or an attempt takes its time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.waits.append(seconds)
        self.now += seconds


class Scripted:
    """A transport whose attempts end as a test says, one after the other, the last one for ever."""

    def __init__(self, time: Time, outcomes: list[Outcome], *, takes: float = 0.0) -> None:
        self.timeouts: list[float | None] = []
        self.closed = False
        self._time = time
        self._outcomes = outcomes
        self._takes = takes

    def send(self, request: Request, /) -> Response:
        """End as the script says."""
        self.timeouts.append(request.options.timeout)
        self._time.now += self._takes
        outcome = self._outcomes[min(len(self.timeouts), len(self._outcomes)) - 1]
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def __repr__(self) -> str:
        return "Scripted()"


def longest(_: float, most: float) -> float:
    """The random number that is easiest to reckon with."""
    return most


def a_request(replay: Replay = "safe", **options: float) -> Request:
    """A request of this kind."""
    limits: Callable[..., Options] = Options
    return Request(
        "get_factor", "GET", "/auth/factors/1", "/auth/factors/{id}", replay=replay, options=limits(**options)
    )


class Series:
    """One call over a script, and what came of it."""

    def __init__(
        self,
        outcomes: list[Outcome],
        request: Request | None = None,
        policy: RetryPolicy | None = None,
        *,
        takes: float = 0.0,
        on_attempt: Callable[[Attempt], object] | None = None,
        uniform: Callable[[float, float], float] = longest,
    ) -> None:
        self.time = Time()
        self.inner = Scripted(self.time, outcomes, takes=takes)
        self.response: Response | None = None
        self.error: TransportError | None = None
        transport = RetryingTransport(
            self.inner, policy, on_attempt=on_attempt, clock=self.time, sleep=self.time.sleep, uniform=uniform
        )
        try:
            self.response = transport.send(request or a_request())
        except TransportError as error:
            self.error = error

    @property
    def sends(self) -> int:
        """How many attempts were made."""
        return len(self.inner.timeouts)

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
"""Outcomes of an attempt, by the row of the README's table that they are in."""


def readme_table() -> dict[str, dict[Replay, bool]]:
    """Which outcomes are followed by another attempt, as the README's table says, for each kind of call."""
    section = (Path(__file__).parents[2] / "README.md").read_text("utf-8").partition("## What is repeated\n\n")[2]
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
def test_the_readme_says_what_is_repeated(what: str, outcome: Outcome) -> None:
    """A call that acts is sent again only where it is certain that it did not act."""
    for replay, is_repeated in readme_table()[what].items():
        series = Series([outcome, Response(200)], a_request(replay))
        assert series.sends == (2 if is_repeated else 1), replay
        assert len(series.attempts) == series.sends


def test_the_readme_has_no_other_row() -> None:
    """Each row of its table is tested, and a call that acts is repeated in two of them only."""
    table = readme_table()
    assert table.keys() == TABLE.keys()
    assert [row["non_idempotent"] for row in table.values()] == [True, True, False, False, False, False, False]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_each_documented_call_is_of_its_kind(call: Call) -> None:
    """Get and list are safe, delete converges, all others act."""
    time = Time()
    inner = Scripted(time, [ConnectionLostError("lost"), call.success])
    mfa = MFA(transport=RetryingTransport(inner, clock=time, sleep=time.sleep))
    if call.replay == "non_idempotent":
        with pytest.raises(ConnectionLostError):
            call.make(mfa)
    else:
        call.make(mfa)
    assert len(inner.timeouts) == (1 if call.replay == "non_idempotent" else 2)


def test_an_error_that_says_it_may_have_acted_is_believed() -> None:
    """A transport of somebody's that calls it a ConnectError, and says that something may have arrived."""
    assert (
        Series([ConnectError("who knows", outcome_unknown=True), Response(200)], a_request("non_idempotent")).sends == 1
    )
    assert Series([ConnectError("who knows", outcome_unknown=True), Response(200)], a_request("safe")).sends == 2


# How often.


@pytest.mark.parametrize(
    ("policy", "wanted", "sends"),
    [
        (None, None, 3),
        (RetryPolicy(), None, 3),
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
    request = attrs.evolve(a_request(), options=Options(max_attempts=wanted))
    series = Series(responses(503), request, policy)
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

    series = Series(
        responses(503),
        a_request(deadline=1000),
        RetryPolicy(max_attempts=7, backoff=0.25, max_backoff=3),
        uniform=uniform,
    )
    assert asked == [(0.0, 0.25), (0.0, 0.5), (0.0, 1.0), (0.0, 2.0), (0.0, 3), (0.0, 3)]
    assert series.time.waits == [0.125, 0.25, 0.5, 1.0, 1.5, 1.5]
    assert [attempt.wait for attempt in series.attempts] == [*series.time.waits, None]


def test_a_thousand_attempts_overflow_nothing() -> None:
    """The bound doubles no further than a float goes."""
    series = Series(
        responses(503), a_request(deadline=86_400), RetryPolicy(max_attempts=2000, backoff=0.001, max_backoff=0.01)
    )
    assert series.sends == 2000


def test_the_default_waits_are_short() -> None:
    """A quarter of a second at most, then half a second, with the real random numbers."""
    time = Time()
    RetryingTransport(Scripted(time, responses(503)), clock=time, sleep=time.sleep).send(a_request())
    first, second = time.waits
    assert 0 <= first <= 0.25
    assert 0 <= second <= 0.5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0"}, 0.25),
        ({"Retry-After": "0.1"}, 0.25),
        ({"Retry-After": "7"}, 7.0),
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
    series = Series([Response(status, headers), Response(200)])
    assert series.time.waits == [wait]


def test_a_wait_that_stands_in_the_body_is_a_floor_as_well() -> None:
    """It may be all that the API says."""
    assert Series([json_response(429, {"retry_after": 7}), Response(200)]).time.waits == [7.0]


@pytest.mark.parametrize(("asked", "waits"), [("19.9", [19.9]), ("20", []), ("3600", [])])
def test_a_wait_that_does_not_fit_is_not_begun(asked: str, waits: list[float]) -> None:
    """The response is handed on at once: whoever asks has it sooner, and with it the time to wait."""
    series = Series([Response(429, {"Retry-After": asked}), Response(200)])
    assert series.time.waits == waits
    assert series.response is not None
    assert series.response.status == (200 if waits else 429)
    assert series.attempts[0].wait == (waits[0] if waits else None)


def test_an_error_is_raised_at_once_where_a_wait_does_not_fit() -> None:
    """The same for an error, whose attempts say that there was one."""
    lost = ConnectionLostError("lost")
    series = Series([lost], a_request(deadline=5.0), RetryPolicy(backoff=5.0), takes=1.0)
    assert series.error is lost
    assert series.time.waits == []
    assert [attempt.error for attempt in series.attempts] == ["ConnectionLostError"]


def test_an_attempt_has_no_more_time_than_is_left() -> None:
    """The deadline covers attempts and waits."""
    series = Series(
        responses(503),
        a_request(timeout=10, deadline=20),
        RetryPolicy(max_attempts=9, backoff=1, max_backoff=1),
        takes=6,
    )
    assert series.inner.timeouts == [10, 10, 6]
    assert series.time.now - 1000 == 20
    assert [attempt.wait for attempt in series.attempts] == [1, 1, None]


def test_limits_that_nobody_gave_are_the_defaults() -> None:
    """Ten seconds for an attempt, twenty for all."""
    series = Series(responses(503), policy=RetryPolicy(max_attempts=9, backoff=1, max_backoff=1), takes=8)
    assert series.inner.timeouts == [10, 10, 2]


def test_a_timeout_over_the_deadline_is_lowered() -> None:
    """Already for the first attempt."""
    assert Series(responses(200), a_request(timeout=30, deadline=4)).inner.timeouts == [4]


def test_a_request_with_time_enough_is_sent_as_it_is() -> None:
    """The inner transport gets the very request."""
    request = a_request(timeout=3, deadline=9)
    stub = StubTransport(lambda _: Response(200))
    RetryingTransport(stub).send(request)
    assert stub.requests[0] is request


@pytest.mark.parametrize("longer", [9.0, 3600.0])
def test_a_sleep_that_took_all_that_was_left_is_followed_by_no_attempt(longer: float) -> None:
    """A laptop that was closed in between: the time is over, and the last response is what there is."""
    time = Time()
    inner = Scripted(time, responses(503))

    def oversleep(seconds: float) -> None:
        time.sleep(seconds + longer)

    transport = RetryingTransport(inner, RetryPolicy(backoff=1.0), clock=time, sleep=oversleep, uniform=longest)
    response = transport.send(a_request(deadline=10.0))
    assert len(inner.timeouts) == 1
    assert [attempt.status for attempt in response.attempts] == [503]


# What is told of it.


def test_a_response_has_all_attempts() -> None:
    """Each with its number, how it ended, how long it took and how long was waited."""
    headers = {"X-Request-Id": "req_2"}
    series = Series([ConnectError("refused"), Response(503, headers), Response(200)], takes=0.5)
    operation, route = "get_factor", "/auth/factors/{id}"
    assert series.attempts == (
        Attempt(1, operation, route, None, "ConnectError", 0.5, 0.25, None, outcome_unknown=False),
        Attempt(2, operation, route, 503, None, 0.5, 0.5, "req_2", outcome_unknown=False),
        Attempt(3, operation, route, 200, None, 0.5, None, None, outcome_unknown=False),
    )


def test_an_error_has_all_attempts() -> None:
    """The last attempt's error is raised, itself, with the attempts before it."""
    last = ConnectError("refused")
    series = Series([ConnectError("refused"), ConnectTimeoutError("too late"), last])
    assert series.error is last
    assert [attempt.error for attempt in series.attempts] == ["ConnectError", "ConnectTimeoutError", "ConnectError"]
    assert last.__context__ is None


def test_a_response_keeps_all_else() -> None:
    """Only its attempts are filled in."""
    response = Response(200, {"X": "1"}, b"body")
    series = Series([response])
    assert series.response is not None
    assert attrs.evolve(series.response, attempts=()) == response


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


def deleting(*outcomes: Outcome) -> MFA:
    """A client whose attempts end like this."""
    time = Time()
    return MFA(transport=RetryingTransport(Scripted(time, list(outcomes)), clock=time, sleep=time.sleep))


NOT_FOUND = json_response(404, {"code": "entity_not_found", "message": "Authentication Factor not found: 'a'."})


@pytest.mark.parametrize("first", [Response(502), ConnectionLostError("l"), TransportTimeoutError("t")], ids=str)
def test_a_repeated_delete_that_finds_nothing_has_worked(first: Outcome) -> None:
    """The first attempt did it, and its response got lost."""
    assert DELETE_FACTOR.make(deleting(first, NOT_FOUND)) is None
    assert DELETE_FACTOR.make(deleting(ConnectError("c"), first, NOT_FOUND)) is None
    assert DELETE_FACTOR.make(deleting(first, ConnectError("c"), NOT_FOUND)) is None


@pytest.mark.parametrize("first", [Response(429), ConnectError("c"), ConnectTimeoutError("t")], ids=str)
def test_a_delete_that_cannot_have_worked_has_not(first: Outcome) -> None:
    """Where nothing can have been done before, the factor was never there."""
    with pytest.raises(NotFoundError) as caught:
        DELETE_FACTOR.make(deleting(first, NOT_FOUND))
    assert not caught.value.outcome_unknown
    assert len(caught.value.attempts) == 2


def test_a_delete_that_ends_otherwise_is_unclear() -> None:
    """After an attempt that may have worked, a refusal does not say that nothing was done."""
    with pytest.raises(ServerError) as caught:
        DELETE_FACTOR.make(deleting(Response(503)))
    assert caught.value.outcome_unknown
    assert len(caught.value.attempts) == 3


def test_a_hook_gets_each_attempt_before_the_wait() -> None:
    """In order, each as it ended."""
    seen: list[tuple[Attempt, float]] = []
    time = Time()
    transport = RetryingTransport(
        Scripted(time, responses(503, 503, 200)),
        on_attempt=lambda attempt: seen.append((attempt, time.now)),
        clock=time,
        sleep=time.sleep,
        uniform=longest,
    )
    response = transport.send(a_request())
    assert tuple(attempt for attempt, _ in seen) == response.attempts
    assert [moment for _, moment in seen] == [1000, 1000.25, 1000.75]


class HookError(Exception):
    """What a hook of somebody's raises."""


def test_an_exception_of_a_hook_is_logged_by_its_class_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """A metric that can't be counted must not break a sign-in; its text may hold anything."""

    def broken(_: Attempt) -> None:
        raise HookError("SENTINEL")

    with caplog.at_level(logging.WARNING, "workos_mfa"):
        series = Series(responses(503, 200), on_attempt=broken)
    assert series.sends == 2
    assert caplog.messages == ["on_attempt raised HookError, which is ignored"] * 2
    assert [record.exc_info for record in caplog.records] == [None, None]


def test_an_interrupt_in_a_hook_passes() -> None:
    """Ctrl-C is no failure of a metric."""

    def interrupted(_: Attempt) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Series(responses(200), on_attempt=interrupted)


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
    time = Time()
    headers = {"Retry-After": "1", "X-Request-Id": "req_1"}
    inner = Scripted(time, [Response(429, headers, b'"SENTINEL"'), call.success])
    with caplog.at_level(logging.DEBUG):
        call.make(MFA(transport=RetryingTransport(inner, clock=time, sleep=time.sleep)))
    logged = repr([(record.getMessage(), record.args) for record in caplog.records])
    assert len(caplog.records) == 3
    for value in ("SENTINEL", "897792", "NAGCCFS3", "auth_factor_", "auth_challenge_", "user_01", "15005550006"):
        assert value not in logged


# The transport and its policy.


def test_closing_closes_the_inner_transport() -> None:
    """It holds the connections."""
    inner = Scripted(Time(), [])
    RetryingTransport(inner).close()
    assert inner.closed


def test_a_repr_shows_the_inner_transport() -> None:
    """And neither policy nor functions."""
    assert repr(RetryingTransport(Scripted(Time(), []))) == "RetryingTransport(Scripted())"


@pytest.mark.parametrize("value", [0, -1])
def test_a_policy_has_at_least_one_attempt(value: int) -> None:
    """One means no repetition."""
    with pytest.raises(InvalidInputError, match="max_attempts must be at least 1") as caught:
        RetryPolicy(max_attempts=value)
    assert caught.value.parameter == "max_attempts"


@pytest.mark.parametrize("name", ["backoff", "max_backoff"])
@pytest.mark.parametrize("value", [-0.1, -1, float("nan"), float("inf"), 86_401])
def test_a_wait_is_zero_or_more(name: str, value: float) -> None:
    """And at most a day."""
    make: Callable[..., RetryPolicy] = RetryPolicy
    with pytest.raises(InvalidInputError, match=f"{name} must be zero seconds or more and at most a day") as caught:
        make(**{name: value})
    assert caught.value.parameter == name
    assert (make(**{name: 0}), make(**{name: 86_400})) != (RetryPolicy(), RetryPolicy())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 2.0),
        ("max_attempts", True),
        ("max_attempts", "3"),
        ("max_attempts", None),
        ("backoff", "1"),
        ("backoff", True),
        ("backoff", None),
        ("max_backoff", "1"),
        ("max_backoff", [1]),
    ],
)
def test_a_policy_is_made_of_numbers(name: str, value: object) -> None:
    """A wrong type is refused when the policy is made, not when a call fails."""
    make: Callable[..., RetryPolicy] = RetryPolicy
    with pytest.raises(TypeError, match=f"^{name} must be "):
        make(**{name: value})


def test_a_policy_is_a_value() -> None:
    """Frozen, given by name, with the documented defaults."""
    assert RetryPolicy() == RetryPolicy(max_attempts=3, backoff=0.25, max_backoff=5.0)
    assert repr(RetryPolicy()) == "RetryPolicy(max_attempts=3, backoff=0.25, max_backoff=5.0)"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        RetryPolicy().max_attempts = 4  # type: ignore[misc]
    make: Callable[..., RetryPolicy] = RetryPolicy
    with pytest.raises(TypeError):
        make(3)


# Whatever happens.

ERRORS: list[Callable[[], TransportError]] = [
    lambda: ConnectError("c"),
    lambda: ConnectTimeoutError("ct"),
    lambda: TransportTimeoutError("t"),
    lambda: ConnectionLostError("l"),
    lambda: TLSError("tls"),
    lambda: TLSError("tls", outcome_unknown=False),
    lambda: TransportError("t"),
]
STATUSES = st.one_of(
    st.integers(0, 999), st.sampled_from([200, 201, 302, 400, 404, 408, 422, 429, 429, 429, 500, 502, 503, 504, 520])
)
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Response(429, {"Retry-After": "0"})),
    st.sampled_from(ERRORS).map(lambda make: make()),
    st.builds(
        Response, STATUSES, st.sampled_from([{}, {"Retry-After": "0"}, {"Retry-After": "2"}, {"Retry-After": "soon"}])
    ),
)
POLICIES = st.builds(
    RetryPolicy, max_attempts=st.integers(1, 8), backoff=st.floats(0, 10), max_backoff=st.floats(0, 20)
)


def may_have_reached_the_server(outcome: Outcome) -> bool:
    """Whether anything but "nothing was sent" and "come back later" was the end of an attempt."""
    is_throttled = isinstance(outcome, Response) and outcome.status == 429 and outcome.retry_after is not None
    return not (is_throttled or isinstance(outcome, ConnectError))


@given(st.lists(OUTCOMES, min_size=1, max_size=8), POLICIES, st.floats(0, 12))
def test_no_call_that_acts_is_sent_twice_where_it_may_have_arrived(
    outcomes: list[Outcome], policy: RetryPolicy, takes: float
) -> None:
    """Over any series of outcomes, with any policy: every attempt but the last certainly did nothing."""
    series = Series(outcomes, a_request("non_idempotent"), policy, takes=takes)
    happened = [outcomes[min(number, len(outcomes) - 1)] for number in range(series.sends)]
    assert not [outcome for outcome in happened[:-1] if may_have_reached_the_server(outcome)]


@given(
    st.lists(OUTCOMES, min_size=1, max_size=8),
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
    assert len(series.attempts) == series.sends
    assert [attempt.number for attempt in series.attempts] == list(range(1, series.sends + 1))
    assert [attempt.wait for attempt in series.attempts] == [*series.time.waits, None]
    assert all(timeout is not None and 0 < timeout <= min(10, deadline) for timeout in series.inner.timeouts)
    assert sum(series.time.waits) <= deadline
    if series.error is not None:
        assert series.error.outcome_unknown is any(attempt.outcome_unknown for attempt in series.attempts)
        assert not (series.error.outcome_unknown and replay == "safe")


def test_a_verification_is_never_sent_twice_where_no_response_came() -> None:
    """The most important line of the table, through the client: the challenge may be used up."""
    time = Time()
    inner = Scripted(time, [ConnectError("c"), Response(504), VERIFY_CHALLENGE.success])
    with pytest.raises(ServerError) as caught:
        VERIFY_CHALLENGE.make(MFA(transport=RetryingTransport(inner, clock=time, sleep=time.sleep)))
    assert len(inner.timeouts) == 2
    assert (caught.value.outcome_unknown, caught.value.needs_new_challenge) == (True, True)


def test_a_wait_that_takes_all_that_is_left_is_not_begun() -> None:
    """There would be no time for an attempt after it."""
    series = Series(responses(503), a_request(deadline=10.0), RetryPolicy(backoff=10.0, max_backoff=10.0))
    assert (series.sends, series.time.waits) == (1, [])


def test_a_random_wait_that_takes_all_that_is_left_gives_way_to_the_one_asked_for() -> None:
    """The server's wait is a floor, and where the random one above it doesn't fit it is enough."""
    policy = RetryPolicy(max_attempts=2, backoff=10.0, max_backoff=10.0)
    series = Series([Response(503, {"Retry-After": "4"})], a_request(deadline=10.0), policy)
    assert (series.sends, series.time.waits) == (2, [4.0])


def test_what_is_refused_says_what_to_do() -> None:
    """The whole texts: an error of somebody who makes a client is read by a person."""
    stub = StubTransport(lambda _: Response(204))
    with pytest.raises(ConfigurationError, match=r"^this transport repeats already, and repetitions would multiply: "):
        RetryingTransport(RetryingTransport(stub))
    with pytest.raises(TypeError, match=r"^the policy must be a RetryPolicy, such as RetryPolicy\(max_attempts=5\)$"):
        RetryingTransport(stub, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^on_attempt must be a function that takes an Attempt$"):
        RetryingTransport(stub, on_attempt=3)  # type: ignore[arg-type]

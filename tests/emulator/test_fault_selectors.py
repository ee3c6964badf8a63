"""Which calls a fault strikes and how often, how faults are listed, and how they are written in JSON."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias, cast
from unittest.mock import ANY

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.emulator.caller import Caller
from tests.race import THREADS, race
from workos_mfa._client.mfa import MFA
from workos_mfa._core.errors import TransportError
from workos_mfa._core.transport import Request
from workos_mfa.emulator import Emulator, Fault, Faults
from workos_mfa.emulator._faults.fault import OPERATIONS

Struck: TypeAlias = Callable[..., bool]


def _struck_by(emulator: Emulator, method: str = "GET", path: str = "/") -> bool:
    with contextlib.suppress(TransportError):
        emulator.send(Request("any", method, path, path))
    return emulator.calls[-1].fault is not None


@pytest.fixture
def faults(caller: Caller) -> Faults:
    """The faults of an emulator."""
    return caller.emulator.faults


@pytest.fixture
def struck(caller: Caller) -> Struck:
    """Make a call of that emulator, and say whether a fault struck it."""
    return functools.partial(_struck_by, caller.emulator)


def test_strikes_once_unless_told(faults: Faults, struck: Struck) -> None:
    """A fault is for one call; ``count`` says for how many, None for all."""
    faults.lose_response()
    assert [struck() for _ in range(3)] == [True, False, False]
    faults.lose_response(count=2)
    assert [struck() for _ in range(3)] == [True, True, False]
    faults.lose_response(count=None)
    assert all(struck() for _ in range(50))


def test_lets_the_first_through(faults: Faults, struck: Struck) -> None:
    """``after`` counts the calls that fit, and no others."""
    faults.lose_response(method="POST", after=2)
    methods = ["POST", "GET", "GET", "POST", "POST", "POST"]
    assert [struck(method) for method in methods] == [False, False, False, False, True, False]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/auth/factors/enroll", "/auth/factors/enroll", True),
        ("/auth/factors/enroll", "/auth/factors/enroll/", False),
        ("/auth/factors/*", "/auth/factors/auth_factor_1/challenge", True),
        ("/auth/factors/*", "/auth/factors", True),
        ("/auth/factors/*", "/auth/factors_of_others", False),
        ("/auth/*/verify", "/auth/challenges/auth_challenge_1/verify", True),
        ("*/challenge", "/auth/factors/auth_factor_1/challenge", True),
        ("/auth/factors/a.b", "/auth/factors/aXb", False),
        ("*", "/anything", True),
        ("/a*", "/a\nb", True),
        ("**", "", True),
    ],
)
def test_paths(faults: Faults, struck: Struck, pattern: str, path: str, fits: bool) -> None:  # noqa: FBT001
    """A star stands for any characters, also for none; what WorkOS' emulator takes means the same."""
    faults.lose_response(path=pattern)
    assert struck(path=path) is fits


_BITS = st.text("/a*", max_size=8)


@settings(deadline=None)
@given(_BITS.map("/".__add__), _BITS.map(lambda path: "/" + path.replace("*", "b")))
def test_a_star_stands_for_any_characters(pattern: str, path: str) -> None:
    """Whatever the pattern is, it fits what it fits as a regular expression; and what is before ``/*`` at its end."""
    emulator = Emulator()
    emulator.faults.respond(503, path=pattern)
    same = re.fullmatch(pattern.replace("*", ".*"), path) is not None
    assert _struck_by(emulator, path=path) is (same or (pattern.endswith("/*") and path == pattern[:-2]))


def test_many_stars_cost_no_more_than_one(faults: Faults, struck: Struck) -> None:
    """No pattern takes its time to say that it does not fit, however many stars it has."""
    faults.lose_response(path="/a" + "*a" * 7 + "b", count=None)
    began = time.process_time()
    for length in (60, 10_000):
        assert not struck(path="/" + "a" * length)
        assert time.process_time() - began < 1


def test_selectors_go_together(faults: Faults, struck: Struck) -> None:
    """A call must fit everything that is given; a method's case does not matter, and a star is any."""
    faults.respond(503, method="get", path="/auth/factors/x*", operation="get_factor")
    assert not struck("DELETE", "/auth/factors/x1")
    assert not struck("GET", "/auth/factors/y1")
    assert not struck("GET", "/auth/factors/x1/challenge")
    assert not struck("POST", "/auth/factors/x1/challenge")
    assert struck("GET", "/auth/factors/x1")
    faults.respond(503, method="*", path="*")
    assert struck("PATCH", "/anything")


def test_the_oldest_strikes_first(faults: Faults, struck: Struck) -> None:
    """Faults for the same call strike one after the other, and the later ones do not count what they did not see."""
    first, second = faults.lose_response(), faults.cut_body()
    used = [(struck(), first.used, second.used) for _ in range(3)]
    assert used == [(True, 1, 0), (True, 1, 1), (False, 1, 1)]


def test_operations_are_the_clients_methods() -> None:
    """The calls that a fault can be for are methods of the client, all seven."""
    assert len(OPERATIONS) == 7
    assert all(callable(getattr(MFA, name)) for name in OPERATIONS)


def test_are_a_collection(faults: Faults, struck: Struck) -> None:
    """Faults can be counted, gone through, and looked for; used up ones are gone, but have their count."""
    first = faults.lose_response(operation="get_factor")
    second = faults.delay(2, count=None)
    assert (list(faults), len(faults), first in faults) == ([first, second], 2, True)
    assert (first.id, second.id, second.kind) == ("fault_1", "fault_2", "delay")
    struck(path="/auth/factors/x")
    assert (list(faults), first in faults) == ([second], False)
    assert (first.used, first.is_used_up, second.used, second.is_used_up) == (1, True, 1, False)
    assert "delay" in repr(faults)


def test_are_removed(faults: Faults, struck: Struck) -> None:
    """A fault is removed by itself or by its id, and a second time is a mistake; used up ones can be, too."""
    first, second, third = faults.lose_response(), faults.cut_body(), faults.delay(1)
    faults.remove(first)
    faults.remove(second.id)
    assert list(faults) == [third]
    with pytest.raises(LookupError, match="there is no fault 'fault_1'; there are: fault_3"):
        faults.remove(first)
    with pytest.raises(TypeError, match=r"remove\(\) takes a fault or its id, not 'int'"):
        faults.remove(cast("Any", 7))
    struck()
    faults.remove(third)
    with pytest.raises(LookupError, match="there are: none"):
        faults.remove(third)
    faults.lose_response()
    faults.clear()
    assert not list(faults)
    faults.assert_all_used()


def test_an_unused_fault_is_an_error(faults: Faults, struck: Struck) -> None:
    """A fault that struck fewer calls than announced is listed; one for all calls must have struck one."""
    faults.lose_response(operation="verify_challenge")
    faults.respond(503, count=3, method="GET")
    faults.delay(1, count=None, path="/x")
    for _ in range(2):
        struck()
    with pytest.raises(AssertionError) as caught:
        faults.assert_all_used()
    text = str(caught.value)
    assert all(
        part in text for part in ("lose_response", "verify_challenge", "0 of 1", "503", "2 of 3", "delay", "struck 0\n")
    )
    assert [fault.kind for fault in faults.unused()] == ["lose_response", "respond", "delay"]
    struck()
    struck("POST", "/auth/challenges/x/verify")
    struck(path="/x")
    faults.assert_all_used()


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("lose_response", {"operation": "verify"}, "operation is 'verify', but takes one of enroll_factor"),
        ("lose_response", {"method": "GETT"}, "method is 'GETT', but takes one of GET, POST"),
        ("lose_response", {"path": "auth/factors"}, "path: it takes a path that begins with /"),
        ("lose_response", {"count": 0}, "count is 0, but takes a whole number of at least 1"),
        ("lose_response", {"count": True}, "count is True"),
        ("lose_response", {"after": -1}, "after is -1"),
        ("lose_response", {"after": 1.5}, "after is 1.5"),
        ("delay", {"seconds": -1}, "seconds is -1, but takes a number from 0"),
        ("delay", {"seconds": math.nan}, "seconds is nan"),
        ("delay", {"seconds": math.inf}, "seconds is inf"),
        ("delay", {"seconds": True}, "seconds is True"),
        ("delay", {"seconds": "2"}, "seconds is '2'"),
        ("respond", {"status": 99}, "status is 99, but takes the HTTP status of a response, 200 to 599"),
        ("respond", {"status": 100}, "status is 100"),
        ("respond", {"status": 600}, "status is 600"),
        ("respond", {"status": "503"}, "status is '503'"),
        ("respond", {"status": True}, "status is True"),
        ("respond_html", {"status": 1}, "status is 1"),
        ("respond_broken_json", {"status": None}, "status is None"),
        ("respond", {"status": 204, "body": {}}, "body: a response of status 204 has none"),
        ("respond", {"status": 200, "body": {"a": {1}}}, "body: it holds something that JSON does not have"),
        ("respond", {"status": 200, "body": b"bytes"}, "body: it holds something that JSON does not have"),
        ("respond", {"status": 200, "body": math.nan}, "body: it holds something that JSON does not have"),
        ("respond", {"status": 200, "body": "\ud800"}, "body: the text holds half of a surrogate pair"),
        ("respond", {"status": 429, "retry_after": -1}, "retry_after is -1"),
        ("respond", {"status": 200, "headers": ["x"]}, "headers: they must be a mapping"),
        ("respond", {"status": 200, "headers": {"a b": "c"}}, "headers: 'a b' can't be set"),
        ("respond", {"status": 200, "headers": {1: "c"}}, "headers: 1 can't be set"),
        ("respond", {"status": 200, "headers": {"Content-Length": "7"}}, "which the emulator sets"),
        ("respond", {"status": 200, "headers": {"X": "a\r\nB: c"}}, "the value of X must be a string of printable"),
        ("respond", {"status": 200, "headers": {"X": 1}}, "the value of X must be a string"),
        ("respond", {"status": 200, "headers": {"X": "é"}}, "the value of X must be a string"),
        ("rate_limit", {"calls": -1, "seconds": 1}, "calls is -1"),
        ("rate_limit", {"calls": 1, "seconds": 0}, "seconds: a window of no length"),
        ("delay", {"seconds": None}, "seconds is None"),
        ("lose_response", {"operation": ["x"]}, "operation is ['x']"),
        ("lose_response", {"method": 7}, "method is 7"),
        ("lose_response", {"path": 7}, "path: it takes a path"),
    ],
)
def test_what_makes_no_sense_is_refused(faults: Faults, name: str, arguments: dict[str, Any], problem: str) -> None:
    """A fault that could not strike, or not be sent, is a ValueError that says what is possible; it is not kept."""
    for make in (getattr(faults, name), lambda **written: faults.from_json({"fault": name, **written})):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is looked at below)
            make(**arguments)
        assert problem in str(caught.value)
    assert not list(faults)


SHORT = {"fault": "respond", "body": ANY}
JSON = {"Content-Type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"fault": "lose_response"}, {}),
        ({"fault": "refuse_connection", "count": None}, {"count": None}),
        ({"fault": "lose_request", "operation": "get_factor"}, {"operation": "get_factor"}),
        ({"fault": "cut_body", "method": "GET", "path": "/x", "after": 2}, {"method": "GET", "path": "/x", "after": 2}),
        ({"fault": "delay", "seconds": 1.5}, {"seconds": 1.5}),
        ({"fault": "rate_limit", "calls": 2, "seconds": 10}, {"calls": 2, "seconds": 10, "count": None}),
        (
            {"fault": "respond", "status": 429, "body": {"code": "x"}, "headers": {"A": "b"}, "retry_after": 1},
            {"status": 429, "body": {"code": "x"}, "headers": {"A": "b", "Retry-After": "1"}},
        ),
        ({"fault": "respond", "status": 204}, {"status": 204, "body": None, "headers": {}}),
        # The two short forms are shown as the responses that they are.
        ({"fault": "respond_html"}, {**SHORT, "status": 502, "headers": {"Content-Type": "text/html; charset=utf-8"}}),
        ({"fault": "respond_broken_json"}, {**SHORT, "status": 200, "headers": JSON}),
        ({"fault": "respond_broken_json", "status": 500}, {**SHORT, "status": 500, "headers": JSON}),
    ],
)
def test_json(faults: Faults, written: dict[str, object], expected: dict[str, object]) -> None:
    """Each method can be written as JSON, with the same defaults, and is shown so; what is shown can be read again."""
    fault = faults.from_json(written)
    plain: dict[str, object] = {"operation": None, "method": None, "path": None, "count": 1, "after": 0}
    shown = {"id": "fault_1", "used": 0, "fault": written["fault"], **plain, **expected}
    assert fault.as_json() == shown
    again = faults.from_json(json.loads(json.dumps(fault.as_json())))
    assert again.as_json() == {**shown, "id": "fault_2"}


def test_hooks_of_workos_emulator(caller: Caller) -> None:
    """A hook of WorkOS' emulator means what it means there: a response, for ever unless it has a count."""
    make = caller.emulator.faults.from_json
    body = {"message": "No.", "code": "forbidden"}
    hook = make({"method": "POST", "path": "/auth/factors/*", "status": 403, "body": body, "count": 2})
    assert [caller.enroll(type="generic_otp").seen for _ in range(2)] == [(403, body)] * 2
    assert caller.enroll(type="generic_otp").status == 201
    assert hook.is_used_up
    make({"method": "*", "path": "*", "status": 500})
    responses = [caller.get("auth_factor_1") for _ in range(5)]
    assert {response.status for response in responses} == {500}
    assert responses[0].json == {"message": "Internal Server Error"}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ([], "a fault is a JSON object"),
        (
            {},
            "fault is missing; it takes one of refuse_connection, lose_request, lose_response, cut_body, delay",
        ),
        ({"fault": "lost"}, "fault is 'lost', but takes one of refuse_connection"),
        ({"fault": ["delay"]}, "fault is ['delay'], but takes one of"),
        ({"fault": "delay"}, "delay needs seconds"),
        ({"fault": "respond"}, "respond needs status"),
        ({"fault": "rate_limit", "calls": 1}, "rate_limit needs seconds"),
        ({"fault": "delay", "seconds": 1, "status": 500}, "delay has no property 'status'; it has seconds, operation"),
        ({"fault": "lose_response", "route": "/x"}, "it has operation, method, path, count, after"),
        ({"status": 500, "delay": 3}, "respond has no property 'delay'; it has status, body, headers, retry_after"),
    ],
)
def test_json_that_makes_no_sense(faults: Faults, written: Any, problem: str) -> None:
    """What is wrong in the JSON of a fault is a ValueError that says what is possible."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is looked at below)
        faults.from_json(written)
    assert problem in str(caught.value)
    assert not list(faults)


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "status": st.integers(200, 599),
    "headers": st.dictionaries(st.sampled_from(["X-A", "x-a", "Retry-After"]), st.just("1")),
    "retry_after": st.integers(0, 9),
    "seconds": st.floats(0.1, 9),
    "calls": st.integers(0, 9),
    "operation": st.sampled_from(OPERATIONS),
    "method": st.sampled_from(["GET", "post", "*"]),
    "path": st.sampled_from(["/x", "/x/*", "*"]),
    "count": st.none() | st.integers(1, 9),
    "after": st.integers(0, 9),
}
kinds = st.sampled_from(["lose_response", "cut_body", "respond", "respond_html", "respond_broken_json"])
written_faults = st.fixed_dictionaries(
    {"fault": kinds | st.sampled_from(["delay", "rate_limit"]) | anything},
    optional={"body": anything, **{name: good | good | good | anything for name, good in _VALUES.items()}},
)


@settings(deadline=None)
@example({"fault": "delay", "seconds": 1.5, "count": None})
@example({"fault": "respond", "status": 200, "body": [{}]})
@given(written_faults)
def test_any_json_is_read_or_refused(written: dict[str, object]) -> None:
    """Whatever JSON comes: a fault that can be shown and read again, or a ValueError."""
    faults = Faults()
    try:
        fault: Fault = faults.from_json(written)
    except ValueError:
        assert not list(faults)
        return
    shown = json.loads(json.dumps(fault.as_json()))
    assert {**faults.from_json(shown).as_json(), "id": "fault_1"} == shown


def test_a_fault_strikes_exactly_as_often_as_it_says(caller: Caller) -> None:
    """Of 32 calls at once the announced number is struck, whatever the order."""
    fault = caller.emulator.faults.respond(503, count=7, after=5)
    statuses = Counter(race(lambda _: caller.enroll(type="generic_otp").status))
    assert statuses == {503: 7, 201: THREADS - 7}
    assert fault.used == 7

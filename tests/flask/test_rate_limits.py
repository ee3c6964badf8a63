"""The limits: what is counted, for how long, and what happens if it can't be."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from tests.loopback import unused_port
from tests.race import race
from tests.servers import redis_url  # noqa: F401 - a fixture
from workos_mfa.flask._second_factor import rate_limits
from workos_mfa.flask._second_factor.rate_limits import DEFAULT_LIMITS, Limits, LimitsUnavailableError, TooOften

A_DAY = 24 * 3600
START = 20_000.0 * A_DAY  # where a window of each length begins


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at the beginning of a window of each length."""
    return Clock()


@pytest.fixture(params=["memory", "redis"])
def make(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Callable[..., Limits]]:
    """Makes limits that are counted in memory, or in a Redis that is empty; those of Redis have one count."""
    uri = "memory://" if request.param == "memory" else request.getfixturevalue("redis_url")
    made: list[Limits] = []

    def make(**limits: str) -> Limits:
        made.append(Limits(uri, limits, clock))
        return made[-1]

    storage: Any = make()._storage
    storage.reset()
    yield make
    for each in made:
        close(each)


def close(limits: Limits) -> None:
    """Close the connections, if there are any."""
    if not limits.is_in_memory:
        storage: Any = limits._storage
        storage.storage.close()


def taken(limits: Limits, times: int, name: str = "codes_by_account", who: str = "ada") -> int:
    """How many of so many tries are let through."""
    return sum(is_let_through(limits, name, who) for _ in range(times))


def is_let_through(limits: Limits, name: str = "codes_by_account", who: str = "ada") -> bool:
    """Whether one more try is."""
    try:
        limits.take(name, who)
    except TooOften:
        return False
    return True


def test_codes_of_an_account(make: Callable[..., Limits], clock: Clock) -> None:
    """Five in five minutes, twenty an hour and fifty a day are let through, however many there are."""
    limits = make()
    by_hour = []
    for hour in range(24):
        by_window = []
        for window in range(12):
            clock.now = START + hour * 3600 + window * 300
            by_window.append(taken(limits, 6))
        by_hour.append(sum(by_window))
        if hour == 0:
            assert by_window == [5] * 4 + [0] * 8
    assert by_hour == [20, 20, 10] + [0] * 21
    clock.now = START + A_DAY
    assert taken(limits, 6) == 5


@pytest.mark.parametrize("name", DEFAULT_LIMITS)
def test_a_limit_by_default(name: str, clock: Clock) -> None:
    """Each of them lets through what it says for its shortest time, and no more."""
    amount = int(DEFAULT_LIMITS[name].split()[0])
    assert taken(Limits("memory://", {}, clock), amount + 5, name) == amount


def test_what_the_shortest_refuses_does_not_count_for_the_others(make: Callable[..., Limits], clock: Clock) -> None:
    """Who tries on and on is locked for the shortest time only."""
    limits = make()
    assert taken(limits, 100) == 5
    clock.now += 300
    assert taken(limits, 100) == 5


def test_a_right_code_clears_the_shortest(make: Callable[..., Limits], clock: Clock) -> None:
    """The others add up, so nobody guesses on and on between the right codes of somebody else."""
    limits = make()
    let_through = []
    for _ in range(6):
        let_through.append(taken(limits, 6))
        limits.clear_shortest("codes_by_account", "ada")
    assert let_through == [5, 5, 5, 5, 0, 0]
    clock.now += 3600
    assert taken(limits, 6) == 5


def test_what_is_cleared_is_one_account(make: Callable[..., Limits]) -> None:
    """And one limit: the others stay as they are."""
    limits = make()
    for name, who in (("codes_by_account", "ada"), ("codes_by_account", "alan"), ("recovery_by_address", "ada")):
        assert taken(limits, 6, name, who) == 5
    limits.clear_shortest("codes_by_account", "ada")
    assert is_let_through(limits, who="ada")
    assert not is_let_through(limits, who="alan")
    assert not is_let_through(limits, "recovery_by_address", "ada")


def test_a_try_is_given_back(make: Callable[..., Limits], clock: Clock) -> None:
    """It counts for none of the times any more; all others do."""
    limits = make(codes_by_account="2 per minute, 3 per hour")
    limits.give_back(limits.take("codes_by_account", "ada"))
    assert taken(limits, 9) == 2
    clock.now += 60
    assert taken(limits, 9) == 1


@pytest.mark.parametrize(
    ("seconds", "waits"),
    [(0, 300), (0.5, 300), (100, 200), (299, 1), (299.999, 1)],
)
def test_how_long_to_wait(make: Callable[..., Limits], clock: Clock, seconds: float, waits: int) -> None:
    """It is said in whole seconds, and after them there is another try."""
    limits = make()
    clock.now = START + seconds
    assert taken(limits, 5) == 5
    with pytest.raises(TooOften, match=f"codes_by_account: {waits} seconds") as caught:
        limits.take("codes_by_account", "ada")
    assert (caught.value.limit, caught.value.wait) == ("codes_by_account", waits)
    clock.now += waits
    assert is_let_through(limits)


def test_the_wait_is_that_of_the_limit_that_is_reached(clock: Clock) -> None:
    """Where an hour is used up, it takes until the next one."""
    limits = Limits("memory://", {"codes_by_account": "9 per minute, 1 per hour"}, clock)
    limits.take("codes_by_account", "ada")
    with pytest.raises(TooOften) as caught:
        limits.take("codes_by_account", "ada")
    assert caught.value.wait == 3600


def test_other_limits(make: Callable[..., Limits], clock: Clock) -> None:
    """What an app sets is in place of the default, in any order; all others stay."""
    limits = make(codes_by_account="3 per hour; 2/minute")
    assert taken(limits, 9) == 2
    clock.now += 60
    assert taken(limits, 9) == 1
    assert taken(limits, 9, "recovery_by_address") == 5


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"codes": "5 per hour", "tries": "1 per day"}, "no limits of these names: codes, tries"),
        ({"codes_by_account": ""}, "codes_by_account can't be read"),
        ({"codes_by_account": "often"}, "codes_by_account can't be read"),
        ({"codes_by_account": "5 per fortnight"}, "codes_by_account can't be read"),
        ({"codes_by_account": "5 per hour,"}, "codes_by_account can't be read"),
        ({"messages_by_app": "-5 per hour"}, "messages_by_app can't be read"),
    ],
)
def test_limits_that_cant_be_right(limits: dict[str, str], problem: str, clock: Clock) -> None:
    """The error says which one, when the app starts."""
    with pytest.raises(ValueError, match=problem):
        Limits("memory://", limits, clock)


def test_many_threads(make: Callable[..., Limits]) -> None:
    """Of 320 tries at once five are let through."""
    limits = make()
    assert sum(race(lambda _: taken(limits, 10))) == 5


def test_memory_counts_one_at_a_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of the library's storage in memory is made of several, between which no other thread may come."""
    limits = Limits("memory://", {}, clock)
    count = limits._storage.incr
    inside = 0
    most = 0
    others: list[Future[object]] = []

    def slow(key: str, expiry: int, amount: int = 1) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if not others:
            others.append(pool.submit(limits.take, "messages_by_app"))
            wait(others, timeout=0.2)  # it has to wait for us
        inside -= 1
        return count(key, expiry, amount=amount)

    monkeypatch.setattr(limits._storage, "incr", slow)
    with ThreadPoolExecutor() as pool:
        limits.take("messages_by_app")
    assert others[0].result()
    assert most == 1


def test_processes_share_a_redis(redis_url: str, clock: Clock) -> None:  # noqa: F811
    """Two that count there have one count; in memory each has its own, and says so."""
    for uri, together in ((redis_url, 5), ("memory://", 10)):
        both = Limits(uri, {}, clock), Limits(uri, {}, clock)
        assert sum(taken(each, 6, who="grace") for each in both) == together
        assert {each.is_in_memory for each in both} == {uri == "memory://"}
        for each in both:
            close(each)


def test_counts_do_not_stay_in_redis(redis_url: str, clock: Clock) -> None:  # noqa: F811
    """Each goes by itself when its time is over."""
    limits = Limits(redis_url, {}, clock)
    client: Any = limits._storage
    client.storage.flushall()
    limits.give_back(limits.take("codes_by_account", "ada"))
    limits.take("codes_by_account", "ada")
    assert sorted(client.storage.ttl(key) for key in client.storage.scan_iter()) == pytest.approx(
        [300, 3600, A_DAY], abs=60
    )
    close(limits)


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def no_server() -> Iterator[int]:
    """A port without a server."""
    yield unused_port()


@pytest.mark.parametrize("server", [no_server, silent_server])
def test_a_redis_that_is_down(
    server: Callable[[], contextlib.AbstractContextManager[int]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is let through, and nobody waits for long; the error does not show where Redis is."""
    monkeypatch.setattr(rate_limits, "_PATIENCE", 0.05)
    began = time.monotonic()
    with server() as port:
        limits = Limits(f"redis://:secret@127.0.0.1:{port}/0", {}, clock)
        item = Limits("memory://", {}, clock).take("codes_by_account", "ada")
        for call in (
            lambda: limits.take("codes_by_account", "ada"),
            lambda: limits.clear_shortest("codes_by_account", "ada"),
            lambda: limits.give_back(item),
        ):
            with pytest.raises(LimitsUnavailableError, match=r"^the limits can't be counted: \w+$"):
                call()
        close(limits)
    assert time.monotonic() - began < 10  # less than what the driver would wait for three times

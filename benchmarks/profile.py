"""One call on ``Urllib3Transport``, taken apart: what each layer adds to the one below it.

A profiler slows small functions down more than large ones, and a part that is run by itself runs faster than
in its place. So the real exchange is made from each layer in turn, the whole call last, and what a layer costs is
the difference to the layer below, round by round.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import attrs
import urllib3

from benchmarks.contenders import BARE, CHALLENGE, KEY, PATH, URLLIB3
from benchmarks.rounds import Rounds, Spread, spread, take_turns, turn_of
from workos_mfa import MFA, Options, Request, RetryingTransport, Urllib3Transport
from workos_mfa._client import operations, outcomes, parsing
from workos_mfa._transports.deadline import DEFAULT_MAX_IDLE, time_limit, use_deadline_pools
from workos_mfa._transports.http import BODY_HEADERS
from workos_mfa._transports.response import read_body

BELOW = "http.client alone: request, response, JSON"
POOL = "urllib3's pool and response, with our deadline"
LAYERS = {
    BELOW: "`http.client.HTTPConnection`, `json.loads`",
    POOL: "`urlopen`, `workos_mfa._transports.deadline`, `workos_mfa._transports.response`",
    "one attempt: fork check, key, body, time limit, `Response`, nothing left in frames": "`Urllib3Transport.send`",
    "retries: limits, clock, `Attempt`, log": "`RetryingTransport.send`",
    "the arguments checked, the request made": "`workos_mfa._client.operations`, `workos_mfa._core.validation`",
    "the response checked and made a model": "`workos_mfa._client.outcomes`, `workos_mfa._client.parsing`",
    "the method itself: its limits, the code hidden, the factor compared": "`MFA.verify_challenge`",
}
URLLIB3_ALONE = "for comparison, urllib3 as it comes: `PoolManager.request`, JSON"


@attrs.frozen
class Profile:
    """Microseconds of processor time.

    :param layers: what each layer adds; of the lowest, all it takes.
    :param whole: the whole call.
    :param urllib3_alone: the same exchange on urllib3 as it comes.
    """

    layers: dict[str, Spread]
    whole: Spread
    urllib3_alone: Spread


def measure(url: str, *, rounds: int, calls_in_a_row: int) -> Profile:
    """Rounds of so many exchanges from each layer."""
    runs = dict(zip(LAYERS, [BARE.caller(url), _pool(url), *_our_layers(url)], strict=True))
    runs[URLLIB3_ALONE] = URLLIB3.caller(url)
    _, taken = take_turns({name: turn_of(run, calls_in_a_row) for name, run in runs.items()}, rounds)
    names = list(LAYERS)
    added = {upper: _difference(taken, upper, lower) for lower, upper in itertools.pairwise(names)}
    return Profile({BELOW: taken.of(BELOW), **added}, taken.of(names[-1]), taken.of(URLLIB3_ALONE))


def _difference(taken: Rounds[str], upper: str, lower: str) -> Spread:
    return spread([mine - below for mine, below in zip(taken.taken[upper], taken.taken[lower], strict=True)])


def _pool(url: str) -> Callable[[], object]:
    manager = urllib3.PoolManager(maxsize=0)
    use_deadline_pools(manager, DEFAULT_MAX_IDLE)
    pool = manager.connection_from_url(url)
    settings: dict[str, Any] = {
        "body": b'{"code": "123456"}',
        "headers": {**BODY_HEADERS, "Authorization": f"Bearer {KEY}"},
        "retries": urllib3.Retry(total=False, redirect=False),
        "redirect": False,
        "assert_same_host": False,
        "preload_content": False,
        "decode_content": False,
    }

    def exchange() -> None:
        read_body(pool.urlopen("POST", PATH, timeout=time_limit(10), **settings))

    return exchange


def _our_layers(url: str) -> list[Callable[[], object]]:
    attempt = Urllib3Transport(KEY, base_url=url)
    retrying = RetryingTransport(attempt)
    mfa = MFA(transport=retrying)
    options = Options(10.0, 20.0)

    def made() -> Request:
        return operations.verify_challenge(CHALLENGE, "123456", options)

    request = made()

    def checked() -> None:
        retrying.send(made())

    def read() -> None:
        fresh = made()
        assert outcomes.read(fresh, retrying.send(fresh), parsing.verification).valid

    def whole() -> None:
        assert mfa.verify_challenge(CHALLENGE, code="123456").valid

    return [lambda: attempt.send(request), lambda: retrying.send(request), checked, read, whole]

"""A transport that is closed while it is used: the call that is under way finishes, and the next one begins anew."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from tests.loopback import Line, Received, Server, http_response, wait_until
from tests.race import race
from tests.transports.api import CHALLENGE_ID, CODE, KEY, TransportFactory, right_response
from workos_mfa import MFA, Transport

SHARED = (
    "workos_mfa._transports.deadline",
    "workos_mfa._transports.requests",
    "workos_mfa._transports.urllib3",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3._collections",
    "requests.adapters",
)
"""The modules that handle what the threads of a transport share."""


class Interruption:
    """Does something once, before one of the lines that those modules run."""

    def __init__(self, moment: int, action: Callable[[], object]) -> None:
        self.left = moment
        self._action = action

    # Under the watch there is no measuring of coverage, which works as the watch does.
    def __call__(self, frame: FrameType, event: str, _: object) -> Interruption | None:  # pragma: no cover
        """What Python calls before each line."""
        if frame.f_globals["__name__"] not in SHARED:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                self._action()
                return None
        return self

    def interrupts(self, run: Callable[[], object]) -> bool:
        """Whether the moment came while this ran."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            run()
        finally:
            sys.settrace(before)
        return self.left <= 0


@pytest.fixture(params=["directly", "through a proxy"])
def make(
    request: pytest.FixtureRequest, server: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Transport]:
    """Makes a transport to the server, or to elsewhere with the server as the proxy."""
    if request.param == "directly":
        return lambda: transport_class(KEY, base_url=server.url)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    return lambda: transport_class(KEY, base_url="http://api.example", allow_http=True)


def verify(transport: Transport) -> None:
    """Make a call that must happen once."""
    assert MFA(transport=transport).verify_challenge(CHALLENGE_ID, code=CODE)


def close(transport: Transport) -> None:  # pragma: no cover - under the watch
    """Close it."""
    transport.close()


def transports_until_no_moment_is_left(
    make: Callable[[], Transport], run: Callable[[Transport], None], action: Callable[[Transport], None]
) -> Iterator[Transport]:
    """Transports on each of which the action has come one moment later in the run."""
    moment = 0
    while True:
        moment += 1
        transport = make()
        came = Interruption(moment, functools.partial(action, transport)).interrupts(functools.partial(run, transport))
        yield transport
        if not came:
            assert moment > 10
            return


@pytest.mark.parametrize("earlier_calls", [0, 1])
def test_closed_at_any_moment_of_a_call(earlier_calls: int, make: Callable[[], Transport], server: Server) -> None:
    """The call and the next one finish, each was made once, and nothing stays open; on a kept connection too."""

    def make_and_use() -> Transport:
        transport = make()
        for _ in range(earlier_calls):
            verify(transport)
        return transport

    for count, transport in enumerate(transports_until_no_moment_is_left(make_and_use, verify, close), 1):
        verify(transport)
        transport.close()
        assert len(server.received) == (earlier_calls + 2) * count
    wait_until(lambda: server.open_connections == 0)


def test_used_at_any_moment_of_closing(make: Callable[[], Transport], server: Server) -> None:
    """The call finishes, and so does the closing."""
    for transport in transports_until_no_moment_is_left(make, close, verify):
        verify(transport)
        transport.close()
    wait_until(lambda: server.open_connections == 0)


def test_closed_while_the_response_comes(make: Callable[[], Transport], server: Server) -> None:
    """A call that is under way keeps its connection until it is done, however far its response has come."""
    transport = make()
    verify(transport)
    whole = http_response(*right_response(server.received[0]))
    head = whole.index(b"\r\n\r\n") + 4

    def close_after_each_part(_: Received, line: Line) -> None:
        transport.close()
        for part in (whole[:5], whole[5 : head - 1], whole[head - 1 : head + 9], whole[head + 9 :]):
            line.send(part)
            transport.close()

    server.behaviour = close_after_each_part
    for _ in range(2):
        verify(transport)
    assert len(server.received) == 3
    transport.close()
    wait_until(lambda: server.open_connections == 0)


def test_closed_again_and_again(make: Callable[[], Transport], server: Server) -> None:
    """Threads that call while another one does nothing but close get their responses, and each call is made once."""
    transport = make()
    calling = [threading.Event() for _ in range(8)]

    def call_or_close(number: int) -> None:
        if number == len(calling):
            while not all(done.is_set() for done in calling):
                transport.close()
            return
        try:
            for _ in range(10):
                verify(transport)
        finally:
            calling[number].set()

    race(call_or_close, len(calling) + 1)
    assert len(server.received) == 10 * len(calling)
    transport.close()
    wait_until(lambda: server.open_connections == 0)

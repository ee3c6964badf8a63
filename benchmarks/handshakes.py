"""Sign-ins with the time that a person types in between: how many new connections, each with its handshakes, they cost.

Nobody waits. The clock by which all contenders count how long a connection was idle is moved on, and the server closes
none: a contender that opens one has thrown its own away.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Generator
from unittest import mock

import attrs

from benchmarks.contenders import Contender, installed
from benchmarks.rounds import Rounds, take_turns
from benchmarks.server import Server


@attrs.frozen
class Typing:
    """Connections opened for each sign-in in which a person types for so many seconds."""

    seconds: float
    opened: Rounds[Contender]


def measure(server: Server, *, seconds: tuple[float, ...], sign_ins: int) -> list[Typing]:
    """So many sign-ins in a row for each length of time."""
    return [_typing(server, length, sign_ins) for length in seconds]


def _typing(server: Server, seconds: float, sign_ins: int) -> Typing:
    turns = {contender: functools.partial(_turn, server, contender, seconds, sign_ins) for contender in installed()}
    (opened,) = take_turns(turns, 1)
    return Typing(seconds, opened)


def _turn(server: Server, contender: Contender, seconds: float, sign_ins: int) -> tuple[float, ...]:
    call = contender.caller(server.url)
    call()
    server.new_connections()
    with _clock() as move_on:
        for _ in range(sign_ins):
            call()  # the challenge
            move_on(seconds)
            call()  # the verification
    return (server.new_connections() / sign_ins,)


@contextlib.contextmanager
def _clock() -> Generator[Callable[[float], None]]:
    """Moves on the clock that no system sets, which is the one that idle connections are timed by."""
    passed = 0.0
    real = time.monotonic

    def move_on(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    def moved_on() -> float:
        return real() + passed

    with mock.patch("time.monotonic", moved_on):
        yield move_on

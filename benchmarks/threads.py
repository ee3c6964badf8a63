"""Many threads on one client: calls a second, and the connections that the server sees opened."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator

import attrs

from benchmarks.contenders import Contender, installed
from benchmarks.rounds import Rounds, take_turns
from benchmarks.server import Server


@attrs.frozen
class Crowd:
    """So many threads at once: calls a second and connections opened for each contender, warnings of all."""

    size: int
    throughput: Rounds[Contender]
    connections: Rounds[Contender]
    full_pools: Rounds[Contender]


def measure(server: Server, *, sizes: tuple[int, ...], rounds: int, calls: int) -> list[Crowd]:
    """Rounds of ``calls`` calls by each number of threads, each turn on a client of its own."""
    return [_crowd(server, size, rounds, max(calls, 2 * size)) for size in sizes]


def _crowd(server: Server, size: int, rounds: int, calls: int) -> Crowd:
    shared = [contender for contender in installed() if contender.is_shared]
    turns = {contender: _turn(server, contender, size, calls) for contender in shared}
    throughput, connections, full = take_turns(turns, rounds)
    return Crowd(size, throughput, connections, full)


def _turn(server: Server, contender: Contender, size: int, calls: int) -> Callable[[], tuple[float, ...]]:
    def turn() -> tuple[float, float, float]:
        call = contender.caller(server.url)
        server.new_connections()
        with _full_pools() as full:
            seconds = _together(call, size, calls // size)
        return size * (calls // size) / seconds, server.new_connections(), full.count

    return turn


def _together(call: Callable[[], object], size: int, calls: int) -> float:
    """Seconds until all threads have made their calls; they begin at once."""
    failed: list[BaseException] = []
    gate = threading.Barrier(size + 1)

    def work() -> None:
        gate.wait()
        try:
            for _ in range(calls):
                call()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is seen
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(size)]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - started


class _FullPools(logging.Handler):
    """Counts urllib3's warnings that a connection was thrown away."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "pool is full" in record.getMessage()


@contextlib.contextmanager
def _full_pools() -> Generator[_FullPools]:
    """A count of those warnings, which meanwhile stay off the screen."""
    logger, counting = logging.getLogger("urllib3.connectionpool"), _FullPools()
    logger.addHandler(counting)
    logger.propagate = False
    try:
        yield counting
    finally:
        logger.removeHandler(counting)
        logger.propagate = True

"""Threads that start at once and change places as often as they can."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

THREADS = 32
T = TypeVar("T")


def race(function: Callable[[int], T], count: int = THREADS) -> list[T]:
    """What the function gives in so many threads that start at once."""
    barrier = threading.Barrier(count)
    results: list[T] = []

    def run(number: int) -> None:
        barrier.wait()
        results.append(function(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual)
    assert len(results) == count
    return results

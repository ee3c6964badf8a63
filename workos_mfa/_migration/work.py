"""What is to be done next: the rows in their order, and those that have to be looked at again later."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator

import attrs

from workos_mfa._migration.row import Row


@attrs.define(eq=False)
class Job:
    """A row on its way.

    :param row: the row.
    :param before: the ids of the factors that the user had before it was first sent; None if it never was.
    :param is_unclear: whether it may have arrived.
    :param wait: seconds until its turn.
    :param tries: how often the user's factors could not be listed.
    :param sends: how often it was sent by this run.
    :param error: what the last time ended with.
    :param looks: how often they were, and did not tell whether it arrived.
    """

    row: Row
    before: frozenset[str] | None = None
    is_unclear: bool = False
    wait: float = 0.0
    tries: int = 0
    sends: int = 0
    error: str = ""
    looks: int = 0


class Work:
    """The jobs, handed out to many threads.

    :param jobs: the jobs in their order; read as they are needed.
    :param clock: a monotonic clock, in seconds.
    """

    def __init__(self, jobs: Iterator[Job], clock: Callable[[], float] = time.monotonic) -> None:
        self._jobs = jobs
        self._clock = clock
        self._changed = threading.Condition()
        self._later: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._in_hand = 0
        self._stopped = False

    def next(self) -> Job | None:
        """The next job: one whose time has come, or a new one. None if there is no more, or the import is stopped.

        Each job that is handed out must come back by :meth:`finished` or :meth:`again`.
        """
        with self._changed:
            while not self._stopped:
                now = self._clock()
                job = self._due(now) or next(self._jobs, None)
                if job is not None:
                    self._in_hand += 1
                    return job
                if not self._later and not self._in_hand:
                    break
                self._changed.wait(self._later[0][0] - now if self._later else None)
            self._changed.notify_all()
            return None

    def finished(self) -> None:
        """A job is done with."""
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    def again(self, job: Job, seconds: float = 0.0) -> None:
        """Hand a job out again, some seconds later."""
        with self._changed:
            self._in_hand -= 1
            heapq.heappush(self._later, (self._clock() + seconds, next(self._numbers), job))
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out no more jobs."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _due(self, now: float) -> Job | None:
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[2]
        return None

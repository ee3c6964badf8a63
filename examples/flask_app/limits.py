"""So many tries in so many seconds for one account: the app's own limit.

The API counts wrong codes for each challenge, and an app makes new challenges, so somebody who has the
password could guess for ever. This counts by account, whatever the challenge. The same idea keeps text
messages apart.

It lives in one process. With several, keep the times in what they share (Redis, the database), and
keep ``take`` one atomic step: looking first and counting later lets a hundred parallel guesses through.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable


class Limit:
    """At most ``count`` times within ``seconds``, for each account.

    :param count: how often.
    :param seconds: within which time.
    :param now: gives the time in seconds; a parameter so that tests need not wait.
    """

    def __init__(self, count: int, seconds: float, now: Callable[[], float]) -> None:
        self._count = count
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._times: dict[str, list[float]] = {}

    def wait(self, account_id: str) -> int:
        """Whole seconds until there is a try; 0 if there is one."""
        with self._lock:
            return self._wait(account_id)

    def take(self, account_id: str) -> int:
        """Take a try, and give 0; if there is none, the whole seconds until there is."""
        with self._lock:
            wait = self._wait(account_id)
            if not wait:
                self._times.setdefault(account_id, []).append(self._now())
            return wait

    def give_back(self, account_id: str) -> None:
        """Undo the last ``take``: it came to nothing."""
        with self._lock:
            if times := self._times.get(account_id):
                times.pop()

    def forget(self, account_id: str) -> None:
        """Begin anew for this account."""
        with self._lock:
            self._times.pop(account_id, None)

    def _wait(self, account_id: str) -> int:
        oldest_that_counts = self._now() - self._seconds
        times = [time for time in self._times.get(account_id, ()) if time > oldest_that_counts]
        if not times:
            self._times.pop(account_id, None)
            return 0
        self._times[account_id] = times
        return 0 if len(times) < self._count else math.ceil(times[0] - oldest_that_counts)

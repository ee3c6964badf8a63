"""How far an import is, counted by many threads."""

from __future__ import annotations

import threading
from collections import deque

import attrs

from workos_mfa._migration.row import Problem

_RECENT = 15.0  # seconds over which the present rate is taken


@attrs.frozen
class Counts:
    """How many rows are in which state.

    :param rows: the rows that can be imported.
    :param already: done by an earlier run.
    :param done: done by this run.
    :param refused: refused by the API; they did not arrive.
    :param unknown: nobody knows whether they arrived, and they are not sent again.
    """

    rows: int
    already: int
    done: int
    refused: int
    unknown: int

    @property
    def left(self) -> int:
        """How many were not brought to an end."""
        return self.rows - self.ended

    @property
    def ended(self) -> int:
        """How many were brought to an end, good or bad."""
        return self.already + self.done + self.refused + self.unknown


class Tally:
    """The counts of a run, and the rows that failed.

    :param rows: how many rows there are.
    """

    def __init__(self, rows: int) -> None:
        self._lock = threading.Lock()
        self._rows = rows
        self._already = self._done = 0
        self._refused: list[Problem] = []
        self._unknown: list[Problem] = []
        self._marks: deque[tuple[float, int]] = deque()

    def already(self) -> None:
        """A row was done by an earlier run."""
        with self._lock:
            self._already += 1

    def done(self) -> None:
        """A row is done."""
        with self._lock:
            self._done += 1

    def refused(self, problem: Problem) -> None:
        """A row was refused, and did not arrive."""
        with self._lock:
            self._refused.append(problem)

    def unknown(self, problem: Problem) -> None:
        """Nobody knows whether a row has arrived."""
        with self._lock:
            self._unknown.append(problem)

    @property
    def counts(self) -> Counts:
        """The counts of this moment."""
        with self._lock:
            return Counts(self._rows, self._already, self._done, len(self._refused), len(self._unknown))

    @property
    def failed(self) -> list[Problem]:
        """The rows that failed, by line."""
        with self._lock:
            return sorted([*self._refused, *self._unknown], key=lambda problem: problem.line)

    def rate(self, moment: float) -> float:
        """Rows a second of late, done by this run; 0.0 as long as it can't be told."""
        with self._lock:
            ended = self._done + len(self._refused) + len(self._unknown)
            self._marks.append((moment, ended))
            while len(self._marks) > 1 and self._marks[1][0] <= moment - _RECENT:
                self._marks.popleft()
            began, before = self._marks[0]
            return (ended - before) / (moment - began) if moment > began else 0.0

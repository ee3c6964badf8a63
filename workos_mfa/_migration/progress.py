"""How far the import is, on standard error: a bar on a terminal, and otherwise a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from workos_mfa._migration.pace import Pace
from workos_mfa._migration.tally import Tally

_BETWEEN_LINES = 10.0
NO_BAR = "for a progress bar: pip install 'workos-mfa[cli]'"


@contextmanager
def shown(tally: Tally, pace: Pace, out: TextIO) -> Generator[Callable[[], None], None, None]:
    """Show how far it is. Gives a function to be called again and again.

    :param out: standard error.
    """
    if not out.isatty():
        yield Lines(tally, pace, out).update
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
    except ImportError:
        print(NO_BAR, file=out)
        yield Lines(tally, pace, out).update
        return
    columns = [
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[rate]}", style=""),
    ]
    with Progress(
        *columns, console=Console(file=out), expand=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        task = bar.add_task("", total=tally.counts.rows, rate="")

        def update() -> None:
            bar.update(task, completed=tally.counts.ended, rate=_pace_text(tally, pace, time.monotonic()))

        yield update
        update()


class Lines:
    """A line every ten seconds.

    :param clock: a monotonic clock, in seconds.
    """

    def __init__(self, tally: Tally, pace: Pace, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._tally = tally
        self._pace = pace
        self._out = out
        self._clock = clock
        self._due = clock() + _BETWEEN_LINES

    def update(self) -> None:
        """Write a line if it is time for one."""
        now = self._clock()
        pace = _pace_text(self._tally, self._pace, now)
        if now < self._due:
            return
        self._due = now + _BETWEEN_LINES
        counts = self._tally.counts
        # Whoever does not read the progress any more may want the import all the same.
        with contextlib.suppress(OSError, ValueError):
            print(f"{counts.ended:,} of {counts.rows:,} rows {pace}", file=self._out, flush=True)


def _pace_text(tally: Tally, pace: Pace, moment: float) -> str:
    rate = tally.rate(moment)
    if pace.pause_left:
        return f"paused, {duration(pace.pause_left)}"
    if not rate:
        return "-/s"
    return f"{rate:.1f}/s, {duration(tally.counts.left / rate)} left"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``45 s``, ``41 min 40 s``, ``69 h 26 min``."""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

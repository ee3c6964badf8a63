"""How far an import is, as it is shown."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from workos_mfa._migration.pace import Pace
from workos_mfa._migration.progress import NO_BAR, Lines, duration, shown
from workos_mfa._migration.row import Problem
from workos_mfa._migration.tally import Counts, Tally


class Terminal(io.StringIO):
    """A terminal of 60 columns."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (45.4, "45 s"), (60, "1 min 0 s"), (2500, "41 min 40 s"), (250_000, "69 h 26 min")],
)
def test_a_length_of_time(seconds: float, text: str) -> None:
    """It is told in its two largest units."""
    assert duration(seconds) == text


def test_the_page_has_the_arithmetic() -> None:
    """The times in docs/import.md are those of the rates."""
    page = (Path(__file__).parent.parent.parent / "docs" / "import.md").read_text("utf-8")
    for users in (1_000, 100_000, 10_000_000):
        assert f"| {users:,} | {duration(users / 40)} | {duration(users / 50)} |\n" in page


def test_the_counts() -> None:
    """What has ended and what is left add up, and those that failed are in order."""
    tally = Tally(9)
    tally.already()
    tally.done()
    tally.unknown(Problem(9, "user_9", "lost"))
    tally.refused(Problem(4, "user_4", "404"))
    assert tally.counts == Counts(rows=9, already=1, done=1, refused=1, unknown=1)
    assert (tally.counts.ended, tally.counts.left) == (4, 5)
    assert [problem.line for problem in tally.failed] == [4, 9]


def test_lines() -> None:
    """Elsewhere than on a terminal there is a line every ten seconds, with the rate of the last quarter minute."""
    moment = [100.0]
    tally, pace, out = Tally(1000), Pace(40, 4, print, lambda: moment[0]), io.StringIO()
    lines = Lines(tally, pace, out, lambda: moment[0])
    for second in range(40):
        moment[0] = 100.0 + second
        lines.update()
        for _ in range(10 if second < 20 else 20):
            tally.done()
    pace.limited(pace.now(), 7)
    moment[0] += 1
    lines.update()
    assert out.getvalue().splitlines() == [
        "100 of 1,000 rows 10.0/s, 1 min 30 s left",
        "200 of 1,000 rows 10.0/s, 1 min 20 s left",
        "400 of 1,000 rows 16.7/s, 36 s left",
        "600 of 1,000 rows paused, 6 s",
    ]


def test_nobody_reads_the_lines() -> None:
    """A standard error that is closed does not end the import."""
    out = io.StringIO()
    moment = [0.0]
    lines = Lines(Tally(1), Pace(1, 1), out, lambda: moment[0])
    out.close()
    moment[0] = 11
    lines.update()


def test_what_is_used_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there is a bar; without rich it says how to get one, and elsewhere nothing is said of it."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    tally, pace, terminal = Tally(2000), Pace(40, 4), Terminal()
    with shown(tally, pace, terminal) as update:
        for _ in range(1500):
            tally.done()
        update()
    assert "1,500/2,000" in terminal.getvalue()
    assert "━" in terminal.getvalue()
    monkeypatch.setitem(sys.modules, "rich.console", None)
    for out, text in ((Terminal(), f"{NO_BAR}\n"), (io.StringIO(), "")):
        with shown(tally, pace, out) as update:
            update()
        assert out.getvalue() == text

"""The benchmarks run, and their arithmetic is right. No number that a clock gave is looked at."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.calls import PerCall
from benchmarks.contenders import ALL, DEFAULT, LEAN, OFFICIAL, URLLIB3, Contender
from benchmarks.goals import Goal, goals
from benchmarks.page import NoPlaceError, put
from benchmarks.rounds import Rounds, Spread, spread, take_turns
from benchmarks.starts import CODE, IMPORT, NOTHING, Starts
from benchmarks.tables import of_starts
from benchmarks.threads import Crowd

ROOT = Path(__file__).parent.parent.parent
ONE_EACH = Rounds({DEFAULT: [1.0], LEAN: [1.0]})
MARKED = "Above.\n<!-- {0}: begin -->\nold\n<!-- {0}: end -->\nBelow.\n"


@pytest.mark.parametrize(("what", "name"), [("all", "benchmarks"), ("profile", "profile")])
def test_it_runs(what: str, name: str, tmp_path: Path) -> None:
    """A quick run measures everything that is installed and writes it into a page."""
    page = tmp_path / "page.md"
    page.write_text(MARKED.format(name))
    command = [sys.executable, "-W", "error", "-m", "benchmarks", what, "--quick", "--write", str(page)]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    written = page.read_text()
    assert written.startswith("Above.\n")
    assert written.endswith("Below.\n")
    assert "old" not in written
    tables = [line for line in run.stdout.splitlines() if line.startswith("|")]
    assert len(tables) > 5
    assert set(tables) <= set(written.splitlines())
    assert (tmp_path / "page.svg").exists() is (what == "all")


def test_a_page_without_a_place() -> None:
    """A page that has no marks is left alone."""
    readme = ROOT / "README.md"
    before = readme.read_bytes()
    with pytest.raises(NoPlaceError, match="no place for benchmarks"):
        put(readme, "benchmarks", "new")
    assert readme.read_bytes() == before


@pytest.mark.parametrize("contender", ALL)
def test_a_contender_is_python(contender: Contender) -> None:
    """Each contender's lines are a program as far as each stage, and the later stage holds the earlier one."""
    stages = [contender.program("http://localhost", until=until) for until in ("imports", "client", "call")]
    for program in stages:
        compile(program, contender.name, "exec")
    assert stages[1].startswith(stages[0])
    assert stages[2].startswith(stages[1])


def test_the_order_changes_each_round() -> None:
    """Each has one turn in each round, and nobody is always first."""
    order: list[str] = []

    def turn(name: str) -> tuple[float, ...]:
        order.append(name)
        return (float(len(order)), 0.0)

    counted, nothing = take_turns({name: functools.partial(turn, name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"
    assert counted.taken == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}
    assert nothing.of("a") == Spread(0, 0, 0)


def test_ratios_are_taken_inside_a_round() -> None:
    """What slows a whole round down does not show, and what both have in them is taken off."""
    rounds = Rounds({"bare": [1.0, 10.0, 2.0], "mine": [2.0, 20.0, 4.0], "theirs": [5.0, 50.0, 10.0]})
    assert rounds.ratio("mine", "theirs") == Spread(0.4, 0.4, 0.4)
    assert rounds.ratio("mine", "theirs", without="bare") == Spread(0.25, 0.25, 0.25)
    assert rounds.ratio("mine", "missing") is None


def test_a_start_is_what_comes_on_top_of_python() -> None:
    """Python's own start is taken off both, in the goals and in the table."""
    milliseconds = Rounds({NOTHING: [10.0], DEFAULT: [20.0], OFFICIAL: [110.0]})
    each = {"imports": milliseconds, "client": milliseconds, "call": milliseconds, "memory": milliseconds}
    starts = Starts(**each, plugin=Spread(2.0, 3.0, 4.0), runs=Rounds({CODE: [30.0], IMPORT: [60.0]}))
    of_calls = PerCall(wall=Rounds({}), cpu=Rounds({}))
    crowd = Crowd(1, throughput=milliseconds, connections=ONE_EACH, full_pools=ONE_EACH)
    found = {goal.text: goal.found for goal in goals(of_calls, starts, [crowd], [])}
    taken_off = [ratio for text, ratio in found.items() if "taken off" in text]
    assert taken_off == [Spread(0.1, 0.1, 0.1)] * 2
    assert [line.split("|")[-2].strip() for line in of_starts(starts).splitlines()[2:]] == [
        "",
        "0.10 (0.10 to 0.10)",
        "1.00 (1.00 to 1.00)",
        *[""] * 3,
    ]
    (verdict,) = [goal.verdict for goal in goals(of_calls, starts, [crowd], []) if "pytest plugin" in goal.text]
    assert verdict == "reached"
    assert [ratio for text, ratio in found.items() if CODE in text] == [Spread(0.5, 0.5, 0.5)]


HANDSHAKES = """
from benchmarks import handshakes, server, tables
with server.running() as running:
    print(tables.of_typing(handshakes.measure(running, seconds=(10, 45, 121), sign_ins=2)))
"""


def test_handshakes() -> None:
    """While a person types, our connection stays; after two minutes it does not, where one without a limit does."""
    run = subprocess.run([sys.executable, "-c", HANDSHAKES], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    opened = {name.strip(): [float(cell) for cell in cells] for _, name, *cells, _ in rows_of(run.stdout)}
    assert opened[DEFAULT.name] == opened[LEAN.name] == [0, 0, 1]
    assert opened[URLLIB3.name] == [0, 0, 0]


def rows_of(table: str) -> list[list[str]]:
    """The cells of a table's rows, heads left out."""
    return [line.split("|") for line in table.strip().splitlines()[2:]]


def test_spread() -> None:
    """A median with its quartiles, and one measurement alone."""
    assert spread([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(2.0, 3.0, 4.0)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)
    assert Spread(1000.4, 2000.0, 3000.0).text() == "2,000 (1,000 to 3,000)"


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(Spread(0.1, 0.5, 0.9), "reached"), (Spread(0.1, 0.51, 0.9), "missed"), (None, "not measured")],
)
def test_a_goal_goes_by_the_median(found: Spread | None, verdict: str) -> None:
    """As good as wanted is good enough; what is not installed has not been measured."""
    assert Goal("a ratio", 0.5, found).verdict == verdict

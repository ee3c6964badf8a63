"""The command: ``python -m benchmarks`` for everything, ``python -m benchmarks profile`` for one call taken apart."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import attrs

from benchmarks import (
    calls,
    emulators,
    endurance,
    handshakes,
    machine,
    page,
    plot,
    profile,
    server,
    starts,
    tables,
    threads,
)
from benchmarks.goals import goals


@attrs.frozen
class Effort:
    """How much is done.

    :param rounds: rounds of calls.
    :param calls: calls in a round.
    :param starts: fresh interpreters for each contender and stage.
    :param crowds: numbers of threads.
    :param crowd_rounds: rounds of each of them.
    :param crowd_calls: calls of all threads of a round together.
    :param sign_ins: sign-ins in a row for each length of time that a person types.
    :param sizes: numbers of factors that the emulator holds.
    """

    rounds: int
    calls: int
    starts: int
    crowds: tuple[int, ...]
    crowd_rounds: int
    crowd_calls: int
    sign_ins: int
    sizes: tuple[int, ...]


_TYPING = (10.0, 45.0)  # from an app that is open to a text message that takes its time
_FULL = Effort(60, 50, 15, (1, 2, 4, 8, 16, 32, 64), 3, 2_000, 20, (10, 1_000, 100_000))
_QUICK = Effort(2, 5, 1, (1, 8), 1, 40, 2, (10, 100))


def main(arguments: list[str]) -> int:
    """Measure, print, and write into the page if asked to."""
    options = _parser().parse_args(arguments)
    effort = _QUICK if options.quick else _FULL
    _say(f"load before: {machine.load()}")
    if options.what == "profile":
        _profile(effort, options.page)
    else:
        _everything(effort, options.endure or (100 if options.quick else 100_000), options.page)
    _say(f"load after: {machine.load()}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("all", "profile"), default="all")
    parser.add_argument("--quick", action="store_true", help="so little of everything that the numbers say nothing")
    parser.add_argument("--endure", type=int, metavar="CALLS", help="calls that memory is watched for (100,000)")
    parser.add_argument(
        "--write",
        dest="page",
        nargs="?",
        type=Path,
        const=page.PAGE,
        help="put it into the page of the docs, or into PAGE",
    )
    return parser


def _everything(effort: Effort, endured: int, into: Path | None) -> None:
    with server.running() as running:
        per_call = calls.measure(running.url, rounds=effort.rounds, calls=effort.calls)
        _say(tables.of_calls(per_call))
        started = starts.measure(running.url, rounds=effort.starts)
        _say(tables.of_starts(started))
        crowds = threads.measure(running, sizes=effort.crowds, rounds=effort.crowd_rounds, calls=effort.crowd_calls)
        _say(tables.of_crowds(crowds))
        typing = handshakes.measure(running, seconds=_TYPING, sign_ins=effort.sign_ins)
        _say(tables.of_typing(typing))
        growths = endurance.measure(running.url, calls=endured)
        _say(tables.of_growths(growths))
    emulated = emulators.measure(sizes=effort.sizes, rounds=effort.rounds // 2, calls=effort.calls)
    _say(tables.of_emulators(emulated))
    reached = tables.of_goals(goals(per_call, started, crowds, growths))
    _say(reached)
    if into is not None:
        picture = into.with_suffix(".svg")
        picture.write_text(plot.svg(per_call, crowds), "utf-8")
        shown = f"![Microseconds a call, and calls a second by threads]({picture.name})"
        measured = (tables.of_calls(per_call), tables.of_starts(started), tables.of_crowds(crowds))
        others = (tables.of_typing(typing), tables.of_growths(growths), tables.of_emulators(emulated))
        page.put(into, "benchmarks", "\n\n".join([tables.of_machine(), reached, shown, *measured, *others]))


def _profile(effort: Effort, into: Path | None) -> None:
    with server.running() as running:
        found = tables.of_profile(profile.measure(running.url, rounds=effort.rounds, calls_in_a_row=effort.calls))
    _say(found)
    if into is not None:
        page.put(into, "profile", found)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

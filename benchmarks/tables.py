"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks import machine, vendor
from benchmarks.calls import PerCall
from benchmarks.contenders import BARE, OFFICIAL, REQUESTS, missing
from benchmarks.emulators import OURS, THEIRS, Emulated
from benchmarks.endurance import Growth
from benchmarks.goals import Goal
from benchmarks.handshakes import Typing
from benchmarks.profile import LAYERS, Profile
from benchmarks.rounds import Spread
from benchmarks.starts import NOTHING, Starts
from benchmarks.threads import Crowd


def of_machine() -> str:
    """What it ran on, and what was not there."""
    lines = [f"Measured on: {machine.description()}"]
    if missing():
        lines.append(f"Not installed, so not measured: {', '.join(contender.name for contender in missing())}.")
    return "\n\n".join(lines)


def of_goals(goals: Iterable[Goal]) -> str:
    """Each goal, what was found and whether that is enough."""
    rows = [
        (goal.text, f"{goal.most:,.{goal.digits}f}", _spread(goal.found, goal.digits), goal.verdict) for goal in goals
    ]
    return _table(("goal", "at most", "median (quartiles)", "verdict"), rows)


def of_calls(per_call: PerCall) -> str:
    """Microseconds of each contender."""
    wall, cpu = per_call.wall, per_call.cpu
    rows = [
        (
            _named(contender.name, contender.version),
            wall.of(contender).text(),
            cpu.of(contender).text(),
            *(_spread(wall.ratio(contender, other), 2) for other in (OFFICIAL, REQUESTS, BARE)),
        )
        for contender in wall.taken
    ]
    heads = ("one call, µs", "wall", "processor", "of the official SDK", "of requests", "of http.client")
    return _table(heads, rows)


def of_starts(starts: Starts) -> str:
    """Milliseconds and MiB of each contender, in a fresh interpreter."""
    rows = [
        (
            contender.name,
            starts.imports.of(contender).text(),
            starts.client.of(contender).text(),
            starts.call.of(contender).text(),
            starts.memory.of(contender).text(1),
            "" if contender is NOTHING else _spread(starts.call.ratio(contender, OFFICIAL, without=NOTHING), 2),
        )
        for contender in starts.imports.taken
    ]
    rows.append(("workos_mfa's pytest plugin, on top of pytest", starts.plugin.text(1), "", "", "", ""))
    rows += [(f"`{name}`, a whole run", "", "", starts.runs.of(name).text(), "", "") for name in starts.runs.taken]
    heads = (
        "fresh interpreter, ms of processor time",
        "import",
        "and client",
        "and first call",
        "MiB",
        "of the official",
    )
    return _table(heads, rows)


def of_crowds(crowds: Sequence[Crowd]) -> str:
    """Calls a second of each contender, and the most connections that the largest crowd opened."""
    last = crowds[-1]
    rows = [
        (
            contender.name,
            *(f"{crowd.throughput.of(contender).median:,.0f}" for crowd in crowds),
            f"{max(last.connections.taken[contender]):.0f}",
            f"{max(last.full_pools.taken[contender]):.0f}",
        )
        for contender in last.throughput.taken
    ]
    sizes = [f"{crowd.size}" for crowd in crowds]
    heads = ("calls a second by threads", *sizes, f"connections of {last.size}", '"pool is full"')
    return _table(heads, rows)


def of_typing(lengths: Sequence[Typing]) -> str:
    """Connections that each contender opened for a sign-in."""
    rows = [
        (contender.name, *(f"{length.opened.of(contender).median:.2f}" for length in lengths))
        for contender in lengths[0].opened.taken
    ]
    heads = [f"{length.seconds:.0f} s" for length in lengths]
    return _table(("new connections a sign-in, while the person types for", *heads), rows)


def of_growths(growths: Iterable[Growth]) -> str:
    """Memory after many calls."""
    rows = [(growth.contender.name, f"{growth.calls:,}", f"{growth.kib:,}") for growth in growths]
    return _table(("client", "calls, once warm", "growth of the peak, KiB"), rows)


def of_emulators(emulated: Emulated) -> str:
    """The emulator's three tables."""
    return "\n\n".join(
        [
            _table(("emulator in process, µs", "median (quartiles)"), _rows(emulated)),
            _table(("factors held, µs a call", *_kinds(emulated)), list(_rows_by_size(emulated))),
            _table(("over HTTP, µs a call", OURS, _their_column()), list(_rows_over_http(emulated))),
        ]
    )


def of_profile(profile: Profile) -> str:
    """A line for each layer, lowest first."""
    whole = profile.whole.median
    rows = [
        (name, where, profile.layers[name].text(1), f"{profile.layers[name].median / whole:.0%}")
        for name, where in LAYERS.items()
    ]
    rows.append(("**the whole call**", "", profile.whole.text(1), "100%"))
    rows.append(
        (
            "for comparison: urllib3 as it comes, and JSON",
            "`PoolManager.request`",
            profile.urllib3_alone.text(1),
            f"{profile.urllib3_alone.median / whole:.0%}",
        )
    )
    return _table(("layer, µs of processor time", "where", "adds: median (quartiles)", "share"), rows)


def _rows(emulated: Emulated) -> list[tuple[str, ...]]:
    return [(kind, emulated.in_process.of(kind).text()) for kind in emulated.in_process.taken]


def _kinds(emulated: Emulated) -> list[str]:
    return list(next(iter(emulated.by_size.values())).taken)


def _rows_by_size(emulated: Emulated) -> Iterator[tuple[str, ...]]:
    for size, rounds in emulated.by_size.items():
        yield (f"{size:,}", *(rounds.of(kind).text() for kind in rounds.taken))


def _their_column() -> str:
    return f"{THEIRS} {vendor.version()} (npm)" if vendor.version() else f"{THEIRS} (npm)"


def _rows_over_http(emulated: Emulated) -> Iterator[tuple[str, ...]]:
    for kind, rounds in emulated.over_http.items():
        theirs = rounds.of(THEIRS).text() if THEIRS in rounds.taken else "not installed"
        yield (kind, rounds.of(OURS).text(), theirs)


def _named(name: str, version: str | None) -> str:
    return f"{name} ({version})" if version and version[0].isdigit() else name


def _spread(found: Spread | None, digits: int) -> str:
    return "" if found is None else found.text(digits)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

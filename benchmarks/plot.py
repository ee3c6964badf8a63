"""A plot as an SVG file, written by hand: bars for calls, lines for threads. It can be read on white and on black."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks.calls import PerCall
from benchmarks.contenders import DEFAULT, LEAN, Contender
from benchmarks.threads import Crowd

_WIDTH = 860
_LEFT = 250
_ROW = 30
_TOP = 60
_LINES_HEIGHT = 260
_GREY = "#8a8f98"
_COLOURS = ("#2f6fde", "#12a594", "#e5484d", "#f76b15", "#8e4ec6", "#978365", "#d6409f")


def svg(per_call: PerCall, crowds: Sequence[Crowd]) -> str:
    """The text of the file."""
    contenders = list(per_call.wall.taken)
    bars_end = _TOP + _ROW * len(contenders)
    height = bars_end + 90 + _LINES_HEIGHT + 60
    colours = dict(zip(contenders, _COLOURS, strict=False))
    parts = [
        _opening(height),
        *_bars(per_call, colours),
        *_lines(crowds, colours, bars_end + 90),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Microseconds a call, and calls a second by threads">'
    )


def _bars(per_call: PerCall, colours: dict[Contender, str]) -> Iterator[str]:
    longest = max(per_call.wall.of(contender).high for contender in colours)
    scale = (_WIDTH - _LEFT - 70) / longest
    yield _text(10, 30, "Microseconds a call, one thread (darker: processor time; line: quartiles)", bold=True)
    for row, (contender, colour) in enumerate(colours.items()):
        y = _TOP + row * _ROW
        wall, cpu = per_call.wall.of(contender), per_call.cpu.of(contender)
        yield _text(_LEFT - 10, y + 15, contender.name, anchor="end", bold=contender in {DEFAULT, LEAN})
        yield _bar(y, wall.median * scale, colour, 0.45)
        yield _bar(y, min(cpu.median, wall.median) * scale, colour, 1.0)
        low, high = _LEFT + wall.low * scale, _LEFT + wall.high * scale
        yield f'<path d="M{low:.1f} {y + 10}H{high:.1f}" stroke="{_GREY}" stroke-width="2"/>'
        yield _text(max(high, _LEFT + wall.median * scale) + 8, y + 15, f"{wall.median:,.0f}")


def _bar(y: float, length: float, colour: str, opacity: float) -> str:
    return f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="20" fill="{colour}" fill-opacity="{opacity}"/>'


def _lines(crowds: Sequence[Crowd], colours: dict[Contender, str], top: int) -> Iterator[str]:
    shared = [contender for contender in colours if contender in crowds[0].throughput.taken]
    most = max(crowd.throughput.of(contender).median for crowd in crowds for contender in shared)
    step = int(10 ** math.floor(math.log10(most)))
    steps = math.ceil(most / step)
    bottom, right = top + _LINES_HEIGHT, _WIDTH - 60
    across = [_LEFT + (right - _LEFT) * place / max(len(crowds) - 1, 1) for place in range(len(crowds))]

    def height(value: float) -> float:
        return bottom - value * _LINES_HEIGHT / (steps * step)

    yield _text(10, top - 25, "Calls a second, all threads on one client", bold=True)
    for line in range(0, steps * step + 1, step):
        yield f'<path d="M{_LEFT} {height(line):.1f}H{right}" stroke="{_GREY}" stroke-opacity="0.35"/>'
        yield _text(right + 5, height(line) + 4, f"{line:,}", size=11)
    for x, crowd in zip(across, crowds, strict=True):
        yield _text(x, bottom + 20, str(crowd.size), anchor="middle")
    yield _text((_LEFT + right) / 2, bottom + 40, "threads", anchor="middle")
    for place, contender in enumerate(shared):
        heights = [height(crowd.throughput.of(contender).median) for crowd in crowds]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True))
        yield f'<polyline points="{points}" fill="none" stroke="{colours[contender]}" stroke-width="2.5"/>'
        y = top + 10 + place * 22
        yield f'<rect x="10" y="{y - 10}" width="12" height="12" fill="{colours[contender]}"/>'
        yield _text(28, y, contender.name, bold=contender in {DEFAULT, LEAN})


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False, size: int = 13) -> str:
    weight = "bold" if bold else "normal"
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}" '
        f'fill="{_GREY}">{escape(text)}</text>'
    )

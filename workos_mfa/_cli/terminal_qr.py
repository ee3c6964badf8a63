"""A QR code as lines of text, for a terminal that a phone looks at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from workos_mfa.emulator._domain import qr

_QUIET_ZONE = 2
_HALVES = {(0, 0): " ", (0, 1): "▄", (1, 0): "▀", (1, 1): "█"}


def lines(text: str, *, inverted: bool, unicode: bool) -> Iterator[str]:
    """The QR code of a text, a line at a time.

    :param text: what the QR code holds.
    :param inverted: draw the light parts, for a terminal that writes light on dark; without it the dark ones, to be
        painted black on white.
    :param unicode: draw two rows of the code in a line, with half blocks; without it only ASCII is used.
    """
    rows = qr.modules(text, quiet_zone=_QUIET_ZONE)
    if inverted:
        rows = [[1 - module for module in row] for row in rows]
    yield from _in_half_blocks(rows) if unicode else _in_ascii(rows)


def _in_half_blocks(rows: list[list[int]]) -> Iterator[str]:
    # The last row has nothing below it but more of the border, which is the first row again.
    for upper, lower in itertools.zip_longest(rows[::2], rows[1::2], fillvalue=rows[0]):
        yield "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))


def _in_ascii(rows: list[list[int]]) -> Iterator[str]:
    for row in rows:
        yield "".join("##" if module else "  " for module in row)

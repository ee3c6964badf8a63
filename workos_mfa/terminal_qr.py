"""A QR code as lines of text, for a terminal that a phone looks at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from workos_mfa.emulator import qr

_QUIET_ZONE = 2
_BLACK_ON_WHITE = "\x1b[30;107m{}\x1b[0m"
_HALVES = {(0, 0): " ", (0, 1): "▄", (1, 0): "▀", (1, 1): "█"}


def lines(text: str, *, colours: bool, unicode: bool) -> Iterator[str]:
    """The QR code of a text, a line at a time.

    :param text: what the QR code holds.
    :param colours: draw black on white, whatever the terminal's colours are; without it the terminal should
        be light on dark, and the code is drawn in light.
    :param unicode: draw two rows of the code in a line, with half blocks; without it only ASCII is used.
    """
    rows = qr.modules(text, quiet_zone=_QUIET_ZONE)
    if not colours:
        rows = [[1 - module for module in row] for row in rows]
    for line in _in_half_blocks(rows) if unicode else _in_ascii(rows):
        yield _BLACK_ON_WHITE.format(line) if colours else line


def _in_half_blocks(rows: list[list[int]]) -> Iterator[str]:
    # The last row has nothing below it but more of the border, which is the first row again.
    for upper, lower in itertools.zip_longest(rows[::2], rows[1::2], fillvalue=rows[0]):
        yield "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))


def _in_ascii(rows: list[list[int]]) -> Iterator[str]:
    for row in rows:
        yield "".join("##" if module else "  " for module in row)

"""A QR code as lines of text, for a terminal that a phone looks at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

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
    import segno

    rows = [list(row) for row in segno.make_qr(text).matrix_iter(border=_QUIET_ZONE)]
    if not colours:
        rows = [[1 - module for module in row] for row in rows]
    if unicode:
        blank = [0 if colours else 1] * len(rows[0])
        drawn = (
            "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
            for upper, lower in itertools.zip_longest(rows[::2], rows[1::2], fillvalue=blank)
        )
    else:
        drawn = ("".join("##" if module else "  " for module in row) for row in rows)
    for line in drawn:
        yield _BLACK_ON_WHITE.format(line) if colours else line

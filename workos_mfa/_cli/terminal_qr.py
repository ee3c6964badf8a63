"""Draws a QR code in the terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TextIO

from workos_mfa._cli import output
from workos_mfa.emulator._domain import qr

# Two of four modules: scanners do with less than the standard asks for, and a window has few columns.
_QUIET_ZONE = 2
_HALF_BLOCKS = {(0, 0): " ", (0, 1): "▄", (1, 0): "▀", (1, 1): "█"}
_BLACK_ON_WHITE = "30;107"


class NotDrawnError(Exception):
    """A QR code can't be drawn here; the text says why."""


def drawn(text: str, out: TextIO, *, is_light: bool = False, indent: str = "") -> list[str]:
    """The lines of the QR code of a text: black on white, or, where there are no colours, light on a dark terminal.

    :param text: what the QR code holds.
    :param out: where the lines are to go.
    :param is_light: whether the terminal is a light one, which matters where there are no colours.
    :param indent: what each line begins with.
    :raises NotDrawnError: if segno is not installed, the text too long or the terminal too narrow.
    """
    try:
        qr.require_segno()
        has_colours = output.has_colours(out)
        inverted = not has_colours and not is_light
        lines = list(qr_lines(text, inverted=inverted, unicode=output.is_unicode(out)))
    except ImportError as error:
        raise NotDrawnError(str(error)) from None
    except qr.TooLongError:
        raise NotDrawnError("the text is too long for a QR code") from None
    needed, there = len(indent) + len(lines[0]), output.width()
    if needed > there:
        raise NotDrawnError(
            f"The QR code needs {needed} columns, and this window has {there}. Make it wider and begin again"
        )
    return [indent + output.painted(line, _BLACK_ON_WHITE, out) for line in lines]


def qr_lines(text: str, *, inverted: bool, unicode: bool) -> Iterator[str]:
    """The QR code of a text, a line at a time.

    :param text: what the QR code holds.
    :param inverted: draw the light modules, for light text on a dark terminal; without it the dark ones, for black
        text on white.
    :param unicode: draw two rows of modules in a line, with half blocks; without it a line is one row, in ASCII.
    """
    rows = qr.modules(text, quiet_zone=_QUIET_ZONE)
    if inverted:
        rows = [[1 - module for module in row] for row in rows]
    if not unicode:
        yield from ("".join("##" if module else "  " for module in row) for row in rows)
        return
    # Below an odd last row comes more of the border, which the first row is too.
    for upper, lower in itertools.zip_longest(rows[::2], rows[1::2], fillvalue=rows[0]):
        yield "".join(_HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))

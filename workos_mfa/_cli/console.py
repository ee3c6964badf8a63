"""The terminal of ``workos-mfa demo``: it shows steps, calls, results and a QR code, and asks for codes."""

from __future__ import annotations

import itertools
import shutil
import textwrap
from collections.abc import Iterator
from typing import TextIO

from workos_mfa._cli.output import has_colours, is_unicode
from workos_mfa.emulator._domain import qr

_INDENT = "   "
_HARD_SPACE = "\xa0"  # where a line must not be broken
_QUIET_ZONE = 2
_HALF_BLOCKS = {(0, 0): " ", (0, 1): "▄", (1, 0): "▀", (1, 1): "█"}


class Console:
    """Writes paragraphs in the width of the terminal; in colours, if it is a terminal and NO_COLOR is not set."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = has_colours(out)
        self._unicode = is_unicode(out)
        self._steps = 0

    def step(self, title: str) -> None:
        self._steps += 1
        self._write("", self._painted(f"{self._steps}. {title}", "1"))

    def call(self, code: str) -> None:
        """Show a call. A long one is broken between its arguments."""
        unbroken = code.replace(" ", _HARD_SPACE).replace(f",{_HARD_SPACE}", ", ")
        for line in _wrapped(unbroken, first="   >>> ", then="   ...     "):
            self._write(self._painted(line.replace(_HARD_SPACE, " "), "36"))

    def result(self, *texts: str) -> None:
        for text in texts:
            self._write(*_wrapped(text, first=_INDENT, then=_INDENT))

    def say(self, *texts: str) -> None:
        """Show paragraphs. An empty one is an empty line."""
        for text in texts:
            self._write(*_wrapped(text))

    def ask(self, question: str) -> str:
        """Ask a question. Gives what the person types, without spaces."""
        self.say("")
        lines = _wrapped(question, first=_INDENT, then=_INDENT)
        return input("\n".join([*lines, f"{_INDENT}> "])).strip().replace(" ", "")

    def qr_code(self, text: str) -> None:
        """Draw the QR code of a text, or say why not if the terminal is too narrow."""
        drawn = list(qr_lines(text, inverted=not self._colours, unicode=self._unicode))
        needed, there = len(drawn[0]) + len(_INDENT), shutil.get_terminal_size().columns
        if needed > there:
            self.result(
                f"[The QR code needs {needed} columns, and this window has {there}. Make it wider and begin again, or "
                "type the secret below into the app.]"
            )
        else:
            self._write(*(f"{_INDENT}{self._painted(line, '30;107')}" for line in drawn))

    def _write(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self._out, flush=True)

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colours else text


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


def _wrapped(text: str, *, first: str = "", then: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        shutil.get_terminal_size().columns,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]

"""The terminal of ``workos-mfa demo``: it shows steps, calls, results and a QR code, and asks for codes."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO

from workos_mfa._cli.output import BOLD, CYAN, painted, visible, write
from workos_mfa._cli.terminal_qr import NotDrawnError, drawn

_INDENT = "   "
_HARD_SPACE = "\xa0"  # where a line must not be broken


class Console:
    """Writes paragraphs in the width of the terminal; in colours, if it is a terminal and NO_COLOR is not set."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._steps = 0

    def step(self, title: str) -> None:
        self._steps += 1
        self._write("", painted(f"{self._steps}. {visible(title)}", BOLD, self._out))

    def call(self, code: str) -> None:
        """Show a call. A long one is broken between its arguments."""
        unbroken = visible(code).replace(" ", _HARD_SPACE).replace(f",{_HARD_SPACE}", ", ")
        for line in _wrapped(unbroken, first="   >>> ", then="   ...     "):
            self._write(painted(line.replace(_HARD_SPACE, " "), CYAN, self._out))

    def result(self, *texts: str) -> None:
        for text in texts:
            self._write(*_wrapped(visible(text), first=_INDENT, then=_INDENT))

    def say(self, *texts: str) -> None:
        """Show paragraphs. An empty one is an empty line."""
        for text in texts:
            self._write(*_wrapped(visible(text)))

    def ask(self, question: str) -> str:
        """Ask a question. Gives what the person types, without spaces."""
        self.say("")
        lines = _wrapped(question, first=_INDENT, then=_INDENT)
        return input("\n".join([*lines, f"{_INDENT}> "])).strip().replace(" ", "")

    def qr_code(self, text: str) -> None:
        """Draw the QR code of a text, or say why not if the terminal is too narrow."""
        try:
            self._write(*drawn(text, self._out, indent=_INDENT))
        except NotDrawnError as error:
            self.result(f"[{error}, or type the secret below into the app.]")

    def _write(self, *lines: str) -> None:
        for line in lines:
            write(f"{line}\n", self._out)


def _wrapped(text: str, *, first: str = "", then: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        shutil.get_terminal_size().columns,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]

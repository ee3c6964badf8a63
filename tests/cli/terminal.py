"""A program in a terminal of its own, with a size, at which somebody types."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable

import attrs

_LONGEST = 60.0  # seconds: a program that waits for ever must not make the tests wait


@attrs.frozen
class Session:
    """What the terminal has shown, colours taken off, and the status that the program ended with."""

    shown: str
    status: int


def in_a_terminal(*arguments: str, columns: int, typing: Callable[[str], str]) -> Session:
    """Run our command in a terminal.

    :param columns: how wide it is.
    :param typing: gets what has been shown so far whenever the program waits, and gives what to type.
    """
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    unset = ("COLUMNS", "NO_COLOR")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-W", "error", "-m", "workos_mfa", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:  # noqa: S603
        os.close(theirs)
        limit = threading.Timer(_LONGEST, process.kill)
        limit.start()
        shown = b""
        while chunk := _read(ours):
            shown += chunk
            if shown.endswith(b"   > "):
                os.write(ours, typing(_bare(shown)).encode())
        limit.cancel()
    os.close(ours)
    return Session(_bare(shown), process.returncode)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so where others say that it is the end
        return b""


def _bare(shown: bytes) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).replace("\r\n", "\n")

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

from tests.cli.processes import environment_with

CTRL_C = "\x03"
CTRL_D = "\x04"

_LONGEST = 60.0  # seconds: a program that waits for ever must not make the tests wait
_QUESTIONS = ("   > ", "(what you type is not shown): ", "[y/N] ")

# The terminal becomes the process' own, so that Ctrl-C reaches it, and /dev/tty is this one and not that of the tests.
_IN_ITS_OWN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-W", "error", "-m", "workos_mfa", *sys.argv[1:]])
"""


@attrs.frozen
class Session:
    """What the terminal has shown, colours taken off, and the status that the program ended with."""

    shown: str
    status: int
    raw: str = attrs.field(repr=False)


def asks(shown: str) -> bool:
    """Whether a question is the last that has been shown."""
    return shown.endswith(_QUESTIONS)


def in_a_terminal(
    *arguments: str,
    columns: int,
    typing: Callable[[str], str] = str,
    at: Callable[[str], bool] = asks,
    **variables: str,
) -> Session:
    """Run our command in a terminal.

    :param columns: how wide it is.
    :param typing: gets what has been shown so far whenever the program waits, and gives what to type.
    :param at: whether it waits, by what has been shown so far; it does at a question if left out.
    :param variables: of the environment.
    """
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-c", _IN_ITS_OWN, *arguments]
    environment = environment_with(**variables)
    with subprocess.Popen(  # noqa: S603 - our own
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        limit = threading.Timer(_LONGEST, process.kill)
        limit.start()
        shown = b""
        while chunk := _read(ours):
            shown += chunk
            if at(shown.decode("utf-8", "replace")):
                os.write(ours, typing(_bare(shown)).encode())
        limit.cancel()
    os.close(ours)
    return Session(_bare(shown), process.returncode, shown.decode().replace("\r\n", "\n"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so where others say that it is the end
        return b""


def _bare(shown: bytes) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).replace("\r\n", "\n")

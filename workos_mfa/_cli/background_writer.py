"""Writes lines in a thread, so that a pipe that nobody reads can't stop the process.

Such a pipe is full after a few hundred lines, and then a write does not return. Lines that have to wait too long are
left out and counted. None of them delays the end of the process by more than a second.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from io import RawIOBase
from queue import SimpleQueue
from typing import TextIO

_MOST_WAITING = 1000
_LONGEST_CLOSE = 1.0
_PAUSE = 0.02


class BackgroundWriter:
    """Writes lines in the background, in their order. That nobody reads them is no error.

    :param out: where the lines go.
    :param left_out: makes the line that stands in place of so many lines.
    """

    def __init__(self, out: TextIO, left_out: Callable[[int], str]) -> None:
        self._put = _unbuffered(out)
        self._left_out = left_out
        self._waiting: SimpleQueue[str | None] = SimpleQueue()  # None comes last
        self._missed = 0
        self._lock = threading.Lock()
        self._writer = threading.Thread(target=self._write_all, name="workos-mfa output", daemon=True)

    def write(self, *lines: str) -> None:
        """Add lines. This returns at once."""
        with self._lock:
            if self._waiting.qsize() >= _MOST_WAITING:
                self._missed += len(lines)
            else:
                self._add(lines)

    def close(self, *lines: str) -> None:
        """Add the last lines. This returns when all lines are written, or after a second."""
        with self._lock:
            self._add([*lines, None])
        with contextlib.suppress(RuntimeError):
            self._writer.join(_LONGEST_CLOSE)

    def _add(self, lines: Iterable[str | None]) -> None:
        if self._missed:
            self._waiting.put(self._left_out(self._missed))
            self._missed = 0
        for line in lines:
            self._waiting.put(line)
        # It raises if the thread was started before, or if the system has no more threads, which may pass.
        with contextlib.suppress(RuntimeError):
            self._writer.start()

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._put(f"{line}\n")


def _unbuffered(out: TextIO) -> Callable[[str], object]:
    """A function that writes without buffers: what is left in a buffer would block the process at its end."""
    buffered = getattr(out, "buffer", None)
    raw = getattr(buffered, "raw", buffered)
    if not isinstance(raw, RawIOBase):
        return lambda text: (out.write(text), out.flush())

    def put(text: str) -> None:
        data = memoryview(text.encode(out.encoding, "backslashreplace"))
        while data:
            # It is None if the pipe is full and non-blocking, as Node's pipes are.
            written = raw.write(data)
            data = data[written or 0 :]
            if not written:
                time.sleep(_PAUSE)

    return put

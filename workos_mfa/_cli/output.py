"""Lines for whoever reads the output of a process that has to go on, read or not.

A pipe that nobody reads is full after a few hundred lines, and then a write never returns. So a thread of its own
writes; what it can't keep up with is left out and counted, and nothing of it is in the way when the process ends.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from io import RawIOBase
from typing import TextIO

_MOST_WAITING = 1000
_LONGEST_GOODBYE = 1.0
_PAUSE = 0.02


class Lines:
    """Writes lines in the background, in the order in which they came; a reader who went away is no reason to stop.

    :param out: where they go.
    :param left_out: the line that says how many were left out where it stands.
    """

    def __init__(self, out: TextIO, left_out: Callable[[int], str]) -> None:
        self._put = _unbuffered(out)
        self._left_out = left_out
        self._waiting: deque[str] = deque()
        self._missed = 0
        self._ends = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write_all, name="workos-mfa output", daemon=True)

    def write(self, *lines: str) -> None:
        """Have lines written; returns at once."""
        with self._changed:
            if len(self._waiting) >= _MOST_WAITING:
                self._missed += len(lines)
                return
            self._note_missed()
            self._waiting.extend(lines)
            self._wake()

    def close(self, *lines: str) -> None:
        """Have the last lines written; returns when that is done, or nobody has read anything for a moment."""
        with self._changed:
            self._note_missed()
            self._waiting.extend(lines)
            self._ends = True
            self._wake()
        with contextlib.suppress(RuntimeError):
            self._writer.join(_LONGEST_GOODBYE)

    def _wake(self) -> None:
        # Begun already, perhaps by who was interrupted in doing so, or there are no threads left, which may pass.
        with contextlib.suppress(RuntimeError):
            self._writer.start()
        self._changed.notify()

    def _note_missed(self) -> None:
        if self._missed:
            self._waiting.append(self._left_out(self._missed))
            self._missed = 0

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ends)
                if not self._waiting:
                    return
                text = "".join(f"{line}\n" for line in self._waiting)
                self._waiting.clear()
            with contextlib.suppress(OSError, ValueError):
                self._put(text)


def _unbuffered(out: TextIO) -> Callable[[str], object]:
    """What writes a text past all buffers: one that is left in them would hold up the end of the process."""
    buffered = getattr(out, "buffer", None)
    raw = getattr(buffered, "raw", buffered)
    if not isinstance(raw, RawIOBase):
        return lambda text: (out.write(text), out.flush())

    def put(text: str) -> None:
        data = memoryview(text.encode(out.encoding, "backslashreplace"))
        while data:
            # None if it does not wait by itself, as a pipe of Node's.
            written = raw.write(data)
            data = data[written or 0 :]
            if not written:
                time.sleep(_PAUSE)

    return put

"""A list that the emulator writes and everybody reads: what was sent, what was called.

It is live: one reference taken at the start of a test shows what came in since. Reading is safe while
other threads make calls; an iteration sees the entries that were there when it began.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Record(Sequence[T]):
    """A read-only sequence, oldest entry first, that grows while it is looked at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[T] = []
        self._watchers: tuple[Callable[[T], object], ...] = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)}>"

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        with self._lock:
            if isinstance(index, slice):
                return tuple(self._entries[index])
            if -len(self._entries) <= index < len(self._entries):
                return self._entries[index]
            count = len(self._entries)
        raise IndexError(f"there is no entry {index}; there are {count}")

    def __iter__(self) -> Iterator[T]:
        with self._lock:
            return iter(tuple(self._entries))

    def __reversed__(self) -> Iterator[T]:
        with self._lock:
            return iter(tuple(reversed(self._entries)))

    def watch(self, watcher: Callable[[T], object]) -> None:
        """Call a function with each entry from now on, in the thread of whoever adds it."""
        with self._lock:
            self._watchers = (*self._watchers, watcher)

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()

    def _append(self, entry: T) -> None:
        with self._lock:
            self._entries.append(entry)
        for watcher in self._watchers:
            watcher(entry)

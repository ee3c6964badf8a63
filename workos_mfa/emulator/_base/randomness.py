"""Where ids, secrets, codes and request ids take their chance from."""

from __future__ import annotations

import hashlib
import secrets
import threading
from uuid import UUID, uuid4


class Randomness:
    """Chance as the operating system has it; or, with a seed, the same every time.

    A seed is for tests and nothing else: whoever knows it knows the secrets.

    :param seed: an int or str, each of which gives another series; None for the operating system's.
    :raises TypeError: if it is anything else.
    :ivar position: how much was drawn with the seed; kept with the rest of the emulator's memory.
    """

    def __init__(self, seed: int | str | None = None) -> None:
        if not isinstance(seed, (int, str, type(None))) or isinstance(seed, bool):
            raise TypeError(
                "Emulator(random_seed=...) takes an int or a str, from which chance follows; "
                "users, factors and challenges that are to be there go to emulator.seed(...)"
            )
        # Its repr tells the int 1 from the str "1".
        self._seed = None if seed is None else repr(seed)
        self._lock = threading.Lock()
        self._uuids = 0
        self.position: int = 0

    def restart(self) -> None:
        """Begin the series anew, where there is one."""
        with self._lock:
            self._uuids = self.position = 0

    def bits(self, count: int) -> int:
        """A number of at most so many bits, 256 or fewer."""
        if self._seed is None:
            return secrets.randbits(count)
        with self._lock:
            self.position += 1
            return self._number("value", self.position) >> (256 - count)

    def code(self) -> str:
        """A one-time code of six digits."""
        return f"{self.bits(128) % 10**6:06d}"

    def uuid(self) -> str:
        """A UUID of version 4, of a series apart: how often an app asks does not change the values."""
        if self._seed is None:
            return str(uuid4())
        with self._lock:
            self._uuids += 1
            return str(UUID(int=self._number("uuid", self._uuids) >> 128, version=4))

    def _number(self, series: str, position: int) -> int:
        digest = hashlib.sha256(f"{series} {position} {self._seed}".encode()).digest()
        return int.from_bytes(digest, "big")

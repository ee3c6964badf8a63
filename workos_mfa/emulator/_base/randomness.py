"""Where ids, secrets, codes and request ids take their chance from."""

from __future__ import annotations

import hashlib
import secrets
import threading

_VERSION = ~(0xF << 76 | 0x3 << 62), 0x4 << 76 | 0x2 << 62
"""What a UUID of version 4 leaves to chance, and what it does not."""


class Randomness:
    """Chance as the operating system has it; nobody can foresee or repeat it."""

    position = 0
    """How much has been drawn, where it can be drawn again; kept with the rest of the emulator's memory."""

    def restart(self) -> None:
        """Begin the series anew, where there is one."""

    def bits(self, count: int) -> int:
        """A number of at most so many bits, 256 or fewer."""
        return secrets.randbits(count)

    def code(self) -> str:
        """A one-time code of six digits."""
        return f"{secrets.randbelow(10**6):06d}"

    def uuid(self) -> str:
        """A UUID of version 4."""
        return _uuid(secrets.randbits(128))


class SeededRandomness(Randomness):
    """Chance that is the same every time, for tests and nothing else: whoever knows the seed knows the secrets.

    :param seed: an int or str; each gives another series.
    :raises TypeError: if it is anything else.
    """

    def __init__(self, seed: int | str) -> None:
        if not isinstance(seed, (int, str)) or isinstance(seed, bool):
            raise TypeError(
                "Emulator(random_seed=...) takes an int or a str, from which chance follows; "
                "users, factors and challenges that are to be there go to emulator.seed(...)"
            )
        # Its repr tells the int 1 from the str "1".
        self._seed = f"{seed!r}"
        self._lock = threading.Lock()
        self._uuids = 0
        self.position: int = 0

    def restart(self) -> None:
        """Begin the series anew."""
        with self._lock:
            self._uuids = self.position = 0

    def bits(self, count: int) -> int:
        """A number of at most so many bits, 256 or fewer."""
        with self._lock:
            self.position += 1
            return self._number("value", self.position) >> (256 - count)

    def code(self) -> str:
        """A one-time code of six digits."""
        return f"{self.bits(128) % 10**6:06d}"

    def uuid(self) -> str:
        """A UUID of version 4, of a series apart: how often an app asks does not change the values."""
        with self._lock:
            self._uuids += 1
            return _uuid(self._number("uuid", self._uuids) >> 128)

    def _number(self, series: str, position: int) -> int:
        digest = hashlib.sha256(f"{series} {position} {self._seed}".encode()).digest()
        return int.from_bytes(digest, "big")


def _uuid(number: int) -> str:
    # Every answer has one, and the standard library's takes five times as long.
    chance, version = _VERSION
    text = f"{number & chance | version:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

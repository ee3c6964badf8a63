"""Responses by their idempotency key, for the setting under which a second call with a key does nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workos_mfa.emulator._api.router import Result
from workos_mfa.emulator._domain import error_responses


class Replies:
    """The responses to calls that had a key. Errors are not kept: a call that was refused may be made again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[bytes, Result]] = {}

    def once(self, name: str, body: bytes, act: Callable[[], Result]) -> Result:
        """The response of the first call of this name.

        :param name: path and key.
        :param act: makes the call; it is made once.
        :raises ErrorResponse: if the first call had another body, or as the call does.
        """
        with self._lock:
            if name not in self._kept:
                self._kept[name] = body, act()
            first, result = self._kept[name]
        if first != body:
            raise error_responses.key_with_another_body()
        return result

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

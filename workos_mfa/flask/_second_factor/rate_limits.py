"""How often something may be tried or sent: by address, by account, by phone number, and by the whole app.

WorkOS counts the wrong codes of each challenge, and an app makes new challenges: without this, who has a password could
guess for ever, and order text messages without end.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string

DEFAULT_LIMITS: Mapping[str, str] = {
    "codes_by_address": "10 per 5 minutes, 50 per hour",
    "codes_by_account": "5 per 5 minutes, 20 per hour, 50 per day",
    "recovery_by_address": "5 per 5 minutes, 20 per hour",
    "enrolments_by_account": "10 per hour, 30 per day",
    "messages_by_address": "10 per hour, 30 per day",
    "messages_by_account": "5 per hour, 10 per day",
    "messages_by_number": "5 per hour, 10 per day",
    "new_number_messages_by_address": "5 per hour, 10 per day",
    "new_number_messages_by_account": "5 per hour, 10 per day",
    "new_number_messages_by_number": "3 per hour, 5 per day",
    "new_number_messages_by_app": "300 per hour",
    "new_numbers_by_account": "3 per day",
    "messages_by_app": "1000 per hour",
    "lock_notices_by_account": "1 per hour",
}
"""The limits by name, each as ``limits`` reads it: several are separated by commas, the shortest first."""

_PATIENCE = 2.0
"""Seconds to wait for a Redis that says nothing; ``?socket_timeout=5`` in its address is stronger."""

Taken: TypeAlias = "list[tuple[str, RateLimitItem]]"


class LimitsUnavailableError(Exception):
    """The counts can't be reached, so nothing is let through."""


class TooOften(Exception):  # noqa: N818 - it is a decision, not a fault
    """A limit is reached.

    :ivar limit: its name.
    :ivar wait: whole seconds until there is another try.
    """

    def __init__(self, limit: str, wait: int) -> None:
        super().__init__(f"{limit}: {wait} seconds to wait")
        self.limit = limit
        self.wait = wait


class Limits:
    """The counts.

    :param uri: where they are kept: ``memory://`` for one process, or as ``redis://localhost:6379/0``.
    :param limits: other limits than the default ones, by name.
    :param clock: gives the time in seconds.
    :param app: the name of the app, since another one may count in the same place.
    :raises ValueError: if a limit's name is unknown, it can't be read, or there is no such place to keep the counts.
    """

    def __init__(self, uri: str, limits: Mapping[str, str], clock: Callable[[], float], *, app: str = "") -> None:
        if unknown := limits.keys() - DEFAULT_LIMITS.keys():
            raise ValueError(f"there are no limits of these names: {', '.join(sorted(unknown))}")
        self._items = {name: _read(name, text) for name, text in {**DEFAULT_LIMITS, **limits}.items()}
        if uri.startswith("async+"):
            raise ValueError("the limits can't be counted there: it is for programs with asyncio")
        try:
            self._storage = cast("Storage", storage_from_string(uri, wrap_exceptions=True, **_options(uri)))
        except ConfigurationError as error:
            # There may be a password in it.
            raise ValueError(f"the limits can't be counted there: {str(error).replace(uri, '...')}") from None
        self._app = app
        self._clock = clock
        self.is_in_memory = isinstance(self._storage, MemoryStorage)
        # A step of Redis is atomic. One in memory is not, so threads could lose counts.
        self._step = threading.Lock() if self.is_in_memory else contextlib.nullcontext()

    def take(self, name: str, who: str = "") -> Taken:
        """Count one try. It is counted before the result is known, so that parallel tries can't get ahead of it.

        :param name: the limit.
        :param who: the address, account or number.
        :returns: what was counted, for :meth:`give_back`.
        :raises TooOften: if there is no try left. The shortest limit is asked first, and what it refuses does not count
            for the longer ones.
        :raises LimitsUnavailableError: if the counts can't be reached.
        """
        now = self._clock()
        taken: Taken = []
        for item in self._items[name]:
            key = self._key(item, name, who, now)
            if self._add(1, key, item) > item.amount:
                raise TooOften(name, math.ceil(item.get_expiry() - now % item.get_expiry()))
            taken.append((key, item))
        return taken

    def give_back(self, taken: Taken) -> None:
        """Undo one try: it was none, since the code was right.

        :raises LimitsUnavailableError: if the counts can't be reached.
        """
        for key, item in taken:
            self._add(-1, key, item)

    def clear_shortest(self, name: str, who: str) -> None:
        """Give back the tries of the shortest time: the longer ones still add up.

        :raises LimitsUnavailableError: if the counts can't be reached.
        """
        item = self._items[name][0]
        try:
            with self._step:
                self._storage.clear(self._key(item, name, who, self._clock()))
        except StorageError as error:
            raise _unavailable(error) from error

    def _add(self, amount: int, key: str, item: RateLimitItem) -> int:
        try:
            with self._step:
                return self._storage.incr(key, item.get_expiry(), amount=amount)
        except StorageError as error:
            raise _unavailable(error) from error

    def _key(self, item: RateLimitItem, name: str, who: str, now: float) -> str:
        # The number of the time window is part of the key, so that the windows follow our clock and not the storage's.
        return item.key_for("workos_mfa", self._app, name, who, str(int(now // item.get_expiry())))


def _options(uri: str) -> Mapping[str, float]:
    is_redis = uri.startswith(("redis", "valkey"))
    return {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE} if is_redis else {}


def _unavailable(error: StorageError) -> LimitsUnavailableError:
    return LimitsUnavailableError(f"the limits can't be counted: {type(error.storage_error).__name__}")


def _read(name: str, text: str) -> Sequence[RateLimitItem]:
    try:
        return sorted(parse_many(text), key=lambda item: item.get_expiry())
    except ValueError as error:
        raise ValueError(f"the limit {name} can't be read: {error}") from None

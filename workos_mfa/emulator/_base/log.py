"""Logs of what the emulator did: the calls that it got, and the text messages that would have gone to a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar, overload

import attrs

from workos_mfa._core.redaction import NoDiffEquality, masked_phone

T = TypeVar("T")


class Log(Sequence[T]):
    """A sequence that grows while it is read, oldest entry first.

    It is live: a test that takes it once sees what came in since. Reading is safe while other threads make calls; an
    iteration sees the entries that were there when it began.
    """

    def __init__(self) -> None:
        # No lock: every use is one operation of a list, which no other thread can interrupt.
        self._entries: list[T] = []
        self._watchers: list[Callable[[T], object]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)}>"

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self._entries[index])
        try:
            return self._entries[index]
        except IndexError:
            pass
        raise IndexError(f"there is no entry {index}; there are {len(self)}")

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries.copy())

    def __reversed__(self) -> Iterator[T]:
        return reversed(self._entries.copy())

    def watch(self, watcher: Callable[[T], object]) -> None:
        """Call a function with each entry from now on, in the thread of whoever adds it."""
        self._watchers.append(watcher)

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def append(self, entry: T) -> None:
        """Add an entry."""
        self._entries.append(entry)
        for watcher in self._watchers:
            watcher(entry)


@attrs.frozen(kw_only=True)
class Call:
    """One request and what became of it; no body is kept.

    :param operation: the name of the call, as the method of :class:`workos_mfa.MFA` has it, or None
        where the emulator does not know the route.
    :param method: the HTTP method.
    :param route: the path's template, such as ``/auth/factors/{id}``, or None as above.
    :param path: the path as it was sent; left out of the repr, since an app may have put anything there.
    :param query: the query parameters, decoded; left out of the repr too.
    :param status: the HTTP status of the response, also of one that was lost on the way; None where a fault kept
        the request from arriving.
    :param error_code: the API's name for the error, or None.
    :param request_id: the ``X-Request-Id`` of the response.
    :param at: when, by the emulator's clock.
    :param fault: the name of the fault that struck it, such as ``lose_response``, or None.
    """

    operation: str | None
    method: str
    route: str | None
    path: str = attrs.field(repr=False)
    query: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    status: int | None
    error_code: str | None
    request_id: str
    at: datetime
    fault: str | None = None


class Calls(Log[Call]):
    """All calls, oldest first; a sequence that is safe to read while calls are made."""


@attrs.frozen(kw_only=True, eq=False)
class SMSMessage(NoDiffEquality):
    """One text message. Its repr shows neither code nor text and masks the number.

    :param to: the phone number in E.164 form.
    :param text: the whole text, as it would arrive.
    :param code: the one-time code of the challenge. The text holds it, unless its template does not.
    :param factor_id: the factor that was challenged.
    :param challenge_id: the challenge that the code is for.
    :param sent_at: when it was sent, by the emulator's clock.
    """

    to: str = attrs.field(repr=masked_phone)
    text: str = attrs.field(repr=False)
    code: str = attrs.field(repr=False)
    factor_id: str
    challenge_id: str
    sent_at: datetime


class Outbox(Log[SMSMessage]):
    """All text messages, oldest first; a sequence that is safe to read while calls are made.

    :param clearing: calls the function that it is given, which removes all messages, and does what goes with it.
    """

    def __init__(self, clearing: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._clearing = clearing

    def clear(self) -> None:
        """Forget all messages."""
        self._clearing(super().clear)

    def latest(
        self, *, to: str | None = None, factor_id: str | None = None, challenge_id: str | None = None
    ) -> SMSMessage:
        """The newest message, or the newest that fits what is given.

        :param to: the phone number in E.164 form.
        :param factor_id: the factor it belongs to.
        :param challenge_id: the challenge it belongs to.
        :raises LookupError: if there is none.
        """
        for message in reversed(self):
            if (
                to in {None, message.to}
                and factor_id in {None, message.factor_id}
                and challenge_id in {None, message.challenge_id}
            ):
                return message
        raise LookupError(
            f"no text message fits; the outbox holds {len(self)}. Only a challenge of an sms factor sends "
            "one, to the number in E.164 form, such as +15005550006"
        )

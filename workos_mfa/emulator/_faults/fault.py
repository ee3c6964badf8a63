"""One fault: which calls it strikes, what it does to them, and how often it has."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from workos_mfa.emulator._faults import effects

OPERATIONS = (
    "enroll_factor",
    "get_factor",
    "delete_factor",
    "challenge_factor",
    "verify_challenge",
    "create_user_auth_factor",
    "list_user_auth_factors",
)
"""The calls that a fault can be for."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@attrs.frozen
class Selectors:
    """Which calls, and how many of them; see :class:`Faults`."""

    operation: str | None = None
    method: str | None = None
    path: str | None = None
    count: int | None = 1
    after: int = 0

    def __attrs_post_init__(self) -> None:
        if self.operation not in (None, *OPERATIONS):
            raise ValueError(f"operation is {self.operation!r}, but takes one of {', '.join(OPERATIONS)}")
        if self.method not in (None, "*") and str(self.method).upper() not in _METHODS:
            raise ValueError(f"method is {self.method!r}, but takes one of {', '.join(_METHODS)} or *")
        if self.path not in (None, "*") and not str(self.path).startswith(("/", "*")):
            raise ValueError("path: it takes a path that begins with / or *, such as /auth/factors/*")
        if self.count is not None:
            effects.whole("count", self.count, least=1)
        effects.whole("after", self.after, least=0)


@attrs.define
class _Tally:
    """What changes in a fault; whoever owns the fault holds the lock."""

    seen: int = 0
    used: int = 0
    window_began: datetime | None = None
    calls_in_window: int = 0


@attrs.frozen(kw_only=True, eq=False)
class Fault:
    """A fault as ``emulator.faults`` made it.

    :param id: its id, by which it can be removed over HTTP.
    :param selectors: which calls it strikes.
    :param effect: what it does to them.
    """

    id: str
    selectors: Selectors
    effect: effects.Effect
    _tally: _Tally = attrs.field(factory=_Tally, init=False, repr=False)

    @property
    def kind(self) -> effects.Kind:
        """The name of the method that made it."""
        return self.effect.kind

    @property
    def used(self) -> int:
        """How many calls it has struck so far."""
        return self._tally.used

    @property
    def is_used_up(self) -> bool:
        """Whether it has struck as many calls as it may."""
        return self.selectors.count is not None and self.used >= self.selectors.count

    @property
    def has_done_its_part(self) -> bool:
        """Whether it has struck as many calls as were announced; one, where the number is open."""
        return self.used >= (self.selectors.count or 1)

    def as_json(self) -> dict[str, object]:
        """The fault in the form that ``from_json`` reads, with ``id`` and ``used``."""
        effect = self.effect
        shown: dict[str, object] = {"id": self.id, "used": self.used, "fault": effect.kind}
        shown |= attrs.asdict(self.selectors)
        if effect.content is not None:
            shown |= {"status": effect.status, "body": effect.content.body, "headers": dict(effect.headers)}
        if effect.seconds is not None:
            shown["seconds"] = effect.seconds
        if effect.calls is not None:
            shown["calls"] = effect.calls
        return shown

    def fits(self, operation: str | None, method: str, path: str) -> bool:
        """Whether a call is one of those that are meant."""
        wanted = self.selectors
        return (
            wanted.operation in {None, operation}
            and (wanted.method in {None, "*"} or str(wanted.method).upper() == method)
            and (wanted.path is None or _path_fits(wanted.path, path))
        )

    def strike(self, now: datetime) -> effects.Effect | None:
        """Count a call that fits; what is to happen to it, or None where it goes through."""
        tally = self._tally
        tally.seen += 1
        if tally.seen <= self.selectors.after:
            return None
        effect = self.effect
        if effect.kind == "rate_limit":
            wait = self._wait(now)
            if wait is None:
                return None
            effect = effects.answer(429, retry_after=wait)
        tally.used += 1
        return effect

    def _wait(self, now: datetime) -> int | None:
        """Seconds until the window ends, or None where there is room in it."""
        tally = self._tally
        length = timedelta(seconds=self.effect.seconds or 0)
        began = tally.window_began
        if began is None or not began <= now < began + length:
            tally.window_began = began = now
            tally.calls_in_window = 0
        if tally.calls_in_window < (self.effect.calls or 0):
            tally.calls_in_window += 1
            return None
        # Rounded up, so that who waits as long as it says gets through.
        return -int((now - began - length) // timedelta(seconds=1))


def _path_fits(pattern: str, path: str) -> bool:
    if pattern.endswith("/*") and path == pattern[:-2]:
        return True
    first, *others = pattern.split("*")
    if not others:
        return path == first
    *middle, last = others
    # Each part where it is found first: a regular expression would try all its places, with those of all the others.
    start, end = len(first), len(path) - len(last)
    for part in middle:
        found = path.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return start <= end and path.startswith(first) and path.endswith(last)

"""What goes wrong between an app and the API, on demand: so that an app can be tested against it.

A fault is chosen by the call it strikes and by how often. What it does is said in an :class:`Outcome`, which
each door of the emulator turns into what its side of the wire would see: an exception in process, a
connection that breaks over HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

import attrs

from workos_mfa._core.transport import Response
from workos_mfa.emulator._faults import effects
from workos_mfa.emulator._faults.fault import Fault, Selectors
from workos_mfa.emulator._faults.from_json import read_fault
from workos_mfa.emulator._faults.making import MakesFaults

Trouble = Literal["refused", "request_lost", "response_lost", "body_cut"]


@attrs.frozen
class Outcome:
    """What became of a request.

    :param response: the answer. With ``response_lost`` it is the one that nobody gets to see, with ``body_cut`` the one
        that ends too early; None where the request did not arrive.
    :param trouble: ``"refused"``: there was no connection; ``"request_lost"``: the connection broke before the call
        was acted on; ``"response_lost"``: it broke afterwards; ``"body_cut"``: it broke within the body of the answer.
    :param delay: seconds that pass between the act and the answer.
    """

    response: Response | None
    trouble: Trouble | None = None
    delay: float = 0.0


@attrs.frozen
class Struck:
    """What the faults say of one call.

    :param effect: what replaces or spoils the answer, or None.
    :param delay: seconds that the answer is late.
    """

    effect: effects.Effect | None = None
    delay: float = 0.0


_NOTHING = Struck()


class Faults(MakesFaults, Collection[Fault]):
    """The faults that wait for their calls, oldest first.

    Every method that makes one takes the same selectors, by keyword; a call must fit all that are given:

    ``operation``
        the name of the call, as the method of :class:`workos_mfa.MFA` has it, such as ``"verify_challenge"``.
    ``method``
        the HTTP method; ``*`` is any.
    ``path``
        the path as it is sent. ``*`` stands for any characters, slashes too; ``/auth/factors/*`` fits
        ``/auth/factors`` as well.
    ``count``
        how many calls it strikes: 1 unless given; None for all.
    ``after``
        how many calls that fit go through before the first that it strikes: 0 unless given.

    Where several fit, the oldest strikes and the others wait; but delays go together with any other. A fault that
    has struck ``count`` times is used up: no longer iterated over, and still in :attr:`Fault.used`. May be shared
    by threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made = 0
        self._all: dict[str, Fault] = {}
        self._waiting: tuple[Fault, ...] = ()

    def __repr__(self) -> str:
        return f"<Faults: {list(self._waiting)}>"

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def __contains__(self, fault: object) -> bool:
        return fault in self._waiting

    def from_json(self, mapping: Mapping[str, object]) -> Fault:
        """Make a fault from JSON.

        ``{"fault": "lose_response", "operation": "verify_challenge", "count": 2}`` is the method ``lose_response`` with
        these selectors; every method and its parameters can be written so. An error hook of WorkOS' emulator
        (``method``, ``path``, ``status``, ``body``, ``count``) is read as what it means there: an ``answer``, for
        ever unless it has a ``count``.

        :raises ValueError: if it can't be read; the text says what is wrong and what is possible.
        """
        return self._add(*read_fault(mapping))

    def clear(self) -> None:
        """Forget all faults, used up ones too."""
        with self._lock:
            self._all.clear()
            self._waiting = ()

    def remove(self, fault: Fault | str) -> None:
        """Forget one fault.

        :param fault: the fault or its id.
        :raises LookupError: if there is no such fault.
        :raises TypeError: if it is neither.
        """
        if not isinstance(fault, (str, Fault)):
            raise TypeError(f"remove() takes a fault or its id, not {type(fault).__name__!r}")
        fault_id = fault if isinstance(fault, str) else fault.id
        with self._lock:
            if self._all.pop(fault_id, None) is not None:
                self._waiting = tuple(other for other in self._waiting if other.id != fault_id)
                return
            known = ", ".join(self._all) or "none"
        raise LookupError(f"there is no fault {fault_id!r}; there are: {known}")

    def unused(self) -> tuple[Fault, ...]:
        """The faults that have struck fewer calls than announced, or none where the number is open."""
        with self._lock:
            return tuple(fault for fault in self._all.values() if not fault.has_done_its_part)

    def assert_all_used(self) -> None:
        """Make sure that every fault of a test has struck: one that has not proves nothing.

        :raises AssertionError: if one has not; the text lists them.
        """
        unused = self.unused()
        if unused:
            lines = "".join(f"\n  {fault!r}: {fault.used} of {fault.selectors.count or 'any'}" for fault in unused)
            raise AssertionError(f"these faults have not struck as often as announced:{lines}")

    def strike(self, operation: str | None, method: str, path: str, now: Callable[[], datetime]) -> Struck:
        """What is to happen to a call, which counts for the faults that it fits.

        :param operation: the name of the call, or None where the route is not known.
        :param method: the HTTP method, in capitals.
        :param path: the path as it was sent.
        :param now: tells the emulator's time.
        """
        if not self._waiting:
            return _NOTHING
        with self._lock:
            struck = self._struck(operation, method, path, now())
            self._waiting = tuple(fault for fault in self._waiting if not fault.is_used_up)
        return struck

    def _struck(self, operation: str | None, method: str, path: str, now: datetime) -> Struck:
        found = None
        delay = 0.0
        for fault in self._waiting:
            is_delay = fault.kind == "delay"
            if (found is not None and not is_delay) or not fault.fits(operation, method, path):
                continue
            effect = fault.strike(now)
            if effect is None:
                continue
            if is_delay:
                delay += effect.seconds or 0
            else:
                found = effect
        return Struck(found, delay)

    def _add(self, effect: effects.Effect, selectors: Selectors) -> Fault:
        with self._lock:
            self._made += 1
            fault = Fault(id=f"fault_{self._made}", selectors=selectors, effect=effect)
            self._all[fault.id] = fault
            self._waiting = (*self._waiting, fault)
        return fault

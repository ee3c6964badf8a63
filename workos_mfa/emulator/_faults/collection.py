"""The faults of an emulator, a live collection: made on demand, so that an app can be tested against them."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, cast

import attrs

from workos_mfa.emulator._faults.fault import (
    JSON_TYPE,
    Effect,
    Fault,
    Selectors,
    SelectorsDict,
    Trouble,
    number,
    reason,
    respond,
    whole,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

_METHODS = (
    "refuse_connection",
    "lose_request",
    "lose_response",
    "cut_body",
    "delay",
    "respond",
    "respond_html",
    "respond_broken_json",
    "rate_limit",
)
_SELECTORS = tuple(field.name for field in attrs.fields(Selectors))
# What as_json() adds, so that a fault can be sent back as it came.
_NOT_READ = ("fault", "id", "used")

_HTML = "<html><head><title>{status}</title></head><body><h1>{reason}</h1><hr>an edge server</body></html>"
_BROKEN_JSON = '{"object": "authentication_factor", "id": '


class Faults(Collection[Fault]):
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

    def refuse_connection(self, **selectors: Unpack[SelectorsDict]) -> Fault:
        """No connection is made, so nothing is done: a :class:`workos_mfa.ConnectError`."""
        return self._break("refuse_connection", selectors)

    def lose_request(self, **selectors: Unpack[SelectorsDict]) -> Fault:
        """The connection breaks before anything is done; the client can't tell it from :meth:`lose_response`."""
        return self._break("lose_request", selectors)

    def lose_response(self, **selectors: Unpack[SelectorsDict]) -> Fault:
        """The call is done and the connection breaks before the response: to repeat it now does it twice."""
        return self._break("lose_response", selectors)

    def cut_body(self, **selectors: Unpack[SelectorsDict]) -> Fault:
        """The call is done and the connection breaks in the middle of the response's body."""
        return self._break("cut_body", selectors)

    def delay(self, seconds: float, **selectors: Unpack[SelectorsDict]) -> Fault:
        """The call is done and the response comes late.

        :param seconds: how late. In process a frozen clock is moved by them, and with one that runs they are
            waited for; if they reach the timeout of the call, that much passes and the call times out.
        """
        return self._add(Effect(kind="delay", seconds=number("seconds", seconds)), selectors)

    def respond(
        self,
        status: int,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        **selectors: Unpack[SelectorsDict],
    ) -> Fault:
        """Nothing is done, and this is the response.

        :param status: the HTTP status.
        :param body: what is sent as JSON; a string is sent as it is. None for what the API says with this status.
        :param headers: headers beside, or in place of, the usual ones.
        :param retry_after: seconds, for ``Retry-After``.
        """
        return self._add(respond(status, body, headers, retry_after), selectors)

    def respond_html(self, status: int = 502, **selectors: Unpack[SelectorsDict]) -> Fault:
        """Nothing is done, and a page of HTML is the response, as from a proxy on the way.

        :param status: the HTTP status.
        """
        page = _HTML.format(status=status, reason=reason(status))
        return self.respond(status, page, headers={"Content-Type": "text/html; charset=utf-8"}, **selectors)

    def respond_broken_json(self, status: int = 200, **selectors: Unpack[SelectorsDict]) -> Fault:
        """Nothing is done, and the response is whole as far as HTTP goes, but no JSON.

        :param status: the HTTP status.
        """
        return self.respond(status, _BROKEN_JSON, headers={"Content-Type": JSON_TYPE}, **selectors)

    def rate_limit(self, calls: int, seconds: float, **selectors: Unpack[SelectorsDict]) -> Fault:
        """So many calls go through in a while; the others get 429 with ``Retry-After``.

        Unlike the other faults it strikes all calls unless ``count`` is given.

        :param calls: how many go through.
        :param seconds: in how many seconds, by the emulator's clock, from the first of them.
        """
        if not number("seconds", seconds):
            raise ValueError("seconds: a window of no length lets nothing through; use more than 0")
        selectors.setdefault("count", None)
        return self._add(Effect(kind="rate_limit", calls=whole("calls", calls, least=0), seconds=seconds), selectors)

    def from_json(self, mapping: Mapping[str, object]) -> Fault:
        """Make a fault from JSON.

        ``{"fault": "lose_response", "operation": "verify_challenge", "count": 2}`` is the method ``lose_response`` with
        these selectors; every method and its parameters can be written so. An error hook of WorkOS' emulator
        (``method``, ``path``, ``status``, ``body``, ``count``) means what it means there: :meth:`respond`, for
        all calls unless it has a ``count``.

        :raises ValueError: if it can't be read; the text says what is wrong and what is possible.
        """
        if not isinstance(mapping, Mapping):
            raise ValueError("a fault is a JSON object")  # noqa: TRY004  (it comes from JSON)
        if "fault" not in mapping and "status" not in mapping:
            raise ValueError(f"fault is missing; it takes one of {', '.join(_METHODS)}")
        name = mapping.get("fault", "respond")
        if name not in _METHODS:
            raise ValueError(f"fault is {name!r}, but takes one of {', '.join(_METHODS)}")
        make = cast("Callable[..., Fault]", getattr(self, name))
        arguments = {key: value for key, value in mapping.items() if key not in _NOT_READ}
        if "fault" not in mapping:
            arguments.setdefault("count", None)
        _check_names(name, make, arguments)
        return make(**arguments)

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
        """Make sure that every fault of a test has struck: one that has not struck proves nothing.

        :raises AssertionError: if one has not; the text lists them.
        """
        unused = self.unused()
        if unused:
            lines = "".join(f"\n  {fault}" for fault in unused)
            raise AssertionError(
                "these faults have struck fewer calls than announced, and a fault that does not strike proves nothing:"
                f"{lines}\n"
                "Make the call that it is for, or take the fault back with faults.remove() or faults.clear()."
            )

    def strike(
        self, operation: str | None, method: str, path: str, now: Callable[[], datetime]
    ) -> tuple[Effect | None, float]:
        """What replaces or spoils the response to a call, and by how many seconds it is late."""
        found, delay = None, 0.0
        # Looked at without the lock, since it is so for nearly every call.
        if not self._waiting:
            return found, delay
        with self._lock:
            moment = now()
            for fault in self._waiting:
                may_strike = found is None or fault.kind == "delay"
                fits = may_strike and fault.selectors.fit(operation, method, path)
                effect = fault.strike(moment) if fits else None
                if effect is not None and effect.kind == "delay":
                    delay += effect.seconds or 0
                elif effect is not None:
                    found = effect
            self._waiting = tuple(fault for fault in self._waiting if not fault.is_used_up)
        return found, delay

    def _break(self, trouble: Trouble, selectors: SelectorsDict) -> Fault:
        return self._add(Effect(kind=trouble, trouble=trouble), selectors)

    def _add(self, effect: Effect, selectors: SelectorsDict) -> Fault:
        chosen = Selectors(**selectors)
        with self._lock:
            self._made += 1
            fault = Fault(id=f"fault_{self._made}", selectors=chosen, effect=effect)
            self._all[fault.id] = fault
            self._waiting = (*self._waiting, fault)
        return fault


def _check_names(fault: str, make: Callable[..., Fault], arguments: Mapping[str, object]) -> None:
    parameters = inspect.signature(make).parameters.values()
    own = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    for parameter in own:
        if parameter.default is parameter.empty and parameter.name not in arguments:
            raise ValueError(f"{fault} needs {parameter.name}")
    possible = (*(parameter.name for parameter in own), *_SELECTORS)
    for name in arguments:
        if name not in possible:
            raise ValueError(f"{fault} has no property {name!r}; it has {', '.join(possible)}")

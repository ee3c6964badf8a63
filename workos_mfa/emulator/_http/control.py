"""The control plane: what the Python object can do, over HTTP and under ``/_emulate/``, for any language.

The names are those of the object: ``emulator.outbox`` is ``/_emulate/outbox``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs

from workos_mfa._core.transport import Response
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Calls, Outbox
from workos_mfa.emulator._domain.totp import TOTPCode
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._http import error_responses, page, values
from workos_mfa.emulator._settings import Settings

_ID = "{id}"
_FILTERS = ("to", "factor_id", "challenge_id")
_CLOCK = ("set", "advance", "freeze")


class Controlled(Protocol):
    """What is controlled: an emulator."""

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Its text messages."""
        ...

    @property
    def calls(self) -> Calls:
        """Its calls."""
        ...

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        ...

    @property
    def settings(self) -> Settings:
        """How it behaves."""
        ...

    def totp_code(self, factor_id: str) -> str:
        """The code of a TOTP factor now."""
        ...

    def wrong_code(self, factor_id: str) -> str:
        """A code that a factor does not take now."""
        ...

    def totp_codes(self) -> Sequence[TOTPCode]:
        """The codes of all TOTP factors now."""
        ...

    def seed(self, seed: Mapping[str, object]) -> Mapping[str, object]:
        """Take in a seed, and tell what came of it."""
        ...

    def reset(self) -> None:
        """Be as new."""
        ...


@attrs.frozen(eq=False)
class Command:
    """What one request to the control plane brings: the id in its path, its query and its body."""

    id: str = attrs.field(repr=False)
    query: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Done:
    """A status and what is shown; None for nothing."""

    status: int
    body: object = attrs.field(default=None, repr=False)


@attrs.frozen(eq=False)
class _Path:
    """What a path is for, and what its methods do."""

    does: str
    methods: Mapping[str, Callable[[Command], Done]]


_NOTHING_TO_SHOW = Done(204)
_Handler = Callable[[Command], Done]


class Control:
    """The commands.

    :param emulator: what they control.
    """

    def __init__(self, emulator: Controlled) -> None:
        self._emulator = emulator
        faults: Mapping[str, _Handler] = {
            "GET": self._show_faults,
            "POST": self._add_fault,
            "DELETE": self._clear_faults,
        }
        self._paths: Mapping[str, _Path] = {
            "": _Path("these paths", {"GET": self._show_paths}),
            "outbox": _Path(
                "the text messages, oldest first, with their codes",
                {"GET": self._show_outbox, "DELETE": self._clear_outbox},
            ),
            "outbox/latest": _Path(
                "the newest one; ?to=, ?factor_id=, ?challenge_id= choose", {"GET": self._show_latest}
            ),
            "codes": _Path("the codes of all TOTP factors now, the newest factor first", {"GET": self._show_codes}),
            "factors/{id}/code": _Path("that of one TOTP factor", {"GET": _telling(emulator.totp_code)}),
            "factors/{id}/wrong_code": _Path(
                "a code that a factor of any type does not take now", {"GET": _telling(emulator.wrong_code)}
            ),
            "clock": _Path(
                'the time; {"advance": 601}, {"set": "2026-01-15T12:00:00Z"}, {"freeze": true} or false',
                {"GET": self._show_clock, "POST": self._move_clock},
            ),
            "faults": _Path("what is to go wrong; a POST adds one", faults),
            "faults/{id}": _Path("one of them", {"DELETE": self._remove_fault}),
            # The names in WorkOS' own emulator, so that its users need not change a line.
            "hooks": _Path("a second name for faults", faults),
            "hooks/{id}": _Path("a second name for one of them", {"DELETE": self._remove_fault}),
            "calls": _Path(
                "the calls, oldest first, refused ones included",
                {"GET": self._show_calls, "DELETE": self._clear_calls},
            ),
            "settings": _Path("the settings, which are those of the start", {"GET": self._show_settings}),
            "seed": _Path("add what a seed says", {"POST": self._seed}),
            "reset": _Path(
                "be as new: no factors, challenges, messages, calls or faults, and the clock as at the start",
                {"POST": self._reset},
            ),
        }

    def __repr__(self) -> str:
        return f"<Control of {self._emulator!r}>"

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Done:
        """Do what is asked for.

        :param path: below ``/_emulate/``; empty for the list of all.
        :raises ErrorResponse: if it can't be done.
        """
        name, found_id = _command_in(path, self._paths)
        if name is None:
            raise error_responses.no_such_command(path, filter(None, self._paths))
        methods = self._paths[name].methods
        handler = methods.get(method)
        if handler is None:
            raise error_responses.wrong_command_method(method, name, methods)
        values.check_names(query, _FILTERS if name == "outbox/latest" else ())
        try:
            return handler(Command(found_id, query, body))
        except ValueError as error:
            problem = error_responses.bad_command(str(error))
        raise problem

    def page(self) -> Response:
        """What people see in a browser."""
        return page.showing(self._emulator.clock, self._emulator.outbox, self._emulator.totp_codes())

    def _show_paths(self, _: Command) -> Done:
        return Done(
            200,
            [
                {"path": f"/_emulate/{name}".rstrip("/"), "methods": list(path.methods), "does": path.does}
                for name, path in self._paths.items()
            ],
        )

    def _show_outbox(self, _: Command) -> Done:
        return Done(200, [values.message_as_json(message) for message in self._emulator.outbox])

    def _show_latest(self, command: Command) -> Done:
        asked = command.query
        # An unescaped + of a number has become a space on its way through the query.
        number = asked["to"].replace(" ", "+") if "to" in asked else None
        try:
            message = self._emulator.outbox.latest(
                to=number, factor_id=asked.get("factor_id"), challenge_id=asked.get("challenge_id")
            )
        except LookupError as error:
            problem = error_responses.no_such_thing(str(error))
        else:
            return Done(200, values.message_as_json(message))
        raise problem

    def _clear_outbox(self, _: Command) -> Done:
        self._emulator.outbox.clear()
        return _NOTHING_TO_SHOW

    def _show_codes(self, _: Command) -> Done:
        return Done(200, [attrs.asdict(shown) for shown in self._emulator.totp_codes()])

    def _show_clock(self, _: Command) -> Done:
        clock = self._emulator.clock
        return Done(200, {"now": values.timestamp(clock.now()), "frozen": clock.is_frozen})

    def _move_clock(self, command: Command) -> Done:
        asked = values.read_object(command.body)
        values.check_names(asked, _CLOCK)
        moment = values.read_moment("set", asked["set"]) if "set" in asked else None
        seconds = values.read_number("advance", asked["advance"]) if "advance" in asked else 0
        freeze = values.read_flag("freeze", asked["freeze"]) if "freeze" in asked else None
        self._emulator.clock.move(to=moment, by=seconds, frozen=freeze)
        return self._show_clock(command)

    def _show_faults(self, _: Command) -> Done:
        return Done(200, [fault.as_json() for fault in self._emulator.faults])

    def _add_fault(self, command: Command) -> Done:
        return Done(201, self._emulator.faults.from_json(values.read_object(command.body)).as_json())

    def _remove_fault(self, command: Command) -> Done:
        try:
            self._emulator.faults.remove(command.id)
        except LookupError as error:
            problem = error_responses.no_such_thing(str(error))
        else:
            return _NOTHING_TO_SHOW
        raise problem

    def _clear_faults(self, _: Command) -> Done:
        self._emulator.faults.clear()
        return _NOTHING_TO_SHOW

    def _show_calls(self, _: Command) -> Done:
        return Done(200, [values.call_as_json(call) for call in self._emulator.calls])

    def _clear_calls(self, _: Command) -> Done:
        self._emulator.calls.clear()
        return _NOTHING_TO_SHOW

    def _show_settings(self, _: Command) -> Done:
        return Done(200, attrs.asdict(self._emulator.settings))

    def _seed(self, command: Command) -> Done:
        return Done(200, self._emulator.seed(values.read_object(command.body)))

    def _reset(self, _: Command) -> Done:
        self._emulator.reset()
        return _NOTHING_TO_SHOW


def _telling(code_of: Callable[[str], str]) -> _Handler:
    """The command that tells a code of a factor."""

    def tell(command: Command) -> Done:
        try:
            return Done(200, {"code": code_of(command.id)})
        except LookupError as error:
            problem = error_responses.no_such_thing(str(error))
        raise problem

    return tell


def _command_in(path: str, names: Mapping[str, object]) -> tuple[str | None, str]:
    """The name of the command at a path, and the id in it."""
    segments = path.split("/")
    for name in names:
        pattern = name.split("/")
        pairs = list(zip(segments, pattern, strict=False))
        if len(segments) == len(pattern) and all(expected in {_ID, segment} for segment, expected in pairs):
            return name, next((segment for segment, expected in pairs if expected == _ID), "")
    return None, ""

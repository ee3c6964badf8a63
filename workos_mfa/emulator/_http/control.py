"""The control plane: what the Python object can do, over HTTP under ``/_emulate/``, for any language.

The names are those of the object: ``emulator.outbox`` is ``/_emulate/outbox``. It needs no werkzeug.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import cast

import attrs

from workos_mfa._core.transport import Response
from workos_mfa.emulator._api.router import Arguments, Handler, Result, Route, Router
from workos_mfa.emulator._api.serialization import timestamp
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Call, Calls, Outbox, SMSMessage
from workos_mfa.emulator._domain.error_responses import ErrorResponse
from workos_mfa.emulator._domain.lifecycle import Lifecycle
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._http import page

_FILTERS = ("to", "factor_id", "challenge_id")
_CLOCK = ("set", "advance", "freeze")


class Control:
    """The handlers below ``/_emulate/``. In them LookupError means 404, and ValueError 422.

    :param reset: makes the emulator as new.
    """

    def __init__(
        self,
        *,
        lifecycle: Lifecycle,
        clock: Clock,
        outbox: Outbox,
        calls: Calls,
        faults: Faults,
        reset: Callable[[], None],
    ) -> None:
        self._lifecycle = lifecycle
        self._clock = clock
        self._outbox = outbox
        self._faults = faults
        for_faults = {"GET": self._show_faults, "POST": self._add_fault, "DELETE": _doing(faults.clear)}
        # A path, what it does, and a handler for each method.
        self._paths: Mapping[str, tuple[str, Mapping[str, Handler]]] = {
            "": ("these paths", {"GET": self._show_paths}),
            "outbox": (
                "the text messages, oldest first, with their codes",
                {"GET": lambda _: _listed(outbox), "DELETE": _doing(outbox.clear)},
            ),
            "outbox/latest": ("the newest one; ?to=, ?factor_id=, ?challenge_id= choose", {"GET": self._show_latest}),
            "codes": ("the codes of all TOTP factors now, the newest factor first", {"GET": self._show_codes}),
            "factors/{id}/code": ("that of one TOTP factor", {"GET": self._show_code}),
            "factors/{id}/wrong_code": (
                "a code that a factor of any type does not take now",
                {"GET": self._show_wrong_code},
            ),
            "clock": (
                'the time; {"advance": 601}, {"set": "2026-01-15T12:00:00Z"}, {"freeze": true} or false',
                {"GET": self._show_clock, "POST": self._move_clock},
            ),
            "faults": ("what is to go wrong; a POST adds one", for_faults),
            "faults/{id}": ("one of them", {"DELETE": self._remove_fault}),
            # The names in WorkOS' own emulator, so that its users need not change a line.
            "hooks": ("a second name for faults", for_faults),
            "hooks/{id}": ("a second name for one of them", {"DELETE": self._remove_fault}),
            "calls": (
                "the calls, oldest first, refused ones included",
                {"GET": lambda _: _listed(calls), "DELETE": _doing(calls.clear)},
            ),
            "settings": ("the settings, which are those of the start", {"GET": self._show_settings}),
            "seed": ("add what a seed says", {"POST": self._seed}),
            "reset": (
                "be as new: no factors, challenges, messages, calls or faults, and the clock as at the start",
                {"POST": _doing(reset)},
            ),
        }
        self._router = Router(
            Route(method, path, handler)
            for path, (_, handlers) in self._paths.items()
            for method, handler in handlers.items()
        )

    def dispatch(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Result:
        """Call the handler of one request.

        :param path: below ``/_emulate/``; empty for the list of paths.
        :raises ErrorResponse: if there is none, or the request is invalid.
        """
        found = self._router.find(method, path)
        if found is None:
            raise self._no_route(method, path)
        route, entity_id = found
        try:
            _check_names(query, _FILTERS if route.template == "outbox/latest" else ())
            return route.handle(Arguments(entity_id, query, body))
        except LookupError as error:
            problem = _not_found(str(error))
        except ValueError as error:
            problem = ErrorResponse(422, {"code": "invalid_request", "message": str(error)})
        raise problem

    def page(self) -> Response:
        """What people see in a browser."""
        return page.showing(self._clock, self._outbox, self._lifecycle.totp_codes())

    def _no_route(self, method: str, path: str) -> ErrorResponse:
        allowed = self._router.methods(path)
        if allowed:
            message = f"{_full(path)} takes {' and '.join(allowed)}, not {method}."
            body = {"code": "method_not_allowed", "message": message}
            return ErrorResponse(405, body, headers={"Allow": ", ".join(allowed)})
        known = ", ".join(map(_full, filter(None, self._paths)))
        return _not_found(f"There is no /_emulate/{path}; there are: {known}. GET /_emulate tells what they do.")

    def _show_paths(self, _: Arguments) -> Result:
        paths = self._paths.items()
        return Result(200, [{"path": _full(path), "methods": list(to), "does": does} for path, (does, to) in paths])

    def _show_latest(self, arguments: Arguments) -> Result:
        wanted = dict(arguments.query)
        if "to" in wanted:
            # An unescaped + of a number has become a space on its way through the query.
            wanted["to"] = wanted["to"].replace(" ", "+")
        return Result(200, record_as_json(self._outbox.latest(**wanted)))

    def _show_codes(self, _: Arguments) -> Result:
        return Result(200, [attrs.asdict(shown) for shown in self._lifecycle.totp_codes()])

    def _show_code(self, arguments: Arguments) -> Result:
        return Result(200, {"code": self._lifecycle.totp_code(arguments.id)})

    def _show_wrong_code(self, arguments: Arguments) -> Result:
        return Result(200, {"code": self._lifecycle.wrong_code(arguments.id)})

    def _show_clock(self, _: Arguments) -> Result:
        return Result(200, {"now": timestamp(self._clock.now()), "frozen": self._clock.is_frozen})

    def _move_clock(self, arguments: Arguments) -> Result:
        body = _object_in(arguments.body)
        _check_names(body, _CLOCK)
        moment = _moment(body["set"]) if "set" in body else None
        seconds, frozen = body.get("advance", 0), body.get("freeze")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
            raise ValueError("advance takes a number of seconds, such as 601")  # noqa: TRY004  (it comes from JSON)
        if "freeze" in body and not isinstance(frozen, bool):
            raise ValueError("freeze takes true or false")
        self._clock.move(to=moment, by=seconds, frozen=cast("bool | None", frozen))
        return self._show_clock(arguments)

    def _show_faults(self, _: Arguments) -> Result:
        return Result(200, [fault.as_json() for fault in self._faults])

    def _add_fault(self, arguments: Arguments) -> Result:
        return Result(201, self._faults.from_json(_object_in(arguments.body)).as_json())

    def _remove_fault(self, arguments: Arguments) -> Result:
        self._faults.remove(arguments.id)
        return Result(204)

    def _show_settings(self, _: Arguments) -> Result:
        return Result(200, attrs.asdict(self._lifecycle.settings))

    def _seed(self, arguments: Arguments) -> Result:
        return Result(200, self._lifecycle.plant(_object_in(arguments.body)))


def record_as_json(record: Call | SMSMessage) -> dict[str, object]:
    """A call or a text message, its code included."""
    shown: dict[str, object] = attrs.asdict(record)
    return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in shown.items()}


def _listed(records: Iterable[Call] | Iterable[SMSMessage]) -> Result:
    return Result(200, [record_as_json(record) for record in records])


def _doing(act: Callable[[], None]) -> Handler:
    def handle(_: Arguments) -> Result:
        act()
        return Result(204)

    return handle


def _full(path: str) -> str:
    return f"/_emulate/{path}".rstrip("/")


def _not_found(message: str) -> ErrorResponse:
    return ErrorResponse(404, {"code": "not_found", "message": message})


def _object_in(body: bytes) -> Mapping[str, object]:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("The request body must be a JSON object.")  # noqa: TRY004  (it comes from JSON)
    return cast("dict[str, object]", value)


def _check_names(given: Iterable[str], possible: Collection[str]) -> None:
    unknown = sorted(name for name in given if name not in possible)
    if unknown:
        raise ValueError(f"There is no {', '.join(unknown)} here; there is: {', '.join(possible)}.")


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        try:
            # Python 3.10 does not read the Z.
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            pass
    raise ValueError("set takes a time in ISO 8601 with its zone, such as 2026-01-15T12:00:00Z")

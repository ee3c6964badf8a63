"""Reads a fault from JSON: our own form, and the error hooks of WorkOS' emulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import attrs

from workos_mfa.emulator._faults import effects
from workos_mfa.emulator._faults.effects import Effect
from workos_mfa.emulator._faults.fault import Selectors

_SELECTORS = tuple(field.name for field in attrs.fields(Selectors))

# What as_json() adds, so that a fault can be sent back as it came.
_NOT_READ = ("id", "used")


@attrs.frozen
class _Reader:
    """The properties of one kind of fault: needed ones, other ones, and what makes an effect of them."""

    needed: tuple[str, ...]
    others: tuple[str, ...]
    make: Callable[[Mapping[str, object]], Effect]


def _plain(kind: effects.Kind) -> _Reader:
    return _Reader((), (), lambda _: Effect(kind=kind))


def _status(values: Mapping[str, object], default: int | None = None) -> int:
    # Of any type: it is looked at where the effect is made.
    return cast("int", values.get("status", default))


def _answer(values: Mapping[str, object]) -> Effect:
    return effects.answer(
        _status(values),
        values.get("body"),
        cast("Mapping[str, str]", values.get("headers")),
        cast("float", values.get("retry_after")),
    )


_READERS: Mapping[str, _Reader] = {
    "refuse_connection": _plain("refuse_connection"),
    "lose_request": _plain("lose_request"),
    "lose_response": _plain("lose_response"),
    "cut_body": _plain("cut_body"),
    "delay": _Reader(("seconds",), (), lambda values: effects.delay(cast("float", values["seconds"]))),
    "answer": _Reader(("status",), ("body", "headers", "retry_after"), _answer),
    "answer_html": _Reader((), ("status",), lambda values: effects.answer_html(_status(values, 502))),
    "answer_broken_json": _Reader((), ("status",), lambda values: effects.answer_broken_json(_status(values, 200))),
    "rate_limit": _Reader(
        ("calls", "seconds"),
        (),
        lambda values: effects.rate_limit(cast("int", values["calls"]), cast("float", values["seconds"])),
    ),
}


def read_fault(mapping: object) -> tuple[Effect, Selectors]:
    """What a fault does, and to which calls.

    :raises ValueError: if it can't be read; the text says what is wrong and what is possible.
    """
    if not isinstance(mapping, Mapping):
        raise ValueError("a fault is a JSON object")  # noqa: TRY004  (it comes from JSON)
    values = cast("Mapping[str, object]", mapping)
    if "fault" not in values and "status" not in values:
        raise ValueError(f"fault is missing; it takes one of {', '.join(_READERS)}")
    kind = values.get("fault", "answer")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise ValueError(f"fault is {kind!r}, but takes one of {', '.join(_READERS)}")
    _check_names(values, str(kind), reader)
    return reader.make(values), _selectors(values, kind)


def _check_names(values: Mapping[str, object], kind: str, reader: _Reader) -> None:
    for name in reader.needed:
        if name not in values:
            raise ValueError(f"{kind} needs {name}")
    possible = (*reader.needed, *reader.others, *_SELECTORS)
    for name in values:
        if name not in {"fault", *possible, *_NOT_READ}:
            raise ValueError(f"{kind} has no property {name!r}; it has {', '.join(possible)}")


def _selectors(values: Mapping[str, object], kind: object) -> Selectors:
    # A hook of WorkOS' emulator strikes for ever unless it has a count.
    count = None if "fault" not in values or kind == "rate_limit" else 1
    # Of any type: the class looks at them.
    return Selectors(
        operation=cast("str | None", values.get("operation")),
        method=cast("str | None", values.get("method")),
        path=cast("str | None", values.get("path")),
        count=cast("int | None", values.get("count", count)),
        after=cast("int", values.get("after", 0)),
    )

"""Settings by their names, for whoever writes no Python: from ``NAME=VALUE``, from JSON, and as a list for people.

All of it is read off :class:`Settings`, its fields, their types and its docstring, so that nothing is said twice.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Literal, cast, get_args, get_origin, get_type_hints

import attrs

from workos_mfa.emulator import _settings as defined
from workos_mfa.emulator._settings import Settings

_DEFAULTS = Settings()
_WORDS: Mapping[object, str] = {
    type(None): "none",
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a text",
}
_CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "none": None, "null": None}

_WIDTH = 100
_INDENT = " " * 6
_MEANING = re.compile(r":param (\w+): (.*?)(?=\n\s*\n|\n:|\Z)", re.DOTALL)


def settings_from(values: Mapping[str, object], others: Settings = _DEFAULTS) -> Settings:
    """The settings that have these values.

    :param values: by the settings' names, as JSON has them.
    :param others: where those are taken from that are not among them.
    :raises ValueError: if there is no such setting, or it does not take the value; the text says what it takes.
    """
    for name, value in values.items():
        kind = _kind(name)
        if not _fits(value, kind):
            raise ValueError(f"{name} takes {_words(kind)}")
    return cast("Callable[..., Settings]", attrs.evolve)(others, **values)


def value_in(name: str, text: str) -> object:
    """The value of a setting in a text, such as ``3``, ``none``, ``refused`` or ``{"user_1": "ada@example.com"}``.

    Whether the setting takes it is for :func:`settings_from` to say.

    :raises ValueError: if there is no such setting.
    """
    if _fits(text, _kind(name)):
        return text
    try:
        return _CONSTANTS[text.lower()] if text.lower() in _CONSTANTS else json.loads(text)
    except (ValueError, RecursionError):
        return text


def as_json(settings: Settings) -> dict[str, object]:
    """All settings by their names, as JSON has them."""
    return attrs.asdict(settings)


def listed() -> str:
    """All settings for people, each as one gives it with its default, and with what it means."""
    meanings = dict(_MEANING.findall(inspect.cleandoc(Settings.__doc__ or "")))
    default = as_json(_DEFAULTS)
    lines: list[str] = []
    for name, kind in _kinds().items():
        meaning = " ".join(meanings.get(name, "").replace("``", "").split())
        lines += [
            f"  {name}={_shown(default[name])}  ({_words(kind)})",
            *textwrap.wrap(meaning, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT),
        ]
    return "\n".join(lines)


def _kinds() -> Mapping[str, object]:
    # With that module's names, since the class says that it is from the package.
    hints = get_type_hints(Settings, defined.__dict__)
    return {field.name: hints[field.name] for field in attrs.fields(Settings)}


def _kind(name: str) -> object:
    kinds = _kinds()
    if name in kinds:
        return kinds[name]
    near = get_close_matches(name.lower(), kinds, 1)
    hint = f"did you mean {near[0]}?" if near else "workos-mfa emulate --help lists them all."
    raise ValueError(f"there is no setting {name!r}; {hint}")


def _fits(value: object, kind: object) -> bool:
    origin: object = get_origin(kind)
    parts = get_args(kind)
    if origin is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            return False
        pairs = cast("Mapping[object, object]", value).items()
        return all(isinstance(text, str) for pair in pairs for text in pair)
    if parts:
        return any(_fits(value, part) for part in parts)
    return type(value) in ({float, int} if kind is float else {kind})


def _words(kind: object) -> str:
    origin: object = get_origin(kind)
    if origin is Mapping:
        return "a JSON object of texts"
    parts = [str(part) if origin is Literal else _words(part) for part in get_args(kind)]
    return " or ".join(parts) if parts else _WORDS[kind]


def _shown(value: object) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)

"""Answers that are right but for one place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"


def changed(answer: object, path: Path, value: object) -> object:
    """The same JSON with one value in it replaced, or taken out where the value is ``...``."""
    whole = copy.deepcopy(answer)
    place: object = whole
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    if value is ...:
        del place[path[-1]]  # type: ignore[attr-defined]
    else:
        place[path[-1]] = value  # type: ignore[index]
    return whole


def place_of(path: Path) -> str:
    """The path as an error names it."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def paths_in(answer: object, path: Path = ()) -> Iterator[Path]:
    """The place of every value in JSON, at any depth."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield (*path, name)
            yield from paths_in(value, (*path, name))
    elif isinstance(answer, list):
        for index, value in enumerate(answer):
            yield (*path, index)
            yield from paths_in(value, (*path, index))

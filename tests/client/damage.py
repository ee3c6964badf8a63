"""Change one place of a response's JSON, and name it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"


def changed(document: object, path: Path, value: object) -> object:
    """The same JSON with one value in it replaced, or taken out where the value is ``...``."""
    whole = copy.deepcopy(document)
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


def paths_in(document: object, path: Path = ()) -> Iterator[Path]:
    """The place of every value in JSON, at any depth."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield (*path, name)
            yield from paths_in(value, (*path, name))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield (*path, index)
            yield from paths_in(value, (*path, index))

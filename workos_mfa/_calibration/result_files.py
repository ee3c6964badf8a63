"""The files with the results: they are checked before anything is sent, and written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path


class ResultFileError(Exception):
    """A file can't be written; the text says why."""


def check_files(results: Sequence[Path], others: Sequence[Path]) -> None:
    """Make sure that results can be written, and that no two files are one, however they are spelled.

    :param others: files that are read or written beside them.
    :raises ResultFileError: if it is not so.
    """
    try:
        for path in results:
            _check_file(path)
        for one, other in combinations((*results, *others), 2):
            if one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other)):
                raise ResultFileError(f"{one} and {other} are one file: each must have its own")
    except (OSError, RuntimeError) as error:
        # A folder that may not be looked into, or a link to itself.
        raise ResultFileError(f"a file can't be used: {error}") from None


def _check_file(path: Path) -> None:
    # Behind a link, whose file is what is written.
    target = path.resolve()
    if not target.parent.is_dir():
        raise ResultFileError(f"{path}: there is no such folder")
    if target.exists() and not target.is_file():
        raise ResultFileError(f"{path} is not a file")
    if not os.access(target.parent, os.W_OK):
        raise ResultFileError(f"{path}: nothing can be written in this folder")


def write_file(path: Path, text: str) -> None:
    """Write a file, and leave the one before it as it is until this one is whole.

    :raises ResultFileError: if it can't be written.
    """
    target = path.resolve()
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ResultFileError(f"{path} could not be written: {error.strerror}") from None

"""The file of the rows that were not imported: which and why, and no secret."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import attrs

from workos_mfa._migration.row import Problem
from workos_mfa._migration.table import Format


def why_unwritable(path: Path) -> str:
    """Why no such file can be written here; empty if it can."""
    if path.exists() and not path.is_file():
        return "there is something that is no file"
    try:
        tempfile.TemporaryFile(dir=path.absolute().parent).close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def write_failed(path: Path, problems: Iterable[Problem], kind: Format) -> None:
    """Write the rows that failed, readable by their owner alone; an older file is replaced as a whole.

    It has the fields line, user_id and reason. With the secrets beside them it can be imported.

    :param kind: the format of the rows' file.
    :raises OSError: if it can't be written.
    """
    number, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            _write(file, problems, kind)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write(file: TextIO, problems: Iterable[Problem], kind: Format) -> None:
    if kind == "jsonl":
        file.writelines(f"{json.dumps(attrs.asdict(problem))}\n" for problem in problems)
        return
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow([field.name for field in attrs.fields(Problem)])
    rows.writerows(attrs.astuple(problem) for problem in problems)

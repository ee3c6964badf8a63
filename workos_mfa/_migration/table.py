"""The file with the rows: CSV with a header, or JSON lines.

It is read a row at a time, so that its size does not matter. No text here repeats what the file holds: a file
without a header has a secret on its first line.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO, cast

import attrs

from workos_mfa._migration.row import COLUMNS, IGNORED, Problem, Row, row_of

Format = Literal["csv", "jsonl"]

_BY_SUFFIX: dict[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_LOOKED_AT = 65_536
_LONGEST_LINE = 1 << 20
_TOO_LONG = "x" * (csv.field_size_limit() + 1)  # stands for a longer line: the reader refuses such a field


class FileError(Exception):
    """The file can't be read as a table; the text says why, without anything that stands in it."""


@attrs.frozen
class Table:
    """A file of rows.

    :param path: where it is.
    :param format: how it is written.
    """

    path: Path
    format: Format

    def rows(self) -> Iterator[Row | Problem]:
        """The rows, and what is wrong with those that are none; in order.

        :raises FileError: if the file can't be read.
        """
        with _opened(self.path) as file:
            yield from _csv_rows(file) if self.format == "csv" else _json_rows(file)


def open_table(path: Path) -> Table:
    """Look at a file's name and first lines.

    :raises FileError: if it can't be read, or has not the columns that are needed.
    """
    if path.exists() and not path.is_file():
        raise FileError(f"{path}: it is no file; the rows are read twice, so a pipe can't be imported")
    with _opened(path) as file:
        reason = _refusal(path, file)
    if reason:
        raise FileError(f"{path}: {reason}")
    with _opened(path) as file:
        return Table(path, _format(path, file))


@contextmanager
def _opened(path: Path) -> Generator[TextIO, None, None]:
    reason = ""
    try:
        # What is not UTF-8 becomes characters that no row may have, and is told with its line.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield file
    except OSError as error:
        reason = error.strerror or type(error).__name__
    if reason:
        raise FileError(f"{path}: {reason}")


def _format(path: Path, file: TextIO) -> Format:
    begins_as_json = file.read(_LOOKED_AT).lstrip()[:1] == "{"
    return _BY_SUFFIX.get(path.suffix.lower(), "jsonl" if begins_as_json else "csv")


def _refusal(path: Path, file: TextIO) -> str:
    """Why the beginning of a file is none of a table; empty if it is."""
    kind = _format(path, file)
    file.seek(0)
    start = file.read(_LOOKED_AT).lstrip()[:1]
    if not start:
        return "it is empty"
    if start == "[":
        return "it is one JSON array: write each object on a line of its own"
    if kind == "csv" and start == "{":
        return "it holds JSON lines: give it a name that ends in .jsonl"
    file.seek(0)
    return _header_refusal(file) if kind == "csv" else ""


def _header_refusal(file: TextIO) -> str:
    try:
        header = [name.strip() for name in next(csv.reader(_lines(file), strict=True))]
    except csv.Error:
        header = []
    return _columns_refusal(header)


def _columns_refusal(header: list[str]) -> str:
    places = [place for place, name in enumerate(header, 1) if name not in {*COLUMNS, *IGNORED}]
    names = ", ".join(COLUMNS)
    if len(places) == len(header):
        return f"its first line is no header: it must name the columns, separated by commas, out of {names}"
    if places:
        return f"column {places[0]} of its header is none of {names}: take the column out, or rename it"
    if len(set(header)) < len(header):
        return "its header names a column twice"
    if "user_id" not in header:
        return "its header has no user_id"
    if not {"secret", "uri"} & set(header):
        return "its header has neither secret nor uri"
    return ""


def _lines(file: TextIO) -> Iterator[str]:
    """The lines, of which none is long: memory must suffice for a file of any kind."""
    while line := file.readline(_LONGEST_LINE):
        part = line
        while len(part) == _LONGEST_LINE and not part.endswith("\n"):
            line, part = _TOO_LONG, file.readline(_LONGEST_LINE)
        yield line


def _csv_rows(file: TextIO) -> Iterator[Row | Problem]:
    reader = csv.reader(_lines(file), strict=True)
    header = [name.strip() for name in next(reader)]
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            last = reader.line_num
            where = "the quotes are wrong" if last <= line else f"the quotes are wrong, from here to line {last}"
            yield Problem(line, "", f"{where}, or a field is far too long")
            continue
        if not cells:
            continue
        if len(cells) != len(header):
            yield Problem(line, "", f"the header has {len(header)} columns, and this row has {len(cells)}")
            continue
        yield row_of(line, dict(zip(header, cells, strict=True)))


def _json_rows(file: TextIO) -> Iterator[Row | Problem]:
    for line, text in enumerate(_lines(file), 1):
        if text == _TOO_LONG:
            yield Problem(line, "", "this line is far too long")
        elif text.strip():
            found = _fields(text)
            yield Problem(line, "", found) if isinstance(found, str) else row_of(line, found)


def _fields(text: str) -> dict[str, str] | str:
    """The fields of an object, or what is wrong with it."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return "this line is no JSON object"
    given = {name: each for name, each in cast("dict[str, object]", value).items() if name not in IGNORED}
    if not given.keys() <= {*COLUMNS}:
        return f"there is a field that is none of {', '.join(COLUMNS)}"
    fields: dict[str, str] = {}
    for name, each in given.items():
        if not isinstance(each, str | None):
            return f"{name} is no text"
        fields[name] = each or ""
    return fields

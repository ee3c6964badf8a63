"""What a calibration has made and not deleted yet, in a file that outlives a kill: ids and names, and no secret.

A line is written before an enrolment and after it. What has begun and not ended may be there without anybody
knowing its id.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast


class Journal:
    """A journal of factors.

    :param path: the file, which is made when there is something to write and removed once nothing is left; None for
        no file.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._begun: dict[str, str] = {}
        self.factors: dict[str, str] = {}
        for entry in self._entries():
            self._apply(entry)

    @property
    def unknown(self) -> list[str]:
        """The names of what may be there, though nobody knows its id."""
        return list(self._begun.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that can be deleted."""
        return not self.factors

    def begin(self, number: str, name: str) -> None:
        """Note that a factor is about to be enrolled."""
        self._write({"begin": number, "name": name})

    def made(self, number: str, factor_id: str) -> None:
        """Note its id."""
        self._write({"made": number, "id": factor_id})

    def not_made(self, number: str) -> None:
        """Note that it was surely not enrolled."""
        self._write({"not_made": number})

    def found(self, name: str, factor_id: str) -> None:
        """Note the id of a factor whose response was lost, by its name; nothing if no such factor was."""
        for number, begun in self._begun.items():
            if begun == name:
                self.made(number, factor_id)
                return

    def not_found(self, name: str) -> None:
        """Note that a factor of this name would be seen, and is not there."""
        for number in [number for number, begun in self._begun.items() if begun == name]:
            self.not_made(number)

    def deleted(self, factor_id: str) -> None:
        """Note that a factor is gone."""
        self._write({"deleted": factor_id})

    def close(self) -> None:
        """Remove the file if nothing is left to delete."""
        if self._path is not None and self.is_empty:
            self._path.unlink(missing_ok=True)

    def _write(self, entry: dict[str, str]) -> None:
        self._apply(entry)
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _apply(self, entry: dict[str, str]) -> None:
        if "begin" in entry:
            self._begun[entry["begin"]] = entry["name"]
        elif "made" in entry:
            self.factors[entry["id"]] = self._begun.pop(entry["made"], "")
        elif "not_made" in entry:
            self._begun.pop(entry["not_made"], None)
        else:
            self.factors.pop(entry.get("deleted", ""), None)

    def _entries(self) -> Iterator[dict[str, str]]:
        if self._path is None or not self._path.exists():
            return
        for line in self._path.read_text("utf-8").splitlines():
            # The last line of a process that was killed while it wrote may be half of one.
            with contextlib.suppress(ValueError):
                yield cast("dict[str, str]", json.loads(line))

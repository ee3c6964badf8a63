"""What a calibration has made and not deleted yet, in a file that outlives a kill: ids and names, and no secret.

A line is written before an enrolment and after it. What has begun and not ended may be there without anybody
knowing its id. The first line says whose the file is: where the API is, and a hash of the key, with a salt of its own.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO, cast

import attrs

_KIND = "workos-mfa calibrate"
_VERSION = 1


class JournalError(Exception):
    """The journal can't be used; the text says why, and what to do."""


@attrs.frozen
class Owner:
    """Whose factors a journal has."""

    api_key: str = attrs.field(repr=False)
    base_url: str


class Journal:
    """A journal of factors, which is locked until it is closed.

    :param path: the file, which is removed once nothing is left; None for no file.
    :param owner: whose it is.
    :raises JournalError: if it is not a journal of this owner, or another process has it.
    """

    def __init__(self, path: Path | None, owner: Owner | None = None) -> None:
        self._path = path
        self._begun: dict[str, str] = {}
        self.factors: dict[str, str] = {}
        self._file: BinaryIO | None = None
        if path is not None:
            self._file = _opened(path)
            try:
                self._read(self._file, path, owner or Owner("", ""))
            except BaseException:
                self._file.close()
                raise

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
        """Close the file, and remove it if nothing is left to delete."""
        file, self._file = self._file, None
        if self._path is None or file is None:
            return
        with file:
            # While it is locked, so that no other process can have begun to write into it.
            if self.is_empty:
                self._path.unlink(missing_ok=True)

    def _write(self, entry: dict[str, str]) -> None:
        self._apply(entry)
        if self._file is not None:
            _append(self._file, entry)

    def _apply(self, entry: dict[str, str]) -> None:
        if "begin" in entry:
            self._begun[entry["begin"]] = entry["name"]
        elif "made" in entry:
            self.factors[entry["id"]] = self._begun.pop(entry["made"], "")
        elif "not_made" in entry:
            self._begun.pop(entry["not_made"], None)
        else:
            self.factors.pop(entry["deleted"], None)

    def _read(self, file: BinaryIO, path: Path, owner: Owner) -> None:
        content = file.read()
        if not content:
            _append(file, _first_line(owner, secrets.token_hex(16)))
            return
        # The last line of a process that was killed while it wrote may be half of one.
        whole = content[: content.rfind(b"\n") + 1]
        first, *others = whole.splitlines() or [b""]
        _check_first_line(first, path, owner)
        try:
            for line in others:
                self._apply(_texts_in(line))
        except (ValueError, KeyError, RecursionError):
            raise JournalError(
                f"the journal {path} has a line that can't be read: put it right, or delete its factors yourself and "
                "remove it"
            ) from None
        file.truncate(len(whole))
        file.seek(len(whole))


def _opened(path: Path) -> BinaryIO:
    """The file, locked, readable by its owner alone; it is made if there is none."""
    try:
        # Without waiting, should it be a pipe.
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        raise JournalError(f"the journal {path} can't be opened: {error.strerror}") from None
    file = cast("BinaryIO", os.fdopen(number, "r+b", buffering=0))
    if not _is_own_file(number):
        file.close()
        raise JournalError(f"the journal {path} must be a file of your own: name another result file")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The run before may have removed it meanwhile.
        is_there = os.path.samestat(path.lstat(), os.fstat(number))
    except OSError:
        is_there = False
    if not is_there:
        file.close()
        raise JournalError(f"another run has the journal {path}: wait for its end, or name another result file")
    os.fchmod(number, 0o600)
    return file


def _is_own_file(number: int) -> bool:
    found = os.fstat(number)
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _append(file: BinaryIO, entry: dict[str, str] | dict[str, object]) -> None:
    file.write(json.dumps(entry).encode() + b"\n")
    os.fsync(file.fileno())


def _first_line(owner: Owner, salt: str) -> dict[str, object]:
    hashed = hmac.new(salt.encode(), f"{owner.api_key} {owner.base_url}".encode(), "sha256").hexdigest()
    return {_KIND: _VERSION, "salt": salt, "owner": hashed, "base_url": owner.base_url}


def _check_first_line(line: bytes, path: Path, owner: Owner) -> None:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    about = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    if about.get(_KIND) != _VERSION:
        raise JournalError(f"{path} is no journal of calibrate: name another result file, or move it away")
    if about != _first_line(owner, str(about.get("salt"))):
        raise JournalError(
            f"the journal {path} is of another API key or another base URL: delete what it has with these, by --clean"
        )


def _texts_in(line: bytes) -> dict[str, str]:
    found: object = json.loads(line)
    entry = cast("dict[object, object]", found) if isinstance(found, dict) else {}
    return {str(name): str(value) for name, value in entry.items()}

"""Which files an emulator takes for its state, and which it refuses and leaves as they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.caller import Caller
from tests.emulator.test_storage import execute
from workos_mfa.emulator import Emulator, StateFileError


@pytest.mark.parametrize("content", [b"hello", b"x" * 10_000, b"SQLite format 3\0"])
def test_a_file_of_another_kind_is_refused(path: Path, content: bytes) -> None:
    """A file that is no database is not touched."""
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(StateFileError, match=r"it is no state file of the emulator's\. Name another file\."):
        Emulator(state=path)
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize("script", ["CREATE TABLE mine (a)", "PRAGMA application_id = 7", "VACUUM"])
def test_a_database_of_something_else_is_left_as_it_is(path: Path, script: str, journal: str) -> None:
    """Of somebody's own database nothing is changed, its log included: not even what SQLite would tidy up."""
    execute(path, script, f"PRAGMA journal_mode = {journal}", "CREATE TABLE entries (mine)")
    # What a process leaves behind that was killed.
    Path(f"{path}-wal").write_bytes(b"left")
    before = {found: (found.read_bytes(), found.stat().st_mode) for found in path.parent.iterdir()}
    with pytest.raises(StateFileError, match="it is a database of something else"):
        Emulator(state=path)
    assert {found: (found.read_bytes(), found.stat().st_mode) for found in path.parent.iterdir()} == before


@pytest.fixture
def device() -> Iterator[str]:
    """A device of our own: a terminal."""
    descriptors = os.openpty()
    yield os.ttyname(descriptors[1])
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("name", ["made", "a link"])
@pytest.mark.parametrize("what", ["folder", "pipe", "device", "nothing"])
def test_what_is_no_file_is_refused(path: Path, device: str, what: str, name: str) -> None:
    """What only looks like a file is refused at once, with what would do, and is left as it was."""
    made = path.with_name("made")
    if what == "folder":
        made.mkdir(0o755)
    elif what == "pipe":
        os.mkfifo(made, 0o644)
    else:
        made.symlink_to({"device": device, "nothing": "nowhere"}[what])
    if name != made.name:
        path.with_name(name).symlink_to(made)
    before = _looks(path.parent), Path(device).stat().st_mode
    with pytest.raises(StateFileError, match=r"can't open the state file .*: it is a .*; .*name .*file"):
        Emulator(state=path.with_name(name))
    assert (_looks(path.parent), Path(device).stat().st_mode) == before


def _looks(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((found.name, found.lstat().st_mode, found.lstat().st_size) for found in folder.iterdir())


def test_a_link_to_a_file_will_do(path: Path) -> None:
    """A link to a state file is that file."""
    with Emulator(state=path) as emulator:
        made = Caller(emulator).generic()
    link = path.with_name("link")
    link.symlink_to(path)
    with Emulator(state=link) as emulator:
        assert Caller(emulator).get(made["id"]).json == made


INSERT = "INSERT INTO entries (kind, key, value) VALUES"
DAMAGED = "the state file is damaged"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        # A format that is not known yet is not guessed at.
        ("PRAGMA user_version = 2", r"a newer version of workos_mfa made it\. Update workos_mfa"),
        (f"{INSERT} ('factor', 'x', '{{}}')", DAMAGED),
        (f"{INSERT} ('factor', 'x', '{{')", DAMAGED),
        (f"{INSERT} ('challenge', 'x', '{{\"created_at\": \"x\"}}')", DAMAGED),
        (f"{INSERT} ('message', 'x', '7')", DAMAGED),
        (f"{INSERT} ('step', 'x', 'null')", DAMAGED),
        (f"{INSERT} ('sms', 'x', '[\"+15005550006\"]')", DAMAGED),
        (f"{INSERT} ('unheard of', 'x', '1')", DAMAGED),
    ],
)
def test_a_file_that_can_not_be_read_is_refused(path: Path, statement: str, problem: str) -> None:
    """A file with something in it that no emulator writes is not half read, and can be repaired and used then."""
    Emulator(state=path).close()
    execute(path, statement)
    with pytest.raises(StateFileError, match=problem):
        Emulator(state=path)
    execute(path, "DELETE FROM entries", "PRAGMA user_version = 1")
    Emulator(state=path).close()


def test_a_folder_that_there_is_not_is_told(tmp_path: Path) -> None:
    """A file can't be made in a folder that is missing."""
    with pytest.raises(StateFileError, match="can't open the state file"):
        Emulator(state=tmp_path / "missing" / "state.db")


def test_names_that_sqlite_has_a_meaning_for_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may have any name, also one that SQLite would take for something else."""
    monkeypatch.chdir(tmp_path)
    with Emulator(state=":memory:") as emulator:
        Caller(emulator).totp()
    assert (tmp_path / ":memory:").exists()

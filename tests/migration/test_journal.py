"""The journal: whose it is, what it keeps, and what it refuses."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workos_mfa._migration.journal import Journal, JournalError

KEY = "sk_test_sentinel"
URL = "https://api.workos.com"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of rows."""
    path = tmp_path / "rows.csv"
    path.write_text("user_id,secret\nuser_1,JBSWY3DPEHPK3PXP\n")
    return path


@pytest.fixture
def journal(tmp_path: Path, rows: Path) -> Iterator[Journal]:
    """A journal of that file, open."""
    with closing(Journal(tmp_path / "journal")) as opened:
        opened.begin(rows, KEY, URL, key_changed=False)
        yield opened


def test_it_remembers(journal: Journal, rows: Path) -> None:
    """After it was closed it knows of each row what was noted last."""
    for line in range(2, 7):
        journal.sending(line, f"user_{line}", {"auth_factor_1", "auth_factor_2"})
    journal.done(3, "auth_factor_3")
    journal.refused(4, "user_4", "404: there is no such user")
    journal.not_sent(5)
    journal.done(6, "auth_factor_6")
    assert not journal.lists_are_trusted
    journal.trust_lists()
    journal.close()
    with closing(Journal(journal.path)) as again:
        again.begin(rows, KEY, URL, key_changed=False)
        entries = {line: again.entry(line) for line in range(2, 8)}
        assert {line: entry.state for line, entry in entries.items() if entry} == {
            2: "sending",
            3: "done",
            4: "refused",
            6: "done",
        }
        sending = entries[2]
        assert sending is not None
        assert sending.before == {"auth_factor_1", "auth_factor_2"}
        assert again.finished() == 2
        assert again.lists_are_trusted


def test_it_is_private(journal: Journal, rows: Path) -> None:
    """Nobody else can read it, nor what SQLite puts beside it; and neither the file's secrets nor the key are in it."""
    journal.sending(2, "user_1", ())
    files = [path for path in journal.path.parent.iterdir() if path != rows]
    assert len(files) > 1
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    content = b"".join(path.read_bytes() for path in files)
    assert b"user_1" in content
    assert b"JBSWY3DPEHPK3PXP" not in content
    assert b"sentinel" not in content


def test_an_older_one_becomes_private(journal: Journal) -> None:
    """One that was copied to where others can read it is closed to them again."""
    journal.close()
    journal.path.chmod(0o644)
    Journal(journal.path).close()
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_whose_it_is(journal: Journal, rows: Path, tmp_path: Path) -> None:
    """It is refused for another file and for another key, unless that is said to be of the same environment."""
    other = tmp_path / "other.csv"
    other.write_text(f"{rows.read_text()}user_2,GEZDGNBVGY3TQOJQ\n")
    with pytest.raises(JournalError, match="is of another file, or the file was changed since"):
        journal.begin(other, KEY, URL, key_changed=False)
    with pytest.raises(JournalError, match="was written with another API key") as caught:
        journal.begin(rows, "sk_test_other", URL, key_changed=False)
    assert "sk_" not in str(caught.value)
    with pytest.raises(JournalError, match="with another API key, or for another base URL"):
        journal.begin(rows, KEY, "http://127.0.0.1:8080", key_changed=False)
    journal.begin(rows, "sk_test_other", URL, key_changed=True)
    journal.begin(rows, "sk_test_other", URL, key_changed=False)
    with pytest.raises(JournalError, match="No such file"):
        journal.begin(tmp_path / "gone.csv", KEY, URL, key_changed=False)


def test_one_import_at_a_time(journal: Journal) -> None:
    """As long as it is open nobody else can open it."""
    with pytest.raises(JournalError, match="is in use: another import is running with it"):
        Journal(journal.path)


def _text(path: Path) -> None:
    path.write_text("user_id,secret\n" * 100)


def _database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (c)")


def _fifo(path: Path) -> None:
    os.mkfifo(path, 0o644)


def _link(path: Path) -> None:
    Journal(path.with_name("target")).close()
    path.with_name("target").chmod(0o644)
    path.symlink_to("target")


def _device(path: Path) -> None:
    os.mknod(path, 0o644 | stat.S_IFCHR, os.makedev(1, 3))  # another /dev/null


def _newer(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a device")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_text, "is no journal of an import. Name another file with --journal"),
        (_database, "is no journal of an import. Name another file with --journal"),
        (_newer, "a newer version of workos_mfa made the journal"),
        (Path.mkdir, "can't be used"),
        (_fifo, "is no regular file"),
        (_link, "is a link"),
        pytest.param(_device, "is no regular file", marks=needs_root),
    ],
)
def test_what_is_no_journal(tmp_path: Path, make: object, reason: str) -> None:
    """A file of something else is left as it is."""
    path = tmp_path / "x"
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else b"", path.stat().st_mode
    with pytest.raises(JournalError, match=reason):
        Journal(path)
    assert (path.read_bytes() if path.is_file() else b"", path.stat().st_mode) == before


def test_a_file_of_somebody_else(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's file is not taken, even where we could write it: that user could change it."""
    journal.close()
    monkeypatch.setattr(os, "geteuid", lambda: journal.path.stat().st_uid + 1)
    with pytest.raises(JournalError, match="belongs to another user"):
        Journal(journal.path)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What can't be written is an error of whoever waits for it and of all that comes after, so nothing is sent."""
    journal = Journal(tmp_path / "journal")
    journal._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(JournalError, match="full"):
        journal.sending(1, "user_1", ["x" * 100_000])
    with pytest.raises(JournalError, match="full"):
        journal.done(1, "auth_factor_1")
    with pytest.raises(JournalError, match="full"):
        journal.close()
    journal.close()

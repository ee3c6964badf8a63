"""A state file: what survives a restart, what happens where it can't be written, and which files are refused."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.caller import NOW, PHONE, Caller
from tests.race import THREADS, race
from tests.test_packaging import loaded_by
from workos_mfa.emulator import FIXED_CODE_NUMBER, Emulator, StateFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state file is, or will be."""
    return tmp_path / "state.db"


@pytest.fixture
def started(path: Path) -> Iterator[Callable[..., Caller]]:
    """Start an emulator on the file, after the one before has stopped."""
    with contextlib.ExitStack() as running:

        def start(**settings: Any) -> Caller:
            running.close()
            return Caller(running.enter_context(Emulator(state=path, now=NOW, **settings)))

        yield start


class _TimeLimitError(BaseException):
    """A worker's time limit."""


class _Database(sqlite3.Connection):
    """The database in a state file; a time limit is reached when so many more statements have been executed."""

    left: int | None = None

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement, or raise in its place."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise _TimeLimitError
        return super().execute(*arguments)


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> list[_Database]:
    """The databases that emulators open during a test, the newest last."""
    connect = sqlite3.connect
    opened: list[_Database] = []

    def recorded(*arguments: Any, **options: Any) -> _Database:
        opened.append(connect(*arguments, factory=_Database, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    return opened


def _execute(path: Path, *statements: str) -> list[Any]:
    """What the last of these statements gives, executed by somebody else than the emulator."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        return [database.execute(statement).fetchall() for statement in statements][-1]


def test_without_a_file_nothing_of_it_is_loaded() -> None:
    """An emulator in memory does not load SQLite."""
    assert "sqlite3" not in loaded_by("from workos_mfa import Emulator; Emulator()")


def test_factors_survive(started: Callable[..., Caller]) -> None:
    """Factors of every type are the same after a restart, their secrets included; a deleted one stays deleted."""
    caller = started()
    factors = [caller.totp(user_id="user_1"), caller.sms(), caller.generic()]
    gone = caller.totp(user_id="user_1")
    caller.delete(gone["id"])
    shown = [caller.get(factor["id"]).json for factor in factors]
    code = caller.emulator.totp_code(factors[0]["id"])
    caller = started()
    assert [caller.get(factor["id"]).json for factor in factors] == shown
    assert caller.emulator.totp_code(factors[0]["id"]) == code
    assert caller.get(gone["id"]).status == 404
    assert [item["id"] for item in caller.list().json["data"]] == [factors[0]["id"]]


def test_challenges_survive(started: Callable[..., Caller]) -> None:
    """A challenge goes on where it was: its wrong codes count on, and one that was verified or cancelled stays so."""
    caller = started(max_wrong_codes=2)
    factor = caller.generic()
    challenges = [caller.challenge(factor).json for _ in range(3)]
    older, done, newest = challenges
    caller.wrong(newest)
    caller.verify(done, done["code"])
    caller = started(max_wrong_codes=2, new_challenge_cancels_older=True)
    codes = [caller.verify(challenge, challenge["code"]).json.get("code") for challenge in (older, done)]
    assert codes == ["authentication_challenge_expired", "authentication_challenge_previously_verified"]
    assert [caller.wrong(newest).status for _ in range(2)] == [201, 400]


def test_used_codes_stay_used(started: Callable[..., Caller]) -> None:
    """A TOTP code that was accepted is not accepted again after a restart, and the next one is."""
    caller = started()
    factor = caller.totp()
    code = caller.emulator.totp_code(factor["id"])
    assert caller.verify(caller.challenge(factor).json, code).json["valid"] is True
    caller = started()
    assert caller.verify(caller.challenge(factor).json, code).json["valid"] is False
    caller.emulator.clock.advance(30)
    new = caller.emulator.totp_code(factor["id"])
    assert caller.verify(caller.challenge(factor).json, new).json["valid"] is True


def test_the_outbox_survives(started: Callable[..., Caller]) -> None:
    """Text messages are still there, in their order; those that were cleared are not, but count for the limit."""
    caller = started()
    factor = caller.sms()
    caller.challenge(factor)
    caller.emulator.outbox.clear()
    challenges = [caller.challenge(factor, sms_template="\u00e9 \ud800 {{code}}").json for _ in range(2)]
    before = list(caller.emulator.outbox)
    caller = started(sms_rate_limit=3)
    assert list(caller.emulator.outbox) == before
    assert [message.challenge_id for message in before] == [challenge["id"] for challenge in challenges]
    assert caller.verify(challenges[0], before[0].code).json["valid"] is True
    assert caller.challenge(factor).json["code"] == "sms_challenge_rate_limited"
    caller.emulator.clock.advance(61)
    assert caller.challenge(factor).status == 201


def test_a_standing_clock_stands_where_it_stood(started: Callable[..., Caller]) -> None:
    """The clock of the file goes before ``now``; a reset brings ``now`` back."""
    caller = started()
    caller.emulator.clock.advance(3600.5)
    caller = started()
    assert caller.emulator.clock.now() == NOW + timedelta(seconds=3600.5)
    caller.emulator.reset()
    assert caller.emulator.clock.now() == NOW
    assert started().emulator.clock.now() == NOW


def test_a_running_clock_keeps_its_distance(path: Path) -> None:
    """A clock that runs, or was stopped or let go, does so after a restart."""
    with Emulator(state=path) as emulator:
        emulator.clock.advance(86_400)
    with Emulator(state=path) as emulator:
        ahead = emulator.clock.now() - datetime.now(timezone.utc)
        assert abs(ahead - timedelta(days=1)) < timedelta(minutes=5)
        emulator.clock.freeze()
        stood_at = emulator.clock.now()
    with Emulator(state=path) as emulator:
        assert emulator.clock.now() == stood_at
        emulator.clock.unfreeze()
    with Emulator(state=path) as emulator:
        assert not emulator.clock.is_frozen
        emulator.clock.set(NOW)
    with Emulator(state=path) as emulator:
        assert NOW <= emulator.clock.now() < NOW + timedelta(minutes=5)


def test_ids_go_on(started: Callable[..., Caller]) -> None:
    """Ids of one millisecond sort in the order in which they were made, over a restart too."""
    ids: list[str] = []
    for _ in range(4):
        caller = started()
        ids += [caller.totp(user_id="user_1")["id"] for _ in range(2)]
    assert ids == sorted(ids)
    assert [item["id"] for item in caller.list(order="asc").json["data"]] == ids


def test_seeded_things_survive(started: Callable[..., Caller]) -> None:
    """Users, factors and challenges of a seed are kept, and the same seed may be given again."""
    seed = {
        "users": {"user_1": "alan@example.com"},
        "factors": [{"id": "auth_factor_ada", "type": "sms", "phone_number": FIXED_CODE_NUMBER}],
        "challenges": [
            {"id": "auth_challenge_1", "authentication_factor_id": "auth_factor_ada", "code": "111111"},
        ],
    }
    caller = started(users="seeded")
    ids = caller.emulator.seed(seed)
    caller.wrong({"id": "auth_challenge_1"})
    caller = started(users="seeded")
    assert caller.emulator.seed(seed) == ids
    assert caller.create("user_1").json["authentication_factor"]["totp"]["user"] == "alan@example.com"
    assert caller.verify({"id": "auth_challenge_1"}, "111111").json["valid"] is True


def test_reproducible_chance_goes_on(path: Path) -> None:
    """With ``seed``, a restart goes on with the series rather than with the same ids again; a reset begins it anew."""

    def three(emulator: Emulator) -> list[str]:
        return [Caller(emulator).totp()["id"] for _ in range(3)]

    with Emulator(now=NOW, random_seed=7) as emulator:
        expected = three(emulator) + three(emulator)
    with Emulator(now=NOW, random_seed=7, state=path) as emulator:
        first = three(emulator)
    with Emulator(now=NOW, random_seed=7, state=path) as emulator:
        assert first + three(emulator) == expected
        emulator.reset()
        assert three(emulator) == first


def test_a_state_file_loses_nothing_in_a_race(path: Path) -> None:
    """What 32 threads do at once is all in the file, and read again as it was."""
    with Emulator(max_wrong_codes=7, state=path, now=NOW) as emulator:
        caller = Caller(emulator)
        challenge = caller.challenge(caller.generic()).json

        def work(number: int) -> int:
            caller.emulator.clock.advance(1)
            caller.challenge(caller.sms())
            if number % 8 == 0:
                caller.emulator.outbox.clear()
            return caller.wrong(challenge).status

        statuses = Counter(race(work))
        outbox, moment = list(emulator.outbox), emulator.clock.now()
    assert statuses == {201: 7, 400: THREADS - 7}
    with Emulator(max_wrong_codes=7, state=path) as emulator:
        assert list(emulator.outbox) == outbox
        assert f"{THREADS + 1} factors, {THREADS + 1} challenges" in repr(emulator)
        assert emulator.clock.now() == moment == NOW + timedelta(seconds=THREADS)
        assert Caller(emulator).wrong(challenge).status == 400


def test_reset_empties_the_file(started: Callable[..., Caller], path: Path) -> None:
    """After a reset the file knows nothing of what was."""
    caller = started()
    caller.challenge(caller.sms())
    caller.emulator.seed({"users": {"user_1": "alan@example.com"}})
    caller.emulator.reset()
    caller.emulator.close()
    kept = str(_execute(path, "SELECT * FROM entries"))
    assert not [text for text in (PHONE, "user_1", "alan@example.com", "auth_") if text in kept]
    assert repr(started().emulator).startswith("<Emulator: 0 factors, 0 challenges, 0 text messages")


@pytest.mark.parametrize("is_there", [False, True])
def test_the_file_is_private(path: Path, is_there: bool) -> None:  # noqa: FBT001
    """Nobody else can read the file, or what SQLite puts beside it, though it was once readable for all."""
    if is_there:
        path.touch(0o644)
    with Emulator(state=path) as emulator:
        Caller(emulator).totp()
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    path.chmod(0o644)
    with Emulator(state=str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_close_lets_go_of_the_file(path: Path) -> None:
    """A file is free once its emulator is closed, which may be done twice; what would be lost afterwards is refused."""
    emulator = Emulator(state=path)
    caller = Caller(emulator)
    factor = caller.generic()
    emulator.close()
    emulator.close()
    with pytest.raises(StateFileError, match="was closed; make another one"):
        caller.challenge(factor)
    stood = emulator.clock.setting()
    with pytest.raises(StateFileError, match="was closed"):
        emulator.clock.advance(1)
    assert emulator.clock.setting() == stood
    assert caller.get(factor["id"]).status == 200
    with Emulator(state=path) as second, pytest.raises(StateFileError, match="another process is using it"):
        Emulator(state=path)
    assert "1 factors" in repr(second)


def test_a_refused_call_writes_nothing(started: Callable[..., Caller]) -> None:
    """What was refused, or a seed with nothing in it, leaves no trace in the file, and nothing that is undone later."""
    caller = started()
    assert caller.emulator.seed({}) == {"factors": [], "challenges": []}
    factor = caller.generic()
    challenge = caller.challenge(factor).json
    caller.enroll(type="sms", phone_number="foo")
    caller.challenge({"id": "auth_factor_unknown"})
    caller.emulator.clock.advance(601)
    assert caller.verify(challenge, challenge["code"]).status == 422
    assert repr(started().emulator).startswith("<Emulator: 1 factors, 1 challenges")


def test_a_full_disk_loses_nothing(started: Callable[..., Caller], databases: list[_Database]) -> None:
    """A call that can't be written is an error and did nothing; what was answered before stays, as do later calls."""
    caller = started()
    factor = caller.sms()
    challenge = caller.challenge(factor, sms_template="{{code}}").json
    database = databases[-1]
    [pages] = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateFileError, match=r"can't write the state file .*: database or disk is full") as caught:
        _until_it_fails(lambda: caller.challenge(factor))
    answered = len(caller.emulator.calls) - 1
    assert caught.value.__context__ is caught.value.__cause__ is None
    assert f"1 factors, {answered} challenges, {answered} text messages" in repr(caller.emulator)
    database.execute("PRAGMA max_page_count = 100000")
    assert caller.challenge(factor).status == 201
    assert caller.verify(challenge, caller.emulator.outbox[0].code).json["valid"] is True
    assert len(started().emulator.outbox) == answered + 1


def _until_it_fails(call: Callable[[], object]) -> None:
    while True:
        call()


@pytest.mark.parametrize("is_a_seed", [False, True])
def test_an_interrupted_change_did_nothing(
    started: Callable[..., Caller],
    databases: list[_Database],
    is_a_seed: bool,  # noqa: FBT001
) -> None:
    """Before whichever of its statements a call or a seed is interrupted, it is undone, in memory and in the file."""
    caller = started()
    factor = caller.sms()
    before = repr(caller.emulator)
    left = 0
    while True:
        databases[-1].left = left
        try:
            if is_a_seed:
                caller.emulator.seed({"factors": [{"type": "generic_otp"}] * 9})
            else:
                caller.challenge(factor)
        except _TimeLimitError:
            assert repr(caller.emulator) == before
        else:
            break
        left += 1
    assert left > 3
    after = "10 factors, 0 challenges, 0" if is_a_seed else "1 factors, 1 challenges, 1"
    assert repr(started().emulator).startswith(f"<Emulator: {after} text messages")


def test_a_fork_does_not_write(started: Callable[..., Caller], path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child of a fork must not write to its parent's file, and is told so; nor does it close it."""
    caller = started()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        with pytest.raises(StateFileError, match="make the emulator after the fork"):
            caller.generic()
    assert caller.enroll(type="generic_otp").status == 201
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        caller.emulator.close()
    with pytest.raises(StateFileError, match="another process is using it"):
        Emulator(state=path)


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
    _execute(path, script, f"PRAGMA journal_mode = {journal}", "CREATE TABLE entries (mine)")
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


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    """A format that is not known yet is not guessed at."""
    Emulator(state=path).close()
    _execute(path, "PRAGMA user_version = 2")
    with pytest.raises(StateFileError, match=r"a newer version of workos_mfa made it\. Update workos_mfa"):
        Emulator(state=path)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("factor", "{}"),
        ("factor", "{"),
        ("challenge", '{"created_at": "x"}'),
        ("message", "7"),
        ("step", "null"),
        ("sms", '["+15005550006"]'),
        ("unheard of", "1"),
    ],
)
def test_a_damaged_file_is_refused(path: Path, kind: str, value: str) -> None:
    """A file with something in it that no emulator writes is not half read, and can be repaired and used then."""
    Emulator(state=path).close()
    _execute(path, f"INSERT INTO entries (kind, key, value) VALUES ('{kind}', 'x', '{value}')")  # noqa: S608
    with pytest.raises(StateFileError, match="the state file is damaged"):
        Emulator(state=path)
    _execute(path, "DELETE FROM entries")
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

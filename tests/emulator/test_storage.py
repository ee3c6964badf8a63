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
    """The database in a state file; a time limit is reached when so many more statements have been executed.

    It comes before the next statement, or behind it.
    """

    left: int | None = None
    is_behind = False

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement, or raise in its place or behind it."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                if self.is_behind:
                    super().execute(*arguments)
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


def execute(path: Path, *statements: str) -> list[Any]:
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
    started().emulator.clock.advance(3600.5)
    emulator = started().emulator
    assert emulator.clock.now() == NOW + timedelta(seconds=3600.5)
    emulator.reset()
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
        assert emulator.clock.now() >= stood_at


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


@pytest.mark.parametrize("seed", [None, 7])
def test_ids_go_on(started: Callable[..., Caller], seed: int | None) -> None:
    """Ids of one millisecond sort in the order in which they were made, over a restart too, and go on with a seed."""

    def made_by(caller: Caller) -> list[str]:
        return [caller.totp(user_id="user_1")["id"] for _ in range(3)]

    ids: list[str] = []
    for _ in range(3):
        ids += made_by(started(random_seed=seed))
    assert ids == sorted(ids)
    caller = started(random_seed=seed)
    assert [item["id"] for item in caller.list(order="asc").json["data"]] == ids
    caller.emulator.reset()
    assert (made_by(caller) == ids[:3]) is (seed is not None)
    in_memory = Caller(Emulator(now=NOW, random_seed=seed))
    assert (made_by(in_memory) + made_by(in_memory) == ids[:6]) is (seed is not None)


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
    kept = str(execute(path, "SELECT * FROM entries"))
    assert not [text for text in (PHONE, "user_1", "alan@example.com", "auth_") if text in kept]
    assert repr(started().emulator).startswith("<Emulator: 0 factors, 0 challenges, 0 text messages")


@pytest.mark.parametrize("is_there", [False, True])
def test_the_file_is_private(path: Path, is_there: bool) -> None:  # noqa: FBT001
    """Nobody else can read the file, or what SQLite puts beside it, though it was once readable for all."""
    if is_there:
        path.touch(0o644)
    for _ in range(2):
        with Emulator(state=path) as emulator:
            Caller(emulator).totp()
            assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
        path.chmod(0o644)


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


@pytest.mark.parametrize("left", range(5))
def test_an_emulator_goes_on_after_an_interruption(
    started: Callable[..., Caller], databases: list[_Database], left: int
) -> None:
    """Behind whichever of its statements a call was interrupted, later calls are made and kept."""
    caller = started()
    databases[-1].left, databases[-1].is_behind = left, True
    with pytest.raises(_TimeLimitError):
        caller.challenge(caller.sms())
    factor = caller.sms()
    assert caller.challenge(factor).status == 201
    assert started().get(factor["id"]).status == 200


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

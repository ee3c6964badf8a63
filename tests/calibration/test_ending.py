"""However a calibration ends, it leaves nothing, or says what it leaves."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.calibration.world import FULL, USER, World, world
from workos_mfa import Emulator, MFAError, Request, Response
from workos_mfa._calibration.account import ISSUER, Account
from workos_mfa._calibration.calibration import Plan, UserHasFactorsError, clean
from workos_mfa._calibration.factor_journal import Journal, JournalError, Owner
from workos_mfa._calibration.report import leftovers
from workos_mfa._calibration.wire import Wire

Tell = Callable[[str], None]
MOMENTS = 40
PROCESSES = 10 if FULL else 2


class Interrupting:
    """A transport within whose call number N the person presses Ctrl-C."""

    def __init__(self, emulator: Emulator, number: int) -> None:
        self.emulator = emulator
        self.left = number
        self.is_wanted = False

    def send(self, request: Request, /) -> Response:
        """Make the call, which is never cut off."""
        self.left -= 1
        self.is_wanted |= self.left == 0
        return self.emulator.send(request)

    def close(self) -> None:
        """Nothing."""


def test_ctrl_c_at_any_moment(tmp_path: Path, tell: Tell) -> None:
    """Ctrl-C waits for the call in flight, and then everything is deleted, and the journal with it."""
    left = 0
    for moment in range(MOMENTS):
        made = world({}, moment)
        transport = Interrupting(made.emulator, 1 + 3 * moment)
        journal = Journal(tmp_path / "journal")
        run = World(made.emulator, transport)
        outcome = run.calibrate(Plan(), journal, is_stopped=lambda transport=transport: transport.is_wanted)
        assert (outcome.stopped, outcome.may_remain) == ("it was interrupted", [])
        left += int(repr(made.emulator).split()[1]) + (tmp_path / "journal").exists()
    tell(f"Ctrl-C at {MOMENTS} moments: {left} factors left")
    assert left == 0


def test_ctrl_c_before_an_enrolment() -> None:
    """A call that was never made leaves nothing that may remain, whichever way it would have been made."""
    for title in ("What does a validation error of /auth look like?", "How is the otpauth URI written?"):
        told: list[str] = []
        made = world({})
        outcome = made.calibrate(Plan(), tell=told.append, is_stopped=lambda told=told, title=title: title in told)
        assert (outcome.stopped, outcome.may_remain) == ("it was interrupted", [])


def test_an_exception_leaves_nothing() -> None:
    """Whatever else ends a run, such as a transport's own exception, what it made is deleted."""
    made = world({})

    class Broken(Interrupting):
        def send(self, request: Request, /) -> Response:
            response = super().send(request)
            if self.left == 0:
                raise KeyError("broken")
            return response

    with pytest.raises(KeyError):
        World(made.emulator, Broken(made.emulator, 30)).calibrate(Plan())
    assert repr(made.emulator).startswith("<Emulator: 0 factors")


def test_a_lost_enrolment_is_said() -> None:
    """A factor whose enrolment was lost may remain; it is told with the name by which it can be recognised."""
    made = world({})
    made.emulator.faults.lose_response(operation="enroll_factor", after=20)
    made.emulator.faults.lose_response(operation="enroll_factor", after=30)
    outcome = made.calibrate(Plan())
    assert len(outcome.may_remain) == int(repr(made.emulator).split()[1]) == 2
    [line] = leftovers(outcome)
    assert line.startswith("2 may remain: ")
    assert ISSUER in line


def test_a_lost_factor_of_a_user_is_found() -> None:
    """A user's factors can be listed, so that one whose response was lost is deleted as well."""
    made = world({})
    made.emulator.faults.lose_response(operation="create_user_auth_factor", after=2, count=3)
    outcome = made.calibrate(Plan(user_id=USER))
    assert (outcome.may_remain, repr(made.emulator).split()[1]) == ([], "0")


def test_a_user_with_factors_is_refused() -> None:
    """A user who has factors is left alone."""
    made = world({})
    made.emulator.seed({"factors": [{"type": "generic_otp", "user_id": USER}]})
    with pytest.raises(UserHasFactorsError, match=USER):
        made.calibrate(Plan(user_id=USER))
    assert repr(made.emulator).startswith("<Emulator: 1 factors")


@pytest.mark.parametrize(("fault", "count"), [("respond", 1), ("lose_response", None)])
def test_a_run_that_can_not_begin(fault: str, count: int | None) -> None:
    """If the key is refused, or nothing comes back, nothing is made."""
    made = world({})
    arguments = (401,) if fault == "respond" else ()
    getattr(made.emulator.faults, fault)(*arguments, count=count)
    with pytest.raises(MFAError):
        made.calibrate(Plan())
    assert {call.operation for call in made.emulator.calls} == {"get_factor"}


def test_what_can_not_be_deleted_is_said() -> None:
    """A factor that can't be deleted stays in the journal, and is told."""
    made = world({})
    made.emulator.faults.respond_html(200, method="DELETE", count=None)
    outcome = made.calibrate(Plan())
    assert len(outcome.left) == int(repr(made.emulator).split()[1]) > 0
    assert leftovers(outcome)[0].startswith(f"{len(outcome.left)} factors could not be deleted")


OWNER = Owner("sk_test_calibration", "https://api.workos.com")


def left_by(path: Path, owner: Owner) -> None:
    """Make the journal of a run that has left a factor."""
    journal = Journal(path, owner)
    journal.begin("9", "name 9")
    journal.made("9", "auth_factor_9")
    journal.close()


class TestJournal:
    """The journal of ids."""

    def test_it_outlives_a_process(self, tmp_path: Path) -> None:
        """What was made and not deleted is there again, even if the last line is half of one; no secret is in it."""
        path = tmp_path / "journal"
        journal = Journal(path)
        for number in "1234":
            journal.begin(number, f"name {number}")
        journal.made("1", "auth_factor_1")
        journal.made("2", "auth_factor_2")
        journal.deleted("auth_factor_1")
        journal.not_made("3")
        journal.close()
        journal.close()
        with path.open("a") as file:
            file.write('{"made": "4"')
        again = Journal(path)
        assert (again.factors, again.unknown) == ({"auth_factor_2": "name 2"}, ["name 4"])
        again.found("name 4", "auth_factor_4")
        again.found("name 5", "auth_factor_5")
        again.close()
        last = Journal(path)
        assert list(last.factors) == ["auth_factor_2", "auth_factor_4"]
        last.close()
        assert path.stat().st_mode & 0o777 == 0o600

    def test_it_is_gone_once_nothing_is_left(self, tmp_path: Path) -> None:
        """A journal of which nothing is left is removed."""
        path = tmp_path / "journal"
        journal = Journal(path)
        journal.begin("1", "name")
        journal.made("1", "auth_factor_1")
        journal.deleted("auth_factor_1")
        journal.close()
        assert not path.exists()

    @pytest.mark.parametrize(
        "content",
        [b"My notes.\n", b"5\n", b"\xff\xfe\n", b"no end", b'{"workos-mfa calibrate": 2}\n', b"[" * 100_000 + b"\n"],
    )
    def test_a_file_that_is_not_its_own(self, tmp_path: Path, content: bytes) -> None:
        """A file that does not begin as a journal is refused, and left as it is."""
        path = tmp_path / "journal"
        path.write_bytes(content)
        with pytest.raises(JournalError, match="is no journal of calibrate"):
            Journal(path)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("line", [b"5", b"{}", b"\xff", b'{"begin": "1"}', b""])
    def test_a_line_that_can_not_be_read(self, tmp_path: Path, line: bytes) -> None:
        """Nothing is guessed about a line in the middle: what it had would be forgotten."""
        path = tmp_path / "journal"
        left_by(path, OWNER)
        content = path.read_bytes() + line + b'\n{"made": "1", "id": "auth_factor_1"}\n'
        path.write_bytes(content)
        with pytest.raises(JournalError, match="has a line that can't be read"):
            Journal(path, OWNER)
        assert path.read_bytes() == content

    def test_no_link_and_no_pipe(self, tmp_path: Path) -> None:
        """A link is not followed, and only a file is taken."""
        path = tmp_path / "journal"
        kinds: list[tuple[Callable[[], None], str]] = [
            (lambda: path.symlink_to(tmp_path / "other"), "can't be opened"),
            (path.mkdir, "can't be opened"),
            (lambda: os.mkfifo(path), "must be a file of your own"),
        ]
        for make, said in kinds:
            make()
            with pytest.raises(JournalError, match=said):
                Journal(path)
            path.rmdir() if path.is_dir() else path.unlink()
        assert list(tmp_path.iterdir()) == []

    def test_one_at_a_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A journal that another run has is refused, even if that run removes it in the same moment."""
        path = tmp_path / "journal"
        journal = Journal(path)
        with pytest.raises(JournalError, match="another run has the journal"):
            Journal(path)
        journal.close()
        monkeypatch.setattr(fcntl, "flock", lambda *_: path.unlink())
        with pytest.raises(JournalError, match="another run has the journal"):
            Journal(path)

    @pytest.mark.parametrize("other", [Owner("sk_test_other", OWNER.base_url), Owner(OWNER.api_key, "https://x.test")])
    def test_whose_it_is(self, tmp_path: Path, other: Owner) -> None:
        """The journal of another key or another API is refused, since nothing of it could be deleted with this one."""
        path = tmp_path / "journal"
        left_by(path, OWNER)
        with pytest.raises(JournalError, match="another API key or another base URL"):
            Journal(path, other)
        again = Journal(path, OWNER)
        assert list(again.factors) == ["auth_factor_9"]
        again.close()
        assert OWNER.api_key not in f"{path.read_text()} {OWNER!r}"

    def test_what_is_gone_already_is_deleted(self) -> None:
        """A 404 that names a factor is as good as a deletion; one that names nothing is not."""
        made = world({})
        journal = Journal(None)
        journal.begin("1", "name")
        journal.made("1", "auth_factor_gone")
        made.emulator.faults.respond_html(404, method="DELETE")
        made.emulator.faults.respond(404, method="DELETE")
        wire = Wire(made.emulator, clock=lambda: 0.0, sleep=made.emulator.clock.advance)
        assert clean(Account(wire, journal)) == []
        assert len(wire.evidence) == 3


@pytest.fixture
def served() -> Iterator[tuple[Emulator, dict[str, str]]]:
    """An emulator over HTTP, and the environment for a process that calls it."""
    emulator = Emulator()
    with emulator.serve() as server:
        names = {"WORKOS_API_KEY": server.api_key, "WORKOS_BASE_URL": server.base_url}
        yield emulator, {**os.environ, **names}


def started(environment: dict[str, str], folder: Path, *options: str) -> subprocess.Popen[str]:
    """The command, as a process of its own."""
    command = [sys.executable, "-m", "workos_mfa", "calibrate", "--settings", str(folder / "settings.json"), *options]
    return subprocess.Popen(  # noqa: S603
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def after(emulator: Emulator, calls: int) -> None:
    """Wait until an emulator has had so many calls."""
    reached = threading.Event()

    def count(_: object) -> None:
        if len(emulator.calls) >= calls:
            reached.set()

    emulator.calls.watch(count)
    assert reached.wait(30)


@pytest.mark.parametrize("number", range(PROCESSES))
def test_ctrl_c_of_a_process(served: tuple[Emulator, dict[str, str]], tmp_path: Path, number: int) -> None:
    """The command deletes what it made after a real Ctrl-C, even after a second one, and says that it was stopped."""
    emulator, environment = served
    process = started(environment, tmp_path, "--yes")
    after(emulator, 6 + 5 * number)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert repr(emulator).startswith("<Emulator: 0 factors")
    assert "it was interrupted" in out
    assert error.count("it stops after this call") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", range(PROCESSES))
def test_kill_and_clean(served: tuple[Emulator, dict[str, str]], tmp_path: Path, number: int, tell: Tell) -> None:
    """After a kill -9 a new run is refused, and --clean deletes what is in the journal and says what may remain."""
    emulator, environment = served
    process = started(environment, tmp_path, "--yes")
    after(emulator, 8 + 7 * number)
    process.kill()
    process.communicate(timeout=60)
    journal = tmp_path / "settings.json.journal"
    text = journal.read_text()
    assert "secret" not in text
    refused = started(environment, tmp_path, "--yes")
    assert "--clean" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 2
    cleaning = started(environment, tmp_path, "--clean")
    out = cleaning.communicate(timeout=60)[0]
    lost = sum("begin" in json.loads(line) for line in text.splitlines()) - text.count('"made"')
    assert environment["WORKOS_API_KEY"] not in text
    assert cleaning.returncode == 0
    assert int(repr(emulator).split()[1]) <= lost
    assert ("may remain" in out) is bool(lost)
    assert not journal.exists()
    tell(
        f"kill -9 after {8 + 7 * number} calls and --clean: {repr(emulator).split()[1]} factors left, {lost} announced"
    )

"""However a calibration ends, it leaves nothing, or says what it leaves."""

from __future__ import annotations

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
from workos_mfa._calibration.factor_journal import Journal
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
        with path.open("a") as file:
            file.write('{"made": "4"')
        again = Journal(path)
        assert (again.factors, again.unknown) == ({"auth_factor_2": "name 2"}, ["name 4"])
        again.found("name 4", "auth_factor_4")
        again.found("name 5", "auth_factor_5")
        assert list(again.factors) == ["auth_factor_2", "auth_factor_4"]
        again.close()
        assert path.exists()

    def test_it_is_gone_once_nothing_is_left(self, tmp_path: Path) -> None:
        """A journal of which nothing is left is removed."""
        path = tmp_path / "journal"
        journal = Journal(path)
        journal.begin("1", "name")
        journal.made("1", "auth_factor_1")
        journal.deleted("auth_factor_1")
        journal.close()
        assert not path.exists()

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
    assert cleaning.returncode == 0
    assert int(repr(emulator).split()[1]) <= lost
    assert ("may remain" in out) is bool(lost)
    assert not journal.exists()
    tell(
        f"kill -9 after {8 + 7 * number} calls and --clean: {repr(emulator).split()[1]} factors left, {lost} announced"
    )

"""``workos-mfa calibrate`` as a person runs it: what it says, asks, writes and ends with."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

import pytest

from tests.calibration.world import PHONE, USER, World, world
from tests.cli.processes import ended
from tests.cli.terminal import in_a_terminal
from workos_mfa import Emulator
from workos_mfa._calibration import replay
from workos_mfa._cli import calibrate, main, prompts
from workos_mfa.emulator import Settings

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An account over HTTP, found by the environment."""
    made = world({"max_wrong_codes": 3, "sms_rate_limit": 4})
    with made.emulator.serve() as server:
        monkeypatch.setenv("WORKOS_API_KEY", server.api_key)
        monkeypatch.setenv("WORKOS_BASE_URL", server.base_url)
        yield made


@pytest.fixture
def run(served: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command in this process; the account's clock moves when it waits."""
    clock = served.emulator.clock
    monkeypatch.setattr(
        calibrate, "time", SimpleNamespace(monotonic=lambda: clock.now().timestamp(), sleep=clock.advance)
    )
    monkeypatch.setattr(calibrate, "pause", lambda _, seconds: clock.advance(seconds))
    monkeypatch.setattr(
        "sys.stdin", SimpleNamespace(readline=lambda: f"{served.emulator.outbox.latest().text}\n", isatty=bool)
    )
    monkeypatch.chdir(tmp_path)

    def called(*options: str) -> tuple[int, str, str]:
        status = main.main(["calibrate", *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return called


def test_a_whole_run(served: World, run: Run) -> None:
    """It says what it will do, asks everything, writes both files, and leaves nothing; the emulator takes the file."""
    options = ("--settings", "s.json", "--report", "r.md", "--yes", "--slow", "--user", USER, "--phone", PHONE)
    status, out, error = run(*options)
    assert status == 0, error
    assert "It asks 33 questions" in out
    assert "It sends 18 text messages" in out
    assert "The emulator with these settings gives the same 33 answers." in out
    assert "calibrate: How many steps of 30 seconds may a TOTP code be old?" in error
    assert sorted(path.name for path in Path().iterdir()) == ["r.md", "s.json"]
    assert repr(served.emulator).startswith("<Emulator: 0 factors")
    settings = Settings.from_file("s.json")
    assert (settings.max_wrong_codes, settings.sms_rate_limit) == (3, 4)
    assert len(json.loads(Path("s.json").read_text())) > 30


def test_the_report_shows_no_secret(served: World, run: Run) -> None:
    """No code, id or number is in the report: ``code`` is an error's name in a 4xx, and a one-time code in a 201."""
    assert run("--report", "r.md", "--yes", "--phone", PHONE)[0] == 0
    text = Path("r.md").read_text("utf-8")
    assert "one_time_code_too_many_attempts" in text
    assert [message.code for message in served.emulator.outbox if message.code in text] == []
    assert [word for word in ("auth_factor_", "auth_challenge_", PHONE, "secret=", "+1202") if word in text] == []
    assert "## Open" in text
    assert "it needs --slow".capitalize() in text
    assert "It is not asked: it would spend them." in text


def test_a_check(run: Run) -> None:
    """--check tells what has changed since, with status 1, and what is not known this time."""
    before = Path("before.json")
    before.write_text('{"max_wrong_codes": 3, "lock_ends_after": null}', "utf-8")
    status, out, _ = run("--check", "before.json", "--yes")
    assert status == 0
    assert "What could be compared has not changed.\nopen this time: lock_ends_after\n" in out
    before.write_text('{"max_wrong_codes": 3}', "utf-8")
    status, out, _ = run("--check", "before.json", "--yes")
    assert (status, out.splitlines()[-1]) == (0, "Nothing has changed.")
    before.write_text('{"max_wrong_codes": 5, "users": "any"}', "utf-8")
    status, out, _ = run("--check", "before.json", "--yes")
    assert status == 1
    assert "changed: max_wrong_codes: 5 before, 3 now\n" in out
    assert [path.name for path in Path().iterdir()] == ["before.json"]


@pytest.mark.parametrize(
    ("response", "status", "said"),
    [
        (
            {"code": "teapot"},
            1,
            "changed: max_wrong_codes: 3 before, and now no setting describes it: wrong code number 1 is 418 teapot",
        ),
        ({}, 0, "What could be compared has not changed.\nopen this time: max_wrong_codes"),
    ],
)
def test_a_check_of_what_is_open_now(served: World, run: Run, response: dict[str, str], status: int, said: str) -> None:
    """What no setting describes any more has changed; what is open since responses were of no use has not."""
    served.emulator.faults.respond(418, response, operation="verify_challenge", count=None)
    Path("before.json").write_text('{"max_wrong_codes": 3}', "utf-8")
    found, out, _ = run("--check", "before.json", "--yes")
    assert (found, said in out) == (status, True), out
    assert "Nothing has changed" not in out


def test_a_run_that_is_stopped(served: World, run: Run) -> None:
    """If the canary dies the run ends with status 1 and writes a report, but no settings."""
    served.emulator.faults.respond(403, {"message": "no"}, operation="enroll_factor", after=1, count=None)
    status, out, _ = run("--settings", "s.json", "--report", "r.md", "--yes")
    assert status == 1
    assert "The run was stopped: after a lock, no fresh factor could be tried" in out
    assert [path.name for path in Path().iterdir()] == ["r.md"]


def test_ctrl_c(served: World, run: Run) -> None:
    """Ctrl-C, even twice, waits for the call in flight; what was made is deleted, and nothing else is written."""

    def press(_: object) -> None:
        if len(served.emulator.calls) == 20:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)

    served.emulator.calls.watch(press)
    status, out, error = run("--settings", "s.json", "--yes")
    assert (status, error.count("it stops after this call")) == (130, 1)
    assert "it was interrupted. No settings are written." in out
    assert repr(served.emulator).startswith("<Emulator: 0 factors")
    assert list(Path().iterdir()) == []


def test_what_is_beside_the_file(served: World, run: Run) -> None:
    """A file that is there under the journal's name, and is no journal, is neither read as one nor removed."""
    path = Path("s.json.journal")
    path.write_text("My notes.\n", "utf-8")
    for options in (("--yes",), ("--clean",)):
        status, _, error = run("--settings", "s.json", *options)
        assert (status, "is no journal of calibrate" in error) == (2, True)
    assert path.read_text("utf-8") == "My notes.\n"
    assert not served.emulator.calls


def test_a_no(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who says no has nothing done."""
    monkeypatch.setattr(prompts, "confirm", lambda _: False)
    assert run("--settings", "s.json")[::2] == (2, "workos-mfa calibrate: nothing was done\n")


def test_without_the_emulator(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without segno there is no emulator and so no replay, which is said; all else is done."""
    monkeypatch.setitem(sys.modules, "segno", None)
    status, out, _ = run("--report", "r.md", "--yes")
    assert status == 0
    assert "There was no replay: pip install 'workos-mfa[emulator]'." in out
    assert "There was no replay on the emulator." in Path("r.md").read_text("utf-8")


def test_a_replay_that_differs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the emulator with the settings found does something else, that is said, and is no success."""
    monkeypatch.setattr(replay, "emulator_with", lambda _: Emulator(now=datetime(2026, 8, 1, tzinfo=timezone.utc)))
    status, out, _ = run("--report", "r.md", "--yes")
    assert status == 1
    assert "The emulator with these settings does something else:\n" in out
    difference = "The API: 3 wrong codes are invalid, the next one is too many. The emulator: 5 wrong codes are"
    assert difference in out
    assert difference in Path("r.md").read_text("utf-8")


def test_a_run_that_finds_nothing(served: World, run: Run) -> None:
    """If every question stays open, nothing is written for the emulator, and the status is not that of success."""
    served.emulator.faults.respond(403, {"message": "no"}, method="POST", count=None)
    assert run("--settings", "s.json", "--yes")[0] == 1
    assert list(Path().iterdir()) == []


def test_what_can_not_be_deleted(served: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 5 says that something is left; --clean says the same, until it can be deleted."""
    served.emulator.faults.respond(503, method="DELETE", count=None)
    served.emulator.faults.respond(403, {"message": "no"}, operation="enroll_factor", after=1, count=None)
    status, out, _ = run("--settings", "s.json", "--yes")
    assert (status, "factors could not be deleted" in out) == (5, True)
    count = int(repr(served.emulator).split()[1])
    status, _, error = run("--settings", "s.json", "--yes")
    assert (status, "delete them with --clean first" in error) == (2, True)
    assert run("--settings", "s.json", "--clean")[:2][0] == 5
    served.emulator.faults.clear()
    with monkeypatch.context() as changed:
        changed.setenv("WORKOS_API_KEY", "sk_test_of_another_environment")
        status, _, error = run("--settings", "s.json", "--clean")
        assert (status, "is of another API key" in error) == (2, True)
    assert run("--settings", "s.json", "--clean")[:2] == (0, f"{count} of {count} factors are deleted.\n")
    status, _, error = run("--settings", "s.json", "--clean")
    assert (status, "there is no journal s.json.journal" in error) == (2, True)
    assert repr(served.emulator).startswith("<Emulator: 0 factors")


@pytest.mark.parametrize(
    ("key", "options", "status", "said"),
    [
        ("sk_test_1", (), 2, "say where the result goes"),
        ("sk_live_1", ("--settings", "s.json", "--yes"), 2, "the API key does not begin with sk_test_"),
        ("sk_test_1", ("--settings", "s.json"), 2, "There is no terminal to ask at: add --yes"),
        ("sk_test_1", ("--settings", "s.json", "--yes"), 3, "Unauthorized"),
        ("sk_test_1", ("--check", "none.json", "--yes"), 2, "none.json: No such file"),
        ("sk_test_1", ("--check", "list.json", "--yes"), 2, "list.json: a settings file is a JSON object"),
    ],
)
def test_what_it_refuses(
    run: Run, monkeypatch: pytest.MonkeyPatch, key: str, options: tuple[str, ...], status: int, said: str
) -> None:
    """What is missing or wrong is said in one line, and nothing is made."""
    Path("list.json").write_text("[]", "utf-8")
    monkeypatch.setenv("WORKOS_API_KEY", key)
    found, _, error = run(*options)
    assert found == status
    assert said in error.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--settings", "none/s.json"), "none/s.json: there is no such folder"),
        (("--report", "folder"), "folder is not a file"),
        (("--report", "/dev/null"), "/dev/null is not a file"),
        (("--settings", "s.json", "--report", "folder/../s.json"), "are one file"),
        (("--settings", "s.json", "--report", "s.json.journal"), "are one file"),
        (("--settings", "hard.json", "--check", "before.json"), "are one file"),
        (("--settings", "link.json", "--check", "before.json"), "are one file"),
        (("--settings", "loop/s.json"), "loop"),
        (("--settings", "barred/s.json"), "a file can't be used: barred"),
        (("--settings", "closed/s.json"), "closed/s.json: nothing can be written in this folder"),
    ],
)
def test_where_results_can_not_go(
    served: World, run: Run, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    """Files that can't be written, or would be written over each other, are refused before anything is sent."""
    Path("folder").mkdir()
    Path("closed").mkdir()
    Path("before.json").write_text("{}", "utf-8")
    Path("hard.json").hardlink_to("before.json")
    Path("link.json").symlink_to("before.json")
    Path("loop").symlink_to("loop")
    Path("barred").mkdir()

    def access(path: Path, _: int) -> bool:
        if path.name == "barred":
            raise PermissionError(path.name)
        return path.name != "closed"

    # In place of folders with such modes, since root may do all.
    monkeypatch.setattr(os, "access", access)
    status, _, error = run(*options, "--yes")
    assert (status, said in error) == (2, True), error
    assert not served.emulator.calls
    assert Path("before.json").read_text("utf-8") == "{}"


def test_results_that_can_not_be_written_in_the_end(served: World, run: Run) -> None:
    """If a folder is gone when a result is to be written, that is said, the others are written, and it is status 1."""
    folder = Path("folder")
    folder.mkdir()
    served.emulator.calls.watch(lambda _: folder.rmdir() if folder.exists() else None)
    status, out, _ = run("--settings", "s.json", "--report", "folder/r.md", "--yes")
    assert (status, "folder/r.md could not be written: No such file or directory" in out) == (1, True)
    assert [path.name for path in Path().iterdir()] == ["s.json"]


def test_a_result_keeps_its_place_and_mode(run: Run) -> None:
    """A result that was there is replaced as a whole, with its mode, behind a link too."""
    Path("real.md").write_text("before", "utf-8")
    Path("real.md").chmod(0o640)
    Path("r.md").symlink_to("real.md")
    assert run("--report", "r.md", "--yes")[0] == 0
    assert Path("r.md").is_symlink()
    assert Path("real.md").stat().st_mode & 0o777 == 0o640
    assert "What the WorkOS MFA API does" in Path("real.md").read_text("utf-8")


def test_a_user_with_factors(served: World, run: Run) -> None:
    """A user who has factors is left alone, which is said."""
    served.emulator.seed({"factors": [{"type": "generic_otp", "user_id": USER}]})
    status, _, error = run("--settings", "s.json", "--yes", "--user", USER)
    assert (status, "has factors: take one without" in error) == (2, True)


def test_a_live_environment_is_not_locked(served: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --live-environment a key of any kind is taken, and no challenge is locked."""
    with served.emulator.serve(api_key="sk_example_123456789") as server:
        monkeypatch.setenv("WORKOS_API_KEY", server.api_key)
        monkeypatch.setenv("WORKOS_BASE_URL", server.base_url)
        status, out, _ = run("--report", "r.md", "--yes", "--live-environment")
    assert status == 0
    assert "It locks no challenge." in out
    assert "which is not done in a live environment" in Path("r.md").read_text("utf-8")
    assert "one_time_code_too_many_attempts" not in {call.error_code for call in served.emulator.calls}


def test_it_asks_before_it_begins(served: World) -> None:
    """In a terminal it asks, and a no makes no call at all."""
    session = in_a_terminal("calibrate", "--settings", "s.json", "--phone", "-", columns=60, typing=_answer)
    assert session.status == 2
    assert "Begin? [y/N]" in session.shown
    assert session.shown.rstrip().endswith("nothing was done")
    assert PHONE not in session.shown
    assert not served.emulator.calls


def _answer(shown: str) -> str:
    return "n\r" if shown.endswith("[y/N] ") else f"{PHONE}\r"


def test_it_waits_in_earnest() -> None:
    """A wait takes as long as it says, and Ctrl-C ends it, but not those of the deletions that follow."""
    wanted = threading.Event()
    for seconds, least in ((0.02, 0.02), (60.0, 0.0), (0.02, 0.02)):
        began = time.monotonic()
        if seconds > 1:
            threading.Timer(0.01, wanted.set).start()
        calibrate.pause(wanted, seconds)
        assert least <= time.monotonic() - began < 30


def test_help() -> None:
    """The help has examples, and the status of a weekly check."""
    shown = ended("calibrate", "--help")
    assert (shown.status, shown.err) == (0, "")
    assert "workos-mfa calibrate --check workos.json --yes" in shown.out

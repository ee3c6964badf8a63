"""``workos-mfa import-totp``: what it says, what it writes, and how it ends."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import COMMAND, ended, environment_with
from tests.cli.terminal import CTRL_C, in_a_terminal
from tests.loopback import wait_until
from tests.migration.people import secret_of, user_of, write_people
from workos_mfa import MFA, Emulator
from workos_mfa._cli import import_totp, main
from workos_mfa._migration import pace as pace_module
from workos_mfa._migration.journal import Journal
from workos_mfa.emulator import EmulatorServer

CREATE, LIST = "create_user_auth_factor", "list_user_auth_factors"

needs_server = pytest.mark.usefixtures("server")
needs_people = pytest.mark.usefixtures("people")


@pytest.fixture
def emulator() -> Emulator:
    """An emulator."""
    return Emulator()


@pytest.fixture
def server(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorServer]:
    """It, over HTTP; the environment leads to it."""
    with emulator.serve() as running:
        monkeypatch.setenv("WORKOS_API_KEY", running.api_key)
        monkeypatch.setenv("WORKOS_BASE_URL", running.base_url)
        yield running


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with 30 people, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return write_people(Path("people.csv"), 30)


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main.main(["import-totp", *arguments])
    out, err = capsys.readouterr()
    return status, _without_time(out), err


def _without_time(summary: str) -> str:
    return re.sub(r" in \d+ s\b", "", summary)


def _owners(emulator: Emulator) -> list[str]:
    return sorted(code.user for code in emulator.totp_codes())


ALL = [user_of(number) for number in range(30)]


@needs_people
def test_an_import(emulator: Emulator, server: EmulatorServer, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what it will do and what it has done; the same command again has nothing to do."""
    status, out, err = _run(capsys, "people.csv", "--rate", "1000", "--failed", "failed.csv")
    assert (status, out) == (0, "30 rows: 30 imported.\n")
    assert err == (
        "workos-mfa import-totp: 30 rows, all good; 30 to do, in 1 s at 1000 a second; journal people.csv.journal\n"
    )
    assert _owners(emulator) == ALL
    assert MFA(server.api_key, base_url=server.base_url).list_user_auth_factors(user_of(7)).items[0].totp is not None
    assert Path("failed.csv").read_text() == "line,user_id,reason\n"
    status, out, err = _run(capsys, "people.csv")
    assert (status, out) == (0, "30 rows: 0 imported, 30 by earlier runs.\n")
    assert err == "workos-mfa import-totp: 30 rows, all good; 30 done by earlier runs; journal people.csv.journal\n"
    status, out, _ = _run(capsys, "people.csv", "--json")
    summary = json.loads(out)
    assert summary.pop("seconds") < 60
    assert summary == {
        "rows": 30,
        "already": 30,
        "done": 0,
        "refused": 0,
        "unknown": 0,
        "left": 0,
        "bad": 0,
        "stopped": None,
        "failed": [],
    }


def test_a_dry_run(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no key and no network, names what is bad by line and reason, and leaves no journal."""
    assert _run(capsys, "people.csv", "--dry-run") == (0, "30 rows, all good. Nothing was sent.\n", "")
    with people.open("a") as file:
        file.writelines(f"{user_of(100 + number)},{secret_of(number)},A,B\n" for number in range(25))
    status, out, err = _run(capsys, "people.csv", "--dry-run", "--failed", "failed.csv")
    assert (status, out) == (1, "55 rows, 25 bad. Nothing was sent.\n")
    first, *_, last = err.splitlines()
    assert first == "people.csv, line 32 (user_0000100): secret is the same as on line 2"
    assert last == "and 5 more"
    assert len(Path("failed.csv").read_text().splitlines()) == 26
    assert "--failed FILE lists them all" in _run(capsys, "people.csv", "--dry-run")[2]
    status, out, err = _run(capsys, "people.csv", "--dry-run", "--json")
    found = json.loads(out)
    assert (status, err, found["good"], found["bad"]) == (1, "", 30, 25)
    assert found["problems"][24] == {
        "line": 56,
        "user_id": "user_0000124",
        "reason": "secret is the same as on line 26",
    }
    assert not Path("people.csv.journal").exists()


@needs_server
def test_bad_rows_stop_it(emulator: Emulator, people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent while a row is bad, unless that is asked for; then the status tells that some are missing."""
    with people.open("a") as file:
        file.write("user_9,,,\n")
    status, out, err = _run(capsys, "people.csv", "--failed", "failed.csv")
    assert (status, out) == (1, "")
    assert err == (
        "people.csv, line 32 (user_9): there is neither a secret nor a uri\n"
        "workos-mfa import-totp: 31 rows, 1 bad. Nothing was sent: mend them, or add --skip-bad-rows\n"
    )
    assert list(emulator.calls) == []
    status, out, _ = _run(capsys, "people.csv", "--skip-bad-rows", "--rate", "1000", "--failed", "failed.csv")
    assert (status, out) == (1, "31 rows: 30 imported, 1 bad.\n")
    assert Path("failed.csv").read_text() == ("line,user_id,reason\n32,user_9,there is neither a secret nor a uri\n")


@needs_server
@needs_people
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_failed_rows_can_be_mended(emulator: Emulator, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """They are written in the format of the file, with no secret. With the secrets put in they can be imported."""
    file, failed = Path(f"people.{kind}"), Path(f"failed.{kind}")
    if kind == "jsonl":
        fields = [
            {"user_id": user_of(number), "secret": secret_of(number), "account": user_of(number)}
            for number in range(30)
        ]
        file.write_text("".join(f"{json.dumps(each)}\n" for each in fields))
    emulator.faults.respond(422, operation=CREATE, path=f"*/{user_of(3)}/*")
    status, out, err = _run(capsys, file.name, "--rate", "1000", "--failed", failed.name)
    assert (status, out) == (3, "30 rows: 29 imported, 1 refused.\n")
    assert f"line {5 if kind == 'csv' else 4} (user_0000003): 422" in err
    assert failed.stat().st_mode & 0o777 == 0o600
    text = failed.read_text()
    assert secret_of(3) not in text
    if kind == "csv":
        header, row = text.splitlines()
        failed.write_text(f"secret,account,{header}\n{secret_of(3)},{user_of(3)},{row}\n")
    else:
        mended = {**json.loads(text), "secret": secret_of(3), "account": user_of(3)}
        failed.write_text(json.dumps(mended))
    assert _run(capsys, failed.name)[:2] == (0, "1 row: 1 imported.\n")
    assert _owners(emulator) == ALL


@needs_server
@needs_people
def test_nobody_knows(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it can't be found out whether a row has arrived, the status is 5 and the row is named."""
    emulator.faults.lose_response(operation=CREATE, after=1)
    emulator.faults.respond(404, operation=LIST, path=f"*/{user_of(1)}/*", after=1)
    status, out, err = _run(capsys, "people.csv", "--rate", "1000", "--settle", "0.01", "--concurrency", "1")
    assert (status, out) == (5, "30 rows: 29 imported, 1 unknown.\n")
    assert "line 3 (user_0000001): the user's factors could not be listed: 404" in err


@needs_people
def test_a_refused_key(
    server: EmulatorServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends at once, says why and how to go on; JSON has it too. Without a key nothing begins."""
    monkeypatch.setenv("WORKOS_API_KEY", "sk_test_sentinel")
    status, out, err = _run(capsys, "people.csv", "--json")
    assert status == 3
    assert json.loads(out)["left"] == 30
    assert json.loads(out)["stopped"].startswith("the API refused the key: 401")
    assert "import-totp: the API refused the key: 401" in err
    assert "To go on, give the same command again: nobody is imported twice" in err
    monkeypatch.setenv("WORKOS_API_KEY", server.api_key)
    status, _, err = _run(capsys, "people.csv")
    assert (status, "written with another API key, or for another base URL" in err) == (2, True)
    assert _run(capsys, "people.csv", "--key-changed", "--rate", "1000")[0] == 0
    monkeypatch.delenv("WORKOS_API_KEY")
    status, _, err = _run(capsys, "people.csv")
    assert (status, "WORKOS_API_KEY" in err) == (2, True)


@needs_server
@needs_people
def test_another_api(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done on one is not taken for done on another that has the same key."""
    assert _run(capsys, "people.csv", "--rate", "1000")[0] == 0
    other = Emulator()
    with other.serve() as running:
        monkeypatch.setenv("WORKOS_BASE_URL", running.base_url)
        status, _, err = _run(capsys, "people.csv")
        assert (status, "for another base URL" in err) == (2, True)
        assert list(other.calls) == []


@needs_people
def test_an_api_that_is_not_there(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops after some pauses, with the status that says that nothing was done."""
    monkeypatch.setattr(pace_module, "_FIRST_PAUSE", 0.001)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("WORKOS_API_KEY", "sk_test_x")
    monkeypatch.setenv("WORKOS_BASE_URL", f"http://127.0.0.1:{port}")
    status, out, err = _run(capsys, "people.csv", "--rate", "1000")
    assert (status, out) == (4, "30 rows: 0 imported, 30 left.\n")
    assert "import-totp: the API does not respond: " in err


class FullJournal(Journal):
    """A journal on a disk that is nearly full."""

    def begin(self, rows: Path, api_key: str, base_url: str, *, key_changed: bool) -> None:
        """Begin, with no room for another page."""
        super().begin(rows, api_key, base_url, key_changed=key_changed)
        self._db.execute("PRAGMA max_page_count = 1")


@needs_server
def test_a_full_disk(
    emulator: Emulator, people: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be noted is not sent. It says so, with what is done by then; with room again it goes on."""
    write_people(people, 150)
    with monkeypatch.context() as patch:
        patch.setattr(import_totp, "Journal", FullJournal)
        status, out, err = _run(capsys, "people.csv", "--rate", "1000")
    assert status == 1
    assert re.fullmatch(r"150 rows: \d+ imported, \d+ left\.\n", out)
    assert "full. To go on, give the same command again: nobody is imported twice" in err
    assert _run(capsys, "people.csv", "--rate", "1000", "--settle", "0.1")[0] == 0
    assert _owners(emulator) == [user_of(number) for number in range(150)]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["no.csv"], "no.csv: No such file or directory"),
        (["people.csv", "--failed", "people.csv"], "FILE, --journal and --failed must be different files"),
        (["people.csv", "--journal", "./people.csv"], "FILE, --journal and --failed must be different files"),
        (["people.csv", "--failed", "no/failed.csv"], "no/failed.csv: there is no such folder"),
        (["people.csv", "--journal", "other.csv"], "other.csv is no journal of an import"),
        (["people.csv", "--rate", "0"], "argument --rate: invalid"),
        (["people.csv", "--rate", "1e-320"], "argument --rate: invalid"),
        (["people.csv", "--rate", "86401"], "argument --rate: invalid"),
        (["people.csv", "--settle", "1e-320"], "argument --settle: invalid"),
        (["people.csv", "--settle", "nan"], "argument --settle: invalid"),
        (["people.csv", "--concurrency", "0"], "argument --concurrency: invalid"),
    ],
)
def test_what_it_refuses(
    people: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    text: str,
) -> None:
    """What can't be is refused with status 2 before anything is sent, and the files stay as they are."""
    monkeypatch.setenv("WORKOS_API_KEY", "sk_test_x")
    other = Path("other.csv")
    other.write_text(people.read_text())
    with contextlib.suppress(SystemExit):
        assert main.main(["import-totp", *arguments]) == 2
    assert text in capsys.readouterr().err
    assert other.read_text() == people.read_text()


@needs_people
@pytest.mark.parametrize(
    "arguments",
    [
        ("--failed", "link/people.csv"),
        ("--failed", "hard.csv"),
        ("--journal", "link/people.csv"),
        ("--failed", "link/people.csv.journal"),
        ("--failed", "people.csv.journal-wal"),
        ("--failed", "people.csv.journal-shm"),
        ("--journal", "x", "--failed", "link/x"),
        ("--journal", "pe", "--failed", "link/pe-journal"),
    ],
)
def test_one_file_by_two_names(people: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """Whatever leads to a file of ours, and to what SQLite puts beside the journal: it is not overwritten."""
    Path("link").symlink_to(".")
    Path("hard.csv").hardlink_to("people.csv")
    before = people.read_text()
    status, _, err = _run(capsys, "people.csv", "--dry-run", *arguments)
    assert (status, "FILE, --journal and --failed must be different files" in err) == (2, True)
    assert people.read_text() == before
    assert sorted(path.name for path in Path().iterdir()) == ["hard.csv", "link", "people.csv"]


@needs_server
@needs_people
@pytest.mark.parametrize(
    ("failed", "reason"),
    [("folder", "there is something that is no file"), ("/proc/failed.csv", "No such file or directory")],
)
def test_where_no_file_of_failed_rows_can_be(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], failed: str, reason: str
) -> None:
    """It is told before anything is sent, and nothing is left beside it."""
    Path("folder").mkdir()
    status, _, err = _run(capsys, "people.csv", "--failed", failed)
    assert (status, err) == (2, f"workos-mfa import-totp: {failed}: {reason}\n")
    assert list(emulator.calls) == []
    assert sorted(path.name for path in Path().iterdir()) == ["folder", "people.csv"]


@needs_server
@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--skip-bad-rows", "--rate", "1000")])
def test_a_file_of_failed_rows_that_can_not_be_written_later(
    people: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """The status is 1 and the reason is told, beside what was done: it is no wrong usage."""
    with people.open("a") as file:
        file.write("user_9,,,\n")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(import_totp, "write_failed", fail)
    status, out, err = _run(capsys, "people.csv", "--failed", "failed.csv", *arguments)
    assert status == 1
    assert "import-totp: failed.csv could not be written: No space left on device\n" in err
    assert "there is neither a secret nor a uri" in err or out == "31 rows: 30 imported, 1 bad.\n"


@needs_people
def test_what_it_says_is_lost(emulator: Emulator, server: EmulatorServer) -> None:
    """On a disk that is full the failed rows are written where there is room for them."""
    emulator.faults.respond(422, operation=CREATE, path=f"*/{user_of(3)}/*")
    command = [*COMMAND, "import-totp", "people.csv", "--rate", "1000", "--failed", "failed.csv"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own
            command, env=environment_with(**_environment(server)), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 74
    assert b"Traceback" not in done.stderr
    assert user_of(3) in Path("failed.csv").read_text()


def test_no_secret_is_anywhere(
    emulator: Emulator,
    server: EmulatorServer,
    people: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong: not on the screen, in the log, in the journal or in the file of what failed."""
    caplog.set_level(logging.DEBUG)
    with people.open("a") as file:
        file.write(f"user_a,{secret_of(0).lower()},,\nuser_b,{secret_of(31)}1,,\n{secret_of(32)},user_c,,\n")
        file.write(f'user_d,"{secret_of(33)}"x,,\nuser_e,,{secret_of(34)}\n')
    for number, status in enumerate((422, 500, 404, 400)):
        echo = {"message": f"no {secret_of(number)}, no {secret_of(number).lower()}", "code": secret_of(number)}
        emulator.faults.respond(status, echo, method="POST", path=f"*/{user_of(number)}/*")
    emulator.faults.lose_response(operation=CREATE, after=9)
    options = ("--skip-bad-rows", "--rate", "1000", "--settle", "0.01", "--failed", "failed.csv")
    status, out, err = _run(capsys, "people.csv", *options)
    assert status == 3
    assert "3 refused, 5 bad" in out
    files = [path.read_bytes().decode("latin-1") for path in Path().iterdir() if path != people]
    shown = "".join([out, err, caplog.text, *(str(vars(record)) for record in caplog.records), *files])
    assert "user_a" in shown
    assert [number for number in range(40) if secret_of(number) in shown.upper()] == []
    assert server.api_key not in shown


def _environment(server: EmulatorServer) -> dict[str, str]:
    return {"WORKOS_API_KEY": server.api_key, "WORKOS_BASE_URL": server.base_url}


@needs_people
def test_without_a_terminal(server: EmulatorServer) -> None:
    """As a script runs it: the summary alone on standard output, plain text on standard error."""
    process = ended("import-totp", "people.csv", "--rate", "1000", **_environment(server))
    assert (process.status, _without_time(process.out)) == (0, "30 rows: 30 imported.\n")
    assert "\x1b" not in process.err
    assert process.err.count("\n") == 1


@needs_people
def test_a_closed_pipe(emulator: Emulator, server: EmulatorServer) -> None:
    """That nobody reads what it says does not end the import before all are there, and there is no traceback."""
    with subprocess.Popen(  # noqa: S603 - our own
        [*COMMAND, "import-totp", "people.csv", "--rate", "1000"],
        env=environment_with(**_environment(server)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 141
    assert err.count("\n") == 1
    assert _owners(emulator) == ALL


@needs_people
def test_in_a_terminal_of_60_columns(emulator: Emulator, server: EmulatorServer) -> None:
    """There is a progress bar with the rate and the time left, and no line is longer than the terminal is wide."""
    shown = in_a_terminal(
        *("import-totp", "people.csv", "--rate", "15"),
        columns=60,
        TERM="xterm",
        WORKOS_API_KEY=server.api_key,
        WORKOS_BASE_URL=server.base_url,
    )
    assert shown.status == 0
    assert "30/30" in shown.shown
    assert "━" in shown.shown
    assert "/s, 1 s left" in shown.shown
    bars = [line for line in shown.shown.replace("\r", "\n").splitlines() if "━" in line]
    assert max(len(line.replace("\x1b[2K", "").replace("\x1b[?25h", "")) for line in bars) <= 60
    assert _owners(emulator) == ALL


@needs_people
def test_ctrl_c(emulator: Emulator, server: EmulatorServer) -> None:
    """It stops at once, says how to go on, and the same command brings the others."""
    pressed: list[str] = []

    def typing(_: str) -> str:
        pressed.append(CTRL_C)
        return CTRL_C if len(pressed) == 1 else ""

    arguments = ("import-totp", "people.csv", "--rate", "5")
    stopped = in_a_terminal(
        *arguments,
        columns=100,
        typing=typing,
        at=lambda _: len(emulator.calls) > 5,
        TERM="xterm",
        WORKOS_API_KEY=server.api_key,
        WORKOS_BASE_URL=server.base_url,
    )
    assert stopped.status == 130
    assert "left." in stopped.shown
    assert "To go on, give the same command again: nobody is imported twice" in " ".join(stopped.shown.split())
    assert "Traceback" not in stopped.shown
    assert 0 < len(_owners(emulator)) < 30
    assert ended("import-totp", "people.csv", "--rate", "1000", **_environment(server)).status == 0
    assert _owners(emulator) == ALL


@needs_server
@needs_people
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_stop_leaves(emulator: Emulator, capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    """The end of a service stops it like Ctrl-C; JSON has what is left. The signals then do what they did before."""
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    emulator.calls.watch(lambda _: os.kill(os.getpid(), number) if len(emulator.calls) == 3 else None)
    status, out, _ = _run(capsys, "people.csv", "--json", "--concurrency", "1")
    summary = json.loads(out)
    assert (status, summary["stopped"]) == (130, "interrupted")
    assert summary["left"] + summary["done"] == 30
    assert summary["done"] == len(_owners(emulator)) > 0
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


@needs_people
def test_the_second_signal_ends_it_at_once(emulator: Emulator, server: EmulatorServer) -> None:
    """Who can't wait for a call that hangs ends it with a second signal; nobody is imported twice by what follows."""
    emulator.faults.delay(30, operation=CREATE)
    command = [*COMMAND, "import-totp", "people.csv", "--concurrency", "1"]
    with subprocess.Popen(command, env=environment_with(**_environment(server)), stderr=subprocess.PIPE) as process:  # noqa: S603
        wait_until(lambda: len(emulator.calls) > 0)
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
    assert process.returncode == -signal.SIGTERM
    emulator.faults.clear()
    assert ended("import-totp", "people.csv", "--rate", "1000", "--settle", "1", **_environment(server)).status == 0
    assert _owners(emulator) == ALL

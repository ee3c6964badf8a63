"""The command and its table: what is listed, what is imported, and what is said of a mistake."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import workos_mfa
from tests.cli.command_page import parsers
from tests.cli.processes import COMMAND, Ended, ended, environment_with
from tests.test_packaging import loaded_by
from workos_mfa._cli import main


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with the command's status; and whoever only imports it, runs nothing."""
    monkeypatch.setattr(sys, "argv", ["workos-mfa"])
    path = str(Path(workos_mfa.__file__).with_name("__main__.py"))
    runpy.run_path(path, run_name="looked_at")
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(path, run_name="__main__")
    assert caught.value.code == 2
    assert "demo" in capsys.readouterr().out


def test_without_a_command_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """In groups, each with what it does; the exit statuses are there too."""
    assert main.main([]) == 2
    told = capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main.main(["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == told
    groups = re.findall(r"^((?!options)[a-z ,]+):\n((?:  \S+ +.*\n)+)", told, re.MULTILINE)
    assert {title: re.findall(r"^  (\S+)", lines, re.MULTILINE) for title, lines in groups} == {
        "to try it, without an account": ["demo", "emulate"],
        "by hand": ["enroll", "challenge", "verify", "get", "delete", "users", "code", "qr"],
        "for your account": ["doctor", "calibrate", "import-totp"],
        "exit status": ["0", "1", "2", "3", "4", "5", "74", "130,"],
    }


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("enrol", "there is no command 'enrol'. Did you mean 'enroll'? workos-mfa --help lists them all"),
        ("import", "Did you mean 'import-totp'?"),
        ("xyzzy", "there is no such command. workos-mfa --help lists them all"),
    ],
)
def test_an_unknown_command(wanted: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest one is suggested, with status 2."""
    with pytest.raises(SystemExit) as caught:
        main.main([wanted, "--json"])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_the_version() -> None:
    """It is told by whichever name the command has, and nothing is loaded for it but the table."""
    assert ended("--version") == Ended(0, f"workos-mfa {workos_mfa.__version__}\n", "")
    loaded = loaded_by("from workos_mfa._cli.main import main")
    assert {name for name in loaded if name.startswith("workos_mfa")} == {
        "workos_mfa",
        "workos_mfa._cli",
        "workos_mfa._cli.arguments",
        "workos_mfa._cli.main",
        "workos_mfa._cli.output",
        "workos_mfa._version",
    }
    assert loaded.isdisjoint({"attr", "requests", "json", "textwrap", "difflib"})


@pytest.mark.parametrize("name", parsers())
def test_help_fits_into_60_columns(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command has a description and examples, and no line of its help is broken by a narrow window."""
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit) as caught:
        main.main([*name.split(), "--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if len(line) > 60] == []
    assert told.startswith(f"usage: workos-mfa {name} ")
    assert "examples:\n  workos-mfa" in told or " " in name or name in {"demo", "emulate"}


def test_an_example_can_be_pasted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a line of an example is too long it goes on in the next, as a shell has it, and not within quotes."""
    monkeypatch.setenv("COLUMNS", "46")
    with pytest.raises(SystemExit):
        main.main(["challenge", "--help"])
    shown = capsys.readouterr().out
    template = "--sms-template 'Your code is {{code}}'"
    assert f"  workos-mfa challenge auth_factor_... \\\n    {template}\n" in shown


@pytest.mark.parametrize("name", main.COMMANDS)
def test_no_option_may_be_shortened(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A script that says ``--js`` would break by a new option."""
    with pytest.raises(SystemExit):
        main.main([name, "--js"])
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["emulate", "--help"], []])
def test_help_that_nobody_reads(arguments: list[str]) -> None:
    """``workos-mfa --help | true`` is no traceback."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(  # noqa: S603 - our own
            [*COMMAND, *arguments], stdout=pipe, stderr=subprocess.PIPE, env=environment_with(), check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("arguments", [["--version"], ["doctor", "--help"], ["qr"], ["demo"], ["code", "--json"]])
def test_output_that_has_no_room(arguments: list[str]) -> None:
    """On a disk that is full the status says that, and is not that of a code that is wrong."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own
            [*COMMAND, *arguments],
            input=b"JBSWY3DPEHPK3PXP",
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment_with(),
            check=False,
        )
    assert done.returncode == 74
    assert done.stderr.endswith(b": the output could not be written: No space left on device\n")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("command", "redirected", "status"),
    [
        ("code", ">&-", 0),
        ("get auth_factor_1", "2>&-", 2),
        ("get auth_factor_1", "2>/dev/full", 2),
        ("get auth_factor_1 --yes", "2>&-", 2),
        ("get auth_factor_1 --yes", "2>/dev/full", 2),
        ("xyzzy", ">/dev/full 2>/dev/full", 2),
        ("code", ">/dev/full 2>/dev/full", 74),
    ],
)
def test_streams_that_are_not_there(command: str, redirected: str, status: int) -> None:
    """What can't be told is left out, and the status is what it would be."""
    line = f'"$0" -W error -m workos_mfa {command} {redirected}'
    done = subprocess.run(  # noqa: S603 - our own
        ["/bin/sh", "-c", line, sys.executable],
        input=b"JBSWY3DPEHPK3PXP",
        capture_output=True,
        env=environment_with(WORKOS_API_KEY=""),
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


def test_streams_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, where a missing stream is None and a full disk is a file."""
    monkeypatch.setattr("sys.stdin", None)
    with Path("/dev/full").open("w") as out, Path("/dev/full").open("w") as err:
        monkeypatch.setattr("sys.stdout", None)
        monkeypatch.setattr("sys.stderr", err)
        assert main.main(["code"]) == 2
        monkeypatch.setattr("sys.stdout", out)
        assert main.main(["demo"]) == 74
        with pytest.raises(SystemExit):
            main.main(["code", SECRET])


SECRET = "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    "arguments",
    [
        [SECRET],
        [f"--{SECRET}"],
        ["code", SECRET],
        ["code", f"--json={SECRET}"],
        ["get", "auth_factor_1", SECRET, f"{SECRET} (choose from"],
        ["enroll", SECRET],
        ["enroll", "totp", "--issuer", "a", "--user", "b", SECRET],
        ["users", "list", "user_1", "--order", f"{SECRET} (choose from {SECRET}"],
        ["import-totp", "x.csv", "--rate", SECRET],
        ["emulate", "--port", SECRET],
    ],
)
def test_a_mistake_is_not_repeated(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What was given in the wrong place may be a secret, and standard error may be a log."""
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert SECRET not in err
    assert err.startswith("usage: ")
    assert "error: " in err

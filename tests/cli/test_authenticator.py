"""``workos-mfa code`` and ``workos-mfa qr``: an authenticator app at the command line."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from tests.cli.processes import ended
from tests.cli.terminal import CTRL_C, CTRL_D, asks, in_a_terminal
from tests.test_packaging import loaded_by
from workos_mfa._cli import main
from workos_mfa._cli.terminal_qr import qr_lines
from workos_mfa.emulator._domain import qr

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/Foo%20Corp:alan?secret={SECRET}&issuer=Foo%20Corp"
AT = 1_700_000_012.5  # two and a half seconds into its thirty


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The time stands."""
    monkeypatch.setattr("time.time", lambda: AT)
    return monkeypatch


def run(given: pytest.MonkeyPatch, *arguments: str, typed: str) -> int:
    """Run a command in this process, with this standard input."""
    given.setattr("sys.stdin", io.StringIO(typed))
    return main.main(arguments)


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp",
        "JBSW-Y3DP-EHPK-3PXP-JBSW-Y3DP-EHPK-3PXP",
        f"  {SECRET}====\n and what follows is not read",
        URI,
        f"OTPAUTH://TOTP/x?SECRET={SECRET.lower()}&algorithm=sha1&digits=6&period=30&image=x",
    ],
)
def test_the_code(secret: str, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is what every app shows now, with the seconds that it lasts, however the secret is written."""
    code = pyotp.TOTP(SECRET).at(int(AT))
    assert run(given, "code", typed=secret) == 0
    assert capsys.readouterr() == (f"{code}\n28 seconds left\n", "")
    assert run(given, "code", "--json", typed=secret) == 0
    assert json.loads(capsys.readouterr().out) == {"code": code, "seconds_left": 28}


@pytest.mark.parametrize("command", ["code", "qr"])
@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "nothing was given"),
        ("\n", "nothing was given"),
        ("JBSWY3DP", "is not Base32 of 80 bits or more"),
        ("SENTINEL01890189", "is not Base32"),
        (f"otpauth://hotp/x?secret={SECRET}", "not one of type totp"),
        (f"otpauth://totp/x?secret={SECRET}&algorithm=SHA256", "another algorithm than WorkOS', which is SHA1"),
        (f"otpauth://totp/x?secret={SECRET}&digits=8", "another digits than WorkOS', which is 6"),
        (f"otpauth://totp/x?secret={SECRET}&period=60", "another period than WorkOS', which is 30"),
        (f"otpauth://totp/x?secret={SECRET}&secret={SECRET}", "says something twice"),
        ("otpauth://totp/x?issuer=Foo", "has no secret"),
        ("otpauth://totp/x?secret=", "is not Base32"),
        (f"otpauth://[totp/x?secret={SECRET}", "can't be read"),
    ],
)
def test_what_is_refused(
    command: str, secret: str, why: str, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What WorkOS has not, or what is no secret, is told in one line with status 2, and not repeated."""
    assert run(given, command, typed=secret) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"workos-mfa {command}: ")
    assert why in err
    assert err.count("\n") == 1
    assert SECRET not in err
    assert "SENTINEL" not in err


def test_no_argument_takes_a_secret(given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret among the arguments would be seen by everybody on the machine."""
    with pytest.raises(SystemExit) as caught:
        run(given, "code", SECRET, typed=SECRET)
    assert caught.value.code == 2
    assert "an argument is not known, or too many" in capsys.readouterr().err


@pytest.mark.parametrize(("stdin", "status"), [(None, 2), (io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"), 2)])
def test_standard_input_that_is_none(
    stdin: io.TextIOWrapper | None, status: int, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process without standard input, or with one that is no text, gets the same line."""
    given.setattr("sys.stdin", stdin)
    assert main.main(["code"]) == status
    assert "nothing was given" in capsys.readouterr().err


def test_code_loads_little() -> None:
    """It starts in less time than requests takes to be imported, which the benchmarks measure: for what it loads."""
    program = "import io; sys.stdin = io.StringIO('JBSWY3DPEHPK3PXP'); sys.stdout = io.StringIO(); "
    program += "from workos_mfa._cli.main import main; main(['code']); sys.stdout = sys.__stdout__"
    loaded = loaded_by(program)
    assert {name for name in loaded if name.startswith("workos_mfa")} == {
        "workos_mfa",
        "workos_mfa._cli",
        *(f"workos_mfa._cli.{name}" for name in ("arguments", "authenticator", "main", "output", "prompts")),
        "workos_mfa._core",
        "workos_mfa._core.one_time_codes",
        "workos_mfa._version",
    }
    assert loaded.isdisjoint(
        {"attr", "requests", "urllib3", "segno", "ssl", "socket", "urllib.parse", "json", "getpass"}
    )


def test_qr_of_a_uri_is_the_uri(given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What was given as a URI is drawn as it is; a secret gets a URI with what the app is to show."""
    assert run(given, "qr", "--json", typed=URI) == 0
    assert json.loads(capsys.readouterr().out) == {"uri": URI}
    assert run(given, "qr", "--json", "--issuer", "Foo Corp", "--user", "alan", typed=SECRET) == 0
    assert json.loads(capsys.readouterr().out) == {"uri": URI}
    assert run(given, "qr", typed=SECRET) == 0
    text = f"otpauth://totp/workos-mfa:secret?secret={SECRET}&issuer=workos-mfa"
    assert capsys.readouterr().out.splitlines() == list(qr_lines(text, inverted=True, unicode=True))
    assert run(given, "qr", "--light", typed=URI) == 0
    assert capsys.readouterr().out.splitlines() == list(qr_lines(URI, inverted=False, unicode=True))


@pytest.mark.parametrize(
    ("columns", "text", "why"),
    [
        ("40", URI, "columns, and this window has 40. Make it wider and begin again"),
        ("500", URI + "x" * 3000, "too long for"),
    ],
)
def test_a_qr_code_that_can_not_be_drawn(
    columns: str, text: str, why: str, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a QR code is of no use to anybody."""
    given.setenv("COLUMNS", columns)
    assert run(given, "qr", typed=text) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert why in err


def test_qr_without_segno(given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The extra that is missing is named."""
    given.setitem(sys.modules, "segno", None)
    assert run(given, "qr", typed=SECRET) == 2
    assert "pip install 'workos-mfa[emulator]'" in capsys.readouterr().err


@pytest.mark.parametrize("inverted", [True, False])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_drawing(inverted: bool, unicode: bool) -> None:  # noqa: FBT001 - parameters of the case
    """What is drawn is the QR code, module for module."""
    drawn = list(qr_lines(URI, inverted=inverted, unicode=unicode))
    if not unicode:
        assert all(line.isascii() for line in drawn)
    read = [row for line in drawn for row in modules_of(line, unicode=unicode)]
    expected = [[1 - module if inverted else module for module in row] for row in qr.modules(URI, quiet_zone=2)]
    assert read[: len(expected)] == expected
    assert read[len(expected) :] in ([], [expected[0]])


def modules_of(line: str, *, unicode: bool) -> Iterator[list[int]]:
    """The one or two rows of a drawn line."""
    if not unicode:
        yield [int(char == "#") for char in line[::2]]
    else:
        yield [int(char in "▀█") for char in line]
        yield [int(char in "▄█") for char in line]


class TestInATerminal:
    """As people see it."""

    def test_what_is_typed_is_not_shown(self) -> None:
        """The secret is asked for, and is nowhere on the screen."""
        session = in_a_terminal("code", columns=60, typing=lambda _: f"{SECRET}\n")
        assert session.status == 0
        assert SECRET not in session.shown
        assert session.shown.startswith("The secret in Base32, or its otpauth:// URI (what you type is not shown): ")
        assert re.search(r"\n[0-9]{6}\n[0-9]+ seconds left\n\Z", session.shown)
        assert "\x1b[2m" in session.raw

    @pytest.mark.parametrize(("key", "status", "said"), [(CTRL_C, 130, "stopped"), (CTRL_D, 2, "nothing was given")])
    def test_keys_that_end_it(self, key: str, status: int, said: str) -> None:
        """Ctrl-C and Ctrl-D at the prompt end it in one line."""
        session = in_a_terminal("code", columns=80, typing=lambda _: key)
        assert session.status == status
        assert said in session.shown
        assert "Traceback" not in session.shown

    @pytest.mark.parametrize("paper", ["dark", "light"])
    @pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colours", "no colours"])
    def test_a_camera_reads_it(self, paper: str, variables: dict[str, str], tmp_path: Path) -> None:
        """The QR code on the screen scans, on a dark terminal and on a light one, with colours and without."""
        tool = shutil.which("zbarimg")
        if tool is None:
            pytest.skip("zbarimg is not installed")  # pragma: no cover
        light = ["--light"] if paper == "light" and variables else []
        session = in_a_terminal("qr", *light, columns=60, typing=lambda _: f"{URI}\n", at=asks, **variables)
        assert session.status == 0
        assert ("\x1b" in session.raw) is not bool(variables)
        picture = tmp_path / "screen.png"
        picture.write_bytes(photographed(session.raw.partition("shown): \n")[2], is_dark=paper == "dark"))
        command = [tool, "--quiet", "--raw", str(picture)]
        read = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        assert read.stdout == f"{URI}\n"


def photographed(shown: str, *, is_dark: bool) -> bytes:
    """A picture of a screen: eight dots to a half block, black and white where the colours say so."""
    rows: list[bytes] = []
    for line in shown.splitlines():
        has_colours = "\x1b[30;107m" in line
        ink, paper = (b"\xff", b"\x00") if is_dark and not has_colours else (b"\x00", b"\xff")
        for row in modules_of(re.sub(r"\x1b\[[\d;]*m", "", line), unicode=True):
            rows += [b"\x00" + b"".join((ink if module else paper) * 8 for module in row)] * 8
    beyond = b"\x00" if is_dark else b"\xff"
    width = len(rows[0]) - 1 + 64
    framed = [b"\x00" + beyond * width] * 32 + [
        b"\x00" + beyond * 32 + row[1:] + beyond * (width - 32 - len(row) + 1) for row in rows
    ]
    framed += [b"\x00" + beyond * width] * 32
    header = struct.pack(">2I5B", width, len(framed), 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(framed))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def test_as_a_process() -> None:
    """A pipe in and a pipe out: no colour, no question, and the first line is the code alone."""
    done = ended("code", typed=f"{SECRET}\n")
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(r"[0-9]{6}\n[0-9]+ seconds left\n", done.out)


def test_ascii_only() -> None:
    """Where the output can't hold blocks, the QR code is drawn without."""
    done = ended("qr", typed=f"{URI}\n", PYTHONIOENCODING="ascii", COLUMNS="120")
    assert done.status == 0
    assert done.out.isascii()
    assert "####" in done.out

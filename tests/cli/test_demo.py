"""The demo: what a newcomer sees first."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest

from tests.loopback import Line, Received, Server, serving
from workos_mfa import Emulator, Request, __version__, cli, demo, terminal_qr
from workos_mfa.emulator import qr


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole flow runs without key and network, and tells each step."""
    assert cli.main(["demo"]) == 0
    told = capsys.readouterr().out
    steps = re.findall(r"^\d+\. (.*)$", told, flags=re.MULTILINE)
    assert steps == [
        "Enroll an authenticator app",
        "Challenge it, and try a wrong code",
        "The right code",
        "The same code a second time",
        "Delete it",
        "Enroll a phone for text messages",
        "Challenge it, in your own words",
        "Delete it",
    ]
    assert re.findall(r"bool\(result\) is (\w+)", told) == ["False", "True", "False", "True"]
    assert "is surely wrong now: emulator.wrong_code(factor.id)" in told
    assert "ChallengeAlreadyVerifiedError: 422" in told
    assert re.search(r"SMS to \+15005550006: Your Foo Corp code is \d{6}\.", told)
    assert told.count("NotFoundError: 404") == 2
    assert "\x1b" not in told


def test_as_a_module() -> None:
    """``python -m workos_mfa`` is the same command."""
    command = [sys.executable, "-m", "workos_mfa", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == f"workos-mfa {__version__}\n"


def test_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal the steps are painted, unless NO_COLOR asks otherwise."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    painted = Terminal()
    demo.Stage(painted).step("A step")
    monkeypatch.setenv("NO_COLOR", "")
    plain = Terminal()
    demo.Stage(plain).step("A step")
    assert painted.getvalue() == "\n\x1b[1m1. A step\x1b[0m\n"
    assert plain.getvalue() == "\n1. A step\n"


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_qr_code(colours: bool, unicode: bool) -> None:  # noqa: FBT001 - parameters of the case
    """What is drawn is the QR code, module for module."""
    text = "otpauth://totp/Foo%20Corp:alan?secret=JBSWY3DPEHPK3PXP&issuer=Foo%20Corp"
    drawn = list(terminal_qr.lines(text, colours=colours, unicode=unicode))
    if not unicode:
        assert all(line.isascii() for line in drawn)
    bare = [line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m") for line in drawn]
    read = [row for line in bare for row in modules_of(line, unicode=unicode)]
    black = 1 if colours else 0
    expected = [[module if black else 1 - module for module in row] for row in qr.modules(text, quiet_zone=2)]
    assert read[: len(expected)] == expected
    assert read[len(expected) :] in ([], [expected[0]])


def modules_of(line: str, *, unicode: bool) -> Iterator[list[int]]:
    """The one or two rows of a drawn line."""
    if not unicode:
        yield [int(char == "#") for char in line[::2]]
    else:
        yield [int(char in "▀█") for char in line]
        yield [int(char in "▄█") for char in line]


def serve_emulator(emulator: Emulator, request: Received, line: Line, challenges: list[object]) -> None:
    """Carry a request to the emulator, and keep the challenges that it makes."""
    path, _, query = request.path.partition("?")
    body = request.json if request.body else None
    assert body is None or isinstance(body, dict)
    answer = emulator.send(
        Request(
            operation="live",
            method=request.method,
            path=path,
            route="",
            query=dict(parse_qsl(query)),
            json=body,
        )
    )
    if path.endswith("/challenge"):
        challenges.append(json.loads(answer.body))
    line.answer(answer.status, answer.body, {"X-Request-Id": answer.request_id or ""})


@pytest.fixture
def emulator() -> Emulator:
    """The emulator that plays the real API."""
    return Emulator()


@pytest.fixture
def real_api(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that plays the real API, with its key in the environment."""
    with serving(lambda request, line: serve_emulator(emulator, request, line, [])) as server:
        monkeypatch.setenv("WORKOS_API_KEY", "sk_test_live")
        monkeypatch.setenv("WORKOS_BASE_URL", server.url)
        yield server


def person_at_the_keyboard(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, *, phone: str) -> None:
    """Answer the demo's questions as a person with a phone does."""

    def answer(question: str) -> str:
        if "phone number" in question:
            return phone
        if "text message" in question:
            return emulator.outbox.latest(to=phone).code
        (factor_id,) = {call.path.split("/")[3] for call in emulator.calls if call.path.endswith("/challenge")}
        return f" {emulator.totp_code(factor_id)} "

    monkeypatch.setattr("builtins.input", answer)


@pytest.mark.parametrize(("phone", "factors"), [("+15005550006", 2), ("", 1)])
def test_live(
    phone: str,
    factors: int,
    emulator: Emulator,
    real_api: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With ``--live`` the person holds the phone; text messages may be left out; nothing is left behind."""
    person_at_the_keyboard(emulator, monkeypatch, phone=phone)
    assert cli.main(["demo", "--live"]) == 0
    assert "On the real API" in capsys.readouterr().out
    methods = [request.method for request in real_api.received]
    assert methods.count("DELETE") == factors
    assert {request.headers["authorization"] for request in real_api.received} == {"Bearer sk_test_live"}


@pytest.mark.parametrize("stop", [EOFError, KeyboardInterrupt])
def test_a_person_who_leaves(
    stop: type[BaseException], real_api: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Leaving in the middle is no traceback, and the factor is deleted all the same."""

    def leave(_: str) -> str:
        raise stop

    monkeypatch.setattr("builtins.input", leave)
    assert cli.main(["demo", "--live"]) == 1
    assert "stopped" in capsys.readouterr().err
    assert [request.method for request in real_api.received][-2:] == ["DELETE", "GET"]


def test_live_without_a_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key ``--live`` says what is missing."""
    monkeypatch.delenv("WORKOS_API_KEY", raising=False)
    assert cli.main(["demo", "--live"]) == 1
    assert "set WORKOS_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("codes", "surprise"),
    [
        ("any", "a wrong code is refused"),
        ("none", "the right code is accepted"),
        ("again", "a challenge that was verified was verified again"),
    ],
)
def test_an_api_that_does_otherwise(
    codes: str,
    surprise: str,
    real_api: Server,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the API does not do what the tour tells, the demo says so and fails."""
    person_at_the_keyboard(emulator, monkeypatch, phone="")
    challenges: list[object] = []

    def answer(request: Received, line: Line) -> None:
        if request.path.endswith("/verify"):
            valid = {"any": True, "none": False, "again": request.body != b'{"code": "000000"}'}[codes]
            line.answer(201, {"challenge": challenges[-1], "valid": valid})
        else:
            serve_emulator(emulator, request, line, challenges)

    real_api.behaviour = answer
    assert cli.main(["demo", "--live"]) == 1
    assert surprise in capsys.readouterr().err


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help is told."""
    assert cli.main([]) == 2
    assert "watch a whole MFA flow" in capsys.readouterr().out

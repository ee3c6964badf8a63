"""The demo: what a newcomer sees first."""

from __future__ import annotations

import functools
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pyotp
import pytest

from tests.cli.terminal import in_a_terminal
from workos_mfa import MFA, Emulator, __version__
from workos_mfa._cli import main
from workos_mfa._cli.console import Console
from workos_mfa._cli.demo import Demo, UnexpectedResult
from workos_mfa.emulator._domain import qr
from workos_mfa.testing import emulated, make_challenge, make_verification


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole flow runs without key and network, and tells each step."""
    assert main.main(["demo"]) == 0
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
    # The last line of the fourth step would be a riddle without a word on it.
    explained = told.partition("\n4. ")[2].partition("\n5. ")[0].partition("is False\n")[2]
    assert " ".join(explained.split()).startswith("Refused, as it should be: each code of the app counts once")


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
    Console(painted).step("A step")
    monkeypatch.setenv("NO_COLOR", "")
    plain = Terminal()
    Console(plain).step("A step")
    assert painted.getvalue() == "\n\x1b[1m1. A step\x1b[0m\n"
    assert plain.getvalue() == "\n1. A step\n"


class PersonWithAPhone:
    """Scans the QR code and types what the app shows: first in a hurry, then a code of long ago, then the right one."""

    def __init__(self) -> None:
        self.answered = 0

    def __call__(self, shown: str) -> str:
        """The next answer, by what the terminal shows."""
        (secret,) = re.findall(r"factor\.totp\.secret:\s+([A-Z2-7]+)", shown)
        right = pyotp.TOTP(secret).now()
        old = f"{(int(right) + 500_000) % 1_000_000:06d}"
        self.answered += 1
        return ["12 34\n", f"{old}\n", f"{right[:3]} {right[3:]}\n"][self.answered - 1]


class TestInATerminal:
    """As people see it."""

    def test_no_line_is_broken_by_the_terminal(self) -> None:
        """At 80 columns every line fits, the QR code too, so that nothing breaks inside a word."""
        session = in_a_terminal("demo", columns=80, typing=str)
        assert session.status == 0
        assert max(map(len, session.shown.splitlines())) <= 80
        assert "█▀▀▀▀▀█" in session.shown
        words = " ".join(session.shown.split())
        assert "ChallengeAlreadyVerifiedError: 422 authentication_challenge_previously_verified: The authent" in words

    def test_a_call_is_broken_between_its_arguments(self) -> None:
        """What is shown of a call can be pasted."""
        shown = in_a_terminal("demo", columns=60, typing=str).shown
        calls = re.findall(r"^ {3}>>> (.*\n(?: {3}\.\.\. .*\n)*)", shown, flags=re.MULTILINE)
        assert max(call.count("\n") for call in calls) == 3
        for call in calls:
            compile(call.replace("\n   ... ", "\n"), "shown", "single")

    def test_a_person_types_the_code_of_their_own_phone(self) -> None:
        """With ``--interactive`` a phone that has scanned the QR code has the codes, and a mistake is no end."""
        person = PersonWithAPhone()
        session = in_a_terminal("demo", "--interactive", columns=80, typing=person)
        assert (session.status, person.answered) == (0, 3)
        assert re.findall(r"bool\(result\) is (\w+)", session.shown) == ["False", "False", "True", "False", "True"]
        assert max(map(len, session.shown.splitlines())) <= 80

    def test_ctrl_d(self) -> None:
        """The end of the input at a question deletes the factor, and is no traceback."""
        session = in_a_terminal("demo", "--interactive", columns=80, typing=lambda _: "\x04")
        assert session.status == 1
        assert "NotFoundError: 404" in session.shown
        assert session.shown.endswith("\n\nworkos-mfa demo: stopped\n")


def test_interactive(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The questions come in this order."""
    person = PersonWithAPhone()
    shown: list[str] = []
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(" ".join(question.split()))
        shown.append(capsys.readouterr().out)
        return person("".join(shown)).strip()

    monkeypatch.setattr("builtins.input", answer)
    assert main.main(["demo", "--interactive"]) == 0
    assert questions == [
        "Scan the QR code with an authenticator app, wait for a fresh code, and type it: >",
        "A code has six digits. Once more: >",
        "That was not right. The same challenge may be tried again. Type the newest code: >",
    ]


def test_a_window_that_is_too_narrow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A QR code whose lines would be broken can't be scanned: the demo says so in its place, and goes on."""
    monkeypatch.setenv("COLUMNS", "51")
    assert main.main(["demo"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "[The QR code needs 52 columns, and this window has 51. Make it wider" in told
    assert "█" not in told


def test_what_a_server_says_moves_no_cursor() -> None:
    """In no kind of text: a server chooses its ids and messages."""
    out = io.StringIO()
    console = Console(out)
    for show in (console.step, console.call, console.result, console.say):
        show("a\x1b[2J\x9bb\nc")
    assert out.getvalue().replace("\n", "").isprintable()


def demo_on(emulator: Emulator, out: io.StringIO) -> Demo:
    """The demo on an emulator that the test can look into."""
    return Demo(MFA(transport=emulator), Console(out), emulator)


class ReaderWhoLeaves(io.StringIO):
    """A pipe whose reader has had enough after so many lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._left = lines

    def write(self, text: str) -> int:
        """Take it, or say that nobody does."""
        if self._left < 1:
            raise BrokenPipeError
        self._left -= text.count("\n")
        return super().write(text)


class TestAClosedPipe:
    """``workos-mfa demo --live | head``."""

    def test_what_was_made_is_deleted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whichever line is the last that somebody reads, no factor is left."""
        # The secret is the same each time, and so is its QR code, which takes longer than all the rest.
        monkeypatch.setattr(qr, "modules", functools.cache(qr.modules))
        whole = io.StringIO()
        made: list[int] = []
        demo_on(Emulator(random_seed=1), whole).run()
        for lines in range(whole.getvalue().count("\n")):
            emulator = Emulator(random_seed=1)
            with pytest.raises(BrokenPipeError):
                demo_on(emulator, ReaderWhoLeaves(lines)).run()
            calls = [(call.operation, call.status) for call in emulator.calls]
            made.append(calls.count(("enroll_factor", 201)))
            assert calls.count(("delete_factor", 204)) == made[-1]
        assert set(made) == {0, 1, 2}

    def test_it_ends_quietly(self, real_api: Emulator) -> None:
        """The factor is deleted at the API, and there is no traceback, at the end of the process neither."""
        command = [sys.executable, "-W", "error", "-m", "workos_mfa", "demo", "--live"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:  # noqa: S603 - our own
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            while b"auth_factor_" not in process.stdout.readline():
                pass
            process.stdout.close()
            process.stdin.write(b"123456\n" * 3)
            process.stdin.close()
            said = process.stderr.read()
        assert (process.returncode, said) == (141, b"")
        methods = [call.method for call in real_api.calls]
        assert methods[0] == "POST"
        assert methods[-1] == "DELETE"

    def test_from_the_first_line_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where nobody reads at all the status is that of a program that the closed pipe has ended."""
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w", encoding="utf-8") as pipe, monkeypatch.context() as patch:
            patch.setattr("sys.stdout", pipe)
            assert main.main(["demo"]) == 141


@pytest.fixture
def real_api() -> Iterator[Emulator]:
    """An emulator that plays the real API, with its address and key in the environment."""
    with emulated(now=None) as emulator:
        yield emulator


@pytest.fixture
def person(real_api: Emulator, monkeypatch: pytest.MonkeyPatch) -> PersonAtTheKeyboard:
    """Somebody with a phone, who answers the questions of the demo."""
    person = PersonAtTheKeyboard(real_api)
    monkeypatch.setattr("builtins.input", person)
    return person


class PersonAtTheKeyboard:
    """Types the codes of the real API's text messages and of the app, and no phone number unless told one."""

    def __init__(self, real_api: Emulator) -> None:
        self.real_api = real_api
        self.phone = ""

    def __call__(self, question: str) -> str:
        """Answer a question."""
        if "phone number" in question:
            return self.phone
        if "text message" in question:
            return self.real_api.outbox.latest(to=self.phone).code
        (factor_id,) = {call.path.split("/")[3] for call in self.real_api.calls if call.path.endswith("/challenge")}
        return f" {self.real_api.totp_code(factor_id)} "


@pytest.mark.parametrize(("phone", "factors"), [("+15005550006", 2), ("", 1)])
def test_live(
    phone: str, factors: int, real_api: Emulator, person: PersonAtTheKeyboard, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ``--live`` the person holds the phone; text messages may be left out; nothing is left behind."""
    person.phone = phone
    assert main.main(["demo", "--live"]) == 0
    assert "On the real API" in capsys.readouterr().out
    calls = [(call.operation, call.status) for call in real_api.calls]
    assert calls.count(("enroll_factor", 201)) == calls.count(("delete_factor", 204)) == factors


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("trouble", ["AuthorizationError: 403", "KeyboardInterrupt"])
def test_a_factor_that_can_not_be_deleted_is_named(
    trouble: str, real_api: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the API is out of reach at the end, the person is told which factor to delete by hand."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if trouble == "KeyboardInterrupt":
        monkeypatch.setattr(MFA, "delete_factor", stop)
    else:
        real_api.faults.respond(403, {"message": "no"}, operation="delete_factor")
    assert main.main(["demo", "--live"]) == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert re.search(rf"auth_factor_\w+ is still there, or may be; delete it by hand\. {trouble}", shown)


def test_a_person_who_leaves(
    real_api: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in the middle is no traceback, and the factor is deleted all the same."""

    def leave(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", leave)
    assert main.main(["demo", "--live"]) == 1
    assert "stopped" in capsys.readouterr().err
    assert [call.method for call in real_api.calls][-2:] == ["DELETE", "GET"]


def test_live_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key ``--live`` says what is missing."""
    assert main.main(["demo", "--live"]) == 1
    assert "set WORKOS_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("accepted", "unexpected"),
    [
        ("every code", "a wrong code is refused"),
        ("the right code each time", "a challenge that was verified was verified again"),
    ],
)
def test_an_api_that_does_otherwise(accepted: str, unexpected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the API does not do what the demo tells, the demo says so and fails."""
    emulator = Emulator()

    def verify(_: MFA, challenge_id: str, *, code: str, expected_factor_id: str) -> object:
        valid = accepted == "every code" or code == emulator.totp_code(expected_factor_id)
        return make_verification(valid=valid, challenge=make_challenge(id=challenge_id))

    monkeypatch.setattr(MFA, "verify_challenge", verify)
    with pytest.raises(UnexpectedResult, match=unexpected):
        demo_on(emulator, io.StringIO()).run()


def test_a_third_wrong_code_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person may mistype a code twice; then the phone shows wrong codes, and the demo says why that may be."""
    emulator = Emulator(random_seed=1)
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        (factor_id,) = {call.path.split("/")[3] for call in emulator.calls if call.path.endswith("/challenge")}
        return emulator.wrong_code(factor_id)

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(UnexpectedResult, match="a phone whose clock is wrong shows wrong codes"):
        Demo(MFA(transport=emulator), Console(io.StringIO()), emulator, has_app=True).run()
    assert len(questions) == 3


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help is told."""
    assert main.main([]) == 2
    assert "watch a whole MFA flow" in capsys.readouterr().out

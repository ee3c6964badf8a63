"""The calls by hand: against the emulator over HTTP, as support staff and scripts make them."""

from __future__ import annotations

import functools
import io
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from tests.cli.processes import COMMAND, Ended, ended, environment_with
from tests.cli.terminal import CTRL_C, CTRL_D, in_a_terminal
from tests.loopback import Line, Received, serving, unused_port
from workos_mfa import MFA, Emulator
from workos_mfa._cli import main
from workos_mfa.testing import emulated

PHONE = "+15005550006"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def api() -> Iterator[Emulator]:
    """The API: its address and a key are in the environment."""
    with emulated(now=None) as emulator:
        yield emulator


@attrs.frozen
class Person:
    """Runs commands in this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def does(self, *arguments: str, typed: str = "") -> Ended:
        """Run a command, with this standard input."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main.main(arguments)
        said = self.capsys.readouterr()
        return Ended(status, said.out, said.err)

    def gets(self, *arguments: str, typed: str = "") -> Any:
        """The JSON of a command that works."""
        done = self.does(*arguments, "--json", typed=typed)
        assert done.status == 0, done.err
        return json.loads(done.out)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    """Somebody at a window of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return Person(monkeypatch, capsys)


def test_a_whole_life(api: Emulator, person: Person) -> None:
    """Enroll, challenge, verify with a wrong code and with the right one, look, delete; each says what it did."""
    made = person.does("enroll", "totp", "--issuer", "Foo Corp", "--user", "alan", "--show-secrets")
    assert made.status == 0
    (factor_id,) = re.findall(r"^id +(auth_factor_\w+)$", made.out, re.MULTILINE)
    (secret,) = re.findall(r"^totp\.secret +([A-Z2-7]{32})$", made.out, re.MULTILINE)
    challenged = person.does("challenge", factor_id)
    (challenge_id,) = re.findall(r"^id +(auth_challenge_\w+)$", challenged.out, re.MULTILINE)
    verify = ("verify", challenge_id, "--factor", factor_id)
    assert person.does(*verify, typed=api.wrong_code(factor_id)) == Ended(1, "not valid\n", "")
    code = person.does("code", typed=secret).out
    assert person.does(*verify, typed=code) == Ended(0, "valid\n", "")
    assert "totp.user    alan\n" in person.does("get", factor_id).out
    assert person.does("delete", factor_id, "--yes") == Ended(0, f"deleted {factor_id}\n", "")
    gone = person.does("get", factor_id)
    assert (gone.status, gone.out) == (3, "")
    assert gone.err.startswith("workos-mfa get: NotFoundError: 404 entity_not_found")


def test_json_has_the_apis_own_names(api: Emulator, person: Person) -> None:
    """With ``--json`` each call prints what the API has responded."""
    factor = person.gets("enroll", "sms", "--phone", PHONE, "--user-id", "user_1", "--show-secrets")
    assert list(factor) == ["id", "type", "created_at", "updated_at", "user_id", "object", "sms"]
    assert factor["sms"] == {"phone_number": PHONE}
    assert person.gets("get", factor["id"], "--show-secrets") == {**factor}
    challenge = person.gets("challenge", factor["id"], "--sms-template", "It is {{code}}")
    assert challenge["authentication_factor_id"] == factor["id"]
    message = api.outbox.latest(to=PHONE)
    assert message.text == f"It is {message.code}"
    assert person.gets("verify", challenge["id"], typed=message.code) == {"challenge": challenge, "valid": True}
    listed = person.gets("users", "list", "user_1")
    assert listed["object"] == "list"
    assert [each["id"] for each in listed["data"]] == [factor["id"]]
    assert listed["list_metadata"] == {"before": None, "after": None}
    assert person.gets("delete", factor["id"], "--yes") == {"id": factor["id"], "deleted": True}


def test_all_factors_of_a_user_are_listed(api: Emulator, person: Person) -> None:
    """However many pages they are on, newest first unless told otherwise."""
    assert person.does("users", "list", "user_1").out == "no factors\n"
    mfa = MFA(transport=api)
    ids = [mfa.create_user_auth_factor("user_1").factor.id for _ in range(102)]
    assert [each["id"] for each in person.gets("users", "list", "user_1")["data"]] == ids[::-1]
    told = person.does("users", "list", "user_1", "--order", "asc").out
    assert re.findall(r"^id +(\w+)$", told, re.MULTILINE) == ids
    assert told.count("\n\nid ") == 101


class TestSecrets:
    """What is shown of what must not be seen."""

    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_they_are_hidden(self, options: list[str], api: Emulator, person: Person) -> None:
        """No secret, URI, QR code or whole phone number, unless asked for; that they are lost is said."""
        totp = ("enroll", "totp", "--issuer", "Foo", "--user", "alan")
        user = ("users", "enroll", "user_1")
        for command in (totp, user):
            done = person.does(*command, *options)
            assert done.status == 0
            assert all(word not in done.out for word in ("secret", "uri", "qr_code", "█"))
            (factor_id,) = re.findall(r"delete (auth_factor_\w+)$", done.err)
            assert factor_id in done.out
            assert "enroll again with --show-secrets" in done.err
        sms = person.does("enroll", "sms", "--phone", PHONE, *options)
        assert PHONE not in sms.out + sms.err
        assert "+1***0006" in sms.out
        assert PHONE not in person.does("users", "list", "user_1", *options).out
        assert [call.status for call in api.calls] == [201, 201, 201, 200]

    @pytest.mark.usefixtures("api")
    def test_they_are_shown(self, person: Person) -> None:
        """With ``--show-secrets`` all is there: in JSON the picture, in text a drawing."""
        made = person.gets("users", "enroll", "user_1", "--issuer", "Foo", "--user", "alan", "--show-secrets")
        totp = made["authentication_factor"]["totp"]
        assert totp["uri"].startswith("otpauth://totp/Foo:alan?secret=")
        assert totp["qr_code"].startswith("data:image/png;base64,")
        assert "code" not in made["authentication_challenge"]
        told = person.does("users", "enroll", "user_1", "--show-secrets").out
        assert re.search(r"^authentication_factor\.totp\.secret\s+[A-Z2-7]{32}$", told, re.MULTILINE)
        assert "█▀▀▀▀▀█" in told or "█ ▄▄▄▄▄ █" in told
        assert "data:image" not in told

    @pytest.mark.usefixtures("api")
    def test_a_window_that_is_too_narrow(self, person: Person) -> None:
        """Where the QR code can't be drawn the secret is there all the same: the API shows it once."""
        person.monkeypatch.setenv("COLUMNS", "40")
        done = person.does("enroll", "totp", "--issuer", "Foo", "--user", "alan", "--show-secrets")
        assert done.status == 0
        assert re.search(r"totp\.secret\n  [A-Z2-7]{32}\n", done.out)
        assert "this window has 40" in done.err

    def test_a_secret_that_somebody_has(self, api: Emulator, person: Person) -> None:
        """``--with-secret`` takes one over from standard input; nothing is lost if it is not shown."""
        done = person.does("users", "enroll", "user_1", "--with-secret", typed=f"otpauth://totp/x?secret={SECRET}")
        assert (done.status, done.err) == (0, "")
        assert SECRET not in done.out
        (factor,) = MFA(transport=api).list_user_auth_factors("user_1")
        assert api.totp_code(factor.id) == person.does("code", typed=SECRET).out[:6]
        assert person.does("users", "enroll", "user_1", "--with-secret", typed="x").status == 2

    def test_a_phone_number_from_standard_input(self, api: Emulator, person: Person) -> None:
        """``--phone -`` keeps the number out of the arguments."""
        assert person.does("enroll", "sms", "--phone", "-", typed=f"{PHONE}\n").status == 0
        assert api.calls[0].status == 201


def test_what_a_server_says_moves_no_cursor(api: Emulator, person: Person) -> None:
    """A control character in a name is a space on the screen, and escaped in JSON; other letters are themselves."""
    enroll = functools.partial(MFA(transport=api).enroll_factor, type="totp", issuer="Foo")
    factor = enroll(user="alan\x9b2J\nid  other")
    assert "alan 2J id  other\n" in person.does("get", factor.id).out
    assert "alan\\u009b2J\\nid  other" in person.does("get", factor.id, "--json").out
    factor = enroll(user="Zoë")
    assert "Zoë" in person.does("get", factor.id).out
    assert "Zoë" in person.does("get", factor.id, "--json").out
    assert "Zo\\xeb" in ended("get", factor.id, PYTHONIOENCODING="ascii").out
    assert "Zo\\u00eb" in ended("get", factor.id, "--json", PYTHONIOENCODING="ascii").out


def test_an_id_that_is_none_moves_no_cursor(api: Emulator, person: Person) -> None:
    """The hints hold ids, of which some can be pasted: one that is none is shown without what moves the cursor."""
    client = MFA(transport=api)
    factor = client.enroll_factor(type="totp", issuer="Foo", user="alan")
    body = {**factor.to_dict(secrets=True), "id": "auth_factor_\x1b[2J\x9b"}
    api.faults.respond(201, body, operation="enroll_factor")
    err = person.does("enroll", "totp", "--issuer", "Foo", "--user", "alan").err
    assert err.endswith("workos-mfa delete auth_factor_ [2J \n")
    body = {**client.challenge_factor(factor.id).to_dict(secrets=True), "id": "auth_challenge_1; echo x\x9b"}
    api.faults.respond(201, body, operation="challenge_factor")
    out = Terminal()
    person.monkeypatch.setattr("sys.stdout", out)
    assert main.main(["challenge", factor.id]) == 0
    assert "Next:" not in out.getvalue()
    assert "\x9b" not in out.getvalue()


# What happens to a call, the command, and the exit status.
ENDS: dict[str, tuple[Callable[[Emulator], object] | None, tuple[str, ...], int]] = {
    "not found": (None, ("get", "auth_factor_1"), 3),
    "refused": (lambda api: api.faults.respond(403, {"message": "no"}), ("get", "auth_factor_1"), 3),
    "too many": (lambda api: api.faults.respond(429, {"message": "no"}), ("challenge", "auth_factor_1"), 3),
    "failed, reading": (lambda api: api.faults.respond(500, {}, count=3), ("get", "auth_factor_1"), 4),
    "failed, acting": (lambda api: api.faults.respond(500, {}), ("challenge", "auth_factor_1"), 5),
    "lost, reading": (lambda api: api.faults.lose_response(count=3), ("get", "auth_factor_1"), 4),
    "lost, acting": (lambda api: api.faults.lose_response(), ("challenge", "auth_factor_1"), 5),
    "lost, verifying": (lambda api: api.faults.lose_response(), ("verify", "auth_challenge_1"), 5),
    "an id that is none": (None, ("get", ".."), 2),
    "a number that is none": (None, ("enroll", "sms", "--phone", "0150"), 2),
    "a template without a code": (None, ("challenge", "x", "--sms-template", "Hello"), 2),
}


@pytest.mark.parametrize("end", ENDS)
def test_exit_statuses(end: str, api: Emulator, person: Person) -> None:
    """The status says what a script must know, and one line on standard error says what happened, also in JSON."""
    prepare, command, status = ENDS[end]
    for options in ([], ["--json"]):
        if prepare is not None:
            prepare(api)
        done = person.does(*command, *options, typed="123456")
        assert (done.status, done.out) == (status, "")
        assert done.err.count("\n") == 1
    told = json.loads(done.err)
    assert told["outcome_unknown"] is (status == 5)
    assert told["error"].endswith("Error")
    assert ("status_code" in told) is (end.partition(",")[0] in {"not found", "refused", "too many", "failed"})


def test_a_challenge_of_another_factor(api: Emulator, person: Person) -> None:
    """It is not valid, whatever the code was."""
    mfa = MFA(transport=api)
    mine, other = (mfa.enroll_factor(type="totp", issuer="Foo", user="alan").id for _ in range(2))
    challenge = mfa.challenge_factor(other)
    done = person.does("verify", challenge.id, "--factor", mine, typed=api.totp_code(other))
    assert (done.status, done.out) == (1, "")
    assert "FactorMismatchError" in done.err


def test_no_server(person: Person) -> None:
    """Where nobody listens nothing was done."""
    person.monkeypatch.setenv("WORKOS_API_KEY", "sk_test_x")
    person.monkeypatch.setenv("WORKOS_BASE_URL", f"http://127.0.0.1:{unused_port()}")
    done = person.does("enroll", "sms", "--phone", PHONE)
    assert done.status == 4
    assert done.err.endswith("Nothing was sent\n")


def test_no_key(person: Person) -> None:
    """Without a key, and without a terminal at which it could be asked for, nothing is sent."""
    done = person.does("get", "auth_factor_1")
    assert done.status == 2
    assert "set WORKOS_API_KEY" in done.err


def test_no_code(api: Emulator, person: Person) -> None:
    """An empty standard input is no code, and no attempt."""
    assert person.does("verify", "auth_challenge_1").status == 2
    assert len(api.calls) == 0


def test_delete_asks(api: Emulator, person: Person) -> None:
    """Where nobody can be asked ``--yes`` is needed."""
    factor = MFA(transport=api).enroll_factor(type="generic_otp")
    done = person.does("delete", factor.id)
    assert done.status == 2
    assert done.err == (
        f"workos-mfa delete: Delete {factor.id} for good? There is no terminal to ask at: add --yes if that is what "
        "you want\n"
    )
    assert len(api.calls) == 1


class Terminal(io.StringIO):
    """Standard input or output that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_questions_at_a_terminal(api: Emulator, person: Person) -> None:
    """The key and the code are asked for without showing them, and so is whether to delete."""
    asked: list[str] = []

    def getpass(question: str) -> str:
        asked.append(question)
        return "sk_test_default" if "key" in question else "123456"

    factor = MFA(transport=api).enroll_factor(type="sms", phone_number=PHONE)
    person.monkeypatch.setattr("getpass.getpass", getpass)
    person.monkeypatch.delenv("WORKOS_API_KEY")
    for typed, status in (("n\n", 1), ("\n", 1), ("yes\n", 0)):
        person.monkeypatch.setattr("sys.stdin", Terminal(typed))
        assert main.main(["delete", factor.id]) == status
        said = person.capsys.readouterr()
        assert said.err.startswith(f"Delete {factor.id} for good? [y/N] ")
        assert said.err.endswith("not deleted\n") is (status == 1)
    assert asked == ["WORKOS_API_KEY is not set. The API key (what you type is not shown): "] * 3


def test_next_steps_at_a_terminal(api: Emulator, person: Person) -> None:
    """Who challenges by hand wants to verify next; colours are for a terminal."""
    factor = MFA(transport=api).enroll_factor(type="totp", issuer="Foo", user="alan")
    out = Terminal()
    person.monkeypatch.setattr("sys.stdout", out)
    person.monkeypatch.delenv("NO_COLOR", raising=False)
    assert main.main(["challenge", factor.id]) == 0
    assert re.search(r"\n\nNext: workos-mfa verify auth_challenge_\w+\n\Z", out.getvalue())
    assert "\x1b[2mid" in out.getvalue()


def test_a_bug_is_not_hidden(person: Person) -> None:
    """What is no error of the package keeps its traceback."""

    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    person.monkeypatch.setenv("WORKOS_API_KEY", "sk_test_x")
    person.monkeypatch.setattr(MFA, "get_factor", break_down)
    with pytest.raises(ZeroDivisionError):
        person.does("get", "auth_factor_1")


@pytest.mark.usefixtures("api")
def test_ctrl_c_while_a_call_acts(person: Person) -> None:
    """Who stops a call is told what may have happened."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    person.monkeypatch.setattr(MFA, "challenge_factor", stop)
    done = person.does("challenge", "auth_factor_1")
    assert (done.status, done.out) == (130, "")
    assert "WorkOS may have acted: a text message may be on its way.\n" in done.err
    assert done.err.endswith("workos-mfa challenge: stopped\n")


class TestInATerminal:
    """With keys typed."""

    def test_a_code_is_typed(self, api: Emulator) -> None:
        """The key is asked for, and the code; neither is shown; in 60 columns nothing is broken but at the edge."""
        factor = MFA(transport=api).enroll_factor(type="totp", issuer="Foo", user="alan")
        challenge = MFA(transport=api).challenge_factor(factor.id)

        def typing(shown: str) -> str:
            return "sk_test_default\n" if shown.count("(what") == 1 else f"{api.totp_code(factor.id)}\n"

        key, url = (os.environ[name] for name in ("WORKOS_API_KEY", "WORKOS_BASE_URL"))
        session = in_a_terminal(
            "verify", challenge.id, columns=60, typing=typing, WORKOS_API_KEY="", WORKOS_BASE_URL=url
        )
        assert session.status == 0
        assert session.shown.endswith("\nvalid\n")
        assert "\x1b[32mvalid" in session.raw
        assert key not in session.shown
        assert api.totp_code(factor.id) not in session.shown

    @pytest.mark.parametrize(
        ("key", "status", "said"),
        [("y\n", 0, "deleted auth"), ("n\n", 1, "not deleted"), (CTRL_C, 130, "stopped"), (CTRL_D, 1, "not deleted")],
    )
    def test_a_question_is_answered(self, key: str, status: int, said: str, api: Emulator) -> None:
        """Only a yes deletes."""
        factor = MFA(transport=api).enroll_factor(type="generic_otp")
        session = in_a_terminal("delete", factor.id, columns=80, typing=lambda _: key, NO_COLOR="1")
        assert session.status == status
        assert said in session.shown
        assert "Traceback" not in session.shown
        assert "\x1b" not in session.raw
        assert [call.method for call in api.calls] == (["POST", "DELETE"] if status == 0 else ["POST"])

    @pytest.mark.usefixtures("api")
    def test_a_factor_is_enrolled(self) -> None:
        """The QR code is black on white, and the ids are whole in 60 columns."""
        session = in_a_terminal("enroll", "totp", "--issuer", "Foo", "--user", "alan", "--show-secrets", columns=60)
        assert session.status == 0
        assert "\x1b[30;107m" in session.raw
        assert max(len(line) for line in session.shown.splitlines() if "otpauth" not in line) <= 60


# A run of each command that works, where there are such a factor and challenge.
COMMANDS = {
    "enroll": f"enroll sms --phone {PHONE}",
    "challenge": "challenge {factor}",
    "verify": "verify {challenge}",
    "get": "get {factor}",
    "delete": "delete {factor} --yes",
    "users list": "users list user_1",
    "users enroll": "users enroll user_1 --show-secrets",
    "code": "code",
    "qr": "qr",
    "doctor": "doctor --json",
}


class TestAProcess:
    """As a script runs it."""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_a_reader_who_leaves(self, command: str, api: Emulator) -> None:
        """A closed pipe is no traceback, and the status is the shell's for it."""
        made = MFA(transport=api).create_user_auth_factor("user_1", secret=SECRET)
        words = [word.format(factor=made.factor.id, challenge=made.challenge.id) for word in COMMANDS[command].split()]
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            done = subprocess.run(  # noqa: S603 - our own
                [*COMMAND, *words],
                input=SECRET.encode() if command in {"code", "qr"} else api.totp_code(made.factor.id).encode(),
                stdout=pipe,
                stderr=subprocess.PIPE,
                env=environment_with(),
                check=False,
            )
        assert (done.returncode, done.stderr) == (141, b"")

    @pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"code", "qr"}])
    def test_ctrl_c_while_the_server_is_silent(self, command: str) -> None:
        """It ends at once, and says that the call may have acted, if it is one that acts."""
        processes: list[subprocess.Popen[bytes]] = []

        def interrupt(_: Received, line: Line) -> None:
            processes[0].send_signal(signal.SIGINT)
            line.stall()

        words = [
            word.format(factor="auth_factor_1", challenge="auth_challenge_1") for word in COMMANDS[command].split()
        ]
        with serving(interrupt) as server:
            environment = environment_with(WORKOS_API_KEY="sk_test_x", WORKOS_BASE_URL=server.url)
            pipe = subprocess.PIPE
            with subprocess.Popen(  # noqa: S603 - our own
                [*COMMAND, *words], env=environment, stdin=pipe, stdout=pipe, stderr=pipe
            ) as process:
                processes.append(process)
                said = process.communicate(b"123456\n")[1].decode()
        assert process.returncode == 130
        assert said.endswith(f"workos-mfa {words[0]}: stopped\n")
        assert ("may have acted" in said) is (command in {"enroll", "challenge", "verify", "delete", "users enroll"})
        assert "Traceback" not in said

    def test_pipes(self, api: Emulator) -> None:
        """``workos-mfa code | workos-mfa verify`` is a second step without a phone."""
        made = MFA(transport=api).create_user_auth_factor("user_1", secret=SECRET)
        code = ended("code", typed=SECRET).out
        assert ended("verify", made.challenge.id, typed=code) == Ended(0, "valid\n", "")

"""``workos-mfa emulate``: what it tells, what it refuses, and how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest

from tests.emulator.http.client import Client
from tests.emulator.http.process import emulating
from tests.loopback import wait_until
from workos_mfa._cli import main
from workos_mfa._cli.emulate import TextDisplay
from workos_mfa.emulator import Emulator, Settings

PHONE = "+15005550006"
Visit = Callable[[Client], None]


class Emulate(Protocol):
    """Runs the command in this process, while somebody visits it; returns what it told."""

    def __call__(self, *arguments: str, visit: Visit = ...) -> str:
        """Run it with these arguments."""
        ...


@pytest.fixture
def emulate(monkeypatch: pytest.MonkeyPatch) -> Emulate:
    """Run the command, visit it once it answers, and end it with Ctrl-C."""

    def come(out: io.StringIO, visit: Visit) -> None:
        wait_until(lambda: "\n" in out.getvalue())
        (url,) = re.findall(r"http://[\w.]+:[0-9]+", out.getvalue())[:1]
        (key,) = re.findall(r'(?:"api_key": "|WORKOS_API_KEY=)(\w+)', out.getvalue())
        try:
            with contextlib.closing(Client(url, key)) as client:
                visit(client)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def run(*arguments: str, visit: Visit = lambda _: None) -> str:
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with ThreadPoolExecutor(1) as visitors:
            visited = visitors.submit(come, out, visit)
            assert main.main(["emulate", "--port", "0", *arguments]) == 0
        visited.result()
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        return out.getvalue()

    return run


def _use(client: Client) -> None:
    factor = client.post("/auth/factors/enroll", {"type": "sms", "phone_number": PHONE}).json
    client.post(f"/auth/factors/{factor['id']}/challenge", {"sms_template": "Your code is {{code}}"})
    client.post("/_emulate/faults", {"fault": "lose_request"})
    with contextlib.suppress(ConnectionError):
        client.get(f"/auth/factors/{factor['id']}")
    client.close()
    client.get("/auth/factors/auth_factor_x")


def test_it_tells_people_what_happens(emulate: Emulate) -> None:
    """A banner with all that an SDK needs, a line for each call and each message, and a word at the end."""
    told = emulate(visit=_use)
    url = re.search(r"answers at (http://127\.0\.0\.1:([0-9]+)) \(in a browser: messages and codes\)\. Ctrl-C", told)
    assert url
    assert f"export WORKOS_API_KEY=sk_test_default WORKOS_BASE_URL={url[1]}\n" in told
    assert f'new WorkOS("sk_test_default", {{ apiHostname: "127.0.0.1", port: {url[2]}, https: false }})' in told
    assert f"curl -H 'Authorization: Bearer sk_test_default' {url[1]}/_emulate/outbox\n" in told
    lines = [re.sub(r"auth_factor_\w{26}", "ID", line[9:]) for line in told.splitlines() if line[2:3] == ":"]
    assert [re.sub(r"[0-9]{6}$", "123456", line) for line in lines] == [
        "POST /auth/factors/enroll 201",
        f"SMS to {PHONE}: Your code is 123456",
        "POST /auth/factors/ID/challenge 201",
        "GET /auth/factors/ID no response (fault: lose_request)",
        "GET /auth/factors/auth_factor_x 404 (entity_not_found)",
    ]
    assert told.endswith("The emulator has stopped.\n")


def test_it_tells_programs_what_happens(emulate: Emulate) -> None:
    """With ``--json`` each line is an object, and the first says where it answers."""
    events = [json.loads(line) for line in emulate("--json", "--api-key", "sk_test_mine", visit=_use).splitlines()]
    assert [event["event"] for event in events] == ["started", "call", "sms", "call", "call", "call", "stopped"]
    assert events[0]["api_key"] == "sk_test_mine"
    assert events[0]["base_url"].startswith("http://127.0.0.1:")
    assert events[0]["pid"] == os.getpid()
    assert events[2]["text"] == f"Your code is {events[2]['code']}"
    assert [event["status"] for event in events if event["event"] == "call"] == [201, 201, None, 404]


@pytest.mark.parametrize("ends_by", [signal.SIGINT, signal.SIGTERM])
def test_as_a_process_it_ends_well(ends_by: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it with status 0, whatever connections are open, and with nothing on standard error."""
    with emulating(ends_by=ends_by) as running:
        client = Client(running.base_url, running.api_key)
        assert client.get("/health").status == 200
    client.close()
    assert running.status == 0
    assert running.events[-1]["event"] == "stopped"


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that another program has is told in one line, with status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main.main(["emulate", "--port", port]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"workos-mfa emulate: can't listen on 127.0.0.1, port {port}: another program has it; "
        "choose another port, or 0 for any that is free\n"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 can be reached by other machines"),  # noqa: S104
        (["--host", "example.com"], "add --allow-remote"),
        (["--api-key", "sk_live_sentinel"], "sk_live_"),
        (["--api-key", ""], "one word"),
        (["--allow-remote"], "--allow-remote needs an --api-key of your own: sk_test_default is known to all"),
        (["--allow-remote", "--api-key", "sk_test_default"], "--allow-remote needs an --api-key of your own"),
        (["--set", "max_wrong_codes"], "--set takes NAME=VALUE, such as --set max_wrong_codes=3"),
        (["--set", "max_wrong_code=3"], "there is no setting 'max_wrong_code'; did you mean max_wrong_codes?"),
        (["--set", "totp_window_back=many"], "totp_window_back takes a whole number from 0 to 999999999\n"),
        (["--set", "totp_uri=full", "--set", "totp_uri=short"], "--set totp_uri: it is there twice"),
        (["--port", "65536"], "65536 is no port"),
        (["--seed", "no-such-file.json"], "no-such-file.json: No such file or directory"),
    ],
)
def test_what_it_refuses(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], text: str
) -> None:
    """What would be unsafe or can't be is refused in one line with status 2, and the key is not repeated."""
    monkeypatch.chdir(tmp_path)
    assert main.main(["emulate", "--port", "0", *arguments]) == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1
    assert "sentinel" not in err


REMOTE = ["--allow-remote", "--api-key", "sk_test_mine"]


@pytest.mark.parametrize(
    ("arguments", "is_remote"),
    [([*REMOTE, "--host", "0.0.0.0"], True), (REMOTE, True), (["--host", "localhost"], False)],  # noqa: S104
)
def test_what_it_allows(emulate: Emulate, arguments: list[str], *, is_remote: bool) -> None:
    """Who says so is reachable by others, under any name and with no page for all; ``localhost`` is not."""

    def visit(client: Client) -> None:
        assert client.send("GET", "/health", headers={"Host": "mfa.example"}).status == (200 if is_remote else 421)
        assert client.send("GET", "/", headers={"Authorization": ""}).status == (401 if is_remote else 200)

    told = emulate(*arguments, visit=visit)
    assert ("in a browser" in told) is not is_remote
    assert "has stopped" in told


class Impatient(io.StringIO):
    """A standard output whose reader presses Ctrl-C as soon as there is something to read."""

    def flush(self) -> None:
        """Interrupt whoever has written, once."""
        self.flush = super().flush  # type: ignore[method-assign]
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_while_it_says_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers by then, so it says that it has stopped as well; and nothing interrupts that."""
    terminal = Impatient()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main.main(["emulate", "--port", "0"]) == 0
    assert "has stopped" in terminal.getvalue()


def _seed(tmp_path: Path, text: str) -> str:
    path = tmp_path / "seed.json"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_seed_and_settings(emulate: Emulate, tmp_path: Path) -> None:
    """Settings of the command line go before those of a seed, then come a file of settings and the defaults."""
    factor_id = "auth_factor_01FVYZ5QM8N98T9ME5BCB2BBMJ"
    seed = {
        "factors": [{"id": factor_id, "type": "sms", "phone_number": PHONE}],
        "settings": {"max_wrong_codes": None, "totp_window_back": 3, "validation_errors": "by_code"},
    }
    given = [
        "totp_window_back=2",
        "default_sms_text=It's {{code}} = yours",
        "template_needs_code=false",
        "users=seeded",
    ]

    def visit(client: Client) -> None:
        assert client.get(f"/auth/factors/{factor_id}").json["sms"] == {"phone_number": PHONE}
        assert client.get("/_emulate/settings").json == attrs.asdict(
            Settings(
                max_wrong_codes=None,
                totp_window_back=2,
                totp_window_ahead=4,
                validation_errors="by_code",
                default_sms_text="It's {{code}} = yours",
                template_needs_code=False,
                users="seeded",
            )
        )

    options = [option for setting in given for option in ("--set", setting)]
    settings = tmp_path / "settings.json"
    settings.write_text('{"validation_errors": "bad_request", "totp_window_ahead": 4}', "utf-8")
    emulate("--settings", str(settings), "--seed", _seed(tmp_path, json.dumps(seed)), *options, visit=visit)


def test_help_lists_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """Each setting, with its default, what it takes and what it means; the list is made from the class."""
    with pytest.raises(SystemExit) as caught:
        main.main(["emulate", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "  max_wrong_codes=5  (a whole number from 1 to 999999999 or none)\n      how many wrong codes get" in out
    assert re.findall(r"^  (\w+)=", out, re.MULTILINE) == [field.name for field in attrs.fields(Settings)]


@pytest.mark.parametrize("text", ["{", "[]", '{"colour": "red"}', '{"settings": []}', "[" * 100_000])
def test_a_wrong_seed_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """A file that is no seed is told so, in one line."""
    assert main.main(["emulate", "--port", "0", "--seed", _seed(tmp_path, text)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_state_file(emulate: Emulate, tmp_path: Path) -> None:
    """What was made before is there after a restart."""
    made: list[Any] = []

    def enroll(client: Client) -> None:
        made.append(client.post("/auth/factors/enroll", {"type": "generic_otp"}).json)

    def find(client: Client) -> None:
        assert client.get(f"/auth/factors/{made[0]['id']}").json == made[0]

    for visit in (enroll, find):
        emulate("--state", str(tmp_path / "state.sqlite"), visit=visit)


def test_a_reader_who_goes_away_stops_nothing() -> None:
    """If nobody reads the lines any more, calls are answered all the same."""

    class Gone(io.StringIO):
        def write(self, _: str, /) -> int:
            raise BrokenPipeError

    display = TextDisplay(Gone())
    emulator = Emulator()
    emulator.calls.watch(display.call)
    with emulator.serve() as server, contextlib.closing(Client(server.base_url, server.api_key)) as client:
        display.started(server)
        assert client.get("/auth/factors/x").status == 404

"""``workos-mfa emulate`` as a process: nothing from outside stops it, and a signal always does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import attrs
import pytest

from tests.emulator.http.client import Client
from tests.emulator.http.process import Running, emulating
from tests.loopback import wait_until
from workos_mfa._cli.emulate import Display, JSONDisplay, TextDisplay
from workos_mfa.emulator import SMSMessage

# The lines of these are more than a pipe and the command itself hold.
CALLS = 1500
PATH = f"/auth/factors/auth_factor_{'x' * 400}"


def _call(client: Client, times: int = 1) -> bool:
    return all(client.get(PATH).status == 404 for _ in range(times))


def test_an_unread_pipe_stops_neither_calls_nor_the_end() -> None:
    """Calls are answered while nobody reads what is told of them, and SIGTERM ends it all the same."""
    with emulating(is_read=False) as running:
        with contextlib.closing(Client(running.base_url, running.api_key)) as client:
            assert _call(client, CALLS)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0
    assert len(running.events) < CALLS


def test_who_reads_late_is_told_how_much_is_missing() -> None:
    """What was left out is counted where it would have been, and the lines go on behind it."""
    with (
        emulating(is_read=False) as running,
        contextlib.closing(Client(running.base_url, running.api_key)) as client,
    ):
        assert _call(client, CALLS)
        running.reader.start()
        # Some line finds room again.
        wait_until(lambda: _call(client) and "left_out" in _kinds(running))
        calls = len(client.get("/_emulate/calls").json)
    left_out = sum(event["lines"] for event in running.events if event["event"] == "left_out")
    kinds = _kinds(running)
    assert (kinds[0], kinds[-2:]) == ("started", ["call", "stopped"])
    assert kinds.count("call") + left_out == calls


def _kinds(running: Running) -> list[str]:
    return [event["event"] for event in running.events]


def _message(number: int) -> SMSMessage:
    now = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
    return SMSMessage(to="+15005550006", text=f"<{number}>", code="1", factor_id="f", challenge_id="c", sent_at=now)


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("kind", [TextDisplay, JSONDisplay])
def test_no_line_is_lost_uncounted(kind: Callable[[io.TextIOWrapper], Display], *, waits: bool) -> None:
    """However the pipe behaves when it is full, each line comes whole and in its order, or is counted."""
    reading, writing = os.pipe()
    os.set_blocking(writing, waits)
    with os.fdopen(reading, encoding="utf-8") as there, os.fdopen(writing, "w", encoding="utf-8") as here:
        display = kind(here)
        for number in range(4_000):
            display.message(_message(number))
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(there))
        reader.start()
        display.stopped()
        here.close()
        reader.join()
    assert "stopped" in lines.pop()
    expected = 0
    for line in filter(str.strip, lines):
        if "<" in line:
            assert f"<{expected}>" in line
            expected += 1
        else:
            expected += json.loads(line)["lines"] if kind is JSONDisplay else int(line[1:].split()[0])
    assert expected == 4_000 > len(lines)


def test_what_a_terminal_can_not_show_is_shown_all_the_same() -> None:
    """A text with characters that the output's encoding does not have is told with escapes."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="ascii") as there, os.fdopen(writing, "w", encoding="ascii") as here:
        display = TextDisplay(here)
        display.message(attrs.evolve(_message(1), text="Grüße"))
        display.stopped()
        here.close()
        assert there.readline().endswith("Gr\\xfc\\xdfe\n")


def test_running_out_of_descriptors_is_waited_out() -> None:
    """With all descriptors in use it neither ends nor spins, answers who is connected, and then whoever comes next."""
    with emulating(descriptors=24) as running:
        host, port = "127.0.0.1", running.port
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(contextlib.closing(Client(running.base_url, running.api_key)))
            assert _call(client)
            for _ in range(40):
                stack.enter_context(socket.create_connection((host, port), timeout=10))
            before = _processor_seconds(running.process.pid)
            with pytest.raises(subprocess.TimeoutExpired):
                running.process.wait(1)
            assert _processor_seconds(running.process.pid) - before < 0.5
            assert _call(client)
        with contextlib.closing(Client(running.base_url, running.api_key)) as client:
            assert _call(client)
    assert running.status == 0


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""``workos-mfa emulate`` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs


@attrs.define(eq=False)
class Running:
    """The process, where it answers, and what it has told so far."""

    process: subprocess.Popen[str]
    base_url: str
    api_key: str
    events: list[Any] = attrs.field(factory=list)
    status: int | None = None

    @property
    def port(self) -> int:
        """The port in the base URL."""
        return int(self.base_url.rpartition(":")[2])


@contextmanager
def emulating(*arguments: str, ends_by: signal.Signals = signal.SIGTERM) -> Generator[Running, None, None]:
    """The command with these arguments, on a port that is free, until the end of a with block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WORKOS_")}
    command = [sys.executable, "-W", "error", "-m", "workos_mfa", "emulate", "--port", "0", "--json", *arguments]
    with subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        started = json.loads(process.stdout.readline())
        running = Running(process, started["base_url"], started["api_key"], [started])
        # Read all the time, since a pipe that is full would stop the emulator.
        lines = process.stdout
        reader = threading.Thread(target=lambda: running.events.extend(map(json.loads, lines)))
        reader.start()
        try:
            yield running
        finally:
            process.send_signal(ends_by)
            running.status = process.wait(30)
            reader.join(30)
            assert process.stderr.read() == ""

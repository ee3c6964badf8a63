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
    reader: threading.Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read)

    def _read(self) -> None:
        assert self.process.stdout is not None
        # The last one is cut where it ended while nobody read.
        self.events.extend(json.loads(line) for line in self.process.stdout if line.endswith("\n"))

    @property
    def port(self) -> int:
        """The port in the base URL."""
        return int(self.base_url.rpartition(":")[2])


_WITH_FEW_DESCRIPTORS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[1])))
from workos_mfa._cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@contextmanager
def emulating(
    *arguments: str, ends_by: signal.Signals = signal.SIGTERM, is_read: bool = True, descriptors: int | None = None
) -> Generator[Running, None, None]:
    """The command with these arguments, on a port that is free, until the end of a with block.

    :param ends_by: the signal that ends it then.
    :param is_read: whether somebody reads what it tells; if not, :attr:`Running.reader` may be started later.
    :param descriptors: how many it may have; None for as many as usual.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WORKOS_")}
    program = ["-m", "workos_mfa"] if descriptors is None else ["-c", _WITH_FEW_DESCRIPTORS, str(descriptors)]
    command = [sys.executable, "-W", "error", *program, "emulate", "--port", "0", "--json", *arguments]
    with subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        started = json.loads(process.stdout.readline())
        running = Running(process, started["base_url"], started["api_key"], [started])
        if is_read:
            running.reader.start()
        try:
            yield running
        finally:
            process.send_signal(ends_by)
            running.status = process.wait(30)
            if not running.reader.ident:
                running.reader.start()
            running.reader.join(30)
            assert process.stderr.read() == ""

"""The vendor's own emulator, ``workos emulate`` of npm's package ``workos``, on this machine alone.

It has no option for the address and would listen on all of them, so it is started with a few lines in front
that make every server of that process a loopback one. It is looked for in the folder that
``WORKOS_NPM`` names, where ``npm install workos`` was run, and else in this one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import cast

_LOOPBACK_ALONE = """
import net from 'node:net';
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const done = rest.find((one) => typeof one === 'function');
  return listen.call(this, { port: Number(port?.port ?? port), host: '127.0.0.1' }, done);
};
"""
_START = """
import { createEmulator } from 'workos/emulate';
await createEmulator({ port: Number(process.argv[2]) });
"""
_LONGEST_START = 20.0


def version() -> str | None:
    """The release that is installed, or None if it or node is not there."""
    description = _folder() / "node_modules" / "workos" / "package.json"
    if shutil.which("node") is None or not description.is_file():
        return None
    return cast("str", json.loads(description.read_text("utf-8"))["version"])


@contextlib.contextmanager
def running() -> Generator[str]:
    """The URL of the vendor's emulator, for the length of a with block."""
    port = _free_port()
    with _script(_START) as start, _script(_LOOPBACK_ALONE) as loopback:
        command = ["node", "--import", loopback.as_uri(), str(start), str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - the lines above
            try:
                _wait_for(f"http://127.0.0.1:{port}/health")
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


@contextlib.contextmanager
def _script(text: str) -> Generator[Path]:
    # node looks for packages beside the file, so that is where it has to lie.
    path = _folder() / f"benchmark-{abs(hash(text))}.mjs"
    path.write_text(text, "utf-8")
    try:
        yield path
    finally:
        path.unlink()


def _folder() -> Path:
    return Path(os.environ.get("WORKOS_NPM") or ".").resolve()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_for(url: str) -> None:
    ends = time.monotonic() + _LONGEST_START
    while not _answers(url):
        if time.monotonic() > ends:
            raise TimeoutError(f"the vendor's emulator does not respond within {_LONGEST_START:.0f} s")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - it is the http of this machine
            return True
    except OSError:
        return False

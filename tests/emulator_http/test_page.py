"""The shell examples of docs/emulator.md work when they are pasted, one after the other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.emulator_http.tools import ROOT, program
from workos_mfa.emulator import Emulator, EmulatorServer


def test_the_pages_commands_work(emulator: Emulator, server: EmulatorServer, tmp_path: Path) -> None:
    """Every command that asks a running emulator gets an answer that is no error."""
    bash, _ = program("bash", "it comes with the system"), program("curl", "run: apt-get install curl")
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    blocks = [
        block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "emulate" in block and "pip" not in block
    ]
    script = "".join(blocks).replace("http://127.0.0.1:4100", server.base_url)
    done = subprocess.run(  # noqa: S603
        [bash, "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"to":"+15005550006"' in done.stdout
    assert '"now":"2026-01-15T12:00:00.000Z","frozen":true' in done.stdout
    assert "2 factors" not in repr(emulator)
    assert "1 factors" in repr(emulator)


def test_every_path_of_the_control_plane_is_on_the_page(server: EmulatorServer) -> None:
    """The page names all that there is, and nothing else."""
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    told = set(re.findall(r"`/_emulate/([\w/{}]+)`", page))
    assert told | {"hooks/{id}"} == set(server._door._control._commands)

"""The shell examples of docs/emulator.md work when they are pasted, one after the other."""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path

from tests.emulator.http.client import Client
from tests.emulator.http.process import emulating
from tests.emulator.http.tools import ROOT, program
from workos_mfa.emulator import Emulator, EmulatorServer


def test_the_pages_commands_work(emulator: Emulator, server: EmulatorServer, tmp_path: Path) -> None:
    """Every command that asks a running emulator gets a response that is no error."""
    bash, _ = program("bash", "it comes with the system"), program("curl", "run: apt-get install curl")
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    blocks = [
        block
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        if "emulate" in block and "workos-mfa" not in block
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


def test_the_pages_starts_work(tmp_path: Path) -> None:
    """Every command that starts the emulator does, and so does the seed that the page shows."""
    bash, _ = program("bash", "it comes with the system"), program("openssl", "run: apt-get install openssl")
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    [seed] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (tmp_path / "seed.json").write_text(seed, "utf-8")
    starts: list[str] = [
        f"--seed {tmp_path / 'seed.json'}",
        *re.findall(r"^workos-mfa emulate (.*)$", page, re.MULTILINE),
    ]
    assert len(starts) == 3
    for words in starts:
        split = subprocess.run([bash, "-c", f"printf '%s\\0' {words}"], capture_output=True, text=True, check=True)  # noqa: S603
        with (
            emulating(*split.stdout.split("\0")[:-1]) as running,
            contextlib.closing(Client(running.base_url, running.api_key)) as client,
        ):
            settings = client.get("/_emulate/settings").json
        assert settings["max_wrong_codes"] == (5 if "--allow-remote" in words else 3)


def test_every_path_of_the_control_plane_is_on_the_page(server: EmulatorServer) -> None:
    """The page names all that there is, and nothing else."""
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(/_emulate[\w/{}]*)` \| ([A-Z, ]+) \|", page, re.MULTILINE))
    with contextlib.closing(Client(server.base_url, server.api_key)) as client:
        index = client.get("/_emulate").json
    assert told == {entry["path"]: ", ".join(entry["methods"]) for entry in index if "hooks" not in entry["path"]}
    assert "`/_emulate/hooks`" in page

"""A state file in real processes: killed at any moment, opened by two."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.caller import NOW, Caller
from workos_mfa.emulator import Emulator, StateFileError

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def _under_load(state: Path, *, last: int = -1) -> Iterator[subprocess.Popen[bytes]]:
    """A process that makes calls on an emulator with this state file, and kills itself after the last response."""
    command = [sys.executable, "-m", "tests.emulator.storage_load", str(state), str(last)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in (str(ROOT), *sys.path) if path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.kill()


def _check(state: Path, answered: list[list[Any]]) -> None:
    """Everything that was answered is in the file."""
    gone = {name for what, *names in answered if what == "deleted" for name in names}
    verified = {line[1] for line in answered if line[0] == "verified"}
    with Emulator(state=state, max_wrong_codes=2) as emulator:
        caller = Caller(emulator)
        messages = {message.challenge_id: message.code for message in emulator.outbox}
        ahead = max((line[1] for line in answered if line[0] == "clock"), default=0)
        assert emulator.clock.setting().ahead.total_seconds() >= ahead
        # So that no challenge has ended.
        emulator.clock.set(NOW)
        for what, name, *codes in answered:
            if what == "factor":
                assert caller.get(name).status == (404 if name in gone else 200)
            elif what == "challenge":
                assert messages[name] == codes[0]
            elif what == "wrong":
                expected = [404, 404] if name in gone else [422, 422] if name in verified else [201, 400]
                assert [caller.wrong({"id": name}).status for _ in range(2)] == expected


@pytest.mark.parametrize("last", [1, 2, 3, 4, 13, 22, 80])
def test_a_kill_loses_nothing_that_has_had_its_response(tmp_path: Path, last: int) -> None:
    """A process that is killed with -9 the moment after a response left it has lost nothing."""
    state = tmp_path / "state.db"
    with _under_load(state, last=last) as process:
        output, _ = process.communicate()
    answered = [json.loads(line) for line in output.splitlines()]
    assert (process.returncode, len(answered)) == (-signal.SIGKILL, last)
    _check(state, answered)


@pytest.mark.parametrize("count", [37, 150])
def test_a_kill_in_the_middle_loses_nothing(tmp_path: Path, count: int) -> None:
    """After a kill -9 in the middle of calls, everything that was answered before is there, and can be gone on with."""
    state = tmp_path / "state.db"
    with _under_load(state) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(count)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    # The last line may be cut: that response did not get out.
    answered = [json.loads(line) for line in lines if line.endswith(b"\n")]
    # The last challenge may be verified, and the last factor gone, without anybody having been told.
    last = max(number for number, line in enumerate(answered) if line[0] == "factor")
    _check(state, answered[:last] + [line for line in answered[last:] if line[0] not in {"factor", "wrong"}])
    with Emulator(state=state) as emulator:
        assert Caller(emulator).enroll(type="generic_otp").status == 201


def test_two_processes_do_not_share_a_file(tmp_path: Path) -> None:
    """While one process has the file, another is told so; when the first dies, however it does, the file is free."""
    state = tmp_path / "state.db"
    with _under_load(state) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StateFileError, match=r"state\.db can't be used: another process is using it"):
            Emulator(state=state)
    with Emulator(state=state) as emulator:
        assert "0 factors" not in repr(emulator)


def test_the_second_process_is_refused(tmp_path: Path) -> None:
    """A process that comes second says so, and why, even after this one has looked at the file once more."""
    state = tmp_path / "state.db"
    code = "import sys; from workos_mfa.emulator import Emulator; Emulator(state=sys.argv[1])"
    command = [sys.executable, "-W", "ignore", "-c", code, str(state)]
    with Emulator(state=state):
        # To close a file that one has only looked at would take the lock away.
        with pytest.raises(StateFileError, match="another process is using it"):
            Emulator(state=state)
        second = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    assert second.returncode == 1
    assert "StateFileError: the state file" in second.stderr
    assert "another process is using it" in second.stderr
    assert subprocess.run(command, check=False, capture_output=True, cwd=ROOT).returncode == 0  # noqa: S603

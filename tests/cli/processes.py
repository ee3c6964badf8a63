"""Our command as a process, as a script runs it: no terminal, its input and output piped."""

from __future__ import annotations

import os
import subprocess
import sys

import attrs


@attrs.frozen
class Ended:
    """What the process said, and its exit status."""

    status: int
    out: str
    err: str


COMMAND = [sys.executable, "-W", "error", "-m", "workos_mfa"]


def environment_with(**variables: str) -> dict[str, str]:
    """The environment of a process: this one's, without what is set for a person, and with these variables."""
    unset = {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED"}
    return {**{name: value for name, value in os.environ.items() if name not in unset}, **variables}


def ended(*arguments: str, typed: str = "", **variables: str) -> Ended:
    """Run the command to its end.

    :param typed: its standard input.
    :param variables: of the environment.
    """
    done = subprocess.run(  # noqa: S603 - our own
        [*COMMAND, *arguments],
        input=typed,
        env=environment_with(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)

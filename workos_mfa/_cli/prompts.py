"""Asks the person, or reads standard input: for what must not be an argument, since ``ps`` shows those."""

from __future__ import annotations

import os
import sys

from workos_mfa._cli.output import UsageError


def secret(question: str) -> str:
    """A secret: from a prompt that does not show what is typed, or the first line of standard input.

    :param question: what the person is asked for, without a colon.
    :raises UsageError: if there is nothing.
    """
    try:
        given = _typed(question) if is_terminal() else _piped()
    except (EOFError, UnicodeDecodeError):
        given = ""
    if not given.strip():
        raise UsageError(f"{question}: nothing was given; type it when asked, or pipe it into standard input")
    return given.strip()


def api_key() -> str | None:
    """The key that the person types at the terminal, if there is none in the environment.

    It is None where the environment has it, and where there is nobody to ask: the client then finds it, or says what
    is missing.
    """
    if os.environ.get("WORKOS_API_KEY") or not is_terminal():
        return None
    return secret("WORKOS_API_KEY is not set. The API key")


def confirm(question: str) -> bool:
    """Whether the person says yes.

    :raises UsageError: if there is nobody to ask.
    """
    if not is_terminal():
        raise UsageError(f"{question} There is no terminal to ask at: add --yes if that is what you want")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def is_terminal() -> bool:
    """Whether a person can be asked. A process may have no standard input at all."""
    return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison] - see above


def _typed(question: str) -> str:
    import getpass

    return getpass.getpass(f"{question} (what you type is not shown): ")


def _piped() -> str:
    return sys.stdin.readline() if sys.stdin is not None else ""  # pyright: ignore[reportUnnecessaryComparison]

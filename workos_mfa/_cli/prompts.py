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
    if sys.stdin.isatty():
        import getpass

        try:
            given = getpass.getpass(f"{question} (what you type is not shown): ")
        except EOFError:
            given = ""
    else:
        given = sys.stdin.readline()
    if not given.strip():
        raise UsageError(f"nothing was given. Type it when asked, or pipe it into standard input: {question}")
    return given.strip()


def ask_for_key() -> None:
    """If no key is in the environment, ask the person at the terminal for one, for this process.

    Without a terminal this does nothing, and making a client then says what is missing.
    """
    if not os.environ.get("WORKOS_API_KEY") and sys.stdin.isatty():
        os.environ["WORKOS_API_KEY"] = secret("The WorkOS API key; WORKOS_API_KEY is not set")


def confirm(question: str) -> bool:
    """Whether the person says yes.

    :raises UsageError: if there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask at: add --yes if it is so")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}

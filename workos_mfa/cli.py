"""The command ``workos-mfa``, also ``python -m workos_mfa``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workos_mfa._version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :param arguments: the words after the command's name; those of the process if left out.
    :returns: the exit status.
    """
    parser = argparse.ArgumentParser(
        prog="workos-mfa", description="The WorkOS Multi-Factor Auth API, to be tried out."
    )
    parser.add_argument("--version", action="version", version=f"workos-mfa {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="watch a whole MFA flow, on the embedded emulator",
        description="Run a whole MFA flow and tell what happens. It needs no account, no key and no network.",
    )
    demo.add_argument(
        "--live",
        action="store_true",
        help="run it on the real API with the key in WORKOS_API_KEY; it asks you for the codes",
    )
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 2
    from workos_mfa import demo as tour

    return tour.main(live=chosen.live)

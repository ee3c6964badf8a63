"""The command ``workos-mfa``, also ``python -m workos_mfa``: its arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from workos_mfa._core.redaction import Hidden
from workos_mfa._version import __version__
from workos_mfa.emulator._http.server import DEFAULT_API_KEY
from workos_mfa.emulator._settings import listed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :param arguments: the arguments after the command's name; those of the process if left out.
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
    where = demo.add_mutually_exclusive_group()
    where.add_argument(
        "--interactive",
        action="store_true",
        help="scan the QR code with the app on your phone, and type the code that it shows",
    )
    where.add_argument(
        "--live",
        action="store_true",
        help="run it on the real API with the key in WORKOS_API_KEY; it asks you for the codes",
    )
    _add_emulate(commands.add_parser)
    options = vars(parser.parse_args(arguments))
    command = options.pop("command")
    if command == "demo":
        from workos_mfa._cli import demo as tour

        return tour.main(**options)
    if command == "emulate":
        from workos_mfa._cli import emulate

        return emulate.main(emulate.ServeOptions(**options))
    parser.print_help()
    return 2


def _add_emulate(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    emulate = add_parser(
        "emulate",
        help="run the emulator, for any WorkOS SDK in any language",
        description="Serve the WorkOS MFA API over HTTP, until Ctrl-C. It needs no account and no network.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"settings, each with its default, and with what it takes:\n{listed()}",
    )
    emulate.add_argument("--host", default="127.0.0.1", help="the name or address to listen on (%(default)s)")
    emulate.add_argument("--port", type=int, default=4100, help="the port, or 0 for one that is free (%(default)s)")
    emulate.add_argument(
        "--api-key",
        type=Hidden,
        default=DEFAULT_API_KEY,
        metavar="KEY",
        help="the key that calls must have (%(default)s)",
    )
    emulate.add_argument("--seed", type=Path, metavar="FILE", help="JSON with factors and settings to begin with")
    emulate.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting, listed below; may be given several times, and goes before the seed's",
    )
    emulate.add_argument("--state", type=Path, metavar="FILE", help="remember everything in this file, made if missing")
    emulate.add_argument("--json", action="store_true", help="tell what happens in JSON, one object a line")
    emulate.add_argument(
        "--allow-remote",
        action="store_true",
        help="let others reach it, at any --host and under any name; needs an --api-key of your own",
    )

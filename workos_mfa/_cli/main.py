"""The command ``workos-mfa``, also ``python -m workos_mfa``: the table of its commands, and the way to one of them.

Only the module of the command that was asked for is imported, so that a quick one is quick.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from workos_mfa._cli import output
from workos_mfa._cli.arguments import ArgumentParser
from workos_mfa._version import __version__

_DESCRIPTION = "The WorkOS Multi-Factor Auth API: try it out, make its calls by hand, see what is wrong."
_EPILOG = f"workos-mfa COMMAND --help tells more about a command.\n\n{output.STATUSES}"

TRY_IT = "to try it, without an account"
BY_HAND = "by hand"
YOUR_ACCOUNT = "for your account"


class Command(NamedTuple):
    """A line of the table: the module of ``_cli`` that has the command, what it does, and where the help lists it."""

    module: str
    summary: str
    group: str


COMMANDS = {
    "demo": Command("demo", "watch a whole MFA flow, on the embedded emulator", TRY_IT),
    "emulate": Command("emulate", "run the emulator, for any WorkOS SDK in any language", TRY_IT),
    "enroll": Command("calls", "enroll a factor: an authenticator app or a phone", BY_HAND),
    "challenge": Command("calls", "challenge a factor; a phone then gets a text message", BY_HAND),
    "verify": Command("calls", "verify a challenge with a code", BY_HAND),
    "get": Command("calls", "show a factor", BY_HAND),
    "delete": Command("calls", "delete a factor, for good", BY_HAND),
    "users": Command("calls", "list or enroll the factors of a WorkOS user", BY_HAND),
    "code": Command("authenticator", "show the code that an app shows now, by its secret", BY_HAND),
    "qr": Command("authenticator", "draw the QR code of a secret in the terminal", BY_HAND),
    "doctor": Command("doctor", "find out what is wrong between here and the API", YOUR_ACCOUNT),
    "calibrate": Command("calibrate", "find out what your WorkOS does where nobody knows", YOUR_ACCOUNT),
    "import-totp": Command("import_totp", "bring people's TOTP secrets along from elsewhere", YOUR_ACCOUNT),
}


class _Module(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    :param arguments: the arguments after ``workos-mfa``; those of the process if left out.
    :returns: the exit status.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    name = given[0] if given else ""
    if name in COMMANDS:
        return output.ended(name, lambda: _run(name, given[1:]), as_json="--json" in given)
    return output.ended("", lambda: _without_a_command(given[:1]))


def _run(name: str, arguments: list[str]) -> int:
    return _module(name).run(command_parser(name).parsed(arguments))


def command_parser(name: str) -> ArgumentParser:
    """The parser of a command, whose name the options then have as ``command``."""
    parser = ArgumentParser(prog=f"workos-mfa {name}", formatter_class=output.HelpFormatter, allow_abbrev=False)
    parser.set_defaults(command=name)
    _module(name).add_arguments(parser)
    return parser


def _module(name: str) -> _Module:
    return cast("_Module", importlib.import_module(f"workos_mfa._cli.{COMMANDS[name].module}"))


def _without_a_command(given: list[str]) -> int:
    parser = ArgumentParser(
        prog="workos-mfa",
        usage="%(prog)s [--help] [--version] COMMAND ...",
        description=f"{_DESCRIPTION}\n\n{_list()}",
        epilog=_EPILOG,
        formatter_class=output.HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"workos-mfa {__version__}")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    wanted = cast("str | None", parser.parsed(given).command)
    if wanted is not None:
        import difflib

        near = difflib.get_close_matches(wanted, COMMANDS, n=1, cutoff=0.5)
        # What is like no command may be anything, a secret too.
        what = f"there is no command {wanted!r}. Did you mean {near[0]!r}?" if near else "there is no such command."
        parser.error(f"{what} workos-mfa --help lists them all")
    parser.print_help()
    return output.USAGE


def _list() -> str:
    """All commands, by group."""
    groups = dict.fromkeys(command.group for command in COMMANDS.values())
    width = max(map(len, COMMANDS))
    return "\n\n".join(
        "\n".join(
            [
                f"{group}:",
                *(f"  {name:{width}}  {each.summary}" for name, each in COMMANDS.items() if each.group == group),
            ]
        )
        for group in groups
    )

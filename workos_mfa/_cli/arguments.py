"""The parser of a command's arguments. What it says of a mistake never holds what was given: that may be a secret."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from workos_mfa._cli import output

# What a text of argparse says before it repeats what was given. Whatever comes behind that is left out too.
_BEFORE_THE_GIVEN = re.compile(
    r"unrecognized arguments|invalid \w+ value|ignored explicit argument|invalid choice|unknown parser"
)


class ArgumentParser(argparse.ArgumentParser):
    """A parser that names the place of a mistake, and not the value."""

    def parsed(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options in these arguments; a mistake ends the process."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            count = "an argument is" if len(unknown) == 1 else f"{len(unknown)} arguments are"
            self.error(f"{count} not known, or too many: see {self.prog} --help")
        return options

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end the process with status 2."""
        found = _BEFORE_THE_GIVEN.search(message)
        said = message[: found.end()] if found else message
        output.complain(f"{self.format_usage()}{self.prog}: error: {said}\n")
        raise SystemExit(output.USAGE)

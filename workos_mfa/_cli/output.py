"""What all commands share of their output: text or JSON, colours, help, errors and exit statuses."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from workos_mfa._core.errors import MFAError

DONE = 0
NOT_VALID = 1
USAGE = 2
REFUSED = 3
NOTHING_DONE = 4
OUTCOME_UNKNOWN = 5
OUTPUT_LOST = 74  # EX_IOERR of sysexits.h

STATUSES = """\
exit status:
  0  done, or valid
  1  not valid, or something is bad or different
  2  wrong usage or settings: nothing was sent
  3  refused by the API
  4  no response that can be used, and nothing was done
  5  no response that can be used: it may have been done
  74  what was to be shown could not be written; all else may have been done
  130, 141  stopped by Ctrl-C, or by a reader that left"""

# What a shell reports for the signals of Ctrl-C and of a closed pipe.
INTERRUPTED = 128 + 2
CLOSED_PIPE = 128 + 13

_HARD_SPACE = "\xa0"
_BESIDE = re.compile(r" +(?:\S+ {2,})?")


class UsageError(Exception):
    """Something that was given, or is missing, can't be used like this. Nothing was sent."""


class OutputLostError(Exception):
    """Standard output can't be written, such as on a disk that is full."""


class HelpFormatter(argparse.HelpFormatter):
    """Help in the width of the terminal. Each line of a description or an epilog is a paragraph or an example."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{part}" for line in text.splitlines() for part in _filled(line, width - len(indent)))


def _filled(line: str, width: int) -> list[str]:
    """A line in a width. An example that is broken can be pasted, and what stands beside a name stays there."""
    import textwrap

    if line.startswith(" ") and line.lstrip().startswith("workos-mfa ") and len(line) > width:
        return _broken_example(line, width)
    return textwrap.wrap(line, width, subsequent_indent=" " * _begin(line)) or [""]


def _broken_example(line: str, width: int) -> list[str]:
    import textwrap

    command, _, comment = line.partition("  # ")
    before = textwrap.wrap(comment, width, initial_indent="  # ", subsequent_indent="  # ")
    # What is quoted stays on its line.
    quoted = re.sub(r"'[^']*'", lambda found: found[0].replace(" ", _HARD_SPACE), command.rstrip())
    parts = textwrap.wrap(quoted, width - 2, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [*before, *" \\\n".join(parts).replace(_HARD_SPACE, " ").split("\n")]


def _begin(line: str) -> int:
    found = _BESIDE.match(line)
    return found.end() if found else 0


def ended(command: str, run: Callable[[], int], *, as_json: bool = False) -> int:
    """Run a command, and make of whatever ends it one line on standard error and an exit status.

    :param command: its name, which begins that line.
    :param as_json: whether an error of the API or of the way there is an object of JSON instead.
    """
    _open_missing_streams()
    try:
        try:
            return run()
        finally:
            write("")
    except BrokenPipeError:
        _discard(sys.stdout)
        return CLOSED_PIPE
    except OutputLostError as error:
        _discard(sys.stdout)
        tell(command, f"the output could not be written: {error}")
        return OUTPUT_LOST
    except KeyboardInterrupt:
        tell(command, "stopped")
        return INTERRUPTED
    except UsageError as error:
        tell(command, str(error))
        return USAGE
    except Exception as error:
        # Not at the top: it takes longer to load than a quick command takes.
        from workos_mfa._core.errors import MFAError

        if not isinstance(error, MFAError):
            raise
        if as_json:
            _tell_as_json(error)
        else:
            tell(command, f"{type(error).__name__}: {error}")
        return status_of(error)


def status_of(error: MFAError) -> int:
    """The exit status that says what an error means for whoever called."""
    from workos_mfa._core.errors import (
        APIError,
        ConfigurationError,
        FactorMismatchError,
        InvalidInputError,
        ServerError,
    )

    if isinstance(error, FactorMismatchError):
        return NOT_VALID
    if isinstance(error, ConfigurationError | InvalidInputError):
        return USAGE
    if error.outcome_unknown:
        return OUTCOME_UNKNOWN
    return REFUSED if isinstance(error, APIError) and not isinstance(error, ServerError) else NOTHING_DONE


def _tell_as_json(error: MFAError) -> None:
    import json

    known = {name: getattr(error, name, None) for name in ("status_code", "code", "request_id")}
    told = {
        "error": type(error).__name__,
        "message": str(error),
        **{name: value for name, value in known.items() if value is not None},
        "outcome_unknown": error.outcome_unknown,
        "needs_new_challenge": error.needs_new_challenge,
    }
    complain(json.dumps(told) + "\n")


def tell(command: str, text: str) -> None:
    """Say something on standard error, after the command's name."""
    name = f"workos-mfa {command}".rstrip()
    complain(f"{name}: {visible(text)}\n")


def complain(text: str) -> None:
    """Write on standard error. If it takes nothing, there is nobody to tell that."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def write(text: str, out: TextIO | None = None) -> None:
    """Write on standard output, or where ``out`` leads; and all that was written before.

    :raises BrokenPipeError: if nobody reads it.
    :raises OutputLostError: if it can't be written.
    """
    stream = out or sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputLostError(error.strerror or type(error).__name__) from None


def _open_missing_streams() -> None:
    """Python has None for a stream that was closed before it began; what goes there goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # It stays open until the process ends.
            number = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))


def _discard(stream: TextIO) -> None:
    """Python writes what is left in its buffer at exit, and that would fail once more."""
    number = os.open(os.devnull, os.O_WRONLY)
    os.dup2(number, stream.fileno())
    os.close(number)


def print_json(value: Mapping[str, object]) -> None:
    """Print an object as JSON, for people and programs."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False)
    # What moves the cursor is escaped, and so are letters that the output can't hold.
    if not is_unicode(sys.stdout) or visible(text) != text.replace("\n", " "):
        text = json.dumps(value, indent=2)
    write(f"{text}\n")


def print_lines(*lines: str) -> None:
    """Print lines as they are; what the terminal's encoding does not have is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    write("".join(line.encode(encoding, "backslashreplace").decode(encoding) + "\n" for line in lines))


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, one to a line, the values below each other; a name in a name has a dot.

    A value that is too long has a line of its own, so that it can be copied.
    """
    flat = dict(_flattened(fields))
    across = max(map(len, flat), default=0)
    for name, value in flat.items():
        shown = visible(str(value))
        if across + 2 + len(shown) <= width():
            print_lines(f"{painted(f'{name:{across}}', DIM)}  {shown}")
        else:
            print_lines(painted(name, DIM), f"  {shown}")


def visible(text: str) -> str:
    """A text that a server sent, without what moves the cursor."""
    return "".join(character if character.isprintable() else " " for character in text)


def _flattened(fields: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flattened(cast("Mapping[str, object]", value), f"{before}{name}.")
        else:
            yield f"{before}{name}", value


BOLD = "1"
DIM = "2"
RED = "31"
GREEN = "32"
CYAN = "36"


def painted(text: str, style: str, out: TextIO | None = None) -> str:
    """A text in a style, if it goes to a terminal and NO_COLOR is not set."""
    return f"\x1b[{style}m{text}\x1b[0m" if has_colours(out or sys.stdout) else text


def has_colours(out: TextIO) -> bool:
    """Whether colours may be used."""
    return out.isatty() and "NO_COLOR" not in os.environ


def width() -> int:
    """How many columns the terminal has, or 80 where there is none."""
    import shutil

    return shutil.get_terminal_size().columns


def is_unicode(out: TextIO) -> bool:
    """Whether a stream takes every character."""
    return (out.encoding or "").lower().startswith("utf")

"""``docs/command-line.md``, made from the parsers of the commands: ``python -m tests.cli.command_page`` writes it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from workos_mfa._cli import output
from workos_mfa._cli.main import COMMANDS, command_parser

PAGE = Path(__file__).parent.parent.parent / "docs" / "command-line.md"

_TEXT = """\
# The command line

`workos-mfa` comes with the package; `python -m workos_mfa` is the same. This page is made from the commands' own help,
and a test fails if they differ.

{table}

**The key** is taken from `WORKOS_API_KEY`, never from an argument, since `ps` shows those; the calls by hand ask for it
at a terminal if it is not set. Secrets and codes come from standard input, or from a prompt that does not show what is
typed.
`WORKOS_BASE_URL` and the other variables mean what they mean to the client.

**Secrets are hidden** (TOTP secrets, URIs, QR codes, phone numbers) unless `--show-secrets` is there. `--json` prints
the API's own field names, and an error as an object on standard error. Colours are for a terminal, and `NO_COLOR` turns
them off.

| exit status | |
| --- | --- |
{statuses}

{commands}
"""


def page() -> str:
    """The whole page."""
    return _TEXT.format(
        table="\n".join(_table()),
        statuses="\n".join(_statuses()),
        commands="\n\n".join(_section(name, parser) for name, parser in parsers().items()),
    )


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, and of each command below one."""
    found: dict[str, argparse.ArgumentParser] = {}
    for name in COMMANDS:
        found[name] = command_parser(name)
        found.update({f"{name} {below}": parser for below, (parser, _) in _below(found[name]).items()})
    return found


def _below(parser: argparse.ArgumentParser) -> dict[str, tuple[argparse.ArgumentParser, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            return {name: (below, helps[name]) for name, below in action.choices.items()}
    return {}


def _table() -> Iterator[str]:
    yield "| | |\n| --- | --- |"
    group = ""
    for name, command in COMMANDS.items():
        if command.group != group:
            group = command.group
            yield f"| **{group}** | |"
        yield f"| [`{name}`](#workos-mfa-{name}) | {command.summary} |"


def _statuses() -> Iterator[str]:
    for line in output.STATUSES.splitlines()[1:]:
        status, _, meaning = line.strip().partition("  ")
        yield f"| {status} | {meaning.strip()} |"


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    parts = [f"{'##' if ' ' not in name else '###'} workos-mfa {name}", (parser.description or "").strip()]
    parts.append("\n".join(["| | |", "| --- | --- |", *_rows(parser)]))
    epilog = (parser.epilog or "").replace(output.STATUSES, "").strip()
    if epilog:
        parts.append(f"```text\n{epilog}\n```")
    return "\n\n".join(filter(None, parts))


def _rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from (f"| `{below}` | {_cell(text)} |" for below, (_, text) in _below(parser).items())
        elif action.dest != "help":
            text = parser._get_formatter()._expand_help(action) if action.help else ""
            yield f"| `{_named(action)}` | {_cell(text)} |"


def _named(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return value
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices else value
    return action.option_strings[0] if action.nargs == 0 else f"{action.option_strings[0]} {choices}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

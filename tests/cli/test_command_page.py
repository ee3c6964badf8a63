"""The page of the docs about the command line."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.cli import command_page


def test_the_page_is_up_to_date() -> None:
    """It says what the commands' own help says; ``python -m tests.cli.command_page`` writes it."""
    assert command_page.PAGE.read_text("utf-8") == command_page.page()


def test_the_page_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that writes it changes nothing if nothing has changed."""
    written: dict[str, str] = {}

    def write(path: Path, text: str, _: str) -> None:
        written[path.name] = text

    monkeypatch.setattr(Path, "write_text", write)
    runpy.run_path(command_page.__file__, run_name="__main__")
    assert written == {"command-line.md": command_page.page()}

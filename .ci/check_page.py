"""Check that the code of a page has types, as a program of those who paste it: ``mypy --strict`` on its blocks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.documents import read_page


def program(page: Path) -> str:
    """All Python blocks of a page, those that can't be run too, on the lines where they stand in it."""
    lines: list[str] = []
    for block in read_page(page, page.parent):
        lines += [""] * (block.line - 1 - len(lines))
        lines += block.text.splitlines()
    if not lines:
        raise SystemExit(f"{page} has no python block")
    return "\n".join(lines)


if __name__ == "__main__":
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "-c", program(Path(sys.argv[1]))]
    raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603 - the page's text is data to mypy

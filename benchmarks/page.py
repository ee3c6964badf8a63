"""Puts results into the page of the docs, between two marks; what a person wrote around them stays."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


class NoPlaceError(ValueError):
    """The page has no such marks."""


def put(page: Path, name: str, text: str) -> None:
    """Put the text between ``<!-- name: begin -->`` and ``<!-- name: end -->``."""
    begin, end = (f"<!-- {name}: {side} -->" for side in ("begin", "end"))
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise NoPlaceError(f"{page} has no place for {name}: it needs the lines {begin} and {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")

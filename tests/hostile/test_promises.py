"""``SECURITY.md`` names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")


def test_each_promise_has_its_tests() -> None:
    """Each row of a table names files, and each of them exists and has tests."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| promise"))]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row.split("|")[-2])
        assert named, row
        for path in named:
            assert "def test_" in (ROOT / path).read_text("utf-8"), path


def test_each_link_leads_somewhere() -> None:
    """A page that is linked to is there."""
    links = re.findall(r"\]\(([\w/.]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []

"""A test whose program or package is missing is skipped, and in CI it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.http import tools


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_is_missing_fails_in_ci_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    """A missing program, package or SDK fails in CI; on a desk it skips, and says how to get it."""
    monkeypatch.setenv("CI", ci)
    lookups: list[Callable[[], object]] = [
        lambda: tools.program("no-such-program", "run: apt-get install it"),
        lambda: tools.package("no_such_package", "run: pip install it"),
        lambda: tools.node_folder(tools.ROOT / "no-such-folder"),
    ]
    for lookup in lookups:
        with pytest.raises(outcome, match=r"is missing; run: "):
            lookup()


def test_what_is_there_is_found(tmp_path: Path) -> None:
    """What is there is used."""
    assert tools.program("python3", "")
    assert tools.package("json", "").__name__ == "json"
    (tmp_path / "node_modules" / "@workos-inc" / "node").mkdir(parents=True)
    assert tools.node_folder(tmp_path) == tmp_path

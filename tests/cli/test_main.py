"""``python -m workos_mfa`` is the command."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import workos_mfa


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with the command's status; and whoever only imports it, runs nothing."""
    monkeypatch.setattr(sys, "argv", ["workos-mfa"])
    path = str(Path(workos_mfa.__file__).with_name("__main__.py"))
    runpy.run_path(path, run_name="looked_at")
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(path, run_name="__main__")
    assert caught.value.code == 2
    assert "demo" in capsys.readouterr().out

"""An emulator for each test, and somebody who calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.caller import NOW, Caller
from workos_mfa.emulator import Emulator


@pytest.fixture
def caller() -> Caller:
    """A caller of an emulator whose clock stands still."""
    return Caller(Emulator(now=NOW))


@pytest.fixture
def caller_with() -> Callable[..., Caller]:
    """Make a caller of an emulator with some settings."""

    def make(**settings: Any) -> Caller:
        return Caller(Emulator(now=NOW, **settings))

    return make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state file is, or will be."""
    return tmp_path / "state.db"

"""The package as it is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import workos_mfa


def test_every_public_name_is_there() -> None:
    """What ``__all__`` promises can be had, the names that come later included."""
    missing = [name for name in workos_mfa.__all__ if not hasattr(workos_mfa, name)]
    assert missing == []
    assert set(workos_mfa.__all__) <= set(dir(workos_mfa))


@pytest.mark.parametrize("name", sorted({*workos_mfa.__all__} - {"__version__", "Emulator", "MAX_BODY"}))
def test_a_class_says_that_it_is_of_the_package(name: str) -> None:
    """A repr of a class, a traceback and a pickle say where users import it from."""
    assert getattr(workos_mfa, name).__module__ == "workos_mfa"


def test_another_name_is_an_attribute_error() -> None:
    """As in every module."""
    with pytest.raises(AttributeError, match=r"^module 'workos_mfa' has no attribute 'Nonsense'$"):
        vars(workos_mfa)["__getattr__"]("Nonsense")


def test_importing_it_loads_nothing_heavy() -> None:
    """A program that never makes a client pays for none."""
    run = subprocess.run(
        [sys.executable, "-c", "import sys, workos_mfa, workos_mfa.testing; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(run.stdout.split())
    assert "workos_mfa" in loaded
    assert not loaded & {"requests", "urllib3", "segno", "werkzeug", "sqlite3", "workos_mfa.emulator"}

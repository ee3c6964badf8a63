"""What is loaded when: the list that holds the cost of a start, which the benchmarks measure."""

from __future__ import annotations

import sys

from tests.test_packaging import loaded_by

OURS_AT_IMPORT = {"workos_mfa", "workos_mfa._version"}
OURS_WITH_A_CLIENT = {
    *OURS_AT_IMPORT,
    *(f"workos_mfa.{room}" for room in ("_client", "_core", "_transports")),
    *(f"workos_mfa._core.{name}" for name in ("errors", "models", "redaction", "transport", "validation")),
    *(f"workos_mfa._client.{name}" for name in ("mfa", "operations", "outcomes", "parsing")),
    *(f"workos_mfa._transports.{name}" for name in ("config", "deadline", "http", "requests", "response", "retry")),
}
OURS_WITH_THE_LEAN_ONE = OURS_WITH_A_CLIENT - {"workos_mfa._transports.requests"} | {"workos_mfa._transports.urllib3"}

# What each of these costs is worth more than a millisecond, and no import of names needs it.
HEAVY_AT_IMPORT = {"asyncio", "concurrent", "email", "http", "importlib.metadata", "logging", "random", "socket", "ssl"}
HEAVY_ALWAYS = {"asyncio", "concurrent", "sqlite3", "unittest", "xml"}

LEAN_CLIENT = "w.MFA(transport=w.RetryingTransport(w.Urllib3Transport('sk_test_start')))"


def test_the_import() -> None:
    """Importing the package loads none of its names, of Python's modules what they are loaded with, and no other."""
    loaded = loaded_by("import workos_mfa")
    assert ours(loaded) == OURS_AT_IMPORT
    assert loaded - OURS_AT_IMPORT <= {
        "__future__",
        "importlib",
        "importlib._bootstrap",
        "importlib._bootstrap_external",
        "warnings",
    }


def test_the_plugin() -> None:
    """Every run of pytest on a machine that has the package loads the plugin: pytest has loaded all else it needs."""
    loaded = loaded_by("import workos_mfa.testing.plugin", after="import pytest")
    assert loaded == {*OURS_AT_IMPORT, "workos_mfa.testing", "workos_mfa.testing.plugin"}


def test_the_names_alone() -> None:
    """A name loads what defines it, attrs, no transport, and none of Python's modules for networks."""
    loaded = loaded_by("from workos_mfa import MFA, MFAError, Factor, Request")
    assert ours(loaded) < OURS_WITH_A_CLIENT
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {"attr", "attrs", "workos_mfa"}
    assert {name for name in loaded if "_transports." in name} == {"workos_mfa._transports.config"}
    assert loaded.isdisjoint(HEAVY_AT_IMPORT | HEAVY_ALWAYS)


def test_the_first_client() -> None:
    """The first client loads its transport and requests, and nothing of the emulator, the command or the plugin."""
    loaded = loaded_by("import workos_mfa as w; w.MFA('sk_test_start')")
    assert ours(loaded) == OURS_WITH_A_CLIENT
    assert "requests" in loaded
    assert loaded.isdisjoint(HEAVY_ALWAYS)


def test_the_first_lean_client() -> None:
    """On urllib3 alone, requests is never loaded."""
    loaded = loaded_by(f"import workos_mfa as w; {LEAN_CLIENT}")
    assert ours(loaded) == OURS_WITH_THE_LEAN_ONE
    assert "urllib3" in loaded
    assert loaded.isdisjoint({"requests", *HEAVY_ALWAYS})


def ours(loaded: set[str]) -> set[str]:
    """Those of this package."""
    return {name for name in loaded if name.partition(".")[0] == "workos_mfa"}

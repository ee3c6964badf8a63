"""What is loaded when: the list that holds the cost of a start, which the benchmarks measure."""

from __future__ import annotations

from tests.test_packaging import loaded_by

OURS_AT_IMPORT = {
    "workos_mfa",
    *(
        f"workos_mfa.{name}"
        for name in (
            "_version",
            "answers",
            "calls",
            "checks",
            "configuration",
            "errors",
            "mfa",
            "models",
            "secrecy",
            "transport",
            "wire",
        )
    ),
}
OURS_WITH_A_CLIENT = {
    *OURS_AT_IMPORT,
    *(
        f"workos_mfa.{name}"
        for name in (
            "connections",
            "environment",
            "failures",
            "http_transport",
            "requests_transport",
            "retrying",
            "timed_answers",
        )
    ),
}
OURS_WITH_THE_LEAN_ONE = OURS_WITH_A_CLIENT - {"workos_mfa.requests_transport"} | {"workos_mfa.urllib3_transport"}

# What each of these costs is worth more than a millisecond, and no import of names needs it.
HEAVY_AT_IMPORT = {"asyncio", "concurrent", "email", "http", "importlib.metadata", "logging", "random", "socket", "ssl"}
HEAVY_ALWAYS = {"asyncio", "concurrent", "sqlite3", "unittest", "xml"}

LEAN_CLIENT = "w.MFA(transport=w.RetryingTransport(w.Urllib3Transport('sk_test_start')))"


def test_the_import() -> None:
    """Importing the package loads what defines its names, and none of Python's modules for networks."""
    loaded = loaded_by("import workos_mfa")
    assert ours(loaded) == OURS_AT_IMPORT
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

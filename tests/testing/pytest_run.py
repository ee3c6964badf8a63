"""A test file of somebody else's, run as they would run it."""

from __future__ import annotations

import importlib
import textwrap

import pytest

import workos_mfa
from workos_mfa import testing

# All of it, here, once: what a run in this process loads is unloaded after it, and the names would be of other classes.
importlib.import_module("workos_mfa.emulator._http.listener")
for package in (workos_mfa, testing):
    for name in package.__all__:
        getattr(package, name)

# In this process the package is loaded already, which pytest may warn of: it can't rewrite its asserts any more.
_ALREADY_LOADED = "ignore::pytest.PytestAssertRewriteWarning"
_OURS_ALONE = ("-p", "workos_mfa", "-W", "error", "-W", _ALREADY_LOADED, "--strict-markers")


def run(pytester: pytest.Pytester, source: str, *options: str, apart: bool = False) -> pytest.RunResult:
    """Run a file of tests with our plugin and with warnings as errors, in this process or apart from it."""
    (pytester.path / "test_app.py").write_text(textwrap.dedent(source), "utf-8")
    start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        return start(*_OURS_ALONE, *options)


def said(result: pytest.RunResult) -> str:
    """Everything that a run printed."""
    return f"{result.stdout}\n{result.stderr}"

"""Run the tests against mutants of the modules where a small mistake would cost most.

    python -m tests.mutation.run                  all of them
    python -m tests.mutation.run retry errors     the mutants of these

Nothing is written to the tree: pytest, loaded once, is forked for each mutant, and the fork imports the mutated
module in place of the real one. A mutant that no test notices must be argued away in ``docs/mutation.md``; if one is
not, the status is 1. A run takes some minutes.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType

import attrs
import hypothesis
import pytest

from tests.mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "mutation.md"
# pytest warns of what was loaded before the fork, which is the point of it.
OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")

# These tests need no plugin, and to load all that are installed would take as long as the tests.
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

LONGEST = 60.0
"""Seconds after which a mutant is taken to have made a test wait for ever, and so to have been noticed."""


@attrs.frozen
class Target:
    """The files of tests that must notice what is changed in a module.

    :param begin: the function or class from which on the module is changed; None for all of it.
    :param end: the one before which that ends; None for the end of the module.
    :param others: what is changed besides: names of the module, or ``Class.name``.
    """

    tests: tuple[str, ...]
    begin: str | None = None
    end: str | None = None
    others: tuple[str, ...] = ()


TARGETS = {
    "workos_mfa._core.errors": Target(("tests/core/test_errors.py", "tests/client/test_outcomes.py")),
    "workos_mfa._core.validation": Target(
        ("tests/core/test_validation.py", "tests/client/test_operations.py", "tests/client/test_mfa.py")
    ),
    "workos_mfa._core.one_time_codes": Target(("tests/emulator/test_totp.py",)),
    "workos_mfa._client.outcomes": Target(("tests/client/test_outcomes.py", "tests/client/test_mfa.py")),
    "workos_mfa._client.parsing": Target(("tests/client/test_parsing.py", "tests/client/test_outcomes.py")),
    "workos_mfa._transports.retry": Target(("tests/transports/test_retry.py",)),
    "workos_mfa._transports.http": Target(("tests/transports/test_failures.py",), "transport_error"),
    "workos_mfa._transports.deadline": Target(
        ("tests/transports/test_deadline.py", "tests/transports/test_idle.py", "tests/transports/test_proxies.py"),
        "_IdleConnections",
        "DeadlinePool",
        (
            "_LEAST_TIME",
            "_LOOK_EVERY",
            *(f"DeadlineConnection.{name}" for name in ("connect", "_new_conn", "_addresses", "_left")),
            *(f"DeadlinePool.{name}" for name in ("_next_look", "_get_conn", "_put_conn", "_close_dead", "_is_spent")),
        ),
    ),
    "workos_mfa._transports.response": Target(
        ("tests/transports/test_deadline.py", "tests/transports/test_leftovers.py"),
        "StrictResponse",
        "DeadlineResponse",
        ("_DeadlineReader", "DeadlineResponse.begin"),
    ),
    "workos_mfa.emulator._domain.totp": Target(("tests/emulator/test_totp.py",)),
}
SOURCES = {module: (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8") for module in TARGETS}


class Mutated(importlib.machinery.SourceFileLoader):
    """Loads a mutant where the module is asked for."""

    tree: ast.Module

    def get_code(self, fullname: str) -> CodeType | None:
        """The mutant's code."""
        return compile(self.tree, self.get_filename(fullname), "exec", dont_inherit=True)


@attrs.frozen
class Finder(importlib.abc.MetaPathFinder):
    """Finds the mutant."""

    module: str
    tree: ast.Module

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's place, with the mutant for what is in it."""
        if fullname != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)
        loader = Mutated(fullname, spec.loader.path)
        loader.tree = self.tree
        spec.loader = loader
        return spec


def start(module: str, tree: ast.Module) -> int:
    """Start the tests against a mutant in a fork; gives its process id."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        os.setsid()
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        sys.meta_path.insert(0, Finder(module, tree))
        importlib.import_module(module)  # before pytest puts a finder of its own before ours
        status = pytest.main([*OPTIONS, *TARGETS[module].tests])
    finally:
        os._exit(status)


def outcomes(module: str, mutants: list[Mutant], workers: int) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether a test noticed it."""
    waiting, running = list(reversed(mutants)), dict[int, tuple[Mutant, float]]()
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            running[start(module, mutant.tree)] = (mutant, time.monotonic() + LONGEST)
        for child, (mutant, ends) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended and time.monotonic() > ends:
                os.killpg(child, signal.SIGKILL)
                ended, status = os.waitpid(child, 0)
            if ended:
                del running[child]
                yield mutant, status != 0
        time.sleep(0.01)


def named(module: str, mutant: Mutant) -> str:
    """The mutant as the page names it: by text, since line numbers move."""
    line = SOURCES[module].splitlines()[mutant.line - 1].strip().replace("|", r"\|")
    return f"| `{module.removeprefix('workos_mfa.')}` | `{line}` | {mutant.change} |"


def main(wanted: list[str]) -> int:
    """Run them; the status is 1 if a mutant is left that is neither noticed nor argued away."""
    importlib.import_module("requests")  # once, and not in each fork
    hypothesis.settings.register_profile("mutation", max_examples=40, derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutation")
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    left = 0
    for module, target in TARGETS.items():
        if wanted and module.rpartition(".")[2] not in wanted:
            continue
        controls = [Mutant(0, "unchanged", ast.parse(SOURCES[module])), Mutant(0, "empty", ast.Module([], []))]
        noticed_controls = {mutant.change for mutant, noticed in outcomes(module, controls, 2) if noticed}
        assert noticed_controls == {"empty"}, f"{module}: of an unchanged and an empty one, {noticed_controls} fail"
        mutants = list(mutants_of(SOURCES[module], target.begin, target.end, target.others))
        began, survived, argued = time.monotonic(), 0, 0
        for mutant, noticed in outcomes(module, mutants, int(os.environ.get("WORKERS", "2"))):
            if noticed:
                continue
            survived += 1
            is_argued = named(module, mutant) in page
            argued += is_argued
            if not is_argued:
                print(f"SURVIVED line {mutant.line}: {named(module, mutant)}", flush=True)  # noqa: T201 - a script
        left += survived - argued
        took = time.monotonic() - began
        figures = f"{len(mutants)} mutants, {len(mutants) - survived} noticed, {argued} argued away"
        print(f"{module}: {figures}, {survived - argued} left, in {took:.0f} s", flush=True)  # noqa: T201
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the examples of a Markdown page as a reader would who pastes one after the other.

A page's ``python`` and ``pycon`` blocks run in order in one module, with no network and none of our settings in the
environment. An example that needs an API is written against the emulator, which a reader can run too. A block that
defines tests becomes a test file, with the blocks above it; one run of pytest takes all of a page's test files. A block
that can't run has a comment with the reason right above it: ``<!-- not run: it waits for a person -->``.
"""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import attrs
import pytest

_FENCE = re.compile(r"( *)(`{3,}|~{3,})\s*([\w+-]*)")
_NOT_RUN = re.compile(r" *<!-- not run: *(.*?) *-->")
_DEFINES_TESTS = re.compile(r"^(async )?def test_|^class Test", re.MULTILINE)
_MISSPELT = {"py": "python", "python3": "python", "py3": "python", "pytb": "pycon", "doctest": "pycon"}
_DOCTEST = doctest.ELLIPSIS | doctest.FAIL_FAST


class DocumentError(Exception):
    """An example that is wrong, or that nothing would run."""


@attrs.frozen
class Block:
    """One fenced block.

    :param line: the line of the page on which its text begins.
    :param not_run: why it is not run; None if it is.
    """

    page: str
    line: int
    language: str
    text: str
    not_run: str | None = None

    @property
    def place(self) -> str:
        """Where to find it."""
        return f"{self.page}:{self.line}"

    @property
    def in_place(self) -> str:
        """Its text on the line where it stands in the page, so that a traceback leads there."""
        return "\n" * (self.line - 1) + self.text


def read_blocks(page: str, markdown: str) -> list[Block]:
    """The Python blocks of a page.

    :raises DocumentError: if one of them would be passed over by mistake, or isn't Python.
    """
    found: list[Block] = []
    why: str | None = None
    lines = iter(enumerate(markdown.splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        block = _read_block(page, number, fence, lines) if fence else None
        if block is not None and block.language in {"python", "pycon"}:
            found.append(_checked(attrs.evolve(block, not_run=why)))
        elif why is not None:
            raise DocumentError(f"{page}:{number}: a 'not run' comment stands right above a python block, or nowhere")
        marked = None if fence else _NOT_RUN.fullmatch(line)
        why = marked[1] if marked else None
    return found


def _read_block(page: str, number: int, fence: re.Match[str], lines: Iterator[tuple[int, str]]) -> Block:
    indent, ticks, language = fence.groups()
    if language.lower() in _MISSPELT:
        raise DocumentError(f"{page}:{number}: write {_MISSPELT[language.lower()]}, or the block is not run")
    text: list[str] = []
    for _, line in lines:
        if line.strip() == ticks:
            return Block(page, number + 1, language, "".join(f"{each.removeprefix(indent)}\n" for each in text))
        text.append(line)
    raise DocumentError(f"{page}:{number}: the block has no end")


def _checked(block: Block) -> Block:
    if block.not_run == "":
        raise DocumentError(f"{block.place}: say why it is not run")
    if block.language == "python":
        compile(block.in_place, block.page, "exec", dont_inherit=True)
    elif not doctest.DocTestParser().get_examples(block.text):
        raise DocumentError(f"{block.place}: a pycon block has lines that begin with >>>")
    return block


def run_page(blocks: list[Block], monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Run a page's blocks in order, but for those that say they aren't run.

    :param folder: an empty one, in which they run.
    :raises DocumentError: if an example doesn't give what it says, its tests fail, or it wants the network.
    """
    asked_for = _without_settings_and_network(monkeypatch)
    monkeypatch.chdir(folder)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    above: list[Block] = []
    with_tests: list[list[Block]] = []
    for block in blocks:
        if block.not_run is not None:
            continue
        if block.language == "pycon":
            _run_session(block, module)
        elif _DEFINES_TESTS.search(block.text):
            with_tests.append([*above, block])
        else:
            exec(compile(block.in_place, block.page, "exec", dont_inherit=True), vars(module))  # noqa: S102
            above.append(block)
        if asked_for:
            raise DocumentError(f"{block.place}: it talks to {asked_for[0]}; the emulator answers without a network")
    if with_tests:
        _run_tests(with_tests, folder)


def _without_settings_and_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take away our settings and every name but loopback's; gives the list of what is asked for all the same."""
    asked_for: list[str] = []

    def resolve(host: object, *args: object, **kwargs: object) -> object:
        if host in {"localhost", "127.0.0.1", "::1", None}:
            return _resolve(host, *args, **kwargs)
        asked_for.append(str(host))
        raise OSError("a page's examples have no network")

    _resolve = vars(sys.modules["socket"])["getaddrinfo"]
    monkeypatch.setattr("socket.getaddrinfo", resolve)
    for name in ("API_KEY", "BASE_URL", "REQUEST_TIMEOUT", "ALLOW_HTTP"):
        monkeypatch.delenv(f"WORKOS_{name}", raising=False)
    return asked_for


def _run_session(block: Block, module: ModuleType) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, vars(module), block.place, block.page, block.line - 1)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=_DOCTEST).run(test, out=said.append, clear_globs=False)
    if said:
        raise DocumentError("".join(said))
    vars(module).update(test.globs)


def _run_tests(programs: list[list[Block]], folder: Path) -> None:
    for blocks in programs:
        path = folder / f"test_line_{blocks[-1].line}.py"
        path.write_text("\n".join(block.text for block in blocks), "utf-8")
    # In a process of its own, as readers run it: a pytest inside this one finds the package loaded already, and unloads
    # a part of it at its end. One process for the whole page, since its start takes longer than the tests, and without
    # the plugin that no page uses and whose start takes longest.
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-W", "error", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)  # noqa: S603
    if done.returncode != pytest.ExitCode.OK:
        raise DocumentError(f"{programs[0][-1].page}: its tests do not pass\n{done.stdout}")


def read_page(path: Path, root: Path) -> list[Block]:
    """The Python blocks of a file."""
    return read_blocks(path.relative_to(root).as_posix(), path.read_text("utf-8"))

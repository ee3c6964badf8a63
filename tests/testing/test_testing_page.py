"""The page about testing, followed to the letter by somebody whose project is empty."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import Block, read_page
from tests.testing.pytest_run import said

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    """The examples of the page."""
    return read_page(ROOT / "docs" / "testing.md", ROOT)


def only(blocks: list[Block], words: str) -> str:
    """The text of the one example with these words in it."""
    (block,) = [block for block in blocks if words in block.text]
    return block.text


def test_the_first_test_passes_on_the_first_try(pytester: pytest.Pytester, blocks: list[Block]) -> None:
    """A newcomer's file with the first example in it, and nothing else, passes."""
    (pytester.path / "test_mfa.py").write_text(blocks[0].text, "utf-8")
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_unittest_passes(tmp_path: Path, blocks: list[Block]) -> None:
    """The TestCase passes under unittest itself."""
    app, helper = only(blocks, "def create_app"), only(blocks, "def ask_for_code")
    source = "\n".join([app, helper, only(blocks, "(unittest.TestCase)")])
    (tmp_path / "test_app.py").write_text(source, "utf-8")
    command = [sys.executable, "-W", "error", "-m", "unittest", "test_app"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
    assert done.stderr.startswith(".\n"), done.stderr


def test_one_environment_for_a_whole_run(pytester: pytest.Pytester, blocks: list[Block]) -> None:
    """With the page's ``conftest.py`` an app may make its client when it is imported, and tests don't meet."""
    (pytester.path / "conftest.py").write_text(only(blocks, "def pytest_unconfigure"), "utf-8")
    (pytester.path / "app.py").write_text("from workos_mfa import MFA\nmfa = MFA()\n", "utf-8")
    (pytester.path / "test_app.py").write_text(
        "import app, pytest\n"
        "@pytest.mark.parametrize('time', [1, 2])\n"
        "def test_it(time, emulator):\n"
        "    app.mfa.enroll_factor(type='generic_otp')\n"
        "    assert len(emulator.calls) == 1\n"
        "def test_unused(emulator):\n"
        "    emulator.faults.lose_response()\n",
        "utf-8",
    )
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=1)
    assert "lose_response" in said(result)

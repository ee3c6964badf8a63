"""What pytest prints when a user's own test compares two of our objects and they differ."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SENTINELS = ("SENTINEL2A", "SENTINEL2B")

COMPARISONS = """
import attrs
import pytest
from workos_mfa import Page, Request, Response, UserEnrollment
from workos_mfa.testing import make_challenge, make_totp_factor, make_verification

# Put together here, so that pytest's listing of the source does not show them.
A, B = ("SENTINEL" + "2" + letter for letter in "AB")

def verify(code):
    return Request("verify_challenge", "POST", "/auth", "/auth", json={"code": code})

def enrollment(secret):
    return UserEnrollment(factor=make_totp_factor(secret=secret), challenge=make_challenge(code=secret))

MAKERS = {
    "factor": lambda value: make_totp_factor(secret=value),
    "totp": lambda value: make_totp_factor(secret=value).totp,
    "challenge": lambda value: make_challenge(code=value),
    "verification": lambda value: make_verification(challenge=make_challenge(code=value)),
    "enrollment": enrollment,
    "page": lambda value: Page(items=(make_totp_factor(secret=value),)),
    "request": verify,
    "response": lambda value: Response(200, {"x": value}, value.encode()),
    "list": lambda value: [make_totp_factor(secret=value), verify(value)],
    "dict": lambda value: {"challenge": make_challenge(code=value)},
}

@pytest.mark.parametrize("name", MAKERS)
def test_equal(name):
    left, right = MAKERS[name](A), MAKERS[name](B)
    assert left == right

@pytest.mark.parametrize("name", MAKERS)
def test_other_kinds(name):
    left = MAKERS[name](A)
    assert left is None
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run in which every comparison fails, as long as a build server shows it."""
    folder: Path = tmp_path_factory.mktemp("comparisons")
    (folder / "test_comparisons.py").write_text(COMPARISONS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-vv", "--showlocals", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"],
        cwd=folder,
        env={**os.environ, "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def test_every_comparison_fails(printed: str) -> None:
    """Two objects that differ in a secret alone are not equal, which is what makes pytest show them."""
    assert "20 failed" in printed


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_a_failed_comparison_prints_no_secret(printed: str, sentinel: str) -> None:
    """A build server's log is read by many: the report shows that they differ, and not in what."""
    assert "AssertionError" in printed
    assert [line for line in printed.splitlines() if sentinel in line] == []

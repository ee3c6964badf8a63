"""What the fuzzer began with and what it found: each case keeps the promises of ``tests.fuzz.target``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.target import check

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
MODELS = {"TOTPFactor", "SMSFactor", "Factor", "Challenge", "Verification", "UserEnrollment", "Page", "NoneType"}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_case(path: Path) -> None:
    """It ends in a model, which only the right responses do, or in an error of ours that shows nothing."""
    is_right = path.name.startswith("right-") and "wrong" not in path.name
    assert (check(path.read_bytes()) in MODELS) is is_right


def test_there_is_a_corpus() -> None:
    """Nothing is replayed where nothing is there."""
    assert len(CORPUS) > 40

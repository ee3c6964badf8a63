"""The description of the answers refuses what is none: a check that can't fail shows nothing."""

from __future__ import annotations

from tests.emulator.shapes import problem, problems


def test_what_is_no_object_has_no_shape() -> None:
    """A list in place of an object is told."""
    assert problems([], {}) == ["it is no object"]


def test_a_call_that_is_not_in_the_description() -> None:
    """A success of a call that nobody described is a problem."""
    assert problem("PATCH", "/elsewhere", 200, {}) == "PATCH /elsewhere has no successful answer"

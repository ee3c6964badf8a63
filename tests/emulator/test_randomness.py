"""Chance that can be had again, for tests that compare ids and codes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.caller import NOW, Caller
from workos_mfa.emulator import Emulator
from workos_mfa.emulator._base.randomness import Randomness


def _everything(seed: int | str | None) -> list[Any]:
    caller = Caller(Emulator(now=NOW, random_seed=seed))
    totp, generic = caller.totp(), caller.generic()
    answers = [caller.challenge(generic) for _ in range(3)]
    caller.emulator.seed({"factors": [{"type": "totp", "user": "alan"}]})
    ids = [call.request_id for call in caller.emulator.calls]
    return [totp, generic, [answer.json for answer in answers], ids]


def test_a_seed_gives_the_same_again() -> None:
    """Ids, secrets, codes and request ids are the same with the same seed and time, and others with another."""
    assert _everything(7) == _everything(7)
    assert _everything("seven") == _everything("seven")
    different = [_everything(seed) for seed in (7, 8, "7", None, None)]
    assert all(one != other for n, one in enumerate(different) for other in different[:n])


def test_request_ids_do_not_disturb_the_rest() -> None:
    """What an app asks for in between changes neither ids nor codes of what it makes."""
    quiet, busy = (Caller(Emulator(now=NOW, random_seed=7)) for _ in range(2))
    for _ in range(5):
        busy.get("auth_factor_unknown")
    assert quiet.totp() == busy.totp()


def test_a_reset_begins_anew() -> None:
    """After a reset the same series comes again."""
    caller = Caller(Emulator(now=NOW, random_seed=7))
    first = [caller.totp(), caller.emulator.calls[0].request_id]
    caller.emulator.reset()
    assert [caller.totp(), caller.emulator.calls[0].request_id] == first


@pytest.mark.parametrize("randomness", [Randomness(), Randomness(7)])
def test_values_have_their_form(randomness: Randomness) -> None:
    """Codes are six digits, UUIDs are of version 4 and of the variant that says so, numbers have no more bits."""
    for _ in range(200):
        code = randomness.code()
        assert (len(code), code.isdigit()) == (6, True)
        text = randomness.uuid()
        read = uuid.UUID(text)
        assert (read.version, read.variant, str(read)) == (4, uuid.RFC_4122, text)
        assert 0 <= randomness.bits(79) < 1 << 79
    assert len({randomness.uuid() for _ in range(200)}) == 200
    assert len({randomness.bits(128) for _ in range(200)}) == 200


@settings(deadline=None)
@given(st.integers() | st.text(st.characters(exclude_categories=[])))
def test_any_int_or_text_is_a_seed(seed: int | str) -> None:
    """Whatever the seed, the series is the same twice."""
    assert Randomness(seed).bits(80) == Randomness(seed).bits(80)


@pytest.mark.parametrize("seed", [{"factors": []}, 1.5, True, b"7"])
def test_other_seeds_are_refused(seed: Any) -> None:
    """A mapping is for the method of the same name, and the error says so."""
    with pytest.raises(
        TypeError, match=r"Emulator\(random_seed=\.\.\.\) takes an int or a str.*emulator\.seed\(\.\.\.\)"
    ):
        Emulator(random_seed=seed)

"""Ids and codes: their form, their order, and the seed that gives the same ones again."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.caller import NOW, Caller
from workos_mfa.emulator import Emulator

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _time_of(made: str) -> int:
    number = 0
    for character in made[-26:-16]:
        number = number * 32 + ALPHABET.index(character)
    return number


def test_an_id_has_its_time() -> None:
    """In the first ten characters of an id are the milliseconds since 1970, as in WorkOS' own."""
    # The id that WorkOS gave to a challenge, and when it was made.
    assert _time_of("auth_challenge_01FZ4WSWV2SCEDX3GKY1NA9YTN") == 1648358126434
    made = Caller(Emulator(now=NOW)).generic()["id"]
    assert _time_of(made) == int(NOW.timestamp() * 1000)


@pytest.mark.parametrize("seed", [None, 7])
def test_ids_and_codes_have_their_form(seed: int | None) -> None:
    """Ids count upwards, also within a millisecond; request ids are UUIDs of version 4; codes have six digits."""
    emulator = Emulator(now=NOW, random_seed=seed)
    caller = Caller(emulator)
    factor = caller.generic()
    challenges = []
    for _ in range(200):
        emulator.clock.advance(timedelta(microseconds=100))
        challenges.append(caller.challenge(factor).json)
    ids = [challenge["id"] for challenge in challenges]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch("[0-9]{6}", challenge["code"]) for challenge in challenges)
    texts = [call.request_id for call in emulator.calls]
    assert len(set(texts)) == len(texts)
    for text in texts:
        read = uuid.UUID(text)
        assert (read.version, read.variant, str(read)) == (4, uuid.RFC_4122, text)


def _everything(seed: int | str | None) -> list[Any]:
    caller = Caller(Emulator(now=NOW, random_seed=seed))
    totp, generic = caller.totp(), caller.generic()
    codes = [caller.challenge(generic).json for _ in range(3)]
    caller.emulator.seed({"factors": [{"type": "totp", "user": "alan"}]})
    return [totp, generic, codes, [call.request_id for call in caller.emulator.calls]]


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


@settings(deadline=None)
@given(st.integers() | st.text(st.characters(exclude_categories=[])))
def test_any_int_or_text_is_a_seed(seed: int | str) -> None:
    """Whatever the seed, the series is the same twice."""
    one, two = (Caller(Emulator(now=NOW, random_seed=seed)).generic() for _ in range(2))
    assert one == two


@pytest.mark.parametrize("seed", [{"factors": []}, 1.5, True, b"7"])
def test_other_seeds_are_refused(seed: Any) -> None:
    """A mapping is for the method of the same name, and the error says so."""
    problem = r"Emulator\(random_seed=\.\.\.\) takes an int or a str.*emulator\.seed\(\.\.\.\)"
    with pytest.raises(TypeError, match=problem):
        Emulator(random_seed=seed)

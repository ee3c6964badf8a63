"""Ids look like the API's, carry the emulator's time and sort in the order they were made."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.randomness import Randomness

NOW = datetime(2022, 3, 27, 5, 15, 26, 432_000, tzinfo=timezone.utc)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _time_of(made: str) -> int:
    number = 0
    for character in made[-26:-16]:
        number = number * 32 + ALPHABET.index(character)
    return number


def test_form_and_time() -> None:
    """A prefix, 26 Crockford characters, and in the first ten the milliseconds since 1970."""
    made = ids.IdMaker(Randomness())(ids.FACTOR, NOW)
    assert re.fullmatch(r"auth_factor_[0-9A-HJKMNP-TV-Z]{26}", made)
    # The id that WorkOS gave to a challenge 2 ms later.
    assert _time_of("auth_challenge_01FZ4WSWV2SCEDX3GKY1NA9YTN") == ids.milliseconds(NOW) + 2
    assert _time_of(made) == ids.milliseconds(NOW)


def test_sorts_and_never_repeats() -> None:
    """Ids of one millisecond count upwards, and two makers don't make the same ones."""
    maker = ids.IdMaker(Randomness())
    made = [maker(ids.CHALLENGE, NOW + timedelta(milliseconds=n // 100)) for n in range(300)]
    assert made == sorted(set(made))
    assert not {ids.IdMaker(Randomness())(ids.CHALLENGE, NOW) for _ in range(50)} & set(made)

"""Ids as the API makes them: a prefix and a ULID, whose first part is the emulator's time.

Ids of one millisecond count upwards, so that ids sort in the order in which they were made even
when the clock stands; pages of a list and their cursors rest on that. Ids that a seed pins may have any
form: the time in an id is a help where its object is gone, not a rule.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from workos_mfa.emulator._base.randomness import Randomness

FACTOR = "auth_factor_"
CHALLENGE = "auth_challenge_"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile("([0-7][0-9A-HJKMNP-TV-Z]{9})[0-9A-HJKMNP-TV-Z]{16}")
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM_BITS = 80
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def milliseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def moment(since_1970: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=since_1970)


def time_in(some_id: str) -> int | None:
    """The milliseconds since 1970 that an id of the API's form holds, or None for one of another form."""
    found = _ULID.fullmatch(some_id.rpartition("_")[2])
    if found is None:
        return None
    time = 0
    for character in found[1]:
        time = time * 32 + _ALPHABET.index(character)
    return time


class IdMaker:
    """Makes ids; not for two threads at once.

    :ivar last: the number of the last id; the next one of the same millisecond counts on from it.
    """

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness
        self.last: int = 0

    def __call__(self, prefix: str, moment: datetime) -> str:
        time = milliseconds(moment)
        if time == self.last >> _RANDOM_BITS:
            self.last += 1
        else:
            # One bit less than there is room for, so that counting upwards can't spill into the time.
            self.last = time << _RANDOM_BITS | self._randomness.bits(_RANDOM_BITS - 1)
        return prefix + _ulid(self.last)


def _ulid(number: int) -> str:
    # 26 characters of five bits, two at a time, which is twice as fast.
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])

"""Ids as the API makes them: a prefix and a ULID, whose first part is the emulator's time.

Ids of one millisecond count upwards, so that ids sort in the order in which they were made even
when the clock stands; pages of a list and their cursors rest on that.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timezone

FACTOR = "auth_factor_"
CHALLENGE = "auth_challenge_"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM_BITS = 80
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


class IdMaker:
    """Makes ids; not for two threads at once."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, prefix: str, moment: datetime) -> str:
        """A new id.

        :param prefix: :data:`FACTOR` or :data:`CHALLENGE`.
        :param moment: when the object is made.
        """
        time = milliseconds(moment)
        if time == self._last >> _RANDOM_BITS:
            self._last += 1
        else:
            # One bit less than there is room for, so that counting upwards can't spill into the time.
            self._last = time << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS - 1)
        return prefix + _ulid(self._last)


def _ulid(number: int) -> str:
    # 26 characters of five bits, two at a time, which is twice as fast.
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])

"""All that the emulator remembers, in one place and in values that don't change.

The engine reads a record, makes the next one and puts it back. So everything that must survive goes
through the few methods here, whatever keeps it; in this class that is dictionaries. It does no locking:
the engine holds its lock around every use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

import attrs

from workos_mfa.secrecy import masked_phone


def _masked(number: str | None) -> str:
    return repr(number) if number is None else masked_phone(number)


@attrs.frozen(kw_only=True, eq=False)
class FactorRecord:
    """A factor as the emulator keeps it; ``key`` is what a TOTP factor's Base32 secret stands for."""

    id: str
    type: str
    created_at: datetime
    user_id: str | None
    phone_number: str | None = attrs.field(default=None, repr=_masked)
    issuer: str | None = None
    user: str | None = None
    key: bytes | None = attrs.field(default=None, repr=False)
    listed: bool = True
    verified: bool = False
    wrong_codes: int = 0


@attrs.frozen(kw_only=True, eq=False)
class ChallengeRecord:
    """A challenge as the emulator keeps it; ``code`` is None for TOTP, whose codes follow the time."""

    id: str
    factor_id: str
    factor_type: str
    created_at: datetime
    expires_at: datetime
    code: str | None = attrs.field(default=None, repr=False)
    verified: bool = False
    wrong_codes: int = 0


class State:
    """Factors, challenges and what limits need to be counted."""

    def __init__(self) -> None:
        self._factors: dict[str, FactorRecord] = {}
        self._challenges: dict[str, ChallengeRecord] = {}
        self._newest_challenge: dict[str, str] = {}
        self._factors_of_user: dict[str, dict[str, None]] = {}
        self._used_steps: set[tuple[str, int]] = set()
        self._sms_times: dict[str, deque[datetime]] = {}
        self.sms_count = 0

    def __repr__(self) -> str:
        return f"<State: {self.factor_count} factors, {self.challenge_count} challenges>"

    @property
    def factor_count(self) -> int:
        """How many factors there are."""
        return len(self._factors)

    @property
    def challenge_count(self) -> int:
        """How many challenges there are, old ones included."""
        return len(self._challenges)

    def factor(self, factor_id: str) -> FactorRecord | None:
        """The factor, or None where there is none or it was deleted."""
        return self._factors.get(factor_id)

    def replace_factor(self, factor: FactorRecord) -> None:
        """Put the next state of a factor in its place."""
        self._factors[factor.id] = factor

    def add_factor(self, factor: FactorRecord) -> None:
        """Add a factor."""
        self._factors[factor.id] = factor
        if factor.user_id is not None:
            self._factors_of_user.setdefault(factor.user_id, {})[factor.id] = None

    def delete_factor(self, factor: FactorRecord) -> None:
        """Forget a factor; its challenges stay, so that it can be said what became of them."""
        del self._factors[factor.id]
        if factor.user_id is not None:
            del self._factors_of_user[factor.user_id][factor.id]

    def factors_of_user(self, user_id: str) -> Iterable[FactorRecord]:
        """The factors that belong to a user, in the order in which they were made."""
        return [self._factors[factor_id] for factor_id in self._factors_of_user.get(user_id, ())]

    def count_of_user(self, user_id: str) -> int:
        """How many factors belong to a user."""
        return len(self._factors_of_user.get(user_id, ()))

    def challenge(self, challenge_id: str) -> ChallengeRecord | None:
        """The challenge, or None where there is none."""
        return self._challenges.get(challenge_id)

    def add_challenge(self, challenge: ChallengeRecord) -> None:
        """Add a challenge, the newest of its factor."""
        self._challenges[challenge.id] = challenge
        self._newest_challenge[challenge.factor_id] = challenge.id

    def replace_challenge(self, challenge: ChallengeRecord) -> None:
        """Put the next state of a challenge in its place."""
        self._challenges[challenge.id] = challenge

    def is_newest(self, challenge: ChallengeRecord) -> bool:
        """Whether its factor has had no challenge since."""
        return self._newest_challenge[challenge.factor_id] == challenge.id

    def is_step_used(self, factor_id: str, step: int) -> bool:
        """Whether the factor has accepted the code of this step."""
        return (factor_id, step) in self._used_steps

    def use_step(self, factor_id: str, step: int) -> None:
        """Note that the factor has accepted the code of this step."""
        self._used_steps.add((factor_id, step))

    def sms_sent_since(self, number: str, moment: datetime) -> int:
        """How many messages the number got after a moment; what is older is forgotten."""
        times = self._sms_times.get(number, deque())
        while times and times[0] <= moment:
            times.popleft()
        return len(times)

    def note_sms(self, number: str, moment: datetime) -> None:
        """Note that a message was sent."""
        self._sms_times.setdefault(number, deque()).append(moment)
        self.sms_count += 1

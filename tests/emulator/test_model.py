"""Random use of the emulator, held against a model that is small enough to be seen to be right."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.emulator.caller import NOW, Caller, Reply
from workos_mfa._core.errors import ConnectionLostError
from workos_mfa.emulator import Emulator

LIFETIME = timedelta(minutes=10)
ALLOWED = 5


@attrs.define(eq=False)
class Factor:
    """What the model knows of a factor."""

    json: Any
    deleted: bool = False
    # The thirty-second steps whose codes were accepted.
    used: set[int] = attrs.field(factory=set)


@attrs.define(eq=False)
class Challenge:
    """What the model knows of a challenge."""

    json: Any
    factor: Factor
    made: datetime
    code: str | None
    verified: bool = False
    wrong: int = 0


class World(RuleBasedStateMachine):
    """Factors and challenges come, are answered rightly and wrongly, age and go; and responses get lost."""

    factors: Bundle[Factor] = Bundle("factors")
    challenges: Bundle[Challenge] = Bundle("challenges")

    @initialize()
    def begin(self) -> None:
        """Begin with nothing, at a moment that is known."""
        self.emulator = Emulator(now=NOW)
        self.caller: Caller = Caller(self.emulator)
        self.accepted: Counter[str] = Counter()

    @property
    def now(self) -> datetime:
        """The time."""
        return self.emulator.clock.now()

    @rule(target=factors, kind=st.sampled_from(["totp", "sms", "generic"]))
    def enroll(self, kind: str) -> Factor:
        """A new factor."""
        return Factor(getattr(self.caller, kind)())

    @rule(factor=factors)
    def get(self, factor: Factor) -> None:
        """A factor is there until it is deleted."""
        assert self.caller.get(factor.json["id"]).status == (404 if factor.deleted else 200)

    @rule(factor=factors)
    def delete(self, factor: Factor) -> None:
        """A factor is deleted once."""
        assert self.caller.delete(factor.json["id"]).status == (404 if factor.deleted else 204)
        factor.deleted = True

    @rule(target=challenges, factor=factors)
    def challenge(self, factor: Factor) -> MultipleResults[Challenge]:
        """A new challenge, of a factor that is there."""
        if factor.deleted:
            assert self.caller.challenge(factor.json).status == 404
            return multiple()
        return multiple(self._challenged(factor))

    @rule(seconds=st.sampled_from([1, 29, 30, 31, 90, 599, 600, -30, -90]))
    def wait(self, seconds: int) -> None:
        """Time passes, or the clock is set back."""
        self.emulator.clock.set(self.now + timedelta(seconds=seconds))

    @rule(challenge=challenges, early=st.sampled_from([0, 0.001]))
    def wait_for_its_end(self, challenge: Challenge, early: float) -> None:
        """Time passes until a challenge has just ended, or has not quite."""
        self.emulator.clock.advance(max(0, (challenge.made + LIFETIME - self.now).total_seconds() - early))

    @rule(challenge=challenges, times=st.sampled_from([1, ALLOWED, ALLOWED + 1]))
    def answer_wrongly(self, challenge: Challenge, times: int) -> None:
        """A wrong code is told so, as often as is allowed, and never anything else."""
        for _ in range(times):
            response = self.caller.wrong(challenge.json)
            assert response.status == self._closed(challenge, if_open=201)
            if response.status == 201:
                assert response.json["valid"] is False
                challenge.wrong += 1

    @rule(challenge=challenges, steps=st.sampled_from([-2, -1, 0, 0, 0, 1, 2]))
    def answer(self, challenge: Challenge, steps: int) -> None:
        """The right code opens a challenge once; a TOTP code near its time, and not one that was used."""
        code, step = self._code(challenge, steps)
        self._check(challenge, self.caller.verify(challenge.json, code), step, steps)

    @rule(target=challenges, factor=factors, steps=st.sampled_from([0, 0, 1]))
    def answer_two_at_once(self, factor: Factor, steps: int) -> MultipleResults[Challenge]:
        """Two challenges of one factor share its TOTP code, which is good for one of them."""
        if factor.deleted:
            return multiple()
        pair = self._challenged(factor), self._challenged(factor)
        for challenge in pair:
            self.answer(challenge, steps)
        return multiple(*pair)

    @rule(challenge=challenges)
    def lose_the_response(self, challenge: Challenge) -> None:
        """A response that gets lost was given all the same."""
        code, step = self._code(challenge, 0)
        right = self._is_right(challenge, step, 0)
        is_open = self._closed(challenge, if_open=201) == 201
        self.emulator.faults.lose_response()
        with pytest.raises(ConnectionLostError):
            self.caller.verify(challenge.json, code)
        self._note(challenge, step, accepted=is_open and right, refused=is_open and not right)

    @rule(challenge=challenges)
    def lose_the_request(self, challenge: Challenge) -> None:
        """A request that gets lost has changed nothing."""
        code, _ = self._code(challenge, 0)
        self.emulator.faults.lose_request()
        with pytest.raises(ConnectionLostError):
            self.caller.verify(challenge.json, code)

    @invariant()
    def nothing_is_accepted_twice(self) -> None:
        """No challenge, and no TOTP code of a factor, was ever accepted a second time."""
        assert all(count == 1 for count in getattr(self, "accepted", {}).values())

    def _challenged(self, factor: Factor) -> Challenge:
        made = self.caller.challenge(factor.json).json
        code = made.get("code")
        if factor.json["type"] == "sms":
            code = self.emulator.outbox.latest(challenge_id=made["id"]).code
        return Challenge(made, factor, self.now, code)

    def _closed(self, challenge: Challenge, *, if_open: int) -> int:
        """The status of the response to any code."""
        if challenge.factor.deleted:
            return 404
        if challenge.verified or self.now >= challenge.made + LIFETIME:
            return 422
        return 400 if challenge.wrong >= ALLOWED else if_open

    def _code(self, challenge: Challenge, steps: int) -> tuple[str, int | None]:
        """The right code, or one of a TOTP factor some steps away; and its step."""
        if challenge.code is not None or challenge.factor.deleted:
            return challenge.code or "000000", None
        there = self.now
        clock = self.emulator.clock
        clock.set(there + timedelta(seconds=30 * steps))
        code, step = self.emulator.totp_code(challenge.factor.json["id"]), int(clock.now().timestamp()) // 30
        clock.set(there)
        return code, step

    @staticmethod
    def _is_right(challenge: Challenge, step: int | None, steps: int) -> bool:
        return step is None or (abs(steps) <= 1 and step not in challenge.factor.used)

    def _check(self, challenge: Challenge, response: Reply, step: int | None, steps: int) -> None:
        assert response.status == self._closed(challenge, if_open=201)
        if response.status == 201:
            right = self._is_right(challenge, step, steps)
            assert response.json["valid"] is right
            self._note(challenge, step, accepted=right, refused=not right)

    def _note(self, challenge: Challenge, step: int | None, *, accepted: bool, refused: bool) -> None:
        if accepted:
            challenge.verified = True
            self.accepted[challenge.json["id"]] += 1
            if step is not None:
                challenge.factor.used.add(step)
                self.accepted[f"{challenge.factor.json['id']} {step}"] += 1
        challenge.wrong += refused


World.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWorld = World.TestCase

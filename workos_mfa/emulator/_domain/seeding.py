"""Puts what a seed describes among what an emulator remembers.

What is there already, under a pinned id, stays as it is if the seed says the same of it: so one seed can be given at
every start of an emulator that has a state file.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import totp
from workos_mfa.emulator._domain.seeds import ChallengeSeed, FactorSeed, Seed
from workos_mfa.emulator._state.records import ChallengeRecord, FactorRecord
from workos_mfa.emulator._state.store import State


def plant(
    seed: Seed, state: State, randomness: Randomness, new_id: Callable[[str, datetime], str]
) -> dict[str, list[str]]:
    """Keep everything that is not there yet.

    :returns: the ids of the factors and challenges, in the seed's order; those that were there already are among them.
    :raises ValueError: if an id is taken by something else, or a challenge has no factor; nothing is kept then.
    """
    factors = [_known_or_new(planned, state) for planned in seed.factors]
    named = [factor for factor in factors if factor.id]
    by_id = {factor.id: factor for factor in named}
    if len(by_id) < len(named):
        raise ValueError("factors: two of them have the same id")
    challenges = [_challenge(planned, state, by_id) for planned in seed.challenges]
    pinned = [challenge.id for challenge in challenges if challenge.id]
    if len(set(pinned)) < len(pinned):
        raise ValueError("challenges: two of them have the same id")
    for user_id, email in seed.users.items():
        state.put_user(user_id, email)
    return {
        "factors": [_kept_factor(factor, state, randomness, new_id) for factor in factors],
        "challenges": [_kept_challenge(challenge, state, randomness, new_id) for challenge in challenges],
    }


def _known_or_new(planned: FactorSeed, state: State) -> FactorRecord:
    record = planned.record
    known = state.factor(record.id)
    if known is None:
        return record
    # A secret that the seed leaves to chance was drawn when the factor was first made.
    same = (record.type, record.user_id, record.phone_number, record.issuer, record.user, record.key or known.key)
    if same != (known.type, known.user_id, known.phone_number, known.issuer, known.user, known.key):
        raise ValueError(f"{planned.place}.id: there is another factor of this id already")
    return known


def _challenge(planned: ChallengeSeed, state: State, seeded: dict[str, FactorRecord]) -> ChallengeRecord:
    record, place = planned.record, planned.place
    factor = seeded.get(record.factor_id) or state.factor(record.factor_id)
    if factor is None:
        raise ValueError(f"{place}.authentication_factor_id: there is no such factor, neither here nor from before")
    if factor.type == "totp" and record.code is not None:
        raise ValueError(f"{place}.code: a totp factor's code follows from its secret and the time")
    if factor.type == "sms" and record.code is None:
        raise ValueError(f"{place}.code: is missing; no text message is sent that would tell it")
    known = state.challenge(record.id)
    if known is None:
        return attrs.evolve(record, factor_type=factor.type)
    if (record.factor_id, record.code or known.code) != (known.factor_id, known.code):
        raise ValueError(f"{place}.id: there is another challenge of this id already")
    return known


def _kept_factor(
    factor: FactorRecord, state: State, randomness: Randomness, new_id: Callable[[str, datetime], str]
) -> str:
    if state.factor(factor.id) is not None:
        return factor.id
    if factor.type == "totp" and factor.key is None:
        factor = attrs.evolve(factor, key=totp.key_of(totp.new_secret(randomness)))
    factor = attrs.evolve(factor, id=factor.id or new_id(ids.FACTOR, factor.created_at))
    state.put_factor(factor)
    return factor.id


def _kept_challenge(
    challenge: ChallengeRecord, state: State, randomness: Randomness, new_id: Callable[[str, datetime], str]
) -> str:
    if state.challenge(challenge.id) is not None:
        return challenge.id
    if challenge.factor_type == "generic_otp" and challenge.code is None:
        challenge = attrs.evolve(challenge, code=randomness.code())
    challenge = attrs.evolve(challenge, id=challenge.id or new_id(ids.CHALLENGE, challenge.created_at))
    state.put_challenge(challenge)
    return challenge.id

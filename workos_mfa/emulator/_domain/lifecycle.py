"""The lifecycle of factors and challenges: how they are made, verified, used up and deleted.

Every method happens whole or not at all, however many threads call, since each holds the one lock from its first look
to its last write.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import attrs

from workos_mfa._core import one_time_codes
from workos_mfa.emulator._base import ids
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import SMSMessage
from workos_mfa.emulator._domain import error_responses, totp
from workos_mfa.emulator._domain.phone_numbers import (
    FIXED_CODE,
    PLACEHOLDER,
    QUOTA_REACHED_NUMBER,
    RATE_LIMITED_NUMBER,
    has_fixed_code,
)
from workos_mfa.emulator._domain.seeding import Planter
from workos_mfa.emulator._settings import Settings
from workos_mfa.emulator._state.records import LIFETIME, ChallengeRecord, FactorRecord
from workos_mfa.emulator._state.store import Store, step_name

_RATE_WINDOW = timedelta(seconds=60)
_SIX_DIGITS = re.compile(r"[0-9]{6}")


@attrs.frozen(kw_only=True, eq=False)
class NewFactor:
    """What an enrolment asks for. The fields from ``issuer`` on are for type ``totp``.

    :param listed: whether the factor is in its user's list.
    :param uri: the secret as an ``otpauth`` URI; shown once.
    :param qr_code: the URI as a QR code; shown once.
    """

    type: str
    user_id: str | None
    phone_number: str | None = attrs.field(default=None, repr=False)
    listed: bool = True
    issuer: str | None = None
    user: str | None = None
    secret: str | None = attrs.field(default=None, repr=False)
    uri: str | None = attrs.field(default=None, repr=False)
    qr_code: str | None = attrs.field(default=None, repr=False)


class Lifecycle:
    """Every method raises :class:`ErrorResponse` where the API would respond with an error."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        self.settings: Settings = settings
        self._clock = clock
        self._store = store

    def new_secret(self) -> str:
        return totp.new_secret(self._store.randomness)

    def plant(self, mapping: object) -> dict[str, list[str]]:
        """Keep what a seed describes; all of it, or a ValueError and nothing."""
        with self._store.lock, self._store.transaction():
            return Planter(self.settings, self._store).plant(mapping, self._now())

    def check_user(self, user_id: str) -> str:
        """Make sure that there is such a user, and return the address."""
        with self._store.lock:
            email = self._store.users.get(user_id)
        if email is None and self.settings.users == "seeded":
            raise error_responses.user_not_found(user_id)
        return email or f"{user_id}@example.com"

    def factor(self, factor_id: str) -> FactorRecord:
        with self._store.lock:
            factor = self._store.factors.get(factor_id)
        if factor is None:
            raise error_responses.factor_not_found(factor_id)
        return factor

    def factors_of_user(self, user_id: str) -> list[FactorRecord]:
        """The factors in a user's list, oldest first."""
        self.check_user(user_id)
        with self._store.lock:
            factors = self._store.factors.of_user(user_id)
        shows_all = self.settings.unverified_factors_listed
        return [factor for factor in factors if factor.listed and (factor.verified or shows_all)]

    def enroll(self, new: NewFactor) -> FactorRecord:
        limit = self.settings.max_factors_per_user
        with self._store.lock, self._store.transaction():
            if new.user_id is not None:
                self.check_user(new.user_id)
                if limit is not None and len(self._store.factors.of_user(new.user_id)) >= limit:
                    raise error_responses.factor_limit_reached()
            now = self._now()
            factor = FactorRecord(
                id=self._store.new_id(ids.FACTOR, now),
                type=new.type,
                created_at=now,
                user_id=new.user_id,
                phone_number=new.phone_number,
                issuer=new.issuer,
                user=new.user,
                key=one_time_codes.key_of(new.secret) if new.secret else None,
                listed=new.listed,
            )
            self._store.factors[factor.id] = factor
        return factor

    def delete(self, factor_id: str) -> None:
        with self._store.lock, self._store.transaction():
            del self._store.factors[self.factor(factor_id).id]

    def challenge(self, factor_id: str, template: str | None = None) -> ChallengeRecord:
        """Make a challenge; for an SMS factor send the message too, in the words of the template."""
        message = None
        with self._store.lock:
            with self._store.transaction():
                factor = self.factor(factor_id)
                challenge = self._new_challenge(factor)
                self._store.challenges[challenge.id] = challenge
                if factor.phone_number is not None:
                    text = template or self.settings.default_sms_text
                    message = _message(factor.phone_number, challenge, text)
                    self._store.note_sms(message)
            # After the transaction, which may fail; nobody would take the message back.
            if message is not None:
                self._store.outbox.append(message)
        return challenge

    def open_challenge(self, challenge_id: str) -> tuple[ChallengeRecord, FactorRecord | None]:
        """A challenge and its factor, which is None only where a deleted factor means ``valid: false``."""
        with self._store.lock:
            challenge = self._store.challenges.get(challenge_id)
            factor = self._store.factors.get(challenge.factor_id) if challenge else None
        reply = self.settings.deleted_factor_reply
        if challenge is None or (factor is None and reply == "challenge_not_found"):
            raise error_responses.challenge_not_found(challenge_id)
        if factor is None and reply == "factor_not_found":
            raise error_responses.factor_not_found(challenge.factor_id)
        return challenge, factor

    def verify(self, challenge_id: str, code: str) -> tuple[ChallengeRecord, bool]:
        """Compare a code with that of a challenge; it is right once, and never again."""
        with self._store.lock, self._store.transaction():
            challenge, factor = self.open_challenge(challenge_id)
            if factor is None:
                return challenge, False
            now = self._now()
            if self._is_cancelled(challenge):
                return challenge, False
            self._check_open(challenge, now)
            is_locked = self._is_locked(challenge, factor, now)
            may_be_right = not (is_locked and self.settings.lock_refuses_right_code)
            is_right = may_be_right and self._accept(challenge, factor, code, now)
            if is_locked and not is_right:
                raise error_responses.too_many_attempts()
            if is_right:
                self._store.challenges[challenge.id] = attrs.evolve(challenge, verified=True)
                if factor.wrong_codes or not factor.verified:
                    self._store.factors[factor.id] = attrs.evolve(factor, verified=True, wrong_codes=0)
            elif self.settings.malformed_codes_counted or not is_malformed(code):
                self._count_wrong(challenge, factor, now)
        return challenge, is_right

    def count_malformed(self, challenge_id: str) -> None:
        """Count a code that is refused as malformed, if it is to count."""
        with self._store.lock, self._store.transaction():
            challenge, factor = self.open_challenge(challenge_id)
            now = self._now()
            counts = self.settings.malformed_codes_counted
            if counts and factor is not None and not self._is_locked(challenge, factor, now):
                self._count_wrong(challenge, factor, now)

    def totp_code(self, factor_id: str) -> str:
        factor = self._factor_for("totp_code", factor_id)
        if factor.key is None:
            raise ValueError(
                f"this is a factor of type {factor.type}, which has no TOTP code; the code of an sms "
                "challenge is in emulator.outbox, that of a generic_otp challenge in the challenge itself"
            )
        return one_time_codes.code_for(factor.key, totp.step_at(self._clock.now()))

    def wrong_code(self, factor_id: str) -> str:
        """The least code that no challenge of a factor takes now, nor in the next thirty seconds."""
        factor = self._factor_for("wrong_code", factor_id)
        with self._store.lock:
            right = {
                challenge.code for challenge in self._store.challenges.values() if challenge.factor_id == factor_id
            }
        if factor.key is not None:
            # One step more than is accepted, since the clock may run on before the code is tried.
            step = totp.step_at(self._clock.now())
            first, last = step - self.settings.totp_window_back, step + self.settings.totp_window_ahead + 1
            right |= {one_time_codes.code_for(factor.key, near) for near in range(max(first, 0), last + 1)}
        codes = (f"{number:0{one_time_codes.DIGITS}d}" for number in range(10**one_time_codes.DIGITS))
        return next(code for code in codes if code not in right)

    def totp_codes(self) -> list[totp.TOTPCode]:
        """The codes that authenticator apps show now, the newest factor first."""
        with self._store.lock:
            factors = list(self._store.factors.values())
        step = totp.step_at(self._clock.now())
        return [
            totp.TOTPCode(
                factor_id=factor.id,
                issuer=factor.issuer or "",
                user=factor.user or "",
                code=one_time_codes.code_for(factor.key, step),
            )
            for factor in reversed(factors)
            if factor.key is not None
        ]

    def _factor_for(self, method: str, factor_id: object) -> FactorRecord:
        """The factor that a method of the emulator was asked about, which is not the API's business."""
        if not isinstance(factor_id, str):
            raise TypeError(f"{method}() takes the id of a factor, such as factor.id, not {type(factor_id).__name__!r}")
        with self._store.lock:
            factor = self._store.factors.get(factor_id)
        if factor is None:
            raise LookupError("there is no factor with this id in the emulator: never enrolled, or deleted")
        return factor

    def _now(self) -> datetime:
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _check_throttle(self, number: str, now: datetime) -> None:
        if number == QUOTA_REACHED_NUMBER:
            raise error_responses.sms_quota_reached(self.settings)
        limit = self.settings.sms_rate_limit
        is_over = limit is not None and self._store.sms_sent_since(number, now - _RATE_WINDOW) >= limit
        if is_over or number == RATE_LIMITED_NUMBER:
            raise error_responses.sms_rate_limited(self.settings)

    def _new_challenge(self, factor: FactorRecord) -> ChallengeRecord:
        now = self._now()
        number = factor.phone_number
        if number is not None:
            self._check_throttle(number, now)
        return ChallengeRecord(
            id=self._store.new_id(ids.CHALLENGE, now),
            factor_id=factor.id,
            factor_type=factor.type,
            created_at=now,
            expires_at=now + LIFETIME,
            code=None if factor.type == "totp" else self._code(number),
        )

    def _code(self, number: str | None) -> str:
        return FIXED_CODE if number and has_fixed_code(number) else self._store.randomness.code()

    def _check_open(self, challenge: ChallengeRecord, now: datetime) -> None:
        if challenge.verified:
            raise error_responses.previously_verified(challenge.id)
        ends = challenge.factor_type != "totp" or self.settings.totp_challenges_expire
        if ends and now >= challenge.expires_at:
            raise error_responses.expired(challenge.id)

    def _is_cancelled(self, challenge: ChallengeRecord) -> bool:
        """Whether a newer challenge is the only one that counts; raises where that is told by an error."""
        if challenge.verified or not self.settings.new_challenge_cancels_older or self._store.is_newest(challenge):
            return False
        reply = self.settings.cancelled_challenge_reply
        if reply == "expired":
            raise error_responses.expired(challenge.id)
        if reply == "not_found":
            raise error_responses.challenge_not_found(challenge.id)
        return True

    def _is_locked(self, challenge: ChallengeRecord, factor: FactorRecord, now: datetime) -> bool:
        limit = self.settings.max_wrong_codes
        per_factor = self.settings.wrong_codes_counted_per == "factor"
        return limit is not None and self._wrong_codes(factor if per_factor else challenge, now) >= limit

    def _wrong_codes(self, record: ChallengeRecord | FactorRecord, now: datetime) -> int:
        """How many there were; none once the lock that they led to has ended."""
        limit, seconds = self.settings.max_wrong_codes, self.settings.lock_ends_after
        last = record.last_wrong_at
        if limit is None or seconds is None or last is None or record.wrong_codes < limit:
            return record.wrong_codes
        return record.wrong_codes if now < last + timedelta(seconds=seconds) else 0

    def _count_wrong(self, challenge: ChallengeRecord, factor: FactorRecord, now: datetime) -> None:
        counts = [self._wrong_codes(record, now) + 1 for record in (challenge, factor)]
        self._store.challenges[challenge.id] = attrs.evolve(challenge, wrong_codes=counts[0], last_wrong_at=now)
        self._store.factors[factor.id] = attrs.evolve(factor, wrong_codes=counts[1], last_wrong_at=now)

    def _is_reused(self, factor: FactorRecord, step: int) -> bool:
        if self.settings.reused_totp_code == "accepted":
            return False
        if self.settings.older_totp_code == "accepted":
            return step_name(factor.id, step) in self._store.used_steps
        used = self._store.used_steps.values()
        return any(factor_id == factor.id and step <= newest for factor_id, newest in used)

    def _accept(self, challenge: ChallengeRecord, factor: FactorRecord, code: str, now: datetime) -> bool:
        if factor.key is None:
            return challenge.code == code
        reused = False
        back, ahead = self.settings.totp_window_back, self.settings.totp_window_ahead
        for step in totp.steps_of(code, key=factor.key, moment=now, back=back, ahead=ahead):
            if not self._is_reused(factor, step):
                self._store.used_steps[step_name(factor.id, step)] = factor.id, step
                return True
            reused = True
        if reused and self.settings.reused_totp_code == "refused":
            raise error_responses.previously_used()
        return False


def is_malformed(code: str) -> bool:
    """Whether a code is none that any factor has: all are six digits."""
    return _SIX_DIGITS.fullmatch(code) is None


def _message(number: str, challenge: ChallengeRecord, template: str) -> SMSMessage:
    code = challenge.code or ""
    return SMSMessage(
        to=number,
        text=template.replace(PLACEHOLDER, code),
        code=code,
        factor_id=challenge.factor_id,
        challenge_id=challenge.id,
        sent_at=challenge.created_at,
    )

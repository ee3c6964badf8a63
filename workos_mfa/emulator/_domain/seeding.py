"""Seeds: users, factors and challenges that an emulator has from the start, with ids that are known beforehand.

A seed is read and compared with what is there before anything is kept. What is there already, under a pinned id, stays
as it is if the seed says the same of it: so one seed can be given at every start of an emulator that has a state file.
An error is a ValueError that names the place in the JSON. It never repeats a value from there, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import NoReturn, cast

import attrs

from workos_mfa._core import one_time_codes
from workos_mfa.emulator._base import ids
from workos_mfa.emulator._domain import totp
from workos_mfa.emulator._domain.phone_numbers import normalised_phone
from workos_mfa.emulator._settings import Settings, settings_from
from workos_mfa.emulator._state.records import LIFETIME, ChallengeRecord, FactorRecord
from workos_mfa.emulator._state.store import Store

_FACTOR = ("id", "type", "issuer", "user", "secret", "phone_number", "user_id", "created_at", "verified")
_CHALLENGE = ("id", "authentication_factor_id", "code", "created_at", "expires_at")
_ONLY_FOR = {"issuer": "totp", "user": "totp", "secret": "totp", "phone_number": "sms"}
_SAME_FACTOR = ("type", "user_id", "phone_number", "issuer", "user")
_TYPES = ("totp", "sms", "generic_otp")
_ID_END = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CODE = re.compile(r"[0-9]{6}")
_TOO_LATE = ids.milliseconds(datetime(9998, 1, 1, tzinfo=timezone.utc))
_MILLISECOND = timedelta(milliseconds=1)


def settings_in(mapping: object, others: Settings | None = None) -> Settings:
    """The settings that a seed has, for who makes an emulator for it.

    :param others: where the other ones are taken from; None for the defaults.
    """
    place = _JSONObject("", mapping).at("settings")
    try:
        return settings_from(place.values, others)
    except ValueError as error:
        problem = str(error)
    place.refuse("", problem)


@attrs.frozen
class Planter:
    """Keeps what a seed describes.

    :param settings: those in force; a seed for other ones is refused.
    """

    settings: Settings
    store: Store

    def plant(self, mapping: object, now: datetime) -> dict[str, list[str]]:
        """Keep everything that is not there yet, or raise a ValueError and keep nothing.

        :returns: the ids of the factors and challenges, in the seed's order, also of those that were there already.
        """
        seed = _JSONObject("", mapping)
        seed.only(("settings", "users", "factors", "challenges"))
        self._check_settings(seed)
        users = seed.at("users").texts()
        factors = [self._factor(place, made) for place, made in seed.entries("factors", now)]
        by_id = {factor.id: factor for factor in factors if factor.id}
        challenges = [self._challenge(place, made, by_id) for place, made in seed.entries("challenges", now)]
        read: Mapping[str, Sequence[FactorRecord | ChallengeRecord]] = {"factors": factors, "challenges": challenges}
        for name, records in read.items():
            pinned = [record.id for record in records if record.id]
            if len(set(pinned)) < len(pinned):
                seed.refuse(name, "two of them have the same id")

        self.store.users.update(users)
        return {
            "factors": [self._keep_factor(factor) for factor in factors],
            "challenges": [self._keep_challenge(challenge) for challenge in challenges],
        }

    def _check_settings(self, seed: _JSONObject) -> None:
        wanted = settings_in(seed.values)
        for name in seed.at("settings").values:
            if getattr(wanted, name) != getattr(self.settings, name):
                problem = "this emulator was started with another value, and keeps it; start one anew to have this one"
                seed.refuse(f"settings.{name}", problem)

    def _factor(self, place: _JSONObject, made: datetime) -> FactorRecord:
        """The factor of this id, or one as the seed has it: id and key are empty where the seed leaves them out."""
        place.only(_FACTOR)
        kind = place.needed("type")
        if kind not in _TYPES:
            place.refuse("type", f"must be one of {', '.join(_TYPES)}")
        for name, needed in _ONLY_FOR.items():
            if kind != needed and place.text(name) is not None:
                place.refuse(name, f"is for factors of type {needed}")
        number = normalised_phone(place.needed("phone_number"), self.settings) if kind == "sms" else None
        if kind == "sms" and number is None:
            place.refuse("phone_number", "text messages can't be sent there")
        secret = place.text("secret")
        bare = one_time_codes.bare_secret(secret) if secret else None
        if secret and bare is None:
            place.refuse("secret", "must be a Base32 secret of at least 16 characters, A-Z and 2-7")
        pinned = place.id(ids.FACTOR)
        record = FactorRecord(
            id=pinned,
            type=kind,
            created_at=place.moment("created_at") or _time_in(pinned) or made,
            user_id=place.text("user_id"),
            phone_number=number,
            issuer=(place.text("issuer") or self.settings.team_name) if kind == "totp" else None,
            user=_totp_user(place) if kind == "totp" else None,
            key=one_time_codes.key_of(bare) if bare else None,
            verified=place.flag("verified"),
        )
        known = self.store.factors.get(pinned, record)
        # A secret that the seed leaves to chance was drawn when the factor was first made.
        if record.key not in {None, known.key} or any(
            getattr(record, name) != getattr(known, name) for name in _SAME_FACTOR
        ):
            place.refuse("id", "there is another factor of this id already")
        return known

    def _challenge(self, place: _JSONObject, made: datetime, seeded: Mapping[str, FactorRecord]) -> ChallengeRecord:
        """The challenge of this id, or one as the seed has it: id and code are empty where the seed leaves them out."""
        place.only(_CHALLENGE)
        pinned = place.id(ids.CHALLENGE)
        created_at = place.moment("created_at") or _time_in(pinned) or made
        code = place.text("code")
        if code is not None and not _CODE.fullmatch(code):
            place.refuse("code", "must be a string of six digits")
        factor_id = place.needed("authentication_factor_id")
        factor = seeded.get(factor_id) or self.store.factors.get(factor_id)
        if factor is None:
            place.refuse(
                "authentication_factor_id", "there is no such factor, neither in this seed nor in the emulator"
            )
        if factor.type == "totp" and code is not None:
            place.refuse("code", "a totp factor's code follows from its secret and the time")
        if factor.type == "sms" and code is None:
            place.refuse("code", "is missing; no text message is sent that would tell it")
        record = ChallengeRecord(
            id=pinned,
            factor_id=factor_id,
            factor_type=factor.type,
            created_at=created_at,
            expires_at=place.moment("expires_at") or created_at + LIFETIME,
            code=code,
        )
        known = self.store.challenges.get(pinned, record)
        if factor_id != known.factor_id or code not in {None, known.code}:
            place.refuse("id", "there is another challenge of this id already")
        return known

    def _keep_factor(self, factor: FactorRecord) -> str:
        if factor.id in self.store.factors:
            return factor.id
        if factor.type == "totp" and factor.key is None:
            factor = attrs.evolve(factor, key=one_time_codes.key_of(totp.new_secret(self.store.randomness)))
        factor = attrs.evolve(factor, id=factor.id or self.store.new_id(ids.FACTOR, factor.created_at))
        self.store.factors[factor.id] = factor
        return factor.id

    def _keep_challenge(self, challenge: ChallengeRecord) -> str:
        if challenge.id in self.store.challenges:
            return challenge.id
        if challenge.factor_type == "generic_otp" and challenge.code is None:
            challenge = attrs.evolve(challenge, code=self.store.randomness.code())
        challenge = attrs.evolve(challenge, id=challenge.id or self.store.new_id(ids.CHALLENGE, challenge.created_at))
        self.store.challenges[challenge.id] = challenge
        return challenge.id


class _JSONObject:
    """A JSON object of a seed, and its place there."""

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        # From Python, names can be of any type.
        if not isinstance(value, Mapping) or not all(
            isinstance(key, str) for key in cast("Mapping[object, object]", value)
        ):
            self.refuse("", "must be a JSON object")
        self.values = cast("Mapping[str, object]", value)

    def refuse(self, name: str, problem: str) -> NoReturn:
        place = f"{self.name}.{name}".strip(".") or "the seed"
        raise ValueError(f"{place}: {problem}")

    def only(self, known: Collection[str]) -> None:
        for name in self.values:
            if name not in known:
                self.refuse(name, f"there is no such property; there are {', '.join(known)}")

    def at(self, name: str) -> _JSONObject:
        """The JSON object of this name, empty where there is none."""
        return _JSONObject(name, self.values.get(name, {}))

    def entries(self, name: str, now: datetime) -> list[tuple[_JSONObject, datetime]]:
        """The JSON objects of a list, each with a time a millisecond later, so that they keep their order."""
        values = self.values.get(name, [])
        if not isinstance(values, list):
            self.refuse(name, "must be a list")
        listed = cast("list[object]", values)
        return [
            (_JSONObject(f"{name}[{n}]", value), now - (len(listed) - 1 - n) * _MILLISECOND)
            for n, value in enumerate(listed)
        ]

    def texts(self) -> dict[str, str]:
        return {name: self.needed(name) for name in self.values}

    def text(self, name: str) -> str | None:
        """A string that is not empty, or None where there is none."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value or not value.isprintable():
            self.refuse(name, "must be a string of printable characters, and not empty")
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        return self.refuse(name, "is missing") if value is None else value

    def id(self, prefix: str) -> str:
        """A pinned id, or an empty string where none is."""
        value = self.text("id")
        if value is not None and not (value.startswith(prefix) and _ID_END.fullmatch(value[len(prefix) :])):
            self.refuse("id", f"must be {prefix} and up to 100 letters, digits, hyphens and underscores")
        return value or ""

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        problem = "must be a time with its zone, such as 2026-08-21T12:00:00.000Z"
        try:
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            self.refuse(name, problem)
        if moment.tzinfo is None or not 1970 <= moment.year < 9998:
            self.refuse(name, problem)
        moment = moment.astimezone(timezone.utc)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        return value if isinstance(value, bool) else self.refuse(name, "must be true or false")


def _time_in(pinned: str) -> datetime | None:
    time = ids.time_in(pinned)
    return None if time is None or time >= _TOO_LATE else ids.moment(time)


def _totp_user(place: _JSONObject) -> str:
    user_id = place.text("user_id")
    return place.text("user") or (f"{user_id}@example.com" if user_id else place.needed("user"))

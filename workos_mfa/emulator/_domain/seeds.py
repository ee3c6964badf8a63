"""Reads what an emulator is to hold from the start: users, factors and challenges with ids that are known beforehand.

Everything is looked at before anything is kept, and an error names the place in the JSON. It never repeats a value
from there, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import NoReturn, cast

import attrs

from workos_mfa.emulator._base import ids
from workos_mfa.emulator._domain import totp
from workos_mfa.emulator._domain.sms import normalised_phone
from workos_mfa.emulator._settings import Settings, settings_from
from workos_mfa.emulator._state.records import LIFETIME, ChallengeRecord, FactorRecord

_FACTOR = ("id", "type", "issuer", "user", "secret", "phone_number", "user_id", "created_at", "verified")
_CHALLENGE = ("id", "authentication_factor_id", "code", "created_at", "expires_at")
_ONLY_FOR = {"issuer": "totp", "user": "totp", "secret": "totp", "phone_number": "sms"}
_TYPES = ("totp", "sms", "generic_otp")
_ID_END = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CODE = re.compile(r"[0-9]{6}")
_TOO_LATE = ids.milliseconds(datetime(9998, 1, 1, tzinfo=timezone.utc))
_MILLISECOND = timedelta(milliseconds=1)


@attrs.frozen(eq=False)
class FactorSeed:
    """A factor that is to be; its id is empty where none is pinned, its key None where none is and one is needed."""

    place: str
    record: FactorRecord


@attrs.frozen(eq=False)
class ChallengeSeed:
    """A challenge that is to be; its code is None where none is pinned, its type empty until its factor is known."""

    place: str
    record: ChallengeRecord


@attrs.frozen(eq=False)
class Seed:
    """Everything that is to be."""

    users: Mapping[str, str] = attrs.field(repr=False)
    factors: Sequence[FactorSeed]
    challenges: Sequence[ChallengeSeed]


def read_seed(mapping: object, settings: Settings, now: datetime) -> Seed:
    """What a seed describes.

    :param now: the time that things without one get, one millisecond apart, so that lists keep the seed's order.
    :raises ValueError: if it can't be read, or is for other settings; the text names the place.
    """
    seed = _Place("", mapping)
    seed.only(("settings", "users", "factors", "challenges"))
    _check_settings(seed.at("settings", {}), settings)
    users = _users(seed.at("users", {}))
    factors = seed.entries("factors")
    challenges = seed.entries("challenges")
    return Seed(
        users,
        [_factor(place, settings, now - (len(factors) - 1 - n) * _MILLISECOND) for n, place in enumerate(factors)],
        [_challenge(place, now - (len(challenges) - 1 - n) * _MILLISECOND) for n, place in enumerate(challenges)],
    )


class _Place:
    """A JSON object within the seed, and where it stands."""

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        # From Python, names can be of any type.
        if not isinstance(value, Mapping) or not all(
            isinstance(key, str) for key in cast("Mapping[object, object]", value)
        ):
            self.refuse("", "must be a JSON object")
        self._values = cast("Mapping[str, object]", value)

    def refuse(self, name: str, problem: str) -> NoReturn:
        """Say what is wrong, and where."""
        place = f"{self.name}.{name}".strip(".") or "the seed"
        raise ValueError(f"{place}: {problem}")

    def only(self, known: Collection[str]) -> None:
        """Refuse every property that is not among these."""
        for name in self._values:
            if name not in known:
                self.refuse(name, f"there is no such property; there are {', '.join(known)}")

    def at(self, name: str, default: object = None) -> _Place:
        """The JSON object of this name."""
        value = self._values.get(name, default)
        return _Place(f"{self.name}.{name}".strip("."), value)

    def entries(self, name: str) -> list[_Place]:
        """The JSON objects in the list of this name."""
        values = self._values.get(name, [])
        if not isinstance(values, list):
            self.refuse(name, "must be a list")
        return [_Place(f"{name}[{n}]", value) for n, value in enumerate(cast("list[object]", values))]

    def settings(self) -> Settings:
        """Settings, by their names."""
        try:
            return settings_from(self._values)
        except ValueError as error:
            problem = f"{self.name}: {error}"
        raise ValueError(problem)

    def names(self) -> list[str]:
        """The names of all properties."""
        return list(self._values)

    def text(self, name: str) -> str | None:
        """A string that is not empty, or None where there is none."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value or not value.isprintable():
            self.refuse(name, "must be a string of printable characters, and not empty")
        return value

    def needed(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        return self.refuse(name, "is missing") if value is None else value

    def id(self, prefix: str) -> str:
        """A pinned id, or an empty string where none is."""
        value = self.text("id")
        if value is not None and not (value.startswith(prefix) and _ID_END.fullmatch(value[len(prefix) :])):
            self.refuse("id", f"must be {prefix} and up to 100 letters, digits, hyphens and underscores")
        return value or ""

    def moment(self, name: str) -> datetime | None:
        """A time, or None where there is none."""
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
        """True or False; False where there is none."""
        value = self._values.get(name, False)
        return value if isinstance(value, bool) else self.refuse(name, "must be true or false")


def settings_in(mapping: object) -> Settings:
    """The settings that a seed has, for who makes an emulator for it.

    :raises ValueError: if it has some that can't be; the text names the place.
    """
    return _Place("", mapping).at("settings", {}).settings()


def _check_settings(place: _Place, settings: Settings) -> None:
    wanted = place.settings()
    for name in place.names():
        if getattr(wanted, name) != getattr(settings, name):
            place.refuse(
                name, "this emulator was started with another value, and keeps it; start one anew to have this one"
            )


def _users(place: _Place) -> Mapping[str, str]:
    return {user_id: place.needed(user_id) for user_id in place.names()}


def _factor(place: _Place, settings: Settings, now: datetime) -> FactorSeed:
    place.only(_FACTOR)
    kind = place.needed("type")
    if kind not in _TYPES:
        place.refuse("type", f"must be one of {', '.join(_TYPES)}")
    for name, needed in _ONLY_FOR.items():
        if kind != needed and place.text(name) is not None:
            place.refuse(name, f"is for factors of type {needed}")
    pinned = place.id(ids.FACTOR)
    record = FactorRecord(
        id=pinned,
        type=kind,
        created_at=place.moment("created_at") or _time_in(pinned) or now,
        user_id=place.text("user_id"),
        phone_number=_phone(place, settings) if kind == "sms" else None,
        issuer=(place.text("issuer") or settings.team_name) if kind == "totp" else None,
        user=_totp_user(place) if kind == "totp" else None,
        key=_key(place),
        verified=place.flag("verified"),
    )
    return FactorSeed(place.name, record)


def _challenge(place: _Place, now: datetime) -> ChallengeSeed:
    place.only(_CHALLENGE)
    pinned = place.id(ids.CHALLENGE)
    created_at = place.moment("created_at") or _time_in(pinned) or now
    code = place.text("code")
    if code is not None and not _CODE.fullmatch(code):
        place.refuse("code", "must be a string of six digits")
    record = ChallengeRecord(
        id=pinned,
        factor_id=place.needed("authentication_factor_id"),
        factor_type="",
        created_at=created_at,
        expires_at=place.moment("expires_at") or created_at + LIFETIME,
        code=code,
    )
    return ChallengeSeed(place.name, record)


def _time_in(pinned: str) -> datetime | None:
    time = ids.time_in(pinned)
    return None if time is None or time >= _TOO_LATE else ids.moment(time)


def _phone(place: _Place, settings: Settings) -> str:
    number = normalised_phone(place.needed("phone_number"), settings)
    return place.refuse("phone_number", "text messages can't be sent there") if number is None else number


def _totp_user(place: _Place) -> str:
    user_id = place.text("user_id")
    return place.text("user") or (f"{user_id}@example.com" if user_id else place.needed("user"))


def _key(place: _Place) -> bytes | None:
    secret = place.text("secret")
    bare = totp.bare_secret(secret) if secret else None
    if secret and bare is None:
        place.refuse("secret", "must be a Base32 secret of at least 16 characters, A-Z and 2-7")
    return totp.key_of(bare) if bare else None

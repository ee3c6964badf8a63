"""An account's document: all that is kept about its second factor, as one text.

One text, so that any database can replace it in one step. It holds ids and hashes: no name, no phone number, no code
and no secret.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import attrs
from attrs.validators import deep_iterable, instance_of, optional

_VERSION = 1
_LATEST = 1e12

T = TypeVar("T")


class DocumentError(Exception):
    """The text is not a document of ours."""


_is_str = instance_of(str)


def _is_time(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    # Neither a boolean nor a number that has no end.
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < _LATEST:
        raise TypeError(attribute.name)


def _all_are(kind: type[T]) -> Callable[[object, attrs.Attribute[tuple[T, ...]], tuple[T, ...]], None]:
    return deep_iterable(instance_of(kind), instance_of(tuple))


@attrs.frozen(kw_only=True)
class KnownFactor:
    """A factor, as far as it is kept.

    :param id: WorkOS' id of it.
    :param type: ``totp`` or ``sms``.
    :param digits: of a phone number, the last two digits.
    :param number: of a phone number, its HMAC.
    """

    id: str = attrs.field(validator=_is_str)
    type: str = attrs.field(validator=_is_str)
    digits: str = attrs.field(default="", validator=_is_str)
    number: str = attrs.field(default="", validator=_is_str)


@attrs.frozen(kw_only=True)
class Permit:
    """One change of factors that a session may make, since a code was given for it.

    :param change: ``add``, ``replace`` or ``recovery_codes``.
    :param until: when it ends.
    :param target: the id of the factor to replace.
    """

    change: str = attrs.field(validator=_is_str)
    until: float = attrs.field(validator=_is_time)
    target: str | None = attrs.field(default=None, validator=optional(_is_str))


@attrs.frozen(kw_only=True)
class Session:
    """A browser that is signed in.

    :param id: random, and the same as long as the session lives.
    :param token: the hash of the token that the browser has.
    :param since: when it signed in.
    :param password: when the password was given.
    :param proved: when the last code was given, or None if none was.
    :param permit: the change of factors that it may make.
    """

    id: str = attrs.field(default="", validator=_is_str)
    token: str = attrs.field(validator=_is_str)
    since: float = attrs.field(validator=_is_time)
    password: float = attrs.field(validator=_is_time)
    proved: float | None = attrs.field(default=None, validator=optional(_is_time))
    permit: Permit | None = attrs.field(default=None, validator=optional(instance_of(Permit)))


@attrs.frozen(kw_only=True)
class Enrolment:
    """A factor that waits for its first code.

    :param factor: the factor. It does not count yet.
    :param step: the id of the step in which it was enrolled: no other browser can confirm it.
    """

    factor: KnownFactor = attrs.field(validator=instance_of(KnownFactor))
    step: str = attrs.field(validator=_is_str)


@attrs.frozen(kw_only=True)
class SupportCode:
    """A recovery code that support staff has issued: its hash, and when it ends."""

    hash: str = attrs.field(validator=_is_str)
    until: float = attrs.field(validator=_is_time)


@attrs.frozen(kw_only=True)
class UsedCode:
    """A code that was accepted lately: its HMAC, and when it was."""

    hmac: str = attrs.field(validator=_is_str)
    at: float = attrs.field(validator=_is_time)


def new_random() -> str:
    """A random text that nobody guesses."""
    return secrets.token_hex(16)


@attrs.frozen(kw_only=True)
class Document:
    """What is known about one account.

    :param generation: random, and another one after each change of factors. What belongs to an older one is void.
    :param factors: the factors that count.
    :param enrolment: the factor that waits for its first code.
    :param recovery_codes: the hashes of the recovery codes that are left.
    :param support_code: the code that support staff has issued.
    :param sessions: the browsers that are signed in, the newest last.
    :param used_codes: the codes of the last minutes.
    :param to_delete: the ids of factors that are still to be deleted at WorkOS.
    """

    generation: str = attrs.field(factory=new_random, validator=_is_str)
    factors: tuple[KnownFactor, ...] = attrs.field(default=(), validator=_all_are(KnownFactor))
    enrolment: Enrolment | None = attrs.field(default=None, validator=optional(instance_of(Enrolment)))
    recovery_codes: tuple[str, ...] = attrs.field(default=(), validator=_all_are(str))
    support_code: SupportCode | None = attrs.field(default=None, validator=optional(instance_of(SupportCode)))
    sessions: tuple[Session, ...] = attrs.field(default=(), validator=_all_are(Session))
    used_codes: tuple[UsedCode, ...] = attrs.field(default=(), validator=_all_are(UsedCode))
    to_delete: tuple[str, ...] = attrs.field(default=(), validator=_all_are(str))

    def factor(self, factor_id: str | None) -> KnownFactor | None:
        """The factor of this id, if it counts."""
        return next((factor for factor in self.factors if factor.id == factor_id), None)


_KINDS: Mapping[str, type[attrs.AttrsInstance]] = {
    "enrolment": Enrolment,
    "factor": KnownFactor,
    "factors": KnownFactor,
    "permit": Permit,
    "sessions": Session,
    "support_code": SupportCode,
    "used_codes": UsedCode,
}


def write(document: Document) -> str:
    """The document as a text. No two texts are the same, so a text that was replaced and came back is seen."""
    return json.dumps({"version": _VERSION, "revision": new_random(), **attrs.asdict(document)}, separators=(",", ":"))


def read(text: str) -> Document:
    """The document of a text.

    :raises DocumentError: if it is none, or one of another release.
    """
    try:
        value = json.loads(text)
        version = value.pop("version")
        if (type(version), version) != (int, _VERSION) or not value.pop("revision"):
            raise DocumentError("the document is not one of this release")
        return Document(**_fields(Document, value))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        problem = f"the document can't be read: {type(error).__name__}"
    raise DocumentError(problem)


def _fields(kind: type[attrs.AttrsInstance], value: dict[str, object]) -> dict[str, Any]:
    if value.keys() != {field.name for field in attrs.fields(kind)}:
        raise DocumentError(f"this is no {kind.__name__} of this release")
    return {name: _value(name, each) for name, each in value.items()}


def _value(name: str, value: object) -> object:
    # The classes refuse what is of another type.
    if isinstance(value, list):
        return tuple(_value(name, each) for each in cast("list[object]", value))
    kind = _KINDS.get(name)
    if kind is None or not isinstance(value, dict):
        return value
    return kind(**_fields(kind, cast("dict[str, object]", value)))

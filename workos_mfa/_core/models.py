"""The objects that the calls return: frozen values with aware datetimes, whose fields are named as the API's are.

Secrets in them are plain strings, since an app has to render them once, but no repr shows them, a
failed comparison in a test does not print them, and an object that holds one refuses to be pickled
into a cache or a session. ``without_secrets()`` gives what may be stored, and ``to_dict()`` the same as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import ClassVar, Generic, Literal, NoReturn, SupportsIndex, TypeAlias, TypeVar

import attrs

from workos_mfa._core.errors import InvalidInputError, UnexpectedResponseError
from workos_mfa._core.redaction import CopyReturnsSelf, masked_phone

T = TypeVar("T")

# Some classes below have a field named ``object``, which hides the type of that name.
_Reduced: TypeAlias = "str | tuple[object, ...]"

Onward: TypeAlias = Literal["before", "after"]
"""Which cursor of a page leads to the next one."""


class Model:
    """What can be given as JSON; its secrets are the fields that its repr hides."""

    __slots__ = ()

    __attrs_attrs__: ClassVar[tuple[attrs.Attribute[object], ...]]

    def to_dict(self, *, secrets: bool = False) -> dict[str, object]:
        """The object as JSON: with the API's field names and times, and without the fields that have no value.

        :param secrets: whether a secret, QR code, URI or one-time code is in it, as it is in the API's own response.
        """
        fields = [field.name for field in self.__attrs_attrs__ if secrets or field.repr]
        values = {name: _as_json(getattr(self, name), secrets=secrets) for name in fields}
        return {name: value for name, value in values.items() if value is not None}


def _as_json(value: object, *, secrets: bool) -> object:
    if isinstance(value, Model):
        return value.to_dict(secrets=secrets)
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    return value


@attrs.frozen(kw_only=True)
class TOTP(Model):
    """What an authenticator app shows beside its codes.

    :param issuer: the name of your application or company, or None where the API leaves it out.
    :param user: the account's name, or None where the API leaves it out.
    """

    issuer: str | None = None
    user: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class TOTPEnrollment(CopyReturnsSelf, TOTP):
    """A TOTP factor's secret in its three forms; the API shows them once, when the factor is enrolled.

    :param secret: the secret in Base32, for people who can't scan.
    :param qr_code: a ``data:image/png;base64,...`` URI of the QR code: the ``src`` of an image.
    :param uri: the ``otpauth://`` URI that the QR code holds.
    """

    secret: str = attrs.field(repr=False)
    qr_code: str = attrs.field(repr=False)
    uri: str = attrs.field(repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "this object holds a TOTP secret and is not pickled, so that the secret does not end up in a "
            "session, a cache or a queue; store factor.without_secrets(), or just factor.id"
        )


@attrs.frozen(kw_only=True)
class SMS(Model):
    """Where text messages of a factor go.

    :param phone_number: the number in E.164 form, such as ``+15005550006``; its repr is masked.
    """

    phone_number: str = attrs.field(repr=masked_phone)


@attrs.frozen(kw_only=True)
class Factor(Model):
    """A means by which a person can prove who they are.

    See https://workos.com/docs/reference/mfa/authentication-factor

    :param id: the factor's id: keep it with your own user's record, it can't be listed later.
    :param type: ``totp``, ``sms``, ``generic_otp``, or a type that the API may add.
    :param created_at: when it was enrolled.
    :param updated_at: when it was last changed.
    :param user_id: the WorkOS user it belongs to, or None.
    :param totp: issuer and user of a TOTP factor, or None.
    :param sms: the phone number of an SMS factor, or None.
    :param object: the API's name for this kind of object.
    """

    id: str
    type: str
    created_at: datetime
    updated_at: datetime
    user_id: str | None = None
    totp: TOTP | None = None
    sms: SMS | None = None
    object: str = "authentication_factor"

    def without_secrets(self) -> Factor:
        """The same factor as a plain :class:`Factor`, with nothing in it that must not be stored."""
        plain = Factor(**{field.name: getattr(self, field.name) for field in attrs.fields(Factor)})
        return attrs.evolve(plain, totp=self.totp and TOTP(issuer=self.totp.issuer, user=self.totp.user))


@attrs.frozen(kw_only=True)
class TOTPFactor(Factor):
    """A TOTP factor as it is enrolled, with its secret: ``factor.totp`` is never None."""

    # Required behind optional fields, which is sound: every field is given by keyword.
    totp: TOTPEnrollment  # pyright: ignore[reportGeneralTypeIssues]


@attrs.frozen(kw_only=True)
class SMSFactor(Factor):
    """An SMS factor as it is enrolled: ``factor.sms`` is never None."""

    sms: SMS  # pyright: ignore[reportGeneralTypeIssues]


@attrs.frozen(kw_only=True, eq=False)
class Challenge(CopyReturnsSelf, Model):
    """One demand for a code; it can be verified once.

    See https://workos.com/docs/reference/mfa/authentication-challenge

    :param id: the challenge's id: keep it on the server side, never in a form.
    :param authentication_factor_id: the factor it belongs to.
    :param created_at: when it was made.
    :param updated_at: when it was last changed.
    :param expires_at: when it ends, or None where the API does not say.
    :param code: the code itself, for ``generic_otp`` factors only, whose codes the app delivers.
    :param object: the API's name for this kind of object.
    """

    id: str
    authentication_factor_id: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    code: str | None = attrs.field(default=None, repr=False)
    object: str = "authentication_challenge"

    def without_secrets(self) -> Challenge:
        """The same challenge without its code, so that it may be stored."""
        return attrs.evolve(self, code=None)

    def __reduce_ex__(self, protocol: SupportsIndex) -> _Reduced:
        if self.code is not None:
            raise TypeError(
                "this challenge holds its code and is not pickled, so that the code does not end up in a "
                "session, a cache or a queue; store challenge.without_secrets(), or just challenge.id"
            )
        return super().__reduce_ex__(protocol)


@attrs.frozen(kw_only=True)
class Verification(Model):
    """The result of verifying a code: as true as ``valid``, so that ``if verification:`` can't be got wrong.

    :param challenge: the challenge that was verified.
    :param valid: True if the code was right, False if it was not.
    """

    challenge: Challenge
    valid: bool

    def __bool__(self) -> bool:
        return self.valid is True


@attrs.frozen(kw_only=True)
class UserEnrollment(Model):
    """A factor that was enrolled for a WorkOS user, and the challenge that the API makes with it.

    :param factor: the new factor, with its secret.
    :param challenge: a challenge for a first code.
    """

    factor: TOTPFactor
    challenge: Challenge

    def to_dict(self, *, secrets: bool = False) -> dict[str, object]:
        """The two as JSON, under the names that the API has for them; see :meth:`Factor.to_dict`."""
        return {
            "authentication_factor": self.factor.to_dict(secrets=secrets),
            "authentication_challenge": self.challenge.to_dict(secrets=secrets),
        }


@attrs.frozen(kw_only=True)
class Page(Model, Generic[T]):
    """One page of a list; it iterates over its items and counts them.

    :param items: the items of this page.
    :param before: the cursor for ``before=``, or None where that leads nowhere.
    :param after: the cursor for ``after=``, or None where that leads nowhere. It is None on the last page; under
        ``order="normal"``, whose cursors are the other way round, ``before`` is.
    """

    items: tuple[T, ...]
    before: str | None = None
    after: str | None = None
    _fetch: Callable[[str], Page[T]] | None = attrs.field(default=None, repr=False, eq=False)
    _onward: Onward = attrs.field(default="after", repr=False, eq=False, alias="onward")

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def to_dict(self, *, secrets: bool = False) -> dict[str, object]:
        """The page as JSON, as the API gives a list; see :meth:`Factor.to_dict`."""
        return {
            "object": "list",
            "data": [_as_json(item, secrets=secrets) for item in self.items],
            "list_metadata": {"before": self.before, "after": self.after},
        }

    def fetched_by(self, fetch: Callable[[str], Page[T]], *, onward: Onward = "after") -> Page[T]:
        """The same page, which gets the next one by calling ``fetch`` with the cursor that leads onward."""
        return attrs.evolve(self, fetch=fetch, onward=onward)

    def auto_paging_iter(self) -> Iterator[T]:
        """All items of this page and of those that follow in its order, each page fetched when it is reached.

        :raises UnexpectedResponseError: if the API gives a cursor twice, which would never end, or one that is
            none; the items up to there are complete.
        :raises RuntimeError: if there are more pages and this one does not know how to get them, since it was
            made by hand or unpickled.
        :raises MFAError: whatever the call that fetches a page raises.
        """
        page, seen = self, set[str]()
        yield from page.items
        while (cursor := page._next) is not None:
            if cursor in seen:
                raise UnexpectedResponseError(f"the API gave the same page cursor twice at {page._place}")
            seen.add(cursor)
            page = page._following(cursor)
            yield from page.items

    def __reduce__(self) -> tuple[object, ...]:
        return _page, (self.items, self.before, self.after, self._onward)

    @property
    def _next(self) -> str | None:
        return self.after if self._onward == "after" else self.before

    @property
    def _place(self) -> str:
        return f"$.list_metadata.{self._onward}"

    def _following(self, cursor: str) -> Page[T]:
        if self._fetch is None:
            raise RuntimeError(
                "there are more items, and this page does not know its client: go on in the same order, with "
                f"list_user_auth_factors(..., {self._onward}=page.{self._onward})"
            )
        try:
            return self._fetch(cursor)
        except InvalidInputError:
            pass
        raise UnexpectedResponseError(f"the API gave a page cursor that is not valid at {self._place}")


def _page(items: tuple[T, ...], before: str | None, after: str | None, onward: Onward) -> Page[T]:
    return Page(items=items, before=before, after=after, onward=onward)


# Pickles name the models as they are imported.
for _kind in [kind for kind in vars().values() if isinstance(kind, type) and issubclass(kind, Model)]:
    _kind.__module__ = "workos_mfa"

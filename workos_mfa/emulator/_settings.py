"""The settings: how the emulator behaves where nobody outside WorkOS knows what the API does.

Each has a default that says our guess; where two guesses are equally likely, the stricter one. Where the API's
behaviour is known there is no setting for it. The lists for people and the reader of ``NAME=VALUE`` are made from the
fields of :class:`Settings`, their types and the docstring, so that nothing is said twice.
"""

from __future__ import annotations

import difflib
import inspect
import json
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypedDict, cast, get_args, get_origin, get_type_hints

import attrs

_LEAST = {"max_wrong_codes": 1, "lock_ends_after": 1, "sms_rate_limit": 1, "max_factors_per_user": 1}
"""The least value of a number where it is not 0."""

_GREATEST = 999_999_999
_MEANING = re.compile(r":param (\w+): (.*?)(?=\n\s*\n|\n:|\Z)", re.DOTALL)


@attrs.frozen(kw_only=True)
class Settings:
    """How the emulator behaves where the real API's behaviour is not published.

    :param max_wrong_codes: how many wrong codes get ``valid: false``; what comes after them gets 400
        ``one_time_code_too_many_attempts``. None for no limit.
    :param wrong_codes_counted_per: ``"challenge"``: a new challenge starts at zero; ``"factor"``: all challenges of a
        factor count together, until one is verified. A factor that has reached the limit then stays locked, unless
        ``lock_refuses_right_code`` is False.
    :param lock_refuses_right_code: whether the right code is refused too, once there were too many.
    :param lock_ends_after: seconds after the wrong code that was one too many; counting then begins again. None for
        never.
    :param malformed_code: the response to a code that is not six digits: ``"invalid"`` is 201 with ``valid: false``,
        ``"refused"`` is a validation error.
    :param malformed_codes_counted: whether such a code counts as a wrong one.
    :param totp_window_back: how many steps of 30 seconds before the present one are accepted.
    :param totp_window_ahead: how many steps after the present one are accepted.
    :param reused_totp_code: the response to a code that the factor has accepted before: ``"invalid"`` is 201 with
        ``valid: false`` and counts as a wrong code; ``"refused"`` is 400 ``one_time_code_previously_used`` and does
        not count; ``"accepted"`` is as if it were new.
    :param older_totp_code: what happens to the code of a step before one whose code the factor has accepted:
        ``"accepted"``, or ``"as_reused"``, as RFC 6238 recommends.
    :param totp_expires_at_sent: whether a challenge of a TOTP factor carries ``expires_at``.
    :param totp_challenges_expire: whether a challenge of a TOTP factor ends after ten minutes.
    :param totp_uri: the ``otpauth://`` URI of ``/auth/factors/enroll``: ``"short"`` names secret and issuer,
        ``"full"`` algorithm, digits and period too, as the user management call does.
    :param new_challenge_cancels_older: whether only a factor's newest challenge can be verified.
    :param cancelled_challenge_reply: the response to verifying an older one then: that of one that has expired, 404,
        or 201 with ``valid: false``.
    :param deleted_factor_reply: the response to verifying a challenge whose factor is deleted: 404 for the challenge,
        404 for the factor, or 201 with ``valid: false``. It is never verified.
    :param default_sms_text: the text where a challenge has no ``sms_template``.
    :param template_needs_code: whether an ``sms_template`` without ``{{code}}`` is refused.
    :param template_without_sms: what happens to an ``sms_template`` for a factor of another type.
    :param non_us_numbers: whether numbers outside +1 get text messages.
    :param phone_punctuation: ``"refused"``: digits only, with or without ``+``; ``"dropped"``: spaces, hyphens, dots
        and brackets in a number are taken out first.
    :param sms_rate_limit: how many messages one number gets in 60 seconds before the response is 429
        ``sms_challenge_rate_limited``. None for no limit.
    :param retry_after: seconds that a 429 names in ``Retry-After``. None for no such header.
    :param validation_errors: the response of the ``/auth`` calls where a property is missing or of the wrong kind:
        ``"by_field"`` is 422 and lists ``field`` and ``code``, ``"by_code"`` is 422 and lists ``code`` and ``message``,
        ``"bad_request"`` is 400 with the list of ``"by_code"``. The API has the first two, for other calls.
    :param user_validation_errors: the same for the ``/user_management`` calls.
    :param unknown_properties: what happens to a property of the body that the call does not have. The official
        Go SDK up to 6.5 sends one, so the default is ``"ignored"``; ``"refused"`` finds a misspelt name. An unknown
        query parameter is refused in any case, as the API does.
    :param number_as_code: ``"refused"`` or ``"read"``, for a code that is a JSON number.
    :param idempotency_key: what an ``Idempotency-Key`` does. WorkOS documents it for other calls only: ``"ignored"``.
        ``"honoured"``: a POST with a key that was there before gets the response of that one, and does nothing; with
        another body it is refused. Keys are not in the state file.
    :param routes_of_2022: whether ``/auth/factors/challenge`` and ``/auth/factors/verify`` are there, with the ids in
        the body.
    :param users: which users exist. ``"any"``: every id is a user, whose address is ``<id>@example.com`` unless a seed
        has another; ``"seeded"``: only the users of a seed, any other gets 404.
    :param list_order: how a user's factors are listed where the call has no ``order``; the first two are newest first.
        ``"normal"``: ``before`` leads to older factors and ``after`` to newer ones, so that a first page names
        ``before`` where there is more; ``"desc"``: the other way round, as with the calls that say ``order=desc``;
        ``"asc"``: oldest first.
    :param team_name: the issuer where ``create_user_auth_factor`` gives none.
    :param enrolled_factors_listed: whether a factor that ``/auth/factors/enroll`` made with a ``user_id`` is in that
        user's list.
    :param unverified_factors_listed: whether a factor is in its user's list before its first right code.
    :param max_factors_per_user: more are refused. None for no limit.
    :raises ValueError: if a setting has a value that it can't have.
    """

    max_wrong_codes: int | None = 5
    wrong_codes_counted_per: Literal["challenge", "factor"] = "challenge"
    lock_refuses_right_code: bool = True
    lock_ends_after: int | None = None
    malformed_code: Literal["invalid", "refused"] = "invalid"
    malformed_codes_counted: bool = True

    totp_window_back: int = 1
    totp_window_ahead: int = 1
    reused_totp_code: Literal["invalid", "refused", "accepted"] = "invalid"
    older_totp_code: Literal["accepted", "as_reused"] = "accepted"
    totp_expires_at_sent: bool = True
    totp_challenges_expire: bool = True
    totp_uri: Literal["short", "full"] = "short"

    new_challenge_cancels_older: bool = False
    cancelled_challenge_reply: Literal["expired", "not_found", "invalid"] = "expired"
    deleted_factor_reply: Literal["challenge_not_found", "factor_not_found", "invalid"] = "challenge_not_found"

    default_sms_text: str = "Your one-time code is {{code}}."
    template_needs_code: bool = True
    template_without_sms: Literal["ignored", "refused"] = "ignored"
    non_us_numbers: Literal["accepted", "refused"] = "accepted"
    phone_punctuation: Literal["refused", "dropped"] = "refused"
    sms_rate_limit: int | None = None
    retry_after: int | None = None

    validation_errors: Literal["by_field", "by_code", "bad_request"] = "by_field"
    user_validation_errors: Literal["by_field", "by_code", "bad_request"] = "by_field"
    unknown_properties: Literal["ignored", "refused"] = "ignored"
    number_as_code: Literal["refused", "read"] = "refused"
    idempotency_key: Literal["ignored", "honoured"] = "ignored"
    routes_of_2022: Literal["served", "gone"] = "served"

    users: Literal["any", "seeded"] = "any"
    list_order: Literal["normal", "desc", "asc"] = "normal"
    team_name: str = "WorkOS Emulator"
    enrolled_factors_listed: bool = True
    unverified_factors_listed: bool = True
    max_factors_per_user: int | None = None

    def __attrs_post_init__(self) -> None:
        for name, kind in _KINDS.items():
            if not _fits(getattr(self, name), kind, _LEAST.get(name, 0)):
                raise ValueError(f"{name} takes {_words(name)}")

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Settings:
        """The settings of a file, such as ``workos-mfa calibrate`` writes: a JSON object of names and values.

        :param path: the file. What it leaves out has its default.
        :raises OSError: if it can't be read.
        :raises ValueError: if it is something else, or a setting can't have its value; the text names the file.
        """
        return settings_from(_values_in(path, Path(path)), place=f"{os.fspath(path)}: ")


class SettingsDict(TypedDict, total=False):
    """The same fields, for type checkers: as arguments they may each be left out."""

    max_wrong_codes: int | None
    wrong_codes_counted_per: Literal["challenge", "factor"]
    lock_refuses_right_code: bool
    lock_ends_after: int | None
    malformed_code: Literal["invalid", "refused"]
    malformed_codes_counted: bool
    totp_window_back: int
    totp_window_ahead: int
    reused_totp_code: Literal["invalid", "refused", "accepted"]
    older_totp_code: Literal["accepted", "as_reused"]
    totp_expires_at_sent: bool
    totp_challenges_expire: bool
    totp_uri: Literal["short", "full"]
    new_challenge_cancels_older: bool
    cancelled_challenge_reply: Literal["expired", "not_found", "invalid"]
    deleted_factor_reply: Literal["challenge_not_found", "factor_not_found", "invalid"]
    default_sms_text: str
    template_needs_code: bool
    template_without_sms: Literal["ignored", "refused"]
    non_us_numbers: Literal["accepted", "refused"]
    phone_punctuation: Literal["refused", "dropped"]
    sms_rate_limit: int | None
    retry_after: int | None
    validation_errors: Literal["by_field", "by_code", "bad_request"]
    user_validation_errors: Literal["by_field", "by_code", "bad_request"]
    unknown_properties: Literal["ignored", "refused"]
    number_as_code: Literal["refused", "read"]
    idempotency_key: Literal["ignored", "honoured"]
    routes_of_2022: Literal["served", "gone"]
    users: Literal["any", "seeded"]
    list_order: Literal["normal", "desc", "asc"]
    team_name: str
    enrolled_factors_listed: bool
    unverified_factors_listed: bool
    max_factors_per_user: int | None


# When the module is loaded, since the class says later on that it is from the package.
_KINDS: Mapping[str, object] = get_type_hints(Settings)


def check_names(given: Iterable[str], *others: str) -> None:
    """Raise a TypeError if one is no setting; it names the nearest, and all that there are.

    :param others: what else could have been given in the same place.
    """
    possible = [*others, *_KINDS]
    for name in given:
        if name not in possible:
            nearest = difflib.get_close_matches(name, possible, 1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
            raise TypeError(f"there is no setting {name!r}{hint} There are: {', '.join(possible)}")


def settings_from(values: Mapping[str, object], others: Settings | None = None, place: str = "") -> Settings:
    """The settings that have these values, by their names.

    :param others: where the other ones are taken from; None for the defaults.
    :param place: where the values come from, which begins the text of an error.
    :raises ValueError: if there is no such setting, or it does not take the value; the text says what it takes.
    """
    try:
        for name in values:
            _kind(name)
        return cast("Callable[..., Settings]", attrs.evolve)(others or Settings(), **values)
    except ValueError as error:
        problem = str(error)
    raise ValueError(f"{place}{problem}")


def _values_in(shown: str | os.PathLike[str], path: Path) -> Mapping[str, object]:
    try:
        values: object = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ValueError(f"{os.fspath(shown)}: a settings file is a JSON object of settings and their values")  # noqa: TRY004  (it comes from JSON)
    return cast("dict[str, object]", values)


def value_in(name: str, text: str) -> object:
    """The value in a text, such as ``3`` or ``none``; :func:`settings_from` says if the setting takes it."""
    if _fits(text, _kind(name), 0):
        return text
    # In lower case, since a setting that is no text takes nothing else, and Python writes True.
    written = text.lower()
    try:
        return json.loads("null" if written == "none" else written)
    except (ValueError, RecursionError):
        return text


def listed() -> str:
    """All settings for people, each with its default, what it takes and what it means."""
    meanings = dict(_MEANING.findall(inspect.cleandoc(Settings.__doc__ or "")))
    lines: list[str] = []
    for name, default in attrs.asdict(Settings()).items():
        meaning = " ".join(meanings.get(name, "").replace("``", "").split())
        shown = "none" if default is None else default if isinstance(default, str) else json.dumps(default)
        lines += [
            f"  {name}={shown}  ({_words(name)})",
            textwrap.indent(textwrap.fill(meaning, width=94), " " * 6),
        ]
    return "\n".join(lines)


def _kind(name: str) -> object:
    if name in _KINDS:
        return _KINDS[name]
    near = difflib.get_close_matches(name.lower(), _KINDS, 1)
    hint = f"did you mean {near[0]}?" if near else "workos-mfa emulate --help lists them all."
    raise ValueError(f"there is no setting {name!r}; {hint}")


def _fits(value: object, kind: object, least: int) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    # By the exact type, since True is an int in Python and ``max_wrong_codes=True`` is a mistake.
    if type(value) not in (get_args(kind) or (kind,)):
        return False
    return not isinstance(value, int) or isinstance(value, bool) or least <= value <= _GREATEST


def _words(name: str) -> str:
    kind = _KINDS[name]
    number = f"a whole number from {_LEAST.get(name, 0)} to {_GREATEST}"
    words: Mapping[object, str] = {bool: "true or false", int: number, str: "a text", type(None): "none"}
    return " or ".join(words.get(part, str(part)) for part in get_args(kind) or (kind,))

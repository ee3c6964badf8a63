"""What nobody outside WorkOS knows about the API, as settings: each with a default that says our guess.

Where the API's behaviour is known there is no setting for it. A default is the stricter reading where
the two are equally likely, so that an app that works here is not surprised there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict, cast, get_args, get_origin, get_type_hints

import attrs


def _copied(users: Mapping[str, str] | None) -> Mapping[str, str] | None:
    return dict(users) if isinstance(users, Mapping) else users


_LEAST = {"max_wrong_codes": 1, "max_totp_name": 1, "sms_rate_limit": 1, "max_factors_per_user": 1}
"""The least value of a number where it is not 0."""

_TOO_MUCH = 1_000_000_000


@attrs.frozen(kw_only=True)
class Settings:
    """How the emulator behaves where the real API's behaviour is not published.

    Wrong codes:

    :param max_wrong_codes: how many wrong codes are answered ``valid: false``; whatever comes after them
        is answered 400 ``one_time_code_too_many_attempts``. None for no limit.
    :param wrong_codes_counted_per: ``"challenge"``: a new challenge starts at zero; ``"factor"``: all
        challenges of a factor count together, until one is verified. A factor that has reached the limit
        then stays locked, unless ``lock_refuses_right_code`` is False.
    :param lock_refuses_right_code: whether the right code is refused too, once there were too many.

    TOTP:

    :param totp_window: how many steps of 30 seconds before and after the present one are accepted.
    :param reused_totp_code: the answer to a code that the factor has accepted before: ``"invalid"`` is
        201 with ``valid: false`` and counts as a wrong code; ``"refused"`` is 400
        ``one_time_code_previously_used`` and does not count.
    :param totp_expires_at_sent: whether a challenge of a TOTP factor carries ``expires_at``.
    :param totp_challenges_expire: whether a challenge of a TOTP factor ends after ten minutes.
    :param totp_uri: the ``otpauth://`` URI of ``/auth/factors/enroll``: ``"short"`` names secret and
        issuer, ``"full"`` algorithm, digits and period too, as the user management call does.
    :param totp_uri_escapes_at: whether ``@`` is written ``%40`` in the URI.
    :param max_totp_name: the greatest length of ``totp_issuer`` and of ``totp_user``, in characters.
    :param quiet_zone: the white border of the QR code, in modules of 16 pixels. Recorded answers had
        none, which a phone scans only if the page around it is white; 4 is what the QR standard asks for.

    Challenges:

    :param new_challenge_cancels_older: whether only a factor's newest challenge can be verified; an older
        one is answered as if it had expired.
    :param deleted_factor_reply: the answer to verifying a challenge whose factor is deleted: 404 for the
        challenge, 404 for the factor, or 201 with ``valid: false``. It is never verified.
    :param challenge_not_found_text: the message of a 404 for a challenge; ``{id}`` stands for its id.

    Text messages:

    :param default_sms_text: the text where a challenge has no ``sms_template``.
    :param template_needs_code: whether an ``sms_template`` without ``{{code}}`` is refused.
    :param template_without_sms: what happens to an ``sms_template`` for a factor of another type.
    :param non_us_numbers: whether numbers outside +1 get text messages.
    :param phone_punctuation: ``"refused"``: digits only, with or without ``+``; ``"dropped"``: spaces,
        hyphens, dots and brackets in a number are taken out first.
    :param sms_rate_limit: how many messages one number gets in ``sms_rate_window`` before the answer is
        429 ``sms_challenge_rate_limited``. None for no limit.
    :param sms_rate_window: in seconds.
    :param sms_quota: how many messages are sent in all before the answer is 429
        ``sms_challenge_quota_reached``. None for no limit.
    :param retry_after: seconds that a 429 names in ``Retry-After``. None for no such header.

    Validation:

    :param validation_status: the status where a property is missing or of the wrong kind.
    :param validation_errors: the shape of that answer: ``"by_field"`` lists ``field`` and ``code``,
        ``"by_code"`` lists ``code`` and ``message``; the API uses both, for other calls.
    :param unreadable_status: the status where the body is not a JSON object at all.
    :param unknown_properties: what happens to a property of the body that the call does not have. The official
        Go SDK up to 6.5 sends one, so the default is ``"ignored"``; ``"refused"`` finds a misspelt name. An unknown
        query parameter is refused in any case, as the API does.
    :param number_as_code: ``"refused"`` or ``"read"``, for a code that is a JSON number.

    Users and lists:

    :param users: the users that exist, ids to e-mail addresses; any other is answered 404. None: every id
        is a user, whose address is ``<id>@example.com``.
    :param list_order: how a user's factors are listed where the call has no ``order``; both are newest first.
        ``"normal"``: ``before`` leads to older factors and ``after`` to newer ones, so that a first page names
        ``before`` where there is more; ``"desc"``: the other way round, as with the calls that say ``order=desc``.
    :param team_name: the issuer where ``create_user_auth_factor`` gives none.
    :param enrolled_factors_listed: whether a factor that ``/auth/factors/enroll`` made with a ``user_id``
        is in that user's list.
    :param unverified_factors_listed: whether a factor is in its user's list before its first right code.
    :param max_factors_per_user: more are refused. None for no limit.

    Others:

    :param delete_status: the status of a deletion; the API declares both.
    :param legacy_routes: whether ``/auth/factors/challenge`` and ``/auth/factors/verify`` of 2022 are
        served; if not they are answered 501 like any route that the emulator does not have.

    :raises ValueError: if a setting has a value that it can't have.
    """

    max_wrong_codes: int | None = 5
    wrong_codes_counted_per: Literal["challenge", "factor"] = "challenge"
    lock_refuses_right_code: bool = True

    totp_window: int = 1
    reused_totp_code: Literal["invalid", "refused"] = "invalid"
    totp_expires_at_sent: bool = True
    totp_challenges_expire: bool = True
    totp_uri: Literal["short", "full"] = "short"
    totp_uri_escapes_at: bool = False
    max_totp_name: int = 255
    quiet_zone: int = 4

    new_challenge_cancels_older: bool = False
    deleted_factor_reply: Literal["challenge_not_found", "factor_not_found", "invalid"] = "challenge_not_found"
    challenge_not_found_text: str = "Authentication Challenge not found: '{id}'."

    default_sms_text: str = "Your one-time code is {{code}}."
    template_needs_code: bool = True
    template_without_sms: Literal["ignored", "refused"] = "ignored"
    non_us_numbers: Literal["accepted", "refused"] = "accepted"
    phone_punctuation: Literal["refused", "dropped"] = "refused"
    sms_rate_limit: int | None = None
    sms_rate_window: float = 60.0
    sms_quota: int | None = None
    retry_after: int | None = None

    validation_status: Literal[422, 400] = 422
    validation_errors: Literal["by_field", "by_code"] = "by_field"
    unreadable_status: Literal[400, 422] = 400
    unknown_properties: Literal["ignored", "refused"] = "ignored"
    number_as_code: Literal["refused", "read"] = "refused"

    users: Mapping[str, str] | None = attrs.field(default=None, converter=_copied, hash=False)
    list_order: Literal["normal", "desc"] = "normal"
    team_name: str = "WorkOS Emulator"
    enrolled_factors_listed: bool = True
    unverified_factors_listed: bool = True
    max_factors_per_user: int | None = None

    delete_status: Literal[204, 200] = 204
    legacy_routes: bool = False

    def __attrs_post_init__(self) -> None:
        # With this module's names, since the class says that it is from the package.
        for name, kind in get_type_hints(Settings, globals()).items():
            value: object = getattr(self, name)
            least = _LEAST.get(name, 0)
            if not (_are_users(value) if name == "users" else _fits(value, kind, least)):
                note = f", numbers of at least {least}" if "int" in self.__annotations__[name] else ""
                raise ValueError(f"{name} is {value!r}, but takes {self.__annotations__[name]}{note}")


class SettingsDict(TypedDict, total=False):
    """The same fields, for type checkers: as arguments they may each be left out."""

    max_wrong_codes: int | None
    wrong_codes_counted_per: Literal["challenge", "factor"]
    lock_refuses_right_code: bool

    totp_window: int
    reused_totp_code: Literal["invalid", "refused"]
    totp_expires_at_sent: bool
    totp_challenges_expire: bool
    totp_uri: Literal["short", "full"]
    totp_uri_escapes_at: bool
    max_totp_name: int
    quiet_zone: int

    new_challenge_cancels_older: bool
    deleted_factor_reply: Literal["challenge_not_found", "factor_not_found", "invalid"]
    challenge_not_found_text: str

    default_sms_text: str
    template_needs_code: bool
    template_without_sms: Literal["ignored", "refused"]
    non_us_numbers: Literal["accepted", "refused"]
    phone_punctuation: Literal["refused", "dropped"]
    sms_rate_limit: int | None
    sms_rate_window: float
    sms_quota: int | None
    retry_after: int | None

    validation_status: Literal[422, 400]
    validation_errors: Literal["by_field", "by_code"]
    unreadable_status: Literal[400, 422]
    unknown_properties: Literal["ignored", "refused"]
    number_as_code: Literal["refused", "read"]

    users: Mapping[str, str] | None
    list_order: Literal["normal", "desc"]
    team_name: str
    enrolled_factors_listed: bool
    unverified_factors_listed: bool
    max_factors_per_user: int | None

    delete_status: Literal[204, 200]
    legacy_routes: bool


def check_names(given: Iterable[str], *others: str) -> None:
    """Make sure that there are settings of these names.

    :param others: what else there is where they were given, for the text.
    :raises TypeError: if there is none; the text has the nearest that there is, and all.
    """
    possible = [*others, *(field.name for field in attrs.fields(Settings))]
    for name in given:
        if name not in possible:
            nearest = difflib.get_close_matches(name, possible, 1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
            raise TypeError(f"there is no setting {name!r}{hint} There are: {', '.join(possible)}")


def _are_users(value: object) -> bool:
    if not isinstance(value, Mapping):
        return value is None
    pairs = cast("Mapping[object, object]", value).items()
    return all(isinstance(user_id, str) and isinstance(email, str) for user_id, email in pairs)


def _fits(value: object, kind: object, least: int) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    kinds = get_args(kind) or (kind,)
    if float in kinds:
        kinds = (*kinds, int)
    # By the exact type, since True is an int in Python and ``max_wrong_codes=True`` is a mistake.
    if type(value) not in kinds:
        return False
    return not isinstance(value, (int, float)) or least <= value < _TOO_MUCH

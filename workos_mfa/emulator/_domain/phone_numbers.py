"""Phone numbers with a behaviour of their own, so that a test can choose what happens by the number it uses.

=====================================  ==============================================================
number                                 what happens
=====================================  ==============================================================
``+1 NXX 555 0100`` to ``...0199``     text messages are sent; the code is always 424242
``+15005550001``                       enrolment is refused: 422 ``invalid_phone_number``
``+15005550008``                       a challenge is refused: 429 ``sms_challenge_rate_limited``
``+15005550009``                       a challenge is refused: 429 ``sms_challenge_quota_reached``
any other, such as ``+15005550006``    text messages are sent; the code is random
=====================================  ==============================================================

NXX is any area code, such as 201; nobody has a number of that range, which is kept for fiction.
"""

from __future__ import annotations

import re

from workos_mfa.emulator._settings import Settings

PLACEHOLDER = "{{code}}"
"""What stands for the code in the text of a message."""

FIXED_CODE = "424242"
"""The code of every challenge of a number such as :data:`FIXED_CODE_NUMBER`."""

FIXED_CODE_NUMBER = "+12015550100"
"""One of the numbers whose code is always :data:`FIXED_CODE`: +1, any area code, 555 0100 to 555 0199."""

ORDINARY_NUMBER = "+15005550006"
"""A number without a behaviour of its own, the example of the API's documentation."""

INVALID_NUMBER = "+15005550001"
"""Enrolling this number is refused with 422 ``invalid_phone_number``."""

RATE_LIMITED_NUMBER = "+15005550008"
"""A challenge of this number is refused with 429 ``sms_challenge_rate_limited``."""

QUOTA_REACHED_NUMBER = "+15005550009"
"""A challenge of this number is refused with 429 ``sms_challenge_quota_reached``."""

_FICTION = re.compile(r"\+1[2-9][0-9]{2}55501[0-9]{2}")
_PUNCTUATION = re.compile(r"[ ().-]")
_US_NATIONAL = re.compile(r"1?([2-9][0-9]{9})")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_US_E164 = re.compile(r"\+1[2-9][0-9]{9}")


def has_fixed_code(number: str) -> bool:
    return _FICTION.fullmatch(number) is not None


def normalised_phone(number: str, settings: Settings) -> str | None:
    """The number in E.164 form, or None if text messages can't be sent to it.

    US numbers of ten digits get a ``+1``, those of eleven digits with the leading 1 get a ``+``. One number is always
    invalid.
    """
    if settings.phone_punctuation == "dropped":
        number = _PUNCTUATION.sub("", number)
    national = _US_NATIONAL.fullmatch(number)
    if national:
        number = f"+1{national[1]}"
    if number == INVALID_NUMBER:
        return None
    if number.startswith("+1") or settings.non_us_numbers == "refused":
        return number if _US_E164.fullmatch(number) else None
    return number if _E164.fullmatch(number) else None

"""The two things about text messages that the API is particular about: the number and the text."""

from __future__ import annotations

import re

from workos_mfa.emulator._domain.fields import Fields
from workos_mfa.emulator._domain.phone_numbers import INVALID_NUMBER
from workos_mfa.emulator._settings import Settings

PLACEHOLDER = "{{code}}"
"""What stands for the code in a template."""

_LONGEST_TEMPLATE = 160
_PUNCTUATION = re.compile(r"[ ().-]")
_US_NATIONAL = re.compile(r"1?([2-9][0-9]{9})")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_US_E164 = re.compile(r"\+1[2-9][0-9]{9}")
_LINK = re.compile(r"://|\b[^\W_](?:[\w-]*[^\W_])?\.[^\W\d_]{2,}\b")


def normalised_phone(number: str, settings: Settings) -> str | None:
    """The number in E.164 form, or None where text messages can't be sent to it.

    US numbers of ten digits, and of eleven with the leading 1, get their ``+1`` or ``+``; one number is always
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


def read_template(fields: Fields, settings: Settings, *, is_sms: bool) -> str | None:
    """The ``sms_template`` of a challenge, or None; what is wrong with it is noted in ``fields``."""
    name = "sms_template"
    if not is_sms:
        if fields.optional_or_empty(name) is not None and settings.template_without_sms == "refused":
            fields.object_to(name, f"{name} is for factors of type sms only")
        return None
    template = fields.optional_or_empty(name, longest=_LONGEST_TEMPLATE)
    if not template or len(template) > _LONGEST_TEMPLATE:
        return None
    if settings.template_needs_code and PLACEHOLDER not in template:
        fields.object_to(name, f"{name} must contain {PLACEHOLDER}")
    if _LINK.search(template):
        fields.object_to(name, f"{name} must not contain URLs or domain names")
    return template

"""What is refused before anything is sent.

A mistake for which the API has a puzzling error, or which it would even accept, ends here with a
sentence that says what to do. No message repeats the value.
"""

from __future__ import annotations

import re
import sys
from typing import Final, cast
from urllib.parse import quote

from workos_mfa._core.errors import InvalidInputError


class _NotChecked:
    def __repr__(self) -> str:
        return "<not checked>"


# Typed as what it stands for: a type checker then refuses None, which is how a check gets lost.
NOT_CHECKED: Final = cast("str", _NotChecked())
"""An argument that was left out, where leaving it out means no check."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# White space and hyphens of all kinds, and the unseen characters that come along when a message is copied.
_CODE_SEPARATORS = re.compile(r"[\s\-\xad\u2010-\u2015\u2212\ufe63\uff0d\u200b-\u200d\u2060\ufeff]+")
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
# The characters of a token in RFC 9110, and those of a value that every server reads alike.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t -~]*")
_HEADERS_OF_THE_CONNECTION = frozenset(
    {
        *("connection", "cookie", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    }
)
_PLACEHOLDER = "{{code}}"
_LONGEST_TEMPLATE = 160
_LONGEST_CODE = 64
_LONGEST_SECRET = 512
_LARGEST_PAGE = 100
_LONGEST_WAIT = 86_400


def identifier(parameter: str, value: object) -> str:
    """An id as it came, if it can stand in a path or a body."""
    checked = text(parameter, value)
    if checked in {".", ".."} or _CONTROL.search(checked):
        raise _refused(
            parameter,
            "is not an id: it holds a control character or is a path segment of dots; pass the .id of the object that "
            "the API returned",
        )
    return checked


def path_segment(parameter: str, value: object) -> str:
    """An id, percent-encoded so that it stays one segment of the path whatever it holds."""
    return quote(identifier(parameter, value), safe="")


def text(parameter: str, value: object) -> str:
    """A text that is not empty or blank."""
    if not isinstance(value, str):
        raise _wrong_type(parameter, "a str", value)
    if not value.strip():
        raise _refused(parameter, "is empty: pass its value")
    return value


def one_time_code(value: object) -> str:
    """A code without the spaces and hyphens that people type into it."""
    if isinstance(value, int):
        raise TypeError('code must be a str, such as "012345": an int loses leading zeros')
    if not isinstance(value, str):
        raise _wrong_type("code", "a str", value)
    code = _CODE_SEPARATORS.sub("", value)
    if not code:
        raise _refused("code", "is empty: ask the person for the code and pass it")
    if len(code) > _LONGEST_CODE:
        raise _refused("code", "is far too long to be one: ask the person for the code again")
    return code


def shared_secret(value: object) -> str:
    """A TOTP secret to be imported; whether it is good Base32 is the API's to say."""
    if not isinstance(value, str):
        raise _wrong_type("secret", "a str in Base32", value)
    if not value.strip():
        raise _refused("secret", "is empty: leave it out to get a new one")
    if len(value) > _LONGEST_SECRET:
        raise _refused("secret", f"has more than {_LONGEST_SECRET} characters: pass the secret in Base32 alone")
    return value


def phone_number(value: object) -> str:
    number = text("phone_number", value)
    if not _PHONE_NUMBER.fullmatch(number):
        raise _refused(
            "phone_number",
            'must be in E.164 form: a plus sign, the country code and the number, digits only, such as "+15005550006"',
        )
    return number


def sms_template(value: object) -> str:
    """A template that brings the code to the person and fits into one message."""
    template = text("sms_template", value)
    if _PLACEHOLDER not in template:
        raise _refused(
            "sms_template",
            "must hold {{code}}, or the message arrives without the code; inside an f-string it must be written "
            "{{{{code}}}}",
        )
    if len(template) > _LONGEST_TEMPLATE:
        raise _refused(
            "sms_template", f"has {len(template)} characters, and {_LONGEST_TEMPLATE} is the most: shorten it"
        )
    return template


def page_limit(value: object) -> str:
    """The size of a page, as it stands in the query."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type("limit", "an int", value)
    if not 1 <= value <= _LARGEST_PAGE:
        raise _refused("limit", f"must be from 1 to {_LARGEST_PAGE}")
    return str(value)


def page_order(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type("order", "a str", value)
    if value not in {"normal", "desc", "asc"}:
        raise _refused("order", 'must be "normal", "desc" or "asc"')
    return value


def header(name: object, value: object) -> None:
    """Refuse a header of a request that a server could read as something else, or that is the connection's."""
    if not isinstance(name, str) or not isinstance(value, str):
        raise _wrong_type("headers", "names and values of type str", value if isinstance(name, str) else name)
    if not _HEADER_NAME.fullmatch(name):
        raise _refused("headers", "have a name that is none: letters, digits and hyphens, and no space or colon")
    if name.lower() in _HEADERS_OF_THE_CONNECTION:
        raise _refused("headers", f"may not have {name}: it is about the connection, which is the transport's own")
    if not _HEADER_VALUE.fullmatch(value):
        raise _refused("headers", f"have a value for {name} that is not one line of printable ASCII")


def transport(parameter: str, value: object) -> None:
    """Refuse what is no transport, and say how a likely mistake is written right."""
    if is_session(value):
        raise TypeError(
            f"{parameter} is a session: give it to a transport by name, as in RequestsTransport(session=session)"
        )
    if isinstance(value, type):
        name = value.__name__
        raise TypeError(f"{parameter} is the class {name}: make one of it, as in {name}(...)")
    if not callable(getattr(value, "send", None)):
        raise TypeError(f"{parameter} must have the methods send and close: see workos_mfa.Transport")


def is_session(value: object) -> bool:
    """Whether something is a session of requests; this does not import requests."""
    return isinstance(value, getattr(sys.modules.get("requests"), "Session", ()))


def seconds(parameter: str, value: object, *, zero: bool = False) -> float:
    """A length of time that a call can keep to; a wait may be ``zero``, a limit may not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(parameter, "a number of seconds", value)
    # Written so that NaN, which is neither less nor more than anything, is refused.
    if not (0 < value <= _LONGEST_WAIT or (zero and value == 0)):
        least = "zero seconds or more" if zero else "more than zero seconds"
        raise _refused(parameter, f"must be {least} and at most a day; leave it out for the default")
    return float(value)


def attempts(parameter: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(parameter, "an int", value)
    if value < 1:
        raise _refused(parameter, "must be at least 1, which means no repetition")
    return value


def _refused(parameter: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"{parameter} {why}", parameter=parameter)


def _wrong_type(parameter: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{parameter} must be {expected}, not {'None' if value is None else type(value).__name__}")

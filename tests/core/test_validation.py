"""What is refused before anything is sent: how, in which words, and that nothing was sent."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.operations import CALLS, CHALLENGE_ID, FACTOR_ID, PHONE_NUMBER, USER_ID, VERIFY_CHALLENGE, Call
from workos_mfa import MFA, InvalidInputError, RetryPolicy, UnprocessableEntityError
from workos_mfa.testing import StubTransport, json_response

# Callers without a type checker pass what they like, so what is called here is not typed.
AnyCall = Callable[[object, object], object]


@attrs.frozen
class Parameter:
    """A parameter of a call, and how to pass it a value of any type."""

    label: str
    name: str
    call: AnyCall

    def __str__(self) -> str:
        return self.label


def parameter(method: str, name: str, **others: object) -> Parameter:
    """The parameter of a method, with right values for the others."""
    return Parameter(f"{method} {name}", name, lambda mfa, value: getattr(mfa, method)(**{name: value}, **others))


CODE = parameter("verify_challenge", "code", authentication_challenge_id=CHALLENGE_ID)
TEMPLATE = parameter("challenge_factor", "sms_template", authentication_factor_id=FACTOR_ID)
PHONE = parameter("enroll_factor", "phone_number", type="sms")
TYPE = parameter("enroll_factor", "type")
LIMIT = parameter("list_user_auth_factors", "limit", user_id=USER_ID)
ORDER = parameter("list_user_auth_factors", "order", user_id=USER_ID)
SECRET = parameter("create_user_auth_factor", "secret", user_id=USER_ID)
REQUIRED_IDS = [
    parameter("challenge_factor", "authentication_factor_id"),
    parameter("verify_challenge", "authentication_challenge_id", code="897792"),
    parameter("get_factor", "authentication_factor_id"),
    parameter("delete_factor", "authentication_factor_id"),
    parameter("create_user_auth_factor", "user_id"),
    parameter("list_user_auth_factors", "user_id"),
    parameter("verify_challenge", "expected_factor_id", authentication_challenge_id=CHALLENGE_ID, code="897792"),
]
IDS = [
    *REQUIRED_IDS,
    parameter("enroll_factor", "user_id", type="generic_otp"),
    parameter("list_user_auth_factors", "before", user_id=USER_ID),
    parameter("list_user_auth_factors", "after", user_id=USER_ID),
]
TEXTS = [
    parameter("enroll_factor", "issuer", type="totp", user="alan.turing@example.com"),
    parameter("enroll_factor", "user", type="totp", issuer="Foo Corp"),
    parameter("create_user_auth_factor", "issuer", user_id=USER_ID),
    parameter("create_user_auth_factor", "user", user_id=USER_ID),
]
EVERY_PARAMETER = [*IDS, *TEXTS, CODE, TEMPLATE, PHONE, TYPE, LIMIT, ORDER, SECRET]


def untyped(mfa: object) -> Callable[..., object]:
    """``enroll_factor`` for callers without a type checker."""
    enroll: Callable[..., object] = vars(MFA)["enroll_factor"]
    return functools.partial(enroll, mfa)


def refused(parameter: Parameter, value: object) -> Exception:
    """The error that a value of a parameter raises, where it raises one and nothing was sent."""
    stub = StubTransport(lambda _: VERIFY_CHALLENGE.success)
    with pytest.raises((InvalidInputError, TypeError)) as caught:
        parameter.call(MFA(transport=stub), value)
    assert stub.requests == []
    return caught.value


BLANK = ["", " ", "\t\n", "\u00a0", "\u3000"]
# What could lead to another place (percent-encoding does not change a dot segment), end a line, or not be encoded.
UNUSABLE = "\x00\t\n\r\x1b\x1f\x7f\x80\x85\x9f\u2028\u2029\ud800\udfff"
NO_IDS = [
    ".",
    "..",
    *(text.replace("X", each) for each in UNUSABLE for text in ("auth_Xfactor", "Xauth_factor", "auth_factorX")),
]
NO_PHONE_NUMBERS = [
    "5005550006", "15005550006", "0015005550006", "+0005550006", "+123456", "+1234567890123456", "+1 500 555 0006",
    "+1-500-555-0006", "+1(500)5550006", "++15005550006", "+15005550006\n", " +15005550006", "+15005550006 ext. 1",
    "+1500555000x", "\uff0b15005550006", "+\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "+1500555000\u0666", "+",
]  # fmt: skip
NO_TEMPLATES = ["Your code is {code}", "Your code is {{ code }}", "Your code is", "{{CODE}}", "{{code}", "%s"]
NOT_AN_ID = (
    "is not an id: it holds a control character or is a path segment of dots; "
    "pass the .id of the object that the API returned"
)
NOT_E164 = 'must be in E.164 form: a plus sign, the country code and the number, digits only, such as "+15005550006"'
NO_PLACEHOLDER = (
    "must hold {{code}}, or the message arrives without the code; inside an f-string it must be written {{{{code}}}}"
)

REFUSED: list[tuple[Parameter, list[Any], str]] = [
    *[(each, BLANK, "is empty: pass its value") for each in (*IDS, *TEXTS, TEMPLATE)],
    *[(each, NO_IDS, NOT_AN_ID) for each in IDS],
    # A form that was sent without a code is caught here, without an attempt being counted.
    (CODE, ["", " ", "-", " - ", "\u2013\u00a0\n"], "is empty: ask the person for the code and pass it"),
    (CODE, ["1 " * 65], "is far too long to be one: ask the person for the code again"),
    (SECRET, BLANK, "is empty: leave it out to get a new one"),
    (SECRET, ["A" * 513], "has more than 512 characters: pass the secret in Base32 alone"),
    (TEMPLATE, NO_TEMPLATES, NO_PLACEHOLDER),
    (
        TEMPLATE,
        ["{{code}}".ljust(161, "x"), "é" * 153 + "{{code}}"],
        "has 161 characters, and 160 is the most: shorten it",
    ),
    (PHONE, NO_PHONE_NUMBERS, NOT_E164),
    (TYPE, ["TOTP", "webauthn", "", "totp ", "generic"], 'must be "totp", "sms" or "generic_otp"'),
    (LIMIT, [0, -1, 101, 10**9], "must be from 1 to 100"),
    (ORDER, ["", "ascending", "DESC", "asc "], 'must be "normal", "desc" or "asc"'),
]


@pytest.mark.parametrize(
    ("parameter", "values", "problem"), REFUSED, ids=[f"{parameter} {problem}" for parameter, _, problem in REFUSED]
)
def test_a_value_that_cannot_be_right_is_refused(parameter: Parameter, values: list[Any], problem: str) -> None:
    """For what it is, with what to do."""
    for value in values:
        error = refused(parameter, value)
        assert isinstance(error, InvalidInputError)
        assert error.parameter == parameter.name
        assert str(error) == f"{parameter.name} {problem}"


def test_the_longest_code_and_secret_are_sent() -> None:
    """However a code is spaced."""
    stub = StubTransport(lambda _: json_response(422, {}))
    mfa = MFA(transport=stub)
    with pytest.raises(UnprocessableEntityError):
        mfa.verify_challenge(CHALLENGE_ID, code="- 1" * 64)
    with pytest.raises(UnprocessableEntityError):
        mfa.create_user_auth_factor(USER_ID, secret="A" * 512)
    assert [request.json for request in stub.requests] == [
        {"code": "1" * 64},
        {"type": "totp", "totp_secret": "A" * 512},
    ]


@pytest.mark.parametrize("value", [123456, 12345, 0, True])
def test_a_code_is_no_number(value: int) -> None:
    """As an int, "012345" is another code, so that one in ten would fail."""
    error = refused(CODE, value)
    assert type(error) is TypeError
    assert str(error) == 'code must be a str, such as "012345": an int loses leading zeros'


@pytest.mark.parametrize("parameter", [each for each in EVERY_PARAMETER if each is not LIMIT], ids=str)
def test_what_is_no_text_is_a_type_error(parameter: Parameter) -> None:
    """Nothing is turned into text in silence; the error names the parameter and what it must be."""
    for value in (7, 7.5, True, b"bytes", ["a"], object(), math.nan):
        error = refused(parameter, value)
        assert type(error) is TypeError
        assert str(error).startswith(f"{parameter.name} must be a str")


@pytest.mark.parametrize(
    ("parameter", "values", "expected"),
    [*[(each, [None], "a str") for each in (*REQUIRED_IDS, CODE, ORDER)], (LIMIT, ["10", 10.0, True, [10]], "an int")],
    ids=str,
)
def test_a_value_of_another_type_is_named_by_its_type(
    parameter: Parameter, values: list[object], expected: str
) -> None:
    """None is what a lookup gives that found nothing, and a bool is an int to Python and a mistake here."""
    for value in values:
        error = refused(parameter, value)
        assert type(error) is TypeError
        kind = "None" if value is None else type(value).__name__
        assert str(error) == f"{parameter.name} must be {expected}, not {kind}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": "totp"}, 'a factor of type "totp" needs issuer and user'),
        ({"type": "totp", "issuer": "Foo"}, 'a factor of type "totp" needs user'),
        ({"type": "totp", "user": "alan"}, 'a factor of type "totp" needs issuer'),
        ({"type": "totp", "issuer": "Foo", "user": None}, 'a factor of type "totp" needs user'),
        ({"type": "sms"}, 'a factor of type "sms" needs phone_number'),
        ({"type": "sms", "issuer": "Foo"}, 'a factor of type "sms" needs phone_number'),
        (
            {"type": "sms", "phone_number": PHONE_NUMBER, "issuer": "Foo"},
            'a factor of type "sms" has no issuer: leave it out',
        ),
        (
            {"type": "totp", "issuer": "Foo", "user": "alan", "phone_number": PHONE_NUMBER},
            'a factor of type "totp" has no phone_number: leave it out',
        ),
        (
            {"type": "generic_otp", "user": "alan", "issuer": "Foo", "phone_number": PHONE_NUMBER},
            'a factor of type "generic_otp" has no issuer and no phone_number and no user: leave it out',
        ),
        ({"type": None}, 'type must be a str: "totp", "sms" or "generic_otp"'),
    ],
)
def test_arguments_go_with_the_type(arguments: dict[str, object], message: str) -> None:
    """What a type needs is there, and what it has no use for is not sent along."""
    everything = Parameter("enroll_factor", "", lambda mfa, _: untyped(mfa)(**arguments))
    error = refused(everything, None)
    assert type(error) is TypeError
    assert str(error) == message


@pytest.mark.parametrize("parameter", EVERY_PARAMETER, ids=str)
@pytest.mark.parametrize("value", ["SENTINEL\n\ud800".ljust(170), b"SENTINEL", {"SENTINEL": 1}], ids=ascii)
def test_no_refusal_repeats_the_value(parameter: Parameter, value: object) -> None:
    """What was passed by mistake may be a secret that belongs elsewhere."""
    if isinstance(value, str) and parameter in (*TEXTS, CODE, SECRET):
        value = [value]
    error = refused(parameter, value)
    assert "SENTINEL" not in repr((str(error), error, vars(error)))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_calls_of_these_tests_are_right(call: Call) -> None:
    """What is refused above is refused for its value, not for its company."""
    call.result_of(call.success)


def test_a_wait_may_be_no_time_at_all() -> None:
    """A limit may not."""
    assert RetryPolicy(backoff=0).backoff == 0
    with pytest.raises(InvalidInputError) as caught:
        RetryPolicy(backoff=-1)
    assert caught.value.args == (
        "backoff must be zero seconds or more and at most a day; leave it out for the default",
    )

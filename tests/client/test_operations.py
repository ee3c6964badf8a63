"""What each call sends, with literals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs
import pytest

from tests.operations import (
    CALLS,
    CHALLENGE_FACTOR,
    CREATE_USER_FACTOR,
    ENROLL_GENERIC,
    ENROLL_SMS,
    ENROLL_TOTP,
    FACTOR_ID,
    LIST_USER_FACTORS,
    USER_ID,
    VERIFY_CHALLENGE,
    Call,
)
from workos_mfa import MFA, MFAError, Request, Response
from workos_mfa.testing import StubTransport


def sent_by(make: Callable[[MFA], object]) -> Request:
    """The one request of a call, whatever became of it."""
    stub = StubTransport(lambda _: Response(418))
    with pytest.raises(MFAError):
        make(MFA(transport=stub))
    (request,) = stub.requests
    return request


def with_more(call: Call, arguments: dict[str, object], sends: dict[str, object]) -> Call:
    """The call with all that it can be given, and what it sends then."""
    arguments = {**call.arguments, **arguments}
    return attrs.evolve(call, label=f"{call} with all", arguments=arguments, sends={**(call.sends or {}), **sends})


WITH_ALL = [
    with_more(ENROLL_TOTP, {"user_id": USER_ID}, {"user_id": USER_ID}),
    with_more(ENROLL_SMS, {"user_id": USER_ID}, {"user_id": USER_ID}),
    with_more(ENROLL_GENERIC, {"user_id": USER_ID}, {"user_id": USER_ID}),
    with_more(CHALLENGE_FACTOR, {"sms_template": "Foo: {{code}}"}, {"sms_template": "Foo: {{code}}"}),
    with_more(VERIFY_CHALLENGE, {"expected_factor_id": FACTOR_ID}, {}),
    with_more(CREATE_USER_FACTOR, {"issuer": "Foo", "user": "alan"}, {"totp_issuer": "Foo", "totp_user": "alan"}),
    with_more(
        LIST_USER_FACTORS,
        {"limit": 100, "before": "a", "after": "b", "order": "asc"},
        {"limit": "100", "before": "a", "after": "b", "order": "asc"},
    ),
]


@pytest.mark.parametrize("call", [*CALLS, *WITH_ALL], ids=str)
def test_each_call_sends_this(call: Call) -> None:
    """Method, path, route, query, body, replay and limits, all of them."""
    assert sent_by(call.make) == call.request


def test_a_factor_of_a_user_needs_no_secret() -> None:
    """The API makes one."""
    assert sent_by(lambda mfa: mfa.create_user_auth_factor(USER_ID)).json == {"type": "totp"}


@pytest.mark.parametrize(
    ("id", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("../other", "..%2Fother"),
        ("...", "..."),
        ("..a", "..a"),
        ("%2e%2e", "%252e%252e"),
        ("a?b=c&d", "a%3Fb%3Dc%26d"),
        ("a#b", "a%23b"),
        ("a\\b", "a%5Cb"),
        ("a;b:c@d", "a%3Bb%3Ac%40d"),
        ("a b+c", "a%20b%2Bc"),
        (" a ", "%20a%20"),
        ("é", "%C3%A9"),
        ("\U0001f511", "%F0%9F%94%91"),
        ("\u2215", "%E2%88%95"),
        ("a~b-c_d.e", "a~b-c_d.e"),
    ],
)
def test_an_id_stays_one_segment_of_the_path(id: str, segment: str) -> None:
    """Whatever an id holds, it can't lead to another route, add a query or end the path."""
    assert sent_by(lambda mfa: mfa.get_factor(id)).path == f"/auth/factors/{segment}"
    assert sent_by(lambda mfa: mfa.delete_factor(id)).path == f"/auth/factors/{segment}"
    assert sent_by(lambda mfa: mfa.challenge_factor(id)).path == f"/auth/factors/{segment}/challenge"
    assert sent_by(lambda mfa: mfa.verify_challenge(id, code="1")).path == f"/auth/challenges/{segment}/verify"
    for request in (
        sent_by(lambda mfa: mfa.create_user_auth_factor(id)),
        sent_by(lambda mfa: mfa.list_user_auth_factors(id)),
    ):
        assert request.path == f"/user_management/users/{segment}/auth_factors"


@pytest.mark.parametrize("id", ["a/b", "é", "a b&c=d"])
def test_an_id_in_a_body_or_a_query_stays_as_it_is(id: str) -> None:
    """Only a path needs the encoding here; the query is encoded by whoever writes the URL."""
    assert sent_by(lambda mfa: mfa.enroll_factor(type="generic_otp", user_id=id)).json == {
        "type": "generic_otp",
        "user_id": id,
    }
    assert sent_by(lambda mfa: mfa.list_user_auth_factors("u", before=id, after=id)).query == {
        "before": id,
        "after": id,
        "order": "desc",
    }


SEPARATORS = {
    "space": " ",
    "tab": "\t",
    "line break": "\r\n",
    "no-break space": "\u00a0",
    "narrow no-break space": "\u202f",
    "figure space": "\u2007",
    "thin space": "\u2009",
    "ideographic space": "\u3000",
    "hyphen-minus": "-",
    "hyphen": "\u2010",
    "non-breaking hyphen": "\u2011",
    "figure dash": "\u2012",
    "en dash": "\u2013",
    "em dash": "\u2014",
    "horizontal bar": "\u2015",
    "minus sign": "\u2212",
    "fullwidth hyphen-minus": "\uff0d",
    "small hyphen-minus": "\ufe63",
}


@pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)
def test_white_space_and_hyphens_in_a_code_are_dropped(separator: str) -> None:
    """People type a code as their phone shows it."""
    for typed in (f"012{separator}345", f"{separator}012345{separator}", separator.join("012345")):
        assert sent_by(lambda mfa: mfa.verify_challenge("c", code=typed)).json == {"code": "012345"}  # noqa: B023


@pytest.mark.parametrize("code", ["0", "000000", "12345678", "abc_DEF", "١٢٣٤٥٦", "12.34", "{{code}}"])
def test_the_rest_of_a_code_stays_as_it_is(code: str) -> None:
    """What a code may consist of is the API's to say."""
    assert sent_by(lambda mfa: mfa.verify_challenge("c", code=code)).json == {"code": code}


@pytest.mark.parametrize("template", ["{{code}}", "{{code}} and {{code}}", "Ihr Code für Foo: {{code}}\nFoo"])
def test_a_template_is_sent_as_it_is(template: str) -> None:
    """It is the text that people read."""
    assert sent_by(lambda mfa: mfa.challenge_factor("f", sms_template=template)).json == {"sms_template": template}
    longest = template.ljust(160, "x")
    assert sent_by(lambda mfa: mfa.challenge_factor("f", sms_template=longest)).json == {"sms_template": longest}


@pytest.mark.parametrize("number", ["+1234567", "+123456789012345", "+4915112345678", "+15005550006"])
def test_a_phone_number_of_seven_to_fifteen_digits_is_sent(number: str) -> None:
    """E.164 allows these lengths."""
    assert sent_by(lambda mfa: mfa.enroll_factor(type="sms", phone_number=number)).json == {
        "type": "sms",
        "phone_number": number,
    }


@pytest.mark.parametrize("order", ["normal", "desc", "asc"])
def test_an_order_is_sent_as_it_is(order: Literal["normal", "desc", "asc"]) -> None:
    """The API's own names."""
    assert sent_by(lambda mfa: mfa.list_user_auth_factors("u", order=order)).query == {"order": order}


@pytest.mark.parametrize("limit", [1, 100])
def test_a_limit_is_a_number_in_the_query(limit: int) -> None:
    """The bounds themselves are allowed."""
    assert sent_by(lambda mfa: mfa.list_user_auth_factors("u", limit=limit)).query["limit"] == str(limit)

"""The stub transport, and the factories of ``workos_mfa.testing``."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from workos_mfa import (
    MFA,
    Challenge,
    ConnectError,
    Factor,
    Page,
    Request,
    Response,
    SMSFactor,
    TOTPFactor,
    Transport,
    UserEnrollment,
    testing,
)
from workos_mfa.testing import (
    StubTransport,
    json_response,
    make_challenge,
    make_factor,
    make_sms_factor,
    make_totp_factor,
    make_verification,
)


def test_a_stub_keeps_what_it_was_asked() -> None:
    """The requests themselves, in their order, and those that failed too; and whether it was closed."""

    def respond(request: Request) -> Response:
        if request.method == "POST":
            raise ConnectError("refused")
        return Response(204 if request.method == "DELETE" else 404)

    stub = StubTransport(respond)
    transport: Transport = stub  # to the type checker too
    first, second, third = (Request("a", method, "/a", "/a") for method in ("DELETE", "GET", "POST"))
    assert [transport.send(first).status, transport.send(second).status] == [204, 404]
    with pytest.raises(ConnectError):
        transport.send(third)
    assert [*map(id, stub.requests)] == [id(first), id(second), id(third)]
    assert stub.closed is False
    transport.close()
    assert stub.closed is True


def test_a_json_response_is_what_the_api_sends() -> None:
    """Status, body and content type; and headers of the test's own, which win."""
    response = json_response(201, {"valid": True, "name": "é"}, {"X-Request-Id": "req_1"})
    assert response.status == 201
    assert json.loads(response.body) == {"valid": True, "name": "é"}
    assert response.headers == {"content-type": "application/json; charset=utf-8", "x-request-id": "req_1"}
    assert json_response(200, [], {"content-type": "text/html"}).headers["content-type"] == "text/html"
    assert json_response(200, None).body == b"null"


def test_a_json_response_takes_what_a_call_returns() -> None:
    """As the API sends it, secrets included; alone, or within JSON that a test makes by hand."""
    factor = make_totp_factor(secret="SENTINEL")
    sent = json.loads(json_response(201, {"data": [factor, factor.totp]}).body)
    assert sent == {"data": [factor.to_dict(secrets=True), factor.totp.to_dict(secrets=True)]}
    assert sent["data"][0]["totp"]["secret"] == "SENTINEL"
    for value in (object(), factor.created_at, b"SENTINEL"):
        with pytest.raises(TypeError, match=r"^a (object|datetime|bytes) is not JSON, and no object that a call"):
            json_response(200, {"a": value})


@pytest.mark.parametrize(
    ("model", "call"),
    [
        (make_factor(), lambda mfa: mfa.get_factor(make_factor().id)),
        (
            make_factor(id="auth_factor_2", type="webauthn", user_id="user_1"),
            lambda mfa: mfa.get_factor("auth_factor_2"),
        ),
        (make_totp_factor(), lambda mfa: mfa.enroll_factor(type="totp", issuer="i", user="u")),
        (
            make_totp_factor(id="auth_factor_2", issuer="Bar", user="grace", secret="ABC234", user_id="user_1"),
            lambda mfa: mfa.enroll_factor(type="totp", issuer="i", user="u"),
        ),
        (make_sms_factor(), lambda mfa: mfa.enroll_factor(type="sms", phone_number="+15005550006")),
        (
            make_sms_factor(id="auth_factor_2", phone_number="+4915112345678", user_id="user_1"),
            lambda mfa: mfa.enroll_factor(type="sms", phone_number="+15005550006"),
        ),
        (make_challenge(), lambda mfa: mfa.challenge_factor(make_factor().id)),
        (
            make_challenge(id="c", authentication_factor_id="f", expires_at=None, code="123456"),
            lambda mfa: mfa.challenge_factor("f"),
        ),
        (make_verification(), lambda mfa: mfa.verify_challenge(make_challenge().id, code="1")),
        (make_verification(valid=False), lambda mfa: mfa.verify_challenge(make_challenge().id, code="1")),
        (
            make_verification(challenge=make_challenge(code="123456")),
            lambda mfa: mfa.verify_challenge(make_challenge().id, code="1"),
        ),
        (
            UserEnrollment(factor=make_totp_factor(user_id="user_1"), challenge=make_challenge()),
            lambda mfa: mfa.create_user_auth_factor("user_1"),
        ),
        (
            Page(items=(make_factor(), make_factor(id="auth_factor_2")), after="auth_factor_2"),
            lambda mfa: mfa.list_user_auth_factors("user_1"),
        ),
        (Page[Factor](items=(), before="auth_factor_2"), lambda mfa: mfa.list_user_auth_factors("user_1")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_factory_makes_the_api_could_have_sent(model: object, call: Callable[[MFA], object]) -> None:
    """Sent as JSON and read back, it is the same object: an app's test sees nothing that can't be."""
    read = call(MFA(transport=StubTransport(lambda _: json_response(200, model))))
    assert read == model
    assert type(read) is type(model)


def test_the_factories_need_no_argument() -> None:
    """Every field has a value that a test need not care about, and ids that go together."""
    factor, totp, sms, challenge = make_factor(), make_totp_factor(), make_sms_factor(), make_challenge()
    assert (type(factor), type(totp), type(sms), type(challenge)) == (Factor, TOTPFactor, SMSFactor, Challenge)
    assert (factor.type, totp.type, sms.type) == ("generic_otp", "totp", "sms")
    assert factor.id == totp.id == sms.id == challenge.authentication_factor_id
    assert factor.id.startswith("auth_factor_")
    assert challenge.id.startswith("auth_challenge_")
    assert (factor.user_id, factor.totp, factor.sms, challenge.code) == (None, None, None, None)
    assert challenge.expires_at == datetime(2026, 1, 15, 12, 10, tzinfo=timezone.utc)
    assert make_verification().challenge == challenge
    assert make_verification().valid is True
    assert totp.totp.uri == ("otpauth://totp/Foo Corp:alan.turing@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Foo Corp")


def test_the_factories_take_what_a_test_cares_about() -> None:
    """Each argument lands in its field."""
    totp = make_totp_factor(issuer="Bar", user="grace", secret="ABC234")
    assert (totp.totp.issuer, totp.totp.user, totp.totp.secret) == ("Bar", "grace", "ABC234")
    assert "ABC234" in totp.totp.uri
    assert make_sms_factor(phone_number="+4915112345678").sms.phone_number == "+4915112345678"
    assert make_challenge(code="123456").code == "123456"
    challenge = make_challenge(id="c")
    assert make_verification(challenge=challenge).challenge is challenge


def test_the_qr_code_is_a_png_of_one_pixel() -> None:
    """An app that writes it into a page, or reads it with an image library, gets a valid image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    kind, _, data = make_totp_factor().totp.qr_code.partition(",")
    assert kind == "data:image/png;base64"
    png = base64.b64decode(data, validate=True)
    gray = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    before, after = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", gray), chunk(b"IEND", b"")
    pixels = png.removeprefix(before).removesuffix(after)[8:-4]
    assert png == before + chunk(b"IDAT", pixels) + after
    assert len(zlib.decompress(pixels)) == 2


def test_all_that_is_offered_is_there() -> None:
    """A name that ``import *`` and ``dir()`` promise."""
    assert dir(testing) == sorted(testing.__all__)
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []

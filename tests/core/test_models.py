# ruff: noqa: S301 - what is unpickled here was pickled here
"""The objects that the calls return: frozen, and careful with what is in them."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import flask
import pytest
from flask.sessions import SecureCookieSessionInterface
from rich.pretty import pretty_repr

from tests.operations import FACTOR_ID, LIST_USER_FACTORS
from workos_mfa import (
    SMS,
    TOTP,
    Attempt,
    Challenge,
    Factor,
    Options,
    Page,
    Request,
    Response,
    SMSFactor,
    TOTPFactor,
    UserEnrollment,
    Verification,
)
from workos_mfa._core.models import Model
from workos_mfa.testing import make_challenge, make_factor, make_sms_factor, make_totp_factor, make_verification

SENTINEL = "SENTINEL2SENTINEL2SENTINEL2SENTI"


def secret_factor() -> TOTPFactor:
    """A factor whose secret, QR code and URI hold the sentinel."""
    factor = make_totp_factor(secret=SENTINEL)
    return attrs.evolve(factor, totp=attrs.evolve(factor.totp, qr_code=f"data:image/png;base64,{SENTINEL}"))


def secret_challenge() -> Challenge:
    """A challenge that holds the sentinel as its code."""
    return make_challenge(code=SENTINEL)


HOLDING_SECRETS: list[Callable[[], object]] = [
    secret_factor,
    lambda: secret_factor().totp,
    secret_challenge,
    lambda: make_verification(challenge=secret_challenge()),
    lambda: UserEnrollment(factor=secret_factor(), challenge=secret_challenge()),
    lambda: UserEnrollment(factor=secret_factor(), challenge=make_challenge()),
    lambda: Page(items=(secret_factor(),)),
]
HARMLESS: list[Callable[[], object]] = [
    make_factor,
    make_sms_factor,
    lambda: make_sms_factor().sms,
    make_challenge,
    make_verification,
    lambda: secret_factor().without_secrets(),
    lambda: secret_challenge().without_secrets(),
    lambda: TOTP(issuer="Foo Corp", user="alan.turing@example.com"),
    lambda: Page(items=(make_factor(),), after="auth_factor_1"),
    lambda: LIST_USER_FACTORS.result_of(LIST_USER_FACTORS.success),
]
SEEN_BY_TRANSPORTS: list[Callable[[], object]] = [
    lambda: Request("verify_challenge", "POST", "/p", "/p", {"after": SENTINEL}, {"code": SENTINEL}),
    lambda: Response(200, {"Authorization": SENTINEL}, SENTINEL.encode()),
    lambda: Attempt(1, "get_factor", "/r", 200, None, 0.1, None, "req_1", outcome_unknown=False),
    Options,
]


everything = pytest.mark.parametrize("make", HOLDING_SECRETS + HARMLESS + SEEN_BY_TRANSPORTS)


@everything
def test_every_object_is_a_value(make: Callable[[], object]) -> None:
    """Nobody can change what another holds; what has the same values is equal, and so is a copy."""
    value: Any = make()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, value.__attrs_attrs__[0].name, None)
    for same in (make(), copy.copy(value), copy.deepcopy(value)):
        assert same == value
        assert not same != value  # noqa: SIM202 - it is __ne__ that is looked at
        if not isinstance(value, Request | Response):
            assert hash(same) == hash(value)
    assert copy.deepcopy([value, value]) == [value, value]
    assert value != 1
    assert value != "text"


@pytest.mark.parametrize("make", SEEN_BY_TRANSPORTS[:2])
def test_what_is_in_transit_is_not_stored(make: Callable[[], object]) -> None:
    """A request or a response that somebody's exception carries does not get into a pickle; a copy is itself."""
    value = make()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="may hold a code or a secret and is not pickled"):
            pickle.dumps(value, protocol)
    assert copy.copy(value) is copy.deepcopy(value) is value


@everything
def test_no_repr_shows_a_secret(make: Callable[[], object]) -> None:
    """Neither Python's own repr nor that of a tool which walks the fields."""
    value = make()
    for text in (repr(value), str(value), f"{value}", pretty_repr(value), pretty_repr([value], expand_all=True)):
        assert SENTINEL not in text


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+15005550006", "'+1***0006'"),
        ("+4915112345678", "'+4***5678'"),
        ("+12345678", "'+1***5678'"),
        ("+1234567", "'***'"),
        ("", "'***'"),
    ],
)
def test_a_phone_number_is_masked_in_reprs(number: str, shown: str) -> None:
    """A person can recognise it, and nobody else can call it."""
    for text in (repr(SMS(phone_number=number)), pretty_repr(SMS(phone_number=number))):
        assert text == f"SMS(phone_number={shown})"
    assert SMS(phone_number=number).phone_number == number


def test_what_is_not_secret_is_shown() -> None:
    """A repr is for people who look for the id."""
    assert FACTOR_ID in repr(make_factor(id=FACTOR_ID))
    assert FACTOR_ID in repr(make_challenge(id=FACTOR_ID))
    assert "valid=True" in repr(make_verification())
    assert "Foo Corp" in repr(secret_factor())


@pytest.mark.parametrize("valid", [True, False, 1, "true", "false", None, [False]], ids=repr)
def test_a_verification_is_true_only_if_valid_is(valid: Any) -> None:
    """``if verification:`` can't be got wrong, even with one made by hand from something else than a bool."""
    assert bool(Verification(challenge=make_challenge(), valid=valid)) is (valid is True)


@pytest.mark.parametrize("make", HOLDING_SECRETS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_holds_a_secret_is_not_pickled(make: Callable[[], object], protocol: int) -> None:
    """A secret does not slip into a cache or a queue; the refusal says what may go there."""
    value = make()
    with pytest.raises(TypeError, match=r"store (factor|challenge)\.without_secrets\(\), or just") as caught:
        pickle.dumps(value, protocol)
    assert SENTINEL not in str(caught.value)


@pytest.mark.parametrize("make", HARMLESS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_holds_none_is(make: Callable[[], object], protocol: int) -> None:
    """Everything else goes through a pickle and is equal to what went in."""
    value = make()
    assert pickle.loads(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("changed", ["secret", "qr_code", "uri", "issuer", "user"])
def test_enrollments_differ_if_anything_in_them_does(changed: str) -> None:
    """Two factors with different secrets are not the same, whatever a repr hides."""
    factor = make_totp_factor()
    other = attrs.evolve(factor.totp, **{changed: "another"})
    assert factor.totp != other
    assert hash(factor.totp) != hash(other)
    assert factor != attrs.evolve(factor, totp=other)


def test_challenges_differ_if_their_codes_do() -> None:
    """The hidden field counts as well."""
    assert make_challenge(code="1") != make_challenge(code="2")
    assert hash(make_challenge(code="1")) != hash(make_challenge(code="2"))


def test_kinds_do_not_mix() -> None:
    """An enrolled factor does not equal the plain one, and a challenge no response."""
    factor = secret_factor()
    assert factor != factor.without_secrets()
    assert factor.totp != factor.without_secrets().totp
    assert make_challenge() != Response(200)


def test_what_may_be_stored_holds_no_secret() -> None:
    """All else is as it was, in a plain Factor and a plain TOTP."""
    factor = secret_factor()
    stored = factor.without_secrets()
    assert type(stored) is Factor
    assert type(stored.totp) is TOTP
    assert SENTINEL not in repr(attrs.asdict(stored))
    assert attrs.asdict(stored) == {
        "object": "authentication_factor",
        "id": factor.id,
        "type": "totp",
        "created_at": factor.created_at,
        "updated_at": factor.updated_at,
        "user_id": None,
        "totp": {"issuer": "Foo Corp", "user": "alan.turing@example.com"},
        "sms": None,
    }


def test_a_factor_without_secrets_stays_what_it_is() -> None:
    """A factor that never had one loses nothing."""
    assert make_factor(user_id="user_1").without_secrets() == make_factor(user_id="user_1")
    sms = make_sms_factor()
    assert isinstance(sms, SMSFactor)
    assert attrs.asdict(sms.without_secrets()) == attrs.asdict(sms)
    assert type(sms.without_secrets()) is Factor


def test_a_challenge_without_secrets_has_no_code() -> None:
    """All else is as it was."""
    challenge = secret_challenge()
    assert challenge.without_secrets() == make_challenge()
    assert SENTINEL not in repr(attrs.asdict(challenge.without_secrets()))


MOMENT = "2026-01-15T12:00:00.000Z"
FACTOR_JSON = {"object": "authentication_factor", "id": FACTOR_ID, "created_at": MOMENT, "updated_at": MOMENT}
CHALLENGE_JSON = {
    "object": "authentication_challenge",
    "id": "auth_challenge_1",
    "authentication_factor_id": FACTOR_ID,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "expires_at": "2026-01-15T12:10:00.000Z",
}
TOTP_JSON = {**FACTOR_JSON, "type": "totp", "totp": {"issuer": "Foo Corp", "user": "alan.turing@example.com"}}
SECRETS_JSON = {
    "secret": SENTINEL,
    "qr_code": f"data:image/png;base64,{SENTINEL}",
    "uri": f"otpauth://totp/Foo Corp:alan.turing@example.com?secret={SENTINEL}&issuer=Foo Corp",
}


def a_challenge(code: str | None = None) -> Challenge:
    """The challenge of the JSON above."""
    return make_challenge(id="auth_challenge_1", authentication_factor_id=FACTOR_ID, code=code)


def a_totp_factor() -> TOTPFactor:
    """The factor of the JSON above."""
    return attrs.evolve(secret_factor(), id=FACTOR_ID)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (make_factor(id=FACTOR_ID, user_id="user_1"), {**FACTOR_JSON, "type": "generic_otp", "user_id": "user_1"}),
        (make_sms_factor(id=FACTOR_ID), {**FACTOR_JSON, "type": "sms", "sms": {"phone_number": "+15005550006"}}),
        (a_totp_factor(), TOTP_JSON),
        (a_challenge("SENTINEL"), CHALLENGE_JSON),
        (make_verification(challenge=a_challenge("SENTINEL")), {"challenge": CHALLENGE_JSON, "valid": True}),
        (
            UserEnrollment(factor=a_totp_factor(), challenge=a_challenge()),
            {"authentication_factor": TOTP_JSON, "authentication_challenge": CHALLENGE_JSON},
        ),
        (
            Page(items=(a_totp_factor(), 7), after="auth_factor_2"),
            {"object": "list", "data": [TOTP_JSON, 7], "list_metadata": {"before": None, "after": "auth_factor_2"}},
        ),
        (TOTP(user="alan"), {"user": "alan"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_model_gives_its_json(model: Model, expected: dict[str, object]) -> None:
    """With the API's own names and forms, without secrets, and without what is not there."""
    assert model.to_dict() == expected
    assert "SENTINEL" not in json.dumps(model.to_dict())


def test_secrets_are_given_where_they_are_asked_for() -> None:
    """At any depth: whoever asks is making what the API would have sent."""
    totp = {**TOTP_JSON, "totp": {"issuer": "Foo Corp", "user": "alan.turing@example.com", **SECRETS_JSON}}
    challenge = {**CHALLENGE_JSON, "code": "SENTINEL"}
    enrolled = UserEnrollment(factor=a_totp_factor(), challenge=a_challenge("SENTINEL"))
    assert enrolled.to_dict(secrets=True) == {"authentication_factor": totp, "authentication_challenge": challenge}
    assert Page(items=(a_totp_factor(),)).to_dict(secrets=True)["data"] == [totp]
    assert make_verification(challenge=a_challenge("SENTINEL")).to_dict(secrets=True)["challenge"] == challenge


def test_a_moment_is_given_in_utc_to_the_millisecond() -> None:
    """As the API writes it, wherever it was told."""
    told = datetime(2022, 3, 27, 7, 12, 43, 689999, tzinfo=timezone(timedelta(hours=2)))
    assert attrs.evolve(make_factor(), created_at=told).to_dict()["created_at"] == "2022-03-27T05:12:43.689Z"


@pytest.mark.parametrize(
    "stored", [lambda: secret_factor().without_secrets(), lambda: secret_challenge().without_secrets()]
)
def test_what_may_be_stored_survives_a_session(stored: Callable[[], Factor | Challenge]) -> None:
    """Flask signs it into its cookie and reads it again, to the second as HTTP dates have it."""
    app = flask.Flask(__name__)
    app.secret_key = "a key of this test"
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    values = attrs.asdict(stored())
    cookie = serializer.dumps(values)
    assert serializer.loads(cookie) == values
    assert len(cookie) < 4096


def test_a_page_iterates_and_counts() -> None:
    """A page is its items; an empty one is false, as an empty list is."""
    page = Page(items=(1, 2, 3))
    assert list(page) == [1, 2, 3]
    assert len(page) == 3
    assert not Page[int](items=())
    assert list(page.auto_paging_iter()) == [1, 2, 3]

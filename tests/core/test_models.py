# ruff: noqa: S301 - what is unpickled here was pickled here
"""The objects that the calls return: frozen, and careful with what is in them."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import attrs
import flask
import pytest
from flask.sessions import SecureCookieSessionInterface
from rich.pretty import pretty_repr

from tests.operations import CALLS, ENROLL_TOTP, FACTOR_ID, LIST_USER_FACTORS, Call
from workos_mfa import (
    MFA,
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
    UnexpectedResponseError,
    UserEnrollment,
    Verification,
)
from workos_mfa._core.models import Model
from workos_mfa.testing import (
    StubTransport,
    json_response,
    make_challenge,
    make_factor,
    make_sms_factor,
    make_totp_factor,
    make_verification,
)

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
]
SEEN_BY_TRANSPORTS: list[Callable[[], object]] = [
    lambda: Request("verify_challenge", "POST", "/p", "/p", {"after": SENTINEL}, {"code": SENTINEL}),
    lambda: Response(200, {"Authorization": SENTINEL}, SENTINEL.encode()),
    lambda: Attempt(1, "get_factor", "/r", 200, None, 0.1, None, "req_1", outcome_unknown=False),
    Options,
]


def field_names(value: object) -> list[str]:
    """The names of an object's fields; of what is no attrs object, none."""
    return [field.name for field in vars(type(value)).get("__attrs_attrs__", ())]


everything = pytest.mark.parametrize("make", HOLDING_SECRETS + HARMLESS + SEEN_BY_TRANSPORTS)


@everything
def test_every_object_is_frozen(make: Callable[[], object]) -> None:
    """Nobody can change a value that another holds."""
    value = make()
    field = field_names(value)[0]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, field, None)


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


@pytest.mark.parametrize("call", [call for call in CALLS if call.body], ids=str)
def test_every_moment_is_aware(call: Call) -> None:
    """A datetime without its offset is a bug that waits for the summer."""

    def moments(value: object) -> list[datetime]:
        if isinstance(value, datetime):
            return [value]
        inner = [getattr(value, name) for name in field_names(value)]
        inner += value if isinstance(value, tuple) else ()
        return [moment for each in inner for moment in moments(each)]

    found = moments(call.result_of(call.success))
    assert found
    assert {moment.utcoffset() for moment in found} == {timedelta(0)}


@pytest.mark.parametrize("valid", [True, False])
def test_a_verification_is_as_true_as_its_valid(valid: bool) -> None:  # noqa: FBT001
    """``if verification:`` can't be got wrong."""
    assert bool(make_verification(valid=valid)) is valid


@pytest.mark.parametrize("not_true", [1, "true", "false", None, [False]])
def test_only_true_is_true(not_true: object) -> None:
    """A Verification made by hand from something else than a bool is not true."""
    verification = Verification(challenge=make_challenge(), valid=not_true)  # type: ignore[arg-type]
    assert not verification


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


def test_a_page_of_the_api_is_pickled_as_well() -> None:
    """A page of factors holds no secret, so it may be cached like any other object without one."""
    page = LIST_USER_FACTORS.result_of(LIST_USER_FACTORS.success)
    assert pickle.loads(pickle.dumps(page)) == page


@everything
def test_every_object_can_be_copied(make: Callable[[], object]) -> None:
    """A shallow and a deep copy are equal to the object; that is no way out of the process."""
    value = make()
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert copy.deepcopy([value, value]) == [value, value]


@everything
def test_equal_objects_have_equal_hashes(make: Callable[[], object]) -> None:
    """A second object with the same values is the same value, and none equals something else."""
    value = make()
    assert make() == value
    assert not make() != value  # noqa: SIM202 - it is __ne__ that is looked at
    assert value != 1
    assert value != "text"
    if not isinstance(value, Request | Response):
        assert hash(make()) == hash(value)


@pytest.mark.parametrize("changed", ["secret", "qr_code", "uri", "issuer", "user"])
def test_enrollments_differ_if_anything_in_them_does(changed: str) -> None:
    """Two factors with different secrets are not the same, whatever a repr hides."""
    totp = make_totp_factor().totp
    other = attrs.evolve(totp, **{changed: "another"})
    assert totp != other
    assert hash(totp) != hash(other)
    factor = make_totp_factor()
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
        (
            make_sms_factor(id=FACTOR_ID),
            {**FACTOR_JSON, "type": "sms", "sms": {"phone_number": "+15005550006"}},
        ),
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


def numbered(*numbers: int) -> list[dict[str, object]]:
    """Factors with these numbers as ids, as they stand in a list."""
    return [
        {
            "object": "authentication_factor",
            "id": f"auth_factor_{number}",
            "type": "generic_otp",
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        }
        for number in numbers
    ]


def listed(data: list[dict[str, object]], after: str | None) -> Response:
    """A page as the API returns it."""
    return json_response(200, {"object": "list", "data": data, "list_metadata": {"before": None, "after": after}})


def page_of(*responses: Response) -> tuple[StubTransport, Page[Factor]]:
    """The first of several pages, and the transport that gives the others."""
    left = iter(responses)
    stub = StubTransport(lambda _: next(left))
    return stub, MFA(transport=stub).list_user_auth_factors("user_1", limit=2, order="asc")


def test_a_page_iterates_and_counts() -> None:
    """A page is its items; an empty one is false, as an empty list is."""
    page = Page(items=(1, 2, 3))
    assert list(page) == [1, 2, 3]
    assert len(page) == 3
    assert not Page[int](items=())
    assert list(page.auto_paging_iter()) == [1, 2, 3]


def test_all_pages_can_be_iterated() -> None:
    """Each page is asked for when it is reached, with the arguments of the first and the cursor of the last."""
    stub, page = page_of(
        listed(numbered(1, 2), "auth_factor_2"), listed(numbered(3, 4), "auth_factor_4"), listed(numbered(5), None)
    )
    items = page.auto_paging_iter()
    assert [next(items).id, next(items).id] == ["auth_factor_1", "auth_factor_2"]
    assert len(stub.requests) == 1
    assert [factor.id for factor in items] == ["auth_factor_3", "auth_factor_4", "auth_factor_5"]
    assert [request.query for request in stub.requests] == [
        {"limit": "2", "order": "asc"},
        {"limit": "2", "order": "asc", "after": "auth_factor_2"},
        {"limit": "2", "order": "asc", "after": "auth_factor_4"},
    ]
    assert [factor.id for factor in page] == ["auth_factor_1", "auth_factor_2"]


def test_a_page_can_be_iterated_again() -> None:
    """Iterating leaves nothing behind in the page."""
    left = iter([listed(numbered(1), "auth_factor_1"), *[listed(numbered(2), None)] * 2])
    page = MFA(transport=StubTransport(lambda _: next(left))).list_user_auth_factors("user_1")
    assert list(page.auto_paging_iter()) == list(page.auto_paging_iter())


def test_an_empty_page_in_the_middle_is_no_end() -> None:
    """The cursor says if there is more, not the number of items."""
    _, page = page_of(listed([], "auth_factor_1"), listed(numbered(2), None))
    assert [factor.id for factor in page.auto_paging_iter()] == ["auth_factor_2"]


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_a_repeated_cursor_is_refused(cursors: list[str]) -> None:
    """A list that goes round in circles would never end; what came up to then is handed on."""
    _, page = page_of(*(listed(numbered(number), cursor) for number, cursor in enumerate(cursors)))
    seen: list[Factor] = []
    with pytest.raises(UnexpectedResponseError, match=r"\$\.list_metadata\.after") as caught:
        seen.extend(page.auto_paging_iter())
    assert len(seen) == len(cursors)
    assert caught.value.status_code is None
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("cursor", ["", " ", "..", "auth_factor_\n", "\ud800"])
def test_a_cursor_that_is_none_is_the_responses_fault(cursor: str) -> None:
    """The caller passed no cursor, so the caller has nothing to correct: no InvalidInputError."""
    _, page = page_of(listed(numbered(1), cursor), listed(numbered(2), None))
    with pytest.raises(UnexpectedResponseError, match=r"\$\.list_metadata\.after"):
        list(page.auto_paging_iter())


def test_the_recorded_responses_are_these_models() -> None:
    """Read once from the outside in, with literals."""
    factor = ENROLL_TOTP.result_of(ENROLL_TOTP.success)
    assert isinstance(factor, TOTPFactor)
    assert factor.created_at == datetime(2022, 3, 27, 5, 12, 43, 689000, tzinfo=timezone.utc)
    assert (factor.object, factor.type, factor.user_id, factor.sms) == ("authentication_factor", "totp", None, None)
    assert (factor.totp.issuer, factor.totp.user) == ("Foo Corp", "alan.turing@example.com")
    assert factor.totp.secret == "NAGCCFS3EYRB422HNAKAKY3XDUORMSRF"
    assert factor.totp.qr_code == "data:image/png;base64,iVBORw0KGgo="
    assert factor.totp.uri.startswith("otpauth://totp/FooCorp:alan.turing@foo-corp.com?secret=NAGC")

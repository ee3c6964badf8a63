"""Seeds: what an emulator holds from the start, by ids, numbers and secrets that are known beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.caller import NOW, PHONE, Caller
from workos_mfa.emulator import FIXED_CODE, FIXED_CODE_NUMBER, INVALID_NUMBER, Emulator

SECRET = "NAGCCFS3EYRB422HNAKAKY3XDUORMSRF"
ULID = "01FZ4WSWV2SCEDX3GKY1NA9YTN"


def test_pinned_factors(caller: Caller) -> None:
    """Factors have the ids, secrets and numbers of the seed, and are like any others."""
    made = caller.emulator.seed(
        {
            "factors": [
                {
                    "id": "auth_factor_alan",
                    "type": "totp",
                    "issuer": "Foo Corp",
                    "user": "alan@example.com",
                    "secret": SECRET,
                    "user_id": "user_1",
                    "created_at": "2026-01-15T13:00:00.123900+01:00",
                },
                {"id": "auth_factor_ada", "type": "sms", "phone_number": "(201) 555-0100".translate(_NO_PUNCTUATION)},
                {"id": "auth_factor_other", "type": "generic_otp"},
            ]
        }
    )
    assert made == {"factors": ["auth_factor_alan", "auth_factor_ada", "auth_factor_other"], "challenges": []}
    assert caller.get("auth_factor_alan").json == {
        "object": "authentication_factor",
        "id": "auth_factor_alan",
        "created_at": "2026-01-15T12:00:00.123Z",
        "updated_at": "2026-01-15T12:00:00.123Z",
        "type": "totp",
        "user_id": "user_1",
        "totp": {"issuer": "Foo Corp", "user": "alan@example.com"},
    }
    code = caller.emulator.totp_code("auth_factor_alan")
    assert code == pyotp.TOTP(SECRET).at(NOW)
    assert caller.verify(caller.challenge({"id": "auth_factor_alan"}).json, code).json["valid"] is True
    assert caller.get("auth_factor_ada").json["sms"] == {"phone_number": FIXED_CODE_NUMBER}
    assert caller.verify(caller.challenge({"id": "auth_factor_ada"}).json, FIXED_CODE).json["valid"] is True
    assert caller.challenge({"id": "auth_factor_other"}).json["code"]
    assert caller.delete("auth_factor_alan").status == 204


_NO_PUNCTUATION = str.maketrans("", "", "()- ")


def test_what_is_left_out_is_made_up(caller_with: Callable[..., Caller]) -> None:
    """Without an id, a secret or names, a factor gets its own; the names are those of the user and the team."""
    caller = caller_with(team_name="Foo Corp")
    totp, generic = caller.emulator.seed({"factors": [{"type": "totp", "user_id": "user_1"}, {"type": "generic_otp"}]})[
        "factors"
    ]
    shown = caller.get(totp).json
    assert shown["totp"] == {"issuer": "Foo Corp", "user": "user_1@example.com"}
    assert (totp[:12], len(totp), len(generic)) == ("auth_factor_", 38, 38)
    assert len(caller.emulator.totp_code(totp)) == 6


def _of(number: int, **fields: object) -> dict[str, object]:
    """A challenge of one of the factors."""
    return {"authentication_factor_id": f"auth_factor_{number}", **fields}


def test_challenges(caller: Caller) -> None:
    """Challenges have the ids, codes and times of the seed; no text message is sent for one."""
    factors = [
        {"id": "auth_factor_1", "type": "generic_otp"},
        {"id": "auth_factor_2", "type": "sms", "phone_number": PHONE},
        {"id": "auth_factor_3", "type": "totp", "user": "alan", "secret": SECRET},
    ]
    then = "2026-01-15T12:00:00Z"
    challenges = [
        _of(1, id="auth_challenge_1", code="012345"),
        _of(1),
        _of(2, code="222222"),
        _of(3),
        _of(1, id="auth_challenge_old", code="333333", created_at=then),
        _of(1, id="auth_challenge_long", code="444444", created_at=then, expires_at="2030-01-15T12:00:00Z"),
    ]
    made = caller.emulator.seed({"factors": factors, "challenges": challenges})["challenges"]
    first, second, sms, totp, old, long = ({"id": challenge_id} for challenge_id in made)
    assert first["id"] == "auth_challenge_1"
    assert caller.verify(first, "012345").json["valid"] is True
    assert len(caller.wrong(second).json["challenge"]["code"]) == 6
    assert caller.verify(sms, "222222").json["valid"] is True
    assert caller.verify(totp, caller.emulator.totp_code("auth_factor_3")).json["valid"] is True
    assert caller.verify(old, "333333").json["code"] == "authentication_challenge_expired"
    assert caller.verify(long, "444444").json["challenge"]["expires_at"] == "2030-01-15T12:00:00.000Z"
    assert not caller.emulator.outbox


def test_a_challenge_of_a_factor_from_before(caller: Caller) -> None:
    """A challenge may be of a factor that was enrolled."""
    factor = caller.generic()
    seed = {"challenges": [{"authentication_factor_id": factor["id"], "code": "123456"}]}
    (challenge,) = caller.emulator.seed(seed)["challenges"]
    assert caller.verify({"id": challenge}, "123456").json["valid"] is True


def test_users(caller_with: Callable[..., Caller]) -> None:
    """A user of a seed exists, with the address of the seed, which can be changed."""
    caller = caller_with(users="seeded")
    caller.emulator.seed({"users": {"user_1": "alan@example.com"}})
    caller.emulator.seed({"users": {"user_2": "ada@example.com", "user_1": "turing@example.com"}})
    users = [caller.create(user).json["authentication_factor"]["totp"]["user"] for user in ("user_1", "user_2")]
    assert users == ["turing@example.com", "ada@example.com"]


def test_verified_factors(caller_with: Callable[..., Caller]) -> None:
    """A factor of a seed may have had its first right code already."""
    caller = caller_with(unverified_factors_listed=False)
    both = [{"type": "generic_otp", "user_id": "user_1", "verified": verified} for verified in (True, False)]
    made = caller.emulator.seed({"factors": both})["factors"]
    assert [item["id"] for item in caller.list().json["data"]] == made[:1]


def test_times_order_lists(caller: Caller) -> None:
    """A pinned time goes before the id; an id of the API's form brings its own time."""
    caller.emulator.seed(
        {
            "factors": [
                {"id": "auth_factor_2", "type": "generic_otp", "user_id": "user_1", "created_at": "2026-02-01T00:00Z"},
                {"id": "auth_factor_3", "type": "generic_otp", "user_id": "user_1", "created_at": "2026-01-01T00:00Z"},
                {"id": f"auth_factor_{ULID}", "type": "generic_otp", "user_id": "user_1"},
            ]
        }
    )
    page = caller.list(order="asc").json["data"]
    assert [item["id"][12:] for item in page] == [ULID, "3", "2"]
    assert page[0]["created_at"] == "2022-03-27T05:15:26.434Z"


def test_pages_of_pinned_factors(caller: Caller) -> None:
    """Cursors lead through pinned factors, in the seed's order whatever their ids, and before later ones."""
    ids = [f"auth_factor_{letter}" for letter in "zaybxc"]
    caller.emulator.seed({"factors": [{"id": pinned, "type": "generic_otp", "user_id": "user_1"} for pinned in ids]})
    caller.emulator.clock.advance(0.001)
    ids.append(caller.totp(user_id="user_1")["id"])
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        first = caller.list(order=order, limit="3").json
        assert [item["id"] for item in first["data"]] == expected[:3]
        second = caller.list(order=order, limit="3", after=first["list_metadata"]["after"]).json
        assert [item["id"] for item in second["data"]] == expected[3:6]
        back = caller.list(order=order, limit="3", before=expected[5]).json["data"]
        assert [item["id"] for item in back] == expected[2:5]


def test_settings_are_those_of_the_start(caller_with: Callable[..., Caller]) -> None:
    """A seed may say which settings it is for; where they are others, nothing of it is put in."""
    caller = caller_with(max_wrong_codes=3, totp_window_back=2)
    seed: dict[str, Any] = {"settings": {"max_wrong_codes": 3}, "factors": [{"type": "generic_otp"}]}
    caller.emulator.seed(seed)
    seed["settings"]["totp_window_back"] = 1
    with pytest.raises(ValueError, match=r"settings\.totp_window_back: this emulator was started with another value"):
        caller.emulator.seed(seed)
    assert "1 factors" in repr(caller.emulator)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_cursor_of_a_deleted_factor(caller: Caller, order: str) -> None:
    """By the time in its id a deleted factor keeps its place; one whose id has none stands after all others."""
    ids = [caller.totp(user_id="user_1")["id"]]
    for _ in range(2):
        caller.emulator.clock.advance(1)
        ids.append(caller.totp(user_id="user_1")["id"])
    caller.emulator.seed({"factors": [{"id": "auth_factor_x", "type": "generic_otp", "user_id": "user_1"}]})
    caller.delete(ids[1])
    caller.delete("auth_factor_x")
    page = caller.list(order=order, after=ids[1]).json["data"]
    assert [item["id"] for item in page] == [ids[2] if order == "asc" else ids[0]]
    assert caller.list(order=order, after="auth_factor_x").json["data"] == []


def test_the_same_seed_twice(caller: Caller) -> None:
    """What is there already and is the same stays as it is, so that a seed may be given at every start."""
    seed: dict[str, Any] = {
        "factors": [
            {"id": "auth_factor_1", "type": "totp", "user": "alan"},
            {"id": "auth_factor_2", "type": "totp", "user": "alan", "secret": SECRET},
            {"id": "auth_factor_3", "type": "generic_otp"},
        ],
        "challenges": [
            {"id": "auth_challenge_1", "authentication_factor_id": "auth_factor_3"},
            {"id": "auth_challenge_2", "authentication_factor_id": "auth_factor_3", "code": "123456"},
        ],
    }
    made = caller.emulator.seed(seed)
    code = caller.emulator.totp_code("auth_factor_1")
    caller.verify({"id": "auth_challenge_2"}, "123456")
    assert caller.emulator.seed(seed) == made
    assert caller.emulator.totp_code("auth_factor_1") == code
    assert caller.verify({"id": "auth_challenge_2"}, "123456").status == 422
    assert "3 factors, 2 challenges" in repr(caller.emulator)


FACTOR: dict[str, Any] = {"id": "auth_factor_1", "type": "generic_otp"}
TOTP: dict[str, Any] = {"type": "totp", "user": "alan"}
CHALLENGE: dict[str, Any] = {"authentication_factor_id": "auth_factor_1"}


def _factor(**fields: object) -> dict[str, Any]:
    return {"factors": [FACTOR, {**TOTP, **fields}]}


def _challenge(**fields: object) -> dict[str, Any]:
    return {"factors": [FACTOR], "challenges": [{**CHALLENGE, **fields}]}


@pytest.mark.parametrize(
    ("seed", "problem"),
    [
        ([], "the seed: must be a JSON object"),
        ({"factor": []}, "factor: there is no such property; there are settings, users, factors, challenges"),
        ({"settings": []}, "settings: must be a JSON object"),
        (
            {"settings": {"totp_windows_back": 1}},
            "settings: there is no setting 'totp_windows_back'; did you mean totp_window_back?",
        ),
        ({"settings": {"totp_window_back": "1"}}, "settings: totp_window_back takes a whole number"),
        ({"factors": {}}, "factors: must be a list"),
        ({"factors": [7]}, "factors[0]: must be a JSON object"),
        ({"users": []}, "users: must be a JSON object"),
        ({"users": {"user_1": 7}}, "users.user_1: must be a string of printable characters"),
        ({"factors": [{}]}, "factors[0].type: is missing"),
        (_factor(type="webauthn"), "factors[1].type: must be one of totp, sms, generic_otp"),
        (_factor(phone="x"), "factors[1].phone: there is no such property; there are id, type, issuer"),
        (_factor(phone_number=PHONE), "factors[1].phone_number: is for factors of type sms"),
        (_factor(user=None), "factors[1].user: is missing"),
        (_factor(user=""), "factors[1].user: must be a string of printable characters, and not empty"),
        (_factor(id="auth_factor_"), "factors[1].id: must be auth_factor_"),
        (_factor(id="auth_factor_a/b"), "factors[1].id: must be auth_factor_"),
        (_factor(id="auth_factor_1"), "factors: two of them have the same id"),
        (_factor(secret="not base32"), "factors[1].secret: must be a Base32 secret of at least 16 characters"),
        (_factor(secret="JBSWY3DP"), "factors[1].secret: must be a Base32 secret"),
        (_factor(created_at="yesterday"), "factors[1].created_at: must be a time with its zone, such as 2026"),
        (_factor(created_at="2026-01-15T12:00:00"), "factors[1].created_at: must be a time with its zone"),
        (_factor(created_at="9999-01-15T12:00:00Z"), "factors[1].created_at: must be a time with its zone"),
        (_factor(verified="yes"), "factors[1].verified: must be true or false"),
        ({"factors": [{"type": "sms", "phone_number": "foo"}]}, "text messages can't be sent there"),
        ({"factors": [{"type": "sms", "phone_number": INVALID_NUMBER}]}, "text messages can't be sent there"),
        (
            _challenge(authentication_factor_id="auth_factor_2"),
            "there is no such factor, neither in this seed nor in the emulator",
        ),
        (_challenge(code="12345"), "challenges[0].code: must be a string of six digits"),
        (_challenge(id="auth_factor_1"), "challenges[0].id: must be auth_challenge_"),
        (_challenge(expires_at="never"), "challenges[0].expires_at: must be a time"),
        (
            {"factors": [FACTOR], "challenges": [{**CHALLENGE, "id": "auth_challenge_1"}] * 2},
            "challenges: two of them have the same id",
        ),
        (
            {"factors": [{**TOTP, "id": "auth_factor_1"}], "challenges": [{**CHALLENGE, "code": "123456"}]},
            "challenges[0].code: a totp factor's code follows from its secret and the time",
        ),
        (
            {"factors": [{"id": "auth_factor_1", "type": "sms", "phone_number": PHONE}], "challenges": [CHALLENGE]},
            "challenges[0].code: is missing; no text message is sent",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(caller: Caller, seed: Any, problem: str) -> None:
    """What is wrong in a seed is a ValueError that names the place and repeats no value; nothing is put in."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is looked at below)
        caller.emulator.seed(seed)
    assert problem in str(caught.value)
    assert not [value for value in ("not base32", "123456", "12345", PHONE) if value in str(caught.value)]
    assert repr(caller.emulator).startswith("<Emulator: 0 factors, 0 challenges")


@pytest.mark.parametrize(
    ("again", "what"),
    [
        ({"factors": [{**TOTP, "id": "auth_factor_1", "secret": SECRET[::-1]}]}, "factor"),
        ({"factors": [FACTOR]}, "factor"),
        ({"challenges": [_of(2, id="auth_challenge_1", code="111111")]}, "challenge"),
    ],
)
def test_an_id_that_is_taken(caller: Caller, again: dict[str, Any], what: str) -> None:
    """A seed does not change what is there already: another factor or challenge of the same id is an error."""
    factors = [{**TOTP, "id": "auth_factor_1", "secret": SECRET}, {"id": "auth_factor_2", "type": "generic_otp"}]
    caller.emulator.seed({"factors": factors, "challenges": [_of(2, id="auth_challenge_1", code="222222")]})
    more = [*again.get("factors", []), {"type": "generic_otp"}]
    problem = rf"^{what}s\[0\]\.id: there is another {what} of this id already"
    with pytest.raises(ValueError, match=problem):
        caller.emulator.seed({**again, "factors": more})
    assert repr(caller.emulator).startswith("<Emulator: 2 factors, 1 challenges")


def test_a_ulid_of_no_time_that_exists(caller: Caller) -> None:
    """An id may hold any time; one beyond the calendar is not taken for the factor's."""
    pinned = "auth_factor_" + "7" + "Z" * 25
    caller.emulator.seed({"factors": [{"id": pinned, "type": "generic_otp"}]})
    assert caller.get(pinned).json["created_at"] == "2026-08-21T12:00:00.432Z"


leaves = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["totp", "sms", SECRET, PHONE])
)
entries = st.dictionaries(
    st.sampled_from(["id", "type", "issuer", "user", "secret", "phone_number", "user_id", "created_at", "code"]), leaves
)
things = st.dictionaries(st.sampled_from(["users", "factors", "challenges"]), leaves | entries | st.lists(entries))


@settings(deadline=None)
@given(things)
def test_any_json_is_read_or_refused(seed: dict[str, object]) -> None:
    """Whatever JSON comes: everything is there afterwards and can be shown, or a ValueError and nothing is."""
    emulator = Emulator(now=NOW)
    caller = Caller(emulator)
    try:
        made = emulator.seed(json.loads(json.dumps(seed)))
    except ValueError:
        assert repr(emulator).startswith("<Emulator: 0 factors, 0 challenges")
        return
    assert [caller.get(factor_id).status for factor_id in made["factors"]] == [200] * len(made["factors"])

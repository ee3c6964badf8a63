"""The two calls for a user's factors: made with a challenge, listed in pages."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from tests.emulator.caller import Caller
from workos_mfa._core import one_time_codes
from workos_mfa.emulator._domain import totp


def test_create(caller: Caller) -> None:
    """A factor and a challenge come together, in the recorded order, and a code verifies it."""
    response = caller.create(totp_issuer="Foo Corp", totp_user="alan@example.com")
    factor, challenge = response.json["authentication_factor"], response.json["authentication_challenge"]
    assert response.status == 201
    assert list(response.json) == ["authentication_factor", "authentication_challenge"]
    assert list(factor) == ["object", "id", "user_id", "type", "totp", "created_at", "updated_at"]
    assert list(factor["totp"]) == ["issuer", "qr_code", "secret", "uri", "user"]
    assert factor["totp"]["uri"] == (
        f"otpauth://totp/Foo%20Corp:alan@example.com?secret={factor['totp']['secret']}"
        "&issuer=Foo%20Corp&algorithm=SHA1&digits=6&period=30"
    )
    assert "code" not in challenge
    assert challenge["authentication_factor_id"] == factor["id"]
    app = pyotp.TOTP(factor["totp"]["secret"])
    assert caller.verify(challenge, app.at(caller.emulator.clock.now())).json["valid"] is True


def test_create_has_defaults(caller: Caller) -> None:
    """Issuer and user default to the team's name and the user's address."""
    block = caller.create("user_7").json["authentication_factor"]["totp"]
    assert (block["issuer"], block["user"]) == ("WorkOS Emulator", "user_7@example.com")


@pytest.mark.parametrize("secret", ["JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PXPAA======", "JBSWY3DPEHPK3PXPAB"])
def test_create_takes_a_secret(caller: Caller, secret: str) -> None:
    """An imported secret comes back as it was given, without its padding; it need not be canonical Base32."""
    factor = caller.create(totp_secret=secret).json["authentication_factor"]
    assert factor["totp"]["secret"] == secret.rstrip("=")
    step = totp.step_at(caller.emulator.clock.now())
    assert caller.emulator.totp_code(factor["id"]) == one_time_codes.code_for(one_time_codes.key_of(secret), step)


@pytest.mark.parametrize("secret", ["short", "jbswy3dpehpk3pxp", "JBSWY3DPEHPK3PX1", "JBSWY3DPEHPK3PXPA", "", 7])
def test_create_refuses_a_bad_secret(caller: Caller, secret: object) -> None:
    """What is not Base32 of at least 80 bits is refused, and the value is not repeated."""
    response = caller.create(totp_secret=secret)
    assert response.status == 422
    assert [error["field"] for error in response.json["errors"]] == ["totp_secret"]
    assert not secret or str(secret) not in str(response.json)


def test_create_takes_totp_only(caller: Caller) -> None:
    """No other type can be made for a user."""
    response = caller.send("POST", "/user_management/users/u/auth_factors", {"type": "sms"})
    assert response.json["errors"] == [{"field": "type", "code": "type must be a valid enum value"}]


def _ids(response: Any) -> list[str]:
    return [item["id"] for item in response.json["data"]]


def _make(caller: Caller, count: int) -> list[str]:
    return [caller.enroll(type="generic_otp", user_id="user_1").json["id"] for _ in range(count)]


def test_list(caller: Caller) -> None:
    """The list has a user's factors of every type, newest first, without secrets."""
    caller.totp(user_id="someone_else")
    caller.totp()
    made = caller.totp(user_id="user_1")
    other = caller.enroll(type="sms", phone_number="+15005550006", user_id="user_1").json
    response = caller.list()
    assert response.status == 200
    assert response.json["object"] == "list"
    assert response.json["list_metadata"] == {"before": None, "after": None}
    assert _ids(response) == [other["id"], made["id"]]
    assert list(response.json["data"][1].items()) == [
        ("object", "authentication_factor"),
        ("id", made["id"]),
        ("user_id", "user_1"),
        ("type", "totp"),
        ("totp", {"issuer": "Foo Corp", "user": "alan@example.com"}),
        ("created_at", made["created_at"]),
        ("updated_at", made["created_at"]),
    ]
    assert caller.list("user_without").json["data"] == []


# Which cursor leads on and which leads back: ``normal`` has them the other way round.
_CURSORS = {None: ("before", "after"), "normal": ("before", "after")}


@pytest.mark.parametrize("order", [None, "normal", "desc", "asc"])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_forwards_and_back(caller: Caller, order: str | None, limit: int) -> None:
    """Following one cursor gives every factor once, in order; the other leads back the same way."""
    made = _make(caller, 5)
    expected = made if order == "asc" else made[::-1]
    onward, backward = _CURSORS.get(order, ("after", "before"))
    asked = {"limit": str(limit), **({"order": order} if order else {})}
    response = caller.list(**asked)
    pages = [_ids(response)]
    assert response.json["list_metadata"][backward] is None
    while (cursor := response.json["list_metadata"][onward]) is not None:
        assert cursor == pages[-1][-1]
        response = caller.list(**asked, **{onward: cursor})
        pages.append(_ids(response))
    assert [item for page in pages for item in page] == expected
    assert all(len(page) == limit for page in pages[:-1])
    back = pages[-1]
    while (cursor := response.json["list_metadata"][backward]) is not None:
        assert cursor == _ids(response)[0]
        response = caller.list(**asked, **{backward: cursor})
        back = _ids(response) + back
    assert back == expected


def test_pages_of_ten_newest_first_unless_told(caller: Caller) -> None:
    """A first page without parameters has the ten newest, ``before`` for what is older, and nothing after it."""
    made = _make(caller, 11)[::-1]
    response = caller.list()
    assert _ids(response) == made[:10]
    assert response.json["list_metadata"] == {"before": made[9], "after": None}
    older = caller.list(before=made[9])
    assert (_ids(older), older.json["list_metadata"]) == ([made[10]], {"before": None, "after": made[10]})
    assert _ids(caller.list(after=made[10])) == made[:10]


def test_both_cursors_bound_a_page(caller: Caller) -> None:
    """``after`` and ``before`` together give what lies between, and nothing where nothing does."""
    made = _make(caller, 5)
    assert _ids(caller.list(order="asc", after=made[0], before=made[4])) == made[1:4]
    assert _ids(caller.list(order="asc", after=made[0], before=made[4], limit="2")) == made[1:3]
    assert _ids(caller.list(order="normal", after=made[0], before=made[4])) == made[1:4][::-1]
    empty = caller.list(order="asc", after=made[3], before=made[1])
    assert empty.json == {"object": "list", "data": [], "list_metadata": {"before": None, "after": None}}


def test_a_cursor_outlives_its_factor(caller: Caller) -> None:
    """The page after a factor that was deleted meanwhile is still the right one."""
    made = _make(caller, 4)
    caller.delete(made[1])
    assert _ids(caller.list(order="asc", after=made[1])) == made[2:]
    assert _ids(caller.list(order="asc", before=made[1])) == made[:1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "101", "-1", "1.5", "", "ten", "٣", "9" * 5000)),
        *(("order", value) for value in ("", "up", "ASC")),
        *((name, value) for name in ("before", "after") for value in ("", "user_1")),
        ("userId", "user_1"),
    ],
)
def test_refuses_senseless_parameters(caller: Caller, name: str, value: str) -> None:
    """A parameter that makes no sense, or is unknown, is named."""
    response = caller.list(**{name: value})
    assert response.status == 422
    assert [error["field"] for error in response.json["errors"]] == [name]

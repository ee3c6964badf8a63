"""The emulator as Python code meets it: a transport with a clock, an outbox and a list of calls."""

from __future__ import annotations

import hmac
import math
import re
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import workos_mfa.emulator
from tests.emulator.caller import NOW, Caller, parts_of
from workos_mfa._core.transport import Request, Transport
from workos_mfa.emulator import Emulator


def test_is_a_transport() -> None:
    """The emulator can stand wherever a transport can; closing it does nothing."""
    transport: Transport = Emulator()
    transport.close()
    response = transport.send(
        Request("enroll_factor", "POST", "/auth/factors/enroll", "", json={"type": "generic_otp"})
    )
    assert response.status == 201


def test_public_names() -> None:
    """What users import is listed in order, and each class says where it is imported from."""
    names = workos_mfa.emulator.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    things = [getattr(workos_mfa.emulator, name) for name in names]
    modules = {thing.__name__: thing.__module__ for thing in things if isinstance(thing, type)}
    # The one that is exported at the top as well.
    assert modules.pop("Emulator") == "workos_mfa"
    assert set(modules.values()) == {"workos_mfa.emulator"}


def test_takes_settings_by_name(caller: Caller) -> None:
    """A setting is an argument; one that there is not is refused with the nearest that there is, and with all."""
    caller = Caller(Emulator(max_wrong_codes=1, totp_window_back=0, totp_window_ahead=0))
    challenge = caller.challenge(caller.generic()).json
    assert [caller.wrong(challenge).status for _ in range(2)] == [201, 400]
    make: Any = Emulator
    with pytest.raises(TypeError) as caught:
        make(max_wrong_code=3)
    assert str(caught.value).startswith(
        "there is no setting 'max_wrong_code'; did you mean 'max_wrong_codes'? There are: now, state, random_seed, "
    )
    with pytest.raises(TypeError, match=r"no setting 'colour'\. There are: now"):
        make(colour="red")
    with pytest.raises(ValueError, match="max_wrong_codes takes a whole number from 1"):
        Emulator(max_wrong_codes=0)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"now": "2026"},
            "now takes a datetime with a time zone, such as datetime(2026, 1, 15, 12, tzinfo=timezone.utc)",
        ),
        ({"now": datetime(2026, 1, 15, tzinfo=timezone.utc).date()}, "not 'date'"),
        ({"state": 7}, "state takes the path of a file, as a str or a Path, not 'int'"),
    ],
)
def test_says_what_it_takes(arguments: dict[str, Any], problem: str) -> None:
    """An argument of another type is a TypeError that says what to pass."""
    with pytest.raises(TypeError, match=re.escape(problem)):
        Emulator(**arguments)


def test_records_calls(caller: Caller) -> None:
    """Every call is on the list, refused and unknown ones included."""
    responses = [caller.enroll(type="generic_otp"), caller.get("auth_factor_1"), caller.send("GET", "/what")]
    calls = caller.emulator.calls
    assert [call.status for call in calls] == [201, 404, 501]
    assert [call.operation for call in calls] == ["enroll_factor", "get_factor", None]
    assert [call.route for call in calls] == ["/auth/factors/enroll", "/auth/factors/{id}", None]
    assert [call.error_code for call in calls] == [None, "entity_not_found", "not_implemented_by_emulator"]
    assert [call.request_id for call in calls] == [a.headers["x-request-id"] for a in responses]
    assert calls[1].path == "/auth/factors/auth_factor_1"
    assert {call.at for call in calls} == {caller.emulator.clock.now()}


def test_sends_text_messages(caller: Caller) -> None:
    """A challenge of an SMS factor sends its text, and the code in it is the right one."""
    factor = caller.sms()
    challenge = caller.challenge(factor, sms_template="Foo Corp: {{code}} ({{code}})").json
    message = caller.emulator.outbox.latest(to="+15005550006")
    assert message.text == f"Foo Corp: {message.code} ({message.code})"
    assert (message.factor_id, message.challenge_id) == (factor["id"], challenge["id"])
    assert message.sent_at.isoformat(timespec="milliseconds") == "2026-08-21T12:00:00.432+00:00"
    assert caller.verify(challenge, message.code).json["valid"] is True


def test_totp_code_says_what_is_wrong(caller: Caller) -> None:
    """A code that there is not is an error that says where codes are."""
    with pytest.raises(ValueError, match=r"type sms, which has no TOTP code.*emulator\.outbox"):
        caller.emulator.totp_code(caller.sms()["id"])


@pytest.mark.parametrize("kind", ["totp", "sms", "generic"])
def test_wrong_code_is_refused(caller: Caller, kind: str) -> None:
    """A wrong code has the shape of a right one, and no open challenge of the factor takes it."""
    factor = getattr(caller, kind)()
    challenges = [caller.challenge(factor).json for _ in range(3)]
    code = caller.emulator.wrong_code(factor["id"])
    assert re.fullmatch("[0-9]{6}", code)
    assert [caller.verify(challenge, code).json["valid"] for challenge in challenges] == [False] * 3


# Secrets whose code is 000000 so many steps from now.
_SECRETS = {
    -2: "O5ZG63THEBRW6ZDFAAAAJVK5",
    -1: "O5ZG63THEBRW6ZDFAAABL7ZU",
    0: "O5ZG63THEBRW6ZDFAAAA32IS",
    1: "O5ZG63THEBRW6ZDFAAABIOJA",
    2: "O5ZG63THEBRW6ZDFAAAAEDYO",
    3: "O5ZG63THEBRW6ZDFAAAARM75",
}


@pytest.mark.parametrize(
    ("window", "step", "code"),
    [
        (1, -1, "000001"),
        (1, 0, "000001"),
        (1, 1, "000001"),
        (1, 2, "000001"),
        (1, 3, "000000"),
        (0, -2, "000000"),
        (2, -2, "000001"),
    ],
)
def test_wrong_code_is_none_of_the_window(
    caller_with: Callable[..., Caller], window: int, step: int, code: str
) -> None:
    """The code of a step within the setting's window, or of the one that comes into it next, is no wrong one."""
    caller = caller_with(totp_window_back=window, totp_window_ahead=window)
    factor = {"id": "auth_factor_1", "type": "totp", "user": "alan", "secret": _SECRETS[step]}
    caller.emulator.seed({"factors": [factor]})
    assert caller.emulator.wrong_code("auth_factor_1") == code
    challenge = caller.challenge(factor).json
    caller.emulator.clock.advance(30)
    assert caller.verify(challenge, code).json["valid"] is False


def test_wrong_code_is_that_of_no_challenge(caller: Caller) -> None:
    """The code of any challenge of the factor is passed over; another factor's is no matter."""
    factors = [{"id": f"auth_factor_{number}", "type": "generic_otp"} for number in (1, 2)]
    challenges = [{"authentication_factor_id": "auth_factor_1", "code": code} for code in ("000000", "000001")]
    caller.emulator.seed({"factors": factors, "challenges": challenges})
    assert [caller.emulator.wrong_code(factor["id"]) for factor in factors] == ["000002", "000000"]


@pytest.mark.parametrize("name", ["totp_code", "wrong_code"])
def test_a_code_is_that_of_a_factor(caller: Caller, name: str) -> None:
    """What is no factor's id is told apart from one that is unknown."""
    code_of = getattr(caller.emulator, name)
    with pytest.raises(LookupError, match="never enrolled, or deleted"):
        code_of("auth_factor_1")
    with pytest.raises(TypeError, match=rf"{name}\(\) takes the id of a factor, such as factor\.id, not 'dict'"):
        code_of(caller.totp())


def test_reset(caller: Caller) -> None:
    """After a reset nothing is left, and the clock stands where it did."""
    start = caller.emulator.clock.now()
    outbox = caller.emulator.outbox
    factor = caller.sms()
    caller.challenge(factor)
    caller.emulator.clock.advance(100)
    caller.emulator.reset()
    assert repr(caller.emulator) == "<Emulator: 0 factors, 0 challenges, 0 text messages, 0 calls>"
    assert caller.emulator.clock.now() == start
    assert caller.get(factor["id"]).status == 404
    assert (len(outbox), len(caller.emulator.calls)) == (0, 1)


def test_reset_ends_the_rate_limit(caller_with: Callable[..., Caller]) -> None:
    """Limits start again after a reset."""
    caller = caller_with(sms_rate_limit=1)
    caller.challenge(caller.sms())
    caller.emulator.reset()
    assert caller.challenge(caller.sms()).status == 201


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_have_are_unreadable(caller: Caller, value: float) -> None:
    """NaN and Infinity, which Python writes, are refused as a server refuses them."""
    response = caller.enroll(type="generic_otp", user_id=value)
    body = {"code": "invalid_request_body", "message": "The request body must be a JSON object."}
    assert response.seen == (400, body)


_CIRCLE: list[object] = []
_CIRCLE.append(_CIRCLE)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", datetime(2026, 1, 1, tzinfo=timezone.utc), _CIRCLE])
def test_what_json_does_not_have_is_a_mistake_of_the_caller(caller: Caller, value: object) -> None:
    """What could not have gone over HTTP is a TypeError, and nothing is recorded."""
    with pytest.raises(TypeError, match=r"request\.json holds something that JSON does not have") as caught:
        caller.enroll(type="generic_otp", user_id=value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert not caller.emulator.calls


def test_any_mapping_is_read_like_json(caller: Caller) -> None:
    """A read-only mapping is a body; a tuple in it is a list, as it would be over HTTP."""
    response = caller.send("POST", "/auth/factors/enroll", MappingProxyType({"type": "generic_otp"}))
    assert response.status == 201
    assert caller.enroll(type=("totp",)).status == 422


@pytest.mark.parametrize("name", [None, "state.db"])
def test_reprs_show_no_secret(tmp_path: Path, name: str | None) -> None:
    """No repr of the emulator or of anything in it shows a code, a secret or a phone number."""
    with Emulator(now=NOW, state=name and tmp_path / name) as emulator:
        caller = Caller(emulator)
        totp, generic = caller.totp(), caller.challenge(caller.generic()).json
        caller.challenge(caller.sms())
        parts = [*parts_of(emulator, {}).values(), *emulator.outbox, *emulator.calls, *emulator.totp_codes()]
        shown = " ".join(map(repr, parts))
        codes = [generic["code"], emulator.totp_code(totp["id"]), emulator.outbox[0].code, emulator.outbox[0].text]
    assert len({type(part) for part in parts}) > 15
    secrets = [*codes, totp["totp"]["secret"], "5005550"]
    assert [secret for secret in secrets if secret in shown] == []


def test_foreign_exceptions_bring_no_locals(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's time limit in the middle of a call keeps its type and its traceback, whose frames are empty."""

    class TimeLimit(BaseException):
        pass

    def interrupted(*_: object) -> None:
        raise TimeLimit

    challenge = caller.challenge(caller.totp()).json
    monkeypatch.setattr(hmac, "digest", interrupted)
    with pytest.raises(TimeLimit) as caught:
        caller.verify(challenge, "123456")
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    names = [frame.f_code.co_name for frame in frames]
    assert names[-1] == "interrupted"
    assert not frames[-1].f_locals
    assert "123456" not in repr([frame.f_locals for frame in frames[names.index("send") + 1 :]])
    assert caught.value.__context__ is None

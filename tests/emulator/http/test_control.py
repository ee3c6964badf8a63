"""The control plane: the powers of the Python object, by the same names, for any language."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import attrs
import pytest

from tests.emulator.caller import NOW, Reply
from tests.emulator.http.client import Client
from workos_mfa.emulator import Emulator

PHONE = "+15005550006"


def _sms(client: Client, **body: object) -> Any:
    factor = client.post("/auth/factors/enroll", {"type": "sms", "phone_number": PHONE}).json
    return client.post(f"/auth/factors/{factor['id']}/challenge", body).json


def _totp(client: Client) -> Any:
    body = {"type": "totp", "totp_issuer": "Foo Corp", "totp_user": "alan@example.com"}
    return client.post("/auth/factors/enroll", body).json


def _refused(reply: Reply, status: int, text: str) -> None:
    assert reply.status == status
    assert text in reply.json["message"]
    assert set(reply.json) == {"code", "message"}


def test_outbox(client: Client, emulator: Emulator) -> None:
    """The outbox shows every message with its code, oldest first, and can be emptied."""
    assert client.get("/_emulate/outbox").json == []
    first, second = _sms(client, sms_template="Yours: {{code}}"), _sms(client)
    shown = client.get("/_emulate/outbox").json
    assert [message["challenge_id"] for message in shown] == [first["id"], second["id"]]
    sent = emulator.outbox[0]
    assert shown[0] == {
        "to": PHONE,
        "text": f"Yours: {sent.code}",
        "code": sent.code,
        "factor_id": first["authentication_factor_id"],
        "challenge_id": first["id"],
        "sent_at": first["created_at"],
    }
    assert client.delete("/_emulate/outbox").status == 204
    assert client.get("/_emulate/outbox").json == []


@pytest.mark.parametrize("number", ["%2B15005550006", "+15005550006"])
def test_latest_message(client: Client, number: str) -> None:
    """The newest message to a number, of a factor or of a challenge, however the + of the number is written."""
    first, second = _sms(client), _sms(client)
    assert client.get("/_emulate/outbox/latest").json["challenge_id"] == second["id"]
    assert client.get(f"/_emulate/outbox/latest?to={number}").json["challenge_id"] == second["id"]
    found = client.get(f"/_emulate/outbox/latest?challenge_id={first['id']}").json
    assert client.get(f"/_emulate/outbox/latest?factor_id={found['factor_id']}").json == found
    _refused(client.get("/_emulate/outbox/latest?to=%2B1"), 404, "no text message fits")
    _refused(client.get("/_emulate/outbox/latest?phone=1"), 422, "There is no phone here; there is: to, factor_id")


def test_codes_of_a_factor(client: Client, emulator: Emulator) -> None:
    """The code that an authenticator app shows now, and one that a factor does not take; what has none is told why."""
    totp, sms = _totp(client)["id"], _sms(client)["authentication_factor_id"]
    assert client.get(f"/_emulate/factors/{totp}/code").json == {"code": emulator.totp_code(totp)}
    for factor_id in (totp, sms):
        assert client.get(f"/_emulate/factors/{factor_id}/wrong_code").json == {"code": emulator.wrong_code(factor_id)}
    for name in ("code", "wrong_code"):
        _refused(client.get(f"/_emulate/factors/auth_factor_x/{name}"), 404, "never enrolled, or deleted")
    _refused(client.get(f"/_emulate/factors/{sms}/code"), 422, "emulator.outbox")


def test_codes(client: Client, emulator: Emulator) -> None:
    """What all authenticator apps show now, the newest first, with the names that they show it under."""
    assert client.get("/_emulate/codes").json == []
    _sms(client)
    first, second = _totp(client), _totp(client)
    assert client.get("/_emulate/codes").json == [
        {
            "factor_id": factor["id"],
            "issuer": "Foo Corp",
            "user": "alan@example.com",
            "code": emulator.totp_code(factor["id"]),
        }
        for factor in (second, first)
    ]
    assert emulator.totp_code(first["id"]) not in repr(emulator.totp_codes())


def test_clock(client: Client, emulator: Emulator) -> None:
    """The clock is shown, moved, set, stopped and let run; the response is what it shows then."""
    shown = {"now": "2026-08-21T12:00:00.432Z", "frozen": True}
    assert client.get("/_emulate/clock").json == shown
    assert client.post("/_emulate/clock", {"advance": 601}).json == {**shown, "now": "2026-08-21T12:10:01.432Z"}
    assert emulator.clock.now() == NOW + timedelta(seconds=601)
    assert client.post("/_emulate/clock", {"set": "2026-01-15T13:00:00+01:00", "advance": 0.5}).json == {
        "now": "2026-01-15T12:00:00.500Z",
        "frozen": True,
    }
    running = client.post("/_emulate/clock", {"freeze": False}).json
    assert running["frozen"] is False
    assert running["now"].startswith("2026-01-15T12:0")
    assert client.post("/_emulate/clock", {"freeze": False}).json["frozen"] is False
    assert client.post("/_emulate/clock", {"freeze": True, "set": "2026-01-15T12:00:00Z"}).json["frozen"] is True
    assert client.get("/_emulate/clock").json == client.get("/_emulate/clock").json


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"forward": 1}, "There is no forward here; there is: set, advance, freeze."),
        ({"advance": "601"}, "advance takes a number of seconds"),
        ({"advance": -1, "freeze": False}, "zero or more seconds"),
        ({"advance": -1, "set": "2026-01-15T12:00:00Z"}, "zero or more seconds"),
        ({"advance": 10**399, "set": "2026-01-15T12:00:00Z"}, "from 1970 to the end of 9998"),
        ({"advance": 5, "set": "1969-01-15T12:00:00Z", "freeze": False}, "from 1970 to the end of 9998"),
        ({"set": 1}, "set takes a time in ISO 8601"),
        ({"set": "tomorrow"}, "set takes a time in ISO 8601"),
        ({"set": "2026-01-15T12:00:00"}, "time zone"),
        ({"freeze": 1}, "freeze takes true or false"),
        ({"set": "2026-01-15T12:00:00Z", "freeze": "no"}, "freeze takes true or false"),
        ([], "must be a JSON object"),
        (None, "must be a JSON object"),
        (b"[" * 90_000, "must be a JSON object"),
    ],
)
def test_a_wrong_time_moves_nothing(client: Client, emulator: Emulator, body: object, text: str) -> None:
    """What can't be read is refused with what would do, and the clock stays where it is."""
    _refused(client.post("/_emulate/clock", body), 422, text)
    assert emulator.clock.now() == NOW
    assert emulator.clock.is_frozen


@pytest.mark.parametrize("name", ["faults", "hooks"])
def test_faults(client: Client, emulator: Emulator, name: str) -> None:
    """Faults are made, listed, removed one by one and all together, under both names."""
    path = f"/_emulate/{name}"
    made = client.post(path, {"fault": "lose_response", "operation": "verify_challenge", "count": 2})
    assert made.status == 201
    assert made.json == next(iter(emulator.faults)).as_json()
    other = client.post(path, made.json).json
    assert client.get(path).json == [made.json, other]
    assert client.delete(f"{path}/{made.json['id']}").status == 204
    assert client.get(path).json == [other]
    _refused(client.delete(f"{path}/{made.json['id']}"), 404, "there is no fault")
    assert client.delete(path).status == 204
    assert client.get(path).json == []
    _refused(client.post(path, {"fault": "explode"}), 422, "takes one of refuse_connection")


def test_calls(client: Client, emulator: Emulator) -> None:
    """The calls are listed, those of the control plane not among them, and the list can be emptied."""
    client.get("/auth/factors/auth_factor_1")
    client.get("/_emulate/clock")
    client.get("/_emulate/what")
    [shown] = client.get("/_emulate/calls").json
    assert shown["request_id"] == emulator.calls[0].request_id
    assert {name: shown[name] for name in ("operation", "method", "route", "path", "status", "error_code", "at")} == {
        "operation": "get_factor",
        "method": "GET",
        "route": "/auth/factors/{id}",
        "path": "/auth/factors/auth_factor_1",
        "status": 404,
        "error_code": "entity_not_found",
        "at": "2026-08-21T12:00:00.432Z",
    }
    assert client.delete("/_emulate/calls").status == 204
    assert client.get("/_emulate/calls").json == []


def test_seed(client: Client) -> None:
    """Factors with ids that a test knows beforehand; a seed that makes no sense is refused."""
    factor_id = "auth_factor_01FVYZ5QM8N98T9ME5BCB2BBMJ"
    seed = {"factors": [{"id": factor_id, "type": "sms", "phone_number": PHONE}]}
    reply = client.post("/_emulate/seed", seed)
    assert reply.status == 200
    assert isinstance(reply.json, dict)
    assert client.get(f"/auth/factors/{factor_id}").json["sms"] == {"phone_number": PHONE}
    reply = client.post("/_emulate/seed", {"colour": "red"})
    assert (reply.status, reply.json["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/_emulate", "/_emulate/"])
def test_it_names_its_paths(client: Client, emulator: Emulator, path: str) -> None:
    """The index has every path that there is, with its methods and what they do."""
    index = client.get(path)
    assert index.status == 200
    assert not emulator.calls
    assert {"path": "/_emulate/reset", "methods": ["POST"]}.items() <= index.json[-1].items()
    assert index.json[0]["path"] == "/_emulate"
    for entry in index.json:
        assert set(entry) == {"path", "methods", "does"}
        for method in {"GET", "POST", "DELETE"} - set(entry["methods"]):
            assert client.send(method, entry["path"]).headers["allow"] == ", ".join(sorted(entry["methods"]))


def test_settings() -> None:
    """The settings in force are shown in full, and nothing changes them: a seed may only say the same."""
    emulator = Emulator(max_wrong_codes=3, users="seeded")
    with emulator.serve() as server, contextlib.closing(Client(server.base_url, server.api_key)) as client:
        shown = client.get("/_emulate/settings").json
        assert shown == attrs.asdict(emulator.settings)
        assert (shown["max_wrong_codes"], shown["users"]) == (3, "seeded")
        _refused(client.post("/_emulate/settings", {"max_wrong_codes": 4}), 405, "takes GET, not POST")
        same = {"settings": {"max_wrong_codes": 3}}
        assert client.post("/_emulate/seed", same).status == 200
        other = {**same, "settings": {"max_wrong_codes": 4}}
        _refused(client.post("/_emulate/seed", other), 422, "settings.max_wrong_codes: this emulator was started with")
        assert emulator.settings.max_wrong_codes == 3


def test_reset(client: Client, emulator: Emulator) -> None:
    """All is as at the start."""
    factor = _totp(client)
    client.post("/_emulate/clock", {"advance": 1})
    assert client.post("/_emulate/reset").status == 204
    assert client.get(f"/auth/factors/{factor['id']}").status == 404
    assert emulator.clock.now() == NOW
    assert len(emulator.calls) == 1


def test_what_is_not_there_is_told(client: Client) -> None:
    """A wrong path or method is told the right ones."""
    for path in ("what", "outbox/", "factors/x", "faults/x/y"):
        reply = client.get(f"/_emulate/{path}")
        _refused(reply, 404, f"There is no /_emulate/{path}; there are: /_emulate/outbox, ")
        assert "GET /_emulate tells what they do" in reply.json["message"]
    reply = client.post("/_emulate/outbox")
    _refused(reply, 405, "/_emulate/outbox takes DELETE and GET, not POST.")
    assert reply.headers["allow"] == "DELETE, GET"
    _refused(client.get("/_emulate/clock?advance=601"), 422, "There is no advance here")
    _refused(client.post("/_emulate"), 405, "/_emulate takes GET, not POST.")
    assert client.get("/_emulated").status == 501


def test_any_content_type_will_do(client: Client) -> None:
    """A body is JSON whatever it is called, so that ``curl -d`` needs no header."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.send("POST", "/_emulate/clock", {"advance": 1}, headers).status == 200


def test_a_seed_may_be_long_but_not_endless(client: Client) -> None:
    """The limit is far above that of the API's calls."""
    assert client.post("/_emulate/clock", b'{"advance": 1}' + b" " * 500_000).status == 200
    assert client.send("POST", "/_emulate/seed", b"{}", {"Content-Length": str(2**40)}).status == 413

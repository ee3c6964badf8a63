"""What the emulator checks of an HTTP request before the API sees it."""

from __future__ import annotations

import contextlib
import hmac
import logging
import socket
import uuid
from email.utils import parsedate_to_datetime

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client as WSGIClient

from tests.emulator.caller import parts_of
from tests.emulator.http.client import Client, raw
from workos_mfa.emulator import Emulator, EmulatorServer
from workos_mfa.emulator._http.app import API_LIMIT

ENROLL = "/auth/factors/enroll"
GENERIC = {"type": "generic_otp"}


def _head(*headers: str) -> bytes:
    """The head of a request to enroll, with these headers beside those that it needs."""
    lines = [f"POST {ENROLL} HTTP/1.1", "Host: [::1]", "Authorization: Bearer sk_test_default", *headers]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def test_headers_are_those_of_the_api(client: Client) -> None:
    """Every response has a request id, its content type, its length and its date."""
    for reply in (
        client.post(ENROLL, GENERIC),
        client.get("/auth/factors/x"),
        client.get("/what"),
        client.get("/health"),
    ):
        assert uuid.UUID(reply.headers["x-request-id"]).version == 4
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert int(reply.headers["content-length"]) == len(reply.body)
        assert parsedate_to_datetime(reply.headers["date"]).tzinfo is not None


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer ",
        "Bearer sk_test_defaul",
        "Bearer sk_test_default2",
        "Basic sk_test_default",
        "sk_test_default",
        "Bearer sk_test_d\xe9fault",
    ],
)
def test_another_key_is_refused(server: EmulatorServer, emulator: Emulator, authorization: str | None) -> None:
    """Without the key nothing is answered but a 401 in the API's words, not even which routes there are."""
    headers = {} if authorization is None else {"Authorization": authorization}
    with contextlib.closing(Client(server.base_url, None)) as client:
        for path in ("/auth/factors/x", "/what", "/_emulate/outbox", "/_emulate/what"):
            reply = client.send("GET", path, headers=headers)
            assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
    assert [call.status for call in emulator.calls] == [401, 401]


def test_the_scheme_may_be_written_in_any_case(client: Client) -> None:
    """``bearer`` is ``Bearer``."""
    assert client.send("GET", "/auth/factors/x", headers={"Authorization": "bearer  sk_test_default"}).status == 404


def test_health_needs_no_key(server: EmulatorServer) -> None:
    """Whoever waits for the emulator to start can ask without one, and is told who it is."""
    with contextlib.closing(Client(server.base_url, None)) as client:
        reply = client.get("/health")
        assert (reply.status, reply.json["status"], reply.json["emulator"]) == (200, "ok", "workos_mfa")
        assert client.post("/health").status == 401


def test_a_response_to_head_has_no_body(client: Client) -> None:
    """HEAD is told the right methods like any other wrong one, and the connection goes on."""
    reply = client.send("HEAD", "/auth/factors/x")
    assert (reply.status, reply.headers["allow"], reply.body) == (405, "DELETE, GET", b"")
    assert int(reply.headers["content-length"]) > 0
    assert client.get("/health").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 201),
        ({"Content-Type": "Application/JSON; charset=UTF-8"}, 201),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_only_json_in_utf_8_is_read(client: Client, headers: dict[str, str], status: int) -> None:
    """What a body is has to be said, in whatever case; the refusal tells how."""
    reply = client.send("POST", ENROLL, GENERIC, headers)
    assert reply.status == status
    if status == 415:
        assert reply.json["code"] == "unsupported_media_type"
        assert "Content-Type: application/json" in reply.json["message"]


MALFORMED = [b"{", b"[]", b'"x"', b"null", b"1", b"{'type': 'totp'}", b"\xff", b'{"type": NaN}', b"\xef\xbb\xbf{}"]


@pytest.mark.parametrize("body", [*MALFORMED, b"[" * 90_000])
def test_malformed_json_is_refused(client: Client, body: bytes) -> None:
    """What is not a JSON object is a 400 that says so."""
    reply = client.post(ENROLL, body)
    assert (reply.status, reply.json["code"]) == (400, "invalid_request_body")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_get_a_response(body: bytes) -> None:
    """Whatever bytes come in place of JSON, they are read or refused."""
    headers = {"Authorization": "Bearer sk_test_default", "Content-Type": "application/json"}
    response = WSGIClient(Emulator().wsgi_app).post(ENROLL, data=body, headers=headers)
    assert response.status_code in {201, 400, 422}


def test_a_large_body_is_refused_unread(server: EmulatorServer, client: Client) -> None:
    """A body over the limit is refused by its announced length, before it comes."""
    assert client.post(ENROLL, b" " * API_LIMIT).status == 400
    sent = raw(server.base_url, _head(f"Content-Length: {2**40}") + b"{")
    assert sent.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"request_body_too_large"' in sent
    assert b"\r\nConnection: close\r\n" in sent


def test_a_large_body_that_comes_all_the_same_does_not_hide_the_response(client: Client) -> None:
    """A client that sends on without looking still reads why it was refused, and may come again."""
    assert client.post(ENROLL, b" " * (8 * API_LIMIT)).status == 413
    assert client.post(ENROLL, GENERIC).status == 201


def test_chunked_bodies(server: EmulatorServer) -> None:
    """A body in chunks is read, up to the limit."""
    head = _head("Content-Type: application/json", "Transfer-Encoding: chunked")
    whole = b'9\r\n{"type": \r\ne\r\n"generic_otp"}\r\n0\r\n\r\n'
    assert raw(server.base_url, head + whole).startswith(b"HTTP/1.1 201 ")
    long = b"10000\r\n" + b" " * 65536 + b"\r\n"
    assert raw(server.base_url, head + 2 * long + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: x",
        "Content-Length: -1",
        "Content-Length: \xb2",
        f"Content-Length: {'9' * 30}",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2, 2",
        "Content-Length:",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_length_that_is_not_clear_is_refused(server: EmulatorServer, headers: str) -> None:
    """Where a body ends must not be a matter of opinion: the next request would begin inside this one."""
    sent = raw(server.base_url, _head(headers) + b"{}")
    assert sent.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_request"' in sent


def test_the_go_sdk(client: Client, emulator: Emulator) -> None:
    """The very bytes of the official Go SDK up to 6.5, empty strings and all, run the whole flow."""
    totp = client.post(ENROLL, b'{"phone_number":"","totp_issuer":"Foo Corp","totp_user":"alan","type":"totp"}')
    sms = client.post(ENROLL, b'{"phone_number":"+15005550006","totp_issuer":"","totp_user":"","type":"sms"}')
    assert [totp.status, sms.status] == [201, 201]
    for factor in (totp.json, sms.json):
        challenge = client.post(f"/auth/factors/{factor['id']}/challenge", b'{"sms_template":""}')
        assert challenge.status == 201
        is_sms = factor["type"] == "sms"
        code = emulator.outbox.latest().code if is_sms else emulator.totp_code(factor["id"])
        verify = f"/auth/challenges/{challenge.json['id']}/verify"
        assert client.post(verify, f'{{"code":"{code}"}}'.encode()).json["valid"] is True
    user = "/user_management/users/user_1/auth_factors"
    made = client.post(user, b'{"User":"user_1","type":"totp"}')
    assert (made.status, made.json["authentication_factor"]["user_id"]) == (201, "user_1")
    assert [factor["id"] for factor in client.get(user).json["data"]] == [made.json["authentication_factor"]["id"]]


HIDDEN = b"GET /auth/factors/hidden HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_test_default\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length : %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\n Content-Length: %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX: folded\r\n\tContent-Length: %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length\xa0: %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length\x00: %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nno colon\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\n: no name\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: %d\r\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\nContent-Length: %d\n\r\n" % len(HIDDEN),
        b"POST / HTTP/1.1\r\nHost: localhost\r\n\n",
        b"POST / HTTP/1.1\nHost: localhost\r\n\r\n",
        b"POST  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\r\n",
        b"\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n%s" % CHUNKED,
    ],
)
def test_a_head_that_is_not_clear_ends_the_connection(server: EmulatorServer, emulator: Emulator, head: bytes) -> None:
    """Where two could read a head in two ways it is refused, and nothing behind it is taken for a request."""
    sent = raw(server.base_url, head + HIDDEN)
    assert sent.startswith(b"HTTP/1.1 400 ")
    assert sent.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in sent
    assert b"The workos_mfa emulator can't read this request" in sent
    assert not emulator.calls


def test_half_a_head_is_no_request(server: EmulatorServer, emulator: Emulator) -> None:
    """A client that goes away within the head has asked for nothing, whatever it has said so far."""
    host, _, port = server.base_url.removeprefix("http://").rpartition(":")
    for end in (b"", b"\r", b"\r\n", b"\r\nContent-Length: 0"):
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(HIDDEN.removesuffix(b"\r\n\r\n") + end)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(100).startswith(b"HTTP/1.1 400 ")
    assert not emulator.calls


def test_what_is_not_http_is_refused_in_json(server: EmulatorServer, emulator: Emulator) -> None:
    """A request line that can't be read gets a response of the usual form, and is no call."""
    for line, status in ((b"what is this", b"400"), (b"GET / HTTP/3.0", b"505")):
        sent = raw(server.base_url, line + b"\r\n\r\n")
        assert sent.startswith(b"HTTP/1.1 %s " % status)
        assert b"The workos_mfa emulator can't read this request" in sent
    assert not emulator.calls


def test_a_client_that_goes_away_within_its_body_has_made_no_call(server: EmulatorServer, emulator: Emulator) -> None:
    """Half a body is not taken for a whole one."""
    host, _, port = server.base_url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(_head("Content-Length: 50") + b'{"type":')
        line.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(100) == b""
    assert not emulator.calls


def test_connections_are_kept(client: Client) -> None:
    """Calls one after the other go over one connection, responses without a body and error_responses included."""
    factor = client.post(ENROLL, GENERIC).json
    line = client.socket
    assert line is not None
    statuses = [
        client.get(f"/auth/factors/{factor['id']}").status,
        client.delete(f"/auth/factors/{factor['id']}").status,
        client.get(f"/auth/factors/{factor['id']}").status,
        client.post(ENROLL, b"{").status,
        client.send("POST", ENROLL, GENERIC, {"Content-Type": "text/plain"}).status,
        client.get("/_emulate/clock").status,
    ]
    assert statuses == [200, 204, 404, 400, 415, 200]
    assert client.socket is line


def test_two_requests_may_come_at_once(server: EmulatorServer) -> None:
    """A second request that is on its way before the first is answered is answered in its turn, an old one too."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    sent = raw(server.base_url, request + b"GET /health HTTP/1.0\r\n\r\n")
    assert sent.count(b"HTTP/1.1 200 OK\r\n") == 2
    # The name is spelt as WorkOS spells it, for whoever reads it with its capitals.
    assert sent.count(b"\r\nX-Request-Id: ") == 2


def test_a_client_may_ask_before_it_sends_its_body(server: EmulatorServer) -> None:
    """``Expect: 100-continue``, as curl sends it, is answered first."""
    head = _head("Expect: 100-continue", "Content-Type: application/json", "Content-Length: 22", "Connection: close")
    sent = raw(server.base_url, head + b'{"type":"generic_otp"}')
    assert sent.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n")


@pytest.mark.parametrize("target", ["/auth/factors/a%2Fb%20c", "http://api.workos.com/auth/factors/a%2Fb%20c"])
def test_paths_are_taken_as_they_came(client: Client, emulator: Emulator, target: str) -> None:
    """An encoded slash is part of an id; a target in full, as for a proxy, is the same path."""
    reply = client.get(target)
    assert (reply.status, reply.json["entity_id"]) == (404, "a/b c")
    assert [call.path for call in emulator.calls] == ["/auth/factors/a%2Fb%20c"]


def test_query_parameters(client: Client) -> None:
    """Parameters are decoded; one that is given twice, or empty, is not taken for one that is right."""
    path = "/user_management/users/user_1/auth_factors"
    assert client.get(f"{path}?limit=%31&order=asc").status == 200
    assert client.get(f"{path}?limit=1&limit=2").status == 422
    assert client.get(f"{path}?limit=").status == 422
    assert client.get(f"{path}?userId=1").json["errors"][0]["code"] == "property userId should not exist"


def test_a_fault_of_the_emulators_own_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If the emulator itself goes wrong, the client is told that it did, and the log has the rest."""
    factor = client.post(ENROLL, {"type": "totp", "totp_issuer": "Foo Corp", "totp_user": "alan"}).json
    challenge = client.post(f"/auth/factors/{factor['id']}/challenge").json
    monkeypatch.setattr(hmac, "digest", _failing)
    with caplog.at_level(logging.ERROR, "workos_mfa.emulator"):
        reply = client.post(f"/auth/challenges/{challenge['id']}/verify", {"code": "123456"})
    assert (reply.status, reply.json["code"]) == (500, "emulator_failed")
    assert "ZeroDivisionError" in reply.json["message"]
    assert "the emulator failed" in caplog.text


def _failing(*_: object) -> None:
    raise ZeroDivisionError


def test_nothing_shows_the_key(emulator: Emulator, capfd: pytest.CaptureFixture[str]) -> None:
    """No repr of a server, an application or what they hold has the key, and serving writes nothing anywhere."""
    key = "sk_test_sentinel"
    with emulator.serve(api_key=key) as server, contextlib.closing(Client(server.base_url, key)) as client:
        assert client.get("/auth/factors/x").status == 404
        app = emulator.wsgi_app.with_api_key(key)
        shown = [*map(repr, [*vars(server).values(), *attrs.asdict(app, recurse=False).values()])]
        shown += map(repr, [*parts_of(server, {}).values(), *parts_of(app, {}).values()])
    assert len(shown) > 30
    assert not [text for text in shown if key in text]
    assert capfd.readouterr() == ("", "")

"""Which hosts a request may be addressed to: no web page uses the emulator under a name of its own."""

from __future__ import annotations

import contextlib

import pytest
from werkzeug.test import Client as WSGIClient

from tests.emulator.http.client import Client
from workos_mfa.emulator import Emulator, EmulatorServer

HEADERS = {"Authorization": "Bearer sk_test_default"}
OURS = ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:4100", "127.0.0.1:", "[::1]", "[::1]:4100"]
FOREIGN = [
    "mfa.example",
    "mfa.example:4100",
    "localhost.mfa.example",
    "127.0.0.1.mfa.example",
    "mfa.example@localhost",
    "localhost@mfa.example",
    "localhost, mfa.example",
    "localhost:80:80",
    "::1",
    "[::1",
    "127.0.0.2",
    "0.0.0.0",  # noqa: S104
    "localhost.",
]


@pytest.mark.parametrize("host", OURS)
def test_this_machine_by_its_usual_names(client: Client, host: str) -> None:
    """Whatever a developer calls the own machine, with or without a port, is answered."""
    assert client.send("GET", "/health", headers={"Host": host}).status == 200
    assert client.send("GET", "/_emulate/outbox", headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_is_refused(client: Client, emulator: Emulator, host: str) -> None:
    """With another host nothing is answered, right key or not, but what to do instead."""
    for method, path in [("GET", "/"), ("GET", "/health"), ("GET", "/_emulate/outbox"), ("POST", "/_emulate/reset")]:
        reply = client.send(method, path, headers={"Host": host})
        assert (reply.status, reply.json["code"]) == (421, "misdirected_request")
    reply = client.send("POST", "/auth/factors/enroll", {"type": "generic_otp"}, {"Host": host})
    assert (reply.status, reply.json["code"]) == (421, "misdirected_request")
    for hint in (repr(host), "127.0.0.1", "--allow-remote", "with_hosts()"):
        assert hint in reply.json["message"]
    assert "0 factors" in repr(emulator)
    assert [(call.path, call.status) for call in emulator.calls[-1:]] == [("/auth/factors/enroll", 421)]


def test_the_host_it_was_started_on(emulator: Emulator) -> None:
    """Another address of this machine is answered for where the server was told to listen there, and no other one."""
    with emulator.serve(host="127.0.0.2") as server:
        assert server.page_url == f"http://127.0.0.2:{server.port}/"
        with contextlib.closing(Client(server.base_url, server.api_key)) as client:
            assert client.get("/health").status == 200
            assert client.send("GET", "/health", headers={"Host": "localhost"}).status == 200
            assert client.send("GET", "/health", headers={"Host": "127.0.0.3"}).status == 421


def test_a_server_for_others_responds_under_any_name(emulator: Emulator) -> None:
    """What other machines can reach they reach under names that nobody here knows; and it shows them no page."""
    with emulator.serve(host="0.0.0.0", api_key="sk_test_mine") as server:  # noqa: S104
        assert server.page_url is None
        with contextlib.closing(Client(server.base_url, None)) as client:
            for host in (*OURS, *FOREIGN):
                assert client.send("GET", "/health", headers={"Host": host}).status == 200
                assert client.send("GET", "/", headers={"Host": host}).status == 401


def test_an_old_client_need_not_say_it(emulator: Emulator) -> None:
    """HTTP/1.0 knows no ``Host``, and no browser leaves it out."""
    client = WSGIClient(emulator.wsgi_app)
    assert client.get("/health", environ_overrides={"HTTP_HOST": ""}).status_code == 200


@pytest.mark.parametrize(
    ("hosts", "allowed", "refused"),
    [
        ((), ["localhost"], ["mfa.test"]),
        (("mfa.test",), ["localhost", "mfa.test", "MFA.test:8000"], ["mfa.tests"]),
        (("MFA.test", "fe80::1"), ["mfa.test", "[fe80::1]:80"], ["[fe80::2]"]),
        (("*",), ["localhost", "mfa.test", "anything at all"], []),
        (("*", "mfa.test"), ["localhost", "mfa.test", "anything at all"], []),
    ],
)
def test_an_application_for_other_hosts(
    emulator: Emulator, hosts: tuple[str, ...], allowed: list[str], refused: list[str]
) -> None:
    """Mounted in a server that has a name of its own, the application is told that name; it has no page there."""
    app = emulator.wsgi_app.with_hosts(*hosts).with_api_key("sk_test_mine")
    headers = {"Authorization": "Bearer sk_test_mine"}
    client = WSGIClient(app)
    statuses = {
        host: client.get("/auth/factors/x", headers={**headers, "Host": host}).status_code
        for host in (*allowed, *refused)
    }
    assert statuses == {**dict.fromkeys(allowed, 404), **dict.fromkeys(refused, 421)}
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("host", ["mfa.test:8000", "http://mfa.test", "", "mfa test", "mfa.test/"])
def test_what_is_no_host_is_told(emulator: Emulator, host: str) -> None:
    """A host that no request could be addressed to is a mistake, and told at once."""
    with pytest.raises(ValueError, match="a name or an address without a port"):
        emulator.wsgi_app.with_hosts(host)


def test_a_server_for_an_application_with_hosts(emulator: Emulator) -> None:
    """A server of ours keeps what its application was told, and shows its page only where it knows all names."""
    with EmulatorServer(emulator.wsgi_app.with_hosts("mfa.test"), host="127.0.0.1", port=0) as server:
        assert server.page_url is not None
        with contextlib.closing(Client(server.base_url, None)) as client:
            assert client.send("GET", "/", headers={"Host": "mfa.test"}).status == 200
    with EmulatorServer(emulator.wsgi_app.with_hosts("*"), host="127.0.0.1", port=0) as server:
        assert server.page_url is None

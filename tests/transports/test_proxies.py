"""Proxies, as users of requests expect them: taken from the environment, and never on the way to loopback."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme

from tests.loopback import Line, Received, Server, carry, serving, unused_port
from tests.transports.api import KEY, TransportFactory, answer_rightly
from workos_mfa import (
    MFA,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    RequestsTransport,
    RetryingTransport,
    TLSError,
    TransportTimeoutError,
)


def tunnel(request: Received, line: Line) -> None:
    """Do what a CONNECT asks for."""
    line.tunnel_to(int(request.path.rpartition(":")[2]))


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with TLS, whose authority is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serving(answer_rightly, tls=context) as server:
        yield server


def test_a_proxy_of_the_environment(
    origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY is used for https, by a tunnel in which the proxy sees no key."""
    with serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        transport = transport_class(KEY, base_url=origin.url)
        mfa = MFA(transport=transport)
        for _ in range(2):
            assert mfa.verify_challenge("auth_challenge_1", code="123456")
            assert mfa.verify_challenge("auth_challenge_1", code="123456")
            transport.close()
        first, after_close = proxy.received
    for connect in (first, after_close):
        assert (connect.method, connect.path) == ("CONNECT", f"localhost:{origin.port}")
        assert KEY not in str(connect.headers)
    assert len(origin.received) == 4


def test_no_proxy(origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY takes a host out."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("NO_PROXY", "localhost")
    transport = transport_class(KEY, base_url=origin.url)
    assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
    transport.close()


def test_loopback_is_reached_directly(
    server: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http to this machine goes through no proxy, since the key would be read there."""
    with serving(tunnel) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        transport = transport_class(KEY, base_url=server.url)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        transport.close()
        assert proxy.connections == 0


def test_loopback_is_reached_directly_by_a_session(server: Server) -> None:
    """A session's own proxies are not used for plain http to this machine either."""
    with serving(tunnel) as proxy, requests.Session() as session:
        session.proxies = {"http": proxy.url}
        transport = RequestsTransport(KEY, base_url=server.url, session=session)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        assert proxy.connections == 0


PASSWORD = b"hunter2secret"


def refuse(_: Received, line: Line) -> None:
    """Refuse to connect, and repeat what was sent."""
    line.send(b"HTTP/1.1 407 us%%er:%s Basic cGFzcw==\r\nContent-Length: 0\r\n\r\n" % PASSWORD)


def die(_: Received, line: Line) -> None:
    """Take the CONNECT, and go."""
    line.reset()


def talk_on(_: Received, line: Line) -> None:
    """Say that there is a connection, and more, where TLS should begin."""
    line.send(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize("behaviour", [refuse, die, talk_on])
def test_a_proxy_that_does_not_connect(
    behaviour: object, origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the proxy makes no connection nothing was sent, so every call is tried again."""
    assert callable(behaviour)
    with serving(behaviour) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        mfa = MFA(transport=RetryingTransport(transport_class(KEY, base_url=origin.url), sleep=lambda _: None))
        with pytest.raises(ConnectError, match="Nothing was sent") as caught:
            mfa.challenge_factor("auth_factor_1")
        assert len(caught.value.attempts) == 3
        assert not caught.value.outcome_unknown
        assert PASSWORD.decode() not in str(caught.value)
        assert ("407 Proxy Authentication Required. " in str(caught.value)) is (behaviour is refuse)
        assert origin.received == []


def test_no_proxy_there(origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that nobody runs is a connection that was not made."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(ConnectError, match="Connection refused"):
        MFA(transport=transport_class(KEY, base_url=origin.url)).challenge_factor("auth_factor_1")


def test_a_slow_proxy(origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a proxy takes for its tunnel is part of the attempt's."""

    def tunnel_slowly(request: Received, line: Line) -> None:
        time.sleep(0.3)
        tunnel(request, line)

    origin.behaviour = lambda _, line: line.stall()
    with serving(tunnel_slowly) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        mfa = MFA(transport=transport_class(KEY, base_url=origin.url), timeout=0.5)
        started = time.monotonic()
        with pytest.raises(TransportTimeoutError):
            mfa.challenge_factor("auth_factor_1")
        assert time.monotonic() - started < 0.75


def test_a_proxy_that_dies_with_the_request(
    origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tunnel that breaks once the request went into it leaves the outcome open."""
    origin.behaviour = lambda _, line: line.reset()
    with serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises((ConnectionLostError, TLSError)) as caught:
            MFA(transport=transport_class(KEY, base_url=origin.url)).challenge_factor("auth_factor_1")
        assert caught.value.outcome_unknown
        assert len(origin.received) == 1


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_is_missing(
    name: str, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle of certificates that is not there is told when the client is made."""
    monkeypatch.setenv(name, "/no/such/authority.pem")
    with pytest.raises(ConfigurationError, match=rf"{name} names .*authority\.pem"):
        transport_class(KEY)


def test_a_bundle_of_a_session_that_is_missing() -> None:
    """A session's bundle that is not there is a connection that was not made."""
    with requests.Session() as session:
        session.verify = "/no/such/authority.pem"
        mfa = MFA(transport=RequestsTransport(KEY, base_url="https://localhost:1", session=session))
        with pytest.raises(ConnectError, match=r"authority\.pem") as caught:
            mfa.challenge_factor("auth_factor_1")
    assert not caught.value.outcome_unknown


def test_a_proxy_with_a_password(
    origin: Server, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """User and password in a proxy's URL reach the proxy, and a scheme may be left out of it."""
    with serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"us%40er:pass@127.0.0.1:{proxy.port}")
        transport = transport_class(KEY, base_url=origin.url)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        transport.close()
        assert proxy.received[0].headers["proxy-authorization"] == "Basic dXNAZXI6cGFzcw=="


def forward(request: Received, line: Line) -> None:
    """Be a proxy for plain http, which is asked for the whole URL."""
    assert request.path.startswith("http://api.example:81/prefix/auth/")
    assert request.headers["host"] == "api.example:81"
    answer_rightly(request, line)


def test_a_forwarding_proxy(transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http to another machine, where it is allowed, goes through the proxy."""
    with serving(forward) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        transport = transport_class(KEY, base_url="http://api.example:81/prefix", allow_http=True)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        transport.close()


def socks(listener: socket.socket, port: int) -> None:
    """Be a SOCKS5 proxy for one connection, to a port here."""
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as far:
        client.recv(64)
        client.sendall(b"\x05\x00")
        client.recv(256)
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        carry(client, far)


def test_a_socks_proxy(transport_class: TransportFactory, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy of the environment is used, and the answer keeps to the clock there too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = threading.Thread(target=socks, args=(listener, server.port))
        proxy.start()
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{listener.getsockname()[1]}")
        transport = transport_class(KEY, base_url="http://api.example", allow_http=True)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        transport.close()
        proxy.join()
    assert server.received[0].headers["host"] == "api.example"

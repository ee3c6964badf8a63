"""Proxies, as users of requests expect them: what they are sent, and that none is on the way to loopback.

Which proxy it is stands in test_proxy_settings.py, what goes wrong with one in the fault table.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from urllib3 import PoolManager

from tests.loopback import Line, Received, Server, carry, serving, unused_port
from tests.transports.api import KEY, Connect, respond_rightly
from tests.transports.stages import World, context_of, through_a_proxy, tunnel
from workos_mfa import MFA, ConnectError, RequestsTransport, RetryingTransport, Transport
from workos_mfa._transports.deadline import DEFAULT_MAX_IDLE, use_deadline_pools

ELSEWHERE = "http://api.example:81/prefix"


def verify(transport: Transport) -> None:
    """Make a call that works."""
    assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")


def forward(request: Received, line: Line) -> None:
    """Be a proxy for plain http, which is asked for the whole URL."""
    assert request.path.startswith(f"{ELSEWHERE}/auth/")
    assert request.headers["host"] == "api.example:81"
    respond_rightly(request, line)


@pytest.mark.parametrize("tls", [False, True])
def test_a_tunnel(tls: bool, tls_server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """HTTPS_PROXY is used for https, by a tunnel in which the proxy sees no key.

    A proxy that speaks TLS is trusted as the API is.
    """
    with serving(tunnel, tls=context_of() if tls else None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        transport = connect(tls_server)
        for _ in range(2):
            verify(transport)
            verify(transport)
            transport.close()
        first, after_close = proxy.received
    for received in (first, after_close):
        assert (received.method, received.path) == ("CONNECT", f"localhost:{tls_server.port}")
        assert KEY not in str(received.headers)
    assert len(tls_server.received) == 4


def test_a_forwarding_proxy(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http to another machine, where it is allowed, goes through the proxy."""
    with serving(forward) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        transport = connect(ELSEWHERE, allow_http=True)
        verify(transport)
        transport.close()
        assert len(proxy.received) == 1


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("us%40er:p%2Fa%23s%3As", "dXNAZXI6cC9hI3M6cw=="),
        ("user:p@ss:word", "dXNlcjpwQHNzOndvcmQ="),
        ("user", "dXNlcjo="),
        ("user:%E2%82%AC", "dXNlcjrigqw="),
        ("user:100%", "dXNlcjoxMDAl"),
    ],
)
@pytest.mark.parametrize("before", ["http://", ""])
def test_a_password_is_sent_as_it_is_written(
    before: str, written: str, sent: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was percent-encoded reaches the proxy as those bytes; a scheme may be left out of its URL."""
    with serving(forward) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"{before}{written}@localhost:{proxy.port}")
        transport = connect(ELSEWHERE, allow_http=True)
        verify(transport)
        transport.close()
        assert proxy.received[0].headers["proxy-authorization"] == f"Basic {sent}"


def test_loopback_is_reached_directly(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http to this machine goes through no proxy, a session's own neither: the key would be read there."""
    unused = f"http://127.0.0.1:{unused_port()}"
    with requests.Session() as session:
        session.proxies = {"http": unused}
        verify(RequestsTransport(KEY, base_url=server.url, session=session))
    monkeypatch.setenv("HTTP_PROXY", unused)
    monkeypatch.setenv("ALL_PROXY", unused)
    verify(connect(server))
    assert len(server.received) == 2


def refuse(_: Received, line: Line) -> None:
    """Refuse to connect, and repeat what was sent."""
    line.send(b"HTTP/1.1 407 us%%er:%s Basic cGFzcw==\r\nContent-Length: 0\r\n\r\n" % b"hunter2secret")


def talk_on(_: Received, line: Line) -> None:
    """Say that there is a connection, and more, where TLS should begin."""
    line.send(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "reason"), [(refuse, "407 Proxy Authentication Required. "), (talk_on, "Nothing was sent")]
)
def test_a_proxy_that_does_not_connect(behaviour: object, reason: str, world: World, connect: Connect) -> None:
    """Nothing was sent, so that every call is tried again; what a proxy says may be the password that it was sent."""
    assert callable(behaviour)
    with through_a_proxy(behaviour)(world) as stage:
        transport = RetryingTransport(connect(stage.url), sleep=lambda _: None)
        with pytest.raises(ConnectError, match=reason) as caught:
            MFA(transport=transport).challenge_factor("auth_factor_1")
        assert len(caught.value.attempts) == 3
        assert not caught.value.outcome_unknown
        assert "hunter2secret" not in str(caught.value)
        assert stage.server.received == []


@contextmanager
def socks_proxy(port: int, *, asks: bool) -> Iterator[tuple[int, list[bytes]]]:
    """A SOCKS5 proxy for one connection, to a port here; gives its own port, and what it is told of a password.

    :param asks: whether it asks for a password.
    """
    told: list[bytes] = []

    def serve() -> None:
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", port)) as far:
            client.recv(64)
            client.sendall(b"\x05\x02" if asks else b"\x05\x00")
            if asks:
                told.append(client.recv(256))
                client.sendall(b"\x01\x00")
            client.recv(256)
            client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
            carry(client, far)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], told
        thread.join()


@pytest.mark.parametrize(
    ("credentials", "expected"), [("", []), ("user:p%2Fss@", [b"\x01\x04user\x04p/ss"])], ids=["open", "password"]
)
def test_a_socks_proxy(
    credentials: str, expected: list[bytes], server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SOCKS proxy of the environment is used, with the password that its URL stands for."""
    with socks_proxy(server.port, asks=bool(credentials)) as (port, told):
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{credentials}127.0.0.1:{port}")
        transport = connect("http://api.example", allow_http=True)
        verify(transport)
        transport.close()
    assert told == expected
    assert server.received[0].headers["host"] == "api.example"


def test_pools_are_timed_once() -> None:
    """A manager that comes along again, as requests before 2.32 hands it over for each call, stays as it is."""
    manager = PoolManager()
    use_deadline_pools(manager, DEFAULT_MAX_IDLE)
    once = dict(manager.pool_classes_by_scheme)
    use_deadline_pools(manager, DEFAULT_MAX_IDLE)
    assert manager.pool_classes_by_scheme == once

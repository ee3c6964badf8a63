"""What the tests of the transports share: a server, a clean environment, each transport in turn."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import Server, serving
from tests.transports.api import KEY, TRANSPORTS, Connect, TransportFactory, respond_rightly
from tests.transports.stages import World, over_tls
from workos_mfa import MFA, Transport


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that responds rightly until a test sets another behaviour."""
    with serving(respond_rightly) as server:
        yield server


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The hosts and ports that a connection is wanted to, none of which is made."""
    looked_up: list[tuple[object, ...]] = []

    def getaddrinfo(*arguments: object) -> None:
        looked_up.append(arguments[:2])
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    return looked_up


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """What a test changes around the client."""
    return World(monkeypatch, tmp_path)


@pytest.fixture
def tls_server(world: World) -> Iterator[Server]:
    """The same over TLS, with an authority that the environment trusts."""
    with over_tls(respond_rightly)(world) as stage:
        yield stage.server


@pytest.fixture(params=TRANSPORTS)
def transport_class(request: pytest.FixtureRequest) -> TransportFactory:
    """Each transport that opens connections, in turn."""
    factory: TransportFactory = request.param
    return factory


@pytest.fixture
def connect(transport_class: TransportFactory) -> Iterator[Connect]:
    """Make a transport to a server, or to a base URL; it is closed when the test is over."""
    made: list[Transport] = []

    def connect(where: Server | str, **settings: object) -> Transport:
        made.append(transport_class(KEY, base_url=where if isinstance(where, str) else where.url, **settings))
        return made[-1]

    yield connect
    for transport in made:
        transport.close()


@pytest.fixture
def mfa(server: Server, connect: Connect) -> MFA:
    """A client of the server."""
    return MFA(transport=connect(server))

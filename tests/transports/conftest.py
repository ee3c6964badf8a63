"""What the tests of the transports share: answers, a clean environment, each transport in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.loopback import Server, serving
from tests.transports.api import KEY, TransportFactory, answer_rightly
from workos_mfa import RequestsTransport, Transport, Urllib3Transport


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "BASE_URL", "REQUEST_TIMEOUT", "ALLOW_HTTP"):
        monkeypatch.delenv(f"WORKOS_{name}", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers rightly until a test sets another behaviour."""
    with serving(answer_rightly) as server:
        yield server


@pytest.fixture(params=[RequestsTransport, Urllib3Transport])
def transport_class(request: pytest.FixtureRequest) -> TransportFactory:
    """Each transport that opens connections, in turn."""
    factory: TransportFactory = request.param
    return factory


@pytest.fixture
def connect(transport_class: TransportFactory) -> Iterator[Callable[[Server], Transport]]:
    """Make a transport before a server; it is closed when the test is over."""
    made: list[Transport] = []

    def connect(server: Server) -> Transport:
        made.append(transport_class(KEY, base_url=server.url))
        return made[-1]

    yield connect
    for transport in made:
        transport.close()

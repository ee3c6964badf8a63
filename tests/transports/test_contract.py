"""The transports keep the contract that users' own transports are held to."""

from __future__ import annotations

import pytest
import requests

from tests.transports.api import KEY, SessionTransport, TransportFactory
from workos_mfa import Request, Response, Transport, Urllib3Transport
from workos_mfa._transports.http import HTTPTransport
from workos_mfa.testing import ServerResponse, TransportContract
from workos_mfa.testing._server import serving


class TestOverSockets(TransportContract):
    """Each transport that opens connections."""

    @pytest.fixture(autouse=True)
    def _use(self, transport_class: TransportFactory) -> None:
        self.transport_class = transport_class

    def transport(self, base_url: str) -> Transport:
        """A transport for the contract's server."""
        return self.transport_class(KEY, base_url=base_url)


class TestOverAGivenSession(TransportContract):
    """RequestsTransport on a session of the user's own."""

    not_kept = dict.fromkeys(
        ("test_a_dripping_head_ends_in_time", "test_a_dripping_body_ends_in_time"),
        "the connections of a user's session are requests' own, whose time limit is one of silence",
    )

    def transport(self, base_url: str) -> Transport:
        """A transport for the contract's server."""
        return SessionTransport(KEY, base_url=base_url)


class WithoutABody(Urllib3Transport):
    """It forgets the body of what it sends."""

    def send(self, request: Request, /) -> Response:
        """Send it without."""
        return super().send(Request(request.operation, request.method, request.path, request.route))


def test_a_transport_that_sends_no_body() -> None:
    """It fails, though it passes every response on."""

    class Contract(TransportContract):
        def transport(self, base_url: str) -> Transport:
            return WithoutABody(KEY, base_url=base_url)

    with pytest.raises(AssertionError, match="415"):
        Contract().test_it_returns_the_response()
    Contract().test_a_response_may_be_empty()


def test_what_a_new_transport_must_bring() -> None:
    """The base of the transports over HTTP leaves connections and exchange to the library of each."""

    class WithoutConnections(Urllib3Transport):
        _renew = HTTPTransport._renew

    class WithoutExchange(Urllib3Transport):
        _exchange = HTTPTransport._exchange

    with pytest.raises(NotImplementedError):
        WithoutConnections(KEY)
    with pytest.raises(NotImplementedError):
        WithoutExchange(KEY).send(Request(operation="x", method="GET", path="/", route="/"))


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 200),
        (b'{"code": "1"}', "application/json; charset=utf-8", 200),
        (b"{}", "text/plain", 415),
        (b"[]", "application/json", 415),
        (b"{", "application/json", 415),
        (b"", "application/json", 415),
    ],
)
def test_what_the_contracts_server_wants(body: bytes, content_type: str, status: int) -> None:
    """A JSON object, and a content type that says so, as the API does."""
    with serving(ServerResponse()) as server:
        response = requests.post(server.base_url, body, headers={"Content-Type": content_type}, timeout=5)
    assert response.status_code == status

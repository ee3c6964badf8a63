"""Faults over HTTP: what goes wrong is what a client would really see, and the contract of transports holds."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from tests.emulator.http.client import Client, raw
from tests.emulator.test_contract import Connection, emulator_for
from workos_mfa import MFA, RequestsTransport, RetryPolicy, Urllib3Transport
from workos_mfa._core.errors import ConnectionLostError, RateLimitExceededError, ServerError, UnexpectedResponseError
from workos_mfa.emulator import Emulator, EmulatorServer
from workos_mfa.testing import ServerResponse, TransportContract

PATH = "/auth/factors/auth_factor_1"
TRANSPORTS = (RequestsTransport, Urllib3Transport)


@pytest.mark.parametrize("fault", ["refuse_connection", "lose_request", "lose_response"])
def test_a_lost_response_is_a_reset(emulator: Emulator, client: Client, fault: str) -> None:
    """No byte comes back but a reset; the call is on the list, and done or not as the fault says."""
    client.post("/auth/factors/enroll", {"type": "generic_otp"})
    getattr(emulator.faults, fault)(operation="enroll_factor")
    with pytest.raises(ConnectionResetError):
        client.post("/auth/factors/enroll", {"type": "generic_otp"})
    assert emulator.calls[-1].fault == fault
    assert repr(emulator).startswith("<Emulator: 2 factors" if fault == "lose_response" else "<Emulator: 1 factors")
    client.close()
    assert client.get("/health").status == 200


def test_a_cut_body_ends_in_its_middle(server: EmulatorServer, emulator: Emulator, client: Client) -> None:
    """The headers announce the whole body, and half of it comes."""
    whole = client.get(PATH).body
    emulator.faults.cut_body()
    request = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.api_key}\r\n\r\n"
    head, _, body = raw(server.base_url, request.encode()).partition(b"\r\n\r\n")
    assert body == whole[: len(whole) // 2]
    assert f"Content-Length: {len(whole)}".encode() in head


def test_where_there_is_no_body_to_cut_nothing_comes(client: Client, emulator: Emulator) -> None:
    """Half of nothing would be a whole response."""
    factor = client.post("/auth/factors/enroll", {"type": "generic_otp"}).json
    emulator.faults.cut_body(operation="delete_factor")
    with pytest.raises(ConnectionResetError):
        client.delete(f"/auth/factors/{factor['id']}")


def test_a_late_response_is_a_response(client: Client, emulator: Emulator) -> None:
    """A delay is waited for, and then all is as usual."""
    emulator.faults.delay(0.002)
    assert client.get(PATH).status == 404
    assert client.get(PATH).status == 404


def test_a_response_may_have_headers_of_its_own(client: Client, emulator: Emulator) -> None:
    """What a fault says of the headers goes before what the server would say."""
    emulator.faults.respond(
        503, headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT", "X-Request-Id": "mine"}, retry_after=2
    )
    reply = client.get(PATH)
    assert reply.status == 503
    assert (reply.headers["date"], reply.headers["x-request-id"]) == ("Thu, 01 Jan 1970 00:00:00 GMT", "mine")
    assert reply.headers["retry-after"] == "2"


def test_a_client_that_resets_is_no_news(server: EmulatorServer, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that breaks off while it is answered leaves no trace, and the others go on."""
    host, _, port = server.base_url.removeprefix("http://").rpartition(":")
    line = socket.create_connection((host, int(port)), timeout=10)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    line.close()
    with contextlib.closing(Client(server.base_url, server.api_key)) as client:
        assert client.get("/health").status == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("transport_class", TRANSPORTS)
def test_a_lost_response_is_not_repeated(
    server: EmulatorServer, emulator: Emulator, transport_class: type[RequestsTransport | Urllib3Transport]
) -> None:
    """The promise of the package, over real sockets: what may have worked is not done twice."""
    with contextlib.closing(transport_class(server.api_key, base_url=server.base_url)) as transport:
        mfa = MFA(transport=transport, retry=RetryPolicy(backoff=0.001))
        factor = mfa.enroll_factor(type="sms", phone_number="+15005550006")
        emulator.faults.lose_response(operation="challenge_factor")
        with pytest.raises(ConnectionLostError) as caught:
            mfa.challenge_factor(factor.id)
        assert caught.value.outcome_unknown
        assert len(emulator.outbox) == 1

        emulator.faults.lose_response(operation="get_factor")
        assert mfa.get_factor(factor.id).id == factor.id
        emulator.faults.lose_response(operation="delete_factor")
        mfa.delete_factor(factor.id)
        emulator.faults.respond_html(operation="enroll_factor")
        emulator.faults.respond_broken_json(operation="enroll_factor")
        for error in (ServerError, UnexpectedResponseError):
            with pytest.raises(error):
                mfa.enroll_factor(type="generic_otp")
        emulator.faults.rate_limit(0, 60)
        with pytest.raises(RateLimitExceededError) as limited:
            mfa.with_options(max_attempts=1).enroll_factor(type="generic_otp")
        assert limited.value.retry_after == 60
    assert len([call for call in emulator.calls if call.operation == "delete_factor"]) == 2


FAULTS: Mapping[str, Mapping[str, object]] = {
    "refuse_connection": {"fault": "refuse_connection"},
    "lose_response": {"fault": "lose_request"},
    "cut_body": {"fault": "cut_body"},
    # It has no fault that drips; the transports' own tests have.
    **{fault: {"fault": "delay", "seconds": 3600} for fault in ("delay", "drip_head", "drip_body")},
}


@pytest.mark.parametrize("transport_class", TRANSPORTS)
class TestContract(TransportContract):
    """The transports keep their contract before the emulator's server, whose faults do what the contract asks for."""

    not_kept: ClassVar[Mapping[str, str]] = {
        "test_no_connection_is_a_clear_error": "the emulator's server has to take a connection before it can refuse it"
    }

    @pytest.fixture(autouse=True)
    def _use(self, transport_class: type[RequestsTransport | Urllib3Transport]) -> None:
        self.transport_class = transport_class

    @contextlib.contextmanager
    def connected(self, response: ServerResponse) -> Iterator[Connection]:
        """A transport before an emulator that answers like this."""
        emulator = emulator_for(response, FAULTS)
        with emulator.serve() as server:
            transport = self.transport_class(server.api_key, base_url=server.base_url)
            try:
                yield Connection(transport, emulator)
            finally:
                transport.close()

"""TLS as it is: real certificates from an authority made for the test."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests
import trustme

from tests.emulator.http.tools import program
from tests.loopback import Line, Received, Server, serving
from tests.transports.api import KEY, TransportFactory, answer_rightly
from tests.transports.faults import context_of
from workos_mfa import MFA, ConnectionLostError, RequestsTransport, RetryingTransport, TLSError, Urllib3Transport


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A private authority."""
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[Server]:
    """A server with a good certificate of the private authority."""
    with serving(answer_rightly, tls=context_of(authority.issue_cert("localhost"))) as server:
        yield server


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_a_private_authority(
    tls_server: Server, bundle: Path, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE names the authority to trust, and the connection is kept."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    transport = transport_class(KEY, base_url=tls_server.url)
    for _ in range(3):
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
    transport.close()
    assert tls_server.connections == 1


def test_a_private_authority_of_a_session(tls_server: Server, bundle: Path) -> None:
    """A session's own authority counts."""
    with requests.Session() as session:
        session.verify = str(bundle)
        transport = RequestsTransport(KEY, base_url=tls_server.url, session=session)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")


def expired(authority: trustme.CA) -> trustme.LeafCert:
    """A certificate whose time is over."""
    return authority.issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=timezone.utc))


def of_another_authority(_: trustme.CA) -> trustme.LeafCert:
    """A certificate that nobody we trust has signed."""
    return trustme.CA().issue_cert("localhost")


def for_another_host(authority: trustme.CA) -> trustme.LeafCert:
    """A certificate for another host."""
    return authority.issue_cert("elsewhere.example")


@pytest.mark.parametrize("issue", [expired, of_another_authority, for_another_host])
def test_a_certificate_that_is_refused(
    issue: object,
    authority: trustme.CA,
    bundle: Path,
    transport_class: TransportFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bad certificate is refused before anything is sent, clearly, and is not tried again."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    assert callable(issue)
    with serving(answer_rightly, tls=context_of(issue(authority))) as server:
        mfa = MFA(transport=RetryingTransport(transport_class(KEY, base_url=server.url)))
        with pytest.raises(TLSError, match=f"certificate of localhost:{server.port} was refused") as caught:
            mfa.challenge_factor("auth_factor_1")
        assert not caught.value.outcome_unknown
        assert len(caught.value.attempts) == 1
        assert server.received == []


def test_a_server_without_tls(transport_class: TransportFactory) -> None:
    """A server that does not speak TLS is a TLS failure, and is not tried again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        greeter = threading.Thread(target=greet, args=(listener,))
        greeter.start()
        transport = transport_class(KEY, base_url=f"https://localhost:{listener.getsockname()[1]}")
        with pytest.raises(TLSError, match="TLS with localhost") as caught:
            MFA(transport=RetryingTransport(transport)).challenge_factor("auth_factor_1")
        greeter.join()
    assert len(caught.value.attempts) == 1


def greet(listener: socket.socket) -> None:
    """Greet one client in plain text, as a mail server does."""
    client, _ = listener.accept()
    with client:
        client.sendall(b"220 mail.example ready\r\n")
        client.recv(1024)


def test_a_garbled_record_after_the_request(
    authority: trustme.CA, bundle: Path, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS that fails after the server read the request leaves the outcome open."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    def garble(_: Received, line: Line) -> None:
        line.send_below_tls(b"\x17" + struct.pack("!HH", 0x0303, 32) + b"x" * 32)

    with serving(garble, tls=context_of(authority.issue_cert("localhost"))) as server:
        with pytest.raises(TLSError) as caught:
            MFA(transport=transport_class(KEY, base_url=server.url)).challenge_factor("auth_factor_1")
        assert caught.value.outcome_unknown
        assert len(server.received) == 1


@pytest.fixture
def choosy_server(authority: trustme.CA) -> Iterator[Server]:
    """A server that asks for a client certificate of the private authority."""
    context = context_of(authority.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with serving(answer_rightly, tls=context) as server:
        yield server


@pytest.fixture
def client_certificate(authority: trustme.CA, tmp_path: Path) -> Path:
    """A certificate of the private authority to show to that server, with its key."""
    path = tmp_path / "client.pem"
    authority.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def test_client_certificates(choosy_server: Server, bundle: Path, client_certificate: Path) -> None:
    """A session's client certificate is shown; without one the server's refusal comes late and is unclear."""
    with requests.Session() as session:
        session.verify = str(bundle)
        transport = RequestsTransport(KEY, base_url=choosy_server.url, session=session)
        # Which of the two is first to arrive, the refusal or the end of the connection, is TCP's to say.
        with pytest.raises((TLSError, ConnectionLostError)) as caught:
            MFA(transport=transport).challenge_factor("auth_factor_1")
        assert caught.value.outcome_unknown
        session.cert = str(client_certificate)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")


def test_a_context_of_the_users(choosy_server: Server, bundle: Path, client_certificate: Path) -> None:
    """On urllib3 alone, a context brings the authority to trust and the client certificate to show."""
    trusting = ssl.create_default_context(cafile=bundle)
    stranger = Urllib3Transport(KEY, base_url=choosy_server.url, ssl_context=trusting)
    with pytest.raises((TLSError, ConnectionLostError)) as caught:
        MFA(transport=stranger).challenge_factor("auth_factor_1")
    assert caught.value.outcome_unknown
    stranger.close()
    showing = ssl.create_default_context(cafile=bundle)
    showing.load_cert_chain(client_certificate)
    known = Urllib3Transport(KEY, base_url=choosy_server.url, ssl_context=showing)
    assert MFA(transport=known).verify_challenge("auth_challenge_1", code="123456")
    known.close()
    distrustful = Urllib3Transport(KEY, base_url=choosy_server.url, ssl_context=ssl.create_default_context())
    with pytest.raises(TLSError, match="was refused") as refused:
        MFA(transport=distrustful).challenge_factor("auth_factor_1")
    assert not refused.value.outcome_unknown


def test_a_folder_of_authorities(
    tls_server: Server, bundle: Path, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE may name a folder in which OpenSSL finds certificates by their hashes."""
    command = [program("openssl", "install it"), "x509", "-noout", "-subject_hash", "-in", str(bundle)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    folder = bundle.parent / "authorities"
    folder.mkdir()
    (folder / f"{found.stdout.strip()}.0").write_bytes(bundle.read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder))
    transport = transport_class(KEY, base_url=tls_server.url)
    assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
    transport.close()

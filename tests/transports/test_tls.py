"""TLS as it is, with an authority made for the tests. What a bad certificate leads to is in the fault table."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

from tests.emulator.http.tools import program
from tests.loopback import Server, serving
from tests.transports.api import KEY, Connect, respond_rightly
from tests.transports.stages import World, authority, context_of, over_tls, trust
from workos_mfa import MFA, ConfigurationError, ConnectionLostError, RequestsTransport, TLSError, Urllib3Transport


def verify(mfa: MFA) -> None:
    """Make a call that works."""
    assert mfa.verify_challenge("auth_challenge_1", code="123456")


@pytest.fixture
def bundle(world: World) -> Path:
    """The authority's certificate in a file."""
    return trust(world)


def test_the_connection_is_kept(tls_server: Server, connect: Connect) -> None:
    """TLS begins once for several calls."""
    mfa = MFA(transport=connect(tls_server))
    for _ in range(3):
        verify(mfa)
    assert tls_server.connections == 1


def test_a_certificate_whose_time_is_over(world: World, connect: Connect) -> None:
    """It is refused by name, and the error says what to do if a company's own authority signs."""
    long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
    with over_tls(respond_rightly, lambda: authority().issue_cert("localhost", not_after=long_ago))(world) as stage:
        with pytest.raises(TLSError, match=r"was refused: certificate has expired\. Nothing was sent\.") as caught:
            MFA(transport=connect(stage.url)).challenge_factor("auth_factor_1")
        assert f"the certificate of localhost:{stage.server.port} " in str(caught.value)
        assert "point REQUESTS_CA_BUNDLE at that authority's file" in str(caught.value)
        assert not caught.value.outcome_unknown
        assert stage.server.received == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_is_missing(name: str, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle of certificates that is not there is told when the client is made."""
    monkeypatch.setenv(name, "/no/such/authority.pem")
    with pytest.raises(ConfigurationError, match=rf"{name} names .*authority\.pem"):
        connect("https://localhost")


def test_a_folder_of_authorities(
    tls_server: Server, bundle: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE may name a folder in which OpenSSL finds certificates by their hashes."""
    command = [program("openssl", "install it"), "x509", "-noout", "-subject_hash", "-in", str(bundle)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    folder = bundle.parent / "authorities"
    folder.mkdir()
    (folder / f"{found.stdout.strip()}.0").write_bytes(bundle.read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder))
    verify(MFA(transport=connect(tls_server)))


@pytest.fixture
def choosy_server() -> Iterator[Server]:
    """A server that asks for a client certificate of the authority."""
    context = context_of()
    context.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(context)
    with serving(respond_rightly, tls=context) as server:
        yield server


@pytest.fixture
def client_certificate(tmp_path: Path) -> Path:
    """A certificate of the authority to show to that server, with its key."""
    path = tmp_path / "client.pem"
    authority().issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def refused_late(mfa: MFA) -> None:
    """A call without a client certificate: the server's refusal comes late and is unclear."""
    # Which of the two is first to arrive, the refusal or the end of the connection, is TCP's to say.
    with pytest.raises((TLSError, ConnectionLostError)) as caught:
        mfa.challenge_factor("auth_factor_1")
    assert caught.value.outcome_unknown


def test_a_session_of_the_users(choosy_server: Server, bundle: Path, client_certificate: Path) -> None:
    """A session's own authority and its client certificate count."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(bundle)
        mfa = MFA(transport=RequestsTransport(KEY, base_url=choosy_server.url, session=session))
        refused_late(mfa)
        session.cert = str(client_certificate)
        verify(mfa)


def test_a_context_of_the_users(choosy_server: Server, bundle: Path, client_certificate: Path) -> None:
    """On urllib3 alone, a context brings the authority to trust and the client certificate to show."""
    distrustful, stranger, known = (ssl.create_default_context(cafile=file) for file in (None, bundle, bundle))
    known.load_cert_chain(client_certificate)
    transports = [
        Urllib3Transport(KEY, base_url=choosy_server.url, ssl_context=context)
        for context in (distrustful, stranger, known)
    ]
    with pytest.raises(TLSError, match="was refused") as refused:
        MFA(transport=transports[0]).challenge_factor("auth_factor_1")
    assert not refused.value.outcome_unknown
    refused_late(MFA(transport=transports[1]))
    verify(MFA(transport=transports[2]))
    for transport in transports:
        transport.close()

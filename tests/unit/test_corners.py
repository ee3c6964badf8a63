"""Corners that the other tests go round."""

from __future__ import annotations

import runpy
import ssl
import sys
from pathlib import Path

import pytest
from urllib3 import PoolManager

import workos_mfa
from workos_mfa import MFA, Response, Urllib3Transport
from workos_mfa._core.errors import ConnectionLostError, TransportError
from workos_mfa._core.redaction import Hidden
from workos_mfa._core.transport import Request
from workos_mfa._transports.config import proxy_url, read_endpoint
from workos_mfa._transports.deadline import DEFAULT_MAX_IDLE, use_deadline_pools
from workos_mfa._transports.http import HTTPTransport, transport_error


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``python -m workos_mfa`` ends with the command's status."""
    monkeypatch.setattr(sys, "argv", ["workos-mfa"])
    path = str(Path(workos_mfa.__file__).with_name("__main__.py"))
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(path, run_name="__main__")
    assert caught.value.code == 2
    assert "demo" in capsys.readouterr().out
    runpy.run_path(path, run_name="looked_at")


def test_systems_with_proxies_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS and Windows the system's settings count, also where no variable names a proxy."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "proxy.example:3128"})
    monkeypatch.setattr("urllib.request.proxy_bypass", lambda _: False)
    endpoint = read_endpoint("https://api.workos.com", allow_http=False)
    assert proxy_url(endpoint) == "http://proxy.example:3128"


def test_tls_that_is_broken_off() -> None:
    """The end of the connection inside TLS is a connection that was lost, and no failure of TLS."""
    endpoint = read_endpoint("https://api.workos.com", allow_http=False)
    assert type(transport_error(ssl.SSLEOFError(8, "EOF"), endpoint, 1.0)) is ConnectionLostError


def test_an_https_proxy_is_trusted_as_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's certificates are for a proxy that speaks TLS as well."""
    monkeypatch.setenv("HTTPS_PROXY", "https://proxy.example:3128")
    transport = Urllib3Transport("sk_test_x")
    assert "sk_test_x" not in repr(MFA(transport=transport))
    transport.close()


class _Unfinished(HTTPTransport):
    """A transport without a library."""

    def exchange(self) -> Response:
        """What send does, without the door that it goes through."""
        return self._exchange(Request(operation="x", method="GET", path="/", route="/"))

    def renew(self) -> None:
        """What a fork brings about."""
        self._renew()


def test_a_transport_is_over_some_library() -> None:
    """What transports have in common leaves the exchange to each."""
    transport = _Unfinished(Hidden("sk_test_x"), None, allow_http=False)
    with pytest.raises(NotImplementedError):
        transport.exchange()
    with pytest.raises(NotImplementedError):
        transport.renew()
    assert issubclass(ConnectionLostError, TransportError)


def test_pools_are_timed_once() -> None:
    """A manager that comes along again, as requests before 2.32 hands it over for each call, stays as it is."""
    manager = PoolManager()
    use_deadline_pools(manager, DEFAULT_MAX_IDLE)
    once = dict(manager.pool_classes_by_scheme)
    use_deadline_pools(manager, DEFAULT_MAX_IDLE)
    assert manager.pool_classes_by_scheme == once

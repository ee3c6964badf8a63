"""What ``workos-mfa doctor`` finds on the way to the API: proxy, name, connection, certificate."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

import attrs

from workos_mfa._cli.certificate import issuer_of
from workos_mfa._core.errors import ConfigurationError
from workos_mfa._core.redaction import Hidden
from workos_mfa._transports import config

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_TUNNEL_REFUSED = "Tunnel connection failed: "


@attrs.frozen
class Finding:
    """What was found of one thing.

    :param check: what was looked at.
    :param good: whether it is good; None if it was not looked at.
    :param found: what was found.
    :param advice: what to do, if it is bad.
    """

    check: str
    good: bool | None
    found: str
    advice: str = ""


@attrs.frozen
class Proxy:
    """The proxy on the way. Its URL, with a password, is in no repr."""

    url: Hidden[str]
    scheme: str
    host: str
    port: int
    set_by: str

    def headers(self) -> Mapping[str, str]:
        """What the proxy is sent: the password."""
        return config.proxy_headers(self.url.value)


@attrs.frozen
class Way:
    """The way to the API: directly, or through a proxy."""

    endpoint: config.Endpoint
    proxy: Proxy | None
    seconds: float

    @property
    def first_stop(self) -> tuple[str, int]:
        """The host and port that a connection is made to."""
        return (self.proxy.host, self.proxy.port) if self.proxy else (self.endpoint.host, self.endpoint.port)


def find_proxy(endpoint: config.Endpoint) -> tuple[Proxy | None, Finding]:
    """The proxy, if there is one, and what to say of it.

    :raises ConfigurationError: if it can't be used.
    """
    from urllib3.util import parse_url

    names = _proxy_variables(endpoint)
    url = config.proxy_url(endpoint)
    if url is None:
        if endpoint.is_plain_loopback:
            return None, Finding("proxy", good=True, found="none: plain http to this machine goes through no proxy")
        why = f"{names[0]} is set, but NO_PROXY excepts this host" if names else "no variable sets one"
        return None, Finding("proxy", good=True, found=f"none: {why}")
    parts = parse_url(url)
    scheme = parts.scheme or "http"
    host = (parts.host or "").strip("[]")
    port = parts.port or {"http": 80, "https": 443}.get(scheme, 1080)
    set_by = names[0] if names else "the system's settings"
    password = ", with a user name" if parts.auth else ""
    found = f"{scheme}://{parts.host}:{port} by {set_by}{password}"
    return Proxy(Hidden(url), scheme, host, port, set_by), Finding("proxy", good=True, found=found)


def along(way: Way) -> Iterator[Finding]:
    """The checks of name, connection and TLS, up to the first that is bad."""
    for check in (_name, _connection, _tls):
        finding = check(way)
        yield finding
        if finding.good is False:
            return


def _proxy_variables(endpoint: config.Endpoint) -> list[str]:
    scheme = endpoint.url.partition(":")[0]
    names = [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
    return [name for name in names if os.environ.get(name)]


def _name(way: Way) -> Finding:
    host, port = way.first_stop
    whose = "the proxy's name" if way.proxy else "the name"
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no name"
        by = f"check {way.proxy.set_by}" if way.proxy else "check WORKOS_BASE_URL, the network and its DNS server"
        return Finding("dns", good=False, found=f"{whose} {host} has no address: {reason}", advice=by)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return Finding("dns", good=True, found=f"{host} is {', '.join(addresses)}")


def _connection(way: Way) -> Finding:
    host, port = way.first_stop
    begin = time.monotonic()
    try:
        with socket.create_connection((host, port), timeout=way.seconds) as connection:
            address = connection.getpeername()[0]
    except OSError as error:
        reason = "no response in time" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
        advice = (
            f"check {way.proxy.set_by}: is the proxy running?"
            if way.proxy
            else "is it the right port, and the server running? A firewall may want a proxy: set HTTPS_PROXY"
        )
        return Finding("tcp", good=False, found=f"no connection to {host}:{port}: {reason}", advice=advice)
    took = (time.monotonic() - begin) * 1000
    return Finding("tcp", good=True, found=f"connected to {address}, port {port}, in {took:.0f} ms")


def _tls(way: Way) -> Finding:
    if not way.endpoint.url.startswith("https"):
        return Finding("tls", good=True, found="none: the base URL is plain http")
    if way.proxy and way.proxy.scheme != "http":
        found = f"not looked at through a proxy of {way.proxy.scheme}; the call below goes through it"
        return Finding("tls", good=None, found=found)
    try:
        path, trusted = _bundle()
    except ConfigurationError as error:
        return Finding("tls", good=False, found=str(error), advice="set it to a file of certificates, or unset it")
    try:
        context = _context(path)
    except OSError:
        found = f"{trusted} holds no certificates that can be read"
        return Finding("tls", good=False, found=found, advice="give it a file in PEM")
    return _secured(way, context, trusted)


def _secured(way: Way, context: ssl.SSLContext, trusted: str) -> Finding:
    try:
        certificate, ends, version = _handshake(way, context)
    except ssl.SSLCertVerificationError as error:
        return _refused(way, error, trusted)
    except (OSError, http.client.HTTPException) as error:
        return _broken(way, error)
    found = f"{version}, signed by {issuer_of(certificate)}, until {ends}; trusted is {trusted}"
    return Finding("tls", good=True, found=found)


def _bundle() -> tuple[str, str]:
    """The file or folder of certificates, and its name for people."""
    path = config.ca_bundle()
    if path is not None:
        return path, f"{path} ({next(name for name in _BUNDLES if os.environ.get(name))})"
    import certifi

    return certifi.where(), "certifi's bundle"


def _context(bundle: str) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    if Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context


def _handshake(way: Way, context: ssl.SSLContext) -> tuple[bytes, str, str]:
    """The certificate, the day it ends (where it was checked) and the version of TLS."""
    host, port = way.first_stop
    connection = http.client.HTTPSConnection(host, port, timeout=way.seconds, context=context)
    if way.proxy:
        connection.set_tunnel(way.endpoint.host, way.endpoint.port, dict(way.proxy.headers()))
    try:
        connection.connect()
        secured = connection.sock
        assert isinstance(secured, ssl.SSLSocket)
        ends = str((secured.getpeercert() or {}).get("notAfter", ""))
        day = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), timezone.utc).date().isoformat() if ends else ""
        return secured.getpeercert(binary_form=True) or b"", day, secured.version() or "TLS"
    finally:
        connection.close()


def _refused(way: Way, error: ssl.SSLCertVerificationError, trusted: str) -> Finding:
    reason = error.verify_message
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent on this connection: it is only looked at
    try:
        signed_by = issuer_of(_handshake(way, context)[0])
    except (OSError, http.client.HTTPException):
        signed_by = "unknown"
    if "expired" in reason or "not yet valid" in reason:
        advice = "the server needs a new certificate; or the clock of this machine is wrong"
    elif "match" in reason.lower():
        advice = "the certificate is another host's: check WORKOS_BASE_URL"
    else:
        advice = (
            "if a company's own authority signs, point REQUESTS_CA_BUNDLE at that authority's file; otherwise somebody "
            "stands in between"
        )
    return Finding(
        "tls", good=False, found=f"refused: {reason}; signed by {signed_by}; trusted is {trusted}", advice=advice
    )


def _broken(way: Way, error: OSError | http.client.HTTPException) -> Finding:
    text = str(error)
    if way.proxy and text.startswith(_TUNNEL_REFUSED):
        # What the proxy says behind its status may be the password that it was sent.
        status = text.removeprefix(_TUNNEL_REFUSED)[:3]
        phrase = http.client.responses.get(int(status), "") if status.isdecimal() else ""
        advice = (
            f"give {way.proxy.set_by} a user name and a password: http://user:password@host:port"
            if status == "407"
            else f"ask who runs the proxy to let {way.endpoint.host} through, or except it with NO_PROXY"
        )
        return Finding("tunnel", good=False, found=f"the proxy refused: {status} {phrase}".rstrip(), advice=advice)
    reason = "no response in time" if isinstance(error, TimeoutError) else getattr(error, "reason", None)
    reason = reason or getattr(error, "strerror", None) or type(error).__name__
    return Finding(
        "tls", good=False, found=f"the handshake failed: {reason}", advice="is this the port for https, and no other?"
    )

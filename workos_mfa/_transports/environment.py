"""What users of requests expect of the environment: proxies and certificates, by the same names and rules.

Every transport reads it here, so that all of them go the same way, and a setting that can't be used is refused when the
transport is made.
"""

from __future__ import annotations

import os
import socket
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from workos_mfa._core.errors import ConfigurationError
from workos_mfa._core.redaction import unseen
from workos_mfa._transports.config import Endpoint

_PROXY_SCHEMES = {"http", "https", "socks5h", "socks5", "socks4a", "socks4"}


def ca_bundle() -> str | None:
    """The file or folder of certificates to trust, or None for the usual ones.

    :raises ConfigurationError: if it is not there.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = os.environ.get(name)
        if path:
            if Path(path).exists():
                return path
            raise ConfigurationError(f"{name} names {path!r}, which is not there: no certificate could be trusted")
    return None


def proxy_url(endpoint: Endpoint) -> str | None:
    """The proxy on the way to an endpoint, or None to go there directly.

    :raises ConfigurationError: if there is one that can't be used.
    """
    return unseen(lambda: _proxy_of(endpoint))


def usable_proxy(url: str) -> str:
    """A proxy's URL in one form for all libraries.

    Each of them would find out for itself that it can't be used, at the first call and in its own way: with the
    password in its text, or with another host than was meant.

    :raises ConfigurationError: if it can't be used; where it was set is named, and nothing of it is shown.
    """
    return unseen(lambda: _usable(url))


def proxy_headers(url: str) -> dict[str, str]:
    """The headers that a proxy is sent: with the user name and the password of its URL, as the bytes they stand for."""
    credentials = parse_url(url).auth
    if credentials is None:
        return {}
    if ":" not in credentials:
        credentials += ":"
    return {"Proxy-Authorization": f"Basic {b64encode(unquote_to_bytes(credentials)).decode()}"}


def _proxy_of(endpoint: Endpoint) -> str | None:
    if endpoint.is_plain_loopback or not _may_have_proxies():
        return None
    # Slow to load, and of use only where there may be a proxy.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    place = urlsplit(endpoint.url)
    found = proxies.get(place.scheme) or proxies.get("all")
    host = place.hostname or ""
    if not found or _is_excepted(host, place.port) or proxy_bypass(host):
        return None
    return _usable(found)


def _may_have_proxies() -> bool:
    if sys.platform in {"darwin", "win32"}:
        return True  # their system settings count too
    return any(name.lower().endswith("_proxy") for name in os.environ)


def _is_excepted(host: str, port: int | None) -> bool:
    """Whether NO_PROXY names a host, by requests' rules: those of Python come after them."""
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    entries = [entry for entry in excepted.replace(" ", "").split(",") if entry]
    address = _ipv4(host)
    if address is not None:
        return any(entry == host or _holds(entry, address) for entry in entries)
    names = [host, f"{host}:{port}"] if port else [host]
    return any(f".{name}".endswith(f".{entry.lstrip('.')}") for entry in entries for name in names)


def _holds(network: str, address: int) -> bool:
    start, _, bits = network.partition("/")
    first = _ipv4(start)
    if first is None or not bits.isdecimal() or not 1 <= int(bits) <= 32:
        return False
    return (first ^ address) >> (32 - int(bits)) == 0


def _ipv4(text: str) -> int | None:
    try:
        return int.from_bytes(socket.inet_aton(text), "big")
    except OSError:
        return None


def _usable(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    if scheme.lower() not in _PROXY_SCHEMES:
        raise ConfigurationError(
            f"{_the_proxy(url)} must begin with http://, https://, socks5h://, socks5://, socks4a:// or socks4://"
        )
    parts = _parsed(f"{scheme}://{rest}")
    if parts is None:
        raise ConfigurationError(
            f"{_the_proxy(url)} can't be read: it must look like http://user:password@proxy.example:3128, with the "
            "user name and the password percent-encoded, such as %2F for a slash"
        )
    if scheme.lower().startswith("socks") and not _has_pysocks():
        raise ConfigurationError(
            f"{_the_proxy(url)} is a SOCKS proxy, which needs PySocks: pip install 'requests[socks]'"
        )
    return parts.url


def _parsed(url: str) -> Url | None:
    if not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    # With a slash or a # in the password, what follows it is no host but a path or a fragment.
    follows = (parts.path or "").removeprefix("/") or parts.query or parts.fragment
    return parts if parts.host and parts.port != 0 and not follows else None


def _has_pysocks() -> bool:
    # Slow to load, and of use only before a SOCKS proxy.
    from importlib.util import find_spec

    return find_spec("socks") is not None


def _the_proxy(url: str) -> str:
    """A proxy, named by the variables that hold it."""
    names = [name for name, value in os.environ.items() if value == url and name.lower().endswith("_proxy")]
    return f"the proxy in {' and '.join(names)}" if names else "the proxy of the session or the system"

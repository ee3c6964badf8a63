"""The settings of a transport: the API key, the base URL, the time limit, proxies and certificates.

They come from arguments and from the environment, and are checked here for all transports. No message repeats a value:
it may be a key or a password. Proxies and certificates follow the names and the rules of requests.

urllib3 and socket are loaded where they are needed, since ``from workos_mfa import MFA`` loads this file.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

import attrs

from workos_mfa._core import validation
from workos_mfa._core.errors import ConfigurationError
from workos_mfa._core.transport import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from urllib3.util import Url

DEFAULT_BASE_URL = "https://api.workos.com"

_VISIBLE_ASCII = re.compile(r"[!-~]+")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# The whole of what stands before the path: urlsplit passes over what is written beside the brackets of an address.
_NETLOC = re.compile(rf"(?:\[([0-9A-Fa-f:.]+)\]|({_LABEL}(?:\.{_LABEL})*))(?::[0-9]*)?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
_PROXY_SCHEMES = {"http", "https", "socks5h", "socks5", "socks4a", "socks4"}


@attrs.frozen
class Endpoint:
    """The place that requests go to."""

    url: str  # without a trailing slash
    host: str
    port: int
    is_plain_loopback: bool  # plain http to this machine, which goes through no proxy


def read_api_key(given: str | None) -> str:
    """The key that was given, or else the one in ``WORKOS_API_KEY``.

    :raises TypeError: if it is not text.
    :raises ConfigurationError: if there is none, or it can't stand in a header.
    """
    key: object = os.environ.get("WORKOS_API_KEY") if given is None else given
    if key is None or key == "":
        raise ConfigurationError(
            'there is no API key: pass one, as in MFA("sk_..."), or set WORKOS_API_KEY. '
            "To try the package without one, use MFA(transport=Emulator())"
        )
    if validation.is_session(key):
        raise TypeError(
            "api_key is a session: a transport takes it by name, as in RequestsTransport(session=session), and MFA "
            "the transport, as in MFA(transport=transport)"
        )
    if callable(getattr(key, "send", None)):
        raise TypeError("api_key is a transport: MFA takes it by name, as in MFA(transport=Emulator())")
    if not isinstance(key, str):
        raise TypeError("api_key must be a str, such as the one the WorkOS dashboard shows")
    if not _VISIBLE_ASCII.fullmatch(key):
        raise ConfigurationError(
            "the API key has white space, a line break or another character in it that no key has; "
            "read it with .strip() if it comes from a file"
        )
    return key


def read_endpoint(base_url: str | None, *, allow_http: bool) -> Endpoint:
    """The endpoint of the base URL that was given, or else of ``WORKOS_BASE_URL``, or else of WorkOS."""
    if base_url is None:
        base_url = os.environ.get("WORKOS_BASE_URL") or DEFAULT_BASE_URL
    if not isinstance(base_url, str):  # pyright: ignore[reportUnnecessaryIsInstance] - for callers without types
        raise TypeError(f"base_url must be a str such as {DEFAULT_BASE_URL!r}")
    parts = _split(base_url)
    host = _host(parts.netloc)
    is_plain_loopback = parts.scheme == "http" and _is_loopback(host)
    if parts.scheme == "http" and not (is_plain_loopback or allow_http or _http_is_allowed()):
        raise ConfigurationError(
            "the base URL is plain http, over which the key and the codes can be read on the way: use https. "
            "Plain http is for localhost, 127.0.0.0/8 and [::1]; allow_http=True or WORKOS_ALLOW_HTTP=1 "
            "allows it elsewhere, for a network of your own"
        )
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path) or {".", ".."}.intersection(path.split("/")):
        raise ConfigurationError("the base URL's path has a character or a dot segment in it that can't be used")
    url = f"{parts.scheme}://{parts.netloc.rstrip(':')}{path}"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Endpoint(url, host, port, is_plain_loopback)


def read_timeout(given: float | None) -> float:
    """The seconds that were given, or else those in ``WORKOS_REQUEST_TIMEOUT``, or else the default."""
    if given is not None:
        return validation.seconds("timeout", given)
    value = os.environ.get("WORKOS_REQUEST_TIMEOUT")
    if not value:
        return DEFAULT_TIMEOUT
    try:
        return validation.seconds("timeout", float(value))
    except ValueError:
        pass
    raise ConfigurationError("WORKOS_REQUEST_TIMEOUT must be a number of seconds above zero, such as 10 or 2.5")


def ca_bundle() -> str | None:
    """The file or folder of certificates to trust, or None for the usual ones."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = os.environ.get(name)
        if path:
            if Path(path).exists():
                return path
            raise ConfigurationError(f"{name} names {path!r}, which does not exist: no certificate could be trusted")
    return None


def proxy_url(endpoint: Endpoint) -> str | None:
    """The proxy on the way to an endpoint, or None to go there directly.

    :raises ConfigurationError: if there is one that can't be used.
    """
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
    return usable_proxy(found)


def usable_proxy(url: str) -> str:
    """A proxy's URL in one form for all libraries.

    Each of them would find out for itself that it can't be used, at the first call and in its own way: with the
    password in its text, or with another host than was meant.

    :raises ConfigurationError: if it can't be used; where it was set is named, and nothing of it is shown.
    """
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


def proxy_headers(url: str) -> dict[str, str]:
    """The headers that a proxy is sent: with the user name and the password of its URL, as the bytes they stand for."""
    from urllib3.util import parse_url

    credentials = parse_url(url).auth
    if credentials is None:
        return {}
    if ":" not in credentials:
        credentials += ":"
    return {"Proxy-Authorization": f"Basic {b64encode(unquote_to_bytes(credentials)).decode()}"}


def _split(base_url: str) -> SplitResult:
    parts: SplitResult | None = None
    try:
        parts = urlsplit(base_url)
        is_readable = parts.port != 0 and _VISIBLE_ASCII.fullmatch(base_url)
    except ValueError:
        is_readable = False
    if parts is None or not is_readable:
        raise ConfigurationError(
            f"the base URL can't be read: it must look like {DEFAULT_BASE_URL}, in ASCII and without spaces "
            "(a name in another script goes in as its xn-- form)"
        )
    if parts.scheme not in {"http", "https"}:
        raise ConfigurationError("the base URL must begin with https://")
    if "@" in parts.netloc:
        raise ConfigurationError("the base URL must not hold a user name or a password: the API key is all it takes")
    if parts.query or parts.fragment:
        raise ConfigurationError("the base URL must end with its path: take away what follows ? or #")
    return parts


def _host(netloc: str) -> str:
    found = _NETLOC.fullmatch(netloc)
    address, host = found.groups() if found else (None, None)
    if address:
        # Older Pythons split a URL with anything in its brackets.
        with contextlib.suppress(ValueError):
            host = str(ipaddress.IPv6Address(address))
    if host is None:
        raise ConfigurationError(f"the base URL has no host that can be used: it must look like {DEFAULT_BASE_URL}")
    return host.lower()


def _is_loopback(host: str) -> bool:
    if host in {"localhost", "::1"}:
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _http_is_allowed() -> bool:
    value = os.environ.get("WORKOS_ALLOW_HTTP", "")
    if value not in {"", "0", "1"}:
        raise ConfigurationError("WORKOS_ALLOW_HTTP must be 1 to allow plain http, or be left out")
    return value == "1"


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
    import socket

    try:
        return int.from_bytes(socket.inet_aton(text), "big")
    except OSError:
        return None


def _parsed(url: str) -> Url | None:
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

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

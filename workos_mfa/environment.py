"""What users of requests expect of the environment: proxies and certificates, by the same names and rules.

requests reads it by itself; a transport that goes without requests reads it here.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

from workos_mfa.configuration import Endpoint
from workos_mfa.errors import ConfigurationError


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
    """The proxy on the way to an endpoint, or None to go there directly."""
    if endpoint.is_plain_loopback or not _may_have_proxies():
        return None
    # Slow to load, and of use only where there may be a proxy.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    scheme = endpoint.url.partition(":")[0]
    found = proxies.get(scheme) or proxies.get("all")
    if not found or proxy_bypass(f"{endpoint.host}:{endpoint.port}") or _is_in_no_proxy_network(endpoint.host):
        return None
    return found if "://" in found else f"http://{found}"


def _may_have_proxies() -> bool:
    if sys.platform in {"darwin", "win32"}:
        return True  # their system settings count too
    return any(name.lower().endswith("_proxy") for name in os.environ)


def _is_in_no_proxy_network(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return any(_holds(network.strip(), address) for network in excepted.split(","))


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network)
    except ValueError:
        return False

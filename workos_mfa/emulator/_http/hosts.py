"""Which hosts a request may be addressed to: a web page must not reach an emulator on this machine.

It could: a name of the page's own that leads to 127.0.0.1 makes the emulator a part of its site for the browser
("DNS rebinding"), and the key of most emulators is known to all. But a browser says which name it used.
"""

from __future__ import annotations

import ipaddress
import re

import attrs

_HEADER = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]*)?")
_NAME = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9._-]+")


@attrs.frozen
class Hosts:
    """The names and addresses, without a port, that requests may be for; ``names`` is None for all."""

    names: frozenset[str] | None

    def allow(self, header: str) -> bool:
        """Whether a request with this ``Host`` is allowed. No browser leaves it out."""
        if self.names is None or not header:
            return True
        found = _HEADER.fullmatch(header.lower())
        return found is not None and found[1] in self.names

    def and_also(self, *names: str) -> Hosts:
        """These, and others; ``"*"`` for all.

        :raises ValueError: if one is no name or address of a host.
        """
        if "*" in names or self.names is None:
            return Hosts(None)
        added = {_as_in_a_url(name.lower()) for name in names}
        if not all(map(_NAME.fullmatch, added)):
            raise ValueError('a host is a name or an address without a port, such as "mfa.test", or "*" for any')
        return Hosts(self.names | added)


THIS_MACHINE = Hosts(frozenset({"localhost", "127.0.0.1", "[::1]"}))


def is_this_machine(host: str) -> bool:
    """Whether only this machine can reach a server that listens on this name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_in_a_url(name: str) -> str:
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name

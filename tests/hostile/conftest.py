"""The tests here use the same servers and transports as those of the transports."""

from __future__ import annotations

from tests.transports.conftest import _clean_environment, connect, server, transport_class

__all__ = ["_clean_environment", "connect", "server", "transport_class"]

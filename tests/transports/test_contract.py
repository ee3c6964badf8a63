"""The transports keep the contract that users' own transports are held to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import attrs
import pytest
import requests

from tests.loopback import Line, Received, Server, serving
from tests.transports.api import KEY, TransportFactory
from workos_mfa import RequestsTransport, Transport
from workos_mfa.testing import Answer, TransportContract


@attrs.frozen
class Connection:
    """A transport before a loopback server."""

    transport: Transport
    server: Server

    @property
    def seen(self) -> list[tuple[str, str]]:
        """What the server received."""
        return [(request.method, request.path) for request in self.server.received]


def behaving(answer: Answer, request: Received, line: Line) -> None:
    """Do what the contract asks of its server."""
    del request
    if answer.trouble == "lost":
        line.reset()
    elif answer.trouble == "late":
        line.stall()
    else:
        line.answer(answer.status, answer.body, answer.headers)


class TestOverSockets(TransportContract):
    """Each transport that opens connections, before a loopback server."""

    @pytest.fixture(autouse=True)
    def _use(self, transport_class: TransportFactory) -> None:
        self.transport_class = transport_class

    @contextlib.contextmanager
    def connected(self, answer: Answer) -> Iterator[Connection]:
        """A transport before a server that answers like this."""
        with serving(lambda request, line: behaving(answer, request, line)) as server:
            transport = self.transport_class(KEY, base_url=server.url)
            try:
                yield Connection(transport, server)
            finally:
                transport.close()


class TestOverAGivenSession(TransportContract):
    """RequestsTransport on a session of the user's own."""

    @contextlib.contextmanager
    def connected(self, answer: Answer) -> Iterator[Connection]:
        """A transport before a server that answers like this."""
        with serving(lambda request, line: behaving(answer, request, line)) as server, requests.Session() as session:
            yield Connection(RequestsTransport(KEY, base_url=server.url, session=session), server)

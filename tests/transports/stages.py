"""What can go wrong with a call, made with real sockets, TLS and proxies: the fault table and other tests use it."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest
import trustme

from tests.loopback import Behaviour, Line, Received, Server, http_response, serving
from tests.transports.api import first_then, respond_rightly, right_response


@attrs.frozen
class World:
    """What a test changes around the client."""

    monkeypatch: pytest.MonkeyPatch
    folder: Path


@attrs.frozen
class Stage:
    """Where a fault happens.

    :param url: where the client is pointed.
    :param server: the API, which counts what arrives.
    :param heal: ends the fault.
    """

    url: str
    server: Server
    heal: Callable[[], object]


Setting = Callable[[World], AbstractContextManager[Stage]]


# What the API, or a proxy, does with a request that has arrived.

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def status(code: int, headers: Mapping[str, str] | None = None, /, **said: object) -> Behaviour:
    """Respond with a status, and an error in JSON."""
    return lambda _, line: line.respond(code, {"message": "no", **said}, headers)


def response_of(body: object) -> Behaviour:
    """Respond that it worked, with this."""
    return lambda _, line: line.respond(200, body)


def send_and_hang_up(data: bytes = b"") -> Behaviour:
    """Send this, and close the connection."""

    def behave(_: Received, line: Line) -> None:
        line.send(data)
        line.hang_up()

    return behave


def reset(_: Received, line: Line) -> None:
    """Break the connection off."""
    line.reset()


def stall(_: Received, line: Line) -> None:
    """Never respond."""
    line.stall()


def cut_body(request: Received, line: Line) -> None:
    """Send all of the response but its last byte."""
    code, body = right_response(request)
    send_and_hang_up(http_response(code, body)[:-1])(request, line)


def respond_after_interim(request: Received, line: Line) -> None:
    """Send interim responses, and then the response."""
    line.send(INTERIM)
    respond_rightly(request, line)


def garble(_: Received, line: Line) -> None:
    """Respond with a TLS record that nobody can decrypt."""
    line.send_below_tls(b"\x17" + struct.pack("!HH", 0x0303, 32) + b"x" * 32)


def tunnel(request: Received, line: Line) -> None:
    """Do what a CONNECT asks for."""
    line.tunnel_to(int(request.path.rpartition(":")[2]))


def stall_in_the_tunnel(_: Received, line: Line) -> None:
    """Say that the tunnel is there, and let nothing through."""
    line.send(ESTABLISHED)
    line.stall()


# Where it goes wrong.


def stage_of(server: Server) -> Stage:
    """A stage on which the API itself is at fault."""

    def heal() -> None:
        server.behaviour = respond_rightly

    return Stage(server.url, server, heal)


def at_the_api(behaviour: Behaviour) -> Setting:
    """The API does this with what arrives."""

    @contextlib.contextmanager
    def setting(_: World) -> Iterator[Stage]:
        with serving(behaviour) as server:
            yield stage_of(server)

    return setting


def on_a_kept_connection(earlier: Behaviour, behaviour: Behaviour) -> Setting:
    """The API does one thing with the earlier call, and another with what arrives then."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[Stage]:
        with at_the_api(first_then(earlier, behaviour))(world) as stage:
            yield stage

    return setting


def resolve(world: World, name: str, *addresses: str) -> Callable[[], object]:
    """Let a name stand for other addresses than 127.0.0.1, or for none; gives what ends that.

    No name server is asked.
    """
    as_usual, found = socket.getaddrinfo, [*addresses]

    def getaddrinfo(host: str, port: int, *args: int) -> list[tuple[object, ...]]:
        if host != name:
            return list(as_usual(host, port, *args))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    def heal() -> None:
        found[:] = ["127.0.0.1"]

    world.monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    return heal


@contextlib.contextmanager
def nobody_listens(world: World) -> Iterator[Stage]:
    """The port is closed."""
    with serving(respond_rightly) as server:
        yield Stage(server.url, server, resolve(world, "localhost", "127.0.0.2"))


@contextlib.contextmanager
def no_such_host(world: World) -> Iterator[Stage]:
    """The name stands for nothing."""
    with serving(respond_rightly) as server:
        yield Stage(server.url, server, resolve(world, "localhost"))


@contextlib.contextmanager
def connecting_hangs(world: World) -> Iterator[Stage]:
    """The port's queue is full, at 127.0.0.2."""
    with serving(respond_rightly) as server, socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.2", server.port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield Stage(server.url, server, resolve(world, "localhost", "127.0.0.2"))


@functools.cache
def authority() -> trustme.CA:
    """The authority that the tests trust."""
    return trustme.CA()


def trust(world: World) -> Path:
    """Have the client trust the authority, whose certificate is in the file."""
    file = world.folder / "authority.pem"
    authority().cert_pem.write_to_path(str(file))
    world.monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    return file


def context_of(certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """A server's side of TLS, with a good certificate unless one is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or authority().issue_cert("localhost")).configure_cert(context)
    return context


def over_tls(behaviour: Behaviour, certificate: Callable[[], trustme.LeafCert] | None = None) -> Setting:
    """The API does this with what arrives over TLS."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[Stage]:
        trust(world)
        with serving(behaviour, tls=context_of(certificate() if certificate else None)) as server:
            yield stage_of(server)

    return setting


@contextlib.contextmanager
def tls_never_begins(world: World) -> Iterator[Stage]:
    """The port takes connections and is silent."""
    with over_tls(respond_rightly)(world) as stage, socket.create_server(("127.0.0.2", stage.server.port)):
        yield Stage(stage.url, stage.server, resolve(world, "localhost", "127.0.0.2"))


@contextlib.contextmanager
def tls_is_broken_off(world: World) -> Iterator[Stage]:
    """The port takes connections and closes them."""

    def close_all() -> None:
        with contextlib.suppress(OSError):
            while True:
                listener.accept()[0].close()

    with over_tls(respond_rightly)(world) as stage, socket.create_server(("127.0.0.2", stage.server.port)) as listener:
        closer = threading.Thread(target=close_all)
        closer.start()
        yield Stage(stage.url, stage.server, resolve(world, "localhost", "127.0.0.2"))
        listener.shutdown(socket.SHUT_RDWR)
        closer.join()


@contextlib.contextmanager
def no_tls_there(_: World) -> Iterator[Stage]:
    """The port is that of a mail server, which speaks first and in plain text."""

    def greet() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.sendall(b"220 mail.example ready\r\n")
            sock.recv(65536)

    with serving(respond_rightly) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        greeter = threading.Thread(target=greet)
        greeter.start()
        yield Stage(f"https://localhost:{listener.getsockname()[1]}", server, lambda: None)
        greeter.join()


def through_a_proxy(at_the_proxy: Behaviour, behaviour: Behaviour = respond_rightly) -> Setting:
    """A proxy does this with a CONNECT, and the API behind it that with what arrives."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[Stage]:
        with over_tls(behaviour)(world) as stage, serving(at_the_proxy) as proxy:

            def heal() -> None:
                stage.heal()
                proxy.behaviour = tunnel

            world.monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            yield Stage(stage.url, stage.server, heal)

    return setting


@contextlib.contextmanager
def no_proxy_there(world: World) -> Iterator[Stage]:
    """Nobody listens where the proxy should be."""
    with over_tls(respond_rightly)(world) as stage, serving(tunnel) as proxy:
        world.monkeypatch.setenv("HTTPS_PROXY", f"http://proxy.example:{proxy.port}")
        yield Stage(stage.url, stage.server, resolve(world, "proxy.example", "127.0.0.2"))

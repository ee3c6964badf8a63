"""The fault table: what can go wrong with a call, and what must follow. The tests and ``docs/faults.md`` read it."""

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
from typing import Any, Literal

import attrs
import pytest
import trustme

from tests.loopback import Behaviour, Line, Received, Server, http_answer, serving
from tests.transports.api import IDEMPOTENT, SAFE, answer_rightly, first_then, right_answer
from workos_mfa import (
    APIError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    ServerError,
    SMSQuotaReachedError,
    SMSRateLimitedError,
    TLSError,
    TransportTimeoutError,
    UnexpectedResponseError,
)

Repeated = Literal["again", "never"]


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


@attrs.frozen
class Fault:
    """What goes wrong, and what must follow from it.

    :param setting: makes it go wrong.
    :param safe: whether get and list are tried again.
    :param idempotent: whether delete is.
    :param non_idempotent: whether the other calls are.
    :param arrives: whether the request reaches the API.
    :param unclear: whether the API may have acted.
    :param error: what is raised if it stays; None if the call works in spite of it.
    :param timeout: seconds that an attempt has.
    :param is_warm: whether an earlier call has left a connection open.
    :param deletes: whether a delete can meet it: one that works reads no body.
    """

    setting: Setting
    safe: Repeated
    idempotent: Repeated
    non_idempotent: Repeated
    arrives: bool
    unclear: bool
    error: type[MFAError] | None
    timeout: float = 5
    is_warm: bool = False
    deletes: bool = True

    def repeated(self, call: str) -> bool:
        """Whether a call is tried again."""
        rule = {**dict.fromkeys(SAFE, self.safe), **dict.fromkeys(IDEMPOTENT, self.idempotent)}.get(
            call, self.non_idempotent
        )
        return rule == "again"


# What the API does with a request that has arrived.


def status(code: int, headers: Mapping[str, str] | None = None, /, **said: object) -> Behaviour:
    """Answer with a status."""
    return lambda _, line: line.answer(code, {"message": "no", **said}, headers)


def lose_response(_: Received, line: Line) -> None:
    """Act, and lose the answer."""
    line.hang_up()


def reset(_: Received, line: Line) -> None:
    """Act, and break the connection off."""
    line.reset()


def stall(_: Received, line: Line) -> None:
    """Act, and never answer."""
    line.stall()


def cut_headers(head: bytes) -> Behaviour:
    """Act, and break off in the headers."""

    def behave(_: Received, line: Line) -> None:
        line.send(head)
        line.hang_up()

    return behave


def cut_body(request: Received, line: Line) -> None:
    """Act, and send all of the answer but its last byte."""
    code, body = right_answer(request)
    line.send(http_answer(code, body)[:-1])
    line.hang_up()


def cut_chunks(_: Received, line: Line) -> None:
    """Act, and break off in the middle of a chunked answer."""
    line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{")
    line.hang_up()


def count_backwards(_: Received, line: Line) -> None:
    """Act, and send a chunk of minus one byte, which many take for one without end."""
    line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}")
    line.hang_up()


def not_http(_: Received, line: Line) -> None:
    """Act, and answer in no language that a client knows."""
    line.send(b"220 smtp ready\r\n")
    line.hang_up()


def unreadable(_: Received, line: Line) -> None:
    """Act, and answer with what is not JSON."""
    line.answer(200, b"<html>fine</html>")


def of_another_kind(_: Received, line: Line) -> None:
    """Act, and answer with JSON that is nothing of what was asked for."""
    line.answer(200, {"ok": True})


def redirect(_: Received, line: Line) -> None:
    """Answer that the call is elsewhere."""
    line.answer(307, b"", {"Location": "/elsewhere"})


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"


def answer_after_interim(request: Received, line: Line) -> None:
    """Send interim answers, and then the answer."""
    line.send(INTERIM)
    answer_rightly(request, line)


def lose_reply_after_interim(_: Received, line: Line) -> None:
    """Send interim answers, and then nothing more."""
    line.send(INTERIM)
    line.hang_up()


def answer_and_close(request: Received, line: Line) -> None:
    """Answer, and close the connection, though the answer did not say so."""
    answer_rightly(request, line)
    line.hang_up()


def garble(_: Received, line: Line) -> None:
    """Act, and answer with a TLS record that nobody can decrypt."""
    line.send_below_tls(b"\x17" + struct.pack("!HH", 0x0303, 32) + b"x" * 32)


# Where it goes wrong.


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
    def setting(_: World) -> Iterator[Stage]:
        with serving(first_then(earlier, behaviour)) as server:
            yield stage_of(server)

    return setting


def stage_of(server: Server) -> Stage:
    """A stage on which the API itself is at fault."""

    def heal() -> None:
        server.behaviour = answer_rightly

    return Stage(server.url, server, heal)


def resolve_elsewhere(world: World, name: str, address: str | None) -> Callable[[], object]:
    """Let a name stand for another address than 127.0.0.1, or for none; gives what ends that.

    No name server is asked.
    """
    resolve, is_healed = socket.getaddrinfo, list[bool]()

    def getaddrinfo(host: str, port: int, *args: int) -> list[tuple[object, ...]]:
        if host != name:
            return list(resolve(host, port, *args))
        found = "127.0.0.1" if is_healed else address
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    world.monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    return lambda: is_healed.append(True)


@contextlib.contextmanager
def nobody_listens(world: World) -> Iterator[Stage]:
    """The port is closed."""
    with serving(answer_rightly) as server:
        yield Stage(server.url, server, resolve_elsewhere(world, "localhost", "127.0.0.2"))


@contextlib.contextmanager
def no_such_host(world: World) -> Iterator[Stage]:
    """The name stands for nothing."""
    with serving(answer_rightly) as server:
        yield Stage(server.url, server, resolve_elsewhere(world, "localhost", None))


@contextlib.contextmanager
def connecting_hangs(world: World) -> Iterator[Stage]:
    """The port's queue is full."""
    with serving(answer_rightly) as server, socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.2", server.port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield Stage(server.url, server, resolve_elsewhere(world, "localhost", "127.0.0.2"))


@functools.cache
def authority() -> trustme.CA:
    """The authority that the tests trust."""
    return trustme.CA()


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trust(world: World) -> None:
    """Have the client trust the authority."""
    file = world.folder / "authority.pem"
    authority().cert_pem.write_to_path(str(file))
    world.monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))


def over_tls(behaviour: Behaviour, certificate: Callable[[], trustme.LeafCert] | None = None) -> Setting:
    """The API does this with what arrives over TLS."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[Stage]:
        trust(world)
        context = context_of(certificate() if certificate else authority().issue_cert("localhost"))
        with serving(behaviour, tls=context) as server:
            yield stage_of(server)

    return setting


@contextlib.contextmanager
def tls_never_begins(world: World) -> Iterator[Stage]:
    """The port takes connections and is silent."""
    with over_tls(answer_rightly)(world) as stage, socket.create_server(("127.0.0.2", stage.server.port)):
        yield Stage(stage.url, stage.server, resolve_elsewhere(world, "localhost", "127.0.0.2"))


@contextlib.contextmanager
def tls_is_broken_off(world: World) -> Iterator[Stage]:
    """The port takes connections and closes them."""

    def close_all() -> None:
        with contextlib.suppress(OSError):
            while True:
                listener.accept()[0].close()

    with over_tls(answer_rightly)(world) as stage, socket.create_server(("127.0.0.2", stage.server.port)) as listener:
        closer = threading.Thread(target=close_all)
        closer.start()
        yield Stage(stage.url, stage.server, resolve_elsewhere(world, "localhost", "127.0.0.2"))
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

    with serving(answer_rightly) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        greeter = threading.Thread(target=greet)
        greeter.start()
        yield Stage(f"https://localhost:{listener.getsockname()[1]}", server, lambda: None)
        greeter.join()


def tunnel(request: Received, line: Line) -> None:
    """Do what a CONNECT asks for."""
    line.tunnel_to(int(request.path.rpartition(":")[2]))


def break_the_tunnel(_: Received, line: Line) -> None:
    """Say that the tunnel is there, and close it."""
    line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    line.hang_up()


def stall_in_the_tunnel(_: Received, line: Line) -> None:
    """Say that the tunnel is there, and let nothing through."""
    line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    line.stall()


def through_a_proxy(at_the_proxy: Behaviour, behaviour: Behaviour = answer_rightly) -> Setting:
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
    with over_tls(answer_rightly)(world) as stage, serving(tunnel) as proxy:
        world.monkeypatch.setenv("HTTPS_PROXY", f"http://proxy.example:{proxy.port}")
        yield Stage(stage.url, stage.server, resolve_elsewhere(world, "proxy.example", "127.0.0.2"))


def unsent(setting: Setting, error: type[MFAError] = ConnectError, timeout: float = 5) -> Fault:
    """A fault before which nothing was sent, so that every call is tried again."""
    return Fault(setting, "again", "again", "again", arrives=False, unclear=False, error=error, timeout=timeout)


def unanswered(setting: Setting, error: type[MFAError] = ConnectionLostError, **settings: Any) -> Fault:
    """A fault after which nobody knows what the API did: what acts is never sent again."""
    fault = Fault(setting, "again", "again", "never", arrives=True, unclear=True, error=error)
    return attrs.evolve(fault, **settings)


def final(setting: Setting, error: type[MFAError] | None, *, unclear: bool, **settings: Any) -> Fault:
    """A fault that repeating does not mend."""
    fault = Fault(setting, "never", "never", "never", arrives=True, unclear=unclear, error=error)
    return attrs.evolve(fault, **settings)


def limited(repeated: Repeated, headers: Mapping[str, str], /, **said: object) -> Fault:
    """A refusal for the number of requests: what acts is sent again if the API says when."""
    setting = at_the_api(status(429, headers, **said))
    return Fault(setting, "again", "again", repeated, arrives=True, unclear=False, error=RateLimitExceededError)


DATE = "Sun, 06 Nov 1994 08:49:37 GMT"

FAULTS: dict[str, Fault] = {
    "connection refused": unsent(nobody_listens),
    "no such host": unsent(no_such_host),
    "connecting hangs": unsent(connecting_hangs, ConnectTimeoutError, 0.3),
    "nobody listens at the proxy": unsent(no_proxy_there),
    "the proxy refuses (407)": unsent(through_a_proxy(status(407, {"Proxy-Authenticate": "Basic"}))),
    "the proxy can't reach the API (502)": unsent(through_a_proxy(status(502))),
    "the proxy dies on CONNECT": unsent(through_a_proxy(reset)),
    "the proxy never answers CONNECT": unsent(through_a_proxy(stall), ConnectTimeoutError, 0.3),
    "the proxy dies after CONNECT": unsent(through_a_proxy(break_the_tunnel)),
    "the proxy stalls after CONNECT": unsent(through_a_proxy(stall_in_the_tunnel), ConnectTimeoutError, 0.3),
    "the connection breaks in the TLS handshake": unsent(tls_is_broken_off),
    "the TLS handshake stalls": unsent(tls_never_begins, ConnectTimeoutError, 0.3),
    "certificate of another authority": final(
        over_tls(answer_rightly, lambda: trustme.CA().issue_cert("localhost")), TLSError, unclear=False, arrives=False
    ),
    "certificate for another host": final(
        over_tls(answer_rightly, lambda: authority().issue_cert("elsewhere.example")),
        TLSError,
        unclear=False,
        arrives=False,
    ),
    "no TLS there": final(no_tls_there, TLSError, unclear=True, arrives=False),
    "TLS record garbled after the request": final(over_tls(garble), TLSError, unclear=True),
    "the proxy's tunnel breaks after the request": unanswered(through_a_proxy(tunnel, lose_response)),
    "the reply is lost": unanswered(at_the_api(lose_response)),
    "reset": unanswered(at_the_api(reset)),
    "stall": unanswered(at_the_api(stall), TransportTimeoutError, timeout=0.3),
    "reset over TLS": unanswered(over_tls(reset)),
    "stall over TLS": unanswered(over_tls(stall), TransportTimeoutError, timeout=0.5),
    "cut off in a header's name": unanswered(at_the_api(cut_headers(b"HTTP/1.1 200 OK\r\nContent-Le"))),
    "cut off in a header's value": unanswered(at_the_api(cut_headers(b"HTTP/1.1 429 No\r\nRetry-After: 0"))),
    "cut off between headers": unanswered(at_the_api(cut_headers(b"HTTP/1.1 429 No\r\nRetry-After: 0\r\n"))),
    "cut off after the status": unanswered(at_the_api(cut_headers(b"HTTP/1.1 204 No Content\r\n"))),
    "cut off in the body": unanswered(at_the_api(cut_body), deletes=False),
    "cut off in a chunk": unanswered(at_the_api(cut_chunks)),
    "a chunk of -1 bytes": unanswered(at_the_api(count_backwards)),
    "not HTTP": unanswered(at_the_api(not_http)),
    "interim answers, then nothing": unanswered(at_the_api(lose_reply_after_interim)),
    "a kept connection is reset as the request arrives": unanswered(
        on_a_kept_connection(answer_rightly, reset), is_warm=True
    ),
    "429": limited("never", {}),
    "429, Retry-After in seconds": limited("again", {"Retry-After": "0"}),
    "429, Retry-After as a date": limited("again", {"Retry-After": DATE, "Date": DATE}),
    "429, Retry-After unreadable": limited("never", {"Retry-After": "soon"}),
    "429, retry_after in the JSON": limited("again", {}, retry_after=0),
    "429 `sms_challenge_rate_limited`": final(
        at_the_api(status(429, {"Retry-After": "0"}, code="sms_challenge_rate_limited")),
        SMSRateLimitedError,
        unclear=False,
    ),
    "429 `sms_challenge_quota_reached`": final(
        at_the_api(status(429, {"Retry-After": "0"}, code="sms_challenge_quota_reached")),
        SMSQuotaReachedError,
        unclear=False,
    ),
    **{str(code): unanswered(at_the_api(status(code)), ServerError) for code in (500, 502, 503, 504, 520, 527, 530)},
    "503, Retry-After in seconds": unanswered(at_the_api(status(503, {"Retry-After": "0"})), ServerError),
    "501": final(at_the_api(status(501)), ServerError, unclear=True),
    "408": final(at_the_api(status(408)), APIError, unclear=True),
    "404": final(at_the_api(status(404)), NotFoundError, unclear=False),
    "redirect (307)": final(at_the_api(redirect), UnexpectedResponseError, unclear=True),
    "a success that is not JSON": final(at_the_api(unreadable), UnexpectedResponseError, unclear=True, deletes=False),
    "a success that is something else": final(
        at_the_api(of_another_kind), UnexpectedResponseError, unclear=True, deletes=False
    ),
    "interim answers first (100, 102, 103)": final(at_the_api(answer_after_interim), None, unclear=False),
    "a kept connection was closed while idle": final(
        on_a_kept_connection(answer_and_close, answer_rightly), None, unclear=False, is_warm=True
    ),
}


_UNCLEAR = {"non_idempotent": "never", "unclear": True}
_TAKEN_FOR_WHOLE = {"safe": "never", "idempotent": "never", **_UNCLEAR, "error": UnexpectedResponseError}
_TAKEN_FOR_A_REFUSAL = {"non_idempotent": "again", "unclear": False, "error": RateLimitExceededError}

_DIFFERENCES: dict[str, dict[str, Any]] = {
    "the proxy dies on CONNECT": {**_UNCLEAR, "error": ConnectionLostError},
    "the proxy never answers CONNECT": {**_UNCLEAR, "error": TransportTimeoutError},
    "the proxy dies after CONNECT": {**_UNCLEAR, "error": ConnectionLostError},
    "the proxy stalls after CONNECT": {**_UNCLEAR, "error": TransportTimeoutError},
    "the connection breaks in the TLS handshake": {**_UNCLEAR, "error": ConnectionLostError},
    "the TLS handshake stalls": {**_UNCLEAR, "error": TransportTimeoutError},
    "cut off in a header's name": {**_TAKEN_FOR_WHOLE, "deletes": False},
    "cut off in a header's value": _TAKEN_FOR_A_REFUSAL,
    "cut off between headers": _TAKEN_FOR_A_REFUSAL,
    "cut off after the status": {**_TAKEN_FOR_WHOLE, "deletes": False},
    "interim answers, then nothing": _TAKEN_FOR_WHOLE,
    "interim answers first (100, 102, 103)": _TAKEN_FOR_WHOLE,
}
ON_A_SESSION = {name: attrs.evolve(FAULTS[name], **changes) for name, changes in _DIFFERENCES.items()}
"""What is different on a session of the user's, whose connections are not of our making."""

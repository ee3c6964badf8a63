"""An answer belongs to its question: nothing that one answer leaves behind is taken for the next."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.loopback import Line, Received, Server, http_answer, serving
from tests.transports.api import (
    CHALLENGE,
    CODE,
    FACTOR,
    FACTOR_ID,
    KEY,
    SessionTransport,
    TransportFactory,
    answer_rightly,
    on_every_connection,
)
from workos_mfa import (
    MFA,
    ConnectionLostError,
    MFAError,
    NotFoundError,
    Transport,
    UnexpectedResponseError,
)
from workos_mfa.connections import _Connections

Connect = Callable[[Server], Transport]


def verified(challenge_id: str, *, valid: bool) -> bytes:
    """The answer to a verification."""
    return http_answer(201, {"challenge": {**CHALLENGE, "id": challenge_id}, "valid": valid})


@on_every_connection
def test_an_answer_for_another_challenge(server: Server, connect: Connect) -> None:
    """However it got here, the answer to somebody else's verification is no answer, and above all not a yes."""
    server.behaviour = lambda _, line: line.send(verified("auth_challenge_alice", valid=True))
    mfa = MFA(transport=connect(server))
    with pytest.raises(UnexpectedResponseError, match=r"\$\.challenge\.id") as caught:
        mfa.verify_challenge("auth_challenge_mallory", code=CODE, expected_factor_id=FACTOR_ID)
    assert caught.value.outcome_unknown
    assert caught.value.needs_new_challenge


@on_every_connection
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 200\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 200\r\n\r\n",
    ],
)
def test_an_answer_that_may_have_more_to_come(head: bytes, server: Server, connect: Connect) -> None:
    """Its connection is not used again, since what comes late on it would pass for the next answer."""
    mfa = MFA(transport=connect(server))
    server.behaviour = lambda _, line: line.send(head)
    with pytest.raises(MFAError):
        mfa.get_factor("auth_factor_1")
    server.behaviour = answer_rightly
    assert mfa.verify_challenge("auth_challenge_1", code=CODE)
    assert server.connections == 2


def test_a_late_answer_on_a_session_of_the_users() -> None:
    """What comes after an interim answer, which requests takes for the answer, is not the answer to the next call."""

    def hint_and_answer_late(request: Received, line: Line) -> None:
        line.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        with contextlib.suppress(OSError):
            line.drip(verified("auth_challenge_1", valid=request.json == {"code": "111111"}), 0.0001)

    with serving(hint_and_answer_late) as server:
        transport = SessionTransport(KEY, base_url=server.url)
        for code in ("111111", "000000"):
            with pytest.raises(UnexpectedResponseError, match="103") as caught:
                MFA(transport=transport).verify_challenge("auth_challenge_1", code=code)
            assert caught.value.outcome_unknown
        transport.close()
        assert server.connections == 2


@on_every_connection
@pytest.mark.parametrize(
    "size", [b"-1", b"-5", b"0x5", b"0_5", b"+5", b"5 5", b"", b"x", b"1" * 20, b"2;" + b"x" * 70_000]
)
def test_the_size_of_a_chunk(size: bytes, server: Server, connect: Connect) -> None:
    """A size that is none is no answer, rather than one without end."""
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.behaviour = lambda _, line: line.send(start + size + b"\r\n" + b" " * 100_000)
    with pytest.raises(ConnectionLostError) as caught:
        MFA(transport=connect(server), timeout=5).verify_challenge("auth_challenge_1", code=CODE)
    assert caught.value.outcome_unknown


@on_every_connection
def test_chunks_that_are_right(server: Server, connect: Connect) -> None:
    """Sizes in either case, with leading zeros and extensions, are read; so is the next answer."""
    body = json.dumps(FACTOR).encode()
    chunks = b"0000A;x=y\r\n%b\r\n%X \r\n%b\r\n0\r\nX-Trailer: x\r\n\r\n" % (body[:10], len(body) - 10, body[10:])
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.behaviour = lambda _, line: line.send(start + chunks)
    mfa = MFA(transport=connect(server))
    assert [mfa.get_factor(FACTOR_ID).id for _ in range(2)] == [FACTOR_ID] * 2
    assert server.connections == 1


def test_what_tls_has_read_already(
    transport_class: TransportFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second answer in the record of the first one is thrown away with its connection."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def answer_twice(_: Received, line: Line) -> None:
        first = http_answer(404, {"message": ""})
        # As long as the buffer that is read at once, so that the rest stays inside TLS.
        first = http_answer(404, {"message": "x" * (8192 - len(first) - 2)})
        line.send(first.ljust(8192) + verified("auth_challenge_1", valid=True))

    with serving(answer_twice, tls=context) as server:
        transport = transport_class(KEY, base_url=server.url)
        with pytest.raises(NotFoundError):
            MFA(transport=transport).get_factor("auth_factor_1")
        time.sleep(0.05)
        server.behaviour = lambda _, line: line.send(verified("auth_challenge_1", valid=False))
        assert not MFA(transport=transport).verify_challenge("auth_challenge_1", code=CODE)
        transport.close()


@pytest.mark.parametrize("line_of_head", [f"X-Debug got {KEY} {CODE}", "Content-Length: 1x", "Content-Length: -1"])
def test_a_malformed_head(
    line_of_head: str, server: Server, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no answer, and the line, which may repeat what was sent, is in no log."""

    def answer(_: Received, line: Line) -> None:
        line.send(f"HTTP/1.1 200 OK\r\n{line_of_head}\r\nX-Other: x\r\n\r\n{{}}".encode())
        line.hang_up()

    server.behaviour = answer
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectionLostError) as caught:
        MFA(transport=connect(server)).verify_challenge("auth_challenge_1", code=CODE)
    assert KEY not in caplog.text + str(caught.value)
    assert CODE not in caplog.text + str(caught.value)


def test_the_idle_connections() -> None:
    """The one used last comes first, and nobody waits: not for one, and not for a lock."""
    idle = _Connections(0)
    idle.put("first")
    idle.put("last")
    assert idle.qsize() == 2
    assert [idle.get(block=False, timeout=None), idle.get()] == ["last", "first"]
    with pytest.raises(queue.Empty):
        idle.get()
    assert not [value for value in vars(idle).values() if hasattr(value, "acquire")]

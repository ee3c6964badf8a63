"""A response belongs to its request: nothing that one response leaves behind is taken for the next."""

from __future__ import annotations

import contextlib
import json
import logging

import pytest

from tests.loopback import Behaviour, Line, Received, Server, http_response, serving
from tests.transports.api import (
    CHALLENGE,
    CHALLENGE_ID,
    CODE,
    FACTOR_ID,
    KEY,
    Connect,
    SessionTransport,
    on_every_connection,
    respond_rightly,
)
from tests.transports.stages import respond_after_interim, send_and_hang_up
from workos_mfa import (
    MFA,
    ConnectionLostError,
    MFAError,
    NotFoundError,
    Transport,
    UnexpectedResponseError,
)

BODY = json.dumps({"challenge": CHALLENGE, "valid": True}).encode()
IN_CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
SIZE = b"Content-Length: %d" % len(BODY)


CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"


def sending(data: bytes) -> Behaviour:
    """Send this as it is."""
    return lambda _, line: line.send(data)


def verified(challenge_id: str, *, valid: bool) -> bytes:
    """The response to a verification."""
    return http_response(201, {"challenge": {**CHALLENGE, "id": challenge_id}, "valid": valid})


@on_every_connection
def test_a_response_for_another_challenge(server: Server, mfa: MFA) -> None:
    """However it got here, the response to somebody else's verification is no response, and above all not a yes."""
    server.behaviour = sending(verified("auth_challenge_alice", valid=True))
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
def test_a_response_that_may_have_more_to_come(head: bytes, server: Server, mfa: MFA) -> None:
    """Its connection is not used again, since what comes late on it would pass for the next response."""
    server.behaviour = sending(head)
    with pytest.raises(UnexpectedResponseError):
        mfa.get_factor("auth_factor_1")
    server.behaviour = respond_rightly
    assert mfa.verify_challenge("auth_challenge_1", code=CODE)
    assert server.connections == 2


def test_a_late_response_on_a_session_of_the_users() -> None:
    """Requests takes an interim response for the response; what comes after it is not the response to the next call."""

    def hint_and_respond_late(request: Received, line: Line) -> None:
        line.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        with contextlib.suppress(OSError):
            line.drip(verified("auth_challenge_1", valid=request.json == {"code": "111111"}), 0.0001)

    with serving(hint_and_respond_late) as server:
        transport = SessionTransport(KEY, base_url=server.url)
        for code in ("111111", "000000"):
            with pytest.raises(UnexpectedResponseError, match="103") as caught:
                MFA(transport=transport).verify_challenge("auth_challenge_1", code=code)
            assert caught.value.outcome_unknown
        transport.close()
        assert server.connections == 2


SIZES = [b"-1", b"-5", b"0x5", b"0_5", b"+5", b"5 5", b"", b"x", b"1" * 20, b"2;" + b"x" * 70_000, b"2;x\n"]
CHUNKS_THAT_ARE_NONE = {
    # A size that is none, rather than one without end.
    **{repr(size[:20]): size + b"\r\n" + b" " * 100_000 for size in SIZES},
    # A chunk that is longer than its size.
    **{f"ends {end!r}": IN_CHUNKS.removesuffix(b"\r\n0\r\n\r\n") + end + b"0\r\n\r\n" for end in (b"XX", b"\n\n")},
}


@on_every_connection
@pytest.mark.parametrize("chunks", CHUNKS_THAT_ARE_NONE.values(), ids=CHUNKS_THAT_ARE_NONE)
def test_chunks_that_are_none(chunks: bytes, server: Server, connect: Connect) -> None:
    """What is not in chunks, though it says so, is no response."""
    server.behaviour = sending(CHUNKED + chunks)
    with pytest.raises(ConnectionLostError) as caught:
        MFA(transport=connect(server), timeout=5).verify_challenge(CHALLENGE_ID, code=CODE)
    assert caught.value.outcome_unknown


READ_AND_KEPT = {
    "any case": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: cHUNKED\r\n\r\n" + IN_CHUNKS,
    "white space around the length": b"HTTP/1.1 201 Created\r\nContent-Length: \t%d \t\r\n\r\n" % len(BODY) + BODY,
    "sizes in either case, with leading zeros and extensions": CHUNKED
    + b"0000A;x=y\r\n%b\r\n%X \r\n%b\r\n0\r\nX-Trailer: x\r\n\r\n" % (BODY[:10], len(BODY) - 10, BODY[10:]),
}
# What stands in the head, and the body that goes with it.
READ_AND_CLOSED = {
    "white space around chunked": (b"Transfer-Encoding: \tchunked \t", IN_CHUNKS),
    "chunked twice": (b"Transfer-Encoding: chunked, chunked", IN_CHUNKS),
    "two lines": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked", IN_CHUNKS),
    "chunked beside a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 5", IN_CHUNKS),
    "a length beside chunked": (b"Content-Length: 5\r\nTransfer-Encoding: chunked", IN_CHUNKS),
    "identity": (b"Transfer-Encoding: identity\r\n" + SIZE, BODY),
    "the same length twice": (SIZE + b"\r\n" + SIZE, BODY),
    "the same length in one line": (SIZE + b", %d" % len(BODY), BODY),
}
REFUSED = {
    "compressed": (b"Transfer-Encoding: gzip, chunked\r\n" + SIZE, BODY),
    "compressed without an end": (b"Transfer-Encoding: gzip\r\n" + SIZE, BODY),
    "chunked not last": (b"Transfer-Encoding: chunked, gzip\r\n" + SIZE, BODY),
    "identity and chunked": (b"Transfer-Encoding: identity, chunked\r\n" + SIZE, BODY),
    "in two lines": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", IN_CHUNKS),
    "nothing": (b"Transfer-Encoding:\r\n" + SIZE, BODY),
    "nothing last": (b"Transfer-Encoding: chunked,\r\n" + SIZE, BODY),
    "unknown": (b"Transfer-Encoding: xchunked\r\n" + SIZE, BODY),
    "a parameter": (b"Transfer-Encoding: chunked;q=1\r\n" + SIZE, BODY),
    "quoted": (b'Transfer-Encoding: "chunked"\r\n' + SIZE, BODY),
    "a vertical tab": (b"Transfer-Encoding: \x0bchunked\r\n" + SIZE, BODY),
    "two lengths": (SIZE + b"\r\nContent-Length: 900", BODY),
    "two lengths in one line": (SIZE + b", 900", BODY),
    "a plus sign": (b"Content-Length: +%d" % len(BODY), BODY),
    "a letter in the length": (b"Content-Length: %dX" % len(BODY), BODY),
    "a space in the length": (b"Content-Length: %d 0" % len(BODY), BODY),
    "no length": (b"Content-Length:\r\nTransfer-Encoding: chunked", IN_CHUNKS),
    "a length beyond all bounds": (b"Content-Length: " + b"9" * 5000, BODY),
}
FOLDED = {
    "chunked on a line of its own": (b"Transfer-Encoding:\r\n chunked", IN_CHUNKS),
    "a length on a line of its own": (b"Content-Length:\r\n %d" % len(BODY), BODY),
    "a length behind a carriage return": (b"X: x\rContent-Length: %d" % len(BODY), BODY),
    "a coding behind a carriage return": (b"X: x\rTransfer-Encoding: chunked", IN_CHUNKS),
}
TRAILING = {"at once": verified(CHALLENGE_ID, valid=True), "later": b""}


def verifying_twice(
    server: Server, transport: Transport, sent: tuple[bytes, bytes], trailing: bytes
) -> tuple[object, bool]:
    """What comes of two verifications: the first has this response, the second with a no.

    On the connection of the first, whoever asks there again gets a yes.
    """
    head, body = sent
    first: list[Line] = []

    def respond(_: Received, line: Line) -> None:
        if first:
            line.send(verified(CHALLENGE_ID, valid=line in first))
        else:
            first.append(line)
            line.send(b"HTTP/1.1 201 Created\r\n" + head + b"\r\n\r\n" + body + trailing)

    server.behaviour = respond
    mfa = MFA(transport=transport, timeout=5)
    try:
        came: object = bool(mfa.verify_challenge(CHALLENGE_ID, code="111111"))
    except MFAError as error:
        came = error
    return came, bool(mfa.verify_challenge(CHALLENGE_ID, code="000000"))


@on_every_connection
@pytest.mark.parametrize("trailing", TRAILING.values(), ids=TRAILING)
@pytest.mark.parametrize("sent", READ_AND_CLOSED.values(), ids=READ_AND_CLOSED)
def test_a_head_that_says_it_twice(
    sent: tuple[bytes, bytes], trailing: bytes, server: Server, connect: Connect
) -> None:
    """What proxies send in good faith is read, and its connection, whatever comes on it, is not used again."""
    came, then = verifying_twice(server, connect(server), sent, trailing)
    assert came is True
    assert then is False
    assert server.connections == 2


@on_every_connection
@pytest.mark.parametrize("trailing", TRAILING.values(), ids=TRAILING)
@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_a_head_that_leaves_the_end_open(
    sent: tuple[bytes, bytes], trailing: bytes, server: Server, connect: Connect
) -> None:
    """Where two readers could see the end of a response in different places, there is no response."""
    refused_and_closed(server, connect, sent, trailing)


@pytest.mark.parametrize("trailing", TRAILING.values(), ids=TRAILING)
@pytest.mark.parametrize("sent", FOLDED.values(), ids=FOLDED)
def test_a_head_in_folded_lines(sent: tuple[bytes, bytes], trailing: bytes, server: Server, connect: Connect) -> None:
    """Nor where a reader may not know where a line ends; on a session of the user's, urllib3 has its own view."""
    refused_and_closed(server, connect, sent, trailing)


def refused_and_closed(server: Server, connect: Connect, sent: tuple[bytes, bytes], trailing: bytes) -> None:
    """Verify twice: the first has no response, and nothing of it is there for the second."""
    came, then = verifying_twice(server, connect(server), sent, trailing)
    assert isinstance(came, ConnectionLostError)
    assert came.outcome_unknown
    assert came.needs_new_challenge
    assert then is False
    assert server.connections == 2


# HTTP/1.0 has no chunks: what sends them all the same may not know where they end.
FROM_AN_OLD_SERVER = b"HTTP/1.0 201 Created\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + IN_CHUNKS


@on_every_connection
@pytest.mark.parametrize(
    ("sent", "connections"),
    [
        *(pytest.param(sent, 1, id=name) for name, sent in READ_AND_KEPT.items()),
        pytest.param(FROM_AN_OLD_SERVER, 2, id="from an old server"),
    ],
)
def test_responses_that_are_right(sent: bytes, connections: int, server: Server, mfa: MFA) -> None:
    """However they are written, they are read, and cost no connection if it is clear where they end."""
    server.behaviour = sending(sent)
    assert [bool(mfa.verify_challenge(CHALLENGE_ID, code=CODE)) for _ in range(2)] == [True, True]
    assert server.connections == connections


def test_interim_responses_are_passed_over(server: Server, mfa: MFA) -> None:
    """An early hint is not the response, and does not shift the responses of the calls that follow."""
    server.behaviour = respond_after_interim
    for number in range(3):
        assert mfa.get_factor(f"auth_factor_{number}").id == f"auth_factor_{number}"
    assert server.connections == 1


def test_what_came_with_a_response(server: Server, mfa: MFA) -> None:
    """A beginning of more is thrown away with its connection, or its end would be the response to the next call."""
    server.behaviour = sending(http_response(404, {"message": ""}) + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    with pytest.raises(NotFoundError):
        mfa.get_factor("auth_factor_1")
    server.behaviour = sending(verified(CHALLENGE_ID, valid=False))
    assert not mfa.verify_challenge(CHALLENGE_ID, code=CODE)
    assert server.connections == 2


@on_every_connection
@pytest.mark.parametrize("body", [b"", b"0\r\n\r\n"])
def test_no_content_in_chunks(body: bytes, server: Server, connect: Connect) -> None:
    """A deletion has worked, whether the body that it can't have is said to come, comes or does not."""
    head = b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.behaviour = sending(head + body)
    mfa = MFA(transport=connect(server), timeout=5)
    mfa.delete_factor("auth_factor_1")
    mfa.delete_factor("auth_factor_2")
    assert server.connections == len(server.received) == 2


@on_every_connection
def test_no_content_of_no_length(server: Server, mfa: MFA) -> None:
    """A deletion's response may say that it has no body; its connection is kept."""
    server.behaviour = sending(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
    mfa.delete_factor("auth_factor_1")
    mfa.delete_factor("auth_factor_2")
    assert server.connections == 1


@on_every_connection
def test_a_body_that_ends_with_its_connection(server: Server, mfa: MFA) -> None:
    """A response without a length is read to the end of its connection."""
    server.behaviour = send_and_hang_up(b"HTTP/1.1 201 Created\r\n\r\n" + BODY)
    assert mfa.verify_challenge(CHALLENGE_ID, code=CODE)


def test_what_tls_has_read_already(tls_server: Server, connect: Connect) -> None:
    """A second response in the record of the first one is thrown away with its connection."""
    head = http_response(404, {"message": ""})
    # As long as the buffer that is read at once, so that the rest stays inside TLS.
    first = http_response(404, {"message": "x" * (8192 - len(head) - 2)}).ljust(8192)
    tls_server.behaviour = sending(first + verified(CHALLENGE_ID, valid=True))
    mfa = MFA(transport=connect(tls_server))
    with pytest.raises(NotFoundError):
        mfa.get_factor("auth_factor_1")
    tls_server.behaviour = sending(verified(CHALLENGE_ID, valid=False))
    assert not mfa.verify_challenge(CHALLENGE_ID, code=CODE)
    assert tls_server.connections == 2


@pytest.mark.parametrize("line_of_head", [f"X-Debug got {KEY} {CODE}", "Content-Length: 1x", "Content-Length: -1"])
def test_a_malformed_head(line_of_head: str, server: Server, mfa: MFA, caplog: pytest.LogCaptureFixture) -> None:
    """It is no response, and the line, which may repeat what was sent, is in no log."""
    server.behaviour = send_and_hang_up(f"HTTP/1.1 200 OK\r\n{line_of_head}\r\nX-Other: x\r\n\r\n{{}}".encode())
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectionLostError) as caught:
        mfa.verify_challenge(CHALLENGE_ID, code=CODE)
    assert KEY not in caplog.text + str(caught.value)
    assert CODE not in caplog.text + str(caught.value)

"""Responses that a broken or wicked server gives: refused in bounded time and memory, and never taken for a yes."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.loopback import Line, Received, Server, serving
from tests.transports.api import CHALLENGE, CHALLENGE_ID, FACTOR, KEY
from workos_mfa import (
    MFA,
    APIError,
    ConnectionLostError,
    MFAError,
    RetryingTransport,
    RetryPolicy,
    Transport,
    UnexpectedResponseError,
)

ROOT = Path(__file__).parent.parent.parent
Connect = Callable[[Server], Transport]

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def verify(server: Server, connect: Connect) -> object:
    """A verification, which must not come out true."""
    return MFA(transport=connect(server), timeout=5).verify_challenge(CHALLENGE_ID, code="123456")


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(5000)),
        b"".join(b"Set-Cookie: a%d=b\r\n" % number for number in range(5000)),
        b"X-Long: " + b"y" * 100_000 + b"\r\n",
        b"X-Folded: a\r\n" + b" b\r\n" * 5000,
    ],
    ids=["thousands", "thousands of cookies", "a long one", "folded"],
)
def test_too_many_headers(headers: bytes, server: Server, connect: Connect) -> None:
    """Thousands of headers, or one without measure, are no response: nothing is known of the call."""
    server.behaviour = lambda _, line: line.send(HEAD + headers + b"Content-Length: 0\r\n\r\n")
    with pytest.raises((ConnectionLostError, UnexpectedResponseError)) as caught:
        verify(server, connect)
    assert caught.value.outcome_unknown
    assert len(str(caught.value)) < 500


def endless(start: bytes, again: bytes) -> Callable[[Received, Line], None]:
    """A response that never ends."""

    def behave(_: Received, line: Line) -> None:
        line.send(start)
        while True:
            line.send(again)

    return behave


ENDLESS = {
    "status line": endless(b"HTTP/1.1 200 ", b"O" * 65536),
    "header": endless(HEAD + b"X-Endless: ", b"y" * 65536),
    "headers": endless(HEAD, b"X: y\r\n" * 8192),
    "interim responses": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1024),
    "chunk extension": endless(CHUNKED + b"2;a=", b"b" * 65536),
    "chunk size": endless(CHUNKED, b"0" * 65536),
    "chunk of less than nothing": endless(CHUNKED + b"-1\r\n", b" " * 65536),
    "empty lines for a chunk": endless(CHUNKED, b"\r\n" * 8192),
    "trailers": endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 8192),
    "trailer": endless(CHUNKED + b"2\r\n{}\r\n0\r\nX: ", b"y" * 65536),
    "body": endless(HEAD + b"\r\n", b" " * 65536),
    "chunks": endless(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "small chunks": endless(CHUNKED, b"1\r\n \r\n" * 8192),
    "compressed": endless(
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 10_000_000), zlib.compress(b"\0" * 1_000_000)
    ),
}


@pytest.mark.parametrize("part", ENDLESS)
def test_a_response_without_end(part: str, server: Server, connect: Connect) -> None:
    """Whichever part of a response never ends, the call does, within its time; what acts is unclear and sent once."""
    server.behaviour = ENDLESS[part]
    mfa = MFA(transport=RetryingTransport(connect(server), RetryPolicy(backoff=0)), timeout=0.5, deadline=2)
    with pytest.raises(MFAError) as caught:
        mfa.verify_challenge(CHALLENGE_ID, code="123456")
    assert caught.value.outcome_unknown
    assert caught.value.needs_new_challenge
    assert len(server.received) == 1
    assert len(str(caught.value)) < 500


MEASURED = """
import json, re, sys
from pathlib import Path
import workos_mfa
from tests.transports.api import KEY

def peak():
    # Not ru_maxrss, in which a child begins with what its parent had, and which can't be begun again.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

name, urls = sys.argv[1:]
for part, url in json.loads(urls).items():
    transport = getattr(workos_mfa, name)(KEY, base_url=url)
    mfa = workos_mfa.MFA(transport=transport, timeout=0.2, retry=workos_mfa.RetryPolicy(max_attempts=1))
    Path("/proc/self/clear_refs").write_text("5")  # let the peak begin again
    peaks = []
    for _ in range(4):
        try:
            mfa.get_factor("auth_factor_1")
        except workos_mfa.MFAError:
            peaks.append(peak())
    print(json.dumps([part, peaks]))
    transport.close()
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="there is no /proc to read the peak in")
def test_memory_is_bounded(transport_class: type) -> None:
    """The process, which is some 40 MB without any response, stays below 100 MB, and grows with none."""
    with contextlib.ExitStack() as stack:
        urls = {part: stack.enter_context(serving(behaviour)).url for part, behaviour in ENDLESS.items()}
        command = [sys.executable, "-c", MEASURED, transport_class.__name__, json.dumps(urls)]
        done = subprocess.run(  # noqa: S603 - our own
            command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
        )
    measured = dict(map(json.loads, done.stdout.splitlines()))
    assert set(measured) == set(ENDLESS)
    for part, peaks in measured.items():
        assert len(peaks) == 4, part
        assert max(peaks) < 100, (part, peaks)
        assert peaks[-1] - peaks[0] < 20, (part, peaks)


def respond_with(server: Server, body: bytes, headers: Mapping[str, str] | None = None, status: int = 201) -> None:
    """Let the server respond like this."""
    server.behaviour = lambda _, line: line.respond(status, body, headers)


CHALLENGE_JSON = json.dumps(CHALLENGE)
NOT_TRUE = [
    "1", "1.0", '"true"', '"True"', "[true]", '{"valid": true}', "null", "NaN", "Infinity", "-1", "1e400", "0",
    '"\\u0074rue"', "TRUE", "True", "true true", "tru", "",
]  # fmt: skip


@pytest.mark.parametrize("valid", NOT_TRUE)
def test_valid_as_anything_but_true(valid: str, server: Server, connect: Connect) -> None:
    """Only the JSON word is a yes: whatever else stands there is an error, which no ``if`` takes for one."""
    respond_with(server, f'{{"challenge": {CHALLENGE_JSON}, "valid": {valid}}}'.encode())
    with pytest.raises(UnexpectedResponseError) as caught:
        verify(server, connect)
    assert caught.value.outcome_unknown
    assert valid == "" or f" {valid}" not in str(caught.value).replace("is not true or false", "")


FORGED = "\n2026-01-15 12:00:00 INFO root: signed in as admin\r\n\x1b[2J\x1b]0;owned\x07\u2028\u202e\x00\x85\ud800"


def test_no_log_line_is_forged(server: Server, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks, terminal codes and changes of direction in a server's texts do not reach a log or a terminal."""
    body = {"message": FORGED, "code": FORGED, "errors": [{"code": FORGED, FORGED: FORGED}, FORGED]}
    headers = {"X-Request-Id": "req_1\x1b[2J\x85\x0bforged\u00ad"}
    respond_with(server, json.dumps(body).encode(), headers, 422)
    with caplog.at_level(logging.DEBUG), pytest.raises(APIError) as caught:
        MFA(transport=RetryingTransport(connect(server))).get_factor("auth_factor_1")
    error = caught.value
    texts = [str(error), error.message, error.code, error.request_id, *(t for e in error.errors for t in e.values())]
    texts += [name for entry in error.errors for name in entry]
    texts += [record.getMessage() for record in caplog.records if record.name == "workos_mfa"]
    assert [text for text in texts if text is None or not text.isprintable()] == []
    assert any("req_1" in record.getMessage() for record in caplog.records)


def outcome(call: Callable[[], object]) -> object:
    """What a call gives, or None where it raised an error of ours."""
    try:
        return call()
    except MFAError:
        return None


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "-1"},
        {"Content-Length": "9" * 5000},
        {"Content-Length": "ten"},
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        {"Transfer-Encoding": "gzip, chunked"},
        {"Content-Encoding": "gzip, " * 100 + "gzip"},
        {"Content-Type": "text/html; charset=utf-7"},
        {"Retry-After": "9" * 400},
        {"Retry-After": "-1"},
        {"Retry-After": "1e3"},
        {"Retry-After": "Sun, 99 Nov 9999 99:99:99 GMT", "Date": "yesterday"},
    ],
    ids=lambda headers: str(headers)[:60],
)
@pytest.mark.parametrize("status", [200, 429, 503])
def test_headers_that_mean_nothing(status: int, headers: Mapping[str, str], server: Server, connect: Connect) -> None:
    """Lengths, encodings and dates that mean nothing end in a model or an error of ours, and nothing is slept for."""

    def hang_up(_: Received, line: Line) -> None:
        line.respond(status, FACTOR, headers)
        line.hang_up()

    server.behaviour = hang_up
    waits: list[float] = []
    transport = RetryingTransport(connect(server), RetryPolicy(max_attempts=2, backoff=0), sleep=waits.append)
    assert outcome(lambda: MFA(transport=transport, timeout=1).get_factor("auth_factor_1").id) in {FACTOR["id"], None}
    assert sum(waits) == 0


@pytest.mark.parametrize("status_line", [b"HTTP/1.1 99 X", b"HTTP/1.1 1000 X", b"HTTP/9.9 200 OK", b"HTTP/1.1 -1 X",
                                         b"HTTP/1.1  200", b"ICY 200 OK", b"\x00\x01\x02", b"HTTP/1.1 \xb2\xb0\xb0 OK",
                                         b"HTTP/0.9 200 OK"])  # fmt: skip
def test_status_lines_that_are_none(status_line: bytes, server: Server, connect: Connect) -> None:
    """A status line that is none, or that no HTTP has, is never a success of a call that acts."""

    def behave(_: Received, line: Line) -> None:
        line.send(status_line + b"\r\nContent-Length: 2\r\n\r\n{}")
        line.hang_up()

    server.behaviour = behave
    with pytest.raises(MFAError) as caught:
        verify(server, connect)
    assert caught.value.outcome_unknown
    assert KEY not in str(caught.value)

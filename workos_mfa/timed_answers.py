"""Answers off a connection: whole, in their time, in bounded memory, and leaving nothing for the next call.

http.client takes much for an answer that is none, and guesses at where one ends. What it guesses is refused here, since
the rest of an answer that was taken for too short would be the answer to the next call.
"""

from __future__ import annotations

import functools
import http.client
import io
import re
import socket
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import attrs
from urllib3.exceptions import HeaderParsingError
from urllib3.util.response import assert_header_parsing

from workos_mfa.transport import MAX_BODY

if TYPE_CHECKING:
    from typing_extensions import Buffer
    from urllib3.response import BaseHTTPResponse

_DIGITS = re.compile(r"[0-9]+")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_LONGEST_LINE = 65_536


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a moment, however the bytes are spread over the time before it."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._ends = ends
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        self.has_ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


@attrs.frozen
class _TimedSocket:
    """All that http.client asks of a socket to read an answer from."""

    _sock: socket.socket
    _ends: float

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._ends))


class TimedResponse(http.client.HTTPResponse):
    """An answer that must be there, to its last byte, before a moment, and that leaves nothing for the next one."""

    fp: io.BufferedReader

    def __init__(self, ends: float, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _TimedSocket(sock, ends)), *args, **kwargs)

    def begin(self) -> None:
        """Read the head.

        :raises HTTPException: if it is cut off, which http.client takes for its end; or if it is malformed: urllib3
            would log the line, in which a server may have repeated the key, and http.client would guess at the length.
        """
        super().begin()
        if cast("_TimedReader", self.fp.raw).has_ended:
            raise http.client.HTTPException("the head is cut off")
        length = self.headers.get("content-length")
        if length is not None and not _DIGITS.fullmatch(length):
            raise http.client.HTTPException("malformed length")
        try:
            assert_header_parsing(self.headers)
        except HeaderParsingError:
            malformed = True
        else:
            malformed = False
        if malformed:
            raise http.client.HTTPException("malformed headers")
        if _may_be_followed(self):
            self.will_close = True

    # What read() asks for each chunk, and http.client answers with whatever int() makes of the line: with -1, the
    # next read would have no end and no bound.
    def _read_next_chunk_size(self) -> int:
        return _chunk_size(self.fp)

    # Not in the type stubs, but what begin() has called since Python 2.
    _read_one_status: Callable[[], tuple[str, int, str]] = vars(http.client.HTTPResponse)["_read_status"]

    def _read_status(self) -> tuple[str, int, str]:
        # http.client passes over 100 alone and would take another interim answer for the real one.
        while True:
            version, status, reason = self._read_one_status()
            if not 101 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)


def _may_be_followed(answer: http.client.HTTPResponse) -> bool:
    """Whether something may come on the connection that would pass for the answer to the next call."""
    if answer.status in {204, 304}:
        return answer.headers.get("content-length", "0") != "0" or "transfer-encoding" in answer.headers
    return answer.status < 200


def guard(raw: object) -> None:
    """Hold an answer on a connection that is not of our making to what ours are held to, before its body is read."""
    answer = getattr(raw, "_fp", None)
    if isinstance(answer, http.client.HTTPResponse):
        vars(answer)["_read_next_chunk_size"] = functools.partial(_chunk_size, answer.fp)
        if _may_be_followed(answer):
            cast("BaseHTTPResponse", raw).close()


def _chunk_size(answer: io.BufferedReader) -> int:
    line = answer.readline(_LONGEST_LINE)
    size = line.partition(b";")[0].strip()
    if not line.endswith(b"\n") or not _CHUNK_SIZE.fullmatch(size):
        raise http.client.HTTPException("malformed chunk")
    return int(size, 16)


def read_body(raw: BaseHTTPResponse) -> bytes:
    """The body, decompressed, but no more than :data:`MAX_BODY` bytes and one, in bounded memory.

    The connection of a body that is longer is closed.

    :raises HTTPException: if a compressed body is cut off: what its checksum does not cover is not read.
    """
    parts: list[bytes] = []
    room = MAX_BODY + 1
    while room > 0:
        part = raw.read(room, decode_content=False)
        parts.append(part)
        room -= len(part)
        # Where the length is not known, or not reached, the next read is where urllib3 notices a cut body.
        if not part or raw.length_remaining == 0:
            break
    else:
        raw.close()
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    encoding = raw.headers.get("content-encoding")
    return _decompressed(body, encoding.strip().lower()) if encoding else body


_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding not in _WINDOW_BITS:
        return body
    packer = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        unpacked = packer.decompress(body, MAX_BODY + 1)
    except zlib.error:
        return body
    if len(unpacked) <= MAX_BODY and (not packer.eof or packer.unused_data):
        raise http.client.HTTPException("the compressed body is cut off")
    return unpacked

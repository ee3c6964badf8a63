"""Responses, read from a connection: whole, within the deadline, in bounded memory.

http.client accepts much that is not a response, and guesses where a response ends. Here a guess is refused: what is
left of a response on a connection would be taken for the response to the next call.
"""

from __future__ import annotations

import functools
import http.client
import io
import re
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from urllib3.exceptions import HeaderParsingError
from urllib3.util.response import assert_header_parsing

from workos_mfa._core.transport import MAX_BODY

if TYPE_CHECKING:
    from typing_extensions import Buffer
    from urllib3.response import BaseHTTPResponse

_DIGITS = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_LONGEST_LINE = 65_536

# Its types leave out the methods that are overridden here, though it calls them since Python 2.
_HTTPResponse: Any = http.client.HTTPResponse


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until a deadline, however slowly the bytes come."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._ends = ends
        self.has_ended = False
        self.is_enough = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        # All that http.client asks of a socket to read a response from it.
        return _Lines(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        if self.is_enough:
            return None
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


class _Lines(io.BufferedReader):
    """Reads lines that end where every reader sees their end."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        # Python would see another line begin there, and a proxy on the way did not.
        if b"\r" in line.removesuffix(b"\r\n"):
            raise http.client.HTTPException("a line has a carriage return in it")
        return line


class StrictResponse(http.client.HTTPResponse):
    """A response whose end is clear: a proxy on the way finds it in the same place."""

    fp: io.BufferedReader
    chunked: bool
    chunk_left: int | None

    def check_framing(self) -> bool:
        """Whether the connection must be closed after this response, whose head is read and whose body is not.

        :raises HTTPException: unless there is exactly one way to read the head, however unusual it is.
        """
        codings = [coding.lower() for coding in self._items("transfer-encoding")]
        lengths = self._items("content-length")
        if len({*lengths}) > 1 or not all(map(_DIGITS.fullmatch, lengths)):
            raise http.client.HTTPException("malformed length")
        if {*codings} not in ({"chunked"}, {"identity"}, set[str]()):
            raise http.client.HTTPException("a transfer encoding that was not asked for")
        if self.status < 200 or self.status in {204, 304}:
            self.chunked = False
            return self.status < 200 or bool(codings) or lengths not in ([], ["0"])
        if "chunked" in codings:
            # http.client knows it in its plainest form only.
            self.chunked, self.chunk_left, self.length = True, None, None
        elif lengths:
            self.length = int(lengths[0])
        return len(codings) + len(lengths) > 1 or "identity" in codings or (bool(codings) and self.version < 11)

    def _items(self, name: str) -> list[str]:
        lines = self.headers.get_all(name, [])
        return [item.strip(" \t") for line in lines for item in line.split(",")]

    def _read_next_chunk_size(self) -> int:
        # http.client takes whatever int() accepts: with -1, the next read would have no limit.
        line = self.fp.readline(_LONGEST_LINE)
        size = line.partition(b";")[0].strip()
        if not line.endswith(b"\r\n") or not _CHUNK_SIZE.fullmatch(size):
            raise http.client.HTTPException("malformed chunk")
        return int(size, 16)

    def _safe_read(self, amt: int) -> bytes:
        data: bytes = _HTTPResponse._safe_read(self, amt)
        # With nothing left of a chunk, it is the end of the chunk's line, which http.client does not look at.
        if self.chunk_left == 0 and data != b"\r\n":
            raise http.client.HTTPException("malformed chunk")
        return data


class DeadlineResponse(StrictResponse):
    """A response that must be read to its last byte before a deadline, and leaves nothing for the next one."""

    def __init__(
        self, ends: float, hang_up: Callable[[], object], sock: socket.socket, *args: Any, **kwargs: Any
    ) -> None:
        self._reader = _DeadlineReader(sock, ends)
        super().__init__(cast("socket.socket", self._reader), *args, **kwargs)
        self._hang_up = hang_up

    def begin(self) -> None:
        super().begin()
        # http.client takes the end of the connection for the end of the head.
        if self._reader.has_ended or _is_malformed(self.headers):
            raise http.client.HTTPException("the head is cut off or malformed")
        if self.check_framing():
            self.will_close = True

    def _read_status(self) -> tuple[str, int, str]:
        # http.client passes over 100 alone and would take another interim response for the final one.
        while True:
            version, status, reason = _HTTPResponse._read_status(self)
            if not 101 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def _close_conn(self) -> None:
        # http.client calls it when a response is read to its end. What was read beyond that is lost, so the
        # connection can't be used again.
        self._reader.is_enough = True
        has_more = bool(self.fp.peek())
        _HTTPResponse._close_conn(self)
        if has_more:
            self._hang_up()


def _is_malformed(headers: http.client.HTTPMessage) -> bool:
    # urllib3 would log the line, in which a server may have repeated the key, and http.client guess at the length.
    try:
        assert_header_parsing(headers)
    except HeaderParsingError:
        return True
    return False


def make_strict(raw: object) -> None:
    """Check the framing of a response on a connection that is not ours, before its body is read.

    :raises HTTPException: if there is no one way to read it.
    """
    response = getattr(raw, "_fp", None)
    # A stub's response, such as vcrpy's, is of another class.
    if type(response) is not http.client.HTTPResponse:
        return
    response.__class__ = StrictResponse
    pooled = cast("BaseHTTPResponse", raw)
    try:
        is_last = cast("StrictResponse", response).check_framing()
    except http.client.HTTPException:
        pooled.close()
        raise
    if is_last:
        vars(response)["_close_conn"] = functools.partial(_close_both, response, pooled.connection)


def _close_both(response: http.client.HTTPResponse, connection: Any) -> None:
    _HTTPResponse._close_conn(response)
    connection.close()


def read_body(raw: BaseHTTPResponse) -> bytes:
    """The body as it came, but no more than :data:`MAX_BODY` bytes and one.

    The connection is closed if there is more, or if the body can't be read to its end.
    """
    parts: list[bytes] = []
    room = MAX_BODY + 1
    try:
        while room > 0:
            part = raw.read(room)
            parts.append(part)
            room -= len(part)
            # Where the length is not known, or not reached, the next read is where urllib3 notices a cut body.
            if not part or raw.length_remaining == 0:
                return b"".join(parts)
    except BaseException:
        raw.close()
        raise
    raw.close()
    return b"".join(parts)

"""The QR code of an enrolment as the API draws it: a PNG, ready to be the ``src`` of an image.

segno finds the modules. The PNG is written here, since the API's is 8-bit RGBA with 16 pixels to a
module and segno writes one bit a pixel; an app that reads the image's pixels should meet the same.
"""

from __future__ import annotations

import base64
import importlib
import struct
import zlib
from collections.abc import Iterable, Sequence

PIXELS_PER_MODULE = 16

_BLACK = b"\x00\x00\x00\xff" * PIXELS_PER_MODULE
_WHITE = b"\xff\xff\xff\xff" * PIXELS_PER_MODULE


class TooLongError(Exception):
    """The text does not fit into a QR code."""


def require_segno() -> None:
    """Make sure that QR codes can be drawn.

    :raises ImportError: if segno is not installed; the text says how to install it.
    """
    try:
        importlib.import_module("segno")
    except ImportError as error:
        raise ImportError(
            "the emulator draws QR codes with segno, which is not installed; run: pip install 'workos-mfa[emulator]'"
        ) from error


def data_uri(text: str, *, quiet_zone: int) -> str:
    """The QR code of a text as a ``data:image/png;base64,...`` URI.

    :param text: the text, ASCII only.
    :param quiet_zone: the white border in modules.
    :raises TooLongError: if the text does not fit into a QR code.
    """
    png = _png(modules(text, quiet_zone=quiet_zone))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def modules(text: str, *, quiet_zone: int) -> list[list[int]]:
    """The QR code of a text row by row, 1 for a black module and 0 for a white one.

    :param text: the text, ASCII only.
    :param quiet_zone: the white border in modules.
    :raises TooLongError: if the text does not fit into a QR code.
    """
    side = [0] * quiet_zone
    framed = [[*side, *row, *side] for row in _without_border(text)]
    blank = [[0] * len(framed[0])] * quiet_zone
    return [*blank, *framed, *blank]


def _without_border(text: str) -> Iterable[Sequence[int]]:
    import segno

    try:
        return segno.make_qr(text, error="m", boost_error=False).matrix
    except segno.DataOverflowError:
        pass
    raise TooLongError


def _png(rows: list[list[int]]) -> bytes:
    side = len(rows) * PIXELS_PER_MODULE
    # Eight bits a channel, colour type 6 (RGBA), and the only methods there are.
    header = struct.pack(">2I5B", side, side, 8, 6, 0, 0, 0)
    # Filter 0 states a line of pixels, filter 2 repeats the line above where all differences are zero.
    repeated = (b"\x02" + bytes(4 * side)) * (PIXELS_PER_MODULE - 1)
    packer = zlib.compressobj()
    packed = [
        packer.compress(b"\x00" + b"".join(_BLACK if module else _WHITE for module in row) + repeated) for row in rows
    ]
    data = b"".join([*packed, packer.flush()])
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

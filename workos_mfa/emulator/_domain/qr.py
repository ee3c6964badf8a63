"""The QR code of an enrolment as the API draws it: a PNG, ready to be the ``src`` of an image.

segno finds the modules. The PNG has the API's geometry, 16 pixels to a module, but one bit a pixel where the API's
has 32, and is written here: an app's tests enroll a thousand times, and segno's own would take most of that time.
"""

from __future__ import annotations

import base64
import importlib
import struct
import zlib

PIXELS_PER_MODULE = 16

# What the QR standard asks for, in modules. Recorded responses had none, which scans only on a white page.
_QUIET_ZONE = 4

_BYTES_PER_MODULE = PIXELS_PER_MODULE // 8
_BLACK = b"\x00" * _BYTES_PER_MODULE
_WHITE = b"\xff" * _BYTES_PER_MODULE

# Any mask scans. To let segno try all eight takes longer than all the rest; this one is mostly among the best.
_MASK = 4


class TooLongError(Exception):
    """A text does not fit into a QR code."""


def require_segno() -> None:
    try:
        importlib.import_module("segno")
    except ImportError as error:
        raise ImportError(
            "the emulator draws QR codes with segno, which is not installed; run: pip install 'workos-mfa[emulator]'"
        ) from error


def data_uri(text: str) -> str:
    png = _png(modules(text, quiet_zone=_QUIET_ZONE))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def modules(text: str, *, quiet_zone: int) -> list[list[int]]:
    """The QR code of an ASCII text row by row, 1 for a black module and 0 for a white one.

    :param quiet_zone: the white border in modules.
    """
    import segno

    try:
        matrix = segno.make_qr(text, error="m", boost_error=False, mask=_MASK).matrix
    except segno.DataOverflowError:
        pass
    else:
        # segno's own iterator over the framed code takes five times as long.
        side = [0] * quiet_zone
        blank = [[0] * (len(matrix) + 2 * quiet_zone)] * quiet_zone
        return [*blank, *([*side, *row, *side] for row in matrix), *blank]
    raise TooLongError


def _png(rows: list[list[int]]) -> bytes:
    side = len(rows) * PIXELS_PER_MODULE
    # One bit a pixel, colour type 0 (greyscale), and the only methods there are.
    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    # Filter 0 states a line of pixels, filter 2 repeats the line above where all differences are zero.
    repeated = (b"\x02" + bytes(len(rows) * _BYTES_PER_MODULE)) * (PIXELS_PER_MODULE - 1)
    lines = [b"\x00" + b"".join(_BLACK if module else _WHITE for module in row) + repeated for row in rows]
    data = zlib.compress(b"".join(lines))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

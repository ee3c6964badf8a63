"""Who signed a certificate, also one that was refused: Python's own reading of those is empty."""

from __future__ import annotations

from collections.abc import Iterator

from workos_mfa._cli.output import visible

_ORGANISATION = b"\x55\x04\x0a"
_COMMON_NAME = b"\x55\x04\x03"
_VERSION = 0xA0


def issuer_of(certificate: bytes) -> str:
    """The organisation and the name of the authority, or ``"unknown"``.

    Anybody may have made the certificate, so what moves the cursor is left out.

    :param certificate: the certificate as DER.
    """
    try:
        names = _issuer_names(certificate)
    except (IndexError, StopIteration):
        return "unknown"
    found = (names.get(kind, b"").decode("utf-8", "replace") for kind in (_ORGANISATION, _COMMON_NAME))
    return visible(", ".join(filter(None, found))) or "unknown"


def _issuer_names(certificate: bytes) -> dict[bytes, bytes]:
    (_, whole) = next(_parts(certificate))
    (_, signed) = next(_parts(whole))
    fields = [content for tag, content in _parts(signed) if tag != _VERSION]
    _serial_number, _algorithm, issuer = fields[:3] if len(fields) >= 3 else (b"", b"", b"")
    names: dict[bytes, bytes] = {}
    for _, one_of in _parts(issuer):
        for _, pair in _parts(one_of):
            (_, kind), (_, value) = list(_parts(pair))[:2]
            names[kind] = value
    return names


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """What stands one after the other in DER: tags and contents."""
    while data:
        length, begin = data[1], 2
        if length & 0x80:
            begin += length & 0x7F
            length = int.from_bytes(data[2:begin], "big")
        yield data[0], data[begin : begin + length]
        data = data[begin + length :]

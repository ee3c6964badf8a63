"""The QR code is what phones scan and what the API's pixels are."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.emulator.caller import Caller
from workos_mfa.emulator import Emulator

PREFIX = "data:image/png;base64,"


def _png(uri: str) -> bytes:
    assert uri.startswith(PREFIX)
    return base64.b64decode(uri.removeprefix(PREFIX), validate=True)


def _pixels(png: bytes) -> list[str]:
    """A line of text a line of pixels: 0 is black, 1 is white."""
    side = struct.unpack(">I", png[16:20])[0]
    start = png.index(b"IDAT")
    size = struct.unpack(">I", png[start - 4 : start])[0]
    data = zlib.decompress(png[start + 4 : start + 4 + size])
    line = 1 + side // 8
    assert len(data) == line * side
    rows: list[str] = []
    for row in range(side):
        kind, content = data[row * line], data[row * line + 1 : (row + 1) * line]
        assert kind == 0 or (kind == 2 and not any(content))
        rows.append("".join(f"{byte:08b}" for byte in content) if kind == 0 else rows[-1])
    return rows


def _scan(png: bytes, directory: Path) -> str:
    tool = shutil.which("zbarimg")
    if tool is None:
        pytest.skip("zbarimg is not installed")  # pragma: no cover
    image = directory / "code.png"
    image.write_bytes(png)
    command = [tool, "--quiet", "--raw", "--oneshot", "-Sbinary", str(image)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


@pytest.mark.parametrize(
    ("issuer", "user"),
    [("Foo Corp", "alan@example.com"), ("Ünïcode & Söhne: 100%", "日本 語/?#"), ("F" * 255, "a" * 255)],
)
def test_scans(caller: Caller, tmp_path: Path, issuer: str, user: str) -> None:
    """A scanner reads exactly the URI, whatever the names are."""
    block = caller.enroll(type="totp", totp_issuer=issuer, totp_user=user).json["totp"]
    assert _scan(_png(block["qr_code"]), tmp_path) == block["uri"]


def test_geometry_is_that_of_the_api(caller: Caller) -> None:
    """Pure black and white, 16 pixels a module, four modules of quiet zone; one bit a pixel, which costs little."""
    png = _png(caller.totp()["totp"]["qr_code"])
    width, height, depth, colour = struct.unpack(">2I2B", png[16:26])
    assert (width % 16, width, depth, colour) == (0, height, 1, 0)
    modules = _modules(png)
    assert _pixels(png) == ["".join(module * 16 for module in row) for row in modules for _ in range(16)]
    border = {row[:4] + row[-4:] for row in modules} | set(modules[:4] + modules[-4:])
    assert border == {"1" * 8, "1" * (width // 16)}
    assert modules[4][4:11] == "0000000"


def _modules(png: bytes) -> list[str]:
    return [row[::16] for row in _pixels(png)[::16]]


def test_no_masks_are_tried(caller: Caller) -> None:
    """Each code names the same mask: to try all eight for each would cost four times what the rest does."""
    named = {_modules(_png(caller.totp()["totp"]["qr_code"]))[12][4:10] for _ in range(20)}
    assert len(named) == 1


def test_names_that_do_not_fit_are_refused(caller: Caller) -> None:
    """Names that no QR code holds are a validation error, and no factor is made."""
    # Each of these is twelve characters of the URI, which has the issuer twice.
    response = caller.enroll(type="totp", totp_issuer="\U0001f511" * 255, totp_user="a")
    assert response.status == 422
    assert "do not fit into a QR code" in response.json["errors"][0]["code"]
    assert "0 factors" in repr(caller.emulator)


def test_without_segno_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without segno there is no emulator, and the error says what to install."""
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(ImportError, match=r"pip install 'workos-mfa\[emulator\]'"):
        Emulator()

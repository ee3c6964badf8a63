"""Programs and packages that these tests need beside Python's: a test without them says so, and in CI it fails."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
NODE_FOLDER = ROOT / ".ci" / "sdks"
"""Where `npm ci` has put WorkOS' Node SDK."""


def missing(what: str, how: str) -> None:
    """Give up on a test: skip it, but fail it in CI, where a test that never runs would not be missed."""
    text = f"{what} is missing; {how}"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def program(name: str, how: str) -> str:
    """The path of a program."""
    path = shutil.which(name)
    if path is None:
        missing(name, how)
    return str(path)


def package(name: str, how: str) -> Any:
    """A Python package."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(name, how)


def node_folder(folder: Path = NODE_FOLDER) -> Path:
    """The folder from which Node finds WorkOS' SDK."""
    if not (folder / "node_modules" / "@workos-inc" / "node").exists():
        missing("@workos-inc/node", f"run: npm ci --prefix {folder.relative_to(ROOT)}")
    return folder


def oathtool(secret: str) -> str:
    """The code of a secret now, by a program that shares no line with the emulator."""
    path = program("oathtool", "run: apt-get install oathtool")
    done = subprocess.run([path, "--totp", "--base32", secret], check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def zbarimg(image: Path) -> str:
    """The text of a QR code, as a camera's software reads it."""
    path = program("zbarimg", "run: apt-get install zbar-tools")
    done = subprocess.run([path, "--quiet", "--raw", str(image)], check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()

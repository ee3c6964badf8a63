"""What the tests of the calibration share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workos_mfa.emulator._domain import qr


@pytest.fixture(autouse=True)
def _without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no QR codes: nobody looks at them here, and they take most of the time."""
    monkeypatch.setattr(qr, "data_uri", lambda _: "data:image/png;base64,AAAA")


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Say something in the log of the tests, where it is seen though the test passes."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\ncalibration: {text}")  # noqa: T201

    return say

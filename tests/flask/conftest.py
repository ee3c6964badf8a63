"""An app on an emulator, and browsers on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("flask_wtf", reason="the extra flask is not installed")
pytest.importorskip("limits", reason="the extra flask is not installed")

from tests.flask.app import App
from tests.flask.browser import Browser
from workos_mfa import Emulator


@pytest.fixture
def app(workos_mfa_emulator: Emulator) -> App:
    """An app whose clock is the emulator's, and stands still."""
    return App(workos_mfa_emulator)


@pytest.fixture
def browser(app: App) -> Browser:
    """A browser on the app."""
    return Browser(app)


@pytest.fixture
def another(app: App) -> Callable[[], Browser]:
    """Makes more browsers, each at an address of its own."""
    addresses = iter(range(2, 250))
    return lambda: Browser(app, address=f"192.0.2.{next(addresses)}")

"""What every test here stands on."""

from __future__ import annotations

import hypothesis
import pytest

# An example that takes long says that the machine is busy, not that the package is wrong.
hypothesis.settings.register_profile("without a deadline", deadline=None)
hypothesis.settings.load_profile("without a deadline")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the environment that it makes, not that of the machine."""
    for name in ("WORKOS_API_KEY", "WORKOS_BASE_URL", "WORKOS_REQUEST_TIMEOUT", "WORKOS_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)

"""The tests of the emulator's behaviour, once more over HTTP."""

from __future__ import annotations

from tests.emulator.test_races import *  # noqa: F403
from tests.emulator.test_responses import *  # noqa: F403
from tests.emulator.test_settings_behaviour import *  # noqa: F403
from tests.emulator.test_user_factors import *  # noqa: F403

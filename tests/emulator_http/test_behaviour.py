"""The emulator behaves the same through each of its doors: the suite of its behaviour, once for every door."""

from __future__ import annotations

from tests.emulator.test_answers import *  # noqa: F403
from tests.emulator.test_races import *  # noqa: F403
from tests.emulator.test_settings import *  # noqa: F403
from tests.emulator.test_user_factors import *  # noqa: F403

"""The report and the settings file: what a server says reaches them, and through them terminals, in a safe form."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from tests.calibration.world import EVERYTHING
from workos_mfa._calibration.calibration import Outcome, Plan
from workos_mfa._calibration.question import Answer, Verdict
from workos_mfa._calibration.report import leftovers, report, settings_file

MOVING = "Café \x9b2J\x1b[2J\x7f\ud800"


def outcome_with(**settings: str) -> Outcome:
    """The outcome of a run that has found these."""
    answer = Answer("there is a default", tuple(settings.items()))
    return Outcome(Plan(), [Verdict(EVERYTHING.questions(str)[0], answer)])


def test_a_text_that_moves_the_cursor() -> None:
    """A value is in both files as the emulator reads it, and nothing in them moves the cursor; letters stay."""
    outcome = outcome_with(team_name=MOVING, default_sms_text="Café {{code}}")
    shown = report(outcome, None, at=datetime(2026, 8, 1, tzinfo=timezone.utc), base_url="https://api.workos.com")
    written = settings_file(outcome)
    assert [line for line in (shown + written).split("\n") if not line.isprintable()] == []
    assert json.loads(written) == {"default_sms_text": "Café {{code}}", "team_name": MOVING}
    assert '"Café {{code}}"' in shown
    assert '"Café {{code}}"' in written


def test_an_id_that_moves_the_cursor() -> None:
    """The id of a factor that is left is shown if it looks like one; the journal has it in any case."""
    [line] = leftovers(Outcome(Plan(), left=["auth_factor_1", MOVING]))
    assert line.endswith("with --clean: auth_factor_1, one whose id can't be shown")

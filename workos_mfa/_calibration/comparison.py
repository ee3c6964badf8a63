"""What has changed since an earlier calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from workos_mfa._calibration.calibration import Outcome


@attrs.frozen
class Comparison:
    """A settings file of earlier, and what was found now.

    :param changed: a line for each setting with another value, or where the API now does what none describes.
    :param unknown: names that were known then and are open now, for another reason.
    """

    changed: list[str]
    unknown: list[str]


def compare(before: Mapping[str, object], outcome: Outcome) -> Comparison:
    """Compare what both know. What the API does that no setting describes it did not do before."""
    after = {
        name: f"and now {verdict.open_because}"
        for verdict in outcome.verdicts
        if verdict.is_odd
        for name in verdict.question.settings
    }
    after |= {name: f"{json.dumps(value)} now" for name, value in outcome.settings.items()}
    same = {name for name, value in outcome.settings.items() if name in before and before[name] == value}
    changed = [
        f"{name}: {json.dumps(value)} before, {after[name]}"
        for name, value in before.items()
        if name in after and name not in same
    ]
    return Comparison(changed, [name for name in before if name not in after])

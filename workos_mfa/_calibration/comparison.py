"""What has changed since an earlier calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from workos_mfa._calibration.question import Value


@attrs.frozen
class Comparison:
    """A settings file of earlier, and what was found now.

    :param changed: a line for each setting with another value.
    :param unknown: names that were known then and are open now.
    """

    changed: list[str]
    unknown: list[str]


def compare(before: Mapping[str, object], now: Mapping[str, Value]) -> Comparison:
    """Compare what both know."""
    changed = [
        f"{name}: {json.dumps(value)} before, {json.dumps(now[name])} now"
        for name, value in before.items()
        if name in now and now[name] != value
    ]
    return Comparison(changed, [name for name in before if name not in now])

"""blinker's signals: one for each event, sent by the app with the event as ``event``."""

from __future__ import annotations

from blinker import Namespace

from workos_mfa.flask._second_factor.events import EVENT_NAMES

signals: Namespace = Namespace()
"""The signals by the names of the events, such as ``signals["factor_added"]``."""

for _name in EVENT_NAMES:
    signals.signal(_name)

"""What can be wrong with a state file; apart from what opens one, so that nobody loads SQLite for it."""

from __future__ import annotations


class StateFileError(OSError):
    """The state file can't be used, or can't be used any more; the text says why."""

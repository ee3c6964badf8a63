"""What a person is told when something does not go on."""

from __future__ import annotations

STEP_IS_OVER = frozenset({"step_over", "changed_meanwhile", "enrolment_replaced"})
"""The reasons after which a step can't be finished."""


class Refused(Exception):  # noqa: N818 - it is a decision, not a fault
    """It does not go on like this.

    :ivar reason: the name of the sentence for the person.
    :ivar wait: whole seconds after which it may be tried again; 0 if waiting does not matter.
    """

    def __init__(self, reason: str, wait: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait

"""A step: what a browser is in the middle of, while a code is awaited.

It is made of ids, and lives in the browser's signed session for ten minutes. No form has any part of it but its id.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import attrs

from workos_mfa.flask._second_factor.document import new_random

LIFETIME = 600
"""Seconds for which a step may be finished, and in which a password counts as proved."""

Purpose = Literal["sign_in", "confirm", "add", "remove", "recovery_codes"]
"""What the code is for: to sign in, to confirm that it is still the same person, or for one change of factors."""


@attrs.frozen(kw_only=True)
class Step:
    """What a browser is in the middle of.

    :param purpose: what the code is for.
    :param account_id: whose code.
    :param generation: the document's generation at the beginning: the step is void in another one.
    :param at: when it began; for ``sign_in``, when the password was given.
    :param next: the path to go to at the end.
    :param factor_id: the factor that the code has to come from, or None if one is to be enrolled first.
    :param challenge_id: the challenge that the code is for, or None if there is none yet.
    :param enrolling: whether the factor is a new one, which waits for its first code.
    :param target: for ``remove``: the factor to be removed.
    :param dropped: whether a form was sent that was not carried out.
    :param id: what the forms of its pages name it by.
    """

    purpose: Purpose
    account_id: str
    generation: str
    at: float
    next: str
    factor_id: str | None = None
    challenge_id: str | None = None
    enrolling: bool = False
    target: str | None = None
    dropped: bool = False
    id: str = attrs.field(factory=new_random)

    def is_over(self, now: float) -> bool:
        """Whether its ten minutes are."""
        return now - self.at >= LIFETIME

    def to_dict(self) -> dict[str, object]:
        """What the session keeps."""
        return attrs.asdict(self)


@attrs.frozen
class Visitor:
    """Who is at the browser, as far as it is known.

    :param account_id: the account: signed in, or about to be.
    :param token: the token of the session, if the browser has one.
    :param step: the half-signed-in state, for who must add a factor to get in.
    """

    account_id: str
    token: str | None
    step: Step | None


def from_session(value: object) -> Step | None:
    """The step that a session keeps, or None if there is none that can be read."""
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, Any]", value)
    if fields.keys() != {field.name for field in attrs.fields(Step)}:
        return None  # one of another release
    return Step(**fields)

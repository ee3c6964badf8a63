"""What the emulator was asked, so that a test can say which calls an app made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from workos_mfa.emulator._base.log import Record


@attrs.frozen(kw_only=True)
class Call:
    """One request and what became of it; no body is kept.

    :param operation: the name of the call, as the method of :class:`workos_mfa.MFA` has it, or None
        where the emulator does not know the route.
    :param method: the HTTP method.
    :param route: the path's template, such as ``/auth/factors/{id}``, or None as above.
    :param path: the path as it was sent. The repr leaves it out, since it is whatever an app put there.
    :param query: the query parameters, decoded; left out of the repr too.
    :param status: the HTTP status of the answer, also of one that was lost on the way; None where a fault kept
        the request from arriving.
    :param error_code: the API's name for the error, or None.
    :param request_id: the ``X-Request-Id`` of the answer.
    :param at: when, by the emulator's clock.
    :param fault: the name of the fault that struck it, such as ``lose_response``, or None.
    """

    operation: str | None
    method: str
    route: str | None
    path: str = attrs.field(repr=False)
    query: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    status: int | None
    error_code: str | None
    request_id: str
    at: datetime
    fault: str | None = None


class Calls(Record[Call]):
    """All calls, oldest first; a sequence that is safe to read while calls are made."""

    def made(self, call: Call) -> None:
        """Add a call."""
        self._append(call)

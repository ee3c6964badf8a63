"""Which method and path is which call."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import attrs

from workos_mfa.emulator._api.handlers import Answer, Asked, Handlers

_ID = "{id}"


@attrs.frozen
class Route:
    """One call of the API.

    :param operation: its name, as the method of :class:`workos_mfa.MFA` has it.
    :param method: the HTTP method.
    :param template: the path, with ``{id}`` in place of an id.
    :param handle: answers it.
    :param has_query: whether it takes query parameters.
    """

    operation: str
    method: str
    template: str
    handle: Callable[[Asked], Answer]
    has_query: bool = False


class Routes:
    """The table of routes.

    :param handlers: what answers.
    """

    def __init__(self, handlers: Handlers) -> None:
        factors, factor, user = "/auth/factors", "/auth/factors/{id}", "/user_management/users/{id}/auth_factors"
        routes = [
            Route("enroll_factor", "POST", "/auth/factors/enroll", handlers.enroll_factor),
            Route("get_factor", "GET", factor, handlers.get_factor),
            Route("delete_factor", "DELETE", factor, handlers.delete_factor),
            Route("challenge_factor", "POST", f"{factor}/challenge", handlers.challenge_factor),
            Route("verify_challenge", "POST", "/auth/challenges/{id}/verify", handlers.verify_challenge),
            Route("create_user_auth_factor", "POST", user, handlers.create_user_auth_factor),
            Route("list_user_auth_factors", "GET", user, handlers.list_user_auth_factors, has_query=True),
            Route("challenge_factor", "POST", f"{factors}/challenge", handlers.challenge_factor_2022),
            Route("verify_challenge", "POST", f"{factors}/verify", handlers.verify_challenge_2022),
        ]
        # By method and number of segments, so that a request is compared with one or two of them.
        self._routes: dict[tuple[str, int], list[tuple[Route, list[str]]]] = {}
        for route in routes:
            pattern = route.template.split("/")
            self._routes.setdefault((route.method, len(pattern)), []).append((route, pattern))

    def find(self, method: str, path: str) -> tuple[Route, str] | None:
        """The route of a request and the id in its path, or None where the emulator has no such route."""
        segments = path.split("/")
        for route, pattern in self._routes.get((method, len(segments)), ()):
            found = _id_in(segments, pattern)
            if found is not None:
                return route, found
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that this path has, whatever it is asked with."""
        segments = path.split("/")
        return sorted(
            method
            for (method, length), routes in self._routes.items()
            if length == len(segments) and any(_id_in(segments, pattern) is not None for _, pattern in routes)
        )


def _id_in(segments: list[str], pattern: list[str]) -> str | None:
    """The id in a path, decoded; empty where the pattern has none; None where the path does not fit it."""
    found = ""
    for segment, expected in zip(segments, pattern, strict=True):
        if expected == _ID and segment:
            found = unquote(segment)
        elif segment != expected:
            return None
    return found

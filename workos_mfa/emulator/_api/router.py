"""Finds the handler of a request by its method and path; the API and the control plane have one router each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote

import attrs

_ID = "{id}"


@attrs.frozen(eq=False)
class Arguments:
    """What a handler is called with: the id in the path, decoded, the query and the body."""

    id: str = attrs.field(repr=False)
    query: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Result:
    """What a handler returns.

    :param body: JSON, or a string that is sent as it is; None for no body.
    :param headers: the headers beside the usual ones.
    """

    status: int
    body: object = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])


Handler = Callable[[Arguments], Result]


@attrs.frozen
class Route:
    """A method and a path with their handler.

    :param template: the path, with ``{id}`` in place of an id.
    :param operation: the name of the call, as the method of :class:`workos_mfa.MFA` has it.
    """

    method: str
    template: str
    handle: Handler
    operation: str = ""
    has_query: bool = False


class Router:
    """A table of routes. Where two fit, the first one counts."""

    def __init__(self, routes: Iterable[Route]) -> None:
        # By the number of segments, so that a request is compared with a few routes only.
        self._routes: dict[int, list[tuple[Route, list[str]]]] = {}
        for route in routes:
            pattern = route.template.split("/")
            self._routes.setdefault(len(pattern), []).append((route, pattern))

    def find(self, method: str, path: str) -> tuple[Route, str] | None:
        """The route of a request and the id in its path, or None if there is no such route.

        :param path: the path, percent-encoded.
        """
        segments = path.split("/")
        for route, pattern in self._routes.get(len(segments), ()):
            if route.method == method and _fits(segments, pattern):
                return route, unquote(segments[pattern.index(_ID)]) if _ID in pattern else ""
        return None

    def methods(self, path: str) -> list[str]:
        segments = path.split("/")
        routes = self._routes.get(len(segments), ())
        return sorted({route.method for route, pattern in routes if _fits(segments, pattern)})


def _fits(segments: list[str], pattern: list[str]) -> bool:
    return all(
        segment == expected or (expected == _ID and segment != "")
        for segment, expected in zip(segments, pattern, strict=True)
    )

"""One request in, one answer out: what every door of the emulator leads to.

It knows requests as HTTP has them (method, path, query and the bytes of the body) and answers with what
an HTTP server would send, headers included, so that a call in process and one over a socket can't differ.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping

import attrs

from workos_mfa._core.redaction import printable
from workos_mfa._core.transport import Response
from workos_mfa.emulator._api.handlers import Answer, Asked
from workos_mfa.emulator._api.router import Route, Routes
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Call, Calls
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import error_responses
from workos_mfa.emulator._domain.fields import Fields
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._faults.fault import JSON_TYPE, Effect, Kind, Outcome, Trouble
from workos_mfa.emulator._settings import Settings

_LONGEST_ECHO = 200
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_TROUBLES: Mapping[Kind, Trouble] = {
    "refuse_connection": "refuse_connection",
    "lose_request": "lose_request",
    "lose_response": "lose_response",
    "cut_body": "cut_body",
}
_NEVER_ARRIVES = ("refuse_connection", "lose_request")


@attrs.define(eq=False)
class _Reply:
    """An answer that has no headers yet but its own; ``content`` is None for one without a body."""

    status: int
    content: bytes | None = attrs.field(repr=False)
    content_type: str
    error_code: object
    headers: Mapping[str, str]


@attrs.frozen(eq=False)
class Api:
    """The routes, what counts as wrong, what is to go wrong, and the list of calls."""

    _routes: Routes = attrs.field(repr=False)
    _settings: Settings = attrs.field(repr=False)
    _clock: Clock
    _calls: Calls
    _faults: Faults
    _randomness: Randomness = attrs.field(factory=Randomness)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Outcome:
        """Answer one request, as far as the faults allow, and put it on the list of calls.

        :param method: the HTTP method, in capitals.
        :param path: the path without the query, its segments percent-encoded.
        :param query: the query parameters, decoded.
        :param body: the body as it was sent; empty for none.
        """
        found = self._routes.find(method, path)
        struck = self._faults.strike(found[0].operation if found else None, method, path, self._clock.now)
        effect = struck.effect
        trouble = _TROUBLES.get(effect.kind) if effect else None
        reply = None
        if trouble not in _NEVER_ARRIVES:
            reply = _injected(effect) or self._handled(method, path, found, query, body)
        fault = effect.kind if effect else "delay" if struck.delay else None
        request_id = self._recorded(method, path, query, found, reply=reply, fault=fault)
        return Outcome(_response(reply, request_id) if reply else None, trouble, struck.delay)

    def refuse(
        self, method: str, path: str, query: Mapping[str, str], refusal: error_responses.ErrorResponse
    ) -> Response:
        """Answer one request with a refusal of the door's own, and put it on the list of calls."""
        reply = _refused(refusal)
        found = self._routes.find(method, path)
        return _response(reply, self._recorded(method, path, query, found, reply=reply, fault=None))

    def _recorded(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        found: tuple[Route, str] | None,
        *,
        reply: _Reply | None,
        fault: str | None,
    ) -> str:
        """Put a request on the list of calls; gives the id of the request."""
        request_id = self._randomness.uuid()
        self._calls.append(
            Call(
                operation=found[0].operation if found else None,
                method=method,
                route=found[0].template if found else None,
                path=path,
                query=query,
                status=reply.status if reply else None,
                error_code=reply.error_code if reply and isinstance(reply.error_code, str) else None,
                request_id=request_id,
                at=self._clock.now(),
                fault=fault,
            )
        )
        return request_id

    def _handled(
        self, method: str, path: str, found: tuple[Route, str] | None, query: Mapping[str, str], body: bytes
    ) -> _Reply:
        try:
            answer = self._answer(method, path, found, query, body)
        except error_responses.ErrorResponse as refusal:
            return _refused(refusal)
        content = None if answer.body is None else _encoded(answer.body)
        return _Reply(answer.status, content, JSON_TYPE, None, {})

    def _answer(
        self, method: str, path: str, found: tuple[Route, str] | None, query: Mapping[str, str], body: bytes
    ) -> Answer:
        if found is None:
            allowed = self._routes.methods(path)
            if allowed:
                raise error_responses.method_not_allowed(method, printable(path, limit=_LONGEST_ECHO), allowed)
            raise error_responses.not_implemented(method, printable(path, limit=_LONGEST_ECHO))
        route, entity_id = found
        if query and not route.has_query:
            fields = Fields(query, self._settings)
            fields.only(())
            fields.refuse_if_wrong()
        return route.handle(Asked(entity_id, query, body))


def json_response(status: int, body: object, headers: Mapping[str, str]) -> Response:
    """An answer that no call asked for, with the headers that all answers have.

    :param body: anything that JSON has; None for an answer without a body.
    """
    content = None if body is None else _encoded(body)
    return _response(_Reply(status, content, JSON_TYPE, None, headers), str(uuid.uuid4()))


def _refused(refusal: error_responses.ErrorResponse) -> _Reply:
    return _Reply(refusal.status, _encoded(refusal.body), JSON_TYPE, refusal.body.get("code"), refusal.headers)


def _injected(effect: Effect | None) -> _Reply | None:
    if effect is None or effect.status is None:
        return None
    return _Reply(effect.status, effect.content, effect.content_type, effect.error_code, effect.headers)


def _response(reply: _Reply, request_id: str) -> Response:
    headers = {
        "x-request-id": request_id,
        "content-length": str(len(reply.content or b"")),
        # The framework behind the API tags an answer without a body as if it said so.
        "etag": _etag(b"No Content" if reply.content is None else reply.content),
    }
    if reply.content is not None:
        headers["content-type"] = reply.content_type
    # Lower-cased, so that a header of the reply's own takes the place of the usual one.
    if reply.headers:
        headers |= {name.lower(): value for name, value in reply.headers.items()}
    return Response(reply.status, headers, reply.content or b"")


def _encoded(body: object) -> bytes:
    try:
        return _JSON.encode(body).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which can be sent as an escape, goes back as one.
        return json.dumps(body, separators=(",", ":")).encode()


def _etag(body: bytes) -> str:
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
    return f'W/"{len(body):x}-{digest[:27]}"'

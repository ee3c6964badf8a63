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

from workos_mfa.emulator import refusals
from workos_mfa.emulator.calls import Call, Calls
from workos_mfa.emulator.clock import Clock
from workos_mfa.emulator.fields import Fields
from workos_mfa.emulator.handlers import Answer, Asked
from workos_mfa.emulator.routes import Route, Routes
from workos_mfa.emulator.settings import Settings
from workos_mfa.secrecy import printable
from workos_mfa.transport import Response

_LONGEST_ECHO = 200
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@attrs.frozen(eq=False)
class Api:
    """The routes, what counts as wrong, and the list of calls."""

    _routes: Routes = attrs.field(repr=False)
    _settings: Settings = attrs.field(repr=False)
    _clock: Clock
    _calls: Calls

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Response:
        """Answer one request and put it on the list of calls.

        :param method: the HTTP method, in capitals.
        :param path: the path without the query, its segments percent-encoded.
        :param query: the query parameters, decoded.
        :param body: the body as it was sent; empty for none.
        """
        found = self._routes.find(method, path)
        error_code: object = None
        headers: Mapping[str, str] = {}
        try:
            answer = self._handled(method, path, found, query, body)
        except refusals.Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
            headers = refusal.headers
            error_code = refusal.body.get("code")
        request_id = str(uuid.uuid4())
        self._calls.made(
            Call(
                operation=found[0].operation if found else None,
                method=method,
                route=found[0].template if found else None,
                path=path,
                status=answer.status,
                error_code=error_code if isinstance(error_code, str) else None,
                request_id=request_id,
                at=self._clock.now(),
            )
        )
        return _response(answer, {"X-Request-Id": request_id, **headers})

    def _handled(
        self, method: str, path: str, found: tuple[Route, str] | None, query: Mapping[str, str], body: bytes
    ) -> Answer:
        if found is None:
            raise refusals.not_implemented(method, printable(path, limit=_LONGEST_ECHO))
        route, entity_id = found
        if query and not route.has_query and self._settings.unknown_properties == "refused":
            fields = Fields(query, self._settings)
            fields.only(())
            fields.refuse_if_wrong()
        return route.handle(Asked(entity_id, query, body))


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    if answer.body is None:
        # The framework behind the API tags an empty answer as if it said so.
        return Response(answer.status, {**headers, "Content-Length": "0", "ETag": _etag(b"No Content")}, b"")
    body = _encoded(answer.body)
    more = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "ETag": _etag(body),
    }
    return Response(answer.status, {**headers, **more}, body)


def _encoded(body: Mapping[str, object]) -> bytes:
    try:
        return _JSON.encode(body).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which can be sent as an escape, goes back as one.
        return json.dumps(body, separators=(",", ":")).encode()


def _etag(body: bytes) -> str:
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
    return f'W/"{len(body):x}-{digest[:27]}"'

"""Dispatches one request to its handler and makes the response; in process and over HTTP it is the same.

A request comes as HTTP has it: method, path, query and the bytes of the body. A response goes out with its headers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

import attrs

from workos_mfa._core.redaction import printable
from workos_mfa._core.transport import Response
from workos_mfa.emulator._api.router import Arguments, Result, Route, Router
from workos_mfa.emulator._api.validation import Fields
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Call, Calls
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import error_responses
from workos_mfa.emulator._domain.error_responses import ErrorResponse
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._faults.fault import JSON_TYPE, Kind, Outcome, Trouble
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


@attrs.frozen(eq=False)
class Dispatcher:
    """The API: its routes, its faults and its list of calls."""

    _router: Router = attrs.field(repr=False)
    _settings: Settings = attrs.field(repr=False)
    _clock: Clock
    _calls: Calls
    _faults: Faults
    _randomness: Randomness = attrs.field(factory=Randomness)

    def dispatch(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Outcome:
        """Respond to one request, as far as the faults allow, and put it on the list of calls.

        :param method: the HTTP method, in capitals.
        :param path: the path without the query, percent-encoded.
        :param query: the query parameters, decoded.
        :param body: the body as it was sent; empty for none.
        """
        found = self._router.find(method, path)
        struck = self._faults.strike(found[0].operation if found else None, method, path, self._clock.now)
        effect = struck.effect
        trouble = _TROUBLES.get(effect.kind) if effect else None
        response, error_code = None, None
        if effect is not None and effect.status is not None:
            response = _response(effect.status, effect.content, effect.content_type, effect.headers)
            error_code = effect.error_code
        elif trouble not in _NEVER_ARRIVES:
            response, error_code = self._respond(method, path, found, query, body)
        fault = effect.kind if effect else "delay" if struck.delay else None
        request_id = self._record(method, path, query, found, response=response, error_code=error_code, fault=fault)
        return Outcome(response and _with_id(response, request_id), trouble, struck.delay)

    def refuse(self, method: str, path: str, query: Mapping[str, str], error: ErrorResponse) -> Response:
        """Respond with an error that was found before the dispatch, and put the request on the list of calls."""
        response, error_code = _error_response(error)
        found = self._router.find(method, path)
        request_id = self._record(method, path, query, found, response=response, error_code=error_code, fault=None)
        return _with_id(response, request_id)

    def _respond(
        self, method: str, path: str, found: tuple[Route, str] | None, query: Mapping[str, str], body: bytes
    ) -> tuple[Response, str | None]:
        """The response, and the code of the error in it."""
        try:
            result = self._handle(method, path, found, query, body)
        except ErrorResponse as error:
            return _error_response(error)
        return _json_response(result.status, result.body, {}), None

    def _handle(
        self, method: str, path: str, found: tuple[Route, str] | None, query: Mapping[str, str], body: bytes
    ) -> Result:
        if found is None:
            shown = printable(path, limit=_LONGEST_ECHO)
            allowed = self._router.methods(path)
            if allowed:
                raise error_responses.method_not_allowed(method, shown, allowed)
            raise error_responses.not_implemented(method, shown)
        route, entity_id = found
        if query and not route.has_query:
            fields = Fields(query, self._settings)
            fields.only(())
            fields.check()
        return route.handle(Arguments(entity_id, query, body))

    def _record(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        found: tuple[Route, str] | None,
        *,
        response: Response | None,
        error_code: str | None,
        fault: str | None,
    ) -> str:
        """Put a request on the list of calls. Returns the id of the request."""
        request_id = self._randomness.uuid()
        self._calls.append(
            Call(
                operation=found[0].operation if found else None,
                method=method,
                route=found[0].template if found else None,
                path=path,
                query=query,
                status=response.status if response else None,
                error_code=error_code,
                request_id=request_id,
                at=self._clock.now(),
                fault=fault,
            )
        )
        return request_id


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response that is on no list of calls.

    :param body: anything that JSON has; None for no body.
    """
    return _with_id(_json_response(status, body, headers or {}), str(uuid.uuid4()))


def _json_response(status: int, body: object, headers: Mapping[str, str]) -> Response:
    if body is None:
        return _response(status, None, "", headers)
    try:
        content = _JSON.encode(body).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which can be sent as an escape, goes back as one.
        content = json.dumps(body, separators=(",", ":")).encode()
    return _response(status, content, JSON_TYPE, headers)


def _response(status: int, content: bytes | None, content_type: str, headers: Mapping[str, str]) -> Response:
    usual = {"content-length": str(len(content or b""))}
    if content is not None:
        usual["content-type"] = content_type
    # In lower case, so that each of these replaces the usual one.
    return Response(status, usual | {name.lower(): value for name, value in headers.items()}, content or b"")


def _with_id(response: Response, request_id: str) -> Response:
    return attrs.evolve(response, headers={"x-request-id": request_id, **response.headers})


def _error_response(error: ErrorResponse) -> tuple[Response, str | None]:
    code = error.body.get("code")
    return _json_response(error.status, error.body, error.headers), code if isinstance(code, str) else None

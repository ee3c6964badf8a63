"""Dispatches one request to its handler and makes the response; in process and over HTTP it is the same.

A request comes as HTTP has it: method, path, query and the bytes of the body. A response goes out with its headers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import cast

import attrs

from workos_mfa._core.redaction import printable
from workos_mfa._core.transport import Response
from workos_mfa.emulator._api.body_fields import Fields
from workos_mfa.emulator._api.idempotency import Replies
from workos_mfa.emulator._api.router import Arguments, Result, Route, Router
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Call, Calls
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import error_responses
from workos_mfa.emulator._domain.error_responses import ErrorResponse
from workos_mfa.emulator._faults.collection import Faults
from workos_mfa.emulator._faults.fault import JSON_TYPE, Outcome
from workos_mfa.emulator._settings import Settings

_LONGEST_ECHO = 200
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
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
    _replies: Replies = attrs.field(factory=Replies, init=False)

    def dispatch(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, idempotency_key: str | None = None
    ) -> Outcome:
        """Respond to one request, as far as the faults allow, and put it on the list of calls.

        :param method: the HTTP method, in capitals.
        :param path: the path without the query, percent-encoded.
        :param query: the query parameters, decoded.
        :param body: the body as it was sent; empty for none.
        :param idempotency_key: the header of that name; None for none.
        """
        route, entity_id = self._router.find(method, path) or (None, "")
        effect, delay = self._faults.strike(route.operation if route else None, method, path, self._clock.now)
        trouble = effect.trouble if effect else None
        result: Result | None = None
        if effect is not None and effect.status is not None:
            result = Result(effect.status, effect.body, effect.headers)
        elif trouble not in _NEVER_ARRIVES:
            try:
                arguments = Arguments(entity_id, query, body)
                if idempotency_key is None or method != "POST" or self._settings.idempotency_key == "ignored":
                    result = self._result(method, path, route, arguments)
                else:
                    name = f"{path} {idempotency_key}"
                    result = self._replies.once(name, body, lambda: self._result(method, path, route, arguments))
            except ErrorResponse as error:
                result = Result(error.status, error.body, error.headers)
        fault = effect.kind if effect else "delay" if delay else None
        request_id = self._record(method, path, query, route, result=result, fault=fault)
        return Outcome(_response(result, request_id) if result else None, trouble, delay)

    def reset(self) -> None:
        """Forget all idempotency keys."""
        self._replies.clear()

    def refuse(self, method: str, path: str, query: Mapping[str, str], error: ErrorResponse) -> Response:
        """Respond with an error that was found before the dispatch, and put the request on the list of calls."""
        route, _ = self._router.find(method, path) or (None, "")
        result = Result(error.status, error.body, error.headers)
        return _response(result, self._record(method, path, query, route, result=result, fault=None))

    def _result(self, method: str, path: str, route: Route | None, arguments: Arguments) -> Result:
        if route is None:
            shown = printable(path, limit=_LONGEST_ECHO)
            allowed = self._router.methods(path)
            if allowed:
                raise error_responses.method_not_allowed(method, shown, allowed)
            raise error_responses.not_implemented(method, shown)
        if arguments.query and not route.has_query:
            fields = Fields(arguments.query, self._settings)
            fields.only(())
            fields.check()
        return route.handle(arguments)

    def _record(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        route: Route | None,
        *,
        result: Result | None,
        fault: str | None,
    ) -> str:
        """Put a request on the list of calls, and return the id that it gets."""
        request_id = self._randomness.uuid()
        call = Call(
            operation=route.operation if route else None,
            method=method,
            route=route.template if route else None,
            path=path,
            query=query,
            status=result.status if result else None,
            error_code=_error_code(result) if result else None,
            request_id=request_id,
            at=self._clock.now(),
            fault=fault,
        )
        self._calls.append(call)
        return request_id


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response that is on no list of calls.

    :param body: anything that JSON has; None for no body.
    """
    return _response(Result(status, body, headers or {}), str(uuid.uuid4()))


def _error_code(result: Result) -> str | None:
    body = result.body
    code = cast("Mapping[str, object]", body).get("code") if isinstance(body, Mapping) else None
    return code if isinstance(code, str) and result.status >= 400 else None


def _response(result: Result, request_id: str) -> Response:
    content = _content(result.body)
    usual = {"x-request-id": request_id, "content-length": str(len(content))}
    if result.body is not None:
        usual["content-type"] = "text/plain; charset=utf-8" if isinstance(result.body, str) else JSON_TYPE
    # In lower case, so that each of these replaces the usual one.
    return Response(result.status, usual | {name.lower(): value for name, value in result.headers.items()}, content)


def _content(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    try:
        return _JSON.encode(body).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which can be sent as an escape, goes back as one.
        return json.dumps(body, separators=(",", ":")).encode()

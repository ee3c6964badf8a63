"""What the tests of an app, or of somebody's own transport, need from this package.

A stub transport and factories for the unit tests of an app that calls :class:`workos_mfa.MFA`; and
:class:`TransportContract`, the promises of the transport seam as a suite to subclass. For whole flows
with real codes there is :class:`workos_mfa.Emulator`; :func:`emulated` leads an app to one, and under pytest the
fixtures of the plugin do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Literal, Protocol

import attrs

from workos_mfa.emulated import MOMENT, emulated
from workos_mfa.errors import TransportError, TransportTimeoutError
from workos_mfa.models import SMS, Challenge, Factor, Model, SMSFactor, TOTPEnrollment, TOTPFactor, Verification
from workos_mfa.transport import MAX_BODY, Options, Request, Response, Transport

__all__ = [
    "Answer",
    "Connected",
    "StubTransport",
    "TransportContract",
    "emulated",
    "json_response",
    "make_challenge",
    "make_factor",
    "make_sms_factor",
    "make_totp_factor",
    "make_verification",
]

_FACTOR_ID = "auth_factor_01FVYZ5QM8N98T9ME5BCB2BBMJ"
_CHALLENGE_ID = "auth_challenge_01FVYZ5QM8N98T9ME5BCB2BBMJ"


class StubTransport:
    """A transport that asks a function what to answer, and remembers what it was asked.

    :param respond: called with each :class:`workos_mfa.Request`; it returns a :class:`workos_mfa.Response`, for
        which :func:`json_response` is handy, or raises.
    :ivar requests: the requests, in the order they came.
    :ivar closed: True once it was closed.
    """

    def __init__(self, respond: Callable[[Request], Response]) -> None:
        self._respond = respond
        self.requests: list[Request] = []
        self.closed: bool = False

    def send(self, request: Request, /) -> Response:
        """Remember the request, and answer as the function says."""
        self.requests.append(request)
        return self._respond(request)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def json_response(status: int, obj: object, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of the API.

    :param status: the HTTP status.
    :param obj: what the body holds: JSON, an object that a call returns, or JSON with such objects in it. It stands
        for the API, so that their secrets are sent.
    :param headers: headers beside the content type.
    """
    content_type = {"Content-Type": "application/json; charset=utf-8"}
    return Response(status, {**content_type, **(headers or {})}, json.dumps(obj, default=_as_sent).encode())


def _as_sent(value: object) -> object:
    if isinstance(value, Model):
        return value.to_dict(secrets=True)
    raise TypeError(
        f"a {type(value).__name__} is not JSON, and no object that a call returns: give json_response one of them"
    )


def make_factor(
    *,
    id: str = _FACTOR_ID,
    type: str = "generic_otp",
    user_id: str | None = None,
) -> Factor:
    """A factor as get returns it; every field has a value that a test need not care about."""
    return Factor(id=id, type=type, created_at=MOMENT, updated_at=MOMENT, user_id=user_id)


def make_totp_factor(
    *,
    id: str = _FACTOR_ID,
    issuer: str = "Foo Corp",
    user: str = "alan.turing@example.com",
    secret: str = "JBSWY3DPEHPK3PXP",  # noqa: S107 - the example of the API's own documentation
    user_id: str | None = None,
) -> TOTPFactor:
    """A TOTP factor as it is enrolled. Its QR code is a valid image of one pixel: no test should scan it."""
    return TOTPFactor(
        id=id,
        type="totp",
        created_at=MOMENT,
        updated_at=MOMENT,
        user_id=user_id,
        totp=TOTPEnrollment(
            issuer=issuer,
            user=user,
            secret=secret,
            qr_code=_ONE_PIXEL,
            uri=f"otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}",
        ),
    )


def make_sms_factor(
    *, id: str = _FACTOR_ID, phone_number: str = "+15005550006", user_id: str | None = None
) -> SMSFactor:
    """An SMS factor as it is enrolled."""
    return SMSFactor(
        id=id,
        type="sms",
        created_at=MOMENT,
        updated_at=MOMENT,
        user_id=user_id,
        sms=SMS(phone_number=phone_number),
    )


def make_challenge(
    *,
    id: str = _CHALLENGE_ID,
    authentication_factor_id: str = _FACTOR_ID,
    expires_at: datetime | None = MOMENT + timedelta(minutes=10),
    code: str | None = None,
) -> Challenge:
    """A challenge; ``code`` is None, as it is for all factors but those of type ``generic_otp``."""
    return Challenge(
        id=id,
        authentication_factor_id=authentication_factor_id,
        created_at=MOMENT,
        updated_at=MOMENT,
        expires_at=expires_at,
        code=code,
    )


def make_verification(*, valid: bool = True, challenge: Challenge | None = None) -> Verification:
    """The answer to a code.

    :param valid: whether the code was right.
    :param challenge: the challenge; one from :func:`make_challenge` if left out.
    """
    return Verification(challenge=challenge or make_challenge(), valid=valid)


_ONE_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


@attrs.frozen
class Answer:
    """What a server is to do with each request, in a test of the contract.

    :param status: the status to answer with.
    :param headers: headers to send.
    :param body: the body to send.
    :param trouble: in place of an answer, once the request has arrived: ``lost`` breaks the connection off,
        ``late`` says nothing for longer than the request's timeout.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes = b"{}"
    trouble: Literal["lost", "late"] | None = None


class Connected(Protocol):
    """A transport under test, with the server behind it."""

    @property
    def transport(self) -> Transport:
        """The transport."""
        ...

    @property
    def seen(self) -> Sequence[tuple[str, str]]:
        """Method and path of each request that reached the server, in order; the path with its query."""
        ...


class TransportContract:
    """What every transport promises, as tests to be subclassed.

    ::

        class TestMyTransport(TransportContract):
            def connected(self, answer):
                return my_context_manager(answer)

    ``connected`` takes an :class:`Answer` and returns a context manager that gives a :class:`Connected`: your
    transport, before a server that does with each request what the answer says.
    """

    def connected(self, answer: Answer) -> AbstractContextManager[Connected]:
        """A transport before a server that answers like this."""
        raise NotImplementedError("a subclass of TransportContract says how its transport is connected")

    def test_it_returns_the_answer(self) -> None:
        """Status, headers and body come back as the server sent them."""
        answer = Answer(201, {"X-Request-Id": "a request's id"}, b'{"id": "auth_factor_1"}')
        with self.connected(answer) as connected:
            response = connected.transport.send(_request("POST", json={"type": "generic_otp"}))
        assert (response.status, response.body) == (answer.status, answer.body)
        assert response.headers.get("x-request-id") == "a request's id"

    def test_it_asks_what_it_was_told_to(self) -> None:
        """Method, encoded path and query reach the server as they stand in the request."""
        with self.connected(Answer()) as connected:
            connected.transport.send(_request("GET", path="/auth/factors/a%2Fb%20c", query={"limit": "2"}))
            assert list(connected.seen) == [("GET", "/auth/factors/a%2Fb%20c?limit=2")]

    def test_an_error_status_is_an_answer(self) -> None:
        """A 4xx or 5xx is returned, not raised, and is not tried again."""
        for status in (400, 401, 404, 422, 429, 500, 503):
            with self.connected(Answer(status, {"Retry-After": "0"})) as connected:
                assert connected.transport.send(_request("GET")).status == status
                assert len(connected.seen) == 1

    def test_an_answer_may_be_empty(self) -> None:
        """A 204 has no body."""
        with self.connected(Answer(204, body=b"")) as connected:
            assert connected.transport.send(_request("DELETE")).body == b""

    def test_it_follows_no_redirect(self) -> None:
        """A redirect is returned as it is, and where it leads nobody asks."""
        with self.connected(Answer(307, {"Location": "/auth/factors/elsewhere"})) as connected:
            assert connected.transport.send(_request("POST", json={})).status == 307
            assert len(connected.seen) == 1

    def test_it_does_not_read_without_end(self) -> None:
        """Of a body over the limit, one byte over it at the most comes back."""
        with self.connected(Answer(body=b" " * (MAX_BODY + 1000))) as connected:
            assert len(connected.transport.send(_request("GET")).body) == MAX_BODY + 1

    def test_a_lost_answer_is_an_unclear_error(self) -> None:
        """Where the connection breaks after the request arrived, the error says so, and nothing is repeated."""
        with self.connected(Answer(trouble="lost")) as connected:
            error = _error_of(connected.transport, _request("POST", json={}))
            assert error.outcome_unknown
            assert len(connected.seen) == 1

    def test_a_late_answer_is_an_unclear_error(self) -> None:
        """Where no answer comes within the request's timeout, the error says so, and nothing is repeated."""
        with self.connected(Answer(trouble="late")) as connected:
            error = _error_of(connected.transport, _request("POST", json={}, options=Options(timeout=0.2)))
            assert isinstance(error, TransportTimeoutError)
            assert error.outcome_unknown
            assert len(connected.seen) == 1

    def test_an_error_shows_nothing_that_was_sent(self) -> None:
        """Neither the error, nor what it was made from, nor a frame below the caller shows a code."""
        with self.connected(Answer(trouble="lost")) as connected:
            error = _error_of(connected.transport, _request("POST", json={"code": _CODE}))
        trace = error.__traceback__
        assert trace is not None
        shown = [repr(error), repr(error.__cause__), repr(error.__context__)]
        while trace.tb_next is not None:
            trace = trace.tb_next
            shown += map(repr, trace.tb_frame.f_locals.values())
        assert not [text for text in shown if _CODE in text]

    def test_many_threads_may_use_it(self) -> None:
        """Sixteen threads at once get sixteen answers, and the server sees sixteen requests."""
        answers: list[Response] = []
        with self.connected(Answer()) as connected:
            threads = [
                threading.Thread(target=lambda: answers.append(connected.transport.send(_request("GET"))))
                for _ in range(16)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(connected.seen) == 16
        assert [answer.status for answer in answers] == [200] * 16

    def test_it_may_be_closed_twice(self) -> None:
        """Closing is not an error, however often it is done."""
        with self.connected(Answer()) as connected:
            connected.transport.close()
            connected.transport.close()


_CODE = "424242-sentinel"


def _request(
    method: str,
    *,
    path: str = "/auth/factors/auth_factor_1",
    query: Mapping[str, str] | None = None,
    json: Mapping[str, object] | None = None,
    options: Options | None = None,
) -> Request:
    return Request(
        operation="contract",
        method=method,
        path=path,
        route="/auth/factors/{id}",
        query=query or {},
        json=json,
        options=options or Options(timeout=10.0),
    )


def _error_of(transport: Transport, request: Request) -> TransportError:
    try:
        transport.send(request)
    except TransportError as error:
        return error
    raise AssertionError("the transport returned an answer where none came")

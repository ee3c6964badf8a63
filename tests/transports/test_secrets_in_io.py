"""No secret in an error, a log or a frame, whatever happens inside I/O."""

from __future__ import annotations

import contextlib
import logging
import operator
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
import requests

from tests.leaks import error_of, shows
from tests.loopback import Behaviour, Line, Received, Server, http_response, serving
from tests.transports.api import (
    ALL,
    CODE,
    KEY,
    SENTINELS,
    WITH_SECRETS,
    TransportFactory,
    all_calls,
    first_then,
    on_every_connection,
    respond_rightly,
)
from tests.transports.stages import World, tls_never_begins
from workos_mfa import (
    MFA,
    ConnectTimeoutError,
    MFAError,
    RequestsTransport,
    RetryingTransport,
    RetryPolicy,
    Transport,
    TransportTimeoutError,
)


def echo(request: Received, line: Line) -> None:
    """Repeat in the error all that was sent, and in the id of the request."""
    text = f"{request.headers['authorization']} {request.body.decode()}"
    said = {"message": text, "code": text, "errors": [{"field": text, "code": text}, text]}
    line.respond(422, said, {"X-Request-Id": text})


def echo_below(request: Received, line: Line) -> None:
    """Repeat what was sent in a status line that is none."""
    line.send(f"SMTP {request.headers['authorization']} {request.body.decode()}\r\n".encode())
    line.hang_up()


def cut(_: Received, line: Line) -> None:
    """Send a secret, and break off."""
    line.send(http_response(200, {"code": CODE})[:-3])
    line.hang_up()


def half_an_enrolment(_: Received, line: Line) -> None:
    """Send a secret, but not whole."""
    body = {"secret": "SENTINELSECRET", "qr_code": "SENTINELQR", "uri": "SENTINELURI"}
    line.respond(201, {"totp": body, "authentication_factor": {"totp": body}, "code": CODE})


FAULTS: dict[str, Behaviour] = {
    "lost": lambda _, line: line.reset(),
    "late": lambda _, line: line.stall(),
    "cut": cut,
    "echo": echo,
    "echo below": echo_below,
    "half an enrolment": half_an_enrolment,
    "500": lambda _, line: line.respond(500, b"<html>"),
    "redirect": lambda _, line: line.respond(307, b"", {"Location": f"https://x.example/{KEY}/{CODE}"}),
}


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every record of every logger, requests' and urllib3's too."""
    with caplog.at_level(1), caplog.at_level(1, logger="urllib3"), caplog.at_level(1, logger="workos_mfa"):
        yield caplog


@on_every_connection
@pytest.mark.parametrize("call", WITH_SECRETS)
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault(
    fault: str, call: str, transport_class: TransportFactory, everything_logged: pytest.LogCaptureFixture
) -> None:
    """After every fault of a call that sends or gets secrets, nothing that can be shown holds one."""
    with serving(FAULTS[fault]) as server:
        transport = transport_class(KEY, base_url=server.url)
        mfa = MFA(transport=RetryingTransport(transport, RetryPolicy(max_attempts=2, backoff=0)), timeout=0.1)
        error = error_of(all_calls(mfa)[call])
        logging.getLogger("app").error("it failed", exc_info=error)
        assert shows(error, *SENTINELS) == []
        transport.close()
    logged = [everything_logged.text, *(record.getMessage() for record in everything_logged.records)]
    assert [sentinel for sentinel in SENTINELS if any(sentinel in text for text in logged)] == []


class SoftTimeLimit(Exception):  # noqa: N818 - as workers name theirs
    """What a worker raises in a task that takes too long."""


class GreenletTimeout(BaseException):
    """What gevent raises in a greenlet that takes too long."""


@contextmanager
def raised_in_a_moment(error: BaseException, when: threading.Event) -> Iterator[None]:
    """Raise an exception in this thread, by a signal, once an event is set.

    A signal that comes right before a system call does not end its wait, so it is sent until it is handled.
    """
    handled = threading.Event()

    def handler(_number: int, _frame: FrameType | None) -> None:
        handled.set()
        signal.signal(signal.SIGUSR1, operator.is_)  # one more that is on its way does nothing
        raise error

    def fire() -> None:
        when.wait(5)
        while not handled.is_set():
            signal.pthread_kill(main, signal.SIGUSR1)
            handled.wait(0.1)

    main = threading.get_ident()
    before = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=fire)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)


@on_every_connection
@pytest.mark.parametrize("foreign", [SoftTimeLimit, GreenletTimeout, KeyboardInterrupt])
@pytest.mark.parametrize("half", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"])
@pytest.mark.parametrize("call", ["verify_challenge", "create_user_auth_factor"])
def test_a_foreign_exception_inside_io(
    call: str, half: bytes, foreign: type[BaseException], transport_class: TransportFactory
) -> None:
    """A worker's time limit keeps its type and its cause and passes at once, with no frame that holds what was sent."""
    arrived = threading.Event()
    limit = foreign("too slow")
    limit.__cause__ = ValueError("the reason")

    def hold(_: Received, line: Line) -> None:
        line.send(half)
        arrived.set()
        line.stall()

    with serving(hold) as server:
        transport = transport_class(KEY, base_url=server.url)
        mfa = MFA(transport=RetryingTransport(transport))
        with raised_in_a_moment(limit, arrived), pytest.raises(foreign) as caught:
            all_calls(mfa)[call]()
        assert caught.value is limit
        assert str(limit.__cause__) == "the reason"
        assert len(server.received) == 1
        assert shows(caught.value, *SENTINELS) == []
        server.behaviour = respond_rightly
        assert mfa.verify_challenge("auth_challenge_1", code=CODE)
        assert server.connections == 2
        transport.close()


def test_one_exception_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport_class: TransportFactory
) -> None:
    """A time limit that is one object, and has ended a call before it was sent, says nothing of a call after that."""
    limit, arrived = TimeoutError("too slow"), threading.Event()
    with monkeypatch.context() as patched, tls_never_begins(World(patched, tmp_path)) as stage:
        transport = transport_class(KEY, base_url=stage.url)
        timer = threading.Timer(0.2, arrived.set)
        timer.start()
        with raised_in_a_moment(limit, arrived), pytest.raises(ConnectTimeoutError):
            MFA(transport=transport).challenge_factor("auth_factor_1")
        timer.join()
        transport.close()
    arrived.clear()

    def hold(_: Received, line: Line) -> None:
        arrived.set()
        line.stall()

    with serving(first_then(hold, respond_rightly)) as server:
        transport = transport_class(KEY, base_url=server.url)
        with raised_in_a_moment(limit, arrived), pytest.raises(TransportTimeoutError) as caught:
            MFA(transport=RetryingTransport(transport, RetryPolicy(backoff=0))).challenge_factor("auth_factor_1")
        assert caught.value.outcome_unknown
        assert len(server.received) == 1
        transport.close()


def test_an_adapter_that_tells_what_it_was_to_send() -> None:
    """What an adapter of the user's says of a request is masked in our error, before a long text is cut."""

    class Spool(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            body = request.body.decode() if isinstance(request.body, bytes) else ""
            raise OSError(f"spool full: {body} {'-' * 120} {request.headers.get('Authorization')!r}")

    with requests.Session() as session:
        session.mount("https://", Spool())
        mfa = MFA(transport=RequestsTransport(KEY, session=session))
        with pytest.raises(MFAError, match="spool full") as caught:
            mfa.verify_challenge("auth_challenge_1", code=CODE)
    assert shows(caught.value, *SENTINELS) == []
    assert KEY[:12] not in str(caught.value)


@pytest.mark.parametrize("behaviour", [respond_rightly, echo])
def test_the_debug_level_of_http_client(
    behaviour: Behaviour,
    server: Server,
    connect: Callable[[Server], Transport],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What makes http.client print all that it sends and reads makes our connections print nothing."""
    monkeypatch.setattr("http.client.HTTPConnection.debuglevel", 1)
    server.behaviour = behaviour
    mfa = MFA(transport=connect(server))
    for call in all_calls(mfa).values():
        with contextlib.suppress(MFAError):
            call()
    assert len(server.received) == len(ALL)
    assert capfd.readouterr() == ("", "")


def test_what_is_shown_of_a_client(server: Server, connect: Callable[[Server], object]) -> None:
    """The reprs of the client and its transport name where they go, and no key."""
    transport = connect(server)
    assert KEY not in repr(transport)
    assert server.url in repr(transport)
    assert KEY not in repr(MFA(KEY))
